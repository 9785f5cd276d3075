/**
 * Range functions where histograms or start timestamps are involved: one range at a time, with objects. Ranges of plain floats never come
 * here (range_float.ts, rate.ts). A result is written to the row and step the caller names; no result is no write.
 */
import type { Annotations } from '#src/promql/annotations.ts';
import {
  add,
  compact,
  copyHistogram,
  copyToSchema,
  divide,
  emptyLike,
  equals,
  type FloatHistogram,
  hasOverflow,
  HINT_GAUGE,
  HINT_NOT_RESET,
  HINT_RESET,
  isReset,
  newCompensation,
  scale,
  usesCustomBuckets,
} from '#src/promql/histogram/float_histogram.ts';
import { FLOAT_RANGES } from './range_float.ts';
import type { Samples } from './samples.ts';

/** One range of one series: floats [from, to) and histograms [histogramFrom, histogramTo) of the samples. */
export interface MixedRange {
  readonly samples: Samples;
  from: number;
  to: number;
  histogramFrom: number;
  histogramTo: number;
  /** Ends of the range without what anchored and smoothed selectors see beyond. */
  startMs: number;
  endMs: number;
  /** The step. */
  timeMs: number;
}
export interface MixedCall {
  readonly name: string;
  readonly metric: string;
  readonly notes: Annotations;
  /** The argument that is the range, for the position of notes. */
  readonly at: { readonly start: number };
  readonly rangeMs: number;
}
export type MixedResult = number | FloatHistogram | null;

const IGNORES_HISTOGRAMS = new Set(
  'max_over_time min_over_time ts_of_max_over_time ts_of_min_over_time mad_over_time stddev_over_time stdvar_over_time quantile_over_time deriv predict_linear double_exponential_smoothing'.split(
    ' ',
  ),
);

export function applyMixed(call: MixedCall, range: MixedRange, a: number, b: number): MixedResult {
  const floats = range.to - range.from;
  const histograms = range.histogramTo - range.histogramFrom;
  if (floats + histograms === 0) return null;
  const { samples } = range;
  const { name } = call;
  if (IGNORES_HISTOGRAMS.has(name)) {
    const { least, apply } = FLOAT_RANGES.get(name)!;
    if (floats > 0 && histograms > 0) call.notes.ignoredInRange(call.metric, call.at);
    return floats < least ? null : apply(samples.times, samples.values, range.from, range.to, range.timeMs, a, b);
  }
  const firstFloat = floats > 0 ? samples.times[range.from]! : Number.POSITIVE_INFINITY;
  const firstHistogram = histograms > 0 ? samples.histogramTimes[range.histogramFrom]! : Number.POSITIVE_INFINITY;
  const lastFloat = floats > 0 ? samples.times[range.to - 1]! : Number.NEGATIVE_INFINITY;
  const lastHistogram = histograms > 0 ? samples.histogramTimes[range.histogramTo - 1]! : Number.NEGATIVE_INFINITY;
  switch (name) {
    case 'count_over_time':
      return floats + histograms;
    case 'present_over_time':
    case 'absent_over_time':
      return 1;
    case 'first_over_time':
      return firstFloat < firstHistogram ? samples.values[range.from]! : copyHistogram(samples.histograms[range.histogramFrom]!);
    case 'last_over_time':
      return lastFloat > lastHistogram ? samples.values[range.to - 1]! : copyHistogram(samples.histograms[range.histogramTo - 1]!);
    case 'ts_of_first_over_time':
      return Math.min(firstFloat, firstHistogram) / 1000;
    case 'ts_of_last_over_time':
      return Math.max(lastFloat, lastHistogram) / 1000;
    case 'changes':
    case 'resets':
      return transitions(name, range);
    case 'irate':
    case 'idelta':
      return lastTwo(call, range);
  }
  if (floats > 0 && histograms > 0) {
    call.notes.mixedFloatsHistograms(call.metric, call.at);
    return null;
  }
  if (name === 'rate' || name === 'increase' || name === 'delta') return extrapolated(call, range);
  if (floats > 0) return FLOAT_RANGES.get(name)!.apply(samples.times, samples.values, range.from, range.to, range.timeMs, a, b);
  return name === 'sum_over_time' || name === 'avg_over_time' ? addUp(call, range) : null;
}

