/**
 * Native histogram chunks: integer (encoding 2) and float (3). The first sample fixes the layout (schema, zero threshold, spans); what does not
 * fit it, a counter reset, a change of kind or a staleness marker ends the chunk. Prometheus would rather recode a chunk for new buckets;
 * a new chunk is as valid and costs a few bytes. Start timestamps (5, 6) are not read.
 */
import { CorruptError } from '#src/core/errors.ts';
import { growColumns } from '#src/core/series.ts';
import type { NativeHistogram, SampleColumns } from '#src/core/series.ts';
import { BitReader, BitWriter } from './bits.ts';
import { ENCODING_FLOAT_HISTOGRAM, ENCODING_HISTOGRAM } from './encodings.ts';

export const CUSTOM_BUCKETS = -53;
const MOST_SAMPLES = 120;
const MOST_BUCKETS = 1 << 16;
/** Counter reset hints: unknown, reset, no reset, gauge; the same two bits lead the third byte of a chunk. */
const RESET = 1;
const NO_RESET = 2;
const GAUGE = 3;
const HEADER_OF_HINT = [0, 0b10000000, 0b01000000, 0b11000000];

/** A histogram with its time, and its sum as bits: a staleness marker is a sum with those of the marker. */
export interface HistogramSample {
  timeMs: number;
  sumLow: number;
  sumHigh: number;
  histogram: NativeHistogram;
}
export const isStale = (sample: HistogramSample): boolean => sample.sumLow === 2 && sample.sumHigh === 0x7ff00000;

const scratch = new DataView(new ArrayBuffer(8));
function low(value: number): number {
  scratch.setFloat64(0, value);
  return scratch.getInt32(4);
}
function high(value: number): number {
  scratch.setFloat64(0, value);
  return scratch.getInt32(0);
}
function floatOf(state: Int32Array): number {
  scratch.setInt32(0, state[1]!);
  scratch.setInt32(4, state[0]!);
  return scratch.getFloat64(0);
}

type Span = NativeHistogram['positiveSpans'][number];
const sameSpans = (a: readonly Span[], b: readonly Span[]): boolean =>
  a.length === b.length && a.every((span, i) => span.offset === b[i]!.offset && span.length === b[i]!.length);
const newXor = (value: number): Int32Array => Int32Array.of(low(value), high(value), 255, 0);

/** Buckets are stored as differences between neighbours. */
function differences(counts: readonly number[]): number[] {
  return counts.map((count, i) => count - (i === 0 ? 0 : counts[i - 1]!));
}

/** An open chunk. */
export class HistogramChunk {
  readonly encoding: number;
  readonly minTimeMs: number;
  maxTimeMs: number;
  count = 0;
  last: HistogramSample;
  readonly #bits = new BitWriter();
  readonly #layout: NativeHistogram;
  #timeDelta = 0;
  #countDelta = 0;
  #zeroDelta = 0;
  #buckets: number[] = [];
  #bucketDeltas: number[] = [];
  readonly #sum: Int32Array;
  /** Of a float chunk: count, zero count, then the buckets. */
  #floats: Int32Array[] = [];

