/**
 * A batch of metrics as remote write requests. Names and labels come from src/helper/prometheus, once for each series: a point whose attributes (and
 * bounds, for a histogram) are bytes that were seen before finds its series under them, and only its values are read.
 */
import type { Batch } from '#src/core/batch.ts';
import { errorText } from '#src/core/errors.ts';
import { Cursor } from '#src/data/cursor.ts';
import { EXPONENTIAL_POINT, HISTOGRAM_POINT, METRIC, METRIC_DATA, NUMBER_POINT, QUANTILE, QUANTILE_TYPE, SUMMARY_POINT } from '#src/data/message_types.ts';
import { BatchReader } from '#src/data/read.ts';
import { addTargetInfo, compareNames, type Labels, sortedLabels } from '#src/helper/prometheus/labels.ts';
import { attributeBytes } from '#src/helper/prometheus/point_attributes.ts';
import {
  describedFamily,
  type Family,
  familyOf,
  pointExemplars,
  pointLabels,
  pointSeries,
  pointTimeMs,
  type PromExemplar,
  type TranslationSettings,
  writeNativeHistogram,
} from '#src/helper/prometheus/translate.ts';
import { ProtoWriter } from '#src/wire/proto_writer.ts';
import { snappyEncode } from '#src/wire/snappy.ts';
import { BatchSeries } from './batch_series.ts';
import { PointValues } from './point_values.ts';
import { SeriesTable } from './series_table.ts';
import { type Version, writeMetadata } from './write_request.ts';

/** Above that the cache is emptied: about 0.5 KB a point, so 25 MB at most. */
const MAX_CACHED_POINTS = 50_000;
const EXEMPLARS_FIELD: Readonly<Record<number, number>> = {
  [METRIC.gauge]: NUMBER_POINT.exemplars,
  [METRIC.sum]: NUMBER_POINT.exemplars,
  [METRIC.histogram]: HISTOGRAM_POINT.exemplars,
  [METRIC.exponentialHistogram]: EXPONENTIAL_POINT.exemplars,
};
const TARGET_INFO: Omit<Family, 'name'> = { type: 'gauge', help: 'Target metadata', unit: '', kind: METRIC.gauge, scopeInfo: false };
const ONE_HIGH = 0x3ff00000; // The upper word of 1.0.

export interface RemoteWriteSettings extends TranslationSettings {
  readonly version: Version;
  readonly targetInfo: boolean;
  readonly sendMetadata: boolean;
  readonly maxBatchBytes: number;
}
interface MetricCache {
  /** Null: the metric cannot be translated, for the reason in `fault`. */
  readonly family: Family | null;
  readonly fault: string;
  /** By the bytes that tell series apart: where in `#refs` the series of the point begin. */
  readonly points: Map<string, number>;
}
interface ResourceCache {
  /** By scope, then by the metric without its points. */
  readonly scopes: Map<string, Map<string, MetricCache>>;
  /** The series target_info; -1: not asked for yet, -2: the resource has none. */
  targetInfo: number;
}

const quantile = new Cursor(QUANTILE_TYPE);

export class BatchTranslator {
  /** Series of the last batch; points of it that could not be translated and why the first of them. */
  seriesCount = 0;
  untranslated = 0;
  fault = '';
  readonly #settings: RemoteWriteSettings;
  readonly #reader = new BatchReader();
  readonly #table: SeriesTable;
  readonly #series: BatchSeries;
  readonly #values = new PointValues();
  readonly #scratch = new ProtoWriter(1024);
  readonly #resources = new Map<string, ResourceCache>();
  #refs: Int32Array<ArrayBuffer> = new Int32Array(1024);
  #refCount = 0;
  #cachedPoints = 0;
  #metadata: Family[] = [];

  constructor(settings: RemoteWriteSettings) {
    this.#settings = settings;
    this.#table = new SeriesTable(settings.version);
    this.#series = new BatchSeries(this.#table, settings.version);
  }

