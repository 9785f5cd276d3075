/**
 * OTLP JSON in the form in which the recorded cases hold it (README.md, "Normalising"), for tests that run in process: attributes sorted by key,
 * defaults dropped, enums as numbers. run.mjs does the same for the output of whole programs, and for more kinds of it.
 */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Present with a default value they still say something: members of a oneof, and optional fields. */
const KEPT = new Set(
  'stringValue boolValue intValue doubleValue arrayValue kvlistValue bytesValue asInt asDouble sum min max gauge histogram exponentialHistogram summary key'.split(
    ' ',
  ),
);
const isDefault = (value: Json): boolean =>
  value === null || value === 0 || value === '0' || value === '' || value === false || (typeof value === 'object' && Object.keys(value).length === 0);

/** `ignored`: names of fields to leave out anywhere. */
export function normalise(value: Json, ignored: readonly string[] = [], key = '', parent = ''): Json {
  if (Array.isArray(value)) {
    const list = value.map((item) => normalise(item, ignored, key, parent));
    const isMap = key === 'attributes' || key === 'filteredAttributes' || (key === 'values' && parent === 'kvlistValue');
    return isMap ? list.map((item) => ({ key: '', ...(item as object) })).toSorted((a, b) => compare(a.key, b.key)) : list;
  }
  if (value === null || typeof value !== 'object') return value === 'Infinity' || value === '-Infinity' || value === 'NaN' ? value : plain(key, value);
  const out: { [key: string]: Json } = {};
  for (const [name, raw] of Object.entries(value)) {
    if (ignored.includes(name)) continue;
    const item = normalise(raw, ignored, name, key);
    // The sum of a summary's data point is a plain field, elsewhere it is optional.
    const kept = KEPT.has(name) && item !== null && !(name === 'sum' && ('quantileValues' in value || parent === 'summary'));
    if (kept || !isDefault(item)) out[name] = item;
  }
  if (name(out.scope).startsWith('github.com/open-telemetry/opentelemetry-collector-contrib/')) delete (out.scope as { version?: Json }).version;
  return out;
}
const name = (scope: Json | undefined): string => (scope && typeof scope === 'object' && !Array.isArray(scope) ? String(scope.name ?? '') : '');
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const DOUBLES = new Set(['doubleValue', 'asDouble', 'explicitBounds', 'sum', 'min', 'max', 'quantile', 'value', 'zeroThreshold']);
const plain = (key: string, value: Json): Json => (DOUBLES.has(key) && typeof value === 'string' && value !== '' ? Number(value) : value);

/** All lists whose order does not matter, sorted. */
export function sortLists(value: Json, key = ''): Json {
  if (Array.isArray(value)) {
    const list = value.map((item) => sortLists(item));
    if (['bucketCounts', 'explicitBounds', 'quantileValues', 'values'].includes(key) || list.some((item) => typeof item !== 'object')) return list;
    return list.toSorted((a, b) => compare(stable(a), stable(b)));
  }
  return value !== null && typeof value === 'object' ? Object.fromEntries(Object.entries(value).map(([name, item]) => [name, sortLists(item, name)])) : value;
}
function stable(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(stable).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  return `{${Object.keys(value)
    .sort()
    .map((name) => `${JSON.stringify(name)}:${stable(value[name]!)}`)
    .join(',')}}`;
}
