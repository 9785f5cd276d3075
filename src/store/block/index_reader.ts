/**
 * Reads the index of a block. Symbols and the postings offset table are read whole when the first query comes (with a position for every
 * symbol and for every 32nd value); postings and series are read when asked for, series through a few pages of 64 KiB that are kept.
 * Everything is checked against its checksum and the file's size: a damaged index is a CorruptError and never a wild read.
 */
import fs from 'node:fs';
import { CorruptError } from '#src/core/errors.ts';
import { crc32c } from '#src/wire/crc32c.ts';
import { ByteReader, compareText } from '#src/store/bytes.ts';
import { INDEX_MAGIC } from './index_writer.ts';

const TOC_BYTES = 52;
const SAMPLED = 32;
const PAGE_BYTES = 1 << 16;
/** 8 MiB of series entries a block. */
const MOST_PAGES = 128;
const MOST_STRINGS = 1 << 16;

interface NameEntry {
  /** How many values the name has. */
  count: number;
  /** Where every 32nd entry of the name is in the table. */
  readonly sampled: number[];
}

export class IndexReader {
  readonly #file: string;
  readonly #descriptor: number;
  readonly #size: number;
  readonly #symbols: Uint8Array;
  readonly #symbolAt: Uint32Array;
  readonly #strings = new Map<number, string>();
  readonly #table: Uint8Array;
  readonly #names = new Map<string, NameEntry>();
  readonly #seriesUnit: number;
  readonly #pages = new Map<number, Uint8Array>();

