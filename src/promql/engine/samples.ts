/** The samples of one series in a time range, floats and histograms apart, staleness markers taken out; and where they come from. */
import { type FloatHistogram, fromNative, HINT_GAUGE, HINT_UNKNOWN, statsOf } from '#src/promql/histogram/float_histogram.ts';
import { type LabelList, newColumns, type SampleColumns, type SeriesSet } from '#src/core/series.ts';
import { FLOAT, HISTOGRAM, type Matrix, type Timeline } from './matrix.ts';

const STALE_LOW = 2;
const STALE_HIGH = 0x7ff00000;
const scratch = new Float64Array(1);
const scratchBits = new Uint32Array(scratch.buffer);

/** Staleness of sample `index`: of the value's bits, or, for a histogram, of its sum. */
export function isStale(columns: SampleColumns, index: number): boolean {
  if (columns.valueBits[2 * index] === STALE_LOW && columns.valueBits[2 * index + 1] === STALE_HIGH) return true;
  const h = columns.histograms?.[index];
  if (h === null || h === undefined || !Number.isNaN(h.sum)) return false;
  scratch[0] = h.sum;
  return scratchBits[0] === STALE_LOW && (scratchBits[1]! & 0x7ff7ffff) === STALE_HIGH; // A JavaScript number may have made the NaN a quiet one.
}

export class Samples {
  floatCount = 0;
  times: Float64Array = new Float64Array(0);
  values: Float64Array = new Float64Array(0);
  histogramCount = 0;
  histogramTimes = new Float64Array(0);
  histograms: FloatHistogram[] = [];
  /** Start timestamps, aligned with the floats and the histograms; null where the store has none. */
  starts: Float64Array | null = null;
  histogramStarts: Float64Array | null = null;
}

/** A range of time of several series, read one after the other into the same memory. */
export interface RangeSource {
  readonly count: number;
  labels(row: number): LabelList;
  nameless(row: number): boolean;
  /** As SeriesSet.hashWithoutName; -1 where there is none. */
  hashWithoutName(row: number): number;
  /** Valid until the next call. */
  load(row: number): Samples;
}

export class SelectorSource implements RangeSource {
  readonly count: number;
  readonly #series: SeriesSet;
  readonly #minMs: number;
  readonly #maxMs: number;
  readonly #columns = newColumns();
  readonly #samples = new Samples();

  readonly #statsOnly: boolean;

  constructor(series: SeriesSet, minMs: number, maxMs: number, statsOnly: boolean) {
    this.#series = series;
    this.count = series.length;
    this.#minMs = minMs;
    this.#maxMs = maxMs;
    this.#statsOnly = statsOnly;
  }
  labels(row: number): LabelList {
    return this.#series.labels(row);
  }
  nameless(): boolean {
    return false;
  }
  hashWithoutName(row: number): number {
    return this.#series.hashWithoutName === undefined ? -1 : this.#series.hashWithoutName(row);
  }
  load(row: number): Samples {
    const columns = this.#columns;
    columns.count = 0;
    columns.histograms = null;
    columns.startTimes = null;
    this.#series.read(row, this.#minMs, this.#maxMs, columns);
    const samples = this.#samples;
    if (columns.histograms !== null) {
      splitColumns(columns, samples, this.#statsOnly);
      return samples;
    }
    samples.floatCount = dropStale(columns);
    samples.times = columns.times;
    samples.values = columns.values;
    samples.starts = columns.startTimes;
    samples.histogramCount = 0;
    return samples;
  }
}

/** Moves the samples together over the staleness markers; returns how many are left. */
function dropStale(columns: SampleColumns): number {
  const { times, valueBits: bits, startTimes, count } = columns;
  let kept = 0;
  for (let i = 0; i < count; i++) {
    const low = bits[2 * i]!;
    const high = bits[2 * i + 1]!;
    if (low === STALE_LOW && high === STALE_HIGH) continue;
    if (kept !== i) {
      times[kept] = times[i]!;
      bits[2 * kept] = low;
      bits[2 * kept + 1] = high;
      if (startTimes !== null) startTimes[kept] = startTimes[i]!;
    }
    kept++;
  }
  return kept;
}

function splitColumns(columns: SampleColumns, into: Samples, statsOnly: boolean): void {
  const { count, times, values, histograms, startTimes } = columns;
  if (into.histogramTimes.length < count) into.histogramTimes = new Float64Array(count * 2);
  into.histograms = [];
  into.histogramStarts = startTimes === null ? null : new Float64Array(count);
  let floats = 0;
  let native = 0;
  let previous: FloatHistogram | null = null;
  for (let i = 0; i < count; i++) {
    if (isStale(columns, i)) continue;
    const h = histograms![i];
    if (h !== null && h !== undefined) {
      into.histogramTimes[native] = times[i]!;
      const histogram = fromNative(h);
      into.histograms.push(statsOnly ? statsOf(histogram, previous) : histogram);
      previous = histogram;
      if (startTimes !== null) into.histogramStarts![native] = startTimes[i]!;
      native++;
    } else {
      times[floats] = times[i]!;
      values[floats] = values[i]!;
      if (startTimes !== null) startTimes[floats] = startTimes[i]!;
      floats++;
    }
  }
  into.floatCount = floats;
  into.times = times;
  into.values = values;
  into.starts = startTimes;
  into.histogramCount = native;
}

/** The result of a subquery as a range. Counter reset hints say nothing about samples that are picked at steps, so they are forgotten. */
export class SubquerySource implements RangeSource {
  readonly count: number;
  readonly #matrix: Matrix;
  readonly #timeline: Timeline;
  readonly #samples = new Samples();

  constructor(matrix: Matrix, timeline: Timeline) {
    this.#matrix = matrix;
    this.#timeline = timeline;
    this.count = matrix.count;
    this.#samples.times = new Float64Array(timeline.steps);
    this.#samples.values = new Float64Array(timeline.steps);
    this.#samples.histogramTimes = new Float64Array(timeline.steps);
  }
  labels(row: number): LabelList {
    return this.#matrix.labels[row]!;
  }
  nameless(row: number): boolean {
    return this.#matrix.nameless[row]!;
  }
  hashWithoutName(): number {
    return -1;
  }
  load(row: number): Samples {
    const matrix = this.#matrix;
    const samples = this.#samples;
    const { startMs, stepMs, steps } = this.#timeline;
    samples.histograms = [];
    let floats = 0;
    let native = 0;
    for (let s = 0, at = row * steps; s < steps; s++, at++) {
      const kind = matrix.present[at]!;
      if (kind === FLOAT) {
        samples.times[floats] = startMs + s * stepMs;
        samples.values[floats++] = matrix.values[at]!;
      } else if (kind === HISTOGRAM) {
        const h = matrix.histogramAt(at);
        samples.histogramTimes[native++] = startMs + s * stepMs;
        samples.histograms.push(h.hint === HINT_GAUGE || h.hint === HINT_UNKNOWN ? h : { ...h, hint: HINT_UNKNOWN });
      }
    }
    samples.floatCount = floats;
    samples.histogramCount = native;
    return samples;
  }
}
