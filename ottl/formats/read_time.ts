/**
 * Reads a time by the pieces of a layout, with Go's rules: spaces, names without regard to case, a fraction behind the seconds that the layout
 * does not mention, and what zone a time is in. `lenient` is strptime's way: numbers may follow spaces.
 */
import { fail, Time, UTC, type Zone } from '#ottl/values.ts';
import { DAYS, MONTHS, type Piece } from './go_time.ts';
import { quoteGo } from './go_quote.ts';
import { fixedZone, instantOf, loadZone, offsetOfName } from './zone.ts';

const SECOND = 1_000_000_000n;

/** What a text said. -1: nothing; NaN for the offset. */
interface Found {
  year: number;
  month: number;
  day: number;
  yearDay: number;
  hour: number;
  minute: number;
  second: number;
  nano: number;
  half: '' | 'am' | 'pm';
  zoneName: string;
  offset: number;
  isUtc: boolean;
}

export function readTime(text: string, pieces: readonly Piece[], zone: Zone, lenient: boolean, nowMs: () => number): Time {
  const found: Found = {
    year: 0,
    month: -1,
    day: -1,
    yearDay: -1,
    hour: 0,
    minute: 0,
    second: 0,
    nano: 0,
    half: '',
    zoneName: '',
    offset: Number.NaN,
    isUtc: false,
  };
  let at = 0;
  pieces.forEach((piece, i) => {
    at = piece.kind === 'text' ? skip(text, at, piece.text) : readElement(text, at, piece, pieces[i + 1], found, lenient);
  });
  if (at < text.length) fail(`parsing time ${quoteGo(text)}: extra text: ${quoteGo(text.slice(at))}`);
  return finish(found, text, zone, nowMs);
}

function mismatch(text: string, at: number, wanted: string): never {
  return fail(`parsing time ${quoteGo(text)}: cannot parse ${quoteGo(text.slice(at))} as ${quoteGo(wanted)}`);
}
function outOfRange(text: string, what: string): never {
  return fail(`parsing time ${quoteGo(text)}: ${what} out of range`);
}

/** One space in a layout stands for any number of them, none at the end of the text. */
function skip(text: string, start: number, prefix: string): number {
  let at = start;
  for (let i = 0; i < prefix.length; i++) {
    if (prefix[i] === ' ') {
      if (at < text.length && text[at] !== ' ') mismatch(text, at, prefix);
      while (prefix[i + 1] === ' ') i++;
      while (text[at] === ' ') at++;
    } else if (text[at] === prefix[i]) at++;
    else mismatch(text, at, prefix);
  }
  return at;
}

