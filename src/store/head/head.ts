/**
 * The head: the newest hours of a tenant in memory. 16 words a series in pages of 4,096 series, open chunks as words in blocks that double,
 * full chunks as words one behind the other, label sets as the bytes they came in, found by hash. No object per series or sample: 0.3 to
 * 0.45 KB a series. Native histograms, few and
 * large, keep their open chunk in an object each.
 *
 * Not here: the log (../wal), what is asked of the head (head_read.ts), cutting blocks (../compact.ts). Refs are never given twice.
 */
import { PermanentError } from '#src/core/errors.ts';
import { APPENDED, DUPLICATE, DUPLICATE_OTHER_VALUE, OUT_OF_ORDER, TOO_OLD } from '#src/store/appender.ts';
import type { AppendResult } from '#src/store/appender.ts';
import { equalBytes, hashBytes, probablyEqual, viewOf } from '#src/store/bytes.ts';
import * as xor from '#src/store/chunk/xor.ts';
import { HistogramChunk } from '#src/store/chunk/histogram.ts';
import type { HistogramSample } from '#src/store/chunk/histogram.ts';
import { ENCODING_XOR } from '#src/store/chunk/encodings.ts';
import { MAX_LABEL_SET_BYTES, canonicalLabels, checkLabels, findLabels, isCanonical } from '#src/store/labels.ts';
import { HeadIndex } from './index.ts';
import { BlockSlabs, LogSlabs, byteIn, slabOf, wordIn } from './slabs.ts';

/** Words of a series behind those of its open XOR chunk. */
export const OPEN = 8; // Address of the open chunk,
export const CAPACITY = 9; // and its size in bits.
export const NEWEST = 10; // Address of the newest full chunk, 0 for none.
export const LABELS = 11; // Address of the label set,
export const LABELS_SIZE = 12; // and its size in bytes; 0 where the series does not exist.
export const NEXT = 13; // The series that came behind this one in the last request: the guess for the next one.
export const HASH = 14;
export const HISTOGRAM = 15; // 1 while the open chunk is one of histograms, in openHistograms.

export const PAGE_SHIFT = 12;
export const PAGE_SERIES = 1 << PAGE_SHIFT;
export const PAGE_MASK = PAGE_SERIES - 1;
const SERIES_SHIFT = 4;

/** Words in front of a full chunk: the one before it, samples | encoding << 16, bytes, unused, first and last time as float64. */
export const FULL_PREVIOUS = 0;
export const FULL_COUNT = 1;
export const FULL_SIZE = 2;
export const FULL_MIN = 4;
export const FULL_MAX = 6;
export const FULL_HEADER = 8;

/** 64 bytes hold 120 constants at regular times; others grow. */
const FIRST_WORDS = 16;

/** Length of a block of the first level. No chunk crosses a multiple of it. */
export const BLOCK_RANGE_MS = 7_200_000;

export class Head {
  readonly pages: Int32Array[] = [];
  readonly pageTimes: Float64Array[] = [];
  labels = new LogSlabs();
  open = new BlockSlabs();
  full = new LogSlabs();
  index = new HeadIndex(this.labels);
  readonly openHistograms = new Map<number, HistogramChunk>();
  #slots = new Int32Array(1 << 10);
  #slotsUsed = 0;
  /** Series that exist. */
  seriesCount = 0;
  /** One above the highest ref ever given. */
  nextRef = 1;
  appendedSamples = 0;
  fullChunks = 0;
  minTimeMs = Infinity;
  maxTimeMs = -Infinity;
  /** Nothing below is taken: it is in a block already. */
  minValidTimeMs = -Infinity;
  /** Nothing below is taken: minValidTimeMs, or an hour behind the newest sample, as of the last settle(). */
  lowerBoundMs = -Infinity;
  /** While the log is read back: then nothing is too old but for what is in blocks. */
  isReplaying = false;
  #rangeStartMs = 0;
  #rangeEndMs = 0;
  /** What the writer of the last sample found there, for the message of DUPLICATE_OTHER_VALUE. */
  readonly existing = new Float64Array(1);

  // ---- series

  /** The ref of a label set in canonical bytes, 0 where there is none. `view` is of the same bytes. */
  lookup(bytes: Uint8Array, view: DataView, start: number, size: number): number {
    const hash = hashBytes(view, start, size);
    const mask = this.#slots.length - 1;
    for (let i = hash & mask; ; i = (i + 1) & mask) {
      const ref = this.#slots[i]!;
      if (ref === 0) return 0;
      const page = this.pages[ref >>> PAGE_SHIFT]!;
      const s = (ref & PAGE_MASK) << SERIES_SHIFT;
      if (page[s + HASH] !== hash || page[s + LABELS_SIZE] !== size) continue;
      const at = page[s + LABELS]!;
      if (equalBytes(this.labels.bytes[slabOf(at)]!, byteIn(at), bytes, start, size)) return ref;
    }
  }

