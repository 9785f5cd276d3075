/** A time cut to a multiple. */
import { defineConverter, p } from '#ottl/function.ts';
import { Time, ZERO_TIME_NANO } from '#ottl/values.ts';

export default defineConverter({
  name: 'TruncateTime',
  summary: 'The time rounded down to a multiple of a duration (counted from the year 1, as Go does).',
  params: { time: p.time, duration: p.duration },
  examples: [
    { run: 'UnixSeconds(TruncateTime(Unix(1700000059), Duration("1m")))', want: 1700000040n },
    { run: 'UnixNano(TruncateTime(Unix(5, 7), Duration("0s")))', want: 5000000007n, note: 'nothing to round to' },
  ],
  create({ time, duration }) {
    return (record) => {
      const value = time.get(record),
        { nano } = duration.get(record);
      if (nano <= 0n) return value;
      const rest = (value.unixNano - ZERO_TIME_NANO) % nano;
      return new Time(value.unixNano - (rest < 0n ? rest + nano : rest), value.zone);
    };
  },
});
