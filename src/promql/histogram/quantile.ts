/** Quantiles and fractions: of plain values, of classic histograms (buckets as series) and of native ones. */
import { allBuckets, type Bucket, fractionBelow } from './buckets.ts';
import { type FloatHistogram, usesCustomBuckets } from './float_histogram.ts';

/** Of values, which get sorted; NaN sorts first. */
export function quantileOf(q: number, values: Float64Array): number {
  const count = values.length;
  if (count === 0 || Number.isNaN(q)) return Number.NaN;
  if (q < 0) return Number.NEGATIVE_INFINITY;
  if (q > 1) return Number.POSITIVE_INFINITY;
  values.sort();
  let nans = 0; // A typed array sorts NaN last; upstream puts it first.
  while (nans < count && Number.isNaN(values[count - 1 - nans]!)) nans++;
  if (nans > 0) {
    values.copyWithin(nans, 0, count - nans);
    values.fill(Number.NaN, 0, nans);
  }
  const rank = q * (count - 1);
  const lower = Math.max(0, Math.floor(rank));
  const upper = Math.min(count - 1, lower + 1);
  const weight = rank - Math.floor(rank);
  return values[lower]! * (1 - weight) + values[upper]! * weight;
}

export interface ClassicBucket {
  upper: number;
  count: number;
}
export interface ClassicQuantile {
  value: number;
  /** Set where counts went down from one bucket to the next and were corrected: where, and by how much at most. */
  forced: { minBucket: number; maxBucket: number; maxDiff: number } | null;
}

/** Differences below this relative size come from rounding, not from the data. */
const SMALL_DELTA = 1e-12;
const MIN_NORMAL = 2 ** -1022;

export function almostEqual(a: number, b: number, epsilon: number): boolean {
  if (a === b || (Number.isNaN(a) && Number.isNaN(b))) return true;
  const sum = Math.abs(a) + Math.abs(b);
  const difference = Math.abs(a - b);
  if (a === 0 || b === 0 || sum < MIN_NORMAL) return difference < epsilon * MIN_NORMAL;
  return difference / Math.min(sum, Number.MAX_VALUE) < epsilon;
}

/** Sorted by bound, buckets with the same bound added up; null where the last is not +Inf. */
function prepareBuckets(buckets: ClassicBucket[]): ClassicBucket[] | null {
  buckets.sort((a, b) => a.upper - b.upper || 0);
  if (buckets.at(-1)?.upper !== Number.POSITIVE_INFINITY) return null;
  const out: ClassicBucket[] = [];
  for (const bucket of buckets) {
    const last = out.at(-1);
    if (last !== undefined && last.upper === bucket.upper) last.count += bucket.count;
    else out.push({ ...bucket });
  }
  return out;
}

export function classicQuantile(q: number, buckets: ClassicBucket[]): ClassicQuantile {
  const only = (value: number): ClassicQuantile => ({ value, forced: null });
  if (Number.isNaN(q)) return only(Number.NaN);
  if (q < 0) return only(Number.NEGATIVE_INFINITY);
  if (q > 1) return only(Number.POSITIVE_INFINITY);
  const sorted = prepareBuckets(buckets);
  if (sorted === null) return only(Number.NaN);
  const forced = forceMonotonic(sorted);
  const last = sorted.length - 1;
  const observations = sorted[last]!.count;
  if (sorted.length < 2 || observations === 0) return { value: Number.NaN, forced };
  let rank = q * observations;
  let at = 0;
  let high = last;
  while (at < high) {
    const middle = (at + high) >> 1;
    if (sorted[middle]!.count >= rank) high = middle;
    else at = middle + 1;
  }
  if (at === last) return { value: sorted[last - 1]!.upper, forced };
  if (at === 0 && sorted[0]!.upper <= 0) return { value: sorted[0]!.upper, forced };
  const end = sorted[at]!.upper;
  let start = 0;
  let count = sorted[at]!.count;
  if (at > 0) {
    start = sorted[at - 1]!.upper;
    count -= sorted[at - 1]!.count;
    rank -= sorted[at - 1]!.count;
  }
  return { value: start + (end - start) * (rank / count), forced };
}

function forceMonotonic(buckets: ClassicBucket[]): ClassicQuantile['forced'] {
  let forced: ClassicQuantile['forced'] = null;
  let previous = buckets[0]!.count;
  for (let i = 1; i < buckets.length; i++) {
    const bucket = buckets[i]!;
    if (bucket.count === previous) continue;
    if (almostEqual(previous, bucket.count, SMALL_DELTA)) bucket.count = previous;
    else if (bucket.count < previous) {
      forced ??= { minBucket: Number.POSITIVE_INFINITY, maxBucket: Number.NEGATIVE_INFINITY, maxDiff: 0 };
      forced.minBucket = Math.min(forced.minBucket, bucket.upper);
      forced.maxBucket = Math.max(forced.maxBucket, bucket.upper);
      forced.maxDiff = Math.max(forced.maxDiff, previous - bucket.count);
      bucket.count = previous;
    } else previous = bucket.count;
  }
  return forced;
}