  /** Whether the label set of `ref` is what stands at `pos`: the cheap test of a guess. Returns its size, or 0. */
  guessMatches(ref: number, view: DataView, pos: number, end: number): number {
    const page = this.pages[ref >>> PAGE_SHIFT]!;
    const s = (ref & PAGE_MASK) << SERIES_SHIFT;
    const size = page[s + LABELS_SIZE]!;
    if (size === 0 || pos + size > end) return 0;
    const at = page[s + LABELS]!;
    return probablyEqual(this.labels.views[slabOf(at)]!, byteIn(at), view, pos, size) ? size : 0;
  }

  next(ref: number): number {
    return ref === 0 ? 0 : this.pages[ref >>> PAGE_SHIFT]![((ref & PAGE_MASK) << SERIES_SHIFT) + NEXT]!;
  }

  setNext(ref: number, next: number): void {
    if (ref !== 0) this.pages[ref >>> PAGE_SHIFT]![((ref & PAGE_MASK) << SERIES_SHIFT) + NEXT] = next;
  }

  isKnown(ref: number): boolean {
    return ref > 0 && ref < this.nextRef && this.pages[ref >>> PAGE_SHIFT]![((ref & PAGE_MASK) << SERIES_SHIFT) + LABELS_SIZE] !== 0;
  }

  /**
   * Makes the series of a label set that lookup() did not find, or finds it once its bytes are canonical. `admit` may throw, before anything
   * is made: limits; without it (the log) a metric name is not asked for. `wanted` is the ref that the log had for it. Throws PermanentError where the labels cannot be stored.
   */
  create(bytes: Uint8Array, start: number, end: number, admit: ((bytes: Uint8Array, start: number, count: number) => void) | null, wanted = 0): number {
    if (end - start > MAX_LABEL_SET_BYTES) throw new PermanentError(`a label set of ${end - start} bytes is too large, at most ${MAX_LABEL_SET_BYTES}`);
    let count = findLabels(bytes, start, end);
    if (count < 0 || !isCanonical(bytes, count)) {
      bytes = canonicalLabels(bytes, start, end);
      start = 0;
      end = bytes.length;
      const known = this.lookup(bytes, viewOf(bytes), 0, end);
      if (known !== 0) return known;
    }
    count = checkLabels(bytes, start, end, admit !== null);
    admit?.(bytes, start, count);
    const size = end - start;
    const ref = wanted !== 0 ? wanted : this.nextRef;
    const pageNumber = ref >>> PAGE_SHIFT;
    while (this.pages.length <= pageNumber) {
      const last = this.pages.length === pageNumber;
      this.pages.push(last ? new Int32Array(PAGE_SERIES << SERIES_SHIFT) : EMPTY_PAGE);
      this.pageTimes.push(last ? new Float64Array(this.pages[pageNumber]!.buffer) : EMPTY_TIMES);
    }
    if (this.pages[pageNumber] === EMPTY_PAGE) {
      this.pages[pageNumber] = new Int32Array(PAGE_SERIES << SERIES_SHIFT);
      this.pageTimes[pageNumber] = new Float64Array(this.pages[pageNumber]!.buffer);
    }
    const page = this.pages[pageNumber]!;
    const s = (ref & PAGE_MASK) << SERIES_SHIFT;
    const at = this.labels.allocate((size + 3) >> 2);
    this.labels.bytes[slabOf(at)]!.set(bytes.subarray(start, end), byteIn(at));
    page[s + LABELS] = at;
    page[s + LABELS_SIZE] = size;
    page[s + HASH] = hashBytes(this.labels.views[slabOf(at)]!, byteIn(at), size);
    this.pageTimes[pageNumber]![s >> 1] = -Infinity;
    xor.resetXor(page, s);
    if (ref >= this.nextRef) this.nextRef = ref + 1;
    this.seriesCount++;
    this.#enter(ref);
    this.index.add(ref, at, size);
    return ref;
  }