  /** Compressed requests in the order they are to be sent; none where nothing is left of the batch. Throws PermanentError on malformed bytes. */
  translate(batch: Batch): Buffer[] {
    const reader = this.#reader,
      series = this.#series,
      { maxBatchBytes } = this.#settings;
    this.untranslated = 0;
    this.fault = '';
    this.#metadata = [];
    series.reset();
    if (this.#cachedPoints > MAX_CACHED_POINTS) this.#forget();
    reader.reset(batch);
    while (reader.nextResource()) this.#addResource();
    this.seriesCount = series.count;
    const requests = series.requests(maxBatchBytes);
    return requests.length === 0 ? requests : [...requests, ...this.#metadataRequests(maxBatchBytes)];
  }

  #forget(): void {
    this.#resources.clear();
    this.#table.reset();
    this.#refCount = this.#cachedPoints = 0;
  }

  #addResource(): void {
    const reader = this.#reader,
      { resource } = reader,
      key = reader.space.bytes.latin1Slice(resource.start, resource.end);
    let cache = this.#resources.get(key),
      lastMs = 0;
    if (!cache) this.#resources.set(key, (cache = { scopes: new Map(), targetInfo: -1 }));
    while (reader.nextScope()) {
      const scopeKey = reader.space.bytes.latin1Slice(reader.scope.start, reader.scope.end);
      let metrics = cache.scopes.get(scopeKey);
      if (!metrics) cache.scopes.set(scopeKey, (metrics = new Map()));
      while (reader.nextRecord()) lastMs = Math.max(lastMs, this.#addMetric(metrics));
    }
    if (this.#settings.targetInfo && lastMs > 0) this.#addTargetInfo(cache, lastMs);
  }

  /** Answers the time of the newest point, also of those that are not sent. */
  #addMetric(metrics: Map<string, MetricCache>): number {
    const reader = this.#reader,
      { record, data, metricKind: kind } = reader,
      { bytes } = reader.space,
      dataStart = record.contentStart(kind),
      dataEnd = record.contentEnd(kind);
    const header =
      kind === 0
        ? bytes.latin1Slice(record.start, record.end)
        : bytes.latin1Slice(record.start, dataStart) + (dataEnd === record.end ? '' : bytes.latin1Slice(dataEnd, record.end));
    const key = `${data.int(METRIC_DATA.aggregationTemporality)}${data.int(METRIC_DATA.isMonotonic)}${header}`;
    let cache = metrics.get(key);
    if (!cache) metrics.set(key, (cache = this.#newMetric()));
    if (this.#settings.sendMetadata && this.#settings.version === 1) this.#addMetadata();
    if (cache.family === null) this.#fail(cache.fault, Math.max(1, data.count(METRIC_DATA.dataPoints)));
    let lastMs = 0;
    while (kind !== 0 && reader.nextPoint()) {
      lastMs = Math.max(lastMs, pointTimeMs(reader));
      if (cache.family !== null) this.#addPoint(cache, cache.family);
    }
    return lastMs;
  }

  #newMetric(): MetricCache {
    const points = new Map<string, number>();
    this.#cachedPoints++; // It weighs about as much as a point.
    try {
      return { points, family: familyOf(this.#reader, this.#settings), fault: '' };
    } catch (error) {
      return { points, family: null, fault: errorText(error) };
    }
  }

  #addPoint(cache: MetricCache, family: Family): void {
    const key = this.#pointKey(family.kind);
    let refs = cache.points.get(key);
    try {
      if (refs === undefined) {
        refs = this.#translatePoint(family);
        cache.points.set(key, refs);
        this.#cachedPoints++;
      }
      this.#addValues(family, refs);
    } catch (error) {
      this.#fail(errorText(error), 1);
    }
  }

  /** What decides on the series of a point, as bytes. */
  #pointKey(kind: number): string {
    const reader = this.#reader,
      { point } = reader,
      { bytes } = reader.space,
      attributes = attributeBytes(point, kind);
    if (kind === METRIC.histogram) {
      const bounds = point.has(HISTOGRAM_POINT.explicitBounds)
        ? bytes.latin1Slice(point.firstAt(HISTOGRAM_POINT.explicitBounds), point.contentEnd(HISTOGRAM_POINT.explicitBounds))
        : '';
      return `${point.has(HISTOGRAM_POINT.sum) ? 's' : ''}${point.fixed64Offsets(HISTOGRAM_POINT.bucketCounts).length} ${attributes.length} ${attributes}${bounds}`;
    }
    if (kind !== METRIC.summary) return attributes;
    let quantiles = '';
    quantile.space = point.space;
    for (let more = point.firstChild(SUMMARY_POINT.quantileValues, quantile); more; more = point.nextChild(SUMMARY_POINT.quantileValues, quantile))
      quantiles += `${quantile.double(QUANTILE.quantile)} `;
    return `${quantiles}|${attributes}`;
  }

  /** Names the series of the point and keeps their numbers; answers where. */
  #translatePoint(family: Family): number {
    const reader = this.#reader,
      start = this.#refCount;
    if (family.kind === METRIC.exponentialHistogram)
      this.#keep(this.#table.add(sortedLabels(pointLabels(reader, family, this.#settings).set('__name__', family.name))));
    else pointSeries(reader, family, this.#settings, (labels) => this.#keep(this.#table.add(labels)));
    return start;
  }
  #keep(series: number): void {
    if (this.#refCount === this.#refs.length) {
      const grown = new Int32Array(this.#refs.length * 2);
      grown.set(this.#refs);
      this.#refs = grown;
    }
    this.#refs[this.#refCount++] = series;
  }

  #addValues(family: Family, refs: number): void {
    const reader = this.#reader,
      { point } = reader,
      series = this.#series,
      { kind } = family,
      timeMs = pointTimeMs(reader);
    series.family = family;
    if (kind === METRIC.exponentialHistogram) {
      this.#scratch.reset();
      writeNativeHistogram(this.#scratch, reader);
      series.histogram(this.#refs[refs]!, this.#scratch.finish());
    } else {
      const values = this.#values;
      values.read(point, kind);
      const { words, count } = values;
      for (let i = 0; i < count; i++) series.sample(this.#refs[refs + i]!, timeMs, words[2 * i]!, words[2 * i + 1]!);
    }
    const field = EXEMPLARS_FIELD[kind];
    if (field !== undefined && point.has(field)) this.#addExemplars(family, refs);
  }

  /** Version 1 has exemplars of counters and buckets, version 2 of numbers; both of native histograms. */
  #addExemplars(family: Family, refs: number): void {
    const { kind } = family,
      first = this.#settings.version === 1,
      series = this.#series;
    if (first ? kind === METRIC.gauge || (kind === METRIC.sum && !this.#reader.data.bool(METRIC_DATA.isMonotonic)) : kind === METRIC.histogram) return;
    for (const exemplar of pointExemplars(this.#reader, kind)) {
      if (kind === METRIC.histogram) {
        const bucket = this.#bucketOf(exemplar.value);
        if (bucket >= 0) series.exemplar(this.#refs[refs + bucket]!, exemplar);
      } else series.exemplar(this.#refs[refs]!, first ? exemplar : sortedExemplar(exemplar));
    }
  }

  /** Where among the values of the histogram that bucket is whose bounds hold the value; -1 for NaN. */
  #bucketOf(value: number): number {
    const { point } = this.#reader,
      before = point.has(HISTOGRAM_POINT.sum) ? 2 : 1; // Sum and count come first.
    const bounds = point.doubles(HISTOGRAM_POINT.explicitBounds),
      buckets = Math.min(bounds.length, point.fixed64Offsets(HISTOGRAM_POINT.bucketCounts).length);
    let best = -1;
    for (let i = 0; i < buckets; i++) if (value <= bounds[i]! && (best < 0 || bounds[i]! < bounds[best]!)) best = i;
    return best >= 0 ? before + best : Number.isNaN(value) ? -1 : before + buckets;
  }

  #addTargetInfo(cache: ResourceCache, timeMs: number): void {
    if (cache.targetInfo === -1) {
      const labels: Labels = new Map(),
        { rules, externalLabels, version } = this.#settings,
        name = rules.namespace === '' ? 'target_info' : `${rules.namespace}_target_info`;
      cache.targetInfo = -2;
      try {
        if (addTargetInfo(labels, this.#reader.resource, rules, externalLabels, version === 2)) {
          labels.set('__name__', name);
          cache.targetInfo = this.#table.add(sortedLabels(labels));
        }
      } catch (error) {
        this.#fail(errorText(error), 1);
      }
    }
    this.#series.family = TARGET_INFO;
    if (cache.targetInfo >= 0) this.#series.sample(cache.targetInfo, timeMs, 0, ONE_HIGH);
  }

  /** Of every metric that has a name, also of those that are not sent. */
  #addMetadata(): void {
    try {
      this.#metadata.push(describedFamily(this.#reader, this.#settings));
    } catch {
      // It has no name that is left; it was counted as what could not be translated.
    }
  }

  #metadataRequests(maxBytes: number): Buffer[] {
    const writer = this.#scratch,
      bodies: Buffer[] = [];
    writer.reset();
    for (const { name, type, help, unit } of this.#metadata) {
      const mark = writer.length;
      writeMetadata(writer, name, type, help, unit);
      if (mark === 0 || writer.length < maxBytes) continue;
      bodies.push(snappyEncode(writer.buffer.subarray(0, mark)));
      writer.buffer.copyWithin(0, mark, writer.length);
      writer.length -= mark;
    }
    if (writer.length > 0) bodies.push(snappyEncode(writer.written()));
    return bodies;
  }

  #fail(fault: string, points: number): void {
    this.untranslated += points;
    this.fault ||= fault;
  }
}

/** Version 2 has the labels of exemplars sorted, and attributes named as the trace's own labels left out. */
function sortedExemplar(exemplar: PromExemplar): PromExemplar {
  const labels: Labels = new Map();
  for (let i = 0; i < exemplar.labels.length; i += 2) if (!labels.has(exemplar.labels[i]!)) labels.set(exemplar.labels[i]!, exemplar.labels[i + 1]!);
  return { ...exemplar, labels: [...labels].sort((a, b) => compareNames(a[0], b[0])).flat() };
}
