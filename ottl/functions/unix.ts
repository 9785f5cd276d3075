/** A time from a number. */
import { defineConverter, p } from '#ottl/function.ts';
import { Time } from '#ottl/values.ts';

export default defineConverter({
  name: 'Unix',
  summary: 'The time so many seconds and nanoseconds after 1970.',
  params: { seconds: p.int, nanoseconds: p.optional(p.int) },
  examples: [
    { run: 'UnixNano(Unix(1700000000))', want: 1700000000000000000n },
    { run: 'UnixNano(Unix(1, -5))', want: 999999995n },
  ],
  create({ seconds, nanoseconds }) {
    return (record) => new Time(seconds.get(record) * 1_000_000_000n + (nanoseconds?.get(record) ?? 0n));
  },
});
