/** A part of a time. */
import { defineConverter, p } from '#ottl/function.ts';
import { timeParts } from '#ottl/time_parts.ts';

export default defineConverter({
  name: 'Month',
  summary: 'The month, 1 to 12 of a time, in its zone.',
  params: { time: p.time },
  examples: [
    { run: 'Month(Time("2024-03-17T14:05:09.123456789+0000", "%Y-%m-%dT%H:%M:%S.%L%z"))', want: 3n },
    { run: 'Month("2024")', error: 'expected time but got string' },
  ],
  create({ time }) {
    return (record) => BigInt(timeParts(time.get(record)).month);
  },
});
