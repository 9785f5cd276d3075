/** metric, with its data points as one opaque value. */
import type { Opaque } from '#ottl/values.ts';
import { metric, metricData, position } from '#src/data/contexts.ts';
import { METRIC, METRIC_DATA, pointTypeOf } from '#src/data/message_types.ts';
import { attributesOf, messagesField, path, textField, wantBool, wantInt } from './access.ts';
import type { PathAccess, PathTable } from './context.ts';

/** Numbers of the metric types in OTTL, by the field of the metric that holds the data. */
const TYPES: Readonly<Record<number, bigint>> = {
  [METRIC.gauge]: 1n,
  [METRIC.sum]: 2n,
  [METRIC.histogram]: 3n,
  [METRIC.exponentialHistogram]: 4n,
  [METRIC.summary]: 5n,
};
const hasTemporality = (): boolean =>
  position.metricKind === METRIC.sum || position.metricKind === METRIC.histogram || position.metricKind === METRIC.exponentialHistogram;

const POINT_SLICES: Readonly<Record<number, string>> = {
  [METRIC.gauge]: 'pmetric.NumberDataPointSlice',
  [METRIC.sum]: 'pmetric.NumberDataPointSlice',
  [METRIC.histogram]: 'pmetric.HistogramDataPointSlice',
  [METRIC.exponentialHistogram]: 'pmetric.ExponentialHistogramDataPointSlice',
  [METRIC.summary]: 'pmetric.SummaryDataPointSlice',
};
const points = (): PathAccess => messagesField(metricData, METRIC_DATA.dataPoints, POINT_SLICES[position.metricKind]!, pointTypeOf(position.metricKind));

export const metricPaths: PathTable = {
  name: textField(metric, METRIC.name),
  description: textField(metric, METRIC.description),
  unit: textField(metric, METRIC.unit),
  type: path(
    () => TYPES[position.metricKind] ?? 0n,
    () => {},
  ),
  aggregation_temporality: path(
    () => (hasTemporality() ? BigInt(metricData.int(METRIC_DATA.aggregationTemporality)) : null),
    (value) => {
      const temporality = wantInt(value);
      if (hasTemporality()) metricData.setInt(METRIC_DATA.aggregationTemporality, BigInt.asIntN(32, temporality));
    },
  ),
  is_monotonic: path(
    () => (position.metricKind === METRIC.sum ? metricData.bool(METRIC_DATA.isMonotonic) : null),
    (value) => {
      const monotonic = wantBool(value);
      if (position.metricKind === METRIC.sum) metricData.setInt(METRIC_DATA.isMonotonic, monotonic ? 1 : 0);
    },
  ),
  data_points: path(
    (record) => (position.metricKind === 0 ? null : (points().get(record) as Opaque)),
    (value, record) => {
      if (position.metricKind !== 0) points().set(record, value);
    },
  ),
  metadata: attributesOf(metric),
};

export const metricEnums: Readonly<Record<string, number>> = {
  AGGREGATION_TEMPORALITY_UNSPECIFIED: 0,
  AGGREGATION_TEMPORALITY_DELTA: 1,
  AGGREGATION_TEMPORALITY_CUMULATIVE: 2,
  METRIC_DATA_TYPE_NONE: 0,
  METRIC_DATA_TYPE_GAUGE: 1,
  METRIC_DATA_TYPE_SUM: 2,
  METRIC_DATA_TYPE_HISTOGRAM: 3,
  METRIC_DATA_TYPE_EXPONENTIAL_HISTOGRAM: 4,
  METRIC_DATA_TYPE_SUMMARY: 5,
};
