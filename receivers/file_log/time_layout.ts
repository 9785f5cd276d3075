/**
 * Times by layout, as Go reads them: the reference time "Mon Jan 2 15:04:05 MST 2006" says by example what stands where.
 * strptime layouts (strptime.ts) become the same steps, only more forgiving about leading zeros.
 */
import { Instant } from './value.ts';
import { UTC, loadZone, type Zone } from './zone.ts';

export type StepKind =
  | 'year'
  | 'year2'
  | 'year2or4'
  | 'month'
  | 'month0'
  | 'monthName'
  | 'monthLong'
  | 'day'
  | 'day0'
  | 'day_'
  | 'yearDay'
  | 'weekday'
  | 'weekdayLong'
  | 'hour'
  | 'hour12'
  | 'hour120'
  | 'minute'
  | 'minute0'
  | 'second'
  | 'second0'
  | 'fraction0'
  | 'fraction9'
  | 'PM'
  | 'pm'
  | 'AMPM'
  | 'zone'
  | 'offset'
  | 'offsetAny';
export interface Step {
  /** Text before the element; a run of spaces in it stands for any number of them. */
  readonly prefix: string;
  readonly kind: StepKind | null;
  /** Of a fraction: its digits. Of an offset: its form, for example "Z07:00". */
  readonly detail: string;
}

const MONTHS = ['january', 'february', 'march', 'april', 'may', 'june', 'july', 'august', 'september', 'october', 'november', 'december'];
const DAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];

// Longest first where one begins like another.
const ELEMENT =
  /January|Jan|Monday|Mon|MST|Z070000|Z07:00:00|Z0700|Z07:00|Z07|-070000|-07:00:00|-0700|-07:00|-07|2006|__2|_2006|_2|002|01|02|03|04|05|06|15|1|2|3|4|5|PM|pm|[.,]0+(?!\d)|[.,]9+(?!\d)/g;
const KINDS: Readonly<Record<string, StepKind>> = {
  January: 'monthLong',
  Jan: 'monthName',
  Monday: 'weekdayLong',
  Mon: 'weekday',
  MST: 'zone',
  2006: 'year',
  __2: 'yearDay',
  _2: 'day_',
  '002': 'yearDay',
  '01': 'month0',
  '02': 'day0',
  '03': 'hour120',
  '04': 'minute0',
  '05': 'second0',
  '06': 'year2',
  15: 'hour',
  1: 'month',
  2: 'day',
  3: 'hour12',
  4: 'minute',
  5: 'second',
  PM: 'PM',
  pm: 'pm',
};

/** The steps of a Go layout. */
export function goSteps(layout: string): Step[] {
  const steps: Step[] = [];
  let from = 0;
  ELEMENT.lastIndex = 0;
  for (let match = ELEMENT.exec(layout); match !== null; match = ELEMENT.exec(layout)) {
    let text = match[0],
      at = match.index;
    // "Jan" and "Mon" inside a longer word are plain text.
    if ((text === 'Jan' || text === 'Mon') && /[a-z]/.test(layout[at + 3] ?? '')) continue;
    if (text === '_2006') {
      text = '2006';
      at++;
    }
    const prefix = layout.slice(from, at);
    from = at + text.length;
    if (/^[.,]/.test(text)) steps.push({ prefix, kind: text[1] === '0' ? 'fraction0' : 'fraction9', detail: text });
    else if (/^[-Z]07/.test(text)) steps.push({ prefix, kind: 'offset', detail: text });
    else steps.push({ prefix, kind: KINDS[text]!, detail: '' });
  }
  if (from < layout.length) steps.push({ prefix: layout.slice(from), kind: null, detail: '' });
  return steps;
}

