/** A duration as a number. */
import { defineConverter, p } from '#ottl/function.ts';

export default defineConverter({
  name: 'Microseconds',
  summary: 'The microseconds of a duration, a whole number.',
  params: { duration: p.duration },
  examples: [{ run: 'Microseconds(Duration("1h30m"))', want: 5400000000n }],
  create({ duration }) {
    return (record) => duration.get(record).nano / 1000n;
  },
});
