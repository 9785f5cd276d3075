/**
 * OTLP data points as Prometheus series: which series a point becomes, with which labels, and where in the point's bytes each value is. Values are
 * not read here: the store's exporter keeps labels and places for the next time, remote write reads them at once.
 *
 * What came through our own Prometheus receiver (metric metadata prometheus.type) keeps the names it was scraped with.
 */
import { plainFloat } from '#src/core/go_float.ts';
import type { BatchReader } from '#src/data/read.ts';
import { Cursor } from '#src/data/cursor.ts';
import { hasNoRecordedValue } from '#src/data/data_point.ts';
import { keyId } from '#src/data/keys.ts';
import {
  BUCKETS,
  BUCKETS_TYPE,
  EXEMPLAR,
  EXEMPLAR_TYPE,
  EXPONENTIAL_POINT,
  HISTOGRAM_POINT,
  METRIC,
  METRIC_DATA,
  NUMBER_POINT,
  QUANTILE,
  QUANTILE_TYPE,
  SCOPE,
  SUMMARY_POINT,
  TEMPORALITY,
} from '#src/data/message_types.ts';
import { STRING } from '#src/data/value.ts';
import { valueText } from '#src/data/value_text.ts';
import type { ProtoWriter } from '#src/wire/proto_writer.ts';
import { addIdentity, addPointAttributes, addScope, type Labels, type ResourceLabels, sortedLabels } from './labels.ts';
import { metricName, type NameKind, type NameRules, unitName } from './names.ts';

/** How the value at an offset is read. */
export const DOUBLE = 0;
/** int64. */
export const INT = 1;
/** fixed64, unsigned. */
export const COUNT = 2;
/** fixed64 that begins a running sum, and one that is added to it: the sum so far is the value. */
export const FIRST_BUCKET = 3;
export const BUCKET = 4;
/** No bytes: zero, and the staleness marker. */
export const ZERO = 5;
export const STALE = 6;
export type Source = 0 | 1 | 2 | 3 | 4 | 5 | 6;
export const STALE_LOW = 2;
export const STALE_HIGH = 0x7ff00000;

const PROMETHEUS_TYPE = keyId('prometheus.type');
export const RECEIVER_SCOPE = 'github.com/open-telemetry/opentelemetry-collector-contrib/receiver/prometheusreceiver';

export interface TranslationSettings {
  readonly rules: NameRules;
  /** Labels otel_scope_name, otel_scope_version and those of the scope's attributes. */
  readonly scopeInfo: boolean;
  /** Added where the series has no such label. */
  readonly externalLabels: readonly (readonly [name: string, value: string])[];
  /** Metrics that were scraped keep their names, and get no labels of the receiver's own scope. */
  readonly keepScraped: boolean;
  /** Absent: none. */
  readonly resourceLabels?: ResourceLabels;
}
export type FamilyType = 'unknown' | 'counter' | 'gauge' | 'histogram' | 'summary' | 'info' | 'stateset';

/** A metric, as far as its points do not matter. */
export interface Family {
  readonly name: string;
  readonly type: FamilyType;
  readonly help: string;
  readonly unit: string;
  /** METRIC.gauge and so on. */
  readonly kind: number;
  readonly scopeInfo: boolean;
}

/** Takes the series of one point. `labels`: [name, value, ...] sorted; `offset`: of the value in the reader's space, -1 for ZERO and STALE. */
export type TakeSeries = (labels: string[], source: Source, offset: number) => void;

/** The family of the metric that the reader stands on. Throws an Error where it cannot be translated: delta temporality, no name left, no data. */
export function familyOf(reader: BatchReader, settings: TranslationSettings): Family {
  const { record, metricKind: kind } = reader,
    original = record.text(METRIC.name);
  if (kind === 0) throw new Error(`metric "${original}" has no data of a known type`);
  if (kind !== METRIC.gauge && kind !== METRIC.summary && reader.data.int(METRIC_DATA.aggregationTemporality) !== TEMPORALITY.cumulative)
    throw new Error(`invalid temporality and type combination for metric "${original}"; convert it with the deltatocumulative processor`);
  return describedFamily(reader, settings);
}