export function classicFraction(lower: number, upper: number, buckets: ClassicBucket[]): number {
  const sorted = prepareBuckets(buckets);
  if (sorted === null) return Number.NaN;
  const count = sorted.at(-1)!.count;
  if (count === 0 || Number.isNaN(lower) || Number.isNaN(upper)) return Number.NaN;
  if (lower >= upper) return 0;
  const rankAt = (v: number): number => {
    let rank = 0;
    let bound = sorted[0]!.upper <= 0 ? Number.NEGATIVE_INFINITY : 0;
    for (const bucket of sorted) {
      if (bound >= v) return rank;
      if (bucket.upper > v) return bound === Number.NEGATIVE_INFINITY ? bucket.count : rank + ((bucket.count - rank) * (v - bound)) / (bucket.upper - bound);
      rank = bucket.count;
      bound = bucket.upper;
    }
    return count;
  };
  return (Math.min(count, rankAt(upper)) - Math.min(count, rankAt(lower))) / count;
}

/** What a quantile of a native histogram with NaN observations must tell. */
export type NanNote = '' | 'result' | 'skew';

export function nativeQuantile(q: number, h: FloatHistogram): { value: number; note: NanNote } {
  const only = (value: number, note: NanNote = ''): { value: number; note: NanNote } => ({ value, note });
  if (q < 0) return only(Number.NEGATIVE_INFINITY);
  if (q > 1) return only(Number.POSITIVE_INFINITY);
  if (h.count === 0 || Number.isNaN(q)) return only(Number.NaN);
  const forward = Number.isNaN(h.sum) || q < 0.5; // NaN observations are in no bucket: only counting from below finds the rank.
  const buckets = forward ? allBuckets(h) : allBuckets(h).reverse();
  let rank = (forward ? q : 1 - q) * h.count;
  let bucket: Bucket = { lower: 0, upper: 0, lowerInclusive: false, upperInclusive: false, count: 0 };
  let count = 0;
  let at = 0;
  while (at < buckets.length) {
    bucket = buckets[at++]!;
    if (bucket.count === 0) continue;
    count += bucket.count;
    if (count >= rank) break;
  }
  bucket = { ...bucket };
  const custom = usesCustomBuckets(h);
  if (!custom && bucket.lower < 0 && bucket.upper > 0) {
    if (h.negative.index.length === 0 && h.positive.index.length > 0) bucket.lower = 0;
    else if (h.positive.index.length === 0 && h.negative.index.length > 0) bucket.upper = 0;
  } else if (custom) {
    if (bucket.lower === Number.NEGATIVE_INFINITY) {
      if (bucket.upper <= 0) return only(bucket.upper);
      bucket.lower = 0;
    } else if (bucket.upper === Number.POSITIVE_INFINITY) return only(bucket.lower);
  }
  count = Math.min(count, h.count);
  if (count < rank) return Number.isNaN(h.sum) ? only(Number.NaN, 'result') : only(bucket.upper);
  rank = forward ? rank - (count - bucket.count) : count - rank;
  let note: NanNote = '';
  if (Number.isNaN(h.sum)) {
    let total = count;
    for (; at < buckets.length; at++) {
      // Upstream goes on to interpolate in the last bucket it looked at here.
      bucket = { ...buckets[at]! };
      total += bucket.count;
    }
    if (total < h.count) note = 'skew';
  }
  const fraction = rank / bucket.count;
  if (custom || (bucket.lower <= 0 && bucket.upper >= 0)) return only(bucket.lower + (bucket.upper - bucket.lower) * fraction, note);
  const lower = Math.log2(Math.abs(bucket.lower));
  const upper = Math.log2(Math.abs(bucket.upper));
  if (bucket.lower > 0) return only(2 ** (lower + (upper - lower) * fraction), note);
  return only(-(2 ** (upper + (lower - upper) * (1 - fraction))), note);
}

/** `nans`: there are observations in no bucket, which no fraction counts. */
export function nativeFraction(lower: number, upper: number, h: FloatHistogram): { value: number; nans: boolean } {
  if (h.count === 0 || Number.isNaN(lower) || Number.isNaN(upper)) return { value: Number.NaN, nans: false };
  if (lower >= upper) return { value: 0, nans: false };
  const custom = usesCustomBuckets(h);
  const buckets = allBuckets(h);
  let total = h.count;
  let nans = false;
  if (Number.isNaN(h.sum)) {
    total = buckets.reduce((sum, bucket) => sum + bucket.count, 0);
    nans = total < h.count;
  }
  const rankAt = (v: number): number => {
    let rank = 0;
    for (const original of buckets) {
      const bucket = { ...original };
      const zero = bucket.lower <= 0 && bucket.upper >= 0;
      if (zero) {
        if (h.negative.index.length === 0 && h.positive.index.length > 0) bucket.lower = 0;
        else if (h.positive.index.length === 0 && h.negative.index.length > 0) bucket.upper = 0;
      }
      if (bucket.lower >= v) return rank;
      if (bucket.upper > v) {
        const linear = custom || zero;
        if (linear && bucket.lower === Number.NEGATIVE_INFINITY) return bucket.count;
        return rank + bucket.count * fractionBelow(bucket, v, linear);
      }
      rank += bucket.count;
    }
    return total;
  };
  return { value: (Math.min(total, rankAt(upper)) - Math.min(total, rankAt(lower))) / h.count, nans };
}
