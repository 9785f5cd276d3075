/** datapoint, of any kind: a field that the kind does not have reads as nil and cannot be set. */
import { fail, Opaque, typeName, UINTS, type Value } from '#ottl/values.ts';
import { dataPoint } from '#src/data/contexts.ts';
import { Cursor } from '#src/data/cursor.ts';
import {
  BUCKETS,
  BUCKETS_TYPE,
  EXEMPLAR_TYPE,
  EXPONENTIAL_POINT,
  EXPONENTIAL_POINT_TYPE,
  HISTOGRAM_POINT,
  HISTOGRAM_POINT_TYPE,
  type MessageType,
  NUMBER_POINT,
  NUMBER_POINT_TYPE,
  QUANTILE_TYPE,
  SUMMARY_POINT,
  SUMMARY_POINT_TYPE,
} from '#src/data/message_types.ts';
import { ProtoWriter } from '#src/wire/proto_writer.ts';
import { attributesOf, expected, messageField, messagesField, path, timeFields, wantFloat, wantInt } from './access.ts';
import type { PathEntry, PathTable } from './context.ts';
import { metricEnums } from './metric.ts';

const TYPE_NAMES = new Map<MessageType, string>([
  [NUMBER_POINT_TYPE, 'pmetric.NumberDataPoint'],
  [HISTOGRAM_POINT_TYPE, 'pmetric.HistogramDataPoint'],
  [EXPONENTIAL_POINT_TYPE, 'pmetric.ExponentialHistogramDataPoint'],
  [SUMMARY_POINT_TYPE, 'pmetric.SummaryDataPoint'],
]);
const pointName = (): string => TYPE_NAMES.get(dataPoint.type)!;
const isNumber = (): boolean => dataPoint.type === NUMBER_POINT_TYPE;
const isHistogram = (): boolean => dataPoint.type === HISTOGRAM_POINT_TYPE;
const isExponential = (): boolean => dataPoint.type === EXPONENTIAL_POINT_TYPE;
const isSummary = (): boolean => dataPoint.type === SUMMARY_POINT_TYPE;
const must = (is: boolean, wanted: string): void => {
  if (!is) fail(`expects ${wanted} but got ${pointName()}`);
};
const unsupported = (): never => fail(`unsupported data point type: ${pointName()}`);

/** Field numbers of what several kinds have, by kind; 0: this kind does not have it. */
function fieldOf(number: number, histogram: number, exponential: number, summary: number): () => number {
  return () => (isNumber() ? number : isHistogram() ? histogram : isExponential() ? exponential : summary);
}
const startField = fieldOf(
  NUMBER_POINT.startTimeUnixNano,
  HISTOGRAM_POINT.startTimeUnixNano,
  EXPONENTIAL_POINT.startTimeUnixNano,
  SUMMARY_POINT.startTimeUnixNano,
);
const timeField = fieldOf(NUMBER_POINT.timeUnixNano, HISTOGRAM_POINT.timeUnixNano, EXPONENTIAL_POINT.timeUnixNano, SUMMARY_POINT.timeUnixNano);
const flagsField = fieldOf(NUMBER_POINT.flags, HISTOGRAM_POINT.flags, EXPONENTIAL_POINT.flags, SUMMARY_POINT.flags);
const countField = fieldOf(0, HISTOGRAM_POINT.count, EXPONENTIAL_POINT.count, SUMMARY_POINT.count);
const sumField = fieldOf(0, HISTOGRAM_POINT.sum, EXPONENTIAL_POINT.sum, SUMMARY_POINT.sum);
const exemplarsField = fieldOf(NUMBER_POINT.exemplars, HISTOGRAM_POINT.exemplars, EXPONENTIAL_POINT.exemplars, 0);

/** The two times have the same field numbers in every kind. */
const times = { ...timeFields(dataPoint, startField(), 'start_time'), ...timeFields(dataPoint, timeField(), 'time') };

