/** A time taken apart in its own zone, as Go's Time methods do. */
import type { Time } from './values.ts';

const SECOND = 1_000_000_000n;

export interface TimeParts {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly nanosecond: number;
  /** 0 is Sunday. */
  readonly weekday: number;
  /** 1 to 366. */
  readonly yearDay: number;
}

/** The calendar comes again every 400 years. */
const CYCLE_YEARS = 400;
const CYCLE_SECONDS = 146_097n * 86_400n;

export function timeParts(time: Time): TimeParts {
  const { seconds } = time;
  // What a Date holds is a small part of what a Go time does.
  return Math.abs(seconds) < 8e12 ? partsOf(time, seconds, 0) : farParts(time);
}
function farParts(time: Time): TimeParts {
  const seconds = (time.unixNano - (((time.unixNano % SECOND) + SECOND) % SECOND)) / SECOND;
  const cycles = seconds / CYCLE_SECONDS;
  return partsOf(time, Number(seconds % CYCLE_SECONDS), Number(cycles));
}
function partsOf(time: Time, seconds: number, cycles: number): TimeParts {
  const date = new Date((seconds + time.offset) * 1000);
  const year = date.getUTCFullYear(),
    newYear = new Date(0);
  newYear.setUTCFullYear(year, 0, 1); // Date.UTC() takes the years 0 to 99 for 1900 to 1999.
  return {
    year: year + CYCLE_YEARS * cycles,
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
    nanosecond: Number(((time.unixNano % SECOND) + SECOND) % SECOND),
    weekday: date.getUTCDay(),
    yearDay: Math.floor((date.getTime() - newYear.getTime()) / 86_400_000) + 1,
  };
}
