/**
 * Addresses as Go's net/url takes them apart and puts them together again: any URL, or one of a request, which is absolute or a path and has no
 * fragment. Inside, texts are bytes, one a character, because an escape may be half of a letter; what is handed out is text.
 */
import { isIPv6 } from 'node:net';
import { quoteGo } from '#src/core/go_quote.ts';

export interface Url {
  readonly scheme: string;
  /** '' where it has none, too: see `userInfo`. */
  readonly userName: string;
  readonly password: string | null;
  /** Name and password with escapes; null where there is no "@". */
  readonly userInfo: string | null;
  /** Name or address without brackets and port. */
  readonly host: string;
  readonly port: string;
  readonly path: string;
  /** The path with its escapes. */
  readonly escapedPath: string;
  readonly query: string;
  readonly fragment: string;
  /** As String() writes it. */
  readonly text: string;
}

type Part = 'host' | 'zone' | 'user' | 'path' | 'fragment' | 'query';
/** What must be escaped in each part, among bytes. */
const ESCAPED: Readonly<Record<Part, RegExp>> = {
  host: /[^A-Za-z0-9\-_.~!$&'()*+,;=:[\]<>"]/g,
  zone: /[^A-Za-z0-9\-_.~!$&'()*+,;=:[\]<>"]/g,
  user: /[^A-Za-z0-9\-_.~$&+,;=]/g,
  path: /[^A-Za-z0-9\-_.~$&+,/:;=@]/g,
  fragment: /[^A-Za-z0-9\-_.~$&+,/:;=?@!()*]/g,
  query: /[^A-Za-z0-9\-_.~]/g,
};
/** A path that is written so stays as it is. */
const WELL_WRITTEN = { path: /^[A-Za-z0-9\-_.~!$&'()*+,;=:@[\]%/]*$/, fragment: /^[A-Za-z0-9\-_.~!$&'()*+,;=:@[\]%/?]*$/ };
const PORT = /^(?::\d*)?$/;

const toBytes = (text: string): string => Buffer.from(text).toString('latin1');
const toText = (bytes: string): string => Buffer.from(bytes, 'latin1').toString();
const escapeByte = (byte: string): string => `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
const escapePart = (bytes: string, part: Part): string => bytes.replace(ESCAPED[part], escapeByte);

function fail(message: string): never {
  throw new Error(message);
}

function unescapePart(bytes: string, part: Part): string {
  if (part === 'host' || part === 'zone') {
    for (const byte of bytes.replace(/%../g, '').match(ESCAPED.host) ?? [])
      if (byte < '\x80' && byte !== '%') fail(`invalid character ${quoteGo(byte)} in host name`);
  }
  if (part === 'query') return unescapeBytes(bytes.replaceAll('+', ' '), part);
  return bytes.includes('%') ? unescapeBytes(bytes, part) : bytes;
}
function unescapeBytes(bytes: string, part: Part): string {
  return bytes.replace(/%([\s\S]{0,2})/g, (whole: string, hex: string) => {
    if (!/^[0-9a-fA-F]{2}$/.test(hex)) fail(`invalid URL escape ${quoteGo(toText(whole))}`);
    const byte = String.fromCharCode(Number.parseInt(hex, 16));
    // In a host only letters beyond ASCII are escaped, and the percent sign before a zone; in a zone whatever may stand in a host, and spaces.
    const isWrong = part === 'host' ? byte < '\x80' && byte !== '%' : part === 'zone' && byte !== '%' && byte !== ' ' && byte.search(ESCAPED.host) >= 0;
    return isWrong ? fail(`invalid URL escape ${quoteGo(whole)}`) : byte;
  });
}

/** The text as it was where that is a valid spelling of it, else escaped anew. */
function spelled(raw: string, bytes: string, part: 'path' | 'fragment'): string {
  return WELL_WRITTEN[part].test(raw) ? raw : escapePart(bytes, part);
}

/** Throws an Error with Go's text, `parse "…": …`. `isRequest`: as ParseRequestURI. */
export function parseUrl(text: string, isRequest = false): Url {
  const hash = isRequest ? -1 : text.indexOf('#'),
    whole = hash < 0 ? text : text.slice(0, hash);
  const within = <T>(shown: string, work: () => T): T => {
    try {
      return work();
    } catch (error) {
      return fail(`parse ${quoteGo(shown)}: ${(error as Error).message}`);
    }
  };
  const parts = within(whole, () => parseWithoutFragment(toBytes(whole), isRequest)),
    raw = hash < 0 ? '' : toBytes(text.slice(hash + 1)),
    fragment = within(text, () => unescapePart(raw, 'fragment'));
  const { name, port } = splitHost(parts.host);
  return {
    scheme: parts.scheme,
    userName: toText(parts.user?.name ?? ''),
    password: parts.user?.password == null ? null : toText(parts.user.password),
    userInfo: parts.user === null ? null : userText(parts.user),
    host: toText(name),
    port,
    path: toText(parts.path),
    escapedPath: escapedPath(parts),
    query: toText(parts.query),
    fragment: toText(fragment),
    text: toText(written(parts)) + (fragment === '' ? '' : `#${spelled(raw, fragment, 'fragment')}`),
  };
}

interface User {
  readonly name: string;
  readonly password: string | null;
}
/** In bytes. */
interface Parts {
  scheme: string;
  /** What follows the scheme where no slash does. */
  opaque: string;
  user: User | null;
  /** With the port. */
  host: string;
  /** It had the two slashes of one. */
  hasHost: boolean;
  path: string;
  rawPath: string;
  query: string;
  hasQuery: boolean;
}

