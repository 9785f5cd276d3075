/**
 * Queries over one tenant: the head and the blocks that overlap. While only the head is asked (the common case: the last hours), a series set
 * is a list of refs; with blocks, series are brought together by their labels. Where sources hold the same time, as between the cutting
 * of a block and the truncation of the head, or with overlapping blocks, samples are merged and the first source wins.
 */
import { CorruptError } from '#src/core/errors.ts';
import { type CompiledMatcher, compileMatcher } from '#src/core/matcher.ts';
import { newColumns } from '#src/core/series.ts';
import type { LabelList, Matcher, Querier, SampleColumns, SeriesSet } from '#src/core/series.ts';
import type { Block, BlockSeries } from './block/block.ts';
import { compareText } from './bytes.ts';
import type { RawChunk } from './head/head_read.ts';
import type { Head } from './head/head.ts';
import type { HeadReader } from './head/head_read.ts';
import { compareLabels } from './labels.ts';
import { matchingSeries, selectSeries } from './select.ts';
import type { PostingsSource } from './select.ts';

/** A series set that can also hand out chunks as they are stored, for remote read. */
export interface ChunkSeriesSet extends SeriesSet {
  /** Chunks that overlap the range, oldest first; their samples may reach beyond it, and may repeat where blocks overlap. */
  chunks(index: number, minTimeMs: number, maxTimeMs: number): RawChunk[];
}

/** What the querier needs of its tenant. */
export interface QuerySource {
  readonly head: Head;
  readonly headReader: HeadReader;
  /** Takes a damaged block out of service. */
  setAside(block: Block, error: Error): void;
  /** Called once when the querier is closed. */
  closed(blocks: readonly Block[]): void;
}

/** Key of a label set in a Map. */
const keyOf = (labels: LabelList): string => labels.join('\u0000');

export class StoreQuerier implements Querier {
  readonly #source: QuerySource;
  readonly #blocks: readonly Block[];
  readonly #ids = new Map<string, number>();
  #isClosed = false;

  /** `blocks`: all that overlap what will be asked, oldest first; they are retained until close(). */
  constructor(source: QuerySource, blocks: readonly Block[]) {
    this.#source = source;
    this.#blocks = blocks;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#source.closed(this.#blocks);
  }