  #enter(ref: number): void {
    if ((this.#slotsUsed + 1) * 2 > this.#slots.length) this.rehash(this.#slots.length * 2);
    else this.#place(ref);
    this.#slotsUsed++;
  }

  #place(ref: number): void {
    const mask = this.#slots.length - 1;
    let i = this.pages[ref >>> PAGE_SHIFT]![((ref & PAGE_MASK) << SERIES_SHIFT) + HASH]! & mask;
    while (this.#slots[i] !== 0) i = (i + 1) & mask;
    this.#slots[i] = ref;
  }

  /** Makes the table anew from the series that exist. */
  rehash(size: number): void {
    this.#slots = new Int32Array(size);
    this.#slotsUsed = 0;
    this.eachSeries((ref) => {
      this.#place(ref);
      this.#slotsUsed++;
    });
    this.#slotsUsed--; // The caller counts the one it enters.
  }

  /** Takes series out for good and makes table, label store and index anew, in the order of refs. */
  #rebuild(isDead: (page: Int32Array, times: Float64Array, s: number) => boolean): void {
    const old = this.labels;
    this.labels = new LogSlabs();
    this.index = new HeadIndex(this.labels);
    let live = 0;
    for (let p = 0; p < this.pages.length; p++) {
      const page = this.pages[p]!;
      if (page === EMPTY_PAGE) continue;
      let inPage = 0;
      for (let k = 0; k < PAGE_SERIES; k++) {
        const s = k << SERIES_SHIFT;
        const size = page[s + LABELS_SIZE]!;
        if (size === 0) continue;
        const ref = (p << PAGE_SHIFT) | k;
        if (isDead(page, this.pageTimes[p]!, s)) {
          page.fill(0, s, s + (1 << SERIES_SHIFT));
          continue;
        }
        const from = page[s + LABELS]!;
        const at = this.labels.allocate((size + 3) >> 2);
        this.labels.bytes[slabOf(at)]!.set(old.bytes[slabOf(from)]!.subarray(byteIn(from), byteIn(from) + size), byteIn(at));
        page[s + LABELS] = at;
        this.index.add(ref, at, size);
        inPage++;
      }
      live += inPage;
      if (inPage === 0 && (p + 1) << PAGE_SHIFT <= this.nextRef) {
        this.pages[p] = EMPTY_PAGE;
        this.pageTimes[p] = EMPTY_TIMES;
      }
    }
    this.seriesCount = live;
    let size = 1 << 10;
    while (size < live * 2 + 2) size *= 2;
    this.rehash(size);
    this.#slotsUsed++;
  }

  /**
   * Forgets everything below `timeMs`, which is in a block now. Series without samples stay until they are a tenth of all: then table, label
   * store and index are made anew without them.
   */
  truncate(timeMs: number): void {
    const old = this.full;
    this.full = new LogSlabs();
    this.fullChunks = 0;
    let dead = 0;
    const chain: number[] = [];
    this.eachSeries((ref, page, s) => {
      chain.length = 0;
      for (let at = page[s + NEWEST]!; at !== 0; at = old.slabs[slabOf(at)]![wordIn(at) + FULL_PREVIOUS]!) {
        if (old.views[slabOf(at)]!.getFloat64(byteIn(at) + 4 * FULL_MAX, true) < timeMs) break;
        chain.push(at);
      }
      page[s + NEWEST] = 0;
      for (let i = chain.length - 1; i >= 0; i--) {
        const from = old.slabs[slabOf(chain[i]!)]!;
        const w = wordIn(chain[i]!);
        const words = FULL_HEADER + ((from[w + FULL_SIZE]! + 3) >> 2);
        const at = this.full.allocate(words);
        const into = this.full.slabs[slabOf(at)]!;
        into.set(from.subarray(w, w + words), wordIn(at));
        into[wordIn(at) + FULL_PREVIOUS] = page[s + NEWEST]!;
        page[s + NEWEST] = at;
        this.fullChunks++;
      }
      if (this.pageTimes[ref >>> PAGE_SHIFT]![s >> 1]! >= timeMs) return;
      if (page[s + OPEN] !== 0) this.open.release(page[s + OPEN]!, page[s + CAPACITY]! >> 5);
      page[s + OPEN] = page[s + CAPACITY] = 0;
      xor.resetXor(page, s);
      if (page[s + HISTOGRAM] === 1) this.openHistograms.delete(ref);
      page[s + HISTOGRAM] = 0;
      dead++;
    });
    this.minValidTimeMs = Math.max(this.minValidTimeMs, timeMs);
    this.minTimeMs = this.maxTimeMs < timeMs ? Infinity : Math.max(this.minTimeMs, timeMs);
    if (dead * 10 > this.seriesCount) this.#rebuild((page, times, s) => times[s >> 1]! < timeMs && page[s + xor.COUNT] === 0);
    this.settle();
  }

