/** A time as a number. */
import { defineConverter, p } from '#ottl/function.ts';

/** Towards the past, as Go rounds. */
const floor = (nano: bigint): bigint => BigInt.asIntN(64, nano >= 0n ? nano / 1_000_000n : -((-nano + 1_000_000n - 1n) / 1_000_000n));

export default defineConverter({
  name: 'UnixMilli',
  summary: 'The milliseconds of a time since 1970.',
  params: { time: p.time },
  examples: [{ run: 'UnixMilli(Unix(1700000000, 5))', want: 1700000000000n }],
  create({ time }) {
    return (record) => floor(time.get(record).unixNano);
  },
});
