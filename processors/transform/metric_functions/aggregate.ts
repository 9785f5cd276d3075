/** Merges data points that have the same attributes and times, after attributes were taken away or values made the same. */
import { defineEditor, p } from '#ottl/function.ts';
import { fail, floatToInt } from '#ottl/values.ts';
import { TEMPORALITY } from '#src/data/message_types.ts';
import { formatFloat } from '#src/data/value_text.ts';
import {
  type AnyValue,
  type Buckets,
  type Data,
  double,
  type JsonDouble,
  jsonDouble,
  type KeyValue,
  kindOf,
  type Metric,
  type MetricKind,
  type Point,
  pointsOf,
  readMetric,
  writeMetric,
} from './metric_object.ts';

const FUNCTIONS = ['sum', 'mean', 'min', 'max', 'median', 'count'] as const;
type Aggregation = (typeof FUNCTIONS)[number];

function aggregationOf(name: string): Aggregation {
  return (
    FUNCTIONS.find((known) => known === name) ?? fail(`invalid aggregation function: 'unsupported function: '${name}'', valid options: ${FUNCTIONS.join(', ')}`)
  );
}

export const aggregateOnAttributes = defineEditor({
  name: 'aggregate_on_attributes',
  summary: 'Keeps only these attributes of the data points (all where none are given) and merges the points that are then alike.',
  params: { aggregationFunction: p.stringLiteral, attributes: p.optional(p.list(p.stringLiteral)) },
  contexts: ['metric'],
  examples: [],
  create({ aggregationFunction, attributes }) {
    const aggregation = aggregationOf(aggregationFunction);
    const kept = attributes && new Set(attributes);
    return () => {
      const metric = readMetric();
      if (kindOf(metric) === 'summary') fail('aggregate_on_attributes does not support aggregating Summary metrics');
      if (kept) for (const point of pointsOf(metric)) point.attributes = (point.attributes ?? []).filter(({ key }) => kept.has(key));
      writeMetric(merged(metric, aggregation));
    };
  },
});

export const aggregateOnAttributeValue = defineEditor({
  name: 'aggregate_on_attribute_value',
  summary: 'Replaces some values of an attribute by one and merges the data points that are then alike.',
  params: { aggregationFunction: p.stringLiteral, attribute: p.stringLiteral, values: p.list(p.stringLiteral), newValue: p.stringLiteral },
  contexts: ['metric'],
  examples: [],
  create({ aggregationFunction, attribute, values, newValue }) {
    const aggregation = aggregationOf(aggregationFunction);
    const replaced = new Set(values);
    return () => {
      const metric = readMetric();
      for (const point of pointsOf(metric)) {
        const found = point.attributes?.find(({ key }) => key === attribute);
        if (found && replaced.has(found.value?.stringValue ?? '')) found.value = { stringValue: newValue };
      }
      writeMetric(merged(metric, aggregation));
    };
  },
});

function merged(metric: Metric, aggregation: Aggregation): Metric {
  const { name, description, unit } = metric;
  const details: Metric = { name: name ?? '', description: description ?? '', unit: unit ?? '' };
  const kind = kindOf(metric);
  if (kind === undefined) return details;
  const data = metric[kind]!;
  const dataPoints = kind === 'summary' ? [] : group(kind, data).map((points) => mergePoints(kind, points, aggregation));
  return { ...details, [kind]: { ...data, dataPoints } };
}

const numberKey = (value: JsonDouble): unknown => ({ number: formatFloat(double(value)) });
/** The Collector writes a point's key as JSON, which knows no NaN and no infinity: all points with such values have the same, empty key. */
const NOT_JSON = /\{"number":"(?:NaN|[+-]Inf)"\}/;

function group(kind: MetricKind, data: Data): Point[][] {
  const groups = new Map<string, Point[]>();
  for (const point of data.dataPoints ?? []) {
    const { min, max, flags = 0, explicitBounds = [], scale = 0 } = point;
    const parts: unknown[] = [keyOf(point.attributes ?? []), point.timeUnixNano];
    if (data.aggregationTemporality === TEMPORALITY.delta) parts.push(point.startTimeUnixNano);
    if (kind === 'histogram') parts.push(explicitBounds.map(numberKey), min !== undefined, max !== undefined, flags);
    if (kind === 'exponentialHistogram') parts.push(scale, min !== undefined, max !== undefined, flags);
    const text = JSON.stringify(parts);
    const key = NOT_JSON.test(text) ? '' : text;
    const there = groups.get(key);
    if (there) there.push(point);
    else groups.set(key, [point]);
  }
  return [...groups.values()];
}

/**
 * Attributes in the order of their keys, values as plain JSON: 1 and 1.0 are one value, and bytes are their text in base64. Of keys that come twice the
 * last counts.
 */
