/**
 * Reads a time by the steps of a layout, with Go's rules: spaces, names without regard to case, a fraction behind the seconds that the layout does
 * not mention, and what zone a time is in. strptime's way is more lenient: numbers may follow spaces, and there may be several layouts.
 */
import { quoteGo } from '#src/core/go_quote.ts';
import { ANY_OFFSET, DAYS, MONTHS, parseLayout, type Step } from './layout.ts';
import { checkStrptime, layoutsToRead } from './strptime.ts';
import { fixedZone, instantOf, loadZone, offsetOfName, UTC, type Zone } from './zone.ts';

/** The text is no time of the layout. */
export class TimeError extends Error {}
/** Without a stack: as many texts may be wrong as there are. */
function timeError(message: string): TimeError {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  const error = new TimeError(message);
  Error.stackTraceLimit = limit;
  return error;
}

export interface ReaderOptions {
  /** Where a time without a zone is. */
  readonly zone: Zone;
  /** Places of abbreviations: where a text has one, that is the zone. */
  readonly abbreviations?: ReadonlyMap<string, Zone>;
  readonly nowMs: () => number;
  /** Puts names of another language into English, for the steps of a layout. */
  readonly translate?: (text: string, steps: readonly Step[]) => string;
}

const LOWER_MONTHS = MONTHS.map((name) => name.toLowerCase()),
  SHORT_MONTHS = LOWER_MONTHS.map((name) => name.slice(0, 3)),
  LOWER_DAYS = DAYS.map((name) => name.toLowerCase()),
  SHORT_DAYS = LOWER_DAYS.map((name) => name.slice(0, 3));
const LOCAL = loadZone('Local');
const AM = 1,
  PM = 2;
const WEEK_SECONDS = 7 * 86_400;

const isDigit = (text: string, at: number): boolean => {
  const code = text.charCodeAt(at);
  return code >= 48 && code <= 57;
};
const isSpace = (code: number): boolean => code === 32 || (code > 8 && code < 14 && code !== 11);
const isFraction = (text: string, at: number): boolean => (text[at] === '.' || text[at] === ',') && isDigit(text, at + 1);
const isLeap = (year: number): boolean => year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
const daysIn = (year: number, month: number): number => {
  if (month === 2) return isLeap(year) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
};
const quote = (text: string): string => quoteGo(text.length > 100 ? `${text.slice(0, 100)}...` : text);

/** Not reentrant: what a text said is in the fields, the last three of which are valid after read(). */
export class TimeReader {
  /** Each is tried, the one that fitted last first. */
  readonly layouts: readonly (readonly Step[])[];
  readonly #options: ReaderOptions;
  readonly #isLenient: boolean;
  #fitted = 0;
  #text = '';
  #at = 0;
  #year = 0;
  #month = -1;
  #day = -1;
  #yearDay = -1;
  #hour = 0;
  #minute = 0;
  #second = 0;
  /** AM, PM, or both. */
  #half = 0;
  #zoneName = '';
  #isUtc = false;
  /** Seconds ahead of UTC, NaN where the text has none. */
  #offset = Number.NaN;
  /** Of the Unix epoch. */
  seconds = 0;
  nanos = 0;
  /** Where the time is. */
  zone: Zone = UTC;

  /** A layout of Go's: any text is one. */
  static ofGo(layout: string, options: ReaderOptions): TimeReader {
    return new TimeReader([layout], options, false);
  }
  /** A strptime format. Throws an Error where a directive is unknown or misplaced. */
  static ofStrptime(format: string, options: ReaderOptions): TimeReader {
    checkStrptime(format);
    return new TimeReader(layoutsToRead(format), options, true);
  }
  private constructor(layouts: readonly string[], options: ReaderOptions, isLenient: boolean) {
    this.layouts = layouts.map(parseLayout);
    this.#options = options;
    this.#isLenient = isLenient;
  }

