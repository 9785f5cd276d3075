/**
 * The values OTTL works with at run time, with the semantics that Go gives them in the Collector: what compares with what, how a value
 * becomes text, and what it is called in an error. Shapes:
 *
 *   nil null | string | bool boolean | int64 bigint | float64 number | bytes Uint8Array | map ValueMap | list array
 *   []string StringList | time Time | duration Duration | trace, span and profile ids Id | everything else of a record Opaque
 *
 * An array is a list of any values, whether it came from telemetry or from a list literal. An int64 is always a bigint here; the paths
 * compiled over bytes (compile/) keep numbers where they can and never come here. No parsing and no paths in this file.
 */
import { quoteGo } from '#src/core/go_quote.ts';
import { type Value as Stored, ValueMap } from '#src/data/value.ts';
import { formatFloat } from '#src/data/value_text.ts';
import { UTC, type Zone } from '#src/helper/time/zone.ts';

export { type Stored, ValueMap };

/** Text with a Go []string behind it: becomes a list when stored, but compares with nothing, as in the Collector. */
export class StringList extends Array<string> {
  static override get [Symbol.species](): ArrayConstructor {
    return Array;
  }
}
export function stringList(items: Iterable<string>): StringList {
  const list = new StringList();
  for (const item of items) list.push(item);
  return list;
}

/** Go's zero time.Time: 1 January of the year 1. */
export const ZERO_TIME_NANO = -62135596800n * 1_000_000_000n;

export class Time {
  /** Nanoseconds since the epoch; any size, as Go's time reaches beyond int64 nanoseconds. */
  readonly unixNano: bigint;
  readonly zone: Zone;
  constructor(unixNano: bigint, zone: Zone = UTC) {
    this.unixNano = unixNano;
    this.zone = zone;
  }
  /** Whole seconds since the epoch, rounded down. */
  get seconds(): number {
    return Number(floorDivide(this.unixNano, SECOND));
  }
  /** Seconds that its zone is ahead of UTC at that time. */
  get offset(): number {
    return this.zone.offsetAt(this.seconds);
  }
}
const SECOND = 1_000_000_000n;
const floorDivide = (a: bigint, b: bigint): bigint => (a >= 0n || a % b === 0n ? a / b : a / b - 1n);

export class Duration {
  readonly nano: bigint;
  constructor(nano: bigint) {
    this.nano = BigInt.asIntN(64, nano);
  }
}

/** A trace id (16 bytes), span id (8) or profile id (16): comparable with its own kind, unlike bytes. */
export class Id {
  readonly kind: 'trace' | 'span' | 'profile';
  readonly bytes: Uint8Array;
  constructor(kind: 'trace' | 'span' | 'profile', bytes: Uint8Array) {
    this.kind = kind;
    this.bytes = bytes;
  }
  get hex(): string {
    return this.bytes.every((byte) => byte === 0) ? '' : Buffer.from(this.bytes).toString('hex');
  }
}

/** A part of a record that has no value type of its own (links, events, exemplars, buckets, data points): can be passed from path to path. */
export class Opaque {
  /** Go's name of it, for errors: "ptrace.SpanLinkSlice". */
  readonly type: string;
  readonly content: unknown;
  constructor(type: string, content: unknown) {
    this.type = type;
    this.content = content;
  }
}

/** The types of a list of telemetry and of a map inside a list that a statement writes. */
export const SLICE = 'pcommon.Slice';
export const MAP = 'pcommon.Map';
/** Bucket counts: a Go list that nothing but their own paths can store. */
export const UINTS = '[]uint64';

export type Value = null | string | boolean | bigint | number | Uint8Array | ValueMap | Value[] | StringList | Time | Duration | Id | Opaque;

/** An error of a statement at run time. Made without a stack: with error_mode ignore there may be one for each record. */
export class OttlError extends Error {
  override readonly name = 'OttlError';
}
export function ottlError(message: string): OttlError {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  const error = new OttlError(message);
  Error.stackTraceLimit = limit;
  return error;
}
export function fail(message: string): never {
  throw ottlError(message);
}
/** For helpers that know nothing of OTTL: what they throw becomes an OttlError. */
export function orFail<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    return fail((error as Error).message);
  }
}

const ID_TYPES = { trace: 'pcommon.TraceID', span: 'pcommon.SpanID', profile: 'pprofile.ProfileID' } as const;

