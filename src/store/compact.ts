/**
 * From head to block, from blocks to larger blocks, and from head to checkpoint. All of it works in slices, so that requests are answered
 * in between. Nothing is visible before it is complete; what a crash leaves behind is removed at the next start.
 */
import fs from 'node:fs';
import path from 'node:path';
import { newColumns } from '#src/core/series.ts';
import { syncDirectory } from '#src/core/sync_directory.ts';
import type { Block } from './block/block.ts';
import type { BlockSeries } from './block/block.ts';
import { BlockWriter } from './block/block_writer.ts';
import type { BlockMeta } from './block/meta.ts';
import { viewOf } from './bytes.ts';
import { HistogramChunk } from './chunk/histogram.ts';
import { ENCODING_XOR } from './chunk/encodings.ts';
import * as xor from './chunk/xor.ts';
import { LABELS, LABELS_SIZE } from './head/head.ts';
import type { Head } from './head/head.ts';
import type { HeadReader } from './head/head_read.ts';
import { byteIn, slabOf } from './head/slabs.ts';
import { compareLabels } from './labels.ts';
import { mergeTail } from './querier.ts';
import { WalWriter } from './wal/writer.ts';

/** Work of one slice, ms. */
const SLICE_MS = 5;

class Slices {
  #since = performance.now();
  /** True when it is time to let others run: then await pause(). */
  get isOver(): boolean {
    return performance.now() - this.#since > SLICE_MS;
  }
  async pause(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    this.#since = performance.now();
  }
}

/** Writes the samples of the head in [minTimeMs, maxTimeMs) as a block of level 1. Null where there are none. */
export async function writeHeadBlock(reader: HeadReader, directory: string, minTimeMs: number, maxTimeMs: number, nowMs: number): Promise<BlockMeta | null> {
  const slices = new Slices();
  const refs = reader.sort(reader.all().filter((ref) => reader.overlaps(ref, minTimeMs, maxTimeMs - 1)));
  if (refs.length === 0) return null;
  const symbols = new Set<string>(['']);
  for (const ref of refs) {
    for (const text of reader.labels(ref)) symbols.add(text);
    if (slices.isOver) await slices.pause();
  }
  const writer = new BlockWriter(directory, symbols, nowMs);
  try {
    for (const ref of refs) {
      for (const chunk of reader.chunks(ref, minTimeMs, maxTimeMs - 1)) {
        writer.addChunk(chunk.encoding, chunk.bytes, 0, chunk.bytes.length, chunk.count, chunk.minTimeMs, chunk.maxTimeMs);
      }
      writer.endSeries(reader.labels(ref));
      if (slices.isOver) await slices.pause();
    }
    if (writer.isEmpty) {
      writer.abandon();
      return null;
    }
    return writer.finish(minTimeMs, maxTimeMs, { level: 1 });
  } catch (error) {
    writer.abandon();
    throw error;
  }
}

/**
 * Makes one block of several (oldest first). Chunks that stand alone in time are copied as they are; overlapping ones and those with
 * deleted samples are decoded, merged and encoded anew. Null where nothing is left.
 */
export async function mergeBlocks(blocks: readonly Block[], directory: string, nowMs: number): Promise<BlockMeta | null> {
  const slices = new Slices();
  const symbols = new Set<string>(['']);
  const cursors: { block: Block; ids: Int32Array; next: number; current: BlockSeries | null }[] = [];
  for (const block of blocks) {
    const cursor = { block, ids: block.all(), next: 0, current: null };
    cursors.push(cursor);
    for (const id of cursor.ids) {
      const series = block.series(id, -Infinity, Infinity);
      if (series !== null) for (const text of series.labels) symbols.add(text);
      if (slices.isOver) await slices.pause();
    }
  }
  const advance = (cursor: (typeof cursors)[number]): void => {
    cursor.current = null;
    while (cursor.current === null && cursor.next < cursor.ids.length) cursor.current = cursor.block.series(cursor.ids[cursor.next++]!, -Infinity, Infinity);
  };
  cursors.forEach(advance);
  const writer = new BlockWriter(directory, symbols, nowMs);
  try {
    for (;;) {
      let least: BlockSeries | null = null;
      for (const { current } of cursors) if (current !== null && (least === null || compareLabels(current.labels, least.labels) < 0)) least = current;
      if (least === null) break;
      const labels = least.labels;
      const same = cursors.filter(({ current }) => current !== null && compareLabels(current.labels, labels) === 0);
      mergeSeries(
        same.map(({ block, current }) => ({ block, series: current! })),
        writer,
      );
      writer.endSeries(labels);
      same.forEach(advance);
      if (slices.isOver) await slices.pause();
    }
    if (writer.isEmpty) {
      writer.abandon();
      return null;
    }
    const metas = blocks.map((block) => block.meta);
    return writer.finish(Math.min(...metas.map((meta) => meta.minTime)), Math.max(...metas.map((meta) => meta.maxTime)), {
      level: Math.max(...metas.map((meta) => meta.compaction.level)) + 1,
      sources: [...new Set(metas.flatMap((meta) => meta.compaction.sources ?? [meta.ulid]))].sort(),
      parents: metas.map(({ ulid, minTime, maxTime }) => ({ ulid, minTime, maxTime })),
    });
  } catch (error) {
    writer.abandon();
    throw error;
  }
}

