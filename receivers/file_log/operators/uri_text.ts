/** Addresses as Go's url.ParseRequestURI takes them apart: absolute, or a path, or "?" and a query. A fragment stays where it is. */
import type { Value, ValueMap } from '#receivers/file_log/value.ts';

function invalid(text: string, why: string): never {
  throw new Error(`parse ${JSON.stringify(text.slice(0, 200))}: ${why}`);
}

function unescapePart(text: string, plusIsSpace: boolean): string {
  if (/%(?![0-9a-fA-F]{2})/.test(text)) throw new Error('invalid URL escape');
  const spaced = plusIsSpace ? text.replaceAll('+', ' ') : text;
  if (!spaced.includes('%')) return spaced;
  const bytes = Buffer.from(
    spaced
      .replace(/%[0-9a-fA-F]{2}|[\s\S]/gu, (piece) => (piece.length === 3 && piece[0] === '%' ? piece : encodeURIComponent(piece)))
      .replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  );
  return bytes.toString('utf8');
}

/** Faulty pairs are left out where `strict` is false. */
function parseQuery(query: string, strict: boolean): ValueMap {
  const map: ValueMap = new Map();
  for (const pair of query.split('&')) {
    if (pair === '') continue;
    try {
      if (pair.includes(';')) throw new Error('invalid semicolon separator in query');
      const at = pair.indexOf('='),
        key = unescapePart(at < 0 ? pair : pair.slice(0, at), true),
        value = at < 0 ? '' : unescapePart(pair.slice(at + 1), true);
      const list = map.get(key) as Value[] | undefined;
      if (list === undefined) map.set(key, [value]);
      else list.push(value);
    } catch (error) {
      if (strict) throw error;
    }
  }
  return map;
}

export function parseUri(text: string): ValueMap {
  if (text.startsWith('?')) return new Map([['query', parseQuery(text.slice(1), true)]]);
  const map: ValueMap = new Map();
  if (/[\x00-\x1f\x7f]/.test(text)) invalid(text, 'invalid control character in URL');
  const scheme = /^([a-zA-Z][a-zA-Z0-9+.-]*):/.exec(text);
  let rest = scheme === null ? text : text.slice(scheme[0].length);
  if (scheme !== null) map.set('scheme', scheme[1]!.toLowerCase());
  const mark = rest.indexOf('?'),
    query = mark < 0 ? '' : rest.slice(mark + 1);
  if (mark >= 0) rest = rest.slice(0, mark);
  if (!rest.startsWith('/')) {
    if (scheme === null) invalid(text, 'invalid URI for request');
  } else {
    if (rest.startsWith('//') && (scheme !== null || !rest.startsWith('///'))) {
      const end = rest.indexOf('/', 2),
        authority = rest.slice(2, end < 0 ? rest.length : end);
      rest = end < 0 ? '' : rest.slice(end);
      setAuthority(map, authority, text);
    }
    const path = unescapePart(rest, false);
    if (path !== '') map.set('path', path);
  }
  const parsed = parseQuery(query, false);
  if (parsed.size > 0) map.set('query', parsed);
  return map;
}

function setAuthority(map: ValueMap, authority: string, text: string): void {
  const at = authority.lastIndexOf('@'),
    user = at < 0 ? '' : authority.slice(0, at),
    place = authority.slice(at + 1);
  const match = /^(?:\[([^\]]*)\]|([^[\]:]*))(?::(\d*))?$/.exec(place);
  if (match === null) invalid(text, place.startsWith('[') ? "missing ']' in host" : `invalid port in host ${JSON.stringify(place)}`);
  if (match[2] !== undefined && /[\s"<>\\^`{|}]/.test(match[2])) invalid(text, 'invalid character in host name');
  const name = unescapePart(user.split(':')[0]!, false);
  if (name !== '') map.set('user', name);
  const host = match[1] ?? unescapePart(match[2]!, false);
  if (host !== '') map.set('host', host);
  if (match[3] !== undefined && match[3] !== '') map.set('port', match[3]);
}
