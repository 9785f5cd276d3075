/** A duration as a number. */
import { defineConverter, p } from '#ottl/function.ts';

const UNIT = 3_600_000_000_000n;

export default defineConverter({
  name: 'Hours',
  summary: 'The hours of a duration.',
  params: { duration: p.duration },
  examples: [{ run: 'Hours(Duration("1h30m"))', want: 1.5 }],
  create({ duration }) {
    return (record) => {
      const { nano } = duration.get(record);
      return Number(nano / UNIT) + Number(nano % UNIT) / Number(UNIT); // Whole and rest apart, as Go does: no digit is lost.
    };
  },
});