function mergeSeries(parts: readonly { block: Block; series: BlockSeries }[], writer: BlockWriter): void {
  const all = parts.flatMap(({ block, series }) => series.chunks.map((meta) => ({ block, series, meta })));
  all.sort((a, b) => a.meta.minTimeMs - b.meta.minTimeMs);
  const isPlain =
    all.every(({ meta }, i) => i === 0 || meta.minTimeMs > all[i - 1]!.meta.maxTimeMs) && parts.every(({ block, series }) => !block.tombstones.has(series.id));
  if (isPlain) {
    for (const { block, meta } of all) {
      const chunk = block.rawChunk(meta);
      writer.addChunk(chunk.encoding, chunk.bytes, 0, chunk.bytes.length, chunk.count, chunk.minTimeMs, chunk.maxTimeMs);
    }
    return;
  }
  const columns = newColumns();
  for (const { block, series } of parts) {
    const from = columns.count;
    block.read(series, -Infinity, Infinity, columns);
    mergeTail(columns, 0, from);
  }
  const words = new Int32Array(xor.MAX_CHUNK_WORDS);
  const state = new Int32Array(xor.STATE_WORDS);
  const times = new Float64Array(state.buffer);
  const bytes = new Uint8Array(xor.MAX_CHUNK_WORDS * 4);
  let first = 0;
  let histograms: HistogramChunk | null = null;
  xor.resetXor(state, 0);
  const flush = (): void => {
    const count = state[xor.COUNT]!;
    if (count === 0) return;
    xor.sealXor(words, 0, count);
    const size = (state[xor.BIT]! + 7) >> 3;
    xor.wordsToBytes(words, 0, size, viewOf(bytes), 0);
    writer.addChunk(ENCODING_XOR, bytes, 0, size, count, first, times[0]!);
    words.fill(0);
    xor.resetXor(state, 0);
  };
  for (let i = 0; i < columns.count; i++) {
    const time = columns.times[i]!;
    const histogram = columns.histograms?.[i] ?? null;
    if (histogram !== null) {
      flush();
      const sample = { timeMs: time, sumLow: columns.valueBits[2 * i]! | 0, sumHigh: columns.valueBits[2 * i + 1]! | 0, histogram };
      const fits = histograms?.accepts(sample) ?? 'no';
      if (fits === 'yes') histograms!.append(sample);
      else {
        if (histograms !== null) addHistograms(writer, histograms);
        histograms = new HistogramChunk(sample, fits === 'reset');
      }
      continue;
    }
    if (histograms !== null) addHistograms(writer, histograms);
    histograms = null;
    if (state[xor.COUNT]! > 0 && !xor.fitsXor(state, 0, time - times[0]!)) flush();
    if (state[xor.COUNT] === 0) first = time;
    xor.appendXor(words, 0, state, times, 0, time, columns.valueBits[2 * i]! | 0, columns.valueBits[2 * i + 1]! | 0);
  }
  if (histograms !== null) addHistograms(writer, histograms);
  flush();
}

function addHistograms(writer: BlockWriter, chunk: HistogramChunk): void {
  const bytes = chunk.bytes();
  writer.addChunk(chunk.encoding, bytes, 0, bytes.length, chunk.count, chunk.minTimeMs, chunk.maxTimeMs);
}

/**
 * Writes checkpoint `number`: everything the head holds, as a log of its own, which stands for all segments up to `number`. Samples that
 * arrive meanwhile may be in it and in the log behind it: replaying a sample twice does nothing.
 */
export async function writeCheckpoint(head: Head, reader: HeadReader, wal: string, number: number, compress: boolean): Promise<void> {
  const name = path.join(wal, `checkpoint.${String(number).padStart(8, '0')}`);
  const aside = `${name}.tmp`;
  fs.rmSync(aside, { recursive: true, force: true });
  const writer = new WalWriter(aside, 0, { compress, fsync: false });
  const slices = new Slices();
  const columns = newColumns(4096);
  try {
    for (const ref of reader.all()) {
      const page = head.pages[ref >>> 12]!;
      const s = (ref & 4095) << 4;
      const at = page[s + LABELS]!;
      columns.count = 0;
      reader.read(ref, -Infinity, Infinity, columns);
      writer.series(ref, head.labels.bytes[slabOf(at)]!, byteIn(at), byteIn(at) + page[s + LABELS_SIZE]!);
      for (let i = 0; i < columns.count; i++) {
        const sumLow = columns.valueBits[2 * i]! | 0;
        const sumHigh = columns.valueBits[2 * i + 1]! | 0;
        const histogram = columns.histograms?.[i] ?? null;
        if (histogram === null) writer.sample(ref, columns.times[i]!, sumLow, sumHigh);
        else writer.histogram(ref, { timeMs: columns.times[i]!, sumLow, sumHigh, histogram });
      }
      if (slices.isOver) await slices.pause();
    }
    writer.close();
    syncDirectory(aside);
    fs.renameSync(aside, name);
    syncDirectory(wal);
  } catch (error) {
    try {
      writer.close();
    } catch {
      // The disk that failed once may fail again; what counts is the first error.
    }
    fs.rmSync(aside, { recursive: true, force: true });
    throw error;
  }
}
