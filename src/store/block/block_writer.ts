/**
 * Writes a block: chunk segments, index, tombstones, meta.json, in a directory aside that gets its name when everything is on the disk.
 * A crash before that leaves a `.tmp` directory, which the next start removes.
 */
import fs from 'node:fs';
import path from 'node:path';
import { syncDirectory } from '#src/core/sync_directory.ts';
import { crc32c } from '#src/wire/crc32c.ts';
import { ByteWriter } from '#src/store/bytes.ts';
import { ENCODING_XOR } from '#src/store/chunk/encodings.ts';
import { FileWriter } from './file_writer.ts';
import { IndexWriter } from './index_writer.ts';
import type { ChunkMeta } from './index_writer.ts';
import { newUlid, writeDurably, writeMeta } from './meta.ts';
import type { BlockMeta } from './meta.ts';

export const CHUNKS_MAGIC = 0x85bd40dd;
export const CHUNKS_VERSION = 1;
export const CHUNKS_HEADER = 8;
const SEGMENT_BYTES = 512 << 20;
const TOMBSTONES_MAGIC = 0x0130ba30;
export const TMP_SUFFIX = '.tmp-for-creation';

export class BlockWriter {
  readonly ulid: string;
  readonly #parent: string;
  readonly #directory: string;
  readonly #index: IndexWriter;
  #segments = 0;
  #segment: FileWriter | null = null;
  readonly #frame = new ByteWriter(2048);
  #metas: ChunkMeta[] = [];
  #samples = 0;
  #histograms = 0;
  #chunks = 0;

  /** Begins a block in `parent`. `symbols`: all label names and values of the series to come. */
  constructor(parent: string, symbols: Iterable<string>, nowMs: number) {
    this.ulid = newUlid(nowMs);
    this.#parent = parent;
    this.#directory = path.join(parent, this.ulid + TMP_SUFFIX);
    fs.mkdirSync(path.join(this.#directory, 'chunks'), { recursive: true });
    this.#index = new IndexWriter(path.join(this.#directory, 'index'), symbols);
  }

  /** A chunk of the series that endSeries() names; in order of time. The bytes are read at once. */
  addChunk(encoding: number, bytes: Uint8Array, from: number, to: number, count: number, minTimeMs: number, maxTimeMs: number): void {
    const size = to - from;
    if (this.#segment === null || this.#segment.position + size + 16 > SEGMENT_BYTES) this.#nextSegment();
    const segment = this.#segment!;
    this.#metas.push({ minTimeMs, maxTimeMs, ref: (this.#segments - 1) * 4294967296 + segment.position });
    const frame = this.#frame;
    frame.reset();
    frame.uvarint(size);
    const encodingAt = frame.size;
    frame.u8(encoding);
    frame.raw(bytes, from, to);
    frame.u32(crc32c(frame.bytes, encodingAt, frame.size));
    segment.write(frame.bytes, 0, frame.size);
    this.#chunks++;
    this.#samples += count;
    if (encoding !== ENCODING_XOR) this.#histograms += count;
  }

  #nextSegment(): void {
    this.#segment?.close();
    this.#segments++;
    this.#segment = new FileWriter(path.join(this.#directory, 'chunks', String(this.#segments).padStart(6, '0')));
    this.#frame.reset();
    this.#frame.u32(CHUNKS_MAGIC);
    this.#frame.u8(CHUNKS_VERSION);
    this.#frame.padTo(CHUNKS_HEADER);
    this.#segment.write(this.#frame.bytes, 0, this.#frame.size);
  }

  /** The chunks since the last call belong to this series; without any the series is left out. */
  endSeries(labels: readonly string[]): void {
    if (this.#metas.length === 0) return;
    this.#index.addSeries(labels, this.#metas);
    this.#metas = [];
  }

  get isEmpty(): boolean {
    return this.#index.seriesCount === 0;
  }

  /** Puts the finished block in its place and returns its meta. Everything is on the disk by then. */
  finish(minTime: number, maxTime: number, compaction: Omit<BlockMeta['compaction'], 'sources'> & { sources?: readonly string[] }): BlockMeta {
    this.#index.finish();
    this.#segment?.close();
    this.#segment = null;
    const tombstones = new ByteWriter(16);
    tombstones.u32(TOMBSTONES_MAGIC);
    tombstones.u8(1);
    tombstones.u32(crc32c(tombstones.bytes, 5, 5));
    writeDurably(path.join(this.#directory, 'tombstones'), tombstones.written());
    const meta: BlockMeta = {
      ulid: this.ulid,
      minTime,
      maxTime,
      stats: {
        numSamples: this.#samples,
        numFloatSamples: this.#samples - this.#histograms,
        ...(this.#histograms > 0 ? { numHistogramSamples: this.#histograms } : {}),
        numSeries: this.#index.seriesCount,
        numChunks: this.#chunks,
      },
      compaction: { ...compaction, sources: compaction.sources ?? [this.ulid] },
      version: 1,
    };
    writeMeta(this.#directory, meta);
    syncDirectory(path.join(this.#directory, 'chunks'));
    syncDirectory(this.#directory);
    fs.renameSync(this.#directory, path.join(this.#parent, this.ulid));
    syncDirectory(this.#parent);
    return meta;
  }

  /** Gives up and takes away what was written. */
  abandon(): void {
    this.#segment?.abandon();
    this.#index.abandon();
    fs.rmSync(this.#directory, { recursive: true, force: true });
  }
}
