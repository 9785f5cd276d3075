/** What data points of all kinds say alike, in fields of their own. */
import type { Cursor } from './cursor.ts';
import { HISTOGRAM_POINT, METRIC, NUMBER_POINT } from './message_types.ts';

/** DataPointFlags; histograms of both kinds have them in one field, all others in another. */
const NO_RECORDED_VALUE = 1;

/** Whether the point of a metric of this kind has no value: its series has ended. */
export function hasNoRecordedValue(point: Cursor, kind: number): boolean {
  const flags = kind === METRIC.histogram || kind === METRIC.exponentialHistogram ? HISTOGRAM_POINT.flags : NUMBER_POINT.flags;
  return (point.int(flags) & NO_RECORDED_VALUE) !== 0;
}
