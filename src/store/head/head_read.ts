/**
 * Asking the head: postings, order of series by their labels, samples, raw chunks. The order is kept as ranks and made anew when a large
 * answer is wanted after series were added; small answers are sorted by comparing labels.
 */
import type { SampleColumns } from '#src/core/series.ts';
import { compareEncoded } from '#src/store/labels.ts';
import { decodeHistograms, padHistograms } from '#src/store/chunk/histogram.ts';
import { ENCODING_XOR } from '#src/store/chunk/encodings.ts';
import { COUNT, BIT, LAST_TIME, decodeXor, firstTimeXor, sealXor, wordsToBytes } from '#src/store/chunk/xor.ts';
import { hashBytes, viewOf } from '#src/store/bytes.ts';
import type { PostingsSource } from '#src/store/select.ts';
import { FULL_COUNT, FULL_HEADER, FULL_MAX, FULL_MIN, FULL_PREVIOUS, FULL_SIZE, LABELS, LABELS_SIZE, NEWEST, OPEN, PAGE_MASK, PAGE_SHIFT } from './head.ts';
import type { Head } from './head.ts';
import type { HeadIndex } from './index.ts';
import { byteIn, slabOf, wordIn } from './slabs.ts';

/** A chunk as it stands in a file: what remote read streams and blocks are made of. */
export interface RawChunk {
  encoding: number;
  count: number;
  bytes: Uint8Array;
  minTimeMs: number;
  /** Inclusive. */
  maxTimeMs: number;
}

/** Label lists that are kept as strings. */
const MOST_LISTS = 1 << 16;

/** Where in an encoded label its name begins: behind the tag and size of the label, and those of the name. */
const NAME_AT = 4;
/** Whether "__name__" stands there. */
const isName = (view: DataView, at: number): boolean => view.getInt32(at) === 0x5f5f6e61 && view.getInt32(at + 4) === 0x6d655f5f;

export class HeadReader implements PostingsSource {
  readonly #head: Head;
  readonly #lists = new Map<number, readonly string[]>();
  #listsOf: HeadIndex;
  #rank: Int32Array = new Int32Array(0);
  #byRank: Int32Array = new Int32Array(0);
  #rankedOf: HeadIndex | null = null;
  #rankedNext = 0;
  /** Addresses of the full chunks of the series being read, newest first. */
  readonly #chain: number[] = [];

  constructor(head: Head) {
    this.#head = head;
    this.#listsOf = head.index;
  }

