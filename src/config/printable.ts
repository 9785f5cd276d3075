/**
 * A typed configuration as print-config shows it: all defaults filled in, durations in nanoseconds, secrets hidden unless asked for.
 * It follows the values as written (not what a schema turned them into), so that it can be read back.
 */
import type { z } from 'zod';
import { KIND, parseGoDuration } from './schema.ts';
import { alternatives, fits, inputSchema, preprocessOf, schemaInfo } from './schema_walk.ts';

export type PrintMode = 'redacted' | 'unredacted';

/** What is shown of `input`, the value that was given to the schema. */
export function printable(schema: z.ZodType, input: unknown, mode: PrintMode): unknown {
  const filled = input === undefined ? defaultOf(schema) : { value: input, parsed: false };
  return filled.value === undefined || filled.value === null ? null : show(schema, filled.value, filled.parsed, mode);
}

/** `parsed`: the default stands behind the transforms (z.default), so a duration is milliseconds already. */
function defaultOf(schema: z.ZodType): { value: unknown; parsed: boolean } {
  const info = schemaInfo(schema);
  if (info.type === 'default') return { value: info.defaultValue, parsed: true };
  if (info.type === 'prefault') return { value: info.defaultValue, parsed: false };
  if (info.type === 'optional' || info.type === 'nullable' || info.type === 'readonly' || info.type === 'nonoptional') return defaultOf(info.innerType!);
  if (info.type === 'pipe') return defaultOf(schemaInfo(info.in!).type === 'transform' ? info.out! : info.in!);
  return { value: undefined, parsed: false };
}

function show(schema: z.ZodType, value: unknown, parsed: boolean, mode: PrintMode): unknown {
  const kind = KIND.get(inputSchema(schema) as never)?.kind;
  if (parsed && Array.isArray(value) && value.length === 0) return null; // A list that nobody wrote.
  if (kind === 'switched' && (value as { enabled?: boolean }).enabled === false) return null;
  if (kind === 'secret') return mode === 'redacted' ? '[REDACTED]' : value;
  if (kind === 'duration') return nanoseconds(value, parsed);
  const preprocess = preprocessOf(schema);
  // Maps that may be written in two forms are shown in one; scalars as they were written.
  const given = preprocess === undefined || parsed || typeof value !== 'object' ? value : preprocess(value);
  const target = alternatives(schema).find((one) => fits(one, given));
  if (target === undefined) return given;
  if (KIND.has(target as never) && target !== schema) return show(target, given, parsed, mode);
  const info = schemaInfo(target);
  if (info.type === 'array') return (given as unknown[]).map((item) => show(info.element!, item, parsed, mode));
  if (info.type === 'record') {
    const entries = Object.entries(given as object);
    // Hidden values by name are a list of pairs (the Collector's configopaque.MapList).
    if (KIND.get(inputSchema(info.valueType!) as never)?.kind === 'secret')
      return entries.map(([name, item]) => ({ name, value: show(info.valueType!, item, parsed, mode) }));
    return Object.fromEntries(entries.map(([key, item]) => [key, item === null ? null : show(info.valueType!, item, parsed, mode)]));
  }
  if (info.type === 'object') {
    const map = given as Record<string, unknown>,
      result: Record<string, unknown> = {};
    for (const [key, below] of Object.entries(info.shape!)) {
      if (kind === 'switched' && key === 'enabled') continue;
      if (parsed) {
        if (map[key] !== undefined) result[key] = map[key] === null ? null : show(below, map[key], true, mode);
      } else if (map[key] !== undefined || !isRefused(below)) result[key] = printable(below, map[key], mode);
    }
    for (const [key, item] of Object.entries(map)) if (!(key in info.shape!)) result[key] = item;
    return result;
  }
  return given;
}

/** Options that we refuse have nothing to show. */
function isRefused(schema: z.ZodType): boolean {
  return schemaInfo(inputSchema(schema)).type === 'undefined' || schemaInfo(inputSchema(schema)).type === 'never';
}

function nanoseconds(value: unknown, parsed: boolean): unknown {
  if (typeof value === 'number') return parsed ? Math.round(value * 1e6) : value;
  const ms = typeof value === 'string' ? parseGoDuration(value.trim()) : undefined;
  return ms === undefined ? value : Math.round(ms * 1e6);
}