/** What Go's %T says. */
export function typeName(value: Value | undefined): string {
  if (value === null || value === undefined) return '<nil>';
  switch (typeof value) {
    case 'string':
      return 'string';
    case 'boolean':
      return 'bool';
    case 'bigint':
      return 'int64';
    case 'number':
      return 'float64';
  }
  if (value instanceof Uint8Array) return '[]uint8';
  if (value instanceof ValueMap) return 'pcommon.Map';
  if (value instanceof StringList) return '[]string';
  if (Array.isArray(value)) return 'pcommon.Slice';
  if (value instanceof Time) return 'time.Time';
  if (value instanceof Duration) return 'time.Duration';
  if (value instanceof Id) return ID_TYPES[value.kind];
  return value.type;
}

/** pcommon.ValueType names, as in "type Str does not support string indexing". */
export function pdataTypeName(value: Value): string {
  if (value === null) return 'Empty';
  switch (typeof value) {
    case 'string':
      return 'Str';
    case 'boolean':
      return 'Bool';
    case 'bigint':
      return 'Int';
    case 'number':
      return 'Double';
  }
  if (value instanceof Uint8Array) return 'Bytes';
  if (value instanceof ValueMap) return 'Map';
  return 'Slice';
}

/** A copy that shares no list or map with the original. */
export function copyValue(value: Value): Value {
  if (value instanceof ValueMap) {
    return new ValueMap(
      [...value.keys],
      value.values.map((item) => copyValue(item) as Stored),
    );
  }
  if (Array.isArray(value)) return (value as Value[]).map(copyValue);
  return value;
}

/** What pcommon.Value.FromRaw makes of it: the value as telemetry can hold it. */
export function toStored(value: Value): Stored {
  if (value === null || typeof value !== 'object' || value instanceof Uint8Array) return value;
  if (value instanceof ValueMap) return copyValue(value) as ValueMap;
  if (Array.isArray(value)) return (value as Value[]).map(toStored);
  return fail(`<Invalid value type ${typeName(value)}>`);
}

export type CompareOp = '==' | '!=' | '<' | '<=' | '>' | '>=';

function ordered<T extends string | number | bigint>(a: T, b: T, op: CompareOp): boolean {
  switch (op) {
    case '==':
      return a === b;
    case '!=':
      return a !== b;
    case '<':
      return a < b;
    case '<=':
      return a <= b;
    case '>':
      return a > b;
    case '>=':
      return a >= b;
  }
}

/** Go orders strings by their bytes, JavaScript by UTF-16 units: they differ above the surrogates only. */
function compareText(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    if (x >= 0xd800 && y >= 0xd800) return Buffer.compare(Buffer.from(a), Buffer.from(b));
    return x - y;
  }
  return a.length - b.length;
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

/** Equality of everything that telemetry can hold: types must be the same, an int is never a float, order of map keys is of no account. */
export function deepEqual(a: Value, b: Value): boolean {
  if (a === b) return true;
  if (a === null || b === null || typeof a !== 'object' || typeof b !== 'object') return false;
  if (a instanceof Uint8Array) return b instanceof Uint8Array && equalBytes(a, b);
  if (a instanceof ValueMap) {
    if (!(b instanceof ValueMap) || a.size !== b.size) return false;
    return a.keys.every((key, i) => b.has(key) && deepEqual(a.values[i]!, b.get(key)!));
  }
  if (Array.isArray(a)) {
    if (!Array.isArray(b) || a.length !== b.length) return false;
    for (let i = 0; i < a.length; i++) if (!deepEqual(a[i]!, b[i]!)) return false;
    return true;
  }
  if (a instanceof Time) return b instanceof Time && a.unixNano === b.unixNano;
  if (a instanceof Duration) return b instanceof Duration && a.nano === b.nano;
  if (a instanceof Opaque)
    return b instanceof Opaque && (a.type === SLICE || a.type === MAP) && a.type === b.type && deepEqual(a.content as Value, b.content as Value);
  if (a instanceof Id) return b instanceof Id && a.kind === b.kind && equalBytes(a.bytes, b.bytes);
  return false;
}

/** Nil, and bytes of which there are none: in the Collector a []byte that is nil. */
const isNothing = (value: Value): value is null => value === null || (value instanceof Uint8Array && value.length === 0);

