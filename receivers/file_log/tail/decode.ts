/** Encodings of files: text of the bytes of one entry, and how wide a line feed is. */
import { CODE_PAGES } from './code_pages.ts';
import { ENCODING_LABELS } from './encoding_names.ts';

export interface Encoding {
  readonly name: string;
  /** Bytes in which a line feed and white space are written: 1, or 2 in UTF-16. */
  readonly unit: 1 | 2;
  readonly bigEndian: boolean;
  /** The bytes stay bytes. */
  readonly raw: boolean;
  /** The fast path may read the bytes as they are. */
  readonly isUtf8: boolean;
  text(bytes: Buffer, start: number, end: number): string;
}

const UTF8_NAMES: ReadonlySet<string> = new Set(['', 'utf-8', 'utf8', 'csutf8', 'ascii', 'us-ascii']);
/** Plain "utf-16" is read as little endian, as in the Collector. */
const UTF16LE_NAMES: ReadonlySet<string> = new Set(['utf-16', 'utf16', 'utf-16le', 'csutf16le']);
const UTF16BE_NAMES: ReadonlySet<string> = new Set(['utf-16be', 'csutf16be']);
const ASCII_NAMES: ReadonlySet<string> = new Set([
  'ansi_x3.4-1968',
  'ansi_x3.4-1986',
  'cp367',
  'csascii',
  'ibm367',
  'iso-ir-6',
  'iso646-us',
  'iso_646.irv:1991',
  'us',
]);
const MULTI_BYTE: ReadonlySet<string> = new Set(['big5', 'euc-jp', 'euc-kr', 'gb18030', 'gbk', 'iso-2022-jp', 'shift_jis']);

/** Throws an Error where the encoding is unknown. */
export function lookUpEncoding(name: string): Encoding {
  const lower = name.toLowerCase(),
    plain = { name: lower, unit: 1 as const, bigEndian: false, raw: false, isUtf8: false };
  if (UTF8_NAMES.has(lower)) return { ...plain, isUtf8: true, text: (bytes, start, end) => bytes.utf8Slice(start, end) };
  if (lower === 'utf-8-raw' || lower === 'utf8-raw') return { ...plain, isUtf8: true, text: rawText };
  if (lower === 'nop') return { ...plain, raw: true, text: (bytes, start, end) => bytes.latin1Slice(start, end) };
  if (ASCII_NAMES.has(lower)) return { ...plain, text: (bytes, start, end) => bytes.latin1Slice(start, end).replace(/[\x80-\xff]/g, '\ufffd') };
  const bigEndian = UTF16BE_NAMES.has(lower);
  if (bigEndian || UTF16LE_NAMES.has(lower)) {
    const decoder = new TextDecoder(bigEndian ? 'utf-16be' : 'utf-16le', { ignoreBOM: true });
    // Half a character at the end, as a pattern over bytes can leave it, is no character.
    return { ...plain, unit: 2, bigEndian, text: (bytes, start, end) => decoder.decode(bytes.subarray(start, end - ((end - start) & 1))) };
  }
  const label = ENCODING_LABELS.get(lower);
  if (label === undefined) throw new Error(`unsupported encoding '${name}'`);
  if (MULTI_BYTE.has(label)) {
    const decoder = new TextDecoder(label, { ignoreBOM: true });
    return { ...plain, text: (bytes, start, end) => decoder.decode(bytes.subarray(start, end)) };
  }
  const characters = highCharacters(label);
  return {
    ...plain,
    text: (bytes, start, end) => bytes.latin1Slice(start, end).replace(/[\x80-\xff]/g, (c) => characters[c.charCodeAt(0) - 128]!),
  };
}

/** The characters of the bytes 0x80 to 0xff. Where a code page has none, only Latin 1 and 5 have control characters. */
function highCharacters(label: string): readonly string[] {
  const page = CODE_PAGES[label];
  if (page !== undefined) return Array.from(page);
  const decoder = new TextDecoder(label);
  return Array.from({ length: 128 }, (_, i) => {
    if (label === 'iso-8859-1' || (label === 'iso-8859-9' && i < 32)) return String.fromCharCode(128 + i);
    return decoder.decode(Uint8Array.of(128 + i)).replace(/[\x80-\x9f]/, '\ufffd');
  });
}

/** UTF-8 in which a byte that is not part of a character stands as the surrogate U+DC00 + byte, for sanitize_utf8 to find. */
function rawText(bytes: Buffer, start: number, end: number): string {
  const text = bytes.utf8Slice(start, end);
  if (!text.includes('\ufffd')) return text;
  let out = '',
    at = start;
  while (at < end) {
    const size = sequenceSize(bytes, at, end);
    out += size === 0 ? String.fromCharCode(0xdc00 + bytes[at]!) : bytes.utf8Slice(at, at + size);
    at += Math.max(1, size);
  }
  return out;
}

/** Bytes of the character at `at`, 0 where there is none. */
function sequenceSize(bytes: Buffer, at: number, end: number): number {
  const first = bytes[at]!;
  if (first < 0x80) return 1;
  const size = first >= 0xc2 && first <= 0xdf ? 2 : first >= 0xe0 && first <= 0xef ? 3 : first >= 0xf0 && first <= 0xf4 ? 4 : 0;
  if (size === 0 || at + size > end) return 0;
  const second = bytes[at + 1]!;
  if (second < (first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80) || second > (first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf)) return 0;
  for (let i = 2; i < size; i++) if (bytes[at + i]! < 0x80 || bytes[at + i]! > 0xbf) return 0;
  return size;
}