  eachSeries(visit: (ref: number, page: Int32Array, s: number) => void): void {
    for (let p = 0; p < this.pages.length; p++) {
      const page = this.pages[p]!;
      if (page === EMPTY_PAGE) continue;
      for (let k = 0; k < PAGE_SERIES; k++) if (page[(k << SERIES_SHIFT) + LABELS_SIZE] !== 0) visit((p << PAGE_SHIFT) | k, page, k << SERIES_SHIFT);
    }
  }

  // ---- samples

  append(ref: number, timeMs: number, low: number, high: number): AppendResult {
    const page = this.pages[ref >>> PAGE_SHIFT]!;
    const times = this.pageTimes[ref >>> PAGE_SHIFT]!;
    const s = (ref & PAGE_MASK) << SERIES_SHIFT;
    const last = times[s >> 1]!;
    const delta = timeMs - last;
    if (!(delta > 0) || timeMs < this.lowerBoundMs) return this.#refuse(page, s, timeMs, delta, low, high);
    if (timeMs >= this.#rangeEndMs || last < this.#rangeStartMs) this.#changeRange(ref, page, times, s, timeMs, last);
    if (page[s + HISTOGRAM] === 1) this.#closeHistogram(ref, page, s);
    if (!xor.fitsXor(page, s, delta)) this.#close(page, times, s);
    if (page[s + xor.BIT]! + xor.MAX_SAMPLE_BITS > page[s + CAPACITY]!) this.#grow(page, s);
    const at = page[s + OPEN]!;
    xor.appendXor(this.open.slabs[slabOf(at)]!, wordIn(at), page, times, s, timeMs, low, high);
    if (timeMs > this.maxTimeMs) this.maxTimeMs = timeMs;
    if (timeMs < this.minTimeMs) this.#setMin(timeMs);
    this.appendedSamples++;
    return APPENDED;
  }

  #refuse(page: Int32Array, s: number, timeMs: number, delta: number, low: number, high: number): AppendResult {
    if (timeMs < this.minValidTimeMs || (timeMs < this.lowerBoundMs && delta > 0)) return TOO_OLD;
    if (delta < 0) return timeMs < this.lowerBoundMs ? TOO_OLD : OUT_OF_ORDER;
    if (page[s + HISTOGRAM] === 0 && page[s + xor.VALUE_LOW] === (low | 0) && page[s + xor.VALUE_HIGH] === (high | 0)) return DUPLICATE;
    new Int32Array(this.existing.buffer).set([page[s + xor.VALUE_LOW]!, page[s + xor.VALUE_HIGH]!]);
    return DUPLICATE_OTHER_VALUE;
  }

