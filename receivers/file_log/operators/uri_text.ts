/** Addresses as maps: absolute, or a path, or "?" and a query. A fragment stays where it is, the path keeps its escapes. */
import type { Value, ValueMap } from '#receivers/file_log/value.ts';
import { parseQuery, parseUrl } from '#src/helper/text/url.ts';

export function parseUri(text: string): ValueMap {
  const map: ValueMap = new Map();
  if (text.startsWith('?')) return addQuery(map, text.slice(1), true);
  const { scheme, userName, host, port, escapedPath, query } = parseUrl(text, true);
  for (const [key, value] of Object.entries({ scheme, user: userName, host, port, path: escapedPath })) if (value !== '') map.set(key, value);
  return addQuery(map, query, false);
}

/** Faulty pairs are left out where it is not strict. */
function addQuery(map: ValueMap, query: string, isStrict: boolean): ValueMap {
  const lists: ValueMap = new Map();
  for (const [key, value] of parseQuery(query, isStrict)) {
    const known = lists.get(key) as Value[] | undefined;
    if (known === undefined) lists.set(key, [value]);
    else known.push(value);
  }
  return lists.size > 0 ? map.set('query', lists) : map;
}