function parseWithoutFragment(bytes: string, isRequest: boolean): Parts {
  const parts: Parts = { scheme: '', opaque: '', user: null, host: '', hasHost: false, path: '', rawPath: '', query: '', hasQuery: false };
  if (/[\x00-\x1f\x7f]/.test(bytes)) fail('net/url: invalid control character in URL');
  if (bytes === '' && isRequest) fail('empty url');
  if (bytes === '*') return { ...parts, path: '*' };
  if (bytes.startsWith(':')) fail('missing protocol scheme');
  const scheme = /^([A-Za-z][A-Za-z0-9+\-.]*):/.exec(bytes);
  let rest = scheme === null ? bytes : bytes.slice(scheme[0].length);
  parts.scheme = scheme === null ? '' : scheme[1]!.toLowerCase();
  const question = rest.indexOf('?');
  if (question >= 0) {
    parts.hasQuery = true;
    parts.query = rest.slice(question + 1);
    rest = rest.slice(0, question);
  }
  if (!rest.startsWith('/')) {
    if (scheme !== null) return { ...parts, opaque: rest };
    if (isRequest) fail('invalid URI for request');
    if (rest.split('/', 1)[0]!.includes(':')) fail('first path segment in URL cannot contain colon');
  }
  if (rest.startsWith('//') && (scheme !== null || (!isRequest && !rest.startsWith('///')))) {
    const slash = rest.indexOf('/', 2),
      authority = slash < 0 ? rest.slice(2) : rest.slice(2, slash),
      at = authority.lastIndexOf('@');
    parts.hasHost = true;
    parts.host = parseHost(authority.slice(at + 1));
    if (at >= 0) parts.user = parseUser(authority.slice(0, at));
    rest = slash < 0 ? '' : rest.slice(slash);
  }
  parts.rawPath = rest;
  parts.path = unescapePart(rest, 'path');
  return parts;
}

function parseUser(bytes: string): User {
  if (!/^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/.test(bytes)) fail('net/url: invalid userinfo');
  const colon = bytes.indexOf(':');
  if (colon < 0) return { name: unescapePart(bytes, 'user'), password: null };
  return { name: unescapePart(bytes.slice(0, colon), 'user'), password: unescapePart(bytes.slice(colon + 1), 'user') };
}
function userText({ name, password }: User): string {
  return escapePart(name, 'user') + (password === null ? '' : `:${escapePart(password, 'user')}`);
}

function parseHost(bytes: string): string {
  const open = bytes.lastIndexOf('[');
  if (open > 0) fail('invalid IP-literal');
  if (open === 0) return parseAddress(bytes);
  const colon = bytes.lastIndexOf(':'); // Some databases list several hosts with their ports.
  checkPort(colon < 0 ? '' : bytes.slice(colon));
  return unescapePart(bytes, 'host');
}
function parseAddress(bytes: string): string {
  const close = bytes.lastIndexOf(']');
  if (close < 0) fail("missing ']' in host");
  const port = bytes.slice(close + 1),
    inside = bytes.slice(1, close),
    zone = inside.indexOf('%25');
  checkPort(port);
  const address = zone < 0 ? unescapePart(inside, 'host') : unescapePart(inside.slice(0, zone), 'host') + unescapePart(inside.slice(zone), 'zone');
  const bare = zone < 0 ? address : address.slice(0, zone);
  if (!isIPv6(bare) || bare.includes('%') || address === `${bare}%`) fail(`invalid host: ParseAddr(${quoteGo(toText(address))}): unable to parse IP`);
  return `[${address}]${port}`;
}
function checkPort(port: string): void {
  if (!PORT.test(port)) fail(`invalid port ${quoteGo(toText(port))} after host`);
}
function splitHost(host: string): { name: string; port: string } {
  const port = /:(\d*)$/.exec(host),
    name = port === null ? host : host.slice(0, port.index);
  return { name: name.startsWith('[') && name.endsWith(']') ? name.slice(1, -1) : name, port: port?.[1] ?? '' };
}

function escapedPath({ path, rawPath }: Parts): string {
  return path === '*' ? '*' : spelled(rawPath, path, 'path');
}

function written(parts: Parts): string {
  const { scheme, opaque, user, host, hasHost } = parts,
    query = parts.hasQuery ? `?${parts.query}` : '',
    path = escapedPath(parts);
  let out = scheme === '' ? '' : `${scheme}:`;
  if (opaque !== '') return out + opaque + query;
  if ((scheme !== '' && hasHost && (host !== '' || parts.path !== '')) || host !== '' || user !== null)
    out += `//${user === null ? '' : `${userText(user)}@`}${escapePart(host, 'host')}`;
  if (path !== '' && !path.startsWith('/') && host !== '') out += '/';
  if (out === '' && path.split('/', 1)[0]!.includes(':')) out = './';
  return out + path + query;
}

/** The pairs of a query in their order. Throws an Error for a faulty one, or leaves it out where `isStrict` is false. */
export function parseQuery(query: string, isStrict: boolean): [key: string, value: string][] {
  const pairs: [string, string][] = [];
  for (const pair of toBytes(query).split('&')) {
    if (pair === '') continue;
    try {
      if (pair.includes(';')) fail('invalid semicolon separator in query');
      const equals = pair.indexOf('='),
        key = unescapePart(equals < 0 ? pair : pair.slice(0, equals), 'query');
      pairs.push([toText(key), equals < 0 ? '' : toText(unescapePart(pair.slice(equals + 1), 'query'))]);
    } catch (error) {
      if (isStrict) throw error;
    }
  }
  return pairs;
}
