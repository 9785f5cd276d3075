/**
 * HPACK (RFC 7541): header blocks of one direction of a connection, decoder and encoder, each with its dynamic table. Lists of headers
 * are flat: name, value, name, value. Values are latin1, a byte a character.
 *
 * Fast because the same headers come again and again: once the table has settled, a block is a row of indices, and a block equal to the
 * last one with nothing inserted in between is the very same list object, so that whoever reads it can keep what it found there. The
 * encoder writes literals plain (see huffman.ts) and keeps the finished block of a list.
 */
import { CorruptError } from '#src/core/errors.ts';
import { decodeHuffman } from './huffman.ts';

export type HeaderFields = readonly string[];

const STATIC: readonly (readonly [string, string])[] = [
  [':authority', ''],
  [':method', 'GET'],
  [':method', 'POST'],
  [':path', '/'],
  [':path', '/index.html'],
  [':scheme', 'http'],
  [':scheme', 'https'],
  [':status', '200'],
  [':status', '204'],
  [':status', '206'],
  [':status', '304'],
  [':status', '400'],
  [':status', '404'],
  [':status', '500'],
  ['accept-charset', ''],
  ['accept-encoding', 'gzip, deflate'],
  ['accept-language', ''],
  ['accept-ranges', ''],
  ['accept', ''],
  ['access-control-allow-origin', ''],
  ['age', ''],
  ['allow', ''],
  ['authorization', ''],
  ['cache-control', ''],
  ['content-disposition', ''],
  ['content-encoding', ''],
  ['content-language', ''],
  ['content-length', ''],
  ['content-location', ''],
  ['content-range', ''],
  ['content-type', ''],
  ['cookie', ''],
  ['date', ''],
  ['etag', ''],
  ['expect', ''],
  ['expires', ''],
  ['from', ''],
  ['host', ''],
  ['if-match', ''],
  ['if-modified-since', ''],
  ['if-none-match', ''],
  ['if-range', ''],
  ['if-unmodified-since', ''],
  ['last-modified', ''],
  ['link', ''],
  ['location', ''],
  ['max-forwards', ''],
  ['proxy-authenticate', ''],
  ['proxy-authorization', ''],
  ['range', ''],
  ['referer', ''],
  ['refresh', ''],
  ['retry-after', ''],
  ['server', ''],
  ['set-cookie', ''],
  ['strict-transport-security', ''],
  ['transfer-encoding', ''],
  ['user-agent', ''],
  ['vary', ''],
  ['via', ''],
  ['www-authenticate', ''],
];
const STATIC_COUNT = STATIC.length;
const STATIC_BY_NAME = new Map<string, number>();
const STATIC_BY_FIELD = new Map<string, number>();
for (const [i, [name, value]] of STATIC.entries()) {
  if (!STATIC_BY_NAME.has(name)) STATIC_BY_NAME.set(name, i + 1);
  STATIC_BY_FIELD.set(`${name}\n${value}`, i + 1);
}
/** RFC 7541 section 4.1. */
const ENTRY_OVERHEAD = 32;
export const DEFAULT_TABLE_BYTES = 4096;

/** The dynamic table: newest first, in a ring. */
class DynamicTable {
  maxBytes = DEFAULT_TABLE_BYTES;
  sizeBytes = 0;
  count = 0;
  /** Entries ever put in or taken out: changes whenever an index may mean something else. */
  version = 0;
  #names: string[] = new Array(16).fill('');
  #values: string[] = new Array(16).fill('');
  #newest = 0;

  /** `index` 0 is the newest; the caller knows that it exists. */
  name(index: number): string {
    return this.#names[(this.#newest - index) & (this.#names.length - 1)]!;
  }
  value(index: number): string {
    return this.#values[(this.#newest - index) & (this.#values.length - 1)]!;
  }
  add(name: string, value: string): void {
    this.version++;
    const size = name.length + value.length + ENTRY_OVERHEAD;
    this.#evict(this.maxBytes - size);
    if (size > this.maxBytes) return; // Legal: it empties the table and is not kept.
    if (this.count === this.#names.length) this.#grow();
    this.#newest = (this.#newest + 1) & (this.#names.length - 1);
    this.#names[this.#newest] = name;
    this.#values[this.#newest] = value;
    this.count++;
    this.sizeBytes += size;
  }
  resize(maxBytes: number): void {
    this.version++;
    this.maxBytes = maxBytes;
    this.#evict(maxBytes);
  }
  /** The index of the field, -1 where it is not there. */
  find(name: string, value: string): number {
    for (let i = 0; i < this.count; i++) if (this.name(i) === name && this.value(i) === value) return i;
    return -1;
  }
  #evict(roomBytes: number): void {
    while (this.count > 0 && this.sizeBytes > roomBytes) {
      const oldest = (this.#newest - this.count + 1) & (this.#names.length - 1);
      this.sizeBytes -= this.#names[oldest]!.length + this.#values[oldest]!.length + ENTRY_OVERHEAD;
      this.#names[oldest] = '';
      this.#values[oldest] = '';
      this.count--;
    }
  }
  #grow(): void {
    const count = this.count;
    const names: string[] = new Array(this.#names.length * 2).fill('');
    const values: string[] = new Array(names.length).fill('');
    for (let i = 0; i < count; i++) {
      names[count - 1 - i] = this.name(i);
      values[count - 1 - i] = this.value(i);
    }
    this.#names = names;
    this.#values = values;
    this.#newest = count - 1;
  }
}

/** The list would be larger than allowed. The block was read to its end, so the table is still right. */
export class HeaderListTooLarge extends Error {
  override readonly name = 'HeaderListTooLarge';
}

export class HpackDecoder {
  readonly #table = new DynamicTable();
  /** What our SETTINGS allow the other side; a size update must not go beyond. */
  readonly #maxTableBytes: number;
  readonly #maxListBytes: number;
  #pos = 0;
  #lastBlock: Buffer = Buffer.alloc(0);
  #lastList: HeaderFields = [];
  #lastVersion = -1;

