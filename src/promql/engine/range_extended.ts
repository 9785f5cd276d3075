/**
 * rate(), increase() and delta() over anchored and smoothed selectors: no extrapolation. The value at each end of the range is that of the
 * last sample before it (anchored), or interpolated between its neighbours (smoothed).
 */
import {
  add,
  compact,
  copyHistogram,
  divide,
  type FloatHistogram,
  HINT_GAUGE,
  isReset,
  scale,
  usesCustomBuckets,
} from '#src/promql/histogram/float_histogram.ts';
import type { MixedCall, MixedRange, MixedResult } from './range_mixed.ts';

/** The first index in [from, to) for which it holds, or `to`. */
function search(from: number, to: number, holds: (index: number) => boolean): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Indexes of the samples that stand for the ends of the range; null where no sample lies inside. */
function ends(times: Float64Array, from: number, to: number, range: MixedRange, smoothed: boolean): { first: number; last: number } | null {
  let last = to - 1;
  const first = Math.max(from, search(from, last, (i) => times[i]! > range.startMs) - 1);
  if (smoothed) last = search(from, last, (i) => times[i]! >= range.endMs);
  if (times[last]! <= range.startMs || (smoothed && times[first]! > range.endMs)) return null;
  return { first, last };
}

export function interpolate(time: number, t1: number, v1: number, t2: number, v2: number, counter: boolean): number {
  const from = counter && v2 < v1 ? 0 : v1;
  return from + ((v2 - from) * (time - t1)) / (t2 - t1);
}

export function applyExtended(call: MixedCall, range: MixedRange, smoothed: boolean): MixedResult {
  const floats = range.to - range.from;
  const histograms = range.histogramTo - range.histogramFrom;
  if (floats > 0 && histograms > 0) {
    call.notes.mixedFloatsHistograms(call.metric, call.at);
    return null;
  }
  const counter = call.name !== 'delta';
  if (histograms > 0) return extendedHistogram(call, range, smoothed, counter);
  if (floats === 0) return null;
  const { times, values } = range.samples;
  const found = ends(times, range.from, range.to, range, smoothed);
  if (found === null) return null;
  let { first, last } = found;
  const valueAt = (i: number, time: number): number => interpolate(time, times[i]!, values[i]!, times[i + 1]!, values[i + 1]!, counter);
  const left = smoothed && times[first]! < range.startMs ? valueAt(first, range.startMs) : values[first]!;
  const right = smoothed && last > range.from && times[last]! > range.endMs ? valueAt(last - 1, range.endMs) : values[last]!;
  let rise = right - left;
  if (counter) {
    if (times[first]! <= range.startMs) first++;
    if (times[last]! >= range.endMs) last--;
    let previous = left;
    for (let i = first; i <= last; i++) {
      if (values[i]! < previous) rise += previous;
      previous = values[i]!;
    }
    if (right < previous) rise += previous;
  }
  return call.name === 'rate' ? rise / (call.rangeMs / 1000) : rise;
}

/** Between two histograms; null (and a note) where they do not mix. */
export function interpolateHistograms(
  call: MixedCall,
  time: number,
  t1: number,
  h1: FloatHistogram,
  t2: number,
  h2: FloatHistogram,
  counter: boolean,
): FloatHistogram | null {
  if (time === t1) return copyHistogram(h1);
  if (time === t2) return copyHistogram(h2);
  const fraction = (time - t1) / (t2 - t1);
  const result = copyHistogram(h2);
  if (counter && isReset(h2, h1)) return scale(result, fraction);
  if (!combine(call, result, h1, -1)) return null;
  scale(result, fraction);
  return combine(call, result, h1, 1) ? result : null;
}

function combine(call: MixedCall, into: FloatHistogram, other: FloatHistogram, sign: 1 | -1): boolean {
  const outcome = add(into, other, sign);
  if (outcome.incompatible) call.notes.mixedSchemas(call.metric, call.at);
  if (outcome.reconciled) call.notes.reconciledBounds(sign === 1 ? 'addition' : 'subtraction', call.at);
  return !outcome.incompatible;
}

function extendedHistogram(call: MixedCall, range: MixedRange, smoothed: boolean, counter: boolean): MixedResult {
  const { histogramTimes: times, histograms: points } = range.samples;
  const found = ends(times, range.histogramFrom, range.histogramTo, range, smoothed);
  if (found === null) return null;
  const { first, last } = found;
  const seen = points.slice(first, last + 1);
  if (seen.some((h) => usesCustomBuckets(h) !== usesCustomBuckets(seen[0]!))) {
    call.notes.mixedSchemas(call.metric, call.at);
    return null;
  }
  if (counter && seen.some((h) => h.hint === HINT_GAUGE)) call.notes.notCounter(call.metric, call.at);
  const between = (i: number, time: number): FloatHistogram | null =>
    interpolateHistograms(call, time, times[i]!, points[i]!, times[i + 1]!, points[i + 1]!, counter);
  const left = smoothed && times[first]! < range.startMs ? between(first, range.startMs) : copyHistogram(points[first]!);
  const right = smoothed && last > range.histogramFrom && times[last]! > range.endMs ? between(last - 1, range.endMs) : copyHistogram(points[last]!);
  if (left === null || right === null) return null;
  if (!counter && (left.hint !== HINT_GAUGE || right.hint !== HINT_GAUGE)) call.notes.notGauge(call.metric, call.at);
  const result = copyHistogram(right);
  if (!combine(call, result, left, -1)) return null;
  if (counter) {
    // The sample at the first index is `left`, the one at the last is `right`; the resets between are added back.
    let at = first + 1;
    let previous = left;
    if (smoothed && times[first]! < range.startMs && isReset(points[first + 1]!, points[first]!)) previous = points[at++]!; // `left` knows of this reset.
    for (; at < last; at++) {
      if (isReset(points[at]!, previous) && !combine(call, result, previous, 1)) return null;
      previous = points[at]!;
    }
    if (at <= last && isReset(right, previous) && !combine(call, result, previous, 1)) return null;
  }
  if (call.name === 'rate') divide(result, call.rangeMs / 1000);
  result.hint = HINT_GAUGE;
  return compact(result);
}

/** Where changes() and resets() of an anchored range begin: at the last sample before its start, whatever its kind. False where nothing lies inside. */
export function anchor(range: MixedRange): boolean {
  const { times, histogramTimes } = range.samples;
  const float = search(range.from, range.to, (i) => times[i]! > range.startMs) - 1;
  const native = search(range.histogramFrom, range.histogramTo, (i) => histogramTimes[i]! > range.startMs) - 1;
  if (float + 1 >= range.to && native + 1 >= range.histogramTo) return false;
  const hasFloat = float >= range.from;
  const hasNative = native >= range.histogramFrom;
  if (!hasFloat && !hasNative) return true;
  const floatIsAnchor = !hasNative || (hasFloat && times[float]! >= histogramTimes[native]!);
  range.from = floatIsAnchor ? float : float + 1;
  range.histogramFrom = floatIsAnchor ? native + 1 : native;
  return true;
}
