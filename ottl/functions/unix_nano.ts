/** A time as a number. */
import { defineConverter, p } from '#ottl/function.ts';

export default defineConverter({
  name: 'UnixNano',
  summary: 'The nanoseconds of a time since 1970.',
  params: { time: p.time },
  examples: [{ run: 'UnixNano(Unix(1700000000, 5))', want: 1700000000000000005n }],
  create({ time }) {
    return (record) => BigInt.asIntN(64, time.get(record).unixNano);
  },
});