/** Whether the sample at `timeMs` says by its start timestamp that counting began anew after the one before. */
function startedAnew(previousStart: number, previousTime: number, start: number, time: number): boolean {
  if (previousStart === start || start === 0 || start >= time || start < previousTime) return false;
  if (start > previousTime) return true;
  // It began where the last sample lies: a delta series, unless the start of the last one is unknown too.
  return previousStart <= previousTime && previousStart !== 0 && previousStart !== previousTime;
}

function overlaps(previousStart: number, previousTime: number, start: number): boolean {
  return start !== 0 && start < previousTime && start !== previousStart;
}

/** Floats and histograms of the range in order of time: how often the value changes, or a counter starts anew. */
function transitions(name: string, range: MixedRange): number {
  const { samples } = range;
  let count = 0;
  let previous: MixedResult = null;
  let previousTime = 0;
  let previousStart = 0;
  for (let i = range.from, j = range.histogramFrom; i < range.to || j < range.histogramTo; ) {
    const isFloat = j >= range.histogramTo || (i < range.to && samples.times[i]! < samples.histogramTimes[j]!);
    const now = isFloat ? samples.values[i]! : samples.histograms[j]!;
    const time = isFloat ? samples.times[i]! : samples.histogramTimes[j]!;
    const start = (isFloat ? samples.starts?.[i] : samples.histogramStarts?.[j]) ?? 0;
    if (previous !== null) {
      if (name === 'changes') count += isChange(previous, now) ? 1 : 0;
      else count += isResetOf(previous, now) || startedAnew(previousStart, previousTime, start, time) ? 1 : 0;
    }
    previous = now;
    previousTime = time;
    previousStart = start;
    if (isFloat) i++;
    else j++;
  }
  return count;
}
function isChange(before: number | FloatHistogram, now: number | FloatHistogram): boolean {
  if (typeof before === 'number') return typeof now !== 'number' || (now !== before && !(Number.isNaN(now) && Number.isNaN(before)));
  return typeof now === 'number' || !equals(now, before);
}
function isResetOf(before: number | FloatHistogram, now: number | FloatHistogram): boolean {
  if (typeof before === 'number') return typeof now !== 'number' || now < before;
  return typeof now === 'number' || isReset(now, before);
}

function lastTwo(call: MixedCall, range: MixedRange): MixedResult {
  const { samples } = range;
  const isRate = call.name === 'irate';
  const points: { value: number | FloatHistogram; time: number; start: number }[] = [];
  for (let i = Math.max(range.from, range.to - 2); i < range.to; i++)
    points.push({ value: samples.values[i]!, time: samples.times[i]!, start: samples.starts?.[i] ?? 0 });
  for (let i = Math.max(range.histogramFrom, range.histogramTo - 2); i < range.histogramTo; i++) {
    points.push({ value: samples.histograms[i]!, time: samples.histogramTimes[i]!, start: samples.histogramStarts?.[i] ?? 0 });
  }
  if (points.length < 2) return null;
  points.sort((x, y) => x.time - y.time);
  const [before, now] = points.slice(-2) as [(typeof points)[0], (typeof points)[0]];
  const intervalMs = now.time - before.time;
  if (intervalMs === 0) return null;
  const anew = startedAnew(before.start, before.time, now.start, now.time);
  if (typeof before.value === 'number' && typeof now.value === 'number') {
    const rise = isRate && (now.value < before.value || anew) ? now.value : now.value - before.value;
    return isRate ? rise / (intervalMs / 1000) : rise;
  }
  if (typeof before.value === 'number' || typeof now.value === 'number') {
    call.notes.mixedFloatsHistograms(call.metric, call.at);
    return null;
  }
  const gauges = Number(before.value.hint === HINT_GAUGE) + Number(now.value.hint === HINT_GAUGE);
  if (isRate && gauges > 0) call.notes.notCounter(call.metric, call.at);
  if (!isRate && gauges < 2) call.notes.notGauge(call.metric, call.at);
  const result = copyHistogram(now.value);
  if (!isRate || !(anew || isReset(now.value, before.value))) {
    if (!subtract(result, before.value, call)) return null;
  }
  result.hint = HINT_GAUGE;
  compact(result);
  return isRate ? divide(result, intervalMs / 1000) : result;
}