  #overlapping(minTimeMs: number, maxTimeMs: number): Block[] {
    return this.#blocks.filter((block) => block.meta.minTime <= maxTimeMs && block.meta.maxTime > minTimeMs);
  }

  #headOverlaps(minTimeMs: number, maxTimeMs: number): boolean {
    const head = this.#source.head;
    return head.maxTimeMs >= minTimeMs && head.minTimeMs <= maxTimeMs;
  }

  /** The same number for the same series in all answers of this querier. */
  idOf(labels: LabelList): number {
    const key = keyOf(labels);
    let id = this.#ids.get(key);
    if (id === undefined) {
      id = this.#ids.size + 1;
      this.#ids.set(key, id);
    }
    return id;
  }

  /** Any order is that of creation: while only the head is asked, series that tie in topk() or come first in limitk() are those that Prometheus picks. */
  async select(matchers: readonly Matcher[], minTimeMs: number, maxTimeMs: number, anyOrder = false): Promise<ChunkSeriesSet> {
    const compiled = matchers.map(compileMatcher);
    const refs = this.#selectHead(compiled, minTimeMs, maxTimeMs);
    const blocks = this.#overlapping(minTimeMs, maxTimeMs);
    if (blocks.length === 0) {
      const { headReader } = this.#source;
      return new HeadSeriesSet(headReader, anyOrder ? refs : headReader.sort(refs), this.#blocks.length === 0 ? null : this);
    }
    const entries = new Map<string, MergedSeries>();
    const entryOf = (labels: LabelList): MergedSeries => {
      const key = keyOf(labels);
      let entry = entries.get(key);
      if (entry === undefined) {
        entry = { labels, ref: 0, parts: [] };
        entries.set(key, entry);
      }
      return entry;
    };
    for (const block of blocks) {
      this.#guard(block, () => {
        for (const id of selectSeries(block, compiled)) {
          const series = block.series(id, minTimeMs, maxTimeMs);
          if (series !== null) entryOf(series.labels).parts.push({ block, series });
        }
      });
      await breathe();
    }
    for (const ref of refs) entryOf(this.#source.headReader.labels(ref)).ref = ref;
    const sorted = [...entries.values()].sort((a, b) => compareLabels(a.labels, b.labels));
    return new MergedSeriesSet(this.#source.headReader, sorted, this);
  }

  #selectHead(matchers: readonly CompiledMatcher[], minTimeMs: number, maxTimeMs: number): Int32Array {
    if (!this.#headOverlaps(minTimeMs, maxTimeMs)) return new Int32Array(0);
    const reader = this.#source.headReader;
    const refs = selectSeries(reader, matchers).slice();
    let n = 0;
    for (const ref of refs) if (reader.overlaps(ref, minTimeMs, maxTimeMs)) refs[n++] = ref;
    return refs.subarray(0, n);
  }

  /** Reads a block's index; a damaged one is taken out of service and the answer comes from the others. */
  #guard(block: Block, work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!(error instanceof CorruptError)) throw error;
      this.#source.setAside(block, error);
    }
  }

  async labelNames(matchers: readonly (readonly Matcher[])[], minTimeMs: number, maxTimeMs: number): Promise<string[]> {
    const sets = matchers.map((set) => set.map(compileMatcher));
    const names = new Set<string>();
    const collect = (source: PostingsSource, labelsOf: (id: number) => LabelList | null): void => {
      if (sets.length === 0) for (const name of source.names()) names.add(name);
      else {
        for (const id of matchingSeries(source, sets)) {
          const labels = labelsOf(id) ?? [];
          for (let i = 0; i < labels.length; i += 2) names.add(labels[i]!);
        }
      }
    };
    this.#collect(collect, minTimeMs, maxTimeMs);
    return [...names].sort(compareText);
  }

  async labelValues(name: string, matchers: readonly (readonly Matcher[])[], minTimeMs: number, maxTimeMs: number): Promise<string[]> {
    const sets = matchers.map((set) => set.map(compileMatcher));
    const values = new Set<string>();
    const collect = (source: PostingsSource, labelsOf: (id: number) => LabelList | null): void => {
      if (sets.length === 0) {
        for (const value of source.values(name)) values.add(value);
        return;
      }
      for (const id of matchingSeries(source, sets)) {
        const labels = labelsOf(id);
        if (labels === null) continue;
        for (let i = 0; i < labels.length; i += 2) if (labels[i] === name) values.add(labels[i + 1]!);
      }
    };
    this.#collect(collect, minTimeMs, maxTimeMs);
    return [...values].sort(compareText);
  }

  /** The head and blocks are asked or not by their times; single series are not looked at, as in Prometheus. */
  #collect(collect: (source: PostingsSource, labelsOf: (id: number) => LabelList | null) => void, minTimeMs: number, maxTimeMs: number): void {
    const reader = this.#source.headReader;
    if (this.#headOverlaps(minTimeMs, maxTimeMs)) collect(reader, (ref) => reader.labels(ref));
    for (const block of this.#overlapping(minTimeMs, maxTimeMs)) {
      this.#guard(block, () => collect(block, (id) => block.series(id, block.meta.minTime, block.meta.maxTime)?.labels ?? null));
    }
  }
}

/** Lets others run between two blocks. */
const breathe = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

class HeadSeriesSet implements ChunkSeriesSet {
  readonly #reader: HeadReader;
  readonly #refs: Int32Array;
  /** Where blocks take part in the querier, ids come from the labels; else refs will do. */
  readonly #ids: StoreQuerier | null;

  constructor(reader: HeadReader, refs: Int32Array, ids: StoreQuerier | null) {
    this.#reader = reader;
    this.#refs = refs;
    this.#ids = ids;
  }

  get length(): number {
    return this.#refs.length;
  }

  labels(index: number): LabelList {
    return this.#reader.labels(this.#refs[index]!);
  }

