/** The buckets of a native histogram one after the other, as quantiles, variances and answers need them; and printing. */
import { shortFloat } from '#src/core/go_float.ts';
import { exponentialBound, type FloatHistogram, upperBound, usesCustomBuckets } from './float_histogram.ts';

export interface Bucket {
  lower: number;
  upper: number;
  lowerInclusive: boolean;
  upperInclusive: boolean;
  count: number;
}

export function positiveBuckets(h: FloatHistogram): Bucket[] {
  return h.positive.index.map((index, i) => ({
    lower: upperBound(index - 1, h.schema, h.customValues),
    upper: upperBound(index, h.schema, h.customValues),
    lowerInclusive: usesCustomBuckets(h) && index === 0,
    upperInclusive: true,
    count: h.positive.count[i]!,
  }));
}
/** From zero downwards. */
export function negativeBuckets(h: FloatHistogram): Bucket[] {
  return h.negative.index.map((index, i) => ({
    lower: -exponentialBound(index, h.schema),
    upper: -exponentialBound(index - 1, h.schema),
    lowerInclusive: true,
    upperInclusive: false,
    count: h.negative.count[i]!,
  }));
}
export function zeroBucket(h: FloatHistogram): Bucket {
  return { lower: -h.zeroThreshold, upper: h.zeroThreshold, lowerInclusive: true, upperInclusive: true, count: h.zeroCount };
}

/** In ascending order, cut where they would overlap the zero bucket. */
export function allBuckets(h: FloatHistogram): Bucket[] {
  const buckets = negativeBuckets(h).reverse();
  for (const bucket of buckets) if (bucket.upper < 0 && bucket.upper > -h.zeroThreshold) bucket.upper = -h.zeroThreshold;
  if (h.zeroCount > 0) buckets.push(zeroBucket(h));
  for (const bucket of positiveBuckets(h)) {
    if (bucket.lower > 0 && bucket.lower < h.zeroThreshold) bucket.lower = h.zeroThreshold;
    buckets.push(bucket);
  }
  return buckets;
}

/** As Go's String(): {count:3, sum:1.5, [-0.001,0.001]:1, (1,2]:2}. */
export function formatHistogram(h: FloatHistogram): string {
  const parts = [`count:${shortFloat(h.count)}`, `sum:${shortFloat(h.sum)}`];
  const shown = [...negativeBuckets(h).reverse(), ...(usesCustomBuckets(h) ? [] : [zeroBucket(h)]), ...positiveBuckets(h)];
  for (const bucket of shown) {
    if (bucket.count === 0) continue;
    parts.push(
      `${bucket.lowerInclusive ? '[' : '('}${shortFloat(bucket.lower)},${shortFloat(bucket.upper)}${bucket.upperInclusive ? ']' : ')'}:${shortFloat(bucket.count)}`,
    );
  }
  return `{${parts.join(', ')}}`;
}

/** The part of the bucket's count below `v`, which lies inside: linear, or even on a logarithmic scale. */
export function fractionBelow(bucket: Bucket, v: number, linear: boolean): number {
  if (linear) return (v - bucket.lower) / (bucket.upper - bucket.lower);
  const lower = Math.log2(Math.abs(bucket.lower));
  const upper = Math.log2(Math.abs(bucket.upper));
  const at = Math.log2(Math.abs(v));
  return v > 0 ? (at - lower) / (upper - lower) : 1 - (at - upper) / (lower - upper);
}
