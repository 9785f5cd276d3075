/** One native histogram of a scrape, with absolute bucket counts, and what a scrape configuration may do to it: merge its buckets. */

import type { ParsedExemplar } from '#src/helper/exposition/parser.ts';

export interface Spans {
  /** Pairs of gap and length; the first gap is the index of the first bucket. */
  readonly spans: readonly (readonly [offset: number, length: number])[];
  readonly counts: readonly number[];
}
export interface NativeHistogram {
  readonly schema: number;
  readonly zeroThreshold: number;
  readonly zeroCount: number;
  readonly count: number;
  readonly sum: number;
  readonly positive: Spans;
  readonly negative: Spans;
  /** Upper bounds of custom buckets (schema -53), else empty. */
  readonly customBounds: readonly number[];
  /** All with a time of their own. */
  readonly exemplars: readonly ParsedExemplar[];
}

export const CUSTOM_BUCKETS = -53;
const MIN_SCHEMA = -4;
/** So many empty buckets between two spans are written out; more is a broken or hostile histogram. */
const MAX_DENSE_BUCKETS = 20_000;

/** The buckets without gaps, as OTLP has them: index of the first (its lower bound counts, so one less than in Prometheus) and all counts. */
export function denseBuckets(buckets: Spans): { offset: number; counts: number[] } | null {
  if (buckets.spans.length === 0) return { offset: 0, counts: [] };
  const counts: number[] = [];
  let next = 0;
  for (let i = 0; i < buckets.spans.length; i++) {
    const [offset, length] = buckets.spans[i]!;
    if (counts.length + Math.max(0, offset) + length > MAX_DENSE_BUCKETS && i > 0) return null;
    if (i > 0) for (let gap = 0; gap < offset; gap++) counts.push(0);
    for (let k = 0; k < length; k++) counts.push(buckets.counts[next++] ?? 0);
  }
  return { offset: buckets.spans[0]![0] - 1, counts };
}

/** Halves the resolution until schema and number of buckets are within the limits; null where that is not possible. `bucketLimit` 0: none. */
export function limitResolution(histogram: NativeHistogram, bucketLimit: number, maxSchema: number): NativeHistogram | null {
  let result = histogram;
  const size = (): number => result.positive.counts.length + result.negative.counts.length;
  if (result.schema === CUSTOM_BUCKETS) return bucketLimit > 0 && size() > bucketLimit ? null : result;
  while (bucketLimit > 0 && size() > bucketLimit) {
    if (result.schema <= MIN_SCHEMA) return null;
    result = halve(result);
  }
  while (result.schema > maxSchema && result.schema > MIN_SCHEMA) result = halve(result);
  return result;
}

function halve(histogram: NativeHistogram): NativeHistogram {
  return { ...histogram, schema: histogram.schema - 1, positive: mergePairs(histogram.positive), negative: mergePairs(histogram.negative) };
}

function mergePairs(buckets: Spans): Spans {
  const merged = new Map<number, number>();
  let index = 0;
  let next = 0;
  for (const [offset, length] of buckets.spans) {
    index += offset;
    for (let k = 0; k < length; k++, index++) {
      const target = Math.ceil(index / 2); // Bucket i ends at base^i, and the new base is the square of the old.
      merged.set(target, (merged.get(target) ?? 0) + (buckets.counts[next++] ?? 0));
    }
  }
  const spans: [number, number][] = [];
  let end = 0;
  for (const at of merged.keys()) {
    const last = spans.at(-1);
    if (last !== undefined && at === end) last[1]++;
    else spans.push([at - end, 1]);
    end = at + 1;
  }
  return { spans, counts: [...merged.values()] };
}

/** The growth factor 2^(2^-schema) must be at least `factor`; the highest schema for which it is. */
export function schemaForFactor(factor: number): number {
  const schema = Math.floor(-Math.log2(Math.log2(factor <= 1 ? 1.00271 : factor)));
  return Math.max(MIN_SCHEMA, Math.min(8, schema));
}