  id(index: number): number {
    return this.#ids === null ? this.#refs[index]! : this.#ids.idOf(this.labels(index));
  }

  hashWithoutName(index: number): number {
    return this.#reader.hashWithoutName(this.#refs[index]!);
  }

  read(index: number, minTimeMs: number, maxTimeMs: number, into: SampleColumns): void {
    this.#reader.read(this.#refs[index]!, minTimeMs, maxTimeMs, into);
  }

  chunks(index: number, minTimeMs: number, maxTimeMs: number): RawChunk[] {
    return this.#reader.chunks(this.#refs[index]!, minTimeMs, maxTimeMs);
  }
}

interface MergedSeries {
  readonly labels: LabelList;
  /** In the head; 0 where it is not. */
  ref: number;
  readonly parts: { readonly block: Block; readonly series: BlockSeries }[];
}

class MergedSeriesSet implements ChunkSeriesSet {
  readonly #reader: HeadReader;
  readonly #series: readonly MergedSeries[];
  readonly #querier: StoreQuerier;

  constructor(reader: HeadReader, series: readonly MergedSeries[], querier: StoreQuerier) {
    this.#reader = reader;
    this.#series = series;
    this.#querier = querier;
  }

  get length(): number {
    return this.#series.length;
  }

  labels(index: number): LabelList {
    return this.#series[index]!.labels;
  }

  id(index: number): number {
    return this.#querier.idOf(this.labels(index));
  }

  read(index: number, minTimeMs: number, maxTimeMs: number, into: SampleColumns): void {
    const { ref, parts } = this.#series[index]!;
    const start = into.count;
    for (const { block, series } of parts) {
      const from = into.count;
      block.read(series, minTimeMs, maxTimeMs, into);
      mergeTail(into, start, from);
    }
    if (ref === 0) return;
    const from = into.count;
    this.#reader.read(ref, minTimeMs, maxTimeMs, into);
    mergeTail(into, start, from);
  }

  chunks(index: number, minTimeMs: number, maxTimeMs: number): RawChunk[] {
    const { ref, parts } = this.#series[index]!;
    const chunks: RawChunk[] = [];
    for (const { block, series } of parts) {
      for (const meta of series.chunks) if (meta.maxTimeMs >= minTimeMs && meta.minTimeMs <= maxTimeMs) chunks.push(block.rawChunk(meta));
    }
    const lastTime = chunks.reduce((last, chunk) => Math.max(last, chunk.maxTimeMs), -Infinity);
    if (ref !== 0) for (const chunk of this.#reader.chunks(ref, minTimeMs, maxTimeMs)) if (chunk.maxTimeMs > lastTime) chunks.push(chunk);
    return chunks.sort((a, b) => a.minTimeMs - b.minTimeMs);
  }
}

/** The columns ascend in [start, from) and in [from, count): makes them ascend in all, one sample for each time, the earlier one's. */
export function mergeTail(columns: SampleColumns, start: number, from: number): void {
  const { times, valueBits: bits, histograms, count } = columns;
  if (from === start || from === count || times[from]! > times[from - 1]!) return;
  const size = count - start;
  const merged = newColumns(size);
  const mergedHistograms: SampleColumns['histograms'] = [];
  let i = start;
  let j = from;
  let n = 0;
  while (i < from || j < count) {
    let take: number;
    if (j === count || (i < from && times[i]! <= times[j]!)) {
      if (j < count && times[i] === times[j]) j++;
      take = i++;
    } else take = j++;
    merged.times[n] = times[take]!;
    merged.valueBits[2 * n] = bits[2 * take]!;
    merged.valueBits[2 * n + 1] = bits[2 * take + 1]!;
    mergedHistograms.push(histograms?.[take] ?? null);
    n++;
  }
  times.set(merged.times.subarray(0, n), start);
  bits.set(merged.valueBits.subarray(0, 2 * n), 2 * start);
  if (histograms !== null) histograms.splice(start, histograms.length, ...mergedHistograms);
  columns.count = start + n;
}