/** Bucket counts as they are read: the statement language can count and print them, and set them elsewhere as bucket counts. */
const counts = (list: readonly bigint[]): Value => new Opaque(UINTS, list);
function intList(value: Value, what: string): readonly bigint[] {
  if (value instanceof Opaque && value.type === UINTS) return value.content as readonly bigint[];
  if (!Array.isArray(value)) fail(`cannot set a slice of ${typeName(value)} from a value type: ${what}`);
  return (value as Value[]).map((item) =>
    typeof item === 'bigint' ? item : fail(`invalid value type provided for a slice of ${what}: ${typeName(item)}, expected int64`),
  );
}

const bucketsCursor = new Cursor(BUCKETS_TYPE, dataPoint.space);
const writer = new ProtoWriter(256);
function readBuckets(field: number): { offset: number; counts: bigint[] } {
  dataPoint.child(field, bucketsCursor);
  return { offset: bucketsCursor.sint32(BUCKETS.offset), counts: bucketsCursor.varints(BUCKETS.bucketCounts) };
}
function writeBuckets(field: number, offset: number, counts: readonly bigint[]): void {
  writer.reset();
  if (offset !== 0) writer.sint32(BUCKETS.offset, offset);
  if (counts.length > 0) {
    const mark = writer.open(BUCKETS.bucketCounts);
    for (const count of counts) writer.varint64(count);
    writer.close(mark);
  }
  dataPoint.setBytes(field, writer.finish());
}
function buckets(field: number): PathEntry {
  const whole = messageField(dataPoint, field, 'pmetric.ExponentialHistogramDataPointBuckets');
  return {
    plain: {
      get: (record) => (isExponential() ? whole.get(record) : null),
      set: (record, value) => {
        if (!(value instanceof Opaque)) expected('pmetric.ExponentialHistogramDataPointBuckets', value);
        must(isExponential(), 'pmetric.ExponentialHistogramDataPoint');
        whole.set(record, value);
      },
    },
    next: {
      offset: path(
        () => (isExponential() ? BigInt(readBuckets(field).offset) : null),
        (value) => {
          const offset = Number(BigInt.asIntN(32, wantInt(value)));
          must(isExponential(), 'pmetric.ExponentialHistogramDataPoint');
          writeBuckets(field, offset, readBuckets(field).counts);
        },
      ),
      bucket_counts: path(
        () => (isExponential() ? counts(readBuckets(field).counts) : null),
        (value) => {
          must(isExponential(), 'pmetric.ExponentialHistogramDataPoint');
          writeBuckets(
            field,
            readBuckets(field).offset,
            intList(value, 'uint64').map((count) => BigInt.asUintN(64, count)),
          );
        },
      ),
    },
  };
}

const exemplars = (field: number) => messagesField(dataPoint, field, 'pmetric.ExemplarSlice', EXEMPLAR_TYPE);
const quantiles = messagesField(dataPoint, SUMMARY_POINT.quantileValues, 'pmetric.SummaryDataPointValueAtQuantileSlice', QUANTILE_TYPE);