function readElement(text: string, start: number, piece: Piece, next: Piece | undefined, found: Found, lenient: boolean): number {
  let at = start;
  const element = piece.text;
  if (piece.kind === 'fraction')
    return element[1] === '0' ? fraction(text, at, element.length - 1, found, element) : isFraction(text, at) ? fraction(text, at, 0, found, element) : at;
  if (lenient && /^[0-9Z\ue000]/.test(element)) while (/\s/.test(text[at] ?? '')) at++;
  const number = (most: number, least = 1): number => {
    let end = at;
    while (end < at + most && isDigit(text, end)) end++;
    if (end - at < least) mismatch(text, at, element);
    const value = Number(text.slice(at, end));
    at = end;
    return value;
  };
  const within = (value: number, least: number, most: number, what: string): number => (value < least || value > most ? outOfRange(text, what) : value);
  const name = (names: readonly string[], length?: number): number => {
    const rest = text.slice(at, at + 9).toLowerCase();
    const which = names.findIndex((one) => rest.startsWith(one.slice(0, length).toLowerCase()));
    if (which < 0) mismatch(text, at, element);
    at += length ?? names[which]!.length;
    return which;
  };
  switch (element) {
    case '2006':
      found.year = number(4, 4);
      return at;
    case '06': {
      const year = number(2, 2);
      found.year = year >= 69 ? 1900 + year : 2000 + year;
      return at;
    }
    case 'January':
      found.month = name(MONTHS) + 1;
      return at;
    case 'Jan':
      found.month = name(MONTHS, 3) + 1;
      return at;
    case '01':
    case '1':
      found.month = within(number(2, element.length), 1, 12, 'month');
      return at;
    case 'Monday':
      name(DAYS);
      return at;
    case 'Mon':
      name(DAYS, 3);
      return at;
    case '02':
    case '_2':
    case '2':
      if (element === '_2' && text[at] === ' ') at++;
      found.day = number(2, element === '02' ? 2 : 1);
      return at;
    case '002':
    case '__2':
      if (element === '__2') for (let i = 0; i < 2 && text[at] === ' '; i++) at++;
      found.yearDay = number(3, element === '002' ? 3 : 1);
      return at;
    case '15':
      found.hour = within(number(2), 0, 23, 'hour');
      return at;
    case '03':
    case '3':
      found.hour = within(number(2, element.length), 0, 12, 'hour');
      return at;
    case '04':
    case '4':
      found.minute = within(number(2, element.length), 0, 59, 'minute');
      return at;
    case '05':
    case '5':
      found.second = within(number(2, element.length), 0, 59, 'second');
      return isFraction(text, at) && next?.kind !== 'fraction' ? fraction(text, at, 0, found, element) : at;
    case 'PM':
    case 'pm': {
      const half = text.slice(at, at + 2);
      if (half !== element && half !== element.replace(/^p/i, (p) => (p === 'p' ? 'a' : 'A'))) mismatch(text, at, element);
      found.half = half.toLowerCase() === 'pm' ? 'pm' : 'am';
      return at + 2;
    }
    case 'MST':
      return zoneName(text, at, found);
    default:
      return offset(text, at, element, found);
  }
}

const isDigit = (text: string, at: number): boolean => {
  const code = text.charCodeAt(at);
  return code >= 48 && code <= 57;
};
const isFraction = (text: string, at: number): boolean => (text[at] === '.' || text[at] === ',') && isDigit(text, at + 1);

/** A separator and digits: `size` of them, or all there are. */
function fraction(text: string, start: number, size: number, found: Found, element: string): number {
  let end = start + 1;
  while (isDigit(text, end) && (size === 0 || end - start <= size)) end++;
  if (!isFraction(text, start) || (size > 0 && end - start - 1 < size)) mismatch(text, start, element);
  found.nano = Number(
    text
      .slice(start + 1, end)
      .slice(0, 9)
      .padEnd(9, '0'),
  );
  return end;
}

function zoneName(text: string, at: number, found: Found): number {
  const match = /^(?:UTC|ChST|MeST|GMT[+-]\d{1,2}|[+-]\d\d(?:\d\d)?|WITA|[A-Z]{3}(?![A-Z])|[A-Z]{3}[TA](?![A-Z])|[A-Z]{4}T(?![A-Z]))/.exec(
    text.slice(at, at + 8),
  );
  if (match === null) return mismatch(text, at, 'MST');
  if (match[0] === 'UTC') found.isUtc = true;
  else found.zoneName = match[0];
  return at + match[0].length;
}

const OFFSETS: Readonly<Record<string, RegExp>> = {
  '07': /^([+-])(\d\d)/,
  '0700': /^([+-])(\d\d)(\d\d)/,
  '07:00': /^([+-])(\d\d):(\d\d)/,
  '070000': /^([+-])(\d\d)(\d\d)(\d\d)/,
  '07:00:00': /^([+-])(\d\d):(\d\d):(\d\d)/,
  '\ue000': /^([+-])(\d\d)(?::?(\d\d))?/,
};
function offset(text: string, at: number, element: string, found: Found): number {
  if (text[at] === 'Z' && (element[0] === 'Z' || element === '\ue000')) {
    found.isUtc = true;
    return at + 1;
  }
  const match = OFFSETS[element.replace(/^[-Z]/, '')]!.exec(text.slice(at, at + 9));
  if (match === null) return mismatch(text, at, element === '\ue000' ? '%z' : element);
  const hours = Number(match[2]),
    minutes = Number(match[3] ?? 0),
    seconds = Number(match[4] ?? 0);
  if (hours > 24) outOfRange(text, 'time zone offset hour');
  if (minutes > 60) outOfRange(text, 'time zone offset minute');
  if (seconds > 60) outOfRange(text, 'time zone offset second');
  found.offset = (match[1] === '-' ? -1 : 1) * (hours * 3600 + minutes * 60 + seconds);
  return at + match[0].length;
}

