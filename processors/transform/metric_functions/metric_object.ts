/**
 * A metric as an object, for the functions that turn one metric into another: the OTLP JSON form, read from the record and written back whole.
 * Fields that OTLP does not know are lost on the way. 64-bit integers are strings.
 */
import { parseJsonMessage } from '#src/data/json_read.ts';
import { type JsonMessage, REQUESTS } from '#src/data/json_schema.ts';
import { formatJsonMessage } from '#src/data/json_write.ts';
import { appendRecord, currentRecord, replaceRecord } from '#src/data/rewrite.ts';

export interface AnyValue {
  stringValue?: string;
  boolValue?: boolean;
  intValue?: string;
  doubleValue?: JsonDouble;
  bytesValue?: string;
  arrayValue?: { values?: AnyValue[] };
  kvlistValue?: { values?: KeyValue[] };
}
export interface KeyValue {
  key: string;
  value?: AnyValue;
}
/** "NaN" and "Infinity" are strings in JSON. */
export type JsonDouble = number | string;
export interface Buckets {
  offset?: number;
  bucketCounts?: string[];
}
export interface Exemplar {
  asInt?: string;
  asDouble?: JsonDouble;
}
/** A data point of any kind. */
export interface Point {
  attributes?: KeyValue[];
  startTimeUnixNano?: string;
  timeUnixNano?: string;
  flags?: number;
  asInt?: string;
  asDouble?: JsonDouble;
  count?: string;
  sum?: JsonDouble;
  min?: JsonDouble;
  max?: JsonDouble;
  bucketCounts?: string[];
  explicitBounds?: JsonDouble[];
  scale?: number;
  zeroCount?: string;
  zeroThreshold?: JsonDouble;
  positive?: Buckets;
  negative?: Buckets;
  quantileValues?: { quantile?: JsonDouble; value?: JsonDouble }[];
  exemplars?: Exemplar[];
}
export interface Data {
  dataPoints?: Point[];
  aggregationTemporality?: number;
  isMonotonic?: boolean;
}
export interface Metric {
  name?: string;
  description?: string;
  unit?: string;
  gauge?: Data;
  sum?: Data;
  histogram?: Data;
  exponentialHistogram?: Data;
  summary?: Data;
  metadata?: KeyValue[];
}
export type MetricKind = 'gauge' | 'sum' | 'histogram' | 'exponentialHistogram' | 'summary';
const KINDS: readonly MetricKind[] = ['gauge', 'sum', 'histogram', 'exponentialHistogram', 'summary'];
const GO_NAMES: Readonly<Record<MetricKind, string>> = {
  gauge: 'Gauge',
  sum: 'Sum',
  histogram: 'Histogram',
  exponentialHistogram: 'ExponentialHistogram',
  summary: 'Summary',
};

const below = (type: JsonMessage, name: string): JsonMessage => type.byName.get(name)!.message();
const METRIC_JSON = below(below(below(REQUESTS.metrics, 'resourceMetrics'), 'scopeMetrics'), 'metrics');

/** The metric that is visited, or that of the data point that is, with all that statements did to it. */
export function readMetric(): Metric {
  return JSON.parse(formatJsonMessage(METRIC_JSON, currentRecord())) as Metric;
}
export function writeMetric(changed: Metric): void {
  replaceRecord(parseJsonMessage(METRIC_JSON, JSON.stringify(changed)));
}
/** Puts a metric behind the last one of the scope. */
export function addMetric(added: Metric): void {
  appendRecord(parseJsonMessage(METRIC_JSON, JSON.stringify(added)));
}

export function kindOf(of: Metric): MetricKind | undefined {
  return KINDS.find((kind) => of[kind] !== undefined);
}
export function typeText(of: Metric): string {
  const kind = kindOf(of);
  return kind === undefined ? 'Empty' : GO_NAMES[kind];
}
export function pointsOf(of: Metric): Point[] {
  const kind = kindOf(of);
  return kind === undefined ? [] : (of[kind]!.dataPoints ?? []);
}
export const double = (value: JsonDouble | undefined): number => Number(value ?? 0);
export const jsonDouble = (value: number): JsonDouble => (Number.isFinite(value) ? value : String(value));
/** A new number point with the attributes and times of another point. */
export function pointLike(source: Point, value: { asInt: string } | { asDouble: JsonDouble }): Point {
  const { attributes, startTimeUnixNano, timeUnixNano } = source;
  return JSON.parse(JSON.stringify({ attributes, startTimeUnixNano, timeUnixNano, ...value })) as Point;
}
