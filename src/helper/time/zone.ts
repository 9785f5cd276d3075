/** Places of the time zone database, by way of Intl: offsets, abbreviations, and which instant a wall clock showed. Seconds are of the Unix epoch. */

/** How far a place is ahead of UTC, and what it calls that. */
export interface Zone {
  readonly name: string;
  offsetAt(seconds: number): number;
  /** As formatting shows it; '' where the zone is nothing but an offset. */
  abbreviationAt(seconds: number): string;
}

export const UTC: Zone = { name: 'UTC', offsetAt: () => 0, abbreviationAt: () => 'UTC' };

/** Changes of clocks fall on quarters of an hour since 1972. */
const QUARTER = 900;
const DAY = 86_400;
const HALF_YEAR = 183 * DAY;
const MAX_CACHED = 4096;
/** Beyond this, in seconds, Date has no time. */
const LAST_SECOND = 8.64e12;
/** English as spoken where people abbreviate these zones; Intl writes GMT+1 for those of other countries. */
const SPEAKERS = ['en-US', 'en-GB', 'en-AU', 'en-CA', 'en-ZA', 'en-IN', 'en-NZ'];

/** Names of zones without a slash. Intl knows more of them (PST), the database does not. */
const SHORT_NAMES = new Set(
  'CET CST6CDT Cuba EET EST EST5EDT Egypt Eire Factory GB GB-Eire GMT GMT+0 GMT-0 GMT0 Greenwich HST Hongkong Iceland Iran Israel Jamaica Japan Kwajalein Libya MET MST MST7MDT NZ NZ-CHAT Navajo PRC PST8PDT Poland Portugal ROC ROK Singapore Turkey UCT Universal W-SU WET Zulu'.split(
    ' ',
  ),
);
/** Abbreviations of the database that Intl has in no language; none of these places changes its clocks. GMT it calls UTC. */
const ABBREVIATIONS: Readonly<Record<string, string>> = {
  GMT: 'GMT',
  'Asia/Tokyo': 'JST',
  Japan: 'JST',
  'Asia/Seoul': 'KST',
  'Asia/Shanghai': 'CST',
  'Asia/Taipei': 'CST',
  'Asia/Hong_Kong': 'HKT',
  'Asia/Manila': 'PST',
  'Asia/Karachi': 'PKT',
  'Asia/Jakarta': 'WIB',
  'Europe/Moscow': 'MSK',
  'Africa/Lagos': 'WAT',
  'Africa/Nairobi': 'EAT',
};

class Place implements Zone {
  readonly name: string;
  readonly #clock: Intl.DateTimeFormat;
  readonly #offsets = new Map<number, number>();
  /** By day and offset: there are two on a day on which clocks change. */
  readonly #abbreviations = new Map<number, string>();
  #names: Intl.DateTimeFormat[] | null = null;

  /** Throws a RangeError where there is no such place. */
  constructor(name: string) {
    this.name = name;
    this.#clock = new Intl.DateTimeFormat('en-US', {
      timeZone: name,
      hourCycle: 'h23',
      era: 'short',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  }