/** The same for metadata, which there is of every metric that has a name. */
export function describedFamily(reader: BatchReader, settings: TranslationSettings): Family {
  const { record, metricKind: kind } = reader,
    { rules } = settings,
    original = record.text(METRIC.name),
    unit = record.text(METRIC.unit);
  const scrapedAs = record.readAttribute(PROMETHEUS_TYPE) === STRING ? record.valueText() : null,
    keep = scrapedAs !== null && settings.keepScraped;
  const monotonic = kind === METRIC.sum && reader.data.bool(METRIC_DATA.isMonotonic),
    nameKind: NameKind = kind === METRIC.gauge ? 'gauge' : monotonic ? 'counter' : 'other';
  return {
    name: keep ? original : metricName(original, unit, nameKind, rules),
    type: typeOf(kind, monotonic, scrapedAs),
    help: record.text(METRIC.description),
    unit: keep ? unit : unitName(unit, rules),
    kind,
    scopeInfo: settings.scopeInfo && !(keep && reader.scope.text(SCOPE.name) === RECEIVER_SCOPE),
  };
}

function typeOf(kind: number, monotonic: boolean, scrapedAs: string | null): FamilyType {
  switch (kind) {
    case 0:
      return 'unknown';
    case METRIC.gauge:
      return scrapedAs === 'unknown' ? 'unknown' : 'gauge';
    case METRIC.sum:
      return monotonic ? 'counter' : scrapedAs === 'info' || scrapedAs === 'stateset' ? scrapedAs : 'gauge';
    case METRIC.summary:
      return 'summary';
    default:
      return 'histogram';
  }
}

/** Labels of the point that the reader stands on, without a name. */
export function pointLabels(reader: BatchReader, family: Family, settings: TranslationSettings): Labels {
  const labels: Labels = new Map();
  addPointAttributes(labels, reader.point, reader.resource, settings.resourceLabels ?? 'none', settings.rules);
  addIdentity(labels, reader.resource);
  for (const [name, value] of settings.externalLabels) if (!labels.has(name)) labels.set(name, value);
  if (family.scopeInfo) addScope(labels, reader.scope, settings.rules);
  return labels;
}

/** The series of the point that the reader stands on; none for an exponential histogram, which is one native histogram sample. */
export function pointSeries(reader: BatchReader, family: Family, settings: TranslationSettings, take: TakeSeries): void {
  const labels = pointLabels(reader, family, settings),
    { point } = reader;
  const series = (suffix: string, extra: readonly [string, string] | null, source: Source, offset: number): void => {
    const own = new Map(labels);
    if (extra !== null) own.set(extra[0], extra[1]);
    own.set('__name__', family.name + suffix);
    take(sortedLabels(own), source, offset);
  };
  switch (family.kind) {
    case METRIC.gauge:
    case METRIC.sum: {
      const stale = hasNoRecordedValue(point, METRIC.sum),
        double = point.has(NUMBER_POINT.asDouble),
        int = point.has(NUMBER_POINT.asInt);
      const field =
        double && !(int && point.contentStart(NUMBER_POINT.asInt) > point.contentStart(NUMBER_POINT.asDouble)) ? NUMBER_POINT.asDouble : NUMBER_POINT.asInt;
      series(
        '',
        null,
        stale ? STALE : !double && !int ? ZERO : field === NUMBER_POINT.asDouble ? DOUBLE : INT,
        stale || (!double && !int) ? -1 : point.contentStart(field),
      );
      break;
    }
    case METRIC.histogram:
      histogramSeries(point, series);
      break;
    case METRIC.summary:
      summarySeries(point, series);
      break;
  }
}
type Series = (suffix: string, extra: readonly [string, string] | null, source: Source, offset: number) => void;

const scalar = (point: Cursor, field: number, source: Source, stale: boolean): readonly [Source, number] =>
  stale ? [STALE, -1] : point.has(field) ? [source, point.contentStart(field)] : [ZERO, -1];

