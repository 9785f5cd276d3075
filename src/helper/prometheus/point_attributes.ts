/** The attributes of a data point as bytes, under which its series is found again: names and labels are made once for each. */
import type { Cursor } from '#src/data/cursor.ts';
import { EXPONENTIAL_POINT, HISTOGRAM_POINT, METRIC, NUMBER_POINT, SUMMARY_POINT } from '#src/data/message_types.ts';
import { skipField } from '#src/data/scan.ts';

const ATTRIBUTES_FIELD: Readonly<Record<number, number>> = {
  [METRIC.gauge]: NUMBER_POINT.attributes,
  [METRIC.sum]: NUMBER_POINT.attributes,
  [METRIC.histogram]: HISTOGRAM_POINT.attributes,
  [METRIC.exponentialHistogram]: EXPONENTIAL_POINT.attributes,
  [METRIC.summary]: SUMMARY_POINT.attributes,
};
const LENGTH_DELIMITED = 2;

/** As they are, one byte a character, with whatever stands between the first and the last; `kind` is the field of the metric's data. */
export function attributeBytes(point: Cursor, kind: number): string {
  const { bytes } = point.space,
    tag = (ATTRIBUTES_FIELD[kind]! << 3) | LENGTH_DELIMITED,
    { end } = point;
  let first = -1,
    last = -1;
  for (let p = point.start; p < end; ) {
    const next = skipField(bytes, p, end);
    if (bytes[p] === tag) {
      if (first < 0) first = p;
      last = next;
    }
    p = next;
  }
  return first < 0 ? '' : bytes.latin1Slice(first, last);
}
