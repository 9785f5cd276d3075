/**
 * The blocks that every parser may carry and that are operators of their own as well: timestamp, severity, trace, scope_name.
 */
import { z } from 'zod';
import type { Entry } from '#receivers/file_log/entry.ts';
import { Field } from '#receivers/file_log/field.ts';
import { Instant, typeName, type Value } from '#receivers/file_log/value.ts';
import type { Step } from '#src/helper/time/layout.ts';
import { TimeReader } from '#src/helper/time/reader.ts';
import { loadZone, type Zone, zoneOf } from '#src/helper/time/zone.ts';
import { SEVERITY_NAMES } from '#receivers/file_log/severity_names.ts';
import { fieldSchema } from './base.ts';

// ---- time

export const timeKeys = {
  parse_from: fieldSchema().optional(),
  layout: z.string().default(''),
  layout_type: z.enum(['strptime', 'gotime', 'epoch', 'native']).default('strptime'),
  location: z.string().default(''),
  time_zone_locations: z.record(z.string(), z.string()).optional(),
};
type TimeConfig = z.output<z.ZodObject<typeof timeKeys>>;

const EPOCH_LAYOUTS: Readonly<Record<string, number>> = { s: 1, ms: 1e3, us: 1e6, ns: 1e9, 's.ms': 1e3, 's.us': 1e6, 's.ns': 1e9 };

export class TimeParser {
  readonly parseFrom: Field;
  readonly layoutType: 'layout' | 'epoch' | 'native';
  readonly layout: string;
  /** The steps of a layout, for the fast path; empty for epoch and native. */
  readonly steps: readonly Step[];
  /** Null for epoch and native. */
  readonly reader: TimeReader | null;

  /** Throws an Error for the user. */
  constructor(config: TimeConfig, nowMs: () => number) {
    if (config.parse_from === undefined) throw new Error("missing required parameter 'parse_from'");
    if (config.layout === '' && config.layout_type !== 'native') throw new Error('missing required configuration parameter `layout`');
    this.parseFrom = config.parse_from;
    this.layout = config.layout;
    this.layoutType = config.layout_type === 'epoch' || config.layout_type === 'native' ? config.layout_type : 'layout';
    this.steps = [];
    this.reader = null;
    if (config.layout_type === 'epoch') {
      if (!Object.hasOwn(EPOCH_LAYOUTS, config.layout)) throw new Error('invalid `layout` for `epoch` type; use one of s, ms, us, ns, s.ms, s.us, s.ns');
      return;
    }
    if (config.layout_type === 'native') return;
    const places = Object.entries(config.time_zone_locations ?? {}),
      directive = config.layout_type === 'gotime' ? 'MST' : '%Z';
    if (places.length > 0 && !config.layout.includes(directive)) {
      throw new Error(
        `'time_zone_locations' requires the layout to contain a timezone abbreviation directive (%Z for strptime / MST for gotime), but layout "${config.layout}" has none`,
      );
    }
    this.reader = readerOf(config, places, nowMs);
    this.steps = this.reader.layouts[0]!;
  }

  /** Sets the time of the entry; throws where the field is missing or is no such time. */
  apply(entry: Entry): void {
    const value = this.parseFrom.get(entry);
    if (value === undefined) throw new Error(`time parser: log entry does not have the expected parse_from field ${this.parseFrom}`);
    if (this.layoutType === 'native') {
      if (!(value instanceof Instant)) throw new Error(`native time.Time field required, but found ${typeName(value)}`);
      entry.setTime(value.seconds, value.nanos);
      return;
    }
    if (this.layoutType === 'epoch') {
      this.#epoch(entry, value);
      return;
    }
    if (typeof value !== 'string') throw new Error(`type ${typeName(value)} cannot be parsed as a time`);
    const reader = this.reader!;
    reader.read(value);
    entry.setTime(reader.seconds, reader.nanos);
  }