function histogramSeries(point: Cursor, series: Series): void {
  const stale = hasNoRecordedValue(point, METRIC.histogram);
  if (point.has(HISTOGRAM_POINT.sum)) series('_sum', null, ...scalar(point, HISTOGRAM_POINT.sum, DOUBLE, stale));
  series('_count', null, ...scalar(point, HISTOGRAM_POINT.count, COUNT, stale));
  const bounds = point.doubles(HISTOGRAM_POINT.explicitBounds),
    counts = point.fixed64Offsets(HISTOGRAM_POINT.bucketCounts);
  for (let i = 0; i < bounds.length && i < counts.length; i++)
    series('_bucket', ['le', plainFloat(bounds[i]!)], stale ? STALE : i === 0 ? FIRST_BUCKET : BUCKET, stale ? -1 : counts[i]!);
  series('_bucket', ['le', '+Inf'], ...scalar(point, HISTOGRAM_POINT.count, COUNT, stale));
}

const quantile = new Cursor(QUANTILE_TYPE);
function summarySeries(point: Cursor, series: Series): void {
  const stale = hasNoRecordedValue(point, METRIC.summary);
  series('_sum', null, ...scalar(point, SUMMARY_POINT.sum, DOUBLE, stale));
  series('_count', null, ...scalar(point, SUMMARY_POINT.count, COUNT, stale));
  quantile.space = point.space;
  for (let more = point.firstChild(SUMMARY_POINT.quantileValues, quantile); more; more = point.nextChild(SUMMARY_POINT.quantileValues, quantile))
    series('', ['quantile', plainFloat(quantile.double(QUANTILE.quantile))], ...scalar(quantile, QUANTILE.value, DOUBLE, stale));
}

/** The time of the reader's point in ms. */
export const pointTimeMs = (reader: BatchReader): number => reader.point.timeMs(NUMBER_POINT.timeUnixNano); // The same field in all kinds of points.

export interface PromExemplar {
  /** [name, value, ...] in the order of remote write. */
  readonly labels: readonly string[];
  readonly timeMs: number;
  readonly value: number;
}
/** OpenMetrics: labels and values of an exemplar together have at most so many characters. */
const MAX_EXEMPLAR_RUNES = 128;
const exemplar = new Cursor(EXEMPLAR_TYPE);

/** The exemplars of the point; none for summaries. Attributes that make one too long are left out. */
export function pointExemplars(reader: BatchReader, kind: number): PromExemplar[] {
  const field =
      kind === METRIC.histogram ? HISTOGRAM_POINT.exemplars : kind === METRIC.exponentialHistogram ? EXPONENTIAL_POINT.exemplars : NUMBER_POINT.exemplars,
    found: PromExemplar[] = [];
  if (kind === METRIC.summary) return found;
  exemplar.space = reader.space;
  for (let more = reader.point.firstChild(field, exemplar); more; more = reader.point.nextChild(field, exemplar)) {
    const labels: string[] = [],
      attributes: string[] = [];
    for (const [name, id] of [
      ['trace_id', EXEMPLAR.traceId],
      ['span_id', EXEMPLAR.spanId],
    ] as const) {
      const bytes = exemplar.bytes(id);
      if (bytes.some((byte) => byte !== 0)) labels.push(name, bytes.toString('hex'));
    }
    for (let row = exemplar.firstRow(); row >= 0; row = exemplar.nextRow(row)) attributes.push(exemplar.keyText(row), valueText(exemplar.value(row)));
    const runes = [...labels, ...attributes].reduce((sum, text) => sum + [...text].length, 0);
    found.push({
      labels: runes <= MAX_EXEMPLAR_RUNES ? [...labels, ...attributes] : labels,
      timeMs: exemplar.timeMs(EXEMPLAR.timeUnixNano),
      value: exemplar.has(EXEMPLAR.asInt) ? Number(exemplar.sfixed64(EXEMPLAR.asInt)) : exemplar.double(EXEMPLAR.asDouble),
    });
  }
  return found;
}

/** Zero threshold of a native histogram whose OTLP form names none. */
const DEFAULT_ZERO_THRESHOLD = 1e-128;
const MOST_PRECISE_SCALE = 8;
const buckets = new Cursor(BUCKETS_TYPE);

