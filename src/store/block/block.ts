/**
 * A block on disk, read by position: meta.json at once, index and chunk files when the first query comes. Chunks of neighbouring series
 * stand beside each other, so a read takes a window of the segment with it. Reads are synchronous: they hit the page cache (3 us) in
 * practice, and samples are read series by series. A block in use is kept open until the last reader lets go, even when it was deleted.
 */
import fs from 'node:fs';
import path from 'node:path';
import { CorruptError } from '#src/core/errors.ts';
import type { SampleColumns } from '#src/core/series.ts';
import { crc32c } from '#src/wire/crc32c.ts';
import { ByteReader, viewOf } from '#src/store/bytes.ts';
import { decodeHistograms, padHistograms } from '#src/store/chunk/histogram.ts';
import { ENCODING_XOR } from '#src/store/chunk/encodings.ts';
import { bytesToWords, decodeXor } from '#src/store/chunk/xor.ts';
import type { RawChunk } from '#src/store/head/head_read.ts';
import type { PostingsSource } from '#src/store/select.ts';
import { CHUNKS_HEADER, CHUNKS_MAGIC } from './block_writer.ts';
import { IndexReader } from './index_reader.ts';
import type { ChunkMeta } from './index_writer.ts';
import { readMeta } from './meta.ts';
import type { BlockMeta } from './meta.ts';
import { readTombstones } from './tombstones.ts';
import type { Tombstones } from './tombstones.ts';

const WINDOW_BYTES = 1 << 18;
const MOST_CHUNK_BYTES = 1 << 26;

export interface BlockSeries {
  id: number;
  labels: readonly string[];
  chunks: ChunkMeta[];
}

interface Segment {
  readonly file: string;
  readonly descriptor: number;
  readonly size: number;
  window: Uint8Array;
  windowAt: number;
}

export class Block implements PostingsSource {
  readonly directory: string;
  readonly meta: BlockMeta;
  /** What the directory takes on disk. */
  readonly sizeBytes: number;
  #index: IndexReader | null = null;
  #tombstones: Tombstones | null = null;
  readonly #segments = new Map<number, Segment>();
  #words = new Int32Array(1024);
  #users = 0;
  #wasUsed = false;
  #deleteWhenFree = false;

  /** Throws CorruptError where meta.json does not describe a block. */
  constructor(directory: string) {
    this.directory = directory;
    this.meta = readMeta(directory);
    this.sizeBytes = directorySize(directory);
  }

  /** Callers that read hold the block from retain() to release(). */
  retain(): void {
    this.#users++;
    this.#wasUsed = true;
  }

