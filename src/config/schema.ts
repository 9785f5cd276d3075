/**
 * The value types of Collector configuration that zod does not have. Each says in its error what came and what was expected; the config
 * layer adds path, file, line and column. `KIND` marks schemas whose values print-config shows in a special way.
 */
import { z } from 'zod';

/** Marks a schema for print-config: a duration is shown in nanoseconds, a secret as [REDACTED], a section that `enabled: false` turns off as null.
 *  A list of component ids is never one text with commas. An exact value tells 1 (a bigint) from 1.0. */
export const KIND = z.registry<{ kind: 'duration' | 'secret' | 'switched' | 'ids' | 'exact' }>();

const UNIT_MS: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, µs: 1e-3, μs: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const DURATION = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h)(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))*$/;

/** Milliseconds of a Go duration ("1m30s", "200ms", "0"), or undefined. */
export function parseGoDuration(text: string): number | undefined {
  if (text === '0' || text === '+0' || text === '-0') return 0;
  if (!DURATION.test(text)) return undefined;
  let ms = 0;
  for (const [, number, unit] of text.matchAll(/(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g)) ms += Number(number) * UNIT_MS[unit!]!;
  return text.startsWith('-') ? -ms : ms;
}

/** A Go duration in the file, milliseconds in the program. A bare number is nanoseconds, as in the Collector. */
export function duration() {
  const schema = z.union([z.string(), z.number()]).transform((value, context) => {
    const ms = typeof value === 'number' ? value * 1e-6 : parseGoDuration(value.trim());
    if (ms === undefined) {
      context.addIssue({ code: 'custom', message: `"${value}" is not a duration; write a number with a unit, for example 30s, 200ms or 1h30m` });
      return z.NEVER;
    }
    return ms;
  });
  KIND.add(schema, { kind: 'duration' });
  return schema;
}

/** A string that is never shown: print-config and logs say [REDACTED]. */
export function secret() {
  const schema = z.string();
  KIND.add(schema, { kind: 'secret' });
  return schema;
}

/** Any value, to be written into telemetry: whole numbers come as bigints. */
export function anyValue() {
  const schema = z.unknown();
  KIND.add(schema, { kind: 'exact' });
  return schema;
}

/** host:port to listen on or to connect to. The port may be 0 for listening: the system chooses. */
export function endpoint() {
  return z.string().check((context) => {
    const value = context.value;
    if (value === '' || parseHostPort(value) !== undefined) return;
    context.issues.push({ code: 'custom', input: value, message: `"${value}" has no port; write host:port, for example "localhost:4317"` });
  });
}

/** "host:port", "[::1]:port" or ":port" in its two parts; undefined where it is none of these. */
export function parseHostPort(text: string): { host: string; port: number } | undefined {
  const match = /^(?:\[([0-9a-fA-F:.%]+)\]|([^:[\]]*)):(\d{1,5})$/.exec(text);
  if (!match || Number(match[3]) > 65535) return undefined;
  return { host: match[1] ?? match[2] ?? '', port: Number(match[3]) };
}

/**
 * An option the Collector has and we do not: given, it is refused with a clear message, never ignored. `null` counts as absent.
 * `unsupported('use retry_on_failure')` adds what to do instead.
 */
export function unsupported(instead?: string) {
  const message = `is not supported yet${instead === undefined ? '' : `; ${instead}`}`;
  return z.undefined({ error: message }).optional();
}