  /** Begins with a first sample. `isReset`: known to follow a counter reset. */
  constructor(sample: HistogramSample, isReset: boolean) {
    const { histogram } = sample;
    this.encoding = histogram.integer ? ENCODING_HISTOGRAM : ENCODING_FLOAT_HISTOGRAM;
    this.#layout = histogram;
    this.minTimeMs = this.maxTimeMs = sample.timeMs;
    this.last = sample;
    this.#sum = Int32Array.of(sample.sumLow, sample.sumHigh, 255, 0);
    const bits = this.#bits;
    bits.put(0, 16);
    const hint = histogram.counterResetHint === GAUGE ? GAUGE : isReset || histogram.counterResetHint === RESET ? RESET : 0;
    bits.put(HEADER_OF_HINT[hint]!, 8);
    const stale = isStale(sample);
    this.#putLayout(stale);
    bits.varbit(sample.timeMs, true);
    const buckets = stale ? [] : [...histogram.positiveBuckets, ...histogram.negativeBuckets];
    if (histogram.integer) {
      bits.varbit(stale ? 0 : histogram.count, false);
      bits.varbit(stale ? 0 : histogram.zeroCount, false);
      bits.float(sample.sumLow, sample.sumHigh);
      this.#buckets = stale ? [] : [...differences(histogram.positiveBuckets), ...differences(histogram.negativeBuckets)];
      this.#bucketDeltas = this.#buckets.map(() => 0);
      for (const bucket of this.#buckets) bits.varbit(bucket, true);
    } else {
      this.#floats = [stale ? 0 : histogram.count, stale ? 0 : histogram.zeroCount, ...buckets].map(newXor);
      bits.float(this.#floats[0]![0]!, this.#floats[0]![1]!);
      bits.float(this.#floats[1]![0]!, this.#floats[1]![1]!);
      bits.float(sample.sumLow, sample.sumHigh);
      for (let i = 2; i < this.#floats.length; i++) bits.float(this.#floats[i]![0]!, this.#floats[i]![1]!);
    }
    this.count = 1;
  }

  #putLayout(stale: boolean): void {
    const bits = this.#bits;
    const { schema, zeroThreshold, positiveSpans, negativeSpans, customValues } = this.#layout;
    putZeroThreshold(bits, stale ? 0 : zeroThreshold);
    bits.varbit(stale ? 0 : schema, true);
    for (const spans of stale ? [[], []] : [positiveSpans, negativeSpans]) {
      bits.varbit(spans.length, false);
      for (const { length, offset } of spans) {
        bits.varbit(length, false);
        bits.varbit(offset, true);
      }
    }
    if (!stale && schema === CUSTOM_BUCKETS) {
      bits.varbit(customValues.length, false);
      for (const bound of customValues) putBound(bits, bound);
    }
  }

  /** Whether a sample can follow in this chunk; "reset" where it cannot because it starts anew. */
  accepts(sample: HistogramSample): 'yes' | 'no' | 'reset' {
    const { histogram } = sample;
    const { last } = this;
    if (histogram.integer !== (this.encoding === ENCODING_HISTOGRAM) || this.count >= MOST_SAMPLES || isStale(last)) return 'no';
    if (isStale(sample)) return 'yes';
    const layout = this.#layout;
    if ((histogram.counterResetHint === GAUGE) !== (layout.counterResetHint === GAUGE)) return 'no';
    if (histogram.counterResetHint === RESET) return 'reset';
    if (layout.counterResetHint !== GAUGE && histogram.count < last.histogram.count) return 'reset';
    if (
      histogram.schema !== layout.schema ||
      histogram.zeroThreshold !== layout.zeroThreshold ||
      !sameSpans(histogram.positiveSpans, layout.positiveSpans) ||
      !sameSpans(histogram.negativeSpans, layout.negativeSpans) ||
      histogram.customValues.length !== layout.customValues.length ||
      histogram.customValues.some((bound, i) => bound !== layout.customValues[i])
    ) {
      return 'no';
    }
    if (layout.counterResetHint === GAUGE) return 'yes';
    const before = last.histogram;
    const fell = (a: readonly number[], b: readonly number[]): boolean => a.some((count, i) => count < b[i]!);
    return histogram.zeroCount < before.zeroCount ||
      fell(histogram.positiveBuckets, before.positiveBuckets) ||
      fell(histogram.negativeBuckets, before.negativeBuckets)
      ? 'reset'
      : 'yes';
  }

  /** Appends a sample that accepts() said yes to. */
  append(sample: HistogramSample): void {
    const { histogram } = sample;
    const bits = this.#bits;
    const stale = isStale(sample);
    const delta = sample.timeMs - this.maxTimeMs;
    bits.varbit(delta - this.#timeDelta, true);
    this.#timeDelta = delta;
    if (histogram.integer) {
      const countDelta = histogram.count - this.last.histogram.count;
      const zeroDelta = histogram.zeroCount - this.last.histogram.zeroCount;
      bits.varbit(stale ? 0 : countDelta - this.#countDelta, true);
      bits.varbit(stale ? 0 : zeroDelta - this.#zeroDelta, true);
      this.#countDelta = countDelta;
      this.#zeroDelta = zeroDelta;
      bits.xor(sample.sumLow, sample.sumHigh, this.#sum);
      if (!stale) {
        const buckets = [...differences(histogram.positiveBuckets), ...differences(histogram.negativeBuckets)];
        for (let i = 0; i < buckets.length; i++) {
          const change = buckets[i]! - this.#buckets[i]!;
          bits.varbit(change - this.#bucketDeltas[i]!, true);
          this.#bucketDeltas[i] = change;
        }
        this.#buckets = buckets;
      }
    } else {
      const values = stale ? [0, 0] : [histogram.count, histogram.zeroCount, ...histogram.positiveBuckets, ...histogram.negativeBuckets];
      bits.xor(low(values[0]!), high(values[0]!), this.#floats[0]!);
      bits.xor(low(values[1]!), high(values[1]!), this.#floats[1]!);
      bits.xor(sample.sumLow, sample.sumHigh, this.#sum);
      for (let i = 2; i < values.length; i++) bits.xor(low(values[i]!), high(values[i]!), this.#floats[i]!);
    }
    this.maxTimeMs = sample.timeMs;
    this.last = sample;
    this.count++;
  }

  /** The chunk as it is now; a copy. */
  bytes(): Uint8Array {
    const bytes = this.#bits.take();
    bytes[0] = this.count >> 8;
    bytes[1] = this.count & 255;
    return bytes;
  }
}

/** 0, or a power of two between 2^-243 and 2^10, in one byte; others in nine. */
function putZeroThreshold(bits: BitWriter, threshold: number): void {
  if (threshold === 0) {
    bits.put(0, 8);
    return;
  }
  const exponent = Math.log2(threshold);
  if (!Number.isInteger(exponent) || 2 ** exponent !== threshold || exponent < -243 || exponent > 10) {
    bits.put(255, 8);
    bits.float(low(threshold), high(threshold));
    return;
  }
  bits.put(exponent + 1 + 243, 8);
}

/** Multiples of 0.001 up to 33554.43 as integers, others whole behind a bit 0. */
function putBound(bits: BitWriter, bound: number): void {
  const thousands = bound * 1000;
  if (thousands < 0 || thousands > 33554430 || Math.round(thousands) / 1000 !== bound) {
    bits.put(0, 1);
    bits.float(low(bound), high(bound));
  } else bits.varbit(Math.round(thousands) + 1, false);
}

function readFloat(bits: BitReader, state: Int32Array): number {
  state[1] = bits.get(32);
  state[0] = bits.get(32);
  return floatOf(state);
}

function readSpans(bits: BitReader): Span[] {
  const spans: Span[] = [];
  let buckets = 0;
  for (let n = bits.varbit(false); n > 0; n--) {
    const length = bits.varbit(false);
    buckets += length;
    if (buckets > MOST_BUCKETS || spans.length > MOST_BUCKETS) throw new CorruptError(`histogram of more than ${MOST_BUCKETS} buckets`);
    spans.push({ length, offset: bits.varbit(true) });
  }
  return spans;
}
const bucketCount = (spans: readonly Span[]): number => spans.reduce((sum, span) => sum + span.length, 0);

/** Appends the samples of a chunk of encoding 2 or 3 in [minTimeMs, maxTimeMs] to the columns. The value's bits are those of the sum, so a staleness marker is seen there. */
export function decodeHistograms(encoding: number, bytes: Uint8Array, minTimeMs: number, maxTimeMs: number, into: SampleColumns): void {
  if (encoding !== ENCODING_HISTOGRAM && encoding !== ENCODING_FLOAT_HISTOGRAM) throw new CorruptError(`chunks of encoding ${encoding} are not read`);
  if (bytes.length < 3) throw new CorruptError('histogram chunk without a header');
  const count = (bytes[0]! << 8) | bytes[1]!;
  if (count === 0) return;
  const chunkHint = HEADER_OF_HINT.indexOf(bytes[2]! & 0b11000000);
  const integer = encoding === ENCODING_HISTOGRAM;
  const bits = new BitReader(bytes, 3);
  growColumns(into, into.count + count);
  into.histograms ??= Array.from({ length: into.count }, () => null);
  const state = new Int32Array(4);
  const code = bits.get(8);
  const zeroThreshold = code === 0 ? 0 : code === 255 ? readFloat(bits, state) : 2 ** (code - 244);
  const schema = bits.varbit(true);
  const positiveSpans = readSpans(bits);
  const negativeSpans = readSpans(bits);
  const customValues: number[] = [];
  if (schema === CUSTOM_BUCKETS) {
    const bounds = bits.varbit(false);
    if (bounds > MOST_BUCKETS) throw new CorruptError(`histogram of more than ${MOST_BUCKETS} buckets`);
    for (let i = 0; i < bounds; i++) {
      const bound = bits.varbit(false);
      customValues.push(bound === 0 ? readFloat(bits, state) : (bound - 1) / 1000);
    }
  }
  const positives = bucketCount(positiveSpans);
  const size = positives + bucketCount(negativeSpans);
  const sum = Int32Array.of(0, 0, 255, 0);
  const floats = Array.from({ length: integer ? 0 : size + 2 }, () => Int32Array.of(0, 0, 255, 0));
  const buckets = new Array<number>(size).fill(0);
  const changes = new Array<number>(size).fill(0);
  let time = 0;
  let timeDelta = 0;
  let total = 0;
  let totalDelta = 0;
  let zero = 0;
  let zeroDelta = 0;
  for (let k = 0; k < count; k++) {
    if (k === 0) {
      time = bits.varbit(true);
      if (integer) {
        total = bits.varbit(false);
        zero = bits.varbit(false);
        readFloat(bits, sum);
        for (let i = 0; i < size; i++) buckets[i] = bits.varbit(true);
      } else {
        total = readFloat(bits, floats[0]!);
        zero = readFloat(bits, floats[1]!);
        readFloat(bits, sum);
        for (let i = 0; i < size; i++) buckets[i] = readFloat(bits, floats[i + 2]!);
      }
    } else {
      timeDelta += bits.varbit(true);
      time += timeDelta;
      if (integer) {
        totalDelta += bits.varbit(true);
        total += totalDelta;
        zeroDelta += bits.varbit(true);
        zero += zeroDelta;
        bits.xor(sum);
      } else {
        bits.xor(floats[0]!);
        bits.xor(floats[1]!);
        bits.xor(sum);
        total = floatOf(floats[0]!);
        zero = floatOf(floats[1]!);
      }
      const stale = sum[0] === 2 && sum[1] === 0x7ff00000;
      if (!stale && integer) for (let i = 0; i < size; i++) buckets[i]! += changes[i]! += bits.varbit(true);
      else if (!stale) {
        for (let i = 0; i < size; i++) {
          bits.xor(floats[i + 2]!);
          buckets[i] = floatOf(floats[i + 2]!);
        }
      }
    }
    if (time > maxTimeMs) return;
    if (time < minTimeMs) continue;
    const n = into.count++;
    into.times[n] = time;
    into.valueBits[2 * n] = sum[0]!;
    into.valueBits[2 * n + 1] = sum[1]!;
    into.histograms[n] = {
      schema,
      zeroThreshold,
      zeroCount: zero,
      count: total,
      sum: floatOf(sum),
      counterResetHint: chunkHint === GAUGE ? GAUGE : k === 0 ? chunkHint : NO_RESET,
      positiveSpans,
      negativeSpans,
      positiveBuckets: integer ? sums(buckets, 0, positives) : buckets.slice(0, positives),
      negativeBuckets: integer ? sums(buckets, positives, size) : buckets.slice(positives),
      customValues,
      integer,
    };
  }
}

/** Float samples have null beside them where the columns have histograms. */
export function padHistograms(columns: SampleColumns): void {
  const list = columns.histograms;
  if (list !== null) while (list.length < columns.count) list.push(null);
}

function sums(differences: readonly number[], from: number, to: number): number[] {
  const counts: number[] = [];
  let count = 0;
  for (let i = from; i < to; i++) counts.push((count += differences[i]!));
  return counts;
}
