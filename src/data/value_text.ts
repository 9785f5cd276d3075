/** Values as text, as the Collector's pcommon.Value.AsString writes them: what exporters, hashes and conversions show of a value. */
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