/** The comparison table of OTTL: numbers compare across their two types, nil with nil, otherwise other types are unequal and never less or greater. */
export function compareValues(a: Value, b: Value, op: CompareOp): boolean {
  const unlike = op === '!=';
  if (isNothing(a)) return isNothing(b) ? op === '==' || op === '<=' || op === '>=' : unlike;
  if (isNothing(b)) return unlike;
  switch (typeof a) {
    case 'string':
      return typeof b === 'string' ? (op === '==' || op === '!=' ? (a === b) === (op === '==') : ordered(compareText(a, b), 0, op)) : unlike;
    case 'boolean':
      return typeof b === 'boolean' ? ordered(a ? 1 : 0, b ? 1 : 0, op) : unlike;
    case 'bigint':
      if (typeof b === 'bigint') return ordered(a, b, op);
      return typeof b === 'number' ? ordered(Number(a), b, op) : unlike;
    case 'number':
      if (typeof b === 'number') return ordered(a, b, op);
      return typeof b === 'bigint' ? ordered(a, Number(b), op) : unlike;
  }
  if (a instanceof Uint8Array) return b instanceof Uint8Array ? ordered(Buffer.compare(a, b), 0, op) : unlike;
  if (a instanceof Time) return b instanceof Time ? ordered(a.unixNano, b.unixNano, op) : unlike;
  if (a instanceof Duration) return b instanceof Duration ? ordered(a.nano, b.nano, op) : unlike;
  if (a instanceof StringList || b instanceof StringList) return unlike;
  return op === '==' || op === '!=' ? deepEqual(a, b) === (op === '==') : false;
}

const INT64_MIN = -(1n << 63n);

/** Go's int64(float64) on amd64: everything that does not fit, and NaN, is the smallest int64. */
export function floatToInt(value: number): bigint {
  if (!(value >= -(2 ** 63) && value < 2 ** 63)) return INT64_MIN;
  return BigInt.asIntN(64, BigInt(Math.trunc(value)));
}

/** strconv.ParseInt(text, 10, 64), or undefined. */
export function parseInt64(text: string): bigint | undefined {
  if (!/^[+-]?\d+$/.test(text) || text.length > 4096) return undefined;
  const value = BigInt(text.startsWith('+') ? text.slice(1) : text);
  return value === BigInt.asIntN(64, value) ? value : undefined;
}

const DECIMAL = /^[+-]?(?:\d+(?:_?\d)*\.?(?:\d+)?|\.\d+)(?:[eE][+-]?\d+)?$/;
/** strconv.ParseFloat(text, 64): the message of the error where it is none. */
export function parseFloat64(text: string): number {
  const lower = text.toLowerCase();
  const special = /^([+-]?)(inf(?:inity)?|nan)$/.exec(lower);
  if (special) return special[2] === 'nan' ? (special[1] ? fail(floatSyntax(text)) : Number.NaN) : special[1] === '-' ? -Infinity : Infinity;
  const hex = /^([+-]?)0x([0-9a-f]*)\.?([0-9a-f]*)p([+-]?\d+)$/.exec(lower);
  if (hex && (hex[2] !== '' || hex[3] !== '')) {
    const mantissa = Number(`0x0${hex[2]}${hex[3]}`) * 2 ** (Number(hex[4]) - 4 * hex[3]!.length);
    return hex[1] === '-' ? -mantissa : mantissa;
  }
  if (!DECIMAL.test(text) || text.includes('_')) fail(floatSyntax(text));
  const value = Number(text);
  if (!Number.isFinite(value)) fail(`strconv.ParseFloat: parsing ${quoteGo(text)}: value out of range`);
  return value;
}
const floatSyntax = (text: string): string => `strconv.ParseFloat: parsing ${quoteGo(text)}: invalid syntax`;

/** strconv.ParseBool. */
export function parseBool(text: string): boolean {
  if (['1', 't', 'T', 'TRUE', 'true', 'True'].includes(text)) return true;
  if (['0', 'f', 'F', 'FALSE', 'false', 'False'].includes(text)) return false;
  return fail(`strconv.ParseBool: parsing ${quoteGo(text)}: invalid syntax`);
}

const ESCAPES: Readonly<Record<string, string>> = { '<': '\\u003c', '>': '\\u003e', '&': '\\u0026', '\u2028': '\\u2028', '\u2029': '\\u2029' };
export function jsonString(text: string): string {
  const quoted = JSON.stringify(text);
  return /[<>&\u2028\u2029]/.test(text) ? quoted.replace(/[<>&\u2028\u2029]/g, (found) => ESCAPES[found]!) : quoted;
}

