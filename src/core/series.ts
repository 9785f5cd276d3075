/**
 * Series and samples as a store gives them to whoever queries: series by matchers, then their samples as columns. It is here because the
 * two sides (src/store, src/promql) do not import each other. Blocks may have to be read, so select() is asynchronous; reading the samples
 * of a selected series is not.
 */

export type MatchOperator = '=' | '!=' | '=~' | '!~';
/** A regular expression is RE2 syntax and anchored at both ends. */
export interface Matcher {
  readonly name: string;
  readonly op: MatchOperator;
  readonly value: string;
}

/** Sorted by name, as [name, value, name, value, ...], "__name__" included. */
export type LabelList = readonly string[];

/** Columns that read() appends to; the caller owns and reuses them. */
export interface SampleColumns {
  count: number;
  /** Milliseconds since the epoch. */
  times: Float64Array;
  /** Float samples. A staleness marker is the NaN with the bits 0x7ff00000_00000002: test it on `valueBits`, little endian pairs of [low, high]. */
  values: Float64Array;
  valueBits: Uint32Array;
  /** Native histograms by sample index; null where the series has none. The value of such a sample is not meaningful, unless it is the staleness marker. */
  histograms: (NativeHistogram | null)[] | null;
  /** When the counting of each sample began, ms, 0 where unknown; null where the store does not keep it. */
  startTimes: Float64Array | null;
}

/** One native histogram sample, decoded; counts are absolute, not deltas. The type is declared fully beside the engine's histogram functions. */
export interface NativeHistogram {
  schema: number;
  zeroThreshold: number;
  zeroCount: number;
  count: number;
  sum: number;
  /** 0 unknown, 1 reset, 2 not reset, 3 gauge: as ResetHint in remote write and CounterResetHint in Prometheus. */
  counterResetHint: number;
  positiveSpans: { offset: number; length: number }[];
  positiveBuckets: number[];
  negativeSpans: { offset: number; length: number }[];
  negativeBuckets: number[];
  /** Upper bounds of schema -53 (custom buckets), else empty. */
  customValues: number[];
  /** Integer histograms (from scrapes) rather than float ones: matters for remote read only. */
  integer: boolean;
}

export interface SeriesSet {
  readonly length: number;
  labels(index: number): LabelList;
  /** A number that stays the same for the same series across select() calls of one querier. */
  id(index: number): number;
  /** 32 bits, the same for label sets that are equal but for the metric's name; -1 where it cannot be told. A store may have none. */
  hashWithoutName?(index: number): number;
  /** Appends the samples with minTimeMs <= time <= maxTimeMs in ascending order, growing the columns where needed. */
  read(index: number, minTimeMs: number, maxTimeMs: number, into: SampleColumns): void;
}

/** A view of one tenant (or several) over a time range; cheap to make, closed after each query. */
export interface Querier {
  /** Series that match all matchers and may have samples in the range, in the order of their labels; with `anyOrder`, in the one that costs least. */
  select(matchers: readonly Matcher[], minTimeMs: number, maxTimeMs: number, anyOrder?: boolean): Promise<SeriesSet>;
  /** Sorted. Only of series that match, where matchers are given. */
  labelNames(matchers: readonly (readonly Matcher[])[], minTimeMs: number, maxTimeMs: number): Promise<string[]>;
  labelValues(name: string, matchers: readonly (readonly Matcher[])[], minTimeMs: number, maxTimeMs: number): Promise<string[]>;
  close(): void;
}

/** Makes the columns for read(). */
export function newColumns(capacity = 1024): SampleColumns {
  const values = new Float64Array(capacity);
  return { count: 0, times: new Float64Array(capacity), values, valueBits: new Uint32Array(values.buffer), histograms: null, startTimes: null };
}

/** Room for `capacity` samples; what is there stays. */
export function growColumns(columns: SampleColumns, capacity: number): void {
  if (columns.times.length >= capacity) return;
  const size = Math.max(capacity, columns.times.length * 2);
  const times = new Float64Array(size);
  times.set(columns.times);
  const bits = new Uint32Array(size * 2); // Copied as integers: a float copy may rewrite a NaN.
  bits.set(columns.valueBits);
  columns.times = times;
  columns.valueBits = bits;
  columns.values = new Float64Array(bits.buffer);
}
