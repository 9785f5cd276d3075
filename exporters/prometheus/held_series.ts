/**
 * The series that the endpoint shows: of each the last value, until it expires or its point says that there is none any more. Deltas that follow
 * each other are summed up. A point finds its series under the bytes of its attributes; names are made once for each.
 */
import type { Batch } from '#src/core/batch.ts';
import { errorText } from '#src/core/errors.ts';
import type { Cursor } from '#src/data/cursor.ts';
import { hasNoRecordedValue } from '#src/data/data_point.ts';
import { METRIC, METRIC_DATA, SCOPE, SCOPE_GROUP } from '#src/data/message_types.ts';
import { BatchReader } from '#src/data/read.ts';
import { valueText } from '#src/data/value_text.ts';
import { compareNames, type ResourceLabels, SERVICE_INSTANCE_ID, SERVICE_NAME, SERVICE_NAMESPACE } from '#src/helper/prometheus/labels.ts';
import { labelName, metricName, type NameKind, type NameRules } from '#src/helper/prometheus/names.ts';
import { attributeBytes } from '#src/helper/prometheus/point_attributes.ts';
import { type Held, isShown, joined, readHeld } from './held_value.ts';

const IDENTIFYING: ReadonlySet<number> = new Set([SERVICE_NAME, SERVICE_NAMESPACE, SERVICE_INSTANCE_ID]);

export type FamilyType = 'counter' | 'gauge' | 'histogram' | 'summary';
export interface HeldFamily {
  readonly name: string;
  readonly type: FamilyType;
  /** Of the first metric of the name. */
  readonly help: string;
  /** By labels. */
  readonly series: Map<string, HeldSeries>;
  /** Its series in the order they are shown; null: not made since one came or went. */
  sorted: readonly HeldSeries[] | null;
}
export interface HeldSeries {
  readonly family: HeldFamily;
  /** [name, value, ...] sorted. */
  readonly labels: readonly string[];
  held: Held | null;
  seenMs: number;
  target: Target | null;
}
/** A resource that has both job and instance: one series target_info. */
export interface Target {
  readonly id: string;
  readonly labels: readonly string[];
}
export interface HeldSettings {
  readonly rules: NameRules;
  readonly scopeInfo: boolean;
  readonly constLabels: readonly (readonly [name: string, value: string])[];
  readonly resourceLabels: ResourceLabels;
  readonly expirationMs: number;
}

/** Everything that was worked out for bytes that may come again. */
interface ResourceCache {
  readonly target: Target | null;
  readonly scopes: Map<string, Map<string, MetricCache>>;
}
interface MetricCache {
  /** Series by the bytes of the attributes; a text says why there is none. */
  readonly points: Map<string, HeldSeries | string>;
}

export class HeldSeriesSet {
  readonly families = new Map<string, HeldFamily>();
  /** Points of the last batch that cannot be shown, and why the first of them. */
  refused = 0;
  fault = '';
  readonly #settings: HeldSettings;
  readonly #reader = new BatchReader();
  #resources = new Map<string, ResourceCache>();
  #nowMs = 0;

  constructor(settings: HeldSettings) {
    this.#settings = settings;
  }

  /** Takes the points of the batch. Throws PermanentError on malformed bytes. */
  add(batch: Batch, nowMs: number): void {
    const reader = this.#reader;
    this.#nowMs = nowMs;
    this.refused = 0;
    this.fault = '';
    reader.reset(batch);
    while (reader.nextResource()) {
      const { resource } = reader,
        key = reader.space.bytes.latin1Slice(resource.start, resource.end);
      let cache = this.#resources.get(key);
      if (!cache) this.#resources.set(key, (cache = { target: this.#targetOf(resource), scopes: new Map() }));
      while (reader.nextScope()) {
        const { scope } = reader,
          scopeKey = `${reader.scopeGroup.text(SCOPE_GROUP.schemaUrl)}\0${reader.space.bytes.latin1Slice(scope.start, scope.end)}`;
        let metrics = cache.scopes.get(scopeKey);
        if (!metrics) cache.scopes.set(scopeKey, (metrics = new Map()));
        while (reader.nextRecord()) this.#addMetric(cache, metrics);
      }
    }
  }

