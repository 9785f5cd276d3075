/**
 * One tenant: a directory in Prometheus's layout (wal/, blocks), its head, its log, its blocks, and what keeps them in shape: cutting blocks,
 * checkpoints, retention, merging blocks. Opening replays the log synchronously. Appends are synchronous too; commit() makes them last.
 *
 * Deliberately absent: chunks_head (full chunks stay in memory until their block is cut; one found there is ignored, since the log holds
 * its samples), the out-of-order log, deleting series.
 */
import fs from 'node:fs';
import path from 'node:path';
import { errorText } from '#src/core/errors.ts';
import { compileMatcher } from '#src/core/matcher.ts';
import type { Log } from '#src/core/telemetry.ts';
import type { LabelList, Matcher, Querier } from '#src/core/series.ts';
import { APPENDED, LimitError } from './appender.ts';
import type { AppendResult, Appender, MetadataType } from './appender.ts';
import { Block } from './block/block.ts';
import { isUlid } from './block/meta.ts';
import { ByteReader, viewOf } from './bytes.ts';
import type { HistogramSample } from './chunk/histogram.ts';
import { mergeBlocks, writeCheckpoint, writeHeadBlock } from './compact.ts';
import { ExemplarRing } from './exemplars.ts';
import { BLOCK_RANGE_MS, Head, LABELS, LABELS_SIZE, PAGE_MASK, PAGE_SHIFT } from './head/head.ts';
import { HeadReader } from './head/head_read.ts';
import { byteIn, slabOf } from './head/slabs.ts';
import { readHistogramMessage } from './histogram_codec.ts';
import { decodeLabels, labelText, spans } from './labels.ts';
import { StoreQuerier } from './querier.ts';
import type { QuerySource } from './querier.ts';
import { planMerge } from './plan.ts';
import { selectSeries } from './select.ts';
import { listCheckpoints, listSegments, replayWal } from './wal/reader.ts';
import { WalWriter } from './wal/writer.ts';

export interface TenantLimits {
  /** 0: no limit. Names as in Cortex. */
  readonly max_global_series_per_user: number;
  readonly max_label_names_per_series: number;
  readonly max_label_name_length: number;
  readonly max_label_value_length: number;
}

export interface TenantOptions {
  readonly retentionMs: number;
  /** 0: no limit. */
  readonly retentionBytes: number;
  readonly compressWal: boolean;
  readonly fsync: boolean;
  readonly maxExemplars: number;
  readonly limits: TenantLimits;
}

export interface FamilyMetadata {
  readonly type: MetadataType;
  readonly help: string;
  readonly unit: string;
}

export interface TenantStatus {
  readonly tenant: string;
  readonly series: number;
  readonly labelPairs: number;
  readonly chunks: number;
  readonly appendedSamples: number;
  readonly minTimeMs: number | null;
  readonly maxTimeMs: number | null;
  readonly walBytes: number;
  readonly blocks: readonly {
    readonly ulid: string;
    readonly minTime: number;
    readonly maxTime: number;
    readonly sizeBytes: number;
    readonly samples: number;
    readonly level: number;
  }[];
}

/** Of the labels of an exemplar, all names and values: OpenMetrics allows no more, and Prometheus drops those that have more. */
const MOST_EXEMPLAR_CHARACTERS = 128;
/** Metric families with metadata that are kept. */
const MOST_FAMILIES = 8000;
/** How long the truncation of the head waits for running queries. */
const MOST_WAIT_MS = 120_000;

export class Tenant implements Appender, QuerySource {
  readonly id: string;
  readonly directory: string;
  readonly head = new Head();
  readonly headReader = new HeadReader(this.head);
  readonly #options: TenantOptions;
  readonly #log: Log;
  #wal: WalWriter;
  /** Oldest first. */
  #blocks: Block[] = [];
  readonly #exemplars: ExemplarRing;
  readonly #metadata = new Map<string, FamilyMetadata>();
  #openQueriers = 0;
  #maintaining: Promise<void> | null = null;
  #isClosed = false;
  readonly #admit = (bytes: Uint8Array, start: number, count: number): void => this.#checkLimits(bytes, start, count);