const isLeap = (year: number): boolean => year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
const daysIn = (year: number, month: number): number => (month === 2 ? (isLeap(year) ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31);

function wallNano(year: number, { month, day, hour, minute, second, nano }: Found): bigint {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, second);
  return BigInt(date.getTime()) * 1_000_000n + BigInt(nano);
}

function finish(found: Found, text: string, zone: Zone, nowMs: () => number): Time {
  if (found.half === 'pm' && found.hour < 12) found.hour += 12;
  else if (found.half === 'am' && found.hour === 12) found.hour = 0;
  if (found.yearDay >= 0) placeYearDay(found, text);
  if (found.month < 0) found.month = 1;
  if (found.day < 0) found.day = 1;
  if (found.day < 1 || found.day > daysIn(found.year, found.month)) outOfRange(text, 'day');
  const time = inZone(found, found.year, zone);
  return found.year > 0 ? time : thisYear(found, time.zone, nowMs());
}
function placeYearDay(found: Found, text: string): void {
  if (found.yearDay < 1 || found.yearDay > (isLeap(found.year) ? 366 : 365)) outOfRange(text, 'day-of-year');
  let month = 1,
    day = found.yearDay;
  while (day > daysIn(found.year, month)) day -= daysIn(found.year, month++);
  if (found.month >= 0 && found.month !== month) fail(`parsing time ${quoteGo(text)}: day-of-year does not match month`);
  if (found.day >= 0 && found.day !== day) fail(`parsing time ${quoteGo(text)}: day-of-year does not match day`);
  found.month = month;
  found.day = day;
}

function inZone(found: Found, year: number, zone: Zone): Time {
  const wall = wallNano(year, found);
  if (found.isUtc) return new Time(wall, UTC);
  if (!Number.isNaN(found.offset)) {
    const instant = wall - BigInt(found.offset) * SECOND;
    if (zone.offsetSeconds(instant) === found.offset) return new Time(instant, zone);
    return new Time(instant, found.offset === 0 ? UTC : fixedZone('', found.offset));
  }
  const name = found.zoneName;
  if (name === '') return new Time(instantOf(wall, zone), zone);
  const known = /^[+-]/.test(name) ? Number(name.slice(0, 3)) * 3600 : offsetOfName(zone, name, wall);
  if (known !== undefined) return new Time(wall - BigInt(known) * SECOND, /^[+-]/.test(name) ? fixedZone(name, known) : zone);
  if (name.startsWith('GMT') && name.length > 3) {
    const hours = Number(name.slice(3)) * 3600;
    // As Go does: shown with this offset, but not moved by it.
    return new Time(wall, fixedZone(name, hours));
  }
  // An abbreviation that is not used in the zone: some of them are names of places, too.
  const place = loadZone(name);
  return new Time(instantOf(wall, place), place);
}

/** A text without a year is of this year, or of the last one where that would be more than a week ahead. */
function thisYear(found: Found, zone: Zone, nowMs: number): Time {
  const now = new Time(BigInt(nowMs) * 1_000_000n, zone);
  const year = new Date(nowMs + zone.offsetSeconds(now.unixNano) * 1000).getUTCFullYear();
  const instant = instantOf(wallNano(year, found), zone);
  return new Time(instant > BigInt(nowMs + 7 * 86_400_000) * 1_000_000n ? instantOf(wallNano(year - 1, found), zone) : instant, zone);
}
