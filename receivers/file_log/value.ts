/**
 * Values inside a log entry while operators work on it: what Go's `any` holds in the Collector, with its distinction of integer and
 * double (bigint and number). Absent is `undefined`, nil is `null`. Encoding to OTLP is in encode.ts.
 */
import { defaultFloat } from '#src/core/go_float.ts';
import type { Zone } from '#src/helper/time/zone.ts';

/** A point in time as a parser found it, with the zone it was written in. */
export class Instant {
  /** Whole seconds since 1970, may be negative. */
  readonly seconds: number;
  /** 0 to 999,999,999. */
  readonly nanos: number;
  readonly zone: Zone;
  /** False: the text had no year, `seconds` are in the one that is likely. */
  readonly hasYear: boolean;
  constructor(seconds: number, nanos: number, zone: Zone, hasYear = true) {
    this.seconds = seconds;
    this.nanos = nanos;
    this.zone = zone;
    this.hasYear = hasYear;
  }
}

/** Lists and maps of Go types that the Collector cannot turn into OTLP: they work inside an expression and leave it as text. */
export class OpaqueList extends Array<Value> {}
export class OpaqueMap {
  readonly items: Map<Value, Value>;
  constructor(items: Map<Value, Value>) {
    this.items = items;
  }
}

export type ValueMap = Map<string, Value>;
export type Value = null | boolean | number | bigint | string | Uint8Array | Instant | OpaqueMap | Value[] | ValueMap;

export function isMap(value: Value | undefined): value is ValueMap {
  return value instanceof Map;
}

/** A copy that shares nothing that could be changed. */
export function cloneValue(value: Value): Value {
  if (value instanceof Map) {
    const copy: ValueMap = new Map();
    for (const [key, item] of value) copy.set(key, cloneValue(item));
    return copy;
  }
  if (Array.isArray(value)) return value instanceof OpaqueList ? value : value.map(cloneValue);
  return value;
}

/** The name of a value's Go type, for messages. */
export function typeName(value: Value | undefined): string {
  if (value === null || value === undefined) return '<nil>';
  if (typeof value === 'string') return 'string';
  if (typeof value === 'bigint') return 'int64';
  if (typeof value === 'number') return 'float64';
  if (typeof value === 'boolean') return 'bool';
  if (value instanceof Uint8Array) return '[]uint8';
  if (value instanceof Instant) return 'time.Time';
  if (Array.isArray(value)) return '[]interface {}';
  return 'map[string]interface {}';
}

const two = (value: number): string => String(value).padStart(2, '0');

/** As Go's Time.String(): "2023-10-11 22:14:15 +0000 UTC". */
export function instantText(instant: Instant): string {
  const ahead = instant.zone.offsetAt(instant.seconds),
    local = new Date((instant.seconds + ahead) * 1000);
  const fraction = instant.nanos === 0 ? '' : `.${String(instant.nanos).padStart(9, '0').replace(/0+$/, '')}`;
  const offset = Math.abs(ahead);
  const zone = `${ahead < 0 ? '-' : '+'}${two(Math.floor(offset / 3600))}${two(Math.floor(offset / 60) % 60)}`;
  const date = `${String(instant.hasYear ? local.getUTCFullYear() : 0).padStart(4, '0')}-${two(local.getUTCMonth() + 1)}-${two(local.getUTCDate())}`;
  return `${date} ${two(local.getUTCHours())}:${two(local.getUTCMinutes())}:${two(local.getUTCSeconds())}${fraction} ${zone} ${instant.zone.abbreviationAt(instant.seconds) || zone}`;
}

/** A value as Go's %v prints it. */
export function goText(value: Value | undefined): string {
  if (value === null || value === undefined) return '<nil>';
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return defaultFloat(value);
  if (typeof value === 'bigint' || typeof value === 'boolean') return String(value);
  if (value instanceof Uint8Array) return `[${value.join(' ')}]`;
  if (value instanceof Instant) return instantText(value);
  if (Array.isArray(value)) return `[${value.map(goText).join(' ')}]`;
  const items = value instanceof OpaqueMap ? value.items : value;
  const pairs = Array.from(items, ([key, item]): [string, string] => [goText(key), goText(item)]);
  pairs.sort((a, b) => (a[0] < b[0] ? -1 : 1));
  return `map[${pairs.map(([key, item]) => `${key}:${item}`).join(' ')}]`;
}

/** What YAML or JSON gave as plain data, as a value: whole numbers become integers. */
export function fromPlain(plain: unknown): Value {
  if (plain === null || plain === undefined) return null;
  if (typeof plain === 'number') return Number.isSafeInteger(plain) ? BigInt(plain) : plain;
  if (typeof plain === 'string' || typeof plain === 'boolean' || typeof plain === 'bigint') return plain;
  if (Array.isArray(plain)) return plain.map(fromPlain);
  if (plain instanceof Map) return new Map(Array.from(plain, ([key, item]): [string, Value] => [String(key), fromPlain(item)]));
  return new Map(Object.entries(plain as object).map(([key, item]): [string, Value] => [key, fromPlain(item)]));
}