/** Writes the exponential histogram under the reader as remote write's Histogram message. Throws an Error for a scale below -4. */
export function writeNativeHistogram(writer: ProtoWriter, reader: BatchReader): void {
  const { point } = reader,
    scale = point.sint32(EXPONENTIAL_POINT.scale),
    stale = hasNoRecordedValue(point, METRIC.exponentialHistogram);
  if (scale < -4) throw new Error(`cannot convert exponential to native histogram: scale must be >= -4, was ${scale}`);
  if (stale) {
    writer.tag(1, 0);
    writer.varint64((BigInt(STALE_HIGH) << 32n) | BigInt(STALE_LOW));
    writer.fixed64(3, STALE_LOW, STALE_HIGH);
  } else {
    writer.tag(1, 0);
    writer.varint64(point.fixed64(EXPONENTIAL_POINT.count));
    const sum = point.double(EXPONENTIAL_POINT.sum);
    if (sum !== 0) writer.double(3, sum);
  }
  if (scale !== 0) writer.sint32(4, Math.min(scale, MOST_PRECISE_SCALE));
  writer.double(5, point.double(EXPONENTIAL_POINT.zeroThreshold) || DEFAULT_ZERO_THRESHOLD);
  writer.tag(6, 0);
  writer.varint64(point.fixed64(EXPONENTIAL_POINT.zeroCount));
  const scaleDown = Math.max(0, scale - MOST_PRECISE_SCALE);
  writeBuckets(writer, point, EXPONENTIAL_POINT.negative, 8, 9, scaleDown);
  writeBuckets(writer, point, EXPONENTIAL_POINT.positive, 11, 12, scaleDown);
  writer.int(15, pointTimeMs(reader));
}

function writeBuckets(writer: ProtoWriter, point: Cursor, field: number, spanField: number, deltaField: number, scaleDown: number): void {
  buckets.space = point.space;
  if (!point.child(field, buckets)) return;
  const { spans, deltas } = bucketLayout(buckets.sint32(BUCKETS.offset), buckets.varints(BUCKETS.bucketCounts), scaleDown);
  for (const span of spans) {
    const mark = writer.open(spanField);
    if (span.offset !== 0) writer.sint32(1, span.offset);
    if (span.length !== 0) writer.int(2, span.length);
    writer.close(mark);
  }
  if (deltas.length === 0) return;
  const mark = writer.open(deltaField);
  for (const delta of deltas) writer.varint64(BigInt.asUintN(64, (delta << 1n) ^ (delta >> 63n)));
  writer.close(mark);
}

/** Dense OTLP buckets as spans and deltas; 2^scaleDown buckets become one. A gap of up to two empty buckets is cheaper filled than spanned. */
export function bucketLayout(offset: number, counts: readonly bigint[], scaleDown: number): { spans: { offset: number; length: number }[]; deltas: bigint[] } {
  const spans: { offset: number; length: number }[] = [],
    deltas: bigint[] = [];
  if (counts.length === 0) return { spans, deltas };
  let previous = 0n;
  const push = (count: bigint): void => {
    spans.at(-1)!.length++;
    deltas.push(count - previous);
    previous = count;
  };
  const skip = (gap: number): void => {
    if (gap > 2) spans.push({ offset: gap, length: 0 });
    else for (let i = 0; i < gap; i++) push(0n);
  };
  const indexOf = (i: number): number => ((i + offset) >> scaleDown) + 1; // Native buckets are counted by their upper bound.
  let index = indexOf(0),
    count = 0n;
  spans.push({ offset: index, length: 0 });
  for (let i = 0; i < counts.length; i++) {
    const next = indexOf(i);
    if (next === index) count += counts[i]!;
    else if (count === 0n)
      count = counts[i]!; // Nothing to write yet: the gap is taken from where the last bucket was.
    else {
      skip(next - index - 1);
      push(count);
      count = counts[i]!;
      index = next;
    }
  }
  skip(indexOf(counts.length - 1) - index);
  push(count);
  return { spans, deltas };
}