  #epoch(entry: Entry, value: Value): void {
    const layout = this.layout,
      scale = EPOCH_LAYOUTS[layout]!,
      split = layout.includes('.');
    let stamp: string;
    if (typeof value === 'string') stamp = value;
    else if (typeof value === 'bigint') stamp = split ? `${value}.0` : String(value);
    else if (typeof value === 'number') stamp = split ? value.toFixed(Math.log10(scale)).padStart(10) : String(BigInt(Math.trunc(value)));
    else throw new Error(`type ${typeName(value)} cannot be parsed as a time`);
    const match = split ? /^([+-]?\d{1,18})\.(\d{1,18})$/.exec(stamp) : /^([+-]?\d{1,19})$/.exec(stamp);
    if (match === null) throw new Error(`invalid value '${stamp}' for layout '${layout}'`);
    if (split) {
      const nanos = BigInt(match[1]!) * 1_000_000_000n + BigInt(match[2]!) * BigInt(1e9 / scale);
      entry.setTime(Number(nanos / 1_000_000_000n), Number(nanos % 1_000_000_000n));
      return;
    }
    const count = BigInt(match[1]!),
      per = BigInt(scale);
    let seconds = count / per,
      rest = count % per;
    if (rest < 0n) {
      seconds -= 1n;
      rest += per;
    }
    entry.setTime(Number(seconds), Number(rest * BigInt(1e9 / scale)));
  }
}

/** Throws an Error that says which option is wrong. */
function readerOf(config: TimeConfig, places: readonly (readonly [string, string])[], nowMs: () => number): TimeReader {
  const within = <T>(option: string, work: () => T): T => {
    try {
      return work();
    } catch (error) {
      throw new Error(`${option}: ${(error as Error).message}`);
    }
  };
  const zone = within("invalid 'location'", () => zoneOf(config.location, config.layout));
  const abbreviations = new Map(
    places.map(([name, place]): [string, Zone] => [name, within(`invalid time_zone_locations entry ${JSON.stringify(name)}`, () => loadZone(place))]),
  );
  const options = { zone, nowMs, ...(places.length > 0 && { abbreviations }) };
  return within(`invalid ${config.layout_type} layout`, () =>
    config.layout_type === 'gotime' ? TimeReader.ofGo(config.layout, options) : TimeReader.ofStrptime(config.layout, options),
  );
}

// ---- severity

export const severityKeys = {
  parse_from: fieldSchema().optional(),
  preset: z.string().default('default'),
  mapping: z.record(z.string(), z.unknown()).default({}),
  overwrite_text: z.boolean().default(false),
};
type SeverityConfig = z.output<z.ZodObject<typeof severityKeys>>;

function severityTable(config: SeverityConfig): ReadonlyMap<string, number> {
  const table = new Map<string, number>();
  if (config.preset !== 'none') {
    const hasAliases = config.preset !== 'otel' && config.preset !== 'aliases'; // Any other name means the default.
    for (let number = 1; number <= 24; number++) {
      const name = SEVERITY_NAMES[number]!.toLowerCase();
      table.set(name, number);
      table.set(String(number), number);
      if (hasAliases && name.startsWith('warn')) table.set(name.replace('warn', 'warning'), number);
      if (hasAliases && name.startsWith('error')) table.set(name.replace('error', 'err'), number);
    }
  }
  for (const [alias, values] of Object.entries(config.mapping)) {
    // A name or a number; what is neither maps to no severity, as in the Collector.
    const number = /^([1-9]|1\d|2[0-4])$/.test(alias) ? Number(alias) : Math.max(0, SEVERITY_NAMES.indexOf(alias.toUpperCase()));
    for (const value of Array.isArray(values) ? values : [values]) if (value !== null) addMapping(table, value, number);
  }
  return table;
}

function addMapping(table: Map<string, number>, value: unknown, number: number): void {
  if (typeof value === 'string') {
    const http = /^([2345])xx$/.exec(value);
    if (http === null) table.set(value.toLowerCase(), number);
    else for (let code = 0; code < 100; code++) table.set(String(Number(http[1]) * 100 + code), number);
  } else if (typeof value === 'number' && Number.isInteger(value)) table.set(String(value), number);
  else if (typeof value === 'object' && value !== null && 'min' in value && 'max' in value) {
    const low = Number(value.min),
      high = Number(value.max);
    if (!Number.isInteger(low) || !Number.isInteger(high)) throw new Error('severity range: min and max must be whole numbers');
    if (Math.abs(high - low) > 100_000) throw new Error('severity range: more than 100000 values');
    for (let code = Math.min(low, high); code <= Math.max(low, high); code++) table.set(String(code), number);
  } else
    throw new Error(`type ${typeof value} cannot be parsed as a severity: ${JSON.stringify(value)}; write a text, a whole number, 2xx to 5xx, or {min, max}`);
}