/** False (and a note) where the two do not mix. */
function subtract(from: FloatHistogram, other: FloatHistogram, call: MixedCall): boolean {
  return accumulate(from, other, -1, call);
}
function accumulate(to: FloatHistogram, other: FloatHistogram, sign: 1 | -1, call: MixedCall): boolean {
  const outcome = add(to, other, sign);
  if (outcome.incompatible) call.notes.mixedSchemas(call.metric, call.at);
  if (outcome.reconciled) call.notes.reconciledBounds(sign === 1 ? 'addition' : 'subtraction', call.at);
  return !outcome.incompatible;
}

/** rate(), increase() and delta() of a range of only floats with start timestamps, or of only histograms. */
function extrapolated(call: MixedCall, range: MixedRange): MixedResult {
  const { samples } = range;
  const counter = call.name !== 'delta';
  const native = range.histogramTo > range.histogramFrom;
  const [from, to, times, starts] = native
    ? ([range.histogramFrom, range.histogramTo, samples.histogramTimes, samples.histogramStarts] as const)
    : ([range.from, range.to, samples.times, samples.starts] as const);
  let histogram: FloatHistogram | null = null;
  let float = 0;
  if (native) {
    if (to - from > 1) {
      histogram = histogramRise(call, range, counter);
      if (histogram === null) return null;
    }
  } else {
    float = samples.values[to - 1]! - samples.values[from]!;
    for (let i = from + 1; counter && i < to; i++) {
      noteOverlap(call, starts, times, i);
      const anew = starts !== null && startedAnew(starts[i - 1]!, times[i - 1]!, starts[i]!, times[i]!);
      if (samples.values[i]! < samples.values[i - 1]! || anew) float += samples.values[i - 1]!;
    }
  }
  const firstTime = times[from]!;
  const gaps = to - 1 - from;
  let toStart = (firstTime - range.startMs) / 1000;
  let toEnd = (range.endMs - times[to - 1]!) / 1000;
  let interval = (times[to - 1]! - firstTime) / 1000;
  const average = gaps > 0 ? interval / gaps : 0;
  const threshold = average * 1.1;
  const start = counter ? (starts?.[from] ?? 0) : 0;
  if (start !== 0 && start > range.startMs && start < firstTime) {
    // The counting began inside the range: from zero, then.
    toStart = 0;
    interval = (times[to - 1]! - start) / 1000;
    if (!native) float += samples.values[from]!;
    else if (histogram === null) histogram = copyHistogram(samples.histograms[from]!);
    else if (!accumulate(histogram, samples.histograms[from]!, 1, call)) return null;
  } else if (gaps === 0) return null;
  else {
    if (toStart >= threshold) toStart = average / 2;
    if (counter) {
      let toZero = toStart;
      if (!native && float > 0 && samples.values[from]! >= 0) toZero = interval * (samples.values[from]! / float);
      else if (histogram !== null && histogram.count > 0 && samples.histograms[from]!.count >= 0)
        toZero = interval * (samples.histograms[from]!.count / histogram.count);
      toStart = Math.min(toStart, toZero);
    }
  }
  if (toEnd >= threshold) toEnd = average / 2;
  let factor = interval === 0 ? 1 : (interval + toStart + toEnd) / interval;
  if (call.name === 'rate') factor /= call.rangeMs / 1000;
  return histogram === null ? float * factor : scale(histogram, factor);
}

function noteOverlap(call: MixedCall, starts: Float64Array | null, times: Float64Array, i: number): void {
  if (starts !== null && overlaps(starts[i - 1]!, times[i - 1]!, starts[i]!)) {
    call.notes.warn(`sample has start time that overlaps with previous sample timestamp for metric ${JSON.stringify(call.metric)}`, call.at);
  }
}

