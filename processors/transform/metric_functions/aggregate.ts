/** Merges data points that have the same attributes and times, after attributes were taken away or values made the same. */
import { defineEditor, p } from '#ottl/function.ts';
import { fail, floatToInt } from '#ottl/values.ts';
import {
  type Buckets,
  type Data,
  double,
  jsonDouble,
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
const DELTA = 1;

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

function group(kind: MetricKind, data: Data): Point[][] {
  const groups = new Map<string, Point[]>();
  for (const point of data.dataPoints ?? []) {
    const { min, max, flags = 0, explicitBounds = [], scale = 0 } = point;
    const attributes = (point.attributes ?? []).map((entry) => JSON.stringify([entry.key, entry.value])).sort();
    const parts: unknown[] = [attributes, point.timeUnixNano];
    if (data.aggregationTemporality === DELTA) parts.push(point.startTimeUnixNano);
    if (kind === 'histogram') parts.push(explicitBounds, min !== undefined, max !== undefined, flags);
    if (kind === 'exponentialHistogram') parts.push(scale, min !== undefined, max !== undefined, flags);
    const key = JSON.stringify(parts);
    const there = groups.get(key);
    if (there) there.push(point);
    else groups.set(key, [point]);
  }
  return [...groups.values()];
}

function mergePoints(kind: MetricKind, points: Point[], aggregation: Aggregation): Point {
  const [first, ...others] = points as [Point, ...Point[]];
  if (kind === 'histogram' || kind === 'exponentialHistogram') {
    for (const other of others) if ((other.count ?? '0') !== '0') mergeDistribution(kind, first, other);
    return first;
  }
  for (const other of others) noteStart(first, other);
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
      const sorted = [...values].sort((a, b) => a - b);
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

/** Buckets by their index; leading zeros go where the offsets differ. */
function mergeBuckets(into: Buckets, from: Buckets): Buckets {
  const ours = into.bucketCounts ?? [];
  const theirs = from.bucketCounts ?? [];
  if (theirs.length === 0) return into;
  const start = into.offset ?? 0;
  const otherStart = from.offset ?? 0;
  const offset = Math.min(start, otherStart);
  const counts: string[] = [];
  const add = (list: readonly string[], shift: number): void =>
    list.forEach((count, i) => {
      while (counts.length <= i + shift) counts.push('0');
      counts[i + shift] = plus(counts[i + shift], count);
    });
  add(ours, ours.length === 0 ? 0 : start - offset);
  add(theirs, otherStart - offset);
  return { offset, bucketCounts: counts };
}
