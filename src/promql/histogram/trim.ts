/** The operators </ and >/: a histogram of the observations below, or above, a value, with interpolation inside the bucket that is cut. */
import { type Bucket, fractionBelow, negativeBuckets, positiveBuckets, zeroBucket } from './buckets.ts';
import { compact, copyHistogram, type FloatHistogram, usesCustomBuckets } from './float_histogram.ts';

export function trimHistogram(source: FloatHistogram, limit: number, keepBelow: boolean): FloatHistogram {
  const h = copyHistogram(source);
  const linear = usesCustomBuckets(h);
  let count = 0;
  let sum = 0;
  let changed = false;
  const side = (buckets: Bucket[], counts: number[], positive: boolean): boolean => {
    let populated = false;
    buckets.forEach((bucket, i) => {
      if (bucket.count === 0) return;
      populated = true;
      const kept = trimBucket(bucket, limit, keepBelow, positive, linear);
      count += kept.count;
      sum += kept.middle * kept.count;
      if (counts[i] !== kept.count) {
        counts[i] = kept.count;
        changed = true;
      }
    });
    return populated;
  };
  const hasPositive = side(positiveBuckets(h), h.positive.count, true);
  const hasNegative = side(negativeBuckets(h), h.negative.count, false);
  if (h.zeroCount > 0) {
    const kept = trimZero(zeroBucket(h), limit, hasNegative, hasPositive, keepBelow);
    if (h.zeroCount !== kept.count) changed = true;
    h.zeroCount = kept.count;
    count += kept.count;
    sum += kept.middle * kept.count;
  }
  if (!changed) return h;
  h.count = count;
  h.sum = sum;
  return compact(h);
}

interface Kept {
  count: number;
  /** Where the kept observations are taken to be, for the sum. */
  middle: number;
}

function trimBucket(bucket: Bucket, limit: number, keepBelow: boolean, positive: boolean, linear: boolean): Kept {
  const keepAll = keepBelow ? bucket.upper <= limit : bucket.lower >= limit;
  if (keepAll) return { count: bucket.count, middle: middle(bucket.lower, bucket.upper, positive, linear) };
  const cut = keepBelow ? bucket.lower < limit : bucket.upper > limit;
  if (!cut) return { count: 0, middle: 0 };
  if (bucket.lower === Number.NEGATIVE_INFINITY || bucket.upper === Number.POSITIVE_INFINITY) return trimInfinite(bucket, limit, keepBelow);
  const below = limit <= bucket.lower ? 0 : limit >= bucket.upper ? bucket.count : bucket.count * fractionBelow(bucket, limit, linear);
  if (keepBelow) return { count: below, middle: middle(bucket.lower, limit, positive, linear) };
  return { count: bucket.count - below, middle: middle(limit, bucket.upper, positive, linear) };
}

/** A bucket without a bound has no shape: it is kept or dropped as a whole, but for custom buckets from -Inf up to a positive bound, which begin at 0. */
function trimInfinite(bucket: Bucket, limit: number, keepBelow: boolean): Kept {
  const finite = (x: number): number => (Number.isFinite(x) ? x : 0);
  if (bucket.lower === Number.NEGATIVE_INFINITY) {
    const closed = bucket.upper !== Number.POSITIVE_INFINITY;
    if (keepBelow) {
      if (limit >= bucket.upper) return { count: bucket.count, middle: 0 };
      if (limit > 0 && bucket.upper > 0 && closed) return { count: (bucket.count * limit) / bucket.upper, middle: limit / 2 };
      return bucket.upper <= 0 ? { count: bucket.count, middle: limit } : { count: 0, middle: finite(bucket.upper) };
    }
    if (limit <= bucket.lower) return { count: bucket.count, middle: 0 };
    if (limit >= 0 && bucket.upper > limit && closed) return { count: bucket.count * (1 - limit / bucket.upper), middle: (limit + bucket.upper) / 2 };
    return { count: 0, middle: finite(bucket.upper) };
  }
  if (!keepBelow && limit >= bucket.lower) return { count: bucket.count, middle: limit };
  return { count: 0, middle: finite(bucket.lower) };
}

function trimZero(bucket: Bucket, limit: number, hasNegative: boolean, hasPositive: boolean, keepBelow: boolean): Kept {
  const lower = hasPositive && !hasNegative ? 0 : bucket.lower;
  const upper = hasNegative && !hasPositive ? 0 : bucket.upper;
  const all: Kept = { count: bucket.count, middle: (lower + upper) / 2 };
  const none: Kept = { count: 0, middle: 0 };
  if (limit <= lower) return keepBelow ? none : all;
  if (limit >= upper) return keepBelow ? all : none;
  if (keepBelow) return { count: (bucket.count * (limit - lower)) / (upper - lower), middle: (lower + limit) / 2 };
  return { count: (bucket.count * (upper - limit)) / (upper - lower), middle: (limit + upper) / 2 };
}

function middle(lower: number, upper: number, positive: boolean, linear: boolean): number {
  if (!Number.isFinite(lower)) {
    if (!Number.isFinite(upper)) return 0;
    return upper > 0 ? upper / 2 : upper;
  }
  if (!Number.isFinite(upper)) return lower;
  if (linear) return (lower + upper) / 2;
  const geometric = Math.sqrt(Math.abs(lower * upper));
  return positive ? geometric : -geometric;
}