  release(): void {
    this.#users--;
    if (this.#users === 0 && this.#deleteWhenFree) this.delete();
  }

  /** Takes the block off the disk, as soon as nobody reads it. A crash midway leaves a directory that the next start removes. */
  delete(): void {
    this.#deleteWhenFree = true;
    if (this.#users > 0) return;
    this.close();
    const aside = `${this.directory}.tmp-for-deletion`;
    fs.renameSync(this.directory, aside);
    fs.rmSync(aside, { recursive: true, force: true });
  }

  /** Lets go of files and caches; the next read opens them again. */
  close(): void {
    this.#index?.close();
    this.#index = null;
    for (const segment of this.#segments.values()) fs.closeSync(segment.descriptor);
    this.#segments.clear();
  }

  /** Called now and then: lets go where nobody asked since the last call. */
  closeIfIdle(): void {
    if (this.#users === 0 && !this.#wasUsed) this.close();
    this.#wasUsed = false;
  }

  get index(): IndexReader {
    return (this.#index ??= new IndexReader(path.join(this.directory, 'index')));
  }

  get tombstones(): Tombstones {
    return (this.#tombstones ??= readTombstones(path.join(this.directory, 'tombstones')));
  }

  all(): Int32Array {
    return this.index.postings('', '');
  }

  names(): string[] {
    return this.index.names();
  }

  values(name: string): string[] {
    return this.index.values(name);
  }

  postings(name: string, value: string): Int32Array {
    return value === '' ? new Int32Array(0) : this.index.postings(name, value);
  }

  /** Labels and the chunks that overlap [minTimeMs, maxTimeMs]; null where there are none. */
  series(id: number, minTimeMs: number, maxTimeMs: number): BlockSeries | null {
    const reader = this.index.series(id);
    const index = this.index;
    const labels: string[] = [];
    for (let count = reader.uvarint(); count > 0; count--) labels.push(index.symbol(reader.uvarint()), index.symbol(reader.uvarint()));
    const chunks: ChunkMeta[] = [];
    let time = 0;
    let ref = 0;
    const count = reader.uvarint();
    for (let i = 0; i < count; i++) {
      const min = i === 0 ? reader.varint() : time + reader.uvarint();
      const max = min + reader.uvarint();
      ref = i === 0 ? reader.uvarint() : ref + reader.varint();
      time = max;
      if (max >= minTimeMs && min <= maxTimeMs) chunks.push({ minTimeMs: min, maxTimeMs: max, ref });
    }
    return chunks.length > 0 ? { id, labels, chunks } : null;
  }

  #segment(number: number): Segment {
    let segment = this.#segments.get(number);
    if (segment !== undefined) return segment;
    const file = path.join(this.directory, 'chunks', String(number + 1).padStart(6, '0'));
    const descriptor = fs.openSync(file, 'r');
    segment = { file, descriptor, size: fs.fstatSync(descriptor).size, window: new Uint8Array(0), windowAt: 0 };
    this.#segments.set(number, segment);
    if (segment.size < CHUNKS_HEADER || new ByteReader(this.#bytes(segment, 0, 4)).u32() !== CHUNKS_MAGIC)
      throw new CorruptError(`${file} is not a chunk segment`);
    return segment;
  }

  /** A view of the segment's bytes, valid until the next call. */
  #bytes(segment: Segment, offset: number, size: number): Uint8Array {
    if (offset + size > segment.size) throw new CorruptError(`${segment.file}: ${size} bytes at ${offset} are beyond its ${segment.size} bytes`);
    if (offset < segment.windowAt || offset + size > segment.windowAt + segment.window.length) {
      const length = Math.min(Math.max(size, WINDOW_BYTES), segment.size - offset);
      const window = length === segment.window.length ? segment.window : new Uint8Array(length);
      for (let done = 0; done < length; ) {
        const n = fs.readSync(segment.descriptor, window, done, length - done, offset + done);
        if (n === 0) throw new CorruptError(`${segment.file} ends at ${offset + done}`);
        done += n;
      }
      segment.window = window;
      segment.windowAt = offset;
    }
    const from = offset - segment.windowAt;
    return segment.window.subarray(from, from + size);
  }

  /** Encoding byte and data of a chunk, valid until the next read. */
  #chunk(ref: number): Uint8Array {
    const segment = this.#segment(Math.floor(ref / 4294967296));
    const offset = ref % 4294967296;
    const head = new ByteReader(this.#bytes(segment, offset, Math.min(5, segment.size - offset)));
    const size = head.uvarint();
    if (size > MOST_CHUNK_BYTES) throw new CorruptError(`${segment.file}: chunk of ${size} bytes at ${offset}`);
    const bytes = this.#bytes(segment, offset + head.pos, size + 5);
    const wanted = viewOf(bytes).getUint32(size + 1);
    const computed = crc32c(bytes, 0, size + 1);
    if (wanted !== computed)
      throw new CorruptError(`${segment.file}, chunk at ${offset}: checksum is ${wanted.toString(16)}, computed ${computed.toString(16)}`);
    return bytes.subarray(0, size + 1);
  }

  /** Appends the samples of a chunk in the range to the columns; deleted ones are left out. */
  read(series: BlockSeries, minTimeMs: number, maxTimeMs: number, into: SampleColumns): void {
    const deleted = this.tombstones.get(series.id);
    if (into.histograms !== null) into.histograms.length = into.count;
    for (const meta of series.chunks) {
      if (meta.maxTimeMs < minTimeMs || meta.minTimeMs > maxTimeMs) continue;
      const bytes = this.#chunk(meta.ref);
      const size = bytes.length - 1;
      if (this.#words.length < (size >> 2) + 8) this.#words = new Int32Array((size >> 2) + 1024);
      bytesToWords(viewOf(bytes), 1, size, this.#words, 0);
      const before = into.count;
      if (bytes[0] === ENCODING_XOR) decodeXor(this.#words, 0, (size + 3) >> 2, this.#words[0]! >>> 16, minTimeMs, maxTimeMs, into);
      else decodeHistograms(bytes[0]!, bytes.subarray(1), minTimeMs, maxTimeMs, into);
      padHistograms(into);
      if (deleted !== undefined) dropDeleted(into, before, deleted);
    }
  }

  rawChunk(meta: ChunkMeta): RawChunk {
    const bytes = this.#chunk(meta.ref);
    return { encoding: bytes[0]!, count: viewOf(bytes).getUint16(1), bytes: bytes.slice(1), minTimeMs: meta.minTimeMs, maxTimeMs: meta.maxTimeMs };
  }
}

/** Removes the samples from index `from` on whose time lies in a deleted interval (pairs of first and last time). */
export function dropDeleted(columns: SampleColumns, from: number, deleted: readonly number[]): void {
  let n = from;
  for (let i = from; i < columns.count; i++) {
    const time = columns.times[i]!;
    let isDeleted = false;
    for (let k = 0; k < deleted.length; k += 2) if (time >= deleted[k]! && time <= deleted[k + 1]!) isDeleted = true;
    if (isDeleted) continue;
    columns.times[n] = time;
    columns.valueBits[2 * n] = columns.valueBits[2 * i]!;
    columns.valueBits[2 * n + 1] = columns.valueBits[2 * i + 1]!;
    if (columns.histograms !== null) columns.histograms[n] = columns.histograms[i]!;
    n++;
  }
  columns.count = n;
}

function directorySize(directory: string): number {
  let size = 0;
  for (const entry of fs.readdirSync(directory, { withFileTypes: true, recursive: true })) {
    if (entry.isFile()) size += fs.statSync(path.join(entry.parentPath, entry.name)).size;
  }
  return size;
}
