/** What RFC 9113 section 8 asks of the headers of a request, beyond their encoding. Faults are errors of the stream. */
import type { HeaderFields } from './hpack.ts';

const CONNECTION_SPECIFIC: ReadonlySet<string> = new Set(['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade']);

/** What is wrong with the headers that open a request, or null. */
export function checkRequest(fields: HeaderFields): string | null {
  let method = false;
  let scheme = false;
  let path = false;
  let authority = false;
  let regular = false;
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i]!;
    if (name.charCodeAt(0) !== 0x3a) {
      regular = true;
      const fault = checkField(name, fields[i + 1]!);
      if (fault !== null) return fault;
      continue;
    }
    if (regular) return `${name} behind other headers`;
    const seen = name === ':method' ? method : name === ':scheme' ? scheme : name === ':path' ? path : name === ':authority' ? authority : null;
    if (seen === null) return `${name} has no place in a request`;
    if (seen) return `${name} twice`;
    if (name === ':method') method = true;
    else if (name === ':scheme') scheme = true;
    else if (name === ':authority') authority = true;
    else {
      path = true;
      if (fields[i + 1] === '') return 'an empty :path';
    }
  }
  return method && scheme && path ? null : 'a pseudo header is missing';
}

/** What is wrong with trailers, or null. */
export function checkTrailers(fields: HeaderFields): string | null {
  for (let i = 0; i < fields.length; i += 2) {
    if (fields[i]!.startsWith(':')) return 'a pseudo header in trailers';
    const fault = checkField(fields[i]!, fields[i + 1]!);
    if (fault !== null) return fault;
  }
  return null;
}

function checkField(name: string, value: string): string | null {
  if (name === '') return 'an empty header name';
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i);
    if (code <= 0x20 || code >= 0x7f || (code >= 0x41 && code <= 0x5a)) return `the header name "${name}" is not lower case`;
  }
  if (CONNECTION_SPECIFIC.has(name) || (name === 'te' && value !== 'trailers')) return `${name} belongs to one connection`;
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    if (code === 0 || code === 10 || code === 13) return `a control character in ${name}`;
  }
  return null;
}

/** The value of a header, or undefined. The last one counts where it is there twice. */
export function findField(fields: HeaderFields, name: string): string | undefined {
  for (let i = fields.length - 2; i >= 0; i -= 2) if (fields[i] === name) return fields[i + 1];
  return undefined;
}