function fail(text: string, what: string): never {
  throw new Error(`parsing time ${JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}...` : text)}: ${what}`);
}

const isDigit = (code: number): boolean => code >= 48 && code <= 57;

function daysIn(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

export interface LayoutOptions {
  /** Where a time without a zone is. */
  readonly zone: Zone;
  /** Zone abbreviation to location, for abbreviations the system does not know. */
  readonly abbreviations?: ReadonlyMap<string, Zone>;
  readonly nowMs: () => number;
}

/** Reads times of one layout. Not reentrant: the state of a parse is in its fields. */
export class TimeLayout {
  readonly steps: readonly Step[];
  readonly #options: LayoutOptions;
  #text = '';
  #at = 0;
  #year = 0;
  #month = -1;
  #day = -1;
  #yearDay = -1;
  #hour = 0;
  #minute = 0;
  #second = 0;
  #nanos = 0;
  #pm = 0;
  /** Seconds ahead of UTC, or NaN where the text has none. */
  #offset = Number.NaN;
  #zoneName = '';

  constructor(steps: readonly Step[], options: LayoutOptions) {
    this.steps = steps;
    this.#options = options;
  }

  /** Throws an Error that says what does not fit. */
  parse(text: string): Instant {
    this.#text = text;
    this.#at = 0;
    this.#year = this.#hour = this.#minute = this.#second = this.#nanos = this.#pm = 0;
    this.#month = this.#day = this.#yearDay = -1;
    this.#offset = Number.NaN;
    this.#zoneName = '';
    const steps = this.steps;
    for (let i = 0; i < steps.length; i++) {
      const step = steps[i]!;
      if (step.prefix !== '') this.#skip(step.prefix);
      if (step.kind !== null) this.#read(step, steps[i + 1]);
    }
    if (this.#at < text.length) fail(text, `extra text: ${JSON.stringify(text.slice(this.#at))}`);
    return this.#finish();
  }

  #skip(prefix: string): void {
    const text = this.#text;
    for (let i = 0; i < prefix.length; i++) {
      if (prefix[i] === ' ') {
        if (this.#at < text.length && text[this.#at] !== ' ') fail(text, `cannot parse ${JSON.stringify(text.slice(this.#at))} as ${JSON.stringify(prefix)}`);
        while (prefix[i + 1] === ' ') i++;
        while (text[this.#at] === ' ') this.#at++;
      } else if (text[this.#at] === prefix[i]) this.#at++;
      else fail(text, `cannot parse ${JSON.stringify(text.slice(this.#at))} as ${JSON.stringify(prefix)}`);
    }
  }

  /** One or two digits; `exact`: two. */
  #number(exact: boolean): number {
    const text = this.#text,
      a = text.charCodeAt(this.#at),
      b = text.charCodeAt(this.#at + 1);
    if (!isDigit(a) || (exact && !isDigit(b))) fail(text, `cannot parse ${JSON.stringify(text.slice(this.#at))} as a number`);
    this.#at++;
    if (!isDigit(b)) return a - 48;
    this.#at++;
    return (a - 48) * 10 + b - 48;
  }

  #name(names: readonly string[], short: boolean): number {
    const rest = this.#text.slice(this.#at, this.#at + 9).toLowerCase();
    for (let i = 0; i < names.length; i++) {
      const name = short ? names[i]!.slice(0, 3) : names[i]!;
      if (!rest.startsWith(name)) continue;
      this.#at += name.length;
      return i;
    }
    return fail(this.#text, `cannot parse ${JSON.stringify(this.#text.slice(this.#at))} as a name`);
  }

  #within(value: number, most: number, what: string): number {
    return value < 0 || value > most ? fail(this.#text, `${what} out of range`) : value;
  }

  #read(step: Step, following: Step | undefined): void {
    const text = this.#text;
    switch (step.kind) {
      case 'year': {
        const digits = /^\d{4}/.exec(text.slice(this.#at, this.#at + 4));
        if (digits === null) fail(text, `cannot parse ${JSON.stringify(text.slice(this.#at))} as "2006"`);
        this.#year = Number(digits[0]);
        this.#at += 4;
        return;
      }
      case 'year2or4':
      case 'year2': {
        const four = step.kind === 'year2or4' ? /^\d{4}/.exec(text.slice(this.#at, this.#at + 4)) : null;
        if (four !== null) {
          this.#year = Number(four[0]);
          this.#at += 4;
          return;
        }
        const year = this.#number(true);
        this.#year = year >= 69 ? 1900 + year : 2000 + year;
        return;
      }
      case 'month':
      case 'month0':
        this.#month = this.#number(step.kind === 'month0');
        if (this.#month < 1 || this.#month > 12) fail(text, 'month out of range');
        return;
      case 'monthName':
        this.#month = this.#name(MONTHS, true) + 1;
        return;
      case 'monthLong':
        this.#month = this.#name(MONTHS, false) + 1;
        return;
      case 'weekday':
        this.#name(DAYS, true);
        return;
      case 'weekdayLong':
        this.#name(DAYS, false);
        return;
      case 'day_':
        if (text[this.#at] === ' ') this.#at++;
        this.#day = this.#number(false);
        return;
      case 'day':
        this.#day = this.#number(false);
        return;
      case 'day0':
        this.#day = this.#number(true);
        return;
      case 'yearDay':
        this.#yearDay = Number(/^ {0,2}\d{1,3}/.exec(text.slice(this.#at))?.[0] ?? fail(text, 'no day of the year'));
        this.#at += 3;
        return;
      case 'hour':
        this.#hour = this.#within(this.#number(false), 23, 'hour');
        return;
      case 'hour12':
        this.#hour = this.#within(this.#number(false), 12, 'hour');
        return;
      case 'hour120':
        this.#hour = this.#within(this.#number(true), 12, 'hour');
        return;
      case 'minute':
      case 'minute0':
        this.#minute = this.#within(this.#number(step.kind === 'minute0'), 59, 'minute');
        return;
      case 'second':
      case 'second0': {
        this.#second = this.#within(this.#number(step.kind === 'second0'), 59, 'second');
        // A fraction the layout does not mention is read, too.
        const c = text[this.#at];
        if ((c === '.' || c === ',') && isDigit(text.charCodeAt(this.#at + 1)) && !(following?.prefix === '' && following.kind?.startsWith('fraction')))
          this.#fraction(0);
        return;
      }
      case 'fraction0': {
        const size = step.detail.length;
        if (!/^[.,]\d+$/.test(text.slice(this.#at, this.#at + size)) || text.length < this.#at + size)
          fail(text, `cannot parse ${JSON.stringify(text.slice(this.#at))} as a fraction`);
        this.#fraction(size - 1);
        return;
      }
      case 'fraction9': {
        const c = text[this.#at];
        if ((c === '.' || c === ',') && isDigit(text.charCodeAt(this.#at + 1))) this.#fraction(0);
        return;
      }
      case 'PM':
      case 'pm':
      case 'AMPM': {
        const word = text.slice(this.#at, this.#at + 2),
          shape = step.kind === 'PM' ? /^[AP]M$/ : step.kind === 'pm' ? /^[ap]m$/ : /^[ap]m$/i;
        if (!shape.test(word)) fail(text, `cannot parse ${JSON.stringify(text.slice(this.#at))} as AM or PM`);
        this.#pm = word[0]!.toLowerCase() === 'p' ? 2 : 1;
        this.#at += 2;
        return;
      }
      case 'zone':
        this.#zone();
        return;
      case 'offset':
      case 'offsetAny':
        this.#readOffset(step);
        return;
      default:
    }
  }

  /** A separator and digits; `width` 0 takes all there are. */
  #fraction(width: number): void {
    const from = ++this.#at;
    while (isDigit(this.#text.charCodeAt(this.#at)) && (width === 0 || this.#at - from < width)) this.#at++;
    this.#nanos = Number(this.#text.slice(from, Math.min(this.#at, from + 9)).padEnd(9, '0'));
  }

  #zone(): void {
    const rest = this.#text.slice(this.#at);
    const match = /^(?:UTC|GMT[+-]\d{1,2}|ChST|MeST|WITA|[A-Z]{3,5}(?![A-Z])|[+-]\d{2}(?:\d{2})?)/.exec(rest);
    if (match === null) fail(this.#text, `cannot parse ${JSON.stringify(rest)} as "MST"`);
    const name = match[0];
    this.#at += name.length;
    this.#zoneName = name;
    if (name === 'UTC') this.#offset = 0;
    else if (name.startsWith('GMT') && name.length > 3) this.#offset = Number(name.slice(3)) * 3600;
    else if (/^[+-]/.test(name)) this.#offset = (name[0] === '-' ? -1 : 1) * (Number(name.slice(1, 3)) * 3600 + Number(name.slice(3) || 0) * 60);
  }

  #readOffset(step: Step): void {
    const text = this.#text,
      rest = text.slice(this.#at, this.#at + 9);
    if (rest[0] === 'Z' && (step.kind === 'offsetAny' || step.detail[0] === 'Z')) {
      this.#at++;
      this.#offset = 0;
      this.#zoneName = 'UTC';
      return;
    }
    const form = step.kind === 'offsetAny' ? /^([+-])(\d\d)(?::?(\d\d)(?::?(\d\d))?)?/ : OFFSET_FORMS[step.detail.slice(1)]!;
    const match = form.exec(rest);
    if (match === null) fail(text, `cannot parse ${JSON.stringify(rest)} as an offset`);
    const hours = Number(match[2]),
      minutes = Number(match[3] ?? 0);
    if (hours > 24 || minutes > 59) fail(text, 'time zone offset out of range');
    this.#offset = (match[1] === '-' ? -1 : 1) * (hours * 3600 + minutes * 60 + Number(match[4] ?? 0));
    this.#at += match[0].length;
  }

  #finish(): Instant {
    const options = this.#options;
    let year = this.#year,
      month = this.#month,
      day = this.#day;
    if (this.#yearDay > 0 && month < 0) {
      month = 1;
      day = this.#yearDay;
      while (month <= 12 && day > daysIn(year, month)) day -= daysIn(year, month++);
      if (month > 12) fail(this.#text, 'day-of-year out of range');
    }
    if (month < 0) month = 1;
    if (day < 0) day = 1;
    if (day < 1 || day > daysIn(year, month)) fail(this.#text, 'day out of range');
    if (this.#pm === 2 && this.#hour < 12) this.#hour += 12;
    else if (this.#pm === 1 && this.#hour === 12) this.#hour = 0;
    const zone = this.#placeOf();
    const now = options.nowMs();
    const inYear = (of: number): number => {
      const wall = Date.UTC(of, month - 1, day, this.#hour, this.#minute, this.#second) / 1000;
      return Number.isNaN(this.#offset) ? zone.instantOf(wall) : wall - this.#offset;
    };
    let seconds: number;
    if (year > 0) {
      // Date.UTC takes years below 100 for 1900 and on.
      seconds = year < 100 ? inYear(year + 400) - 12_622_780_800 : inYear(year);
    } else {
      // No year: this one, or the last where that would be more than a week ahead.
      year = new Date(now).getUTCFullYear();
      seconds = inYear(year);
      if (seconds * 1000 > now + 7 * 86_400_000) seconds = inYear(year - 1);
    }
    const offset = Number.isNaN(this.#offset) ? zone.offsetAt(seconds) : this.#offset;
    return new Instant(seconds, this.#nanos, offset, this.#zoneName || (offset === 0 ? 'UTC' : ''));
  }

  /** The zone of a time: that of an abbreviation, else the configured one. */
  #placeOf(): Zone {
    const name = this.#zoneName;
    if (name === '' || !Number.isNaN(this.#offset)) return this.#options.zone;
    const own = this.#options.abbreviations?.get(name);
    if (own !== undefined) return own;
    try {
      return loadZone(name);
    } catch (error) {
      return fail(this.#text, (error as Error).message);
    }
  }
}

const OFFSET_FORMS: Readonly<Record<string, RegExp>> = {
  '07': /^([+-])(\d\d)/,
  '0700': /^([+-])(\d\d)(\d\d)/,
  '07:00': /^([+-])(\d\d):(\d\d)/,
  '070000': /^([+-])(\d\d)(\d\d)(\d\d)/,
  '07:00:00': /^([+-])(\d\d):(\d\d):(\d\d)/,
};

/** Go's rule for a layout without a location: a layout that ends in Z is UTC, any other local. */
export function defaultZone(layout: string): Zone {
  return layout.endsWith('Z') ? UTC : loadZone('Local');
}
