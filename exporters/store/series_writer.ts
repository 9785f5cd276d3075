/**
 * Writes batches of metrics into one tenant. Where the receiver knows that a batch is laid out like an earlier one, its values go to their series
 * without a look at the rest (layout_plan.ts). Else, for every metric of every resource it keeps what its points looked like (point_cache.ts): a batch
 * like the last one is compared and appended without translating anything. Exponential histograms always go the slow way, and so does
 * whatever has a new exemplar.
 */
import type { Batch } from '#src/core/batch.ts';
import { errorText } from '#src/core/errors.ts';
import { keyId } from '#src/data/keys.ts';
import { METRIC, METRIC_DATA, NUMBER_POINT, pointTypeOf, SCOPE } from '#src/data/message_types.ts';
import { BatchReader } from '#src/data/read.ts';
import { skipField } from '#src/data/scan.ts';
import { addTargetInfo, type Labels, sortedLabels, writeLabels } from '#src/helper/prometheus/labels.ts';
import {
  type Family,
  familyOf,
  pointExemplars,
  pointLabels,
  pointSeries,
  pointTimeMs,
  RECEIVER_SCOPE,
  type TranslationSettings,
  writeNativeHistogram,
} from '#src/helper/prometheus/translate.ts';
import type { Appender } from '#src/store/appender.ts';
import { ProtoWriter } from '#src/wire/proto_writer.ts';
import { Appending } from './appending.ts';
import { type LayoutPlan, PlanRecorder } from './layout_plan.ts';
import { OP, PointCache, PointCacheBuilder, ROW } from './point_cache.ts';

/** What was not seen for so many batches is forgotten once there is more of it than usual. */
const FORGET_AFTER = 64;
const USUAL_METRICS = 4096;
const USUAL_RESOURCES = 10_000;
const PROMETHEUS_TYPE = keyId('prometheus.type');

interface MetricCache {
  readonly points: PointCache;
  /** Null: the metric cannot be translated, for the reason in `fault`. */
  readonly family: Family | null;
  readonly fault: string;
  seen: number;
}
interface ResourceCache {
  /** By scope, name, unit and kind. */
  readonly metrics: Map<string, MetricCache>;
  /** 0: not asked for yet; -1: the resource has none. */
  targetInfoRef: number;
  seen: number;
}
export interface SeriesWriterSettings extends TranslationSettings {
  readonly targetInfo: boolean;
}

const ONE_HIGH = 0x3ff00000; // The upper word of 1.0.

export class SeriesWriter {
  readonly appending = new Appending();
  /** Points of the last batch that could not be translated, and why the first of them. */
  untranslated = 0;
  fault = '';
  readonly #appender: Appender;
  readonly #settings: SeriesWriterSettings;
  readonly #reader = new BatchReader();
  readonly #writer = new ProtoWriter(4096);
  readonly #builder = new PointCacheBuilder();
  readonly #resources = new Map<string, ResourceCache>();
  /** By layout; null where a batch of it must be read each time. */
  readonly #plans = new WeakMap<object, LayoutPlan | null>();
  readonly #recorder = new PlanRecorder();
  /** The batch is translated point by point, and what is found goes into #recorder. */
  #isRecording = false;
  #batches = 0;

  constructor(appender: Appender, settings: SeriesWriterSettings) {
    this.#appender = appender;
    this.#settings = settings;
  }

