/** Decoders by name: base64 in its forms, and character sets. Absent: IBM code pages other than 866, which Node does not know. */
import { fail } from '#ottl/values.ts';

const BASE64: Readonly<Record<string, RegExp>> = {
  base64: /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/,
  'base64-raw': /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2,3})?$/,
  'base64-url': /^(?:[\w-]{4})*(?:[\w-]{2}==|[\w-]{3}=)?$/,
  'base64-raw-url': /^(?:[\w-]{4})*(?:[\w-]{2,3})?$/,
};
const UTF8 = new Set(['utf-8', 'utf8', 'utf-8-raw', 'utf8-raw', 'ascii', 'us-ascii', 'nop', '']);
/** Names for which TextDecoder takes another set (windows-1252). */
const LATIN1 = new Set(['iso-8859-1', 'latin1', 'l1', 'iso_8859-1', 'iso_8859-1:1987', 'iso-ir-100', 'ibm819', 'cp819', 'csisolatin1']);

export type Decoder = (bytes: Uint8Array) => string;

/** Throws OttlError where the encoding is unknown. */
export function lookUpDecoder(name: string): Decoder {
  if (Object.hasOwn(BASE64, name)) return (bytes) => decodeBase64(Buffer.from(bytes).toString('latin1'), BASE64[name]!, name.includes('url'));
  const lower = name.toLowerCase();
  if (UTF8.has(lower)) return (bytes) => Buffer.from(bytes).toString();
  if (LATIN1.has(lower)) return (bytes) => Buffer.from(bytes).toString('latin1');
  try {
    const decoder = new TextDecoder(lower === 'utf16' ? 'utf-16le' : lower, { ignoreBOM: true });
    return (bytes) => decoder.decode(bytes);
  } catch {
    return fail(`unsupported encoding '${name}'`);
  }
}

/** Line breaks do not count, as in Go. */
function decodeBase64(text: string, shape: RegExp, url: boolean): string {
  const plain = text.replace(/[\r\n]/g, '');
  if (shape.test(plain)) return Buffer.from(plain, url ? 'base64url' : 'base64').toString();
  return fail(`could not decode: illegal base64 data at input byte ${Math.max(0, plain.search(url ? /[^\w-]/ : /[^A-Za-z0-9+/]/))}`);
}