function keyOf(attributes: readonly KeyValue[]): unknown {
  return [...new Map(attributes.map(({ key, value }) => [key, plain(value)]))].sort(([a], [b]) => (a < b ? -1 : 1));
}
function plain(value: AnyValue | undefined): unknown {
  if (value?.intValue !== undefined) return { number: value.intValue };
  if (value?.doubleValue !== undefined) return numberKey(value.doubleValue);
  if (value?.arrayValue) return { list: (value.arrayValue.values ?? []).map(plain) };
  if (value?.kvlistValue) return { map: keyOf(value.kvlistValue.values ?? []) };
  return value?.stringValue ?? value?.bytesValue ?? value?.boolValue ?? null;
}
function mergePoints(kind: MetricKind, points: Point[], aggregation: Aggregation): Point {
  const [first, ...others] = points as [Point, ...Point[]];
  if (kind === 'histogram' || kind === 'exponentialHistogram') {
    for (const other of others) if ((other.count ?? '0') !== '0') mergeDistribution(kind, first, other);
    return first;
  }
  if (first.asInt !== undefined || first.asDouble !== undefined) for (const other of others) noteStart(first, other);
  if (first.asInt !== undefined) first.asInt = String(BigInt.asIntN(64, aggregateInts(points, aggregation)));
  else if (first.asDouble !== undefined) first.asDouble = jsonDouble(aggregateDoubles(points.map(numberOf), aggregation));
  return first;
}
const numberOf = (point: Point): number => (point.asInt === undefined ? double(point.asDouble) : Number(point.asInt));
const intOf = (point: Point): bigint => (point.asInt === undefined ? floatToInt(double(point.asDouble)) : BigInt(point.asInt));

function aggregateDoubles(values: readonly number[], aggregation: Aggregation): number {
  const sum = values.reduce((total, value) => total + value);
  switch (aggregation) {
    case 'sum':
      return sum;
    case 'mean':
      return sum / values.length;
    case 'min':
      return Math.min(...values);
    case 'max':
      return Math.max(...values);
    case 'count':
      return values.length > 1 ? values.length : values[0]!; // A point that is alone keeps its value, as in the Collector.
    case 'median': {
      const sorted = [...values].sort((a, b) => (Number.isNaN(a) ? -1 : Number.isNaN(b) ? 1 : a - b)); // NaN first, as Go sorts.
      const middle = sorted.length >> 1;
      return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
    }
  }
}
function aggregateInts(points: readonly Point[], aggregation: Aggregation): bigint {
  const values = points.map(intOf);
  // In a sum of ints, doubles count nothing; as in the Collector.
  const sum = points.reduce((total, point) => total + BigInt(point.asInt ?? 0), 0n);
  switch (aggregation) {
    case 'sum':
      return sum;
    case 'mean':
      return BigInt.asIntN(64, sum) / BigInt(points.length);
    case 'min':
      return sortedInts(values)[0]!;
    case 'max':
      return sortedInts(values).at(-1)!;
    case 'count':
      return points.length > 1 ? BigInt(points.length) : values[0]!;
    case 'median': {
      const sorted = sortedInts(values);
      const middle = sorted.length >> 1;
      return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2n;
    }
  }
}

const sortedInts = (values: readonly bigint[]): bigint[] => [...values].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));

function noteStart(into: Point, from: Point): void {
  if (BigInt(from.startTimeUnixNano ?? 0) < BigInt(into.startTimeUnixNano ?? 0)) into.startTimeUnixNano = from.startTimeUnixNano ?? '0';
}
const plus = (a: string | undefined, b: string | undefined): string => String(BigInt.asUintN(64, BigInt(a ?? 0) + BigInt(b ?? 0)));

function mergeDistribution(kind: MetricKind, into: Point, from: Point): void {
  into.count = plus(into.count, from.count);
  into.sum = jsonDouble(double(into.sum) + double(from.sum));
  if (into.min !== undefined && double(into.min) > double(from.min)) into.min = from.min ?? 0;
  if (into.max !== undefined && double(into.max) < double(from.max)) into.max = from.max ?? 0;
  if (kind === 'histogram') {
    const counts = into.bucketCounts ?? [];
    (from.bucketCounts ?? []).forEach((count, i) => {
      if (i < counts.length) counts[i] = plus(counts[i], count);
    });
  } else {
    into.zeroCount = plus(into.zeroCount, from.zeroCount);
    into.positive = mergeBuckets(into.positive ?? {}, from.positive ?? {});
    into.negative = mergeBuckets(into.negative ?? {}, from.negative ?? {});
  }
  into.exemplars = [...(into.exemplars ?? []), ...(from.exemplars ?? [])];
  noteStart(into, from);
}

/**
 * As the Collector does it, which is not by index where the offsets differ: counts from below, but zeros, are put before ours; after either kind of
 * merge the zeros at the front go, and the offset stays the lesser of the two.
 */
function mergeBuckets(into: Buckets, from: Buckets): Buckets {
  const ours = into.bucketCounts ?? [];
  const theirs = from.bucketCounts ?? [];
  if (theirs.length === 0) return into;
  const offset = into.offset ?? 0;
  const shift = (from.offset ?? 0) - offset;
  if (shift < 0) return { offset: offset + shift, bucketCounts: withoutLeadingZeros([...theirs.filter((count) => count !== '0'), ...ours]) };
  if (shift > MAX_BUCKETS) fail(`exponential histograms ${shift} buckets apart cannot be merged`);
  const counts = [...ours];
  theirs.forEach((count, i) => {
    if (shift > 0 && count === '0') return;
    while (counts.length <= i + shift) counts.push('0');
    counts[i + shift] = plus(counts[i + shift], count);
  });
  return { offset, bucketCounts: shift === 0 ? counts : withoutLeadingZeros(counts) };
}
/** The gap between two offsets is filled with zeros: it must not be what a sender likes. */
const MAX_BUCKETS = 100_000;
function withoutLeadingZeros(counts: readonly string[]): string[] {
  const first = counts.findIndex((count) => count !== '0');
  return first < 0 ? [] : counts.slice(first);
}