  constructor(id: string, directory: string, options: TenantOptions, log: Log) {
    this.id = id;
    this.directory = directory;
    this.#options = options;
    this.#log = log;
    this.#exemplars = new ExemplarRing(options.maxExemplars);
    fs.mkdirSync(directory, { recursive: true });
    this.#openBlocks();
    const nextSegment = this.#replay();
    this.#wal = new WalWriter(path.join(directory, 'wal'), nextSegment, { compress: options.compressWal, fsync: options.fsync });
  }

  // ---- opening

  #openBlocks(): void {
    for (const entry of fs.readdirSync(this.directory, { withFileTypes: true })) {
      const full = path.join(this.directory, entry.name);
      if (!entry.isDirectory()) continue;
      if (/\.tmp-for-(creation|deletion)$/.test(entry.name)) {
        fs.rmSync(full, { recursive: true, force: true });
        continue;
      }
      if (!isUlid(entry.name)) continue;
      try {
        this.#blocks.push(new Block(full));
      } catch (error) {
        this.#log.error('Block cannot be read and was set aside.', { tenant: this.id, block: entry.name, error: errorText(error) });
        fs.renameSync(full, `${full}.corrupt`);
      }
    }
    // A block that was made of others replaces them; a crash may have left both.
    const replaced = new Set(this.#blocks.flatMap((block) => (block.meta.compaction.parents ?? []).map((parent) => parent.ulid)));
    for (const block of this.#blocks.filter(({ meta }) => replaced.has(meta.ulid))) block.delete();
    this.#blocks = this.#blocks.filter(({ meta }) => !replaced.has(meta.ulid));
    this.#sortBlocks();
    for (const { meta } of this.#blocks) this.head.minValidTimeMs = Math.max(this.head.minValidTimeMs, meta.maxTime);
  }

  #sortBlocks(): void {
    this.#blocks.sort((a, b) => a.meta.minTime - b.meta.minTime || a.meta.maxTime - b.meta.maxTime);
  }

  #replay(): number {
    const head = this.head;
    head.isReplaying = true;
    head.lowerBoundMs = head.minValidTimeMs;
    /** Refs of the log that are not the ref here: a label set logged twice, or refs too large. */
    const moved = new Map<number, number>();
    let unknownRecords = 0;
    let orphans = 0;
    const refOf = (ref: number): number => {
      const here = moved.get(ref) ?? ref;
      return head.isKnown(here) ? here : 0;
    };
    const started = performance.now();
    const report = replayWal(path.join(this.directory, 'wal'), {
      series: (ref, labels, start, end) => {
        const view = viewOf(labels);
        let here = head.lookup(labels, view, start, end - start);
        if (here === 0) here = head.create(labels, start, end, null, ref < MOST_KEPT_REF && !head.isKnown(ref) ? ref : 0);
        if (here !== ref) moved.set(ref, here);
      },
      sample: (ref, timeMs, low, high) => {
        let here = ref;
        if (moved.size > 0 || !head.isKnown(ref)) here = refOf(ref);
        if (here === 0) orphans++;
        else head.append(here, timeMs, low, high);
      },
      histogram: (ref, sample) => {
        const here = refOf(ref);
        if (here === 0) orphans++;
        else head.appendHistogram(here, sample);
      },
      exemplar: (ref, timeMs, value, labels) => {
        const here = refOf(ref);
        if (here !== 0) this.#exemplars.add({ ref: here, labels, timeMs, value });
      },
      metadata: (ref, type, unit, help) => {
        const here = refOf(ref);
        if (here === 0) return;
        const labels = this.headReader.labels(here);
        const at = labels.indexOf('__name__');
        if (at >= 0) this.metadata(labels[at + 1]!, type, help, unit);
      },
      tombstone: () => {
        unknownRecords++;
      },
      unknown: () => {
        unknownRecords++;
      },
    });
    head.isReplaying = false;
    head.settle();
    for (const repair of report.repairs) this.#log.warn('Write-ahead log was damaged and has been repaired.', { tenant: this.id, repair });
    if (unknownRecords > 0)
      this.#log.warn('Write-ahead log has records that are not read (deletions, start timestamps).', { tenant: this.id, records: unknownRecords });
    if (orphans > 0) this.#log.warn('Write-ahead log has samples of unknown series.', { tenant: this.id, samples: orphans });
    if (report.records > 0) {
      this.#log.info('Write-ahead log replayed.', {
        tenant: this.id,
        series: head.seriesCount,
        samples: head.appendedSamples,
        ms: Math.round(performance.now() - started),
      });
    }
    head.appendedSamples = 0;
    return report.nextSegment;
  }

  // ---- appending

  #checkLimits(bytes: Uint8Array, start: number, count: number): void {
    const limits = this.#options.limits;
    const end = count > 0 ? spans[6 * count - 1]! : start;
    if (limits.max_global_series_per_user > 0 && this.head.seriesCount >= limits.max_global_series_per_user) {
      throw new LimitError(`per-user series limit of ${limits.max_global_series_per_user} exceeded, please contact administrator to raise it`);
    }
    if (count > limits.max_label_names_per_series) {
      const text = labelText(decodeLabels(bytes, start, end));
      throw new LimitError(`series has too many labels (actual: ${count}, limit: ${limits.max_label_names_per_series}) series: '${text}'`);
    }
    for (let i = 0; i < 6 * count; i += 6) {
      const nameSize = spans[i + 1]! - spans[i]!;
      const valueSize = spans[i + 3]! - spans[i + 2]!;
      if (nameSize > limits.max_label_name_length) throw new LimitError(`label name too long (actual: ${nameSize}, limit: ${limits.max_label_name_length})`);
      if (valueSize > limits.max_label_value_length)
        throw new LimitError(`label value too long (actual: ${valueSize}, limit: ${limits.max_label_value_length})`);
    }
  }

  series(labels: Uint8Array, start: number, end: number): number {
    return this.head.lookup(labels, viewOf(labels), start, end - start) || this.createSeries(labels, start, end);
  }

  /** What series() does once the look-up by bytes found nothing. */
  createSeries(labels: Uint8Array, start: number, end: number): number {
    this.#wal.assertRoom();
    const before = this.head.nextRef;
    const ref = this.head.create(labels, start, end, this.#admit);
    if (ref >= before) {
      const page = this.head.pages[ref >>> PAGE_SHIFT]!;
      const s = (ref & PAGE_MASK) << 4;
      const at = page[s + LABELS]!;
      this.#wal.series(ref, this.head.labels.bytes[slabOf(at)]!, byteIn(at), byteIn(at) + page[s + LABELS_SIZE]!);
    }
    return ref;
  }

  /** Throws RetryableError while the log cannot be written and much is waiting already: whoever appends a request asks first. */
  assertWritable(): void {
    this.#wal.assertRoom();
  }

  isKnown(ref: number): boolean {
    return this.head.isKnown(ref);
  }

  append(ref: number, timeMs: number, low: number, high: number): AppendResult {
    const result = this.head.append(ref, timeMs, low, high);
    if (result === APPENDED) this.#wal.sample(ref, timeMs, low, high);
    return result;
  }

  appendHistogram(ref: number, bytes: Uint8Array, start: number, end: number): AppendResult {
    return this.appendHistogramSample(ref, readHistogramMessage(new ByteReader(bytes, start, end)));
  }

  /** The same for a histogram that was read already. */
  appendHistogramSample(ref: number, sample: HistogramSample): AppendResult {
    const result = this.head.appendHistogram(ref, sample);
    if (result === APPENDED) this.#wal.histogram(ref, sample);
    return result;
  }

  exemplar(ref: number, labels: Uint8Array, start: number, end: number, timeMs: number, value: number): void {
    if (!this.#exemplars.isEnabled) return;
    const list = decodeLabels(labels, start, end);
    let characters = 0;
    for (const text of list) for (const _ of text) characters++;
    if (characters > MOST_EXEMPLAR_CHARACTERS) return;
    if (this.#exemplars.add({ ref, labels: list, timeMs, value })) this.#wal.exemplar(ref, timeMs, value, labels, start, end);
  }

  metadata(family: string, type: MetadataType, help: string, unit: string): void {
    if (this.#metadata.size < MOST_FAMILIES || this.#metadata.has(family)) this.#metadata.set(family, { type, help, unit });
  }

  async commit(): Promise<void> {
    this.head.settle();
    await this.#wal.commit();
  }

  // ---- asking

  /** A view of what is there now in [minTimeMs, maxTimeMs]; to be closed. */
  querier(minTimeMs: number, maxTimeMs: number): Querier & StoreQuerier {
    const blocks = this.#blocks.filter((block) => block.meta.minTime <= maxTimeMs && block.meta.maxTime > minTimeMs);
    for (const block of blocks) block.retain();
    this.#openQueriers++;
    return new StoreQuerier(this, blocks);
  }

  closed(blocks: readonly Block[]): void {
    this.#openQueriers--;
    for (const block of blocks) block.release();
  }

  setAside(block: Block, error: Error): void {
    if (!this.#blocks.includes(block)) return;
    this.#blocks = this.#blocks.filter((other) => other !== block);
    this.#log.error('Block is damaged and was set aside.', { tenant: this.id, block: block.meta.ulid, error: errorText(error) });
    block.close();
    fs.renameSync(block.directory, `${block.directory}.corrupt`);
  }

  /** Metadata by metric family; all, or of one. */
  metadataOf(family?: string): ReadonlyMap<string, FamilyMetadata> {
    if (family === undefined) return this.#metadata;
    const found = this.#metadata.get(family);
    return new Map(found ? [[family, found]] : []);
  }

  /** Exemplars of the series in the head that match one of the sets, in the order of labels. */
  exemplars(
    matchers: readonly (readonly Matcher[])[],
    minTimeMs: number,
    maxTimeMs: number,
  ): { labels: LabelList; exemplars: { labels: LabelList; timeMs: number; value: number }[] }[] {
    const refs = new Set<number>();
    for (const set of matchers) for (const ref of selectSeries(this.headReader, set.map(compileMatcher))) refs.add(ref);
    const bySeries = new Map<number, { labels: LabelList; timeMs: number; value: number }[]>();
    for (const { ref, labels, timeMs, value } of this.#exemplars.of(refs, minTimeMs, maxTimeMs)) {
      const list = bySeries.get(ref);
      if (list) list.push({ labels, timeMs, value });
      else bySeries.set(ref, [{ labels, timeMs, value }]);
    }
    return [...this.headReader.sort(Int32Array.from(bySeries.keys()))].map((ref) => ({ labels: this.headReader.labels(ref), exemplars: bySeries.get(ref)! }));
  }

  status(): TenantStatus {
    const wal = path.join(this.directory, 'wal');
    let walBytes = 0;
    for (const { file } of listSegments(wal)) walBytes += fs.statSync(file).size;
    for (const checkpoint of listCheckpoints(wal)) for (const { file } of listSegments(checkpoint.directory)) walBytes += fs.statSync(file).size;
    const { head } = this;
    return {
      tenant: this.id,
      series: head.seriesCount,
      labelPairs: head.index.pairCount,
      chunks: head.fullChunks + head.seriesCount,
      appendedSamples: head.appendedSamples,
      minTimeMs: head.minTimeMs === Infinity ? null : head.minTimeMs,
      maxTimeMs: head.maxTimeMs === -Infinity ? null : head.maxTimeMs,
      walBytes,
      blocks: this.#blocks.map(({ meta, sizeBytes }) => ({
        ulid: meta.ulid,
        minTime: meta.minTime,
        maxTime: meta.maxTime,
        sizeBytes,
        samples: meta.stats.numSamples ?? 0,
        level: meta.compaction.level,
      })),
    };
  }

  // ---- keeping in shape

  /** Cuts blocks while the head spans more than three hours, merges blocks, deletes old ones. One at a time; calls in between share it. */
  maintain(nowMs: number): Promise<void> {
    this.#maintaining ??= this.#maintain(nowMs).finally(() => {
      this.#maintaining = null;
    });
    return this.#maintaining;
  }

  async #maintain(nowMs: number): Promise<void> {
    try {
      let isCut = false;
      while (!this.#isClosed && this.head.maxTimeMs - this.head.minTimeMs > 1.5 * BLOCK_RANGE_MS) {
        const start = Math.floor(this.head.minTimeMs / BLOCK_RANGE_MS) * BLOCK_RANGE_MS;
        await this.#cutBlock(start, start + BLOCK_RANGE_MS, nowMs);
        isCut = true;
      }
      if (isCut) await this.checkpoint();
      this.#retain(nowMs);
      for (const block of this.#blocks) block.closeIfIdle();
      for (let plan = planMerge(this.#blocks); plan.length > 0 && !this.#isClosed; plan = planMerge(this.#blocks)) await this.#merge(plan, nowMs);
    } catch (error) {
      this.#log.error('Maintenance of the store failed; it is tried again later.', { tenant: this.id, error: errorText(error) });
    }
  }

  /** Writes what the head has in [start, end) as a block, whatever the head spans. For maintenance and tests. */
  async #cutBlock(start: number, end: number, nowMs: number): Promise<void> {
    const began = performance.now();
    const meta = await writeHeadBlock(this.headReader, this.directory, start, end, nowMs);
    if (meta !== null) {
      this.#blocks.push(new Block(path.join(this.directory, meta.ulid)));
      this.#sortBlocks();
    }
    for (let waited = 0; this.#openQueriers > 0 && waited < MOST_WAIT_MS; waited += 20) await new Promise((resolve) => setTimeout(resolve, 20));
    this.head.truncate(end);
    this.#log.info('Block was cut from the head.', {
      tenant: this.id,
      block: meta?.ulid ?? 'none',
      series: meta?.stats.numSeries ?? 0,
      ms: Math.round(performance.now() - began),
    });
  }

  /** Replaces the log so far by a checkpoint of the head. */
  async checkpoint(): Promise<void> {
    const wal = path.join(this.directory, 'wal');
    this.#wal.roll();
    const number = this.#wal.segment - 1;
    await writeCheckpoint(this.head, this.headReader, wal, number, this.#options.compressWal);
    for (const old of listCheckpoints(wal)) if (old.number < number) fs.rmSync(old.directory, { recursive: true, force: true });
    for (const segment of listSegments(wal)) if (segment.number <= number) fs.rmSync(segment.file, { force: true });
  }

  #retain(nowMs: number): void {
    // As Prometheus: measured from the newest sample in blocks, so that a store that stands still keeps what it has.
    const newest = this.#blocks.reduce((time, block) => Math.max(time, block.meta.maxTime), -Infinity);
    let kept = 0;
    for (const block of [...this.#blocks].reverse()) {
      kept += block.sizeBytes;
      const isOld = newest - block.meta.maxTime >= this.#options.retentionMs && nowMs - block.meta.maxTime >= this.#options.retentionMs;
      if (!isOld && !(this.#options.retentionBytes > 0 && kept > this.#options.retentionBytes)) continue;
      this.#blocks = this.#blocks.filter((other) => other !== block);
      block.delete();
      this.#log.info('Block was deleted by retention.', { tenant: this.id, block: block.meta.ulid });
    }
  }

  async #merge(blocks: readonly Block[], nowMs: number): Promise<void> {
    for (const block of blocks) block.retain();
    try {
      const meta = await mergeBlocks(blocks, this.directory, nowMs);
      this.#blocks = this.#blocks.filter((block) => !blocks.includes(block));
      if (meta !== null) this.#blocks.push(new Block(path.join(this.directory, meta.ulid)));
      this.#sortBlocks();
      for (const block of blocks) block.delete(); // Off the disk once the last reader lets go.
      this.#log.info('Blocks were merged.', { tenant: this.id, blocks: blocks.length, into: meta?.ulid ?? 'none' });
    } finally {
      for (const block of blocks) block.release();
    }
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#maintaining;
    this.#wal.close();
    for (const block of this.#blocks) block.close();
  }
}

/** Refs of a foreign log are kept as they are below this; page numbers stay small. */
const MOST_KEPT_REF = 1 << 28;
