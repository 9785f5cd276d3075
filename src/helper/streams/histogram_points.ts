/** Histograms under the data point cursor as values to calculate with, and back. Counts are exact, and wrap at 2^64 as Go's do. */
import { dataPoint } from '#src/data/contexts.ts';
import { Cursor } from '#src/data/cursor.ts';
import { BUCKETS, BUCKETS_TYPE, EXPONENTIAL_POINT, HISTOGRAM_POINT } from '#src/data/message_types.ts';
import { ProtoWriter } from '#src/wire/proto_writer.ts';

const writer = new ProtoWriter(2048);

export interface ExplicitHistogram {
  count: bigint;
  /** Undefined where the point has none, as for the next two. */
  sum: number | undefined;
  min: number | undefined;
  max: number | undefined;
  bounds: number[];
  counts: bigint[];
}

export function readHistogram(): ExplicitHistogram {
  return {
    count: dataPoint.fixed64(HISTOGRAM_POINT.count),
    sum: readDouble(HISTOGRAM_POINT.sum),
    min: readDouble(HISTOGRAM_POINT.min),
    max: readDouble(HISTOGRAM_POINT.max),
    bounds: dataPoint.doubles(HISTOGRAM_POINT.explicitBounds),
    counts: dataPoint.fixed64s(HISTOGRAM_POINT.bucketCounts),
  };
}
/** Bounds are left as they are: no calculation changes them. */
export function writeHistogram(value: ExplicitHistogram): void {
  dataPoint.setFixed64(HISTOGRAM_POINT.count, value.count);
  writeDouble(HISTOGRAM_POINT.sum, value.sum);
  writeDouble(HISTOGRAM_POINT.min, value.min);
  writeDouble(HISTOGRAM_POINT.max, value.max);
  if (value.counts.length === 0 && !dataPoint.has(HISTOGRAM_POINT.bucketCounts)) return;
  writer.reset();
  for (const count of value.counts) writer.rawFixed64(count);
  dataPoint.setBytes(HISTOGRAM_POINT.bucketCounts, writer.written());
}

/** Counts of the buckets `offset`, `offset + 1`, ...; bucket i is above base^i. */
export interface Buckets {
  offset: number;
  counts: bigint[];
}
export interface ExponentialHistogram {
  scale: number;
  count: bigint;
  sum: number | undefined;
  min: number | undefined;
  max: number | undefined;
  zeroCount: bigint;
  zeroThreshold: number;
  positive: Buckets;
  negative: Buckets;
}

export function readExponential(): ExponentialHistogram {
  return {
    scale: dataPoint.sint32(EXPONENTIAL_POINT.scale),
    count: dataPoint.fixed64(EXPONENTIAL_POINT.count),
    sum: readDouble(EXPONENTIAL_POINT.sum),
    min: readDouble(EXPONENTIAL_POINT.min),
    max: readDouble(EXPONENTIAL_POINT.max),
    zeroCount: dataPoint.fixed64(EXPONENTIAL_POINT.zeroCount),
    zeroThreshold: dataPoint.double(EXPONENTIAL_POINT.zeroThreshold),
    positive: readBuckets(EXPONENTIAL_POINT.positive),
    negative: readBuckets(EXPONENTIAL_POINT.negative),
  };
}
export function writeExponential(value: ExponentialHistogram): void {
  dataPoint.setSint32(EXPONENTIAL_POINT.scale, value.scale);
  dataPoint.setFixed64(EXPONENTIAL_POINT.count, value.count);
  writeDouble(EXPONENTIAL_POINT.sum, value.sum);
  writeDouble(EXPONENTIAL_POINT.min, value.min);
  writeDouble(EXPONENTIAL_POINT.max, value.max);
  dataPoint.setFixed64(EXPONENTIAL_POINT.zeroCount, value.zeroCount);
  if (value.zeroThreshold !== dataPoint.double(EXPONENTIAL_POINT.zeroThreshold)) dataPoint.setDouble(EXPONENTIAL_POINT.zeroThreshold, value.zeroThreshold);
  writeBuckets(EXPONENTIAL_POINT.positive, value.positive);
  writeBuckets(EXPONENTIAL_POINT.negative, value.negative);
}

function readDouble(field: number): number | undefined {
  return dataPoint.has(field) ? dataPoint.double(field) : undefined;
}
function writeDouble(field: number, value: number | undefined): void {
  if (value === undefined) dataPoint.clear(field);
  else if (!dataPoint.has(field) || !Object.is(dataPoint.double(field), value)) dataPoint.setDouble(field, value);
}
const bucketsCursor = new Cursor(BUCKETS_TYPE, dataPoint.space);
function readBuckets(field: number): Buckets {
  dataPoint.child(field, bucketsCursor);
  return { offset: bucketsCursor.sint32(BUCKETS.offset), counts: bucketsCursor.varints(BUCKETS.bucketCounts) };
}
function writeBuckets(field: number, { offset, counts }: Buckets): void {
  if (offset === 0 && counts.length === 0) return dataPoint.clear(field);
  writer.reset();
  writer.sint32(BUCKETS.offset, offset);
  const mark = writer.open(BUCKETS.bucketCounts);
  for (const count of counts) writer.varint64(count);
  writer.close(mark);
  dataPoint.setBytes(field, writer.written());
}