  /** Appends all points of the batch; the caller commits. Throws PermanentError on malformed bytes. */
  write(batch: Batch): void {
    this.appending.reset();
    this.untranslated = 0;
    this.fault = '';
    this.#batches++;
    const layout = batch.origin === null ? null : batch.origin.layout,
      plan = layout === null ? null : this.#plans.get(layout);
    if (plan) {
      if (plan.append(this.appending, this.#appender, batch.parts[0]!)) return;
      this.#plans.delete(layout!);
      this.appending.reset();
    }
    this.#isRecording = layout !== null && plan !== null;
    this.#recorder.reset();
    const reader = this.#reader;
    reader.reset(batch);
    while (reader.nextResource()) this.#writeResource();
    if (this.#isRecording) this.#plans.set(layout!, this.#recorder.isBroken ? null : this.#recorder.finish());
    if (this.#resources.size > USUAL_RESOURCES) forgetOld(this.#resources, this.#batches);
  }

  #writeResource(): void {
    const reader = this.#reader,
      { resource } = reader,
      key = reader.space.bytes.latin1Slice(resource.start, resource.end);
    let cache = this.#resources.get(key);
    if (!cache) this.#resources.set(key, (cache = { metrics: new Map(), targetInfoRef: 0, seen: 0 }));
    cache.seen = this.#batches;
    let lastMs = 0,
      scrapedOnly = true;
    while (reader.nextScope()) {
      const { scope } = reader,
        scopeKey = reader.space.bytes.latin1Slice(scope.start, scope.end);
      if (scope.text(SCOPE.name) !== RECEIVER_SCOPE) scrapedOnly = false;
      while (reader.nextRecord()) lastMs = Math.max(lastMs, this.#writeMetric(cache, scopeKey));
    }
    if (cache.metrics.size > USUAL_METRICS) forgetOld(cache.metrics, this.#batches);
    // What a scrape says of its target is in job and instance already.
    if (this.#settings.targetInfo && !scrapedOnly && lastMs > 0) {
      this.#recorder.isBroken = true;
      this.#writeTargetInfo(cache, lastMs);
    }
    if (this.#isRecording) cache.metrics.clear();
  }

  /** Answers the time of the newest point. */
  #writeMetric(resource: ResourceCache, scopeKey: string): number {
    const reader = this.#reader,
      { record, data, metricKind } = reader,
      row = record.row(PROMETHEUS_TYPE);
    const type = row < 0 ? '' : reader.space.bytes.latin1Slice(record.valueStart(row), record.valueEnd(row));
    const key = `${metricKind} ${data.int(METRIC_DATA.aggregationTemporality)} ${data.int(METRIC_DATA.isMonotonic)} ${record.text(METRIC.name)}\0${record.text(METRIC.unit)}\0${type}\0${scopeKey}`;
    let cache = resource.metrics.get(key);
    if (!cache) {
      cache = this.#newMetric();
      resource.metrics.set(key, cache);
    }
    cache.seen = this.#batches;
    if (cache.family === null) {
      this.#fail(cache.fault, data.count(METRIC_DATA.dataPoints));
      return 0;
    }
    return metricKind === METRIC.exponentialHistogram ? this.#writeExponential(cache.family) : this.#writePoints(cache.points, cache.family);
  }

  #newMetric(): MetricCache {
    const points = new PointCache();
    try {
      const family = familyOf(this.#reader, this.#settings);
      this.#appender.metadata(family.name, family.type, family.help, family.unit);
      return { points, family, fault: '', seen: 0 };
    } catch (error) {
      return { points, family: null, fault: errorText(error), seen: 0 };
    }
  }

  #writePoints(cache: PointCache, family: Family): number {
    const { space, data } = this.#reader,
      { bytes, view } = space,
      { end } = data,
      appender = this.#appender,
      { appending } = this,
      builder = this.#builder;
    let expected = 0,
      changed = false,
      lastMs = 0;
    for (let p = data.start; p < end; ) {
      if (bytes[p] !== 0x0a) {
        p = skipField(bytes, p, end);
        continue;
      }
      let size = bytes[p + 1]!,
        start = p + 2;
      if (size > 127) {
        const next = skipField(bytes, p, end);
        for (start = p + 1; bytes[start]! > 127; start++);
        size = next - ++start;
      }
      p = start + size;
      if (this.#isRecording) {
        builder.reset();
        lastMs = Math.max(lastMs, this.#translate(family, start, p));
        continue;
      }
      const row = cache.find(view, start, size, expected),
        firstOp = row < 0 ? 0 : cache.rows[row * ROW + 3]!,
        opCount = row < 0 ? 0 : cache.rows[row * ROW + 4]!;
      if (row < 0 || opCount === 0 || !appender.isKnown(cache.ops[firstOp + 2]!)) {
        if (!changed) {
          builder.reset();
          builder.take(cache, 0, expected);
          changed = true;
        }
        lastMs = Math.max(lastMs, this.#translate(family, start, p));
        if (row >= 0) expected = row + 1;
        continue;
      }
      if (row !== expected && !changed) {
        builder.reset();
        builder.take(cache, 0, expected);
        changed = true;
      }
      if (changed) builder.take(cache, row, row + 1);
      expected = row + 1;
      const timeAt = cache.rows[row * ROW + 2]!,
        timeMs = timeAt < 0 ? 0 : appending.timeMs(view, start + timeAt),
        { ops } = cache;
      for (let op = firstOp, stop = firstOp + opCount * OP; op < stop; op += OP)
        appending.append(appender, ops[op + 2]!, timeMs, ops[op]!, view, start + ops[op + 1]!);
      if (timeMs > lastMs) lastMs = timeMs;
    }
    if (!changed && expected !== cache.count && !this.#isRecording) {
      builder.reset();
      builder.take(cache, 0, expected);
      changed = true;
    }
    if (changed) builder.finish(cache);
    return lastMs;
  }

  /** The slow way: the point [start, end) is translated, appended and remembered. Answers its time. */
  #translate(family: Family, start: number, end: number): number {
    const reader = this.#reader,
      { point, space } = reader,
      builder = this.#builder;
    point.scan(start, end, pointTypeOf(family.kind));
    const timeMs = pointTimeMs(reader),
      exemplars = pointExemplars(reader, family.kind),
      timeAt = point.has(NUMBER_POINT.timeUnixNano) ? point.contentStart(NUMBER_POINT.timeUnixNano) : -1;
    if (exemplars.length > 0) this.#recorder.isBroken = true;
    builder.add(space.bytes, start, end, timeAt < 0 ? -1 : timeAt - start);
    try {
      pointSeries(reader, family, this.#settings, (labels, source, offset) => {
        const ref = this.#ref(labels);
        builder.op(source, offset < 0 ? -1 : offset - start, ref);
        if (this.#isRecording) this.#recorder.add(source, offset, timeAt, ref);
        this.appending.append(this.#appender, ref, timeMs, source, space.view, offset);
        // An exemplar belongs to the bucket that its value falls into, or to the one series of a counter.
        for (let i = exemplars.length - 1; i >= 0; i--)
          if (takesExemplar(family.kind, labels, exemplars[i]!.value)) this.#exemplar(ref, exemplars.splice(i, 1)[0]!);
      });
    } catch (error) {
      this.#fail(errorText(error), 1);
    }
    return timeMs;
  }

  #ref(labels: readonly string[]): number {
    this.#writer.reset();
    writeLabels(this.#writer, labels);
    return this.#appender.series(this.#writer.buffer, 0, this.#writer.length);
  }

  #exemplar(ref: number, exemplar: ReturnType<typeof pointExemplars>[number]): void {
    this.#writer.reset();
    writeLabels(this.#writer, exemplar.labels);
    this.#appender.exemplar(ref, this.#writer.buffer, 0, this.#writer.length, exemplar.timeMs, exemplar.value);
  }

  #writeExponential(family: Family): number {
    const reader = this.#reader;
    let lastMs = 0;
    this.#recorder.isBroken = true;
    while (reader.nextPoint()) {
      try {
        const labels: Labels = pointLabels(reader, family, this.#settings).set('__name__', family.name),
          ref = this.#ref(sortedLabels(labels));
        this.#writer.reset();
        writeNativeHistogram(this.#writer, reader);
        this.appending.count(this.#appender.appendHistogram(ref, this.#writer.buffer, 0, this.#writer.length));
        for (const exemplar of pointExemplars(reader, family.kind)) this.#exemplar(ref, exemplar);
        lastMs = Math.max(lastMs, pointTimeMs(reader));
      } catch (error) {
        this.#fail(errorText(error), 1);
      }
    }
    return lastMs;
  }

  #writeTargetInfo(cache: ResourceCache, timeMs: number): void {
    if (cache.targetInfoRef === 0 || (cache.targetInfoRef > 0 && !this.#appender.isKnown(cache.targetInfoRef))) {
      const labels: Labels = new Map(),
        { rules, externalLabels } = this.#settings;
      cache.targetInfoRef = -1;
      if (addTargetInfo(labels, this.#reader.resource, rules, externalLabels)) {
        labels.set('__name__', rules.namespace === '' ? 'target_info' : `${rules.namespace}_target_info`);
        cache.targetInfoRef = this.#ref(sortedLabels(labels));
        this.#appender.metadata('target_info', 'gauge', 'Target metadata', '');
      }
    }
    if (cache.targetInfoRef > 0) this.#appender.append(cache.targetInfoRef, timeMs, 0, ONE_HIGH);
  }

  #fail(fault: string, points: number): void {
    this.#recorder.isBroken = true; // The fault is told each time.
    this.untranslated += points;
    this.fault ||= fault;
  }
}

function takesExemplar(kind: number, labels: readonly string[], value: number): boolean {
  if (kind !== METRIC.histogram) return true;
  const at = labels.indexOf('le');
  return at >= 0 && at % 2 === 0 && value <= (labels[at + 1] === '+Inf' ? Infinity : Number(labels[at + 1]));
}

function forgetOld(caches: Map<string, { seen: number }>, batches: number): void {
  for (const [key, cache] of caches) if (cache.seen < batches - FORGET_AFTER) caches.delete(key);
}
