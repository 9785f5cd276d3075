/** A part of a time. */
import { defineConverter, p } from '#ottl/function.ts';
import { timeParts } from '#ottl/time_parts.ts';

export default defineConverter({
  name: 'Hour',
  summary: 'The hour of a time, in its zone.',
  params: { time: p.time },
  examples: [
    { run: 'Hour(Time("2024-03-17T14:05:09.123456789+0000", "%Y-%m-%dT%H:%M:%S.%L%z"))', want: 14n },
    { run: 'Hour("2024")', error: 'expected time but got string' },
  ],
  create({ time }) {
    return (record) => BigInt(timeParts(time.get(record)).hour);
  },
});
