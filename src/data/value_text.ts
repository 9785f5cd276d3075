/** Values as text, as the Collector's pcommon.Value.AsString writes them: what exporters, hashes and conversions show of a value. */
import { floatText } from '#src/core/go_float.ts';
import type { Value } from './value.ts';

/** Text as it is, nil empty, bytes in base64, maps and lists as JSON with sorted keys; empty where a NaN or an infinity in them is nothing for JSON. */
export function valueText(value: Value): string {
  if (typeof value === 'string') return value;
  if (value === null) return '';
  if (typeof value === 'number') return Number.isFinite(value) ? formatFloat(value) : String(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  return typeof value === 'object' ? (valueJson(value) ?? '') : String(value);
}

/** encoding/json of the raw form: keys sorted by their bytes, HTML as it is. Undefined for what JSON cannot hold. */
function valueJson(value: Value): string | undefined {
  if (value === null) return 'null';
  if (typeof value === 'string') return jsonString(value);
  if (typeof value === 'number') return Number.isFinite(value) ? formatFloat(value) : undefined;
  if (typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (value instanceof Uint8Array) return value.length === 0 ? 'null' : `"${Buffer.from(value).toString('base64')}"`;
  if (Array.isArray(value)) {
    const items = value.map(valueJson);
    return items.includes(undefined) ? undefined : `[${items.join(',')}]`;
  }
  const last = new Map(value.keys.map((key, i) => [key, value.values[i]!]));
  const keys = [...last.keys()].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  const entries: string[] = [];
  for (const key of keys) {
    const json = valueJson(last.get(key)!);
    if (json === undefined) return undefined;
    entries.push(`${jsonString(key)}:${json}`);
  }
  return `{${entries.join(',')}}`;
}

const jsonString = (text: string): string => JSON.stringify(text).replace(/[\u2028\u2029]/g, (found) => (found === '\u2028' ? '\\u2028' : '\\u2029'));

/** As pdata writes it: an exponent below 1e-6 and from 1e21 on, of at least so many digits. */
export function formatFloat(value: number, exponentDigits = 1): string {
  return floatText(value, 1e-6, 1e21, exponentDigits);
}