export class SeverityParser {
  readonly parseFrom: Field;
  /** Lower-case text to number. */
  readonly table: ReadonlyMap<string, number>;
  readonly overwriteText: boolean;

  constructor(config: SeverityConfig) {
    if (config.parse_from === undefined) throw new Error("missing required parameter 'parse_from'");
    this.parseFrom = config.parse_from;
    this.table = severityTable(config);
    this.overwriteText = config.overwrite_text;
  }

  apply(entry: Entry): void {
    const value = this.parseFrom.get(entry);
    if (value === undefined) throw new Error(`severity parser: log entry does not have the expected parse_from field ${this.parseFrom}`);
    const text = severityTextOf(value);
    const number = this.table.get(text.toLowerCase()) ?? 0;
    entry.severityNumber = number;
    entry.severityText = this.overwriteText && number > 0 ? SEVERITY_NAMES[number]! : text;
  }
}

function severityTextOf(value: Value): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'number' && Number.isInteger(value)) return String(BigInt(value));
  if (value instanceof Uint8Array) return Buffer.from(value).toString();
  throw new Error(`type ${typeName(value)} cannot be a severity`);
}

// ---- trace and scope

const traceField = z.object({ parse_from: fieldSchema().optional() }).optional();
export const traceKeys = { trace_id: traceField, span_id: traceField, trace_flags: traceField };
type TraceConfig = z.output<z.ZodObject<typeof traceKeys>>;

export class TraceParser {
  readonly #traceId: Field;
  readonly #spanId: Field;
  readonly #flags: Field;

  constructor(config: TraceConfig) {
    this.#traceId = config.trace_id?.parse_from ?? new Field('body', ['trace_id']);
    this.#spanId = config.span_id?.parse_from ?? new Field('body', ['span_id']);
    this.#flags = config.trace_flags?.parse_from ?? new Field('body', ['trace_flags']);
  }

  /** Sets what can be read; throws afterwards where one of the three could not. */
  apply(entry: Entry): void {
    const faults: string[] = [];
    const read = (field: Field): Uint8Array | null => {
      const value = field.get(entry);
      if (value === undefined || value === null) return null;
      if (typeof value === 'string' && /^(?:[0-9a-fA-F]{2})*$/.test(value)) return Buffer.from(value, 'hex');
      faults.push(`${field}: ${typeof value === 'string' ? 'not hexadecimal' : `type ${typeName(value)}`}`);
      return null;
    };
    const traceId = read(this.#traceId),
      spanId = read(this.#spanId),
      flags = read(this.#flags);
    if (traceId !== null && traceId.length > 0) entry.traceId = fit(traceId, 16);
    if (spanId !== null && spanId.length > 0) entry.spanId = fit(spanId, 8);
    if (flags !== null && flags.length > 0) entry.traceFlags = flags[0]!;
    if (faults.length > 0) throw new Error(`trace parser: ${faults.join('; ')}`);
  }
}

function fit(bytes: Uint8Array, size: number): Uint8Array {
  const out = new Uint8Array(size);
  out.set(bytes.subarray(0, size));
  return out;
}

export const scopeNameKeys = { parse_from: fieldSchema().optional() };

export class ScopeNameParser {
  readonly parseFrom: Field;
  constructor(config: z.output<z.ZodObject<typeof scopeNameKeys>>) {
    this.parseFrom = config.parse_from ?? new Field('body', []);
  }
  apply(entry: Entry): void {
    const value = this.parseFrom.get(entry);
    if (value === undefined) throw new Error(`scope name parser: log entry does not have the expected parse_from field ${this.parseFrom}`);
    if (typeof value !== 'string') throw new Error(`type ${typeName(value)} cannot be a scope name`);
    entry.scopeName = value;
  }
}
