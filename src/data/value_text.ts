/** Values as text, as the Collector's pcommon.Value.AsString writes them: what exporters, hashes and conversions show of a value. */
import type { Value } from './value.ts';

/** Text as it is, nil empty, bytes in base64, maps and lists as JSON with sorted keys. */
export function valueText(value: Value): string {
  if (typeof value === 'string') return value;
  if (value === null) return '';
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  return valueJson(value);
}

/** encoding/json of the raw form: keys sorted by their bytes, HTML escaped. What JSON cannot hold (NaN) is written as a string. */
export function valueJson(value: Value): string {
  if (value === null) return 'null';
  if (typeof value === 'string') return jsonString(value);
  if (typeof value === 'number') return Number.isFinite(value) ? formatFloat(value) : jsonString(formatFloat(value));
  if (typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (value instanceof Uint8Array) return `"${Buffer.from(value).toString('base64')}"`;
  if (Array.isArray(value)) return `[${value.map(valueJson).join(',')}]`;
  const last = new Map(value.keys.map((key, i) => [key, value.values[i]!])),
    keys = [...last.keys()].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return `{${keys.map((key) => `${jsonString(key)}:${valueJson(last.get(key)!)}`).join(',')}}`;
}

const HTML: Readonly<Record<string, string>> = { '<': '\\u003c', '>': '\\u003e', '&': '\\u0026', '\u2028': '\\u2028', '\u2029': '\\u2029' };
const jsonString = (text: string): string => JSON.stringify(text).replace(/[<>&\u2028\u2029]/g, (found) => HTML[found]!);

/** Shortest digits that give the same double; an exponent below 1e-6 and from 1e21 on, of as many digits as it has. */
export function formatFloat(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  if (Object.is(value, -0)) return '-0';
  const text = String(value),
    at = text.indexOf('e');
  if (at < 0) return text;
  const exponent = Number(text.slice(at + 1));
  if (exponent < -6 || exponent >= 21) return `${text.slice(0, at)}e${exponent < 0 ? '-' : '+'}${Math.abs(exponent)}`;
  return value.toFixed(Math.max(0, -exponent + text.slice(0, at).replace(/^-?\d+\.?/, '').length));
}
