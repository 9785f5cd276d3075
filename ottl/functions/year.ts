/** A part of a time. */
import { defineConverter, p } from '#ottl/function.ts';
import { timeParts } from '#ottl/time_parts.ts';

export default defineConverter({
  name: 'Year',
  summary: 'The year of a time, in its zone.',
  params: { time: p.time },
  examples: [
    { run: 'Year(Time("2024-03-17T14:05:09.123456789+0000", "%Y-%m-%dT%H:%M:%S.%L%z"))', want: 2024n },
    { run: 'Year(Unix(9223372036854775807))', want: 292277026596n },
    { run: 'Year("2024")', error: 'expected time but got string' },
  ],
  create({ time }) {
    return (record) => BigInt(timeParts(time.get(record)).year);
  },
});