  /** Takes out what has expired; with it everything that is remembered of bytes, which is soon worked out again. */
  expire(nowMs: number): void {
    const oldestMs = nowMs - this.#settings.expirationMs;
    let gone = false;
    for (const family of this.families.values())
      for (const [key, series] of family.series) {
        if (series.held !== null && series.seenMs >= oldestMs) continue;
        family.series.delete(key);
        family.sorted = null;
        gone = true;
      }
    for (const [name, family] of this.families) if (family.series.size === 0) this.families.delete(name);
    if (gone) this.#resources = new Map();
  }

  #addMetric(resource: ResourceCache, metrics: Map<string, MetricCache>): void {
    const reader = this.#reader,
      { record, data, metricKind: kind } = reader,
      { bytes } = reader.space;
    const temporality = data.int(METRIC_DATA.aggregationTemporality),
      isMonotonic = data.bool(METRIC_DATA.isMonotonic);
    if (!isShown(kind, temporality, isMonotonic))
      return this.#refuse(
        `metric "${record.text(METRIC.name)}" has no data that can be shown: deltas must be monotonic`,
        Math.max(1, data.count(METRIC_DATA.dataPoints)),
      );
    const dataEnd = record.contentEnd(kind),
      key = `${isMonotonic ? 'm' : ''}${bytes.latin1Slice(record.start, record.contentStart(kind))}${dataEnd === record.end ? '' : bytes.latin1Slice(dataEnd, record.end)}`;
    let cache = metrics.get(key);
    if (!cache) metrics.set(key, (cache = { points: new Map() }));
    while (reader.nextPoint()) {
      const pointKey = attributeBytes(reader.point, kind);
      let series = cache.points.get(pointKey);
      if (series === undefined || (typeof series !== 'string' && series.held === null)) {
        series = this.#seriesOf();
        cache.points.set(pointKey, series);
      }
      if (typeof series === 'string') this.#refuse(series, 1);
      else this.#addPoint(series, resource.target, temporality);
    }
  }

  #addPoint(series: HeldSeries, target: Target | null, temporality: number): void {
    const reader = this.#reader,
      kind = reader.metricKind;
    if (hasNoRecordedValue(reader.point, kind)) {
      series.held = null;
      return;
    }
    try {
      const point = readHeld(reader),
        next = series.held === null || series.held.value.kind !== point.value.kind ? point : joined(series.held, point, kind, temporality);
      if (next === null) return;
      series.held = next;
      series.seenMs = this.#nowMs;
      series.target = target;
    } catch (error) {
      this.#refuse(errorText(error), 1);
    }
  }

  /** The series of the point, a new one where there is none; a text where it cannot be shown. */
  #seriesOf(): HeldSeries | string {
    const reader = this.#reader,
      { record, metricKind: kind } = reader,
      { rules } = this.#settings;
    const isMonotonic = kind === METRIC.sum && reader.data.bool(METRIC_DATA.isMonotonic),
      nameKind: NameKind = kind === METRIC.gauge ? 'gauge' : isMonotonic ? 'counter' : 'other';
    const type: FamilyType =
      kind === METRIC.gauge || kind === METRIC.sum ? (isMonotonic ? 'counter' : 'gauge') : kind === METRIC.summary ? 'summary' : 'histogram';
    try {
      const name = metricName(record.text(METRIC.name), record.text(METRIC.unit), nameKind, rules),
        labels = this.#labelsOf();
      let family = this.families.get(name);
      if (family === undefined) this.families.set(name, (family = { name, type, help: record.text(METRIC.description), series: new Map(), sorted: null }));
      if (family.type !== type)
        return `instrument type conflict, using existing type definition. instrument: ${name}, existing: ${family.type}, dropped: ${type}`;
      const key = labels.join('\0'),
        known = family.series.get(key);
      if (known !== undefined && known.held !== null) return known;
      const series: HeldSeries = { family, labels, held: null, seenMs: 0, target: null };
      family.series.set(key, series);
      family.sorted = null;
      return series;
    } catch (error) {
      return errorText(error);
    }
  }

  #labelsOf(): string[] {
    const { point, resource, scope, scopeGroup } = this.#reader,
      { rules, scopeInfo, constLabels, resourceLabels } = this.#settings,
      attributes = new Map<string, string>();
    const add = (cursor: Cursor, leaveOut: ReadonlySet<number> | null): void => {
      for (let row = cursor.firstRow(); row >= 0; row = cursor.nextRow(row))
        if (!leaveOut?.has(cursor.keyIdOf(row))) attributes.set(cursor.keyText(row), valueText(cursor.value(row)));
    };
    add(point, null);
    if (resourceLabels !== 'none') add(resource, resourceLabels === 'all' ? null : IDENTIFYING);
    const labels: [string, string][] = [...attributes].map(([key, value]) => [labelName(key, rules, true), value]);
    if (scopeInfo) {
      for (let row = scope.firstRow(); row >= 0; row = scope.nextRow(row)) {
        const key = scope.keyText(row);
        if (key !== 'name' && key !== 'version' && key !== 'schema_url')
          labels.push([labelName(`otel_scope_${key}`, rules, true), valueText(scope.value(row))]);
      }
      labels.push(
        ['otel_scope_name', scope.text(SCOPE.name)],
        ['otel_scope_version', scope.text(SCOPE.version)],
        ['otel_scope_schema_url', scopeGroup.text(SCOPE_GROUP.schemaUrl)],
      );
    }
    const job = jobOf(resource),
      instance = attributeText(resource, SERVICE_INSTANCE_ID);
    if (job !== null) labels.push(['job', job]);
    if (instance !== null) labels.push(['instance', instance]);
    return checkedLabels([...labels, ...constLabels]);
  }

  #targetOf(resource: Cursor): Target | null {
    const job = jobOf(resource),
      instance = attributeText(resource, SERVICE_INSTANCE_ID),
      labels = new Map<string, string>();
    if (!job || !instance) return null;
    try {
      for (let row = resource.firstRow(); row >= 0; row = resource.nextRow(row)) {
        if (IDENTIFYING.has(resource.keyIdOf(row))) continue;
        const name = labelName(resource.keyText(row), this.#settings.rules, true),
          known = labels.get(name),
          value = valueText(resource.value(row));
        labels.set(name, known === undefined ? value : `${known};${value}`);
      }
      labels.set('job', job).set('instance', instance);
      return { id: `${job}\0${instance}`, labels: checkedLabels([...labels]) };
    } catch {
      return null; // A name that nothing is left of: there is no way to show it.
    }
  }

  #refuse(fault: string, points: number): void {
    this.refused += points;
    this.fault ||= fault;
  }
}

/** Sorted; throws an Error where two have one name, or one is reserved: which of them is meant cannot be told. */
function checkedLabels(labels: readonly (readonly [string, string])[]): string[] {
  const sorted = labels.toSorted((a, b) => compareNames(a[0], b[0]));
  for (const [i, [name]] of sorted.entries()) {
    if (name === sorted[i + 1]?.[0]) throw new Error(`duplicate label name "${name}"`);
    if (name.startsWith('__')) throw new Error(`"${name}" is not a valid label name`);
  }
  return sorted.flat() as string[];
}

function attributeText(resource: Cursor, id: number): string | null {
  const row = resource.row(id);
  return row < 0 ? null : valueText(resource.value(row));
}
function jobOf(resource: Cursor): string | null {
  const service = attributeText(resource, SERVICE_NAME),
    namespace = attributeText(resource, SERVICE_NAMESPACE);
  return service === null ? null : namespace === null ? service : `${namespace}/${service}`;
}
