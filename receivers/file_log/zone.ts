/**
 * Time zones: how many seconds a place is ahead of UTC, from the system's zone data by way of Intl. A wall-clock time that a change of
 * the clock skips or repeats is read as Go does.
 */

const QUARTER_MS = 900_000;
const MAX_CACHED = 4096;

export class Zone {
  readonly name: string;
  /** Null: always UTC. Undefined: not made yet. */
  #format: Intl.DateTimeFormat | null | undefined;
  /** Quarter of an hour since 1970 to offset: all changes of clocks since 1972 fall on one. */
  readonly #cache = new Map<number, number>();

  /** Throws a RangeError where the system knows no such zone. "Local" is looked up when it is needed: Intl takes 11 ms to say which zone it is. */
  constructor(name: string) {
    this.name = name;
    this.#format = name === 'Local' ? undefined : formatOf(name);
  }

  /** Seconds ahead of UTC at an instant. */
  offsetAt(seconds: number): number {
    if (this.#format === undefined) this.#format = formatOf(localZoneName());
    if (this.#format === null) return 0;
    const quarter = Math.floor((seconds * 1000) / QUARTER_MS);
    const known = this.#cache.get(quarter);
    if (known !== undefined) return known;
    const at = quarter * QUARTER_MS,
      parts: Record<string, string> = {};
    if (!(Math.abs(at) < 8.64e15)) return 0;
    for (const part of this.#format.formatToParts(at)) parts[part.type] = part.value;
    const year = parts.era === 'BC' ? 1 - Number(parts.year) : Number(parts.year);
    const local = new Date(0);
    local.setUTCFullYear(year, Number(parts.month) - 1, Number(parts.day));
    local.setUTCHours(Number(parts.hour), Number(parts.minute), Number(parts.second));
    const offset = Math.round((local.getTime() - at) / 1000);
    if (this.#cache.size >= MAX_CACHED) this.#cache.clear();
    this.#cache.set(quarter, offset);
    return offset;
  }

  /** The instant, in seconds, at which clocks there showed a wall-clock time given as if it were UTC. */
  instantOf(wallSeconds: number): number {
    const offset = this.offsetAt(wallSeconds);
    if (offset === 0) return wallSeconds;
    return wallSeconds - this.offsetAt(wallSeconds - offset);
  }
}

function formatOf(name: string): Intl.DateTimeFormat | null {
  if (name === 'UTC') return null;
  return new Intl.DateTimeFormat('en-US', {
    timeZone: name,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
    era: 'short',
  });
}

export const UTC = new Zone('UTC');

const zones = new Map<string, Zone>([
  ['UTC', UTC],
  ['', UTC],
]);

/** Throws an Error that names the zone. "Local" is the process's own zone. */
export function loadZone(name: string): Zone {
  let zone = zones.get(name);
  if (zone === undefined) {
    try {
      zone = new Zone(name);
    } catch {
      throw new Error(`unknown time zone ${name}`);
    }
    zones.set(name, zone);
  }
  return zone;
}

function localZoneName(): string {
  const name = new Intl.DateTimeFormat().resolvedOptions().timeZone;
  return name === 'Etc/UTC' || name === 'Etc/Unknown' || name === undefined ? 'UTC' : name;
}
