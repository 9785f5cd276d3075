/** The difference of two exponential histograms of one stream: the older is brought to the scale and the zero width of the newer, which can only have grown coarser. */
import type { Buckets, ExponentialHistogram } from '#src/helper/streams/histogram_points.ts';

/** Counts and widths only grow and scales only shrink unless a stream begins again. */
export function isReset(from: ExponentialHistogram, to: ExponentialHistogram): boolean {
  return to.count < from.count || to.zeroThreshold < from.zeroThreshold || to.scale > from.scale;
}

/** Leaves both as they are. */
export function exponentialDifference(from: ExponentialHistogram, to: ExponentialHistogram): ExponentialHistogram {
  let { zeroCount, positive, negative } = from;
  if (to.zeroThreshold > from.zeroThreshold) {
    // The greatest bucket that begins below the threshold: what the older one counted up to there is zero for the newer.
    const last = Math.ceil(Math.log(to.zeroThreshold) * Math.LOG2E * 2 ** from.scale) - 1;
    for (const buckets of [positive, negative]) for (const count of buckets.counts.slice(0, countUpTo(buckets, last))) zeroCount += count;
    positive = without(positive, countUpTo(positive, last));
    negative = without(negative, countUpTo(negative, last));
  }
  const steps = from.scale - to.scale;
  return {
    ...to,
    count: to.count - from.count,
    sum: (to.sum ?? 0) - (from.sum ?? 0),
    zeroCount: BigInt.asUintN(64, to.zeroCount - zeroCount),
    positive: bucketDifference(coarser(positive, steps), to.positive),
    negative: bucketDifference(coarser(negative, steps), to.negative),
  };
}

/** How many entries of the list are of buckets up to `last`. */
function countUpTo(buckets: Buckets, last: number): number {
  return Math.max(0, Math.min(last - buckets.offset + 1, buckets.counts.length));
}
function without(buckets: Buckets, first: number): Buckets {
  return first === 0 ? buckets : { offset: buckets.offset + first, counts: buckets.counts.slice(first) };
}
/** Each step makes one bucket of two. */
function coarser(buckets: Buckets, steps: number): Buckets {
  if (steps === 0) return buckets;
  const width = 2 ** steps,
    offset = Math.floor(buckets.offset / width),
    counts: bigint[] = [];
  buckets.counts.forEach((count, i) => {
    const at = Math.floor((buckets.offset + i) / width) - offset;
    counts[at] = (counts[at] ?? 0n) + count;
  });
  return { offset, counts };
}
/** Buckets that did not grow are zero; those at the ends are left out. */
function bucketDifference(from: Buckets, to: Buckets): Buckets {
  const counts = to.counts.map((count, i) => {
    const before = from.counts[to.offset + i - from.offset] ?? 0n;
    return count > before ? count - before : 0n;
  });
  const first = counts.findIndex((count) => count !== 0n);
  if (first < 0) return { offset: 0, counts: [] };
  return { offset: to.offset + first, counts: counts.slice(first, counts.findLastIndex((count) => count !== 0n) + 1) };
}
