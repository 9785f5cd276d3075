/**
 * The last value of a series, read from its data point, and how a delta joins what is there. Counts are numbers: exact up to 2^53. Times are
 * nanoseconds.
 */
import { Cursor } from '#src/data/cursor.ts';
import {
  BUCKETS,
  BUCKETS_TYPE,
  EXPONENTIAL_POINT,
  HISTOGRAM_POINT,
  METRIC,
  NUMBER_POINT,
  QUANTILE,
  QUANTILE_TYPE,
  SUMMARY_POINT,
  TEMPORALITY,
} from '#src/data/message_types.ts';
import type { BatchReader } from '#src/data/read.ts';
import { pointExemplars, type PromExemplar } from '#src/helper/prometheus/translate.ts';

const buckets = new Cursor(BUCKETS_TYPE);
const quantile = new Cursor(QUANTILE_TYPE);

export interface HeldNumber {
  readonly kind: 'number';
  value: number;
}
export interface HeldHistogram {
  readonly kind: 'histogram';
  readonly count: number;
  readonly sum: number;
  /** As in OTLP: bounds ascending, one count for each and one more. */
  readonly bounds: readonly number[];
  readonly counts: readonly number[];
}
export interface HeldSummary {
  readonly kind: 'summary';
  readonly count: number;
  readonly sum: number;
  readonly quantiles: readonly (readonly [quantile: number, value: number])[];
}
/** What the text formats show of an exponential histogram; its buckets they cannot show. */
export interface HeldNative {
  readonly kind: 'native';
  readonly count: number;
  readonly sum: number;
}
export type HeldValue = HeldNumber | HeldHistogram | HeldSummary | HeldNative;

export interface Held {
  value: HeldValue;
  startNano: bigint;
  timeNano: bigint;
  exemplars: readonly PromExemplar[];
}

/** Whether points of such a sum or histogram can be shown at all. */
export function isShown(kind: number, temporality: number, isMonotonic: boolean): boolean {
  if (kind === METRIC.gauge || kind === METRIC.summary) return true;
  if (kind === METRIC.sum) return temporality !== 0 && (temporality !== TEMPORALITY.delta || isMonotonic);
  return kind !== 0;
}

/** The point that the reader stands on. */
export function readHeld(reader: BatchReader): Held {
  const { point, metricKind: kind } = reader;
  // The times have the same numbers in all kinds of points, and so have the flags but for histograms.
  const held: Held = {
    value: readValue(point, kind),
    startNano: point.fixed64(NUMBER_POINT.startTimeUnixNano),
    timeNano: point.fixed64(NUMBER_POINT.timeUnixNano),
    exemplars: [],
  };
  const field = kind === METRIC.histogram ? HISTOGRAM_POINT.exemplars : NUMBER_POINT.exemplars;
  if (kind !== METRIC.summary && kind !== METRIC.gauge && kind !== METRIC.exponentialHistogram && point.has(field))
    held.exemplars = pointExemplars(reader, kind);
  return held;
}

function readValue(point: Cursor, kind: number): HeldValue {
  switch (kind) {
    case METRIC.histogram:
      return {
        kind: 'histogram',
        count: Number(point.fixed64(HISTOGRAM_POINT.count)),
        sum: point.double(HISTOGRAM_POINT.sum),
        bounds: point.doubles(HISTOGRAM_POINT.explicitBounds),
        counts: point.fixed64Offsets(HISTOGRAM_POINT.bucketCounts).map((at) => Number(point.space.view.getBigUint64(at, true))),
      };
    case METRIC.exponentialHistogram: {
      const scale = point.sint32(EXPONENTIAL_POINT.scale);
      if (scale < -4) throw new Error(`cannot convert exponential to native histogram: scale must be >= -4, was ${scale}`);
      let total = Number(point.fixed64(EXPONENTIAL_POINT.zeroCount));
      buckets.space = point.space;
      for (const side of [EXPONENTIAL_POINT.positive, EXPONENTIAL_POINT.negative])
        if (point.child(side, buckets)) for (const count of buckets.varints(BUCKETS.bucketCounts)) total += Number(count);
      const count = Number(point.fixed64(EXPONENTIAL_POINT.count)),
        sum = point.double(EXPONENTIAL_POINT.sum);
      if (Number.isNaN(sum) ? total > count : total !== count)
        throw new Error(`the buckets of an exponential histogram hold ${total} values, but its count is ${count}`);
      return { kind: 'native', count, sum };
    }
    case METRIC.summary: {
      const quantiles = new Map<number, number>();
      quantile.space = point.space;
      for (let more = point.firstChild(SUMMARY_POINT.quantileValues, quantile); more; more = point.nextChild(SUMMARY_POINT.quantileValues, quantile))
        quantiles.set(quantile.double(QUANTILE.quantile), quantile.double(QUANTILE.value));
      return {
        kind: 'summary',
        count: Number(point.fixed64(SUMMARY_POINT.count)),
        sum: point.double(SUMMARY_POINT.sum),
        quantiles: [...quantiles].sort((a, b) => a[0] - b[0]),
      };
    }
    default: {
      const double = point.has(NUMBER_POINT.asDouble),
        int = point.has(NUMBER_POINT.asInt);
      const isInt = int && (!double || point.contentStart(NUMBER_POINT.asInt) > point.contentStart(NUMBER_POINT.asDouble));
      return { kind: 'number', value: isInt ? Number(point.sfixed64(NUMBER_POINT.asInt)) : point.double(NUMBER_POINT.asDouble) };
    }
  }
}

/** What is held after the point came: the newer one, for deltas that follow each other their sum. Null: the point is older and is not taken. */
export function joined(before: Held, point: Held, kind: number, temporality: number): Held | null {
  if (temporality !== TEMPORALITY.delta || kind === METRIC.gauge || kind === METRIC.summary) return point.timeNano < before.timeNano ? null : point;
  const follows = point.startNano === before.timeNano;
  if (kind === METRIC.sum) {
    if (point.timeNano < before.timeNano) return null;
    if (!follows || point.value.kind !== 'number' || before.value.kind !== 'number') return point;
    return { ...point, startNano: before.startNano, value: { kind: 'number', value: before.value.value + point.value.value } };
  }
  // A gap is a restart; a point that overlaps what was counted is dropped.
  if (!follows) return point.startNano > before.timeNano ? point : null;
  const newer = point.timeNano < before.timeNano ? before : point;
  return { ...point, startNano: before.startNano, timeNano: newer.timeNano, value: sumOf(before.value, point.value) };
}

function sumOf(before: HeldValue, point: HeldValue): HeldValue {
  if (before.kind === 'native' && point.kind === 'native') return { kind: 'native', count: before.count + point.count, sum: before.sum + point.sum };
  if (before.kind !== 'histogram' || point.kind !== 'histogram') return point;
  const same =
    before.bounds.length === point.bounds.length &&
    before.counts.length === point.counts.length &&
    point.bounds.every((bound, i) => bound === before.bounds[i]);
  if (!same) return point;
  return {
    kind: 'histogram',
    count: before.count + point.count,
    sum: before.sum + point.sum,
    bounds: point.bounds,
    counts: point.counts.map((count, i) => count + before.counts[i]!),
  };
}
