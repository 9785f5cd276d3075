/** URLs as Go's net/url takes them apart and puts them together again. */
import { fail } from '#ottl/values.ts';
import { quoteGo } from './go_quote.ts';

export interface GoUrl {
  readonly scheme: string;
  /** What follows the scheme where no slash does. */
  readonly opaque: string;
  readonly user: { readonly name: string; readonly password: string | null } | null;
  /** With the port. */
  readonly host: string;
  readonly path: string;
  readonly query: string;
  readonly fragment: string;
  /** As String() writes it. */
  readonly text: string;
}

type Part = 'host' | 'user' | 'path' | 'fragment' | 'query';
const UNRESERVED = /[A-Za-z0-9\-_.~]/;
/** What needs no escape beside unreserved characters. */
const PLAIN: Readonly<Record<Part, RegExp>> = {
  host: /[!$&'()*+,;=:[\]<>"]/,
  user: /[$&+,;=]/,
  path: /[$&+,/:;=@]/,
  fragment: /[$&+,/:;=?@!()*]/,
  query: /(?!)/,
};

export function unescapePart(text: string, part: Part): string {
  if (part === 'host')
    for (const c of text.replace(/%../g, ''))
      if (c < '\x80' && !UNRESERVED.test(c) && !PLAIN.host.test(c)) fail(`invalid character ${quoteGo(c)} in host name`);
  const plain = part === 'query' ? text.replaceAll('+', ' ') : text;
  if (!plain.includes('%')) return plain;
  const chunks: Uint8Array[] = [];
  for (let i = 0; i < plain.length; ) {
    const percent = plain.indexOf('%', i),
      end = percent < 0 ? plain.length : percent;
    chunks.push(Buffer.from(plain.slice(i, end)));
    if (percent < 0) break;
    const hex = plain.slice(percent + 1, percent + 3),
      byte = /^[0-9a-fA-F]{2}$/.test(hex) ? Number.parseInt(hex, 16) : fail(`invalid URL escape ${quoteGo(plain.slice(percent, percent + 3))}`);
    if (part === 'host' && byte < 0x80 && byte !== 0x25) fail(`invalid URL escape ${quoteGo(`%${hex}`)}`);
    chunks.push(Uint8Array.of(byte));
    i = percent + 3;
  }
  return Buffer.concat(chunks).toString();
}
function escapePart(text: string, part: Part): string {
  let out = '';
  for (const c of text) {
    if (UNRESERVED.test(c) || PLAIN[part].test(c)) out += c;
    else for (const byte of Buffer.from(c)) out += `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return out;
}
/** The text as it was where that is a valid spelling of it, else escaped anew. */
function spelled(raw: string, value: string, part: 'path' | 'fragment'): string {
  const valid = [...raw].every((c) => UNRESERVED.test(c) || PLAIN[part].test(c) || /[!$&'()*+,;=:@[\]%]/.test(c));
  return valid ? raw : escapePart(value, part);
}

/** Throws OttlError with Go's text, `parse "…": …`. */
export function parseUrl(text: string): GoUrl {
  try {
    return parse(text);
  } catch (error) {
    return fail(`parse ${quoteGo(text)}: ${(error as Error).message}`);
  }
}

function parse(text: string): GoUrl {
  const hash = text.indexOf('#'),
    whole = hash < 0 ? text : text.slice(0, hash),
    rawFragment = hash < 0 ? '' : text.slice(hash + 1);
  const fragment = unescapePart(rawFragment, 'fragment'),
    tail = fragment === '' ? '' : `#${spelled(rawFragment, fragment, 'fragment')}`;
  if (/[\x00-\x1f\x7f]/.test(whole)) fail('net/url: invalid control character in URL');
  if (whole.startsWith(':')) fail('missing protocol scheme');
  const rawScheme = /^([A-Za-z][A-Za-z0-9+\-.]*):/.exec(whole)?.[1] ?? '',
    scheme = rawScheme.toLowerCase();
  let rest = rawScheme === '' ? whole : whole.slice(rawScheme.length + 1);
  const question = rest.indexOf('?'),
    query = question < 0 ? '' : rest.slice(question + 1);
  const asked = question < 0 ? tail : `?${query}${tail}`;
  if (question >= 0) rest = rest.slice(0, question);
  const none = { user: null, host: '', path: '', opaque: '', fragment, scheme, query };
  if (!rest.startsWith('/')) {
    if (scheme !== '') return { ...none, opaque: rest, text: `${scheme}:${rest}${asked}` };
    if (rest.split('/', 1)[0]!.includes(':')) fail('first path segment in URL cannot contain colon');
  }
  let user: GoUrl['user'] = null,
    host = '',
    authority = '';
  if (rest.startsWith('//') && (scheme !== '' || !rest.startsWith('///'))) {
    const slash = rest.indexOf('/', 2),
      named = slash < 0 ? rest.slice(2) : rest.slice(2, slash);
    rest = slash < 0 ? '' : rest.slice(slash);
    const at = named.lastIndexOf('@');
    host = parseHost(named.slice(at + 1));
    if (at >= 0) user = parseUser(named.slice(0, at));
    const shown = user === null ? '' : `${userText(user)}@`;
    if (scheme !== '' || host !== '' || user !== null) authority = host !== '' || rest !== '' || user !== null ? `//${shown}${escapePart(host, 'host')}` : '';
  }
  const path = unescapePart(rest, 'path'),
    written = path === '*' ? '*' : spelled(rest, path, 'path');
  const start = scheme === '' ? authority : `${scheme}:${authority}`;
  const safe = start === '' && written.startsWith('//') ? `//${written}` : written;
  return { ...none, user, host, path, text: start + (host !== '' && safe !== '' && !safe.startsWith('/') ? '/' : '') + safe + asked };
}

function parseUser(text: string): NonNullable<GoUrl['user']> {
  if (!/^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/.test(text)) fail('net/url: invalid userinfo');
  const colon = text.indexOf(':');
  if (colon < 0) return { name: unescapePart(text, 'user'), password: null };
  return { name: unescapePart(text.slice(0, colon), 'user'), password: unescapePart(text.slice(colon + 1), 'user') };
}
export function userText({ name, password }: NonNullable<GoUrl['user']>): string {
  return escapePart(name, 'user') + (password === null ? '' : `:${escapePart(password, 'user')}`);
}

function parseHost(text: string): string {
  const bracket = text.startsWith('[') ? text.lastIndexOf(']') : -2;
  if (bracket === -1) fail("missing ']' in host");
  const colon = bracket >= 0 ? bracket + 1 : text.lastIndexOf(':');
  const port = colon < 0 ? '' : text.slice(colon);
  if (!/^(?::\d*)?$/.test(port)) fail(`invalid port ${quoteGo(port)} after host`);
  return unescapePart(text, 'host');
}
/** The name or address without brackets, and the port. */
export function splitHost(host: string): { name: string; port: string } {
  const port = /:(\d*)$/.exec(host),
    name = port ? host.slice(0, port.index) : host;
  return { name: name.startsWith('[') && name.endsWith(']') ? name.slice(1, -1) : name, port: port?.[1] ?? '' };
}
