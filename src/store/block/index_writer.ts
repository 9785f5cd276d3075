/**
 * Writes the index of a block, version 2 (box diagram in ../docs/index.md): symbols, series in the order of their labels, postings, offset
 * table, contents. Prometheus has stopped writing label indices; so do we. The symbols must be known before the first series. Postings are
 * collected as pairs of numbers and put in order by counting: 8 bytes a label, no list per pair.
 */
import { ByteWriter, compareText } from '#src/store/bytes.ts';
import { FileWriter } from './file_writer.ts';

export const INDEX_MAGIC = 0xbaaad700;
export const INDEX_VERSION = 2;

export interface ChunkMeta {
  minTimeMs: number;
  /** Inclusive. */
  maxTimeMs: number;
  /** Segment of the block (from 0) × 2^32 + offset in it. */
  ref: number;
}

class IntList {
  items = new Int32Array(1024);
  size = 0;
  push(value: number): void {
    if (this.size === this.items.length) {
      const grown = new Int32Array(this.size * 2);
      grown.set(this.items);
      this.items = grown;
    }
    this.items[this.size++] = value;
  }
}

export class IndexWriter {
  readonly #file: FileWriter;
  readonly #symbols = new Map<string, number>();
  readonly #symbolList: readonly string[];
  readonly #record = new ByteWriter(1024);
  readonly #head = new ByteWriter(32);
  /** For each label of each series: the pair's number and the series' id. */
  readonly #pairOfEntry = new IntList();
  readonly #seriesOfEntry = new IntList();
  readonly #allSeries = new IntList();
  /** Symbol of name × 2^26 + symbol of value, to a number in order of appearance. */
  readonly #pairs = new Map<number, number>();
  readonly #pairNames = new IntList();
  readonly #pairValues = new IntList();
  readonly #symbolsAt: number;
  readonly #seriesAt: number;

  /** `symbols`: all names and values (and the empty string), each once, in any order. */
  constructor(file: string, symbols: Iterable<string>) {
    this.#file = new FileWriter(file);
    const list = [...symbols].sort(compareText);
    this.#symbolList = list;
    if (list.length >= 2 ** 26) throw new RangeError('too many symbols for one block');
    this.#head.u32(INDEX_MAGIC);
    this.#head.u8(INDEX_VERSION);
    this.#file.write(this.#head.written());
    this.#symbolsAt = this.#file.position;
    this.#head.reset();
    this.#head.u32(0); // The length, patched below.
    this.#file.write(this.#head.written());
    this.#file.startChecksum();
    this.#head.reset();
    this.#head.u32(list.length);
    this.#file.write(this.#head.written());
    for (let i = 0; i < list.length; i++) {
      this.#symbols.set(list[i]!, i);
      this.#head.reset();
      this.#head.string(list[i]!);
      this.#file.write(this.#head.written());
    }
    this.#endSection(this.#symbolsAt);
    this.#seriesAt = this.#file.position;
  }

