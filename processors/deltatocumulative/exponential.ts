/**
 * Adding one exponential histogram to another: both are brought to the coarser scale, further down where the sum would have too many buckets, and the
 * zero buckets to the same width. https://opentelemetry.io/docs/specs/otel/metrics/data-model/#exponentialhistogram
 */
import type { Buckets, ExponentialHistogram } from '#src/helper/streams/histogram_points.ts';

/** As in SDKs. */
const MAX_BUCKETS = 160;

/** Adds `point` to `state`; `point` is spoilt. */
export function addExponential(state: ExponentialHistogram, point: ExponentialHistogram): void {
  const scale = Math.min(state.scale, point.scale);
  rescale(state, scale);
  rescale(point, scale);
  const fitting = Math.min(fittingScale(scale, state.positive, point.positive), fittingScale(scale, state.negative, point.negative));
  rescale(state, fitting);
  rescale(point, fitting);
  if (state.zeroThreshold < point.zeroThreshold) widenZero(state, point.zeroThreshold);
  else if (point.zeroThreshold < state.zeroThreshold) widenZero(point, state.zeroThreshold);
  merge(state.positive, point.positive);
  merge(state.negative, point.negative);
  state.zeroCount = BigInt.asUintN(64, state.zeroCount + point.zeroCount);
}

function rescale(histogram: ExponentialHistogram, scale: number): void {
  const steps = histogram.scale - scale;
  if (steps <= 0) return;
  histogram.scale = scale;
  coarsen(histogram.positive, steps);
  coarsen(histogram.negative, steps);
}
/** Each step makes one bucket of two. The list keeps its length, as in the Collector; what became free behind is zero. */
function coarsen(buckets: Buckets, steps: number): void {
  const width = 2 ** steps,
    offset = Math.floor(buckets.offset / width),
    counts = new Array<bigint>(buckets.counts.length).fill(0n);
  buckets.counts.forEach((count, i) => {
    counts[Math.floor((buckets.offset + i) / width) - offset]! += count;
  });
  buckets.offset = offset;
  buckets.counts = counts;
}

/** The scale at which the sum of both has no more than MAX_BUCKETS. */
function fittingScale(scale: number, a: Buckets, b: Buckets): number {
  let [lower, upper] = usedRange(a, b),
    fitting = scale;
  while (upper - lower > MAX_BUCKETS) {
    lower = Math.trunc(lower / 2);
    upper = Math.trunc(upper / 2);
    fitting--;
  }
  return fitting;
}
/** The buckets of either with a count, from the first to behind the last. Empty: both ends are behind all buckets. */
function usedRange(a: Buckets, b: Buckets): [lower: number, upper: number] {
  let lower = Infinity,
    upper = -Infinity;
  for (const { offset, counts } of [a, b]) {
    const first = counts.findIndex((count) => count !== 0n);
    if (first < 0) continue;
    lower = Math.min(lower, offset + first);
    upper = Math.max(upper, offset + counts.findLastIndex((count) => count !== 0n) + 1);
  }
  if (lower !== Infinity) return [lower, upper];
  const end = Math.max(a.offset + a.counts.length, b.offset + b.counts.length);
  return [end, end];
}

function merge(into: Buckets, from: Buckets): void {
  if (from.counts.length === 0) return;
  if (into.counts.length === 0) {
    into.offset = from.offset;
    into.counts = from.counts;
    return;
  }
  const [lower, upper] = usedRange(into, from);
  const counts = new Array<bigint>(upper - lower).fill(0n);
  for (const { offset, counts: added } of [into, from]) {
    added.forEach((count, i) => {
      if (count !== 0n) counts[offset + i - lower] = BigInt.asUintN(64, counts[offset + i - lower]! + count);
    });
  }
  into.offset = lower;
  into.counts = counts;
}

/** Buckets up to the one that `width` is in join the zero bucket, which then ends where that one ends. */
function widenZero(histogram: ExponentialHistogram, width: number): void {
  const last = bucketOf(histogram.scale, width);
  for (const buckets of [histogram.positive, histogram.negative]) {
    const inside = Math.max(0, Math.min(last + 1 - buckets.offset, buckets.counts.length));
    for (const count of buckets.counts.slice(0, inside)) histogram.zeroCount = BigInt.asUintN(64, histogram.zeroCount + count);
    buckets.counts = buckets.counts.slice(inside);
    buckets.offset += inside;
  }
  histogram.zeroThreshold = Math.exp((last + 1) * Math.LN2 * 2 ** -histogram.scale);
}
/** Bounds above belong to a bucket: 4 is in the one of (2, 4]. */
function bucketOf(scale: number, value: number): number {
  const log = Math.log2(value);
  if (scale >= 0 && Number.isInteger(log) && 2 ** log === value) return log * 2 ** scale - 1;
  return Math.floor(Math.log(value) * Math.LOG2E * 2 ** scale);
}