  #setMin(timeMs: number): void {
    if (this.minTimeMs === Infinity && !this.isReplaying) this.lowerBoundMs = Math.max(this.lowerBoundMs, timeMs - BLOCK_RANGE_MS / 2); // The first sample sets the bound for its own request.
    this.minTimeMs = timeMs;
  }

  /** After each request: moves the bound of what is too old, as a Prometheus appender sees it when it begins. */
  settle(): void {
    this.lowerBoundMs = Math.max(this.minValidTimeMs, this.maxTimeMs - BLOCK_RANGE_MS / 2);
  }

  /** The sample may lie in another 2 h range than the one before it: then the chunk ends here. */
  #changeRange(ref: number, page: Int32Array, times: Float64Array, s: number, timeMs: number, last: number): void {
    const range = Math.floor(timeMs / BLOCK_RANGE_MS);
    if (timeMs >= this.#rangeEndMs) {
      this.#rangeStartMs = range * BLOCK_RANGE_MS;
      this.#rangeEndMs = this.#rangeStartMs + BLOCK_RANGE_MS;
    }
    if (range === Math.floor(last / BLOCK_RANGE_MS)) return;
    if (page[s + HISTOGRAM] === 1) this.#closeHistogram(ref, page, s);
    else if (page[s + xor.COUNT]! > 0) this.#close(page, times, s);
  }

  /** A block for the open chunk, or one of twice its size. */
  #grow(page: Int32Array, s: number): void {
    const old = page[s + OPEN]!;
    const words = page[s + CAPACITY]! >> 5;
    const size = words === 0 ? FIRST_WORDS : words * 2;
    const at = this.open.allocate(size);
    if (old !== 0) {
      const from = this.open.slabs[slabOf(old)]!;
      const start = wordIn(old);
      const into = this.open.slabs[slabOf(at)]!;
      const to = wordIn(at);
      for (let i = 0; i < words; i++) into[to + i] = from[start + i]!;
      this.open.release(old, words);
    }
    page[s + OPEN] = at;
    page[s + CAPACITY] = size << 5;
  }

  /** The open chunk becomes a full one; its block is kept for the next, zeroed. */
  #close(page: Int32Array, times: Float64Array, s: number): void {
    const at = page[s + OPEN]!;
    const slab = this.open.slabs[slabOf(at)]!;
    const base = wordIn(at);
    const bytes = (page[s + xor.BIT]! + 7) >> 3;
    const words = (bytes + 3) >> 2;
    xor.sealXor(slab, base, page[s + xor.COUNT]!);
    page[s + NEWEST] = this.addFull(page[s + NEWEST]!, page[s + xor.COUNT]!, ENCODING_XOR, bytes, xor.firstTimeXor(slab, base), times[s >> 1]!);
    const full = this.full.slabs[slabOf(page[s + NEWEST]!)]!;
    const to = wordIn(page[s + NEWEST]!) + FULL_HEADER;
    for (let i = 0; i < words; i++) {
      full[to + i] = slab[base + i]!;
      slab[base + i] = 0;
    }
    xor.resetXor(page, s);
  }

  /** Room for a full chunk, with its header written. */
  addFull(previous: number, count: number, encoding: number, bytes: number, minTimeMs: number, maxTimeMs: number): number {
    const at = this.full.allocate(FULL_HEADER + ((bytes + 3) >> 2));
    const slab = this.full.slabs[slabOf(at)]!;
    const view = this.full.views[slabOf(at)]!;
    const w = wordIn(at);
    slab[w + FULL_PREVIOUS] = previous;
    slab[w + FULL_COUNT] = count | (encoding << 16);
    slab[w + FULL_SIZE] = bytes;
    view.setFloat64((w + FULL_MIN) << 2, minTimeMs, true);
    view.setFloat64((w + FULL_MAX) << 2, maxTimeMs, true);
    this.fullChunks++;
    return at;
  }

  appendHistogram(ref: number, sample: HistogramSample): AppendResult {
    const page = this.pages[ref >>> PAGE_SHIFT]!;
    const times = this.pageTimes[ref >>> PAGE_SHIFT]!;
    const s = (ref & PAGE_MASK) << SERIES_SHIFT;
    const { timeMs } = sample;
    const last = times[s >> 1]!;
    if (timeMs < this.lowerBoundMs && timeMs !== last) return TOO_OLD;
    if (timeMs < last) return OUT_OF_ORDER;
    let chunk = this.openHistograms.get(ref);
    if (timeMs === last) return chunk !== undefined && JSON.stringify(chunk.last) === JSON.stringify(sample) ? DUPLICATE : DUPLICATE_OTHER_VALUE;
    if (timeMs >= this.#rangeEndMs || last < this.#rangeStartMs) this.#changeRange(ref, page, times, s, timeMs, last);
    if (page[s + xor.COUNT]! > 0) this.#close(page, times, s);
    chunk = this.openHistograms.get(ref);
    const fits = chunk === undefined ? 'no' : chunk.accepts(sample);
    if (fits === 'yes') chunk!.append(sample);
    else {
      if (chunk !== undefined) this.#closeHistogram(ref, page, s);
      this.openHistograms.set(ref, new HistogramChunk(sample, fits === 'reset'));
      page[s + HISTOGRAM] = 1;
    }
    times[s >> 1] = timeMs;
    if (timeMs > this.maxTimeMs) this.maxTimeMs = timeMs;
    if (timeMs < this.minTimeMs) this.#setMin(timeMs);
    this.appendedSamples++;
    return APPENDED;
  }

  #closeHistogram(ref: number, page: Int32Array, s: number): void {
    page[s + HISTOGRAM] = 0;
    const chunk = this.openHistograms.get(ref)!;
    this.openHistograms.delete(ref);
    const bytes = chunk.bytes();
    const at = this.addFull(page[s + NEWEST]!, chunk.count, chunk.encoding, bytes.length, chunk.minTimeMs, chunk.maxTimeMs);
    page[s + NEWEST] = at;
    const padded = new Uint8Array((bytes.length + 3) & ~3);
    padded.set(bytes);
    const view = viewOf(padded);
    const slab = this.full.slabs[slabOf(at)]!;
    const to = wordIn(at) + FULL_HEADER;
    for (let i = 0; i * 4 < padded.length; i++) slab[to + i] = view.getInt32(4 * i);
  }
}

/** Stands for every page whose series are all gone: any ref in it is unknown. */
export const EMPTY_PAGE = new Int32Array(PAGE_SERIES << SERIES_SHIFT);
const EMPTY_TIMES = new Float64Array(EMPTY_PAGE.buffer);