/** How much the histograms of the range rose, resets added back; null where they do not mix. */
function histogramRise(call: MixedCall, range: MixedRange, counter: boolean): FloatHistogram | null {
  const points = range.samples.histograms.slice(range.histogramFrom, range.histogramTo);
  const times = range.samples.histogramTimes.subarray(range.histogramFrom, range.histogramTo);
  const starts = range.samples.histogramStarts?.subarray(range.histogramFrom, range.histogramTo) ?? null;
  const anew = (i: number): boolean => starts !== null && startedAnew(starts[i - 1]!, times[i - 1]!, starts[i]!, times[i]!);
  let previous = points[0]!;
  const last = points.at(-1)!;
  if (counter && points.some((h) => h.hint === HINT_GAUGE)) call.notes.notCounter(call.metric, call.at);
  // Where the second one starts anew, the layout of the first does not matter.
  if (counter && (anew(1) || isReset(points[1]!, previous))) previous = emptyLike(points[1]!);
  const custom = usesCustomBuckets(previous);
  let schema = Math.min(last.schema, previous.schema);
  for (let i = 1; i < points.length; i++) {
    const h = points[i]!;
    if (i < points.length - 1 && !counter) continue;
    if (usesCustomBuckets(h) !== custom) {
      call.notes.mixedSchemas(call.metric, call.at);
      return null;
    }
    schema = Math.min(schema, h.schema);
  }
  const rise = copyToSchema(last, schema);
  if (!subtract(rise, previous, call)) return null;
  if (!counter) {
    if (points[0]!.hint !== HINT_GAUGE || last.hint !== HINT_GAUGE) call.notes.notGauge(call.metric, call.at);
  } else {
    for (let i = 1; i < points.length; i++) {
      noteOverlap(call, starts, times, i);
      if ((anew(i) || isReset(points[i]!, previous)) && !accumulate(rise, previous, 1, call)) return null;
      previous = points[i]!;
    }
  }
  rise.hint = HINT_GAUGE;
  return compact(rise);
}

/** sum_over_time() and avg_over_time() of histograms. */
function addUp(call: MixedCall, range: MixedRange): FloatHistogram | null {
  const total = new HistogramSum(copyHistogram(range.samples.histograms[range.histogramFrom]!), call.name === 'avg_over_time');
  for (let i = range.histogramFrom + 1; i < range.histogramTo; i++) {
    if (total.add(range.samples.histograms[i]!)) continue;
    call.notes.mixedSchemas(call.metric, call.at);
    return null;
  }
  if (total.sawReset && total.sawNoReset) call.notes.hintCollision('aggregation', call.at);
  if (total.reconciled) call.notes.reconciledBounds('aggregation', call.at);
  return total.result();
}

/** A sum or mean of histograms with Kahan's compensation. A mean turns into a running one where the sum would overflow. */
export class HistogramSum {
  sawReset = false;
  sawNoReset = false;
  reconciled = false;
  #value: FloatHistogram;
  #lost: FloatHistogram | null = null;
  #count = 1;
  #running = false;
  readonly #isMean: boolean;

  /** Keeps and changes `first`. */
  constructor(first: FloatHistogram, isMean: boolean) {
    this.#value = first;
    this.#isMean = isMean;
    this.#track(first);
  }
  #track(h: FloatHistogram): void {
    if (h.hint === HINT_RESET) this.sawReset = true;
    if (h.hint === HINT_NOT_RESET) this.sawNoReset = true;
  }
  /** False where it does not mix with what is there. */
  add(h: FloatHistogram): boolean {
    this.#track(h);
    this.#count++;
    if (this.#isMean && !this.#running) {
      const value = copyHistogram(this.#value);
      const lost = this.#lost === null ? newCompensation(value) : copyHistogram(this.#lost);
      const outcome = add(value, h, 1, lost);
      if (outcome.incompatible) return false;
      if (!hasOverflow(value)) {
        this.reconciled ||= outcome.reconciled;
        this.#value = value;
        this.#lost = lost;
        return true;
      }
      this.#running = true;
      divide(this.#value, this.#count - 1);
      if (this.#lost !== null) divide(this.#lost, this.#count - 1);
    }
    let addend = h;
    if (this.#running) {
      const keep = (this.#count - 1) / this.#count;
      scale(this.#value, keep);
      if (this.#lost !== null) scale(this.#lost, keep);
      addend = divide(copyHistogram(h), this.#count);
    }
    this.#lost ??= newCompensation(this.#value);
    const outcome = add(this.#value, addend, 1, this.#lost);
    this.reconciled ||= outcome.reconciled;
    return !outcome.incompatible;
  }
  result(): FloatHistogram {
    const value = this.#value;
    const divisor = this.#isMean && !this.#running ? this.#count : 1;
    if (divisor !== 1) divide(value, divisor);
    if (this.#lost !== null) {
      const hint = value.hint;
      add(value, divisor === 1 ? this.#lost : divide(this.#lost, divisor));
      value.hint = hint;
    }
    return value;
  }
}