export const datapointPaths: PathTable = {
  attributes: attributesOf(dataPoint),
  ...times,
  value_double: path(
    () => (isNumber() ? dataPoint.double(NUMBER_POINT.asDouble) : null),
    (value) => {
      const number = wantFloat(value);
      must(isNumber(), 'pmetric.NumberDataPoint');
      dataPoint.clear(NUMBER_POINT.asInt);
      dataPoint.setDouble(NUMBER_POINT.asDouble, number);
    },
  ),
  value_int: path(
    () => (isNumber() ? dataPoint.sfixed64(NUMBER_POINT.asInt) : null),
    (value) => {
      const number = wantInt(value);
      must(isNumber(), 'pmetric.NumberDataPoint');
      dataPoint.clear(NUMBER_POINT.asDouble);
      dataPoint.setFixed64(NUMBER_POINT.asInt, number);
    },
  ),
  exemplars: path(
    (record) => (exemplarsField() === 0 ? null : exemplars(exemplarsField()).get(record)),
    (value, record) => {
      if (!(value instanceof Opaque)) expected('pmetric.ExemplarSlice', value);
      exemplars(exemplarsField() || unsupported()).set(record, value);
    },
  ),
  flags: path(
    () => BigInt(dataPoint.int(flagsField())),
    (value) => dataPoint.setInt(flagsField(), Number(BigInt.asUintN(32, wantInt(value)))),
  ),
  count: path(
    () => (countField() === 0 ? null : BigInt.asIntN(64, dataPoint.fixed64(countField()))),
    (value) => {
      const count = wantInt(value);
      dataPoint.setFixed64(countField() || unsupported(), BigInt.asUintN(64, count));
    },
  ),
  sum: path(
    () => (sumField() === 0 ? null : dataPoint.double(sumField())),
    (value) => {
      const sum = wantFloat(value);
      dataPoint.setDouble(sumField() || unsupported(), sum);
    },
  ),
  bucket_counts: path(
    () => (isHistogram() ? counts(dataPoint.fixed64s(HISTOGRAM_POINT.bucketCounts)) : null),
    (value) => {
      must(isHistogram(), 'pmetric.HistogramDataPoint');
      const packed = intList(value, 'uint64');
      const bytes = Buffer.alloc(8 * packed.length);
      packed.forEach((count, i) => {
        bytes.writeBigUInt64LE(BigInt.asUintN(64, count), 8 * i);
      });
      dataPoint.setBytes(HISTOGRAM_POINT.bucketCounts, bytes);
    },
  ),
  explicit_bounds: path(
    () => (isHistogram() ? dataPoint.doubles(HISTOGRAM_POINT.explicitBounds) : null),
    (value) => {
      must(isHistogram(), 'pmetric.HistogramDataPoint');
      if (!Array.isArray(value)) fail(`cannot set a slice of ${typeName(value)} from a value type: float64`);
      const bounds = (value as Value[]).map((item) =>
        typeof item === 'number' ? item : fail(`invalid value type provided for a slice of float64: ${typeName(item)}`),
      );
      const bytes = Buffer.alloc(8 * bounds.length);
      bounds.forEach((bound, i) => {
        bytes.writeDoubleLE(bound, 8 * i);
      });
      dataPoint.setBytes(HISTOGRAM_POINT.explicitBounds, bytes);
    },
  ),
  scale: path(
    () => (isExponential() ? BigInt(dataPoint.sint32(EXPONENTIAL_POINT.scale)) : null),
    (value) => {
      const scale = wantInt(value);
      must(isExponential(), 'pmetric.ExponentialHistogramDataPoint');
      dataPoint.setSint32(EXPONENTIAL_POINT.scale, Number(BigInt.asIntN(32, scale)));
    },
  ),
  zero_count: path(
    () => (isExponential() ? BigInt.asIntN(64, dataPoint.fixed64(EXPONENTIAL_POINT.zeroCount)) : null),
    (value) => {
      const count = wantInt(value);
      must(isExponential(), 'pmetric.ExponentialHistogramDataPoint');
      dataPoint.setFixed64(EXPONENTIAL_POINT.zeroCount, BigInt.asUintN(64, count));
    },
  ),
  positive: buckets(EXPONENTIAL_POINT.positive),
  negative: buckets(EXPONENTIAL_POINT.negative),
  quantile_values: path(
    (record) => (isSummary() ? quantiles.get(record) : null),
    (value, record) => {
      if (!(value instanceof Opaque)) expected('pmetric.SummaryDataPointValueAtQuantileSlice', value);
      must(isSummary(), 'pmetric.SummaryDataPoint');
      quantiles.set(record, value);
    },
  ),
};

export const datapointEnums: Readonly<Record<string, number>> = { FLAG_NONE: 0, FLAG_NO_RECORDED_VALUE: 1, ...metricEnums };
