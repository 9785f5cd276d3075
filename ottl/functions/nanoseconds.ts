/** A duration as a number. */
import { defineConverter, p } from '#ottl/function.ts';

export default defineConverter({
  name: 'Nanoseconds',
  summary: 'The nanoseconds of a duration, a whole number.',
  params: { duration: p.duration },
  examples: [{ run: 'Nanoseconds(Duration("1h30m"))', want: 5400000000000n }],
  create({ duration }) {
    return (record) => duration.get(record).nano;
  },
});
