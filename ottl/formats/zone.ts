/** Places of the time zone database, by way of Intl: offsets, abbreviations, and which instant a wall clock showed. */
import { fail, UTC, type Zone } from '#ottl/values.ts';

const SECOND = 1_000_000_000n;
/** Changes of clocks fall on quarters of an hour since 1972. */
const QUARTER_MS = 900_000;
const MAX_CACHED = 4096;
/** English as spoken where people abbreviate these zones; Intl writes GMT+1 for those of other countries. */
const SPEAKERS = ['en-US', 'en-GB', 'en-AU', 'en-CA', 'en-ZA', 'en-IN', 'en-NZ'];

/** Names of zones without a slash. Intl knows more of them (PST), the database does not. */
const SHORT_NAMES = new Set(
  'CET CST6CDT Cuba EET EST EST5EDT Egypt Eire Factory GB GB-Eire GMT GMT+0 GMT-0 GMT0 Greenwich HST Hongkong Iceland Iran Israel Jamaica Japan Kwajalein Libya MET MST MST7MDT NZ NZ-CHAT Navajo PRC PST8PDT Poland Portugal ROC ROK Singapore Turkey UCT Universal W-SU WET Zulu'.split(
    ' ',
  ),
);
/** Abbreviations of the database that Intl has in no language; none of these places changes its clocks. */
const ABBREVIATIONS: Readonly<Record<string, string>> = {
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
  offsetSeconds(unixNano: bigint): number {
    const quarter = Math.floor(Number(unixNano / 1_000_000n) / QUARTER_MS);
    let offset = this.#offsets.get(quarter);
    if (offset === undefined) {
      offset = this.#offsetAt(quarter * QUARTER_MS);
      if (this.#offsets.size >= MAX_CACHED) this.#offsets.clear();
      this.#offsets.set(quarter, offset);
    }
    return offset;
  }
  #offsetAt(unixMs: number): number {
    if (Math.abs(unixMs) > 8.64e15) return 0;
    const parts = Object.fromEntries(this.#clock.formatToParts(unixMs).map(({ type, value }) => [type, value]));
    const local = new Date(0);
    local.setUTCFullYear(parts.era === 'BC' ? 1 - Number(parts.year) : Number(parts.year), Number(parts.month) - 1, Number(parts.day));
    local.setUTCHours(Number(parts.hour), Number(parts.minute), Number(parts.second));
    return Math.round((local.getTime() - unixMs) / 1000);
  }
  abbreviation(unixNano: bigint): string {
    if (Object.hasOwn(ABBREVIATIONS, this.name)) return ABBREVIATIONS[this.name]!;
    this.#names ??= SPEAKERS.map((locale) => new Intl.DateTimeFormat(locale, { timeZone: this.name, timeZoneName: 'short' }));
    const unixMs = Number(unixNano / 1_000_000n);
    if (Math.abs(unixMs) > 8.64e15) return '';
    for (const names of this.#names) {
      const name = names.formatToParts(unixMs).find(({ type }) => type === 'timeZoneName')!.value;
      if (!/^(?:GMT|UTC)[+\-−]/.test(name)) return name;
    }
    const offset = this.offsetSeconds(unixNano),
      minutes = Math.abs(offset) / 60;
    const two = (value: number): string => String(Math.trunc(value)).padStart(2, '0');
    return `${offset < 0 ? '-' : '+'}${two(minutes / 60)}${minutes % 60 ? two(minutes % 60) : ''}`;
  }
}

const zones = new Map<string, Zone>([
  ['', UTC],
  ['UTC', UTC],
]);

/** Throws OttlError where there is no such zone. "Local" is the zone of the process. */
export function loadZone(name: string): Zone {
  let zone = zones.get(name);
  if (zone === undefined) {
    const local = name === 'Local' ? (process.env.TZ ?? new Intl.DateTimeFormat().resolvedOptions().timeZone).replace(/^:/, '') : name;
    try {
      zone =
        /^(?:UTC|Etc\/(?:UTC|Unknown)|)$/.test(local) && name === 'Local' ? UTC : local.includes('/') || SHORT_NAMES.has(local) ? new Place(local) : fail('');
    } catch {
      return fail(`failed to load location ${name}: unknown time zone ${name}`);
    }
    zones.set(name, zone);
  }
  return zone;
}

/** A zone that is nothing but an offset, and the name that stood beside it. */
export function fixedZone(name: string, offsetSeconds: number): Zone {
  return { name, offsetSeconds: () => offsetSeconds, abbreviation: () => name };
}

/** The instant at which clocks in the zone showed this wall-clock time (given as if it were UTC); in gaps and repeats as Go chooses. */
export function instantOf(wallNano: bigint, zone: Zone): bigint {
  const shift = (offset: number): bigint => wallNano - BigInt(offset) * SECOND;
  const offset = zone.offsetSeconds(wallNano);
  if (offset === 0) return wallNano;
  return shift(zone.offsetSeconds(shift(offset)));
}

/** The offset for which the zone uses an abbreviation, in the half-year of the instant or the one beside it; undefined: for none. */
export function offsetOfName(zone: Zone, name: string, unixNano: bigint): number | undefined {
  const halfYear = 183n * 86_400n * SECOND;
  for (const at of [unixNano, unixNano + halfYear, unixNano - halfYear]) if (zone.abbreviation(at) === name) return zone.offsetSeconds(at);
  return undefined;
}
