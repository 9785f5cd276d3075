/** A duration as a number. */
import { defineConverter, p } from '#ottl/function.ts';

export default defineConverter({
  name: 'Milliseconds',
  summary: 'The milliseconds of a duration, a whole number.',
  params: { duration: p.duration },
  examples: [{ run: 'Milliseconds(Duration("1h30m"))', want: 5400000n }],
  create({ duration }) {
    return (record) => duration.get(record).nano / 1_000_000n;
  },
});