  offsetAt(seconds: number): number {
    const quarter = Math.floor(seconds / QUARTER);
    let offset = this.#offsets.get(quarter);
    if (offset === undefined) {
      offset = this.#offsetAt(quarter * QUARTER);
      if (this.#offsets.size >= MAX_CACHED) this.#offsets.clear();
      this.#offsets.set(quarter, offset);
    }
    return offset;
  }

  #offsetAt(seconds: number): number {
    if (!(Math.abs(seconds) <= LAST_SECOND)) return 0;
    const parts: Partial<Record<Intl.DateTimeFormatPartTypes, string>> = {};
    for (const { type, value } of this.#clock.formatToParts(seconds * 1000)) parts[type] = value;
    const local = new Date(0);
    local.setUTCFullYear(parts.era === 'BC' ? 1 - Number(parts.year) : Number(parts.year), Number(parts.month) - 1, Number(parts.day));
    local.setUTCHours(Number(parts.hour), Number(parts.minute), Number(parts.second));
    return Math.round(local.getTime() / 1000 - seconds);
  }

  abbreviationAt(seconds: number): string {
    if (Object.hasOwn(ABBREVIATIONS, this.name)) return ABBREVIATIONS[this.name]!;
    const key = this.offsetAt(seconds) + Math.floor(seconds / DAY) * 2 * DAY; // Offsets are less than a day.
    let name = this.#abbreviations.get(key);
    if (name === undefined) {
      name = this.#abbreviationAt(seconds);
      if (this.#abbreviations.size >= MAX_CACHED) this.#abbreviations.clear();
      this.#abbreviations.set(key, name);
    }
    return name;
  }

  #abbreviationAt(seconds: number): string {
    this.#names ??= SPEAKERS.map((locale) => new Intl.DateTimeFormat(locale, { timeZone: this.name, timeZoneName: 'short' }));
    if (!(Math.abs(seconds) <= LAST_SECOND)) return '';
    for (const names of this.#names) {
      const name = names.formatToParts(seconds * 1000).find(({ type }) => type === 'timeZoneName')!.value;
      if (!/^(?:GMT|UTC)[+\-−]/.test(name)) return name;
    }
    const offset = this.offsetAt(seconds),
      minutes = Math.abs(offset) / 60;
    const two = (value: number): string => String(Math.trunc(value)).padStart(2, '0');
    return `${offset < 0 ? '-' : '+'}${two(minutes / 60)}${minutes % 60 ? two(minutes % 60) : ''}`;
  }
}

/** The zone of the process, looked up when it is needed: Intl takes 11 ms to say which it is. */
class LocalZone implements Zone {
  readonly name = 'Local';
  #place: Zone | null = null;

  #found(): Zone {
    if (this.#place === null) {
      const name = (process.env.TZ ?? new Intl.DateTimeFormat().resolvedOptions().timeZone ?? '').replace(/^:/, '');
      this.#place = /^(?:UTC|Etc\/(?:UTC|Unknown)|)$/.test(name) ? UTC : placeOf(name);
    }
    return this.#place;
  }
  offsetAt(seconds: number): number {
    return this.#found().offsetAt(seconds);
  }
  abbreviationAt(seconds: number): string {
    return this.#found().abbreviationAt(seconds);
  }
}

const zones = new Map<string, Zone>([
  ['', UTC],
  ['UTC', UTC],
  ['Local', new LocalZone()],
]);

/** Throws an Error in Go's words where there is no such zone. "Local" is the zone of the process. */
export function loadZone(name: string): Zone {
  let zone = zones.get(name);
  if (zone === undefined) {
    zone = placeOf(name);
    zones.set(name, zone);
  }
  return zone;
}

function placeOf(name: string): Zone {
  try {
    if (name.includes('/') || SHORT_NAMES.has(name)) return new Place(name);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  throw new Error(`failed to load location ${name}: unknown time zone ${name}`);
}

/** A zone that is nothing but an offset, and the name that stood beside it. */
export function fixedZone(name: string, offsetSeconds: number): Zone {
  return { name, offsetAt: () => offsetSeconds, abbreviationAt: () => name };
}

/** The instant at which clocks in the zone showed this wall-clock time (given as if it were UTC); in gaps and repeats as Go chooses. */
export function instantOf(wallSeconds: number, zone: Zone): number {
  const offset = zone.offsetAt(wallSeconds);
  return offset === 0 ? wallSeconds : wallSeconds - zone.offsetAt(wallSeconds - offset);
}

/** The offset for which the zone uses an abbreviation, in the half-year of the instant or the one beside it, or today; undefined: for none. */
export function offsetOfName(zone: Zone, name: string, seconds: number, nowMs: number): number | undefined {
  for (const around of [seconds, nowMs / 1000])
    for (const at of [around, around + HALF_YEAR, around - HALF_YEAR]) if (zone.abbreviationAt(at) === name) return zone.offsetAt(at);
  return undefined;
}

/** Where a time without a zone is: in the location that is given, in UTC where the layout ends in Z, else where the process is. */
export function zoneOf(location: string, layout: string): Zone {
  if (location !== '') return loadZone(location);
  return layout.endsWith('Z') ? UTC : loadZone('Local');
}