  constructor(maxListBytes: number, maxTableBytes = DEFAULT_TABLE_BYTES) {
    this.#maxListBytes = maxListBytes;
    this.#maxTableBytes = maxTableBytes;
  }

  /** The fields of a whole block, bytes[pos, end). CorruptError ends the connection (COMPRESSION_ERROR). */
  decode(bytes: Buffer, pos: number, end: number): HeaderFields {
    const last = this.#lastBlock;
    if (this.#lastVersion === this.#table.version && last.length === end - pos && last.compare(bytes, pos, end) === 0) return this.#lastList;
    const version = this.#table.version;
    const list = this.#decode(bytes, pos, end);
    if (this.#table.version === version) {
      this.#lastBlock = Buffer.from(bytes.subarray(pos, end));
      this.#lastList = list;
      this.#lastVersion = version;
    }
    return list;
  }

  #decode(bytes: Buffer, start: number, end: number): HeaderFields {
    const table = this.#table;
    const list: string[] = [];
    let listBytes = 0;
    let fields = 0;
    this.#pos = start;
    while (this.#pos < end) {
      const byte = bytes[this.#pos]!;
      let name: string;
      let value: string;
      if (byte & 0x80) {
        const index = this.#integer(bytes, end, 7);
        name = this.#name(index);
        value = index <= STATIC_COUNT ? STATIC[index - 1]![1] : table.value(index - STATIC_COUNT - 1);
      } else if ((byte & 0xe0) === 0x20) {
        if (fields > 0) throw new CorruptError('a table size update behind a header field');
        const size = this.#integer(bytes, end, 5);
        if (size > this.#maxTableBytes) throw new CorruptError(`a header table of ${size} bytes, ${this.#maxTableBytes} are allowed`);
        table.resize(size);
        continue;
      } else {
        const indexed = (byte & 0x40) !== 0;
        const index = this.#integer(bytes, end, indexed ? 6 : 4);
        name = index === 0 ? this.#string(bytes, end) : this.#name(index);
        value = this.#string(bytes, end);
        if (indexed) table.add(name, value);
      }
      fields++;
      listBytes += name.length + value.length + ENTRY_OVERHEAD;
      if (listBytes <= this.#maxListBytes) list.push(name, value);
    }
    if (listBytes > this.#maxListBytes) throw new HeaderListTooLarge(`headers of ${listBytes} bytes, ${this.#maxListBytes} are allowed`);
    return list;
  }

  #name(index: number): string {
    if (index === 0 || index > STATIC_COUNT + this.#table.count) throw new CorruptError(`header index ${index} is outside the table`);
    return index <= STATIC_COUNT ? STATIC[index - 1]![0] : this.#table.name(index - STATIC_COUNT - 1);
  }

  /** RFC 7541 section 5.1. Sizes beyond 2^28 have no use here. */
  #integer(bytes: Buffer, end: number, prefixBits: number): number {
    const mask = (1 << prefixBits) - 1;
    let pos = this.#pos;
    let value = bytes[pos++]! & mask;
    if (value === mask) {
      for (let shift = 0; ; shift += 7) {
        if (pos >= end) throw new CorruptError('an integer of a header block is cut off');
        if (shift > 21) throw new CorruptError('an integer of a header block is too large');
        const byte = bytes[pos++]!;
        value += (byte & 127) << shift;
        if (byte < 128) break;
      }
    }
    this.#pos = pos;
    return value;
  }

  #string(bytes: Buffer, end: number): string {
    if (this.#pos >= end) throw new CorruptError('a header block is cut off');
    const huffman = bytes[this.#pos]! >= 128;
    const size = this.#integer(bytes, end, 7);
    const pos = this.#pos;
    if (size > end - pos) throw new CorruptError('a string of a header block is cut off');
    this.#pos = pos + size;
    return huffman ? decodeHuffman(bytes, pos, pos + size) : bytes.latin1Slice(pos, pos + size);
  }
}

/** Names whose values change with every call or must not be guessed from sizes: never put into the table. */
const NEVER_INDEXED: ReadonlySet<string> = new Set(['authorization', 'proxy-authorization', 'cookie', 'set-cookie']);

export class HpackEncoder {
  readonly #table = new DynamicTable();
  #pendingSize = -1;
  #block: Buffer = Buffer.alloc(0);
  #blockOf: HeaderFields | null = null;
  #blockVersion = -1;

  /** The other side's SETTINGS_HEADER_TABLE_SIZE; more than 4096 is not used. */
  setMaxTableBytes(size: number): void {
    const wanted = Math.min(size, DEFAULT_TABLE_BYTES);
    if (wanted === this.#table.maxBytes && this.#pendingSize < 0) return;
    // A size that went down and up again between two blocks stays at the smaller one, which is allowed and needs to be told once.
    this.#pendingSize = this.#pendingSize < 0 ? wanted : Math.min(this.#pendingSize, wanted);
    this.#table.resize(this.#pendingSize);
  }

  /**
   * The block of `list`, the same list object giving the same block once its fields are in the table; `extra` are fields that differ
   * each time and are not kept. The result is valid until the next call.
   */
  encode(list: HeaderFields, extra: HeaderFields = []): Buffer {
    let block = this.#blockOf === list && this.#blockVersion === this.#table.version ? this.#block : null;
    if (block === null) {
      const version = this.#table.version;
      block = this.#encode(list);
      if (this.#table.version === version) {
        this.#block = block;
        this.#blockOf = list;
        this.#blockVersion = version;
      }
    }
    if (extra.length === 0) return block;
    const out = [...block];
    for (let i = 0; i < extra.length; i += 2) writeLiteral(out, 0, extra[i]!, extra[i + 1]!);
    return Buffer.from(out);
  }

  #encode(list: HeaderFields): Buffer {
    const out: number[] = [];
    if (this.#pendingSize >= 0) {
      writeInteger(out, 0x20, 5, this.#pendingSize);
      this.#pendingSize = -1;
    }
    for (let i = 0; i < list.length; i += 2) this.#field(out, list[i]!, list[i + 1]!);
    return Buffer.from(out);
  }

  #field(out: number[], name: string, value: string): void {
    const table = this.#table;
    const fixed = STATIC_BY_FIELD.get(`${name}\n${value}`);
    if (fixed !== undefined) return writeInteger(out, 0x80, 7, fixed);
    if (NEVER_INDEXED.has(name)) return writeLiteral(out, 0x10, name, value);
    const known = table.find(name, value);
    if (known >= 0) return writeInteger(out, 0x80, 7, known + STATIC_COUNT + 1);
    // A field that would empty the table of others is better sent each time.
    if (name.length + value.length + ENTRY_OVERHEAD > table.maxBytes >> 1) return writeLiteral(out, 0, name, value);
    table.add(name, value);
    writeLiteral(out, 0x40, name, value);
  }
}

/** A block that no table is needed for: any peer reads it at any time. */
export function encodeStateless(list: HeaderFields): Buffer {
  const out: number[] = [];
  for (let i = 0; i < list.length; i += 2) {
    const fixed = STATIC_BY_FIELD.get(`${list[i]}\n${list[i + 1]}`);
    if (fixed !== undefined) writeInteger(out, 0x80, 7, fixed);
    else writeLiteral(out, 0, list[i]!, list[i + 1]!);
  }
  return Buffer.from(out);
}

function writeInteger(out: number[], first: number, prefixBits: number, value: number): void {
  const mask = (1 << prefixBits) - 1;
  if (value < mask) {
    out.push(first | value);
    return;
  }
  out.push(first | mask);
  let rest = value - mask;
  for (; rest >= 128; rest >>>= 7) out.push((rest & 127) | 128);
  out.push(rest);
}
/** `first`: 0x40 into the table, 0x10 never, 0 not. */
function writeLiteral(out: number[], first: number, name: string, value: string): void {
  const index = STATIC_BY_NAME.get(name) ?? 0;
  writeInteger(out, first, first === 0x40 ? 6 : 4, index);
  if (index === 0) writeString(out, name);
  writeString(out, value);
}
function writeString(out: number[], text: string): void {
  writeInteger(out, 0, 7, text.length);
  for (let i = 0; i < text.length; i++) out.push(text.charCodeAt(i) & 255);
}
