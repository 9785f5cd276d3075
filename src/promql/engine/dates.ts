/**
 * Parts of a date, in UTC, of seconds since the epoch. Go's calendar reaches as far as an int64 of seconds does, a thousand times further than
 * Date: what lies beyond is brought into 400 years that have the same days.
 */

/** Half of what a Date can hold, s. */
const FAR_S = 4e12;
const INT64_MIN = -(2 ** 63);
/** The Gregorian calendar repeats after so many days and years. */
const CYCLE_DAYS = 146_097n;
const CYCLE_YEARS = 400;
/** Go counts from 1 January of this year, and wraps around at 2^64 s. */
const FIRST_YEAR = -292_277_022_399;
const FIRST_S = -((292_277_022_400n / 400n) * CYCLE_DAYS + 719_162n) * 86_400n;
/** A year with the same place in the cycle as FIRST_YEAR, as a Date knows it. */
const SAME_YEAR = 2001;
const DAY_MS = 86_400_000;

/** The date, or one of the same place in its cycle and how many years to add. NaN and what is too large are the least int64, as in Go. */
function dateOf(value: number): { date: Date; addYears: number } {
  const seconds = value >= INT64_MIN && value < -INT64_MIN ? Math.trunc(value) : INT64_MIN;
  if (Math.abs(seconds) < FAR_S) return { date: new Date(seconds * 1000), addYears: 0 };
  const since = BigInt.asUintN(64, BigInt(seconds) - FIRST_S),
    days = since / 86_400n,
    ms = (days % CYCLE_DAYS) * 86_400_000n + (since % 86_400n) * 1000n;
  return { date: new Date(Date.UTC(SAME_YEAR, 0, 1) + Number(ms)), addYears: FIRST_YEAR - SAME_YEAR + CYCLE_YEARS * Number(days / CYCLE_DAYS) };
}

function part(read: (date: Date) => number): (seconds: number) => number {
  return (seconds) => read(dateOf(seconds).date);
}

export const DATE_FUNCTIONS: ReadonlyMap<string, (seconds: number) => number> = new Map(
  Object.entries({
    minute: part((d) => d.getUTCMinutes()),
    hour: part((d) => d.getUTCHours()),
    day_of_week: part((d) => d.getUTCDay()),
    day_of_month: part((d) => d.getUTCDate()),
    day_of_year: part((d) => Math.floor((d.getTime() - Date.UTC(d.getUTCFullYear(), 0, 1)) / DAY_MS) + 1),
    days_in_month: part((d) => new Date(Date.UTC(d.getUTCFullYear(), d.getUTCMonth() + 1, 0)).getUTCDate()),
    month: part((d) => d.getUTCMonth() + 1),
    year: (seconds) => {
      const { date, addYears } = dateOf(seconds);
      return date.getUTCFullYear() + addYears;
    },
  }),
);