  constructor(file: string) {
    this.#file = file;
    this.#descriptor = fs.openSync(file, 'r');
    try {
      this.#size = fs.fstatSync(this.#descriptor).size;
      if (this.#size < TOC_BYTES + 5) throw new CorruptError(`${file} is too short for an index`);
      const head = new ByteReader(this.#read(0, 5));
      if (head.u32() !== INDEX_MAGIC) throw new CorruptError(`${file} is not an index`);
      const version = head.u8();
      if (version !== 1 && version !== 2) throw new CorruptError(`${file}: index version ${version} is not read, only 1 and 2`);
      this.#seriesUnit = version === 1 ? 1 : 16;
      const toc = this.#read(this.#size - TOC_BYTES, TOC_BYTES);
      this.#verify(toc, 0, TOC_BYTES - 4, this.#size - TOC_BYTES, 'contents');
      const contents = new ByteReader(toc);
      const symbolsAt = contents.i64();
      contents.i64();
      contents.i64();
      contents.i64();
      contents.i64();
      const tableAt = contents.i64();
      this.#symbols = this.#section(symbolsAt, 'symbols');
      this.#symbolAt = this.#readSymbols();
      this.#table = this.#section(tableAt, 'postings offset table');
      this.#readTable();
    } catch (error) {
      fs.closeSync(this.#descriptor);
      throw error;
    }
  }

  close(): void {
    fs.closeSync(this.#descriptor);
  }

  #read(offset: number, size: number): Uint8Array {
    if (!(offset >= 0 && size >= 0 && offset + size <= this.#size))
      throw new CorruptError(`${this.#file}: ${size} bytes at ${offset} are beyond its ${this.#size} bytes`);
    const bytes = new Uint8Array(size);
    for (let done = 0; done < size; ) {
      const n = fs.readSync(this.#descriptor, bytes, done, size - done, offset + done);
      if (n === 0) throw new CorruptError(`${this.#file} ends at ${offset + done}`);
      done += n;
    }
    return bytes;
  }

  #verify(bytes: Uint8Array, from: number, to: number, offset: number, what: string): void {
    const wanted = new ByteReader(bytes, to).u32();
    const computed = crc32c(bytes, from, to);
    if (wanted !== computed)
      throw new CorruptError(`${this.#file}, ${what} at offset ${offset}: checksum is ${wanted.toString(16)}, computed ${computed.toString(16)}`);
  }

  /** The body of a section with four bytes of length in front and a checksum behind. */
  #section(offset: number, what: string): Uint8Array {
    const size = new ByteReader(this.#read(offset, 4)).u32();
    const bytes = this.#read(offset + 4, size + 4);
    this.#verify(bytes, 0, size, offset, what);
    return bytes.subarray(0, size);
  }

  #readSymbols(): Uint32Array {
    const reader = new ByteReader(this.#symbols);
    const count = reader.u32();
    if (count > this.#symbols.length) throw new CorruptError(`${this.#file}: ${count} symbols in ${this.#symbols.length} bytes`);
    const at = new Uint32Array(count);
    for (let i = 0; i < count; i++) {
      at[i] = reader.pos;
      reader.need(reader.uvarint());
    }
    return at;
  }

  symbol(id: number): string {
    let text = this.#strings.get(id);
    if (text !== undefined) return text;
    const at = this.#symbolAt[id];
    if (at === undefined) throw new CorruptError(`${this.#file}: symbol ${id} of ${this.#symbolAt.length} is asked for`);
    text = new ByteReader(this.#symbols, at).string();
    if (this.#strings.size >= MOST_STRINGS) this.#strings.clear();
    this.#strings.set(id, text);
    return text;
  }

  #readTable(): void {
    const reader = new ByteReader(this.#table);
    let name = '';
    let entry: NameEntry | undefined;
    for (let count = reader.u32(); count > 0; count--) {
      const at = reader.pos;
      if (reader.uvarint() !== 2) throw new CorruptError(`${this.#file}: postings table entry at ${at} has no two keys`);
      const text = reader.string();
      if (entry === undefined || text !== name) {
        name = text;
        entry = { count: 0, sampled: [] };
        this.#names.set(name, entry);
      }
      if (entry.count % SAMPLED === 0) entry.sampled.push(at);
      entry.count++;
      reader.need(reader.uvarint());
      reader.uvarint();
    }
  }

  names(): string[] {
    return [...this.#names.keys()].filter((name) => name !== '');
  }

  /** Values of a name in ascending order. */
  values(name: string): string[] {
    const entry = this.#names.get(name);
    if (entry === undefined) return [];
    const reader = new ByteReader(this.#table, entry.sampled[0]);
    const values: string[] = [];
    for (let k = 0; k < entry.count; k++) {
      reader.uvarint();
      reader.need(reader.uvarint());
      values.push(reader.string());
      reader.uvarint();
    }
    return values;
  }

  /** Series ids of several values of a name, which come in ascending order; ids ascend within each. */
  postings(name: string, value: string): Int32Array {
    const entry = this.#names.get(name);
    if (entry === undefined) return EMPTY;
    let low = 0;
    let high = entry.sampled.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      const reader = new ByteReader(this.#table, entry.sampled[middle]!);
      reader.uvarint();
      reader.need(reader.uvarint());
      if (compareText(reader.string(), value) <= 0) low = middle;
      else high = middle - 1;
    }
    const reader = new ByteReader(this.#table, entry.sampled[low]!);
    for (let k = low * SAMPLED; k < entry.count && k < (low + 1) * SAMPLED; k++) {
      reader.uvarint();
      reader.need(reader.uvarint());
      const text = reader.string();
      const offset = reader.uvarint();
      if (text === value) return this.#postingsAt(offset);
    }
    return EMPTY;
  }

  #postingsAt(offset: number): Int32Array {
    const reader = new ByteReader(this.#section(offset, 'postings'));
    const count = reader.u32();
    if (count * 4 > reader.end - 4) throw new CorruptError(`${this.#file}, postings at ${offset}: ${count} entries in ${reader.end} bytes`);
    const ids = new Int32Array(count);
    for (let i = 0; i < count; i++) ids[i] = reader.view.getUint32(4 + 4 * i);
    return ids;
  }

  #page(number: number): Uint8Array {
    let page = this.#pages.get(number);
    if (page !== undefined) return page;
    page = this.#read(number * PAGE_BYTES, Math.min(PAGE_BYTES, this.#size - number * PAGE_BYTES));
    if (this.#pages.size >= MOST_PAGES)
      for (const oldest of this.#pages.keys()) {
        this.#pages.delete(oldest);
        break;
      }
    this.#pages.set(number, page);
    return page;
  }

  /** The entry of a series, at its labels. */
  series(id: number): ByteReader {
    const offset = id * this.#seriesUnit;
    if (offset >= this.#size) throw new CorruptError(`${this.#file}: series ${id} is beyond the file`);
    const page = this.#page(Math.floor(offset / PAGE_BYTES));
    const within = offset % PAGE_BYTES;
    let reader = new ByteReader(page, within, Math.min(page.length, within + 10));
    if (page.length - within < 10) reader = new ByteReader(this.#read(offset, Math.min(10, this.#size - offset)));
    const start = reader.pos;
    const size = reader.uvarint();
    const skip = reader.pos - start;
    let bytes = page;
    let from = within + skip;
    if (from + size + 4 > page.length) {
      bytes = this.#read(offset + skip, size + 4);
      from = 0;
    }
    this.#verify(bytes, from, from + size, offset, 'series');
    return new ByteReader(bytes, from, from + size);
  }
}
const EMPTY = new Int32Array(0);