  /** Writes the checksum of a section whose four bytes of length stand at `at`, and the length. */
  #endSection(at: number): void {
    const size = this.#file.position - at - 4;
    this.#head.reset();
    this.#head.u32(this.#file.checksum);
    this.#file.write(this.#head.written());
    this.#head.reset();
    this.#head.u32(size);
    this.#file.patch(this.#head.written(), at);
  }

  #pad(alignment: number): void {
    const rest = this.#file.position % alignment;
    if (rest !== 0) this.#file.write(ZEROS, 0, alignment - rest);
  }

  /** Series come in the order of their labels, chunks of a series in order of time, with ascending refs. */
  addSeries(labels: readonly string[], chunks: readonly ChunkMeta[]): void {
    this.#pad(16);
    const id = this.#file.position / 16;
    this.#allSeries.push(id);
    const record = this.#record;
    record.reset();
    record.uvarint(labels.length / 2);
    for (let i = 0; i < labels.length; i += 2) {
      const name = this.#symbols.get(labels[i]!);
      const value = this.#symbols.get(labels[i + 1]!);
      if (name === undefined || value === undefined) throw new Error(`no symbol for label ${labels[i]}="${labels[i + 1]}"`);
      record.uvarint(name);
      record.uvarint(value);
      const key = name * 2 ** 26 + value;
      let pair = this.#pairs.get(key);
      if (pair === undefined) {
        pair = this.#pairs.size;
        this.#pairs.set(key, pair);
        this.#pairNames.push(name);
        this.#pairValues.push(value);
      }
      this.#pairOfEntry.push(pair);
      this.#seriesOfEntry.push(id);
    }
    record.uvarint(chunks.length);
    let lastTime = 0;
    let lastRef = 0;
    for (let i = 0; i < chunks.length; i++) {
      const chunk = chunks[i]!;
      if (i === 0) record.varint(chunk.minTimeMs);
      else record.uvarint(chunk.minTimeMs - lastTime);
      record.uvarint(chunk.maxTimeMs - chunk.minTimeMs);
      if (i === 0) record.uvarint(chunk.ref);
      else record.varint(chunk.ref - lastRef);
      lastTime = chunk.maxTimeMs;
      lastRef = chunk.ref;
    }
    this.#head.reset();
    this.#head.uvarint(record.size);
    this.#file.write(this.#head.written());
    this.#file.startChecksum();
    this.#file.write(record.bytes, 0, record.size);
    this.#head.reset();
    this.#head.u32(this.#file.checksum);
    this.#file.write(this.#head.written());
  }

  get seriesCount(): number {
    return this.#allSeries.size;
  }

  finish(): void {
    const labelIndicesAt = this.#file.position;
    this.#pad(4); // Zeros behind a section are allowed; postings are aligned.
    // Counting sort of the entries by pair keeps the ids of each pair ascending.
    const pairCount = this.#pairs.size;
    const starts = new Int32Array(pairCount + 1);
    const { items: pairOf, size: entries } = this.#pairOfEntry;
    for (let i = 0; i < entries; i++) starts[pairOf[i]! + 1]!++;
    for (let p = 0; p < pairCount; p++) starts[p + 1]! += starts[p]!;
    const cursor = starts.slice(0, pairCount);
    const sorted = new Int32Array(entries);
    const seriesOf = this.#seriesOfEntry.items;
    for (let i = 0; i < entries; i++) sorted[cursor[pairOf[i]!]!++] = seriesOf[i]!;
    const names = this.#pairNames.items;
    const values = this.#pairValues.items;
    const order = new Int32Array(pairCount);
    for (let p = 0; p < pairCount; p++) order[p] = p;
    order.sort((a, b) => names[a]! - names[b]! || values[a]! - values[b]!); // Symbols are in order, so numbers will do.

    const postingsAt = this.#file.position;
    const table = new ByteWriter(1 << 16);
    this.#postings(table, '', '', this.#allSeries.items, 0, this.#allSeries.size);
    for (const p of order) this.#postings(table, this.#symbolList[names[p]!]!, this.#symbolList[values[p]!]!, sorted, starts[p]!, starts[p + 1]!);

    const tableAt = this.#file.position;
    this.#head.reset();
    this.#head.u32(0);
    this.#file.write(this.#head.written());
    this.#file.startChecksum();
    this.#head.reset();
    this.#head.u32(pairCount + 1);
    this.#file.write(this.#head.written());
    this.#file.write(table.bytes, 0, table.size);
    this.#endSection(tableAt);

    const contents = this.#record;
    contents.reset();
    for (const at of [this.#symbolsAt, this.#seriesAt, labelIndicesAt, tableAt, postingsAt, tableAt]) contents.i64(at);
    this.#file.startChecksum();
    this.#file.write(contents.bytes, 0, contents.size);
    this.#head.reset();
    this.#head.u32(this.#file.checksum);
    this.#file.write(this.#head.written());
    this.#file.close();
  }

  #postings(table: ByteWriter, name: string, value: string, ids: Int32Array, from: number, to: number): void {
    this.#pad(4);
    table.uvarint(2);
    table.string(name);
    table.string(value);
    table.uvarint(this.#file.position);
    const record = this.#record;
    record.reset();
    record.u32(4 + 4 * (to - from));
    record.u32(to - from);
    for (let i = from; i < to; i++) record.u32(ids[i]!);
    this.#file.write(record.bytes, 0, 4);
    this.#file.startChecksum();
    this.#file.write(record.bytes, 4, record.size);
    this.#head.reset();
    this.#head.u32(this.#file.checksum);
    this.#file.write(this.#head.written());
  }

  abandon(): void {
    this.#file.abandon();
  }
}
const ZEROS = new Uint8Array(16);