/** json.Marshal of the raw form: keys sorted, HTML escaped, bytes in base64. The libraries differ in the exponents of small numbers: 1e-07 or 1e-7. */
export function toJson(value: Value, exponentDigits = 2): string {
  if (value === null) return 'null';
  switch (typeof value) {
    case 'string':
      return jsonString(value);
    case 'boolean':
    case 'bigint':
      return String(value);
    case 'number':
      if (!Number.isFinite(value)) fail(`json: unsupported value: ${formatFloat(value)}`);
      return formatFloat(value, exponentDigits);
  }
  if (value instanceof Uint8Array) return value.length === 0 ? 'null' : `"${Buffer.from(value).toString('base64')}"`;
  if (value instanceof ValueMap) {
    const last = new Map<string, Value>();
    value.keys.forEach((key, i) => {
      last.set(key, value.values[i]!);
    });
    const keys = [...last.keys()].sort(compareText);
    return `{${keys.map((key) => `${jsonString(key)}:${toJson(last.get(key)!, exponentDigits)}`).join(',')}}`;
  }
  if (Array.isArray(value)) return `[${(value as Value[]).map((item) => toJson(item, exponentDigits)).join(',')}]`;
  if (value instanceof Time) return jsonTime(value);
  if (value instanceof Duration) return String(value.nano);
  if (value instanceof Id) return `[${[...value.bytes].join(',')}]`;
  if (value instanceof Opaque && value.type === UINTS)
    return (value.content as readonly bigint[]).length === 0 ? 'null' : `[${(value.content as readonly bigint[]).join(',')}]`;
  return '{}';
}

/** The beginnings of the years 0 and 10000. */
const YEAR_0 = -62_167_219_200;
const YEAR_10000 = 253_402_300_800;
function jsonTime(time: Time): string {
  const local = time.seconds + time.offset;
  if (local < YEAR_0 || local >= YEAR_10000) fail('Time.MarshalJSON: year outside of range [0,9999]');
  return `"${formatRfc3339Nano(time)}"`;
}

/** RFC 3339 with as many digits of a second as are not zero, in the zone of the time. */
export function formatRfc3339Nano(time: Time): string {
  const { offset } = time;
  const local = time.unixNano + BigInt(offset) * 1_000_000_000n;
  const seconds = local >= 0n ? local / 1_000_000_000n : -((-local + 999_999_999n) / 1_000_000_000n);
  const nano = local - seconds * 1_000_000_000n;
  const date = new Date(Number(seconds) * 1000).toISOString().replace(/\.\d+Z$/, '');
  const fraction = nano === 0n ? '' : `.${String(nano).padStart(9, '0').replace(/0+$/, '')}`;
  const minutes = Math.trunc(Math.abs(offset) / 60);
  const zone = offset === 0 ? 'Z' : `${offset < 0 ? '-' : '+'}${String(Math.trunc(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;
  return `${date}${fraction}${zone}`;
}

/** time.Duration's String(): "1h2m3.5s". */
export function formatDuration(duration: Duration): string {
  const total = duration.nano;
  if (total === 0n) return '0s';
  const sign = total < 0n ? '-' : '';
  const nano = total < 0n ? -total : total;
  const trimmed = (whole: bigint, unit: bigint): string => {
    const rest = whole % unit;
    return rest === 0n
      ? String(whole / unit)
      : `${whole / unit}.${String(rest)
          .padStart(String(unit).length - 1, '0')
          .replace(/0+$/, '')}`;
  };
  if (nano < 1000n) return `${sign}${nano}ns`;
  if (nano < 1_000_000n) return `${sign}${trimmed(nano, 1000n)}µs`;
  if (nano < 1_000_000_000n) return `${sign}${trimmed(nano, 1_000_000n)}ms`;
  const hours = nano / 3_600_000_000_000n;
  const minutes = (nano / 60_000_000_000n) % 60n;
  const seconds = trimmed(nano % 60_000_000_000n, 1_000_000_000n);
  return `${sign}${hours > 0n ? `${hours}h` : ''}${hours > 0n || minutes > 0n ? `${minutes}m` : ''}${seconds}s`;
}
