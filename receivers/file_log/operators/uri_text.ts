/**
 * Addresses as Go's url.ParseRequestURI takes them apart: absolute, or a path, or "?" and a query. A fragment stays where it is, the path
 * keeps its escapes.
 */
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

/** Characters of a path that stand for themselves; a path with others is escaped anew. */
const PLAIN_PATH = /^[A-Za-z0-9\-_.~!$&'()*+,;=:@[\]%/]*$/;

function escapedPath(raw: string): string {
  const path = unescapePart(raw, false);
  if (PLAIN_PATH.test(raw)) return raw;
  return Buffer.from(path)
    .toString('latin1')
    .replace(/[^A-Za-z0-9\-_.~$&+,/:;=@]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`);
}

export function parseUri(text: string): ValueMap {
  const map: ValueMap = new Map();
  if (text.startsWith('?')) {
    const query = parseQuery(text.slice(1), true);
    if (query.size > 0) map.set('query', query);
    return map;
  }
  if (/[\x00-\x1f\x7f]/.test(text)) invalid(text, 'invalid control character in URL');
  if (text === '') invalid(text, 'empty url');
  if (text === '*') return map.set('path', '*');
  if (text.startsWith(':')) invalid(text, 'missing protocol scheme');
  const scheme = /^([a-zA-Z][a-zA-Z0-9+.-]*):/.exec(text);
  let rest = scheme === null ? text : text.slice(scheme[0].length);
  if (scheme !== null) map.set('scheme', scheme[1]!.toLowerCase());
  const mark = rest.indexOf('?'),
    query = mark < 0 ? '' : rest.slice(mark + 1);
  if (mark >= 0) rest = rest.slice(0, mark);
  if (!rest.startsWith('/')) {
    if (scheme === null) invalid(text, 'invalid URI for request');
  } else {
    if (rest.startsWith('//') && scheme !== null) {
      const end = rest.indexOf('/', 2),
        authority = rest.slice(2, end < 0 ? rest.length : end);
      rest = end < 0 ? '' : rest.slice(end);
      setAuthority(map, authority, text);
    }
    const path = escapedPath(rest);
    if (path !== '') map.set('path', path);
  }
  const parsed = parseQuery(query, false);
  if (parsed.size > 0) map.set('query', parsed);
  return map;
}

const IS_PORT = /^(?::\d*)?$/;

function setAuthority(map: ValueMap, authority: string, text: string): void {
  const at = authority.lastIndexOf('@'),
    user = at < 0 ? '' : authority.slice(0, at),
    place = authority.slice(at + 1);
  if (!/^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/.test(user)) invalid(text, 'net/url: invalid userinfo');
  const bracket = place.lastIndexOf(']'),
    colon = place.lastIndexOf(':');
  if (place.startsWith('[') && bracket < 0) invalid(text, "missing ']' in host");
  const port = place.startsWith('[') ? place.slice(bracket + 1) : colon < 0 ? '' : place.slice(colon);
  if (!IS_PORT.test(port)) invalid(text, `invalid port ${JSON.stringify(port)} after host`);
  // Escapes in a host are for letters beyond ASCII only.
  if (/[\s\\^`{|}#]/.test(place) || /%(?!25)[0-7]/.test(place)) invalid(text, 'invalid character in host name');
  const colonInUser = user.indexOf(':'),
    name = unescapePart(colonInUser < 0 ? user : user.slice(0, colonInUser), false);
  unescapePart(user, false); // The password, too, must be well written.
  if (name !== '') map.set('user', name);
  const host = unescapePart(place.slice(0, place.length - port.length), false).replace(/^\[(.*)\]$/s, '$1');
  if (host !== '') map.set('host', host);
  if (port.length > 1) map.set('port', port.slice(1));
}