  /** Sets `seconds`, `nanos` and `zone`. Throws a TimeError that says what does not fit. */
  read(text: string): void {
    const { layouts } = this;
    if (layouts.length === 1) {
      this.#readBy(layouts[0]!, text);
      return;
    }
    let failure: unknown = null;
    for (let i = 0; i < layouts.length; i++) {
      const which = (this.#fitted + i) % layouts.length;
      try {
        this.#readBy(layouts[which]!, text);
        this.#fitted = which;
        return;
      } catch (error) {
        failure ??= error;
      }
    }
    throw failure;
  }

  #readBy(steps: readonly Step[], given: string): void {
    const text = this.#options.translate === undefined ? given : this.#options.translate(given, steps);
    this.#text = text;
    this.#at = this.#year = this.#hour = this.#minute = this.#second = this.#half = this.nanos = 0;
    this.#month = this.#day = this.#yearDay = -1;
    this.#offset = Number.NaN;
    this.#zoneName = '';
    this.#isUtc = false;
    for (let i = 0; i < steps.length; i++) {
      const step = steps[i]!;
      if (step.prefix !== '') this.#skip(step.prefix);
      if (step.kind !== null) this.#element(step, steps[i + 1]);
    }
    if (this.#at < text.length) this.#fail(`extra text: ${quote(text.slice(this.#at))}`);
    this.#finish();
  }

  #fail(what: string): never {
    throw timeError(`parsing time ${quote(this.#text)}: ${what}`);
  }
  #mismatch(wanted: string): never {
    return this.#fail(`cannot parse ${quote(this.#text.slice(this.#at))} as ${quote(wanted === ANY_OFFSET ? '%z' : wanted)}`);
  }

  /** One space in a layout stands for any number of them, none at the end of the text. */
  #skip(prefix: string): void {
    const text = this.#text;
    for (let i = 0; i < prefix.length; i++) {
      if (prefix[i] === ' ') {
        if (this.#at < text.length && text[this.#at] !== ' ') this.#mismatch(prefix);
        while (prefix[i + 1] === ' ') i++;
        while (text[this.#at] === ' ') this.#at++;
      } else if (text[this.#at] === prefix[i]) this.#at++;
      else this.#mismatch(prefix);
    }
  }

  #number(least: number, most: number, element: string): number {
    const text = this.#text;
    let at = this.#at,
      value = 0;
    const limit = at + most;
    while (at < limit && isDigit(text, at)) value = value * 10 + text.charCodeAt(at++) - 48;
    if (at - this.#at < least) this.#mismatch(element);
    this.#at = at;
    return value;
  }
  #within(value: number, least: number, most: number, what: string): number {
    return value < least || value > most ? this.#fail(`${what} out of range`) : value;
  }
  #name(lowerNames: readonly string[], element: string): number {
    const rest = this.#text.slice(this.#at, this.#at + 9).toLowerCase();
    for (let i = 0; i < lowerNames.length; i++) {
      if (!rest.startsWith(lowerNames[i]!)) continue;
      this.#at += lowerNames[i]!.length;
      return i;
    }
    return this.#mismatch(element);
  }

  #element(step: Step, following: Step | undefined): void {
    const { kind, element } = step,
      text = this.#text,
      first = element.charCodeAt(0);
    // Elements of digits or a Z; not those that begin with a sign, an underscore or a letter.
    if (this.#isLenient && ((first >= 48 && first <= 57) || first === 90 || element === ANY_OFFSET)) while (isSpace(text.charCodeAt(this.#at))) this.#at++;
    switch (kind) {
      case 'year':
        this.#year = this.#number(4, 4, element);
        return;
      case 'year2': {
        const year = this.#number(2, 2, element);
        this.#year = year >= 69 ? 1900 + year : 2000 + year;
        return;
      }
      case 'monthLong':
        this.#month = this.#name(LOWER_MONTHS, element) + 1;
        return;
      case 'monthName':
        this.#month = this.#name(SHORT_MONTHS, element) + 1;
        return;
      case 'month':
      case 'month0':
        this.#month = this.#within(this.#number(element.length, 2, element), 1, 12, 'month');
        return;
      case 'weekdayLong':
        this.#name(LOWER_DAYS, element);
        return;
      case 'weekday':
        this.#name(SHORT_DAYS, element);
        return;
      case 'day_':
        if (text[this.#at] === ' ') this.#at++;
        this.#day = this.#number(1, 2, element);
        return;
      case 'day':
      case 'day0':
        this.#day = this.#number(element.length, 2, element);
        return;
      case 'yearDay_':
        for (let i = 0; i < 2 && text[this.#at] === ' '; i++) this.#at++;
        this.#yearDay = this.#number(1, 3, element);
        return;
      case 'yearDay0':
        this.#yearDay = this.#number(3, 3, element);
        return;
      case 'hour':
        this.#hour = this.#within(this.#number(1, 2, element), 0, 23, 'hour');
        return;
      case 'hour12':
      case 'hour120':
        this.#hour = this.#within(this.#number(element.length, 2, element), 0, 12, 'hour');
        return;
      case 'minute':
      case 'minute0':
        this.#minute = this.#within(this.#number(element.length, 2, element), 0, 59, 'minute');
        return;
      case 'second':
      case 'second0':
        this.#second = this.#within(this.#number(element.length, 2, element), 0, 59, 'second');
        // A fraction that the layout does not mention is read, too.
        if (following?.kind !== 'fraction0' && following?.kind !== 'fraction9' && isFraction(text, this.#at)) this.#fraction();
        return;
      case 'fraction0': {
        const start = this.#at;
        if (!isFraction(text, start)) this.#mismatch(element);
        for (let i = 1; i < element.length; i++) if (!isDigit(text, start + i)) this.#mismatch(element);
        this.nanos = nanosOf(text, start + 1, start + element.length);
        this.#at = start + element.length;
        return;
      }
      case 'fraction9':
        if (isFraction(text, this.#at)) this.#fraction();
        return;
      case 'PM':
      case 'pm': {
        const half = text.slice(this.#at, this.#at + 2);
        if (half !== element && half !== (kind === 'PM' ? 'AM' : 'am')) this.#mismatch(element);
        this.#half |= half === element ? PM : AM;
        this.#at += 2;
        return;
      }
      case 'zone':
        this.#readZone();
        return;
      default:
        this.#readOffset(element);
    }
  }

  /** A separator and all digits that follow it. */
  #fraction(): void {
    let end = this.#at + 1;
    while (isDigit(this.#text, end)) end++;
    this.nanos = nanosOf(this.#text, this.#at + 1, end);
    this.#at = end;
  }

  #readZone(): void {
    const match = ABBREVIATION.exec(this.#text.slice(this.#at, this.#at + 8));
    if (match === null) this.#mismatch('MST');
    if (match[0] === 'UTC') this.#isUtc = true;
    else this.#zoneName = match[0];
    this.#at += match[0].length;
  }

  #readOffset(element: string): void {
    const text = this.#text;
    if (text[this.#at] === 'Z' && (element[0] === 'Z' || element === ANY_OFFSET)) {
      this.#isUtc = true;
      this.#at++;
      return;
    }
    const match = OFFSETS[element]!.exec(text.slice(this.#at, this.#at + 9));
    if (match === null) return this.#mismatch(element);
    const hours = this.#within(Number(match[2]), 0, 24, 'time zone offset hour'),
      minutes = this.#within(Number(match[3] ?? 0), 0, 60, 'time zone offset minute'),
      seconds = this.#within(Number(match[4] ?? 0), 0, 60, 'time zone offset second');
    this.#offset = (match[1] === '-' ? -1 : 1) * (hours * 3600 + minutes * 60 + seconds);
    this.#at += match[0].length;
  }

  #finish(): void {
    if ((this.#half & PM) !== 0 && this.#hour < 12) this.#hour += 12;
    else if ((this.#half & AM) !== 0 && this.#hour === 12) this.#hour = 0;
    if (this.#yearDay >= 0) this.#placeYearDay();
    if (this.#month < 0) this.#month = 1;
    if (this.#day < 0) this.#day = 1;
    if (this.#day < 1 || this.#day > daysIn(this.#year, this.#month)) this.#fail('day out of range');
    const zone = this.#options.abbreviations === undefined ? this.#options.zone : this.#zoneFor(this.#options.abbreviations);
    this.#place(this.#wallSeconds(this.#year), zone, zone !== this.#options.zone);
    if (this.#year === 0) this.#placeInThisYear();
  }

  #placeYearDay(): void {
    const year = this.#year;
    if (this.#yearDay < 1 || this.#yearDay > (isLeap(year) ? 366 : 365)) this.#fail('day-of-year out of range');
    let month = 1,
      day = this.#yearDay;
    while (day > daysIn(year, month)) day -= daysIn(year, month++);
    if (this.#month >= 0 && this.#month !== month) this.#fail('day-of-year does not match month');
    if (this.#day >= 0 && this.#day !== day) this.#fail('day-of-year does not match day');
    this.#month = month;
    this.#day = day;
  }

  #wallSeconds(year: number): number {
    // Date.UTC takes the years 0 to 99 for 1900 to 1999; 400 years are always as many days.
    const shift = year < 100 ? 400 : 0;
    return Date.UTC(year + shift, this.#month - 1, this.#day, this.#hour, this.#minute, this.#second) / 1000 - (shift === 0 ? 0 : 12_622_780_800);
  }

  /** The place of the first word in capitals that has one. */
  #zoneFor(abbreviations: ReadonlyMap<string, Zone>): Zone {
    for (const [word] of this.#text.matchAll(/\b[A-Z]{2,5}\b/g)) {
      const zone = abbreviations.get(word);
      if (zone !== undefined) return zone;
    }
    return this.#options.zone;
  }

  /** `isOfName`: the zone was chosen by the abbreviation in the text. */
  #place(wall: number, zone: Zone, isOfName: boolean): void {
    this.zone = zone;
    const name = this.#zoneName;
    if (this.#isUtc) {
      this.seconds = wall;
      this.zone = UTC;
    } else if (!Number.isNaN(this.#offset)) {
      this.seconds = wall - this.#offset;
      if (this.#offset === 0 && name !== '' && name !== zone.abbreviationAt(this.seconds)) this.#placeOf(name); // Go looks for it in vain, too.
      if (zone.offsetAt(this.seconds) !== this.#offset) this.zone = this.#offset === 0 && name === '' ? UTC : fixedZone(name, this.#offset);
    } else if (name === '') this.seconds = instantOf(wall, zone);
    else this.#placeByName(wall, zone, name, isOfName);
  }

  #placeByName(wall: number, zone: Zone, name: string, isOfName: boolean): void {
    const known = offsetOfName(zone, name, wall, this.#options.nowMs());
    if (known !== undefined) {
      this.seconds = wall - known;
      return;
    }
    const hours = name.startsWith('GMT') ? Number(name.slice(3)) : 0;
    if (hours !== 0) {
      // As Go does: shown with this offset, but not moved by it.
      this.seconds = wall;
      this.zone = fixedZone(name, hours * 3600);
      return;
    }
    // An abbreviation that is not used in the zone: some of them are names of places, too.
    const place = isOfName ? zone : this.#placeOf(name),
      offset = offsetOfName(place, name, wall, this.#options.nowMs());
    this.zone = place;
    this.seconds = offset === undefined ? instantOf(wall, place) : wall - offset;
  }
  #placeOf(name: string): Zone {
    try {
      return loadZone(name);
    } catch (error) {
      throw timeError((error as Error).message);
    }
  }

  /** A text without a year is of this year, or of the last one where that would be more than a week ahead. */
  #placeInThisYear(): void {
    const now = this.#options.nowMs() / 1000,
      year = new Date((now + LOCAL.offsetAt(now)) * 1000).getUTCFullYear();
    this.seconds = instantOf(this.#wallSeconds(year), this.zone);
    if (this.seconds > now + WEEK_SECONDS) this.seconds = instantOf(this.#wallSeconds(year - 1), this.zone);
  }
}

function nanosOf(text: string, start: number, end: number): number {
  let nanos = 0;
  for (let i = 0; i < 9; i++) nanos = nanos * 10 + (start + i < end ? text.charCodeAt(start + i) - 48 : 0);
  return nanos;
}

const ABBREVIATION =
  /^(?:UTC|ChST|MeST|GMT(?:[+-](?:1?\d|2[0-3])(?!\d))?|[+-](?:[01]?\d|2[0-3])(?!\d)|WITA(?![A-Z])|[A-Z]{3}(?![A-Z])|[A-Z]{3}T(?![A-Z])|[A-Z]{4}T(?![A-Z]))/;

const FORMS: Readonly<Record<string, RegExp>> = {
  '07': /^([+-])(\d\d)/,
  '0700': /^([+-])(\d\d)(\d\d)/,
  '07:00': /^([+-])(\d\d):(\d\d)/,
  '070000': /^([+-])(\d\d)(\d\d)(\d\d)/,
  '07:00:00': /^([+-])(\d\d):(\d\d):(\d\d)/,
};
/** By element: -07:00 and Z07:00 differ only in that the second may be a Z. */
const OFFSETS: Readonly<Record<string, RegExp>> = {
  ...Object.fromEntries(Object.entries(FORMS).flatMap(([form, expression]) => ['-', 'Z'].map((sign) => [sign + form, expression]))),
  [ANY_OFFSET]: /^([+-])(\d\d)(?::?(\d\d))?/,
};