  all(): Int32Array {
    const refs = new Int32Array(this.#head.seriesCount);
    let n = 0;
    this.#head.eachSeries((ref) => {
      refs[n++] = ref;
    });
    return refs.subarray(0, n);
  }

  names(): string[] {
    return [...this.#head.index.names()];
  }

  values(name: string): string[] {
    const index = this.#head.index;
    return index.pairsOf(name).map((pair) => index.valueText(pair));
  }

  postings(name: string, value: string): Int32Array {
    const pair = value === '' ? 0 : this.#head.index.pairOf(name, value);
    return pair === 0 ? new Int32Array(0) : this.#head.index.postings(pair);
  }

  labels(ref: number): readonly string[] {
    if (this.#listsOf !== this.#head.index || this.#lists.size >= MOST_LISTS) {
      this.#lists.clear();
      this.#listsOf = this.#head.index;
    }
    let list = this.#lists.get(ref);
    if (list === undefined) {
      const page = this.#head.pages[ref >>> PAGE_SHIFT]!;
      const s = (ref & PAGE_MASK) << 4;
      list = page[s + LABELS_SIZE] === 0 ? [] : this.#head.index.labelList(page[s + LABELS]!, page[s + LABELS_SIZE]!);
      this.#lists.set(ref, list);
    }
    return list;
  }

  /** As SeriesSet has it: of the bytes behind the name, which comes first in all but odd label sets. */
  hashWithoutName(ref: number): number {
    const page = this.#head.pages[ref >>> PAGE_SHIFT]!;
    const s = (ref & PAGE_MASK) << 4;
    const at = page[s + LABELS]!;
    const bytes = this.#head.labels.bytes[slabOf(at)]!;
    const view = this.#head.labels.views[slabOf(at)]!;
    const start = byteIn(at);
    const end = start + page[s + LABELS_SIZE]!;
    const rest = start + 2 + bytes[start + 1]!;
    const isNamed = end - start >= NAME_AT + 8 && bytes[start + 1]! < 128 && view.getUint16(start + 2) === 0x0a08 && isName(view, start + NAME_AT);
    // A label like __unit__ goes with the name.
    if (!isNamed || (rest < end && (bytes[rest + 1]! > 127 || view.getUint16(rest + NAME_AT) === 0x5f5f))) return -1;
    return hashBytes(view, rest, end - rest) >>> 0;
  }

  #compare = (a: number, b: number): number => {
    const head = this.#head;
    const pageA = head.pages[a >>> PAGE_SHIFT]!;
    const pageB = head.pages[b >>> PAGE_SHIFT]!;
    const sA = (a & PAGE_MASK) << 4;
    const sB = (b & PAGE_MASK) << 4;
    const atA = pageA[sA + LABELS]!;
    const atB = pageB[sB + LABELS]!;
    const i = byteIn(atA);
    const j = byteIn(atB);
    return compareEncoded(head.labels.bytes[slabOf(atA)]!, i, i + pageA[sA + LABELS_SIZE]!, head.labels.bytes[slabOf(atB)]!, j, j + pageB[sB + LABELS_SIZE]!);
  };

  /** Sorts refs by the labels of their series, in place. */
  sort(refs: Int32Array): Int32Array {
    if (refs.length < 2) return refs;
    const head = this.#head;
    if (this.#rankedOf !== head.index || this.#rankedNext !== head.nextRef) {
      if (refs.length * 8 < head.seriesCount) return refs.sort(this.#compare);
      this.#byRank = this.all().sort(this.#compare);
      this.#rank = new Int32Array(head.nextRef);
      for (let i = 0; i < this.#byRank.length; i++) this.#rank[this.#byRank[i]!] = i;
      this.#rankedOf = head.index;
      this.#rankedNext = head.nextRef;
    }
    const rank = this.#rank;
    for (let i = 0; i < refs.length; i++) refs[i] = rank[refs[i]!]!;
    refs.sort();
    for (let i = 0; i < refs.length; i++) refs[i] = this.#byRank[refs[i]!]!;
    return refs;
  }

  /** Whether a series may have samples in [minTimeMs, maxTimeMs]; false for a deleted one. */
  overlaps(ref: number, minTimeMs: number, maxTimeMs: number): boolean {
    const head = this.#head;
    const page = head.pages[ref >>> PAGE_SHIFT]!;
    const s = (ref & PAGE_MASK) << 4;
    if (page[s + LABELS_SIZE] === 0 || head.pageTimes[ref >>> PAGE_SHIFT]![(s + LAST_TIME) >> 1]! < minTimeMs) return false;
    const histogram = head.openHistograms.get(ref);
    if (histogram !== undefined && histogram.minTimeMs <= maxTimeMs) return true;
    if (page[s + COUNT]! > 0 && firstTimeXor(head.open.slabs[slabOf(page[s + OPEN]!)]!, wordIn(page[s + OPEN]!)) <= maxTimeMs) return true;
    for (let at = page[s + NEWEST]!; at !== 0; at = head.full.slabs[slabOf(at)]![wordIn(at) + FULL_PREVIOUS]!) {
      if (head.full.views[slabOf(at)]!.getFloat64(byteIn(at) + 4 * FULL_MIN, true) <= maxTimeMs) return true;
    }
    return false;
  }

  /** Fills #chain with the full chunks that overlap the range, newest first. */
  #findFull(page: Int32Array, s: number, minTimeMs: number, maxTimeMs: number): void {
    const full = this.#head.full;
    this.#chain.length = 0;
    for (let at = page[s + NEWEST]!; at !== 0; ) {
      const view = full.views[slabOf(at)]!;
      const from = byteIn(at);
      if (view.getFloat64(from + 4 * FULL_MAX, true) < minTimeMs) break;
      if (view.getFloat64(from + 4 * FULL_MIN, true) <= maxTimeMs) this.#chain.push(at);
      at = full.slabs[slabOf(at)]![wordIn(at) + FULL_PREVIOUS]!;
    }
  }

  /** Appends the samples of a series in [minTimeMs, maxTimeMs] to the columns. */
  read(ref: number, minTimeMs: number, maxTimeMs: number, into: SampleColumns): void {
    const head = this.#head;
    const page = head.pages[ref >>> PAGE_SHIFT]!;
    const s = (ref & PAGE_MASK) << 4;
    if (page[s + LABELS_SIZE] === 0 || head.pageTimes[ref >>> PAGE_SHIFT]![(s + LAST_TIME) >> 1]! < minTimeMs) return;
    this.#findFull(page, s, minTimeMs, maxTimeMs);
    if (into.histograms !== null) into.histograms.length = into.count;
    for (let i = this.#chain.length - 1; i >= 0; i--) {
      const at = this.#chain[i]!;
      const slab = head.full.slabs[slabOf(at)]!;
      const w = wordIn(at);
      const size = slab[w + FULL_SIZE]!;
      const encoding = slab[w + FULL_COUNT]! >>> 16;
      if (encoding === ENCODING_XOR) decodeXor(slab, w + FULL_HEADER, (size + 3) >> 2, slab[w + FULL_COUNT]! & 0xffff, minTimeMs, maxTimeMs, into);
      else decodeHistograms(encoding, chunkBytes(slab, w + FULL_HEADER, size), minTimeMs, maxTimeMs, into);
      padHistograms(into);
    }
    const open = page[s + OPEN]!;
    if (page[s + COUNT]! > 0) decodeXor(head.open.slabs[slabOf(open)]!, wordIn(open), (page[s + BIT]! + 31) >> 5, page[s + COUNT]!, minTimeMs, maxTimeMs, into);
    else {
      const histogram = head.openHistograms.get(ref);
      if (histogram !== undefined) decodeHistograms(histogram.encoding, histogram.bytes(), minTimeMs, maxTimeMs, into);
    }
    padHistograms(into);
  }

  /** The chunks of a series that overlap the range, oldest first, the open one as it is now. The bytes are copies. */
  chunks(ref: number, minTimeMs: number, maxTimeMs: number): RawChunk[] {
    const head = this.#head;
    const page = head.pages[ref >>> PAGE_SHIFT]!;
    const s = (ref & PAGE_MASK) << 4;
    const chunks: RawChunk[] = [];
    if (page[s + LABELS_SIZE] === 0) return chunks;
    this.#findFull(page, s, minTimeMs, maxTimeMs);
    for (let i = this.#chain.length - 1; i >= 0; i--) {
      const at = this.#chain[i]!;
      const slab = head.full.slabs[slabOf(at)]!;
      const w = wordIn(at);
      const view = head.full.views[slabOf(at)]!;
      chunks.push({
        encoding: slab[w + FULL_COUNT]! >>> 16,
        count: slab[w + FULL_COUNT]! & 0xffff,
        bytes: chunkBytes(slab, w + FULL_HEADER, slab[w + FULL_SIZE]!),
        minTimeMs: view.getFloat64((w + FULL_MIN) << 2, true),
        maxTimeMs: view.getFloat64((w + FULL_MAX) << 2, true),
      });
    }
    const count = page[s + COUNT]!;
    if (count > 0) {
      const slab = head.open.slabs[slabOf(page[s + OPEN]!)]!;
      const base = wordIn(page[s + OPEN]!);
      const first = firstTimeXor(slab, base);
      const last = head.pageTimes[ref >>> PAGE_SHIFT]![(s + LAST_TIME) >> 1]!;
      if (first <= maxTimeMs && last >= minTimeMs) {
        sealXor(slab, base, count);
        const bytes = chunkBytes(slab, base, (page[s + BIT]! + 7) >> 3);
        chunks.push({ encoding: ENCODING_XOR, count, bytes, minTimeMs: first, maxTimeMs: last });
      }
    }
    const histogram = head.openHistograms.get(ref);
    if (histogram !== undefined && histogram.minTimeMs <= maxTimeMs && histogram.maxTimeMs >= minTimeMs) {
      const { encoding, count, minTimeMs: first, maxTimeMs: last } = histogram;
      chunks.push({ encoding, count, bytes: histogram.bytes(), minTimeMs: first, maxTimeMs: last });
    }
    return chunks;
  }
}

function chunkBytes(slab: Int32Array, base: number, size: number): Uint8Array {
  const bytes = new Uint8Array((size + 3) & ~3);
  wordsToBytes(slab, base, size, viewOf(bytes), 0);
  return bytes.subarray(0, size);
}
