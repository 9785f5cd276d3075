/**
 * A native histogram as the engine computes with it: sorted bucket indexes with their counts, instead of the spans of storage and wire.
 * A bucket with index i of schema s ends at 2^(i/2^s); with custom buckets (schema -53) at customValues[i]. Functions named as verbs
 * change their first argument; everything shared is copied by whoever changes it.
 */
import type { NativeHistogram } from '#src/core/series.ts';
import { compensate } from '#src/promql/sum.ts';

export const CUSTOM_BUCKETS = -53;
export const HINT_UNKNOWN = 0;
export const HINT_RESET = 1;
export const HINT_NOT_RESET = 2;
export const HINT_GAUGE = 3;

export interface Buckets {
  index: number[];
  count: number[];
}
export interface FloatHistogram {
  schema: number;
  zeroThreshold: number;
  zeroCount: number;
  count: number;
  sum: number;
  hint: number;
  positive: Buckets;
  negative: Buckets;
  customValues: readonly number[];
}

export function fromNative(native: NativeHistogram): FloatHistogram {
  return {
    schema: native.schema,
    zeroThreshold: native.zeroThreshold,
    zeroCount: native.zeroCount,
    count: native.count,
    sum: native.sum,
    hint: native.counterResetHint,
    positive: fromSpans(native.positiveSpans, native.positiveBuckets),
    negative: fromSpans(native.negativeSpans, native.negativeBuckets),
    customValues: native.customValues,
  };
}

/** Its count and sum alone. The hint says what the buckets said of a reset since `previous`, where that is known. */
export function statsOf(h: FloatHistogram, previous: FloatHistogram | null): FloatHistogram {
  const hint = h.hint !== HINT_UNKNOWN || previous === null ? h.hint : isReset(h, previous) ? HINT_RESET : HINT_NOT_RESET;
  const none = { index: [], count: [] };
  return { schema: h.schema, zeroThreshold: 0, zeroCount: 0, count: h.count, sum: h.sum, hint, positive: none, negative: none, customValues: [] };
}

function fromSpans(spans: NativeHistogram['positiveSpans'], counts: readonly number[]): Buckets {
  const index: number[] = [];
  let at = 0;
  for (const span of spans) {
    at += span.offset;
    for (let i = 0; i < span.length && index.length < counts.length; i++) index.push(at++);
  }
  return { index, count: counts.slice(0, index.length) };
}

export function copyHistogram(h: FloatHistogram): FloatHistogram {
  return { ...h, positive: copyBuckets(h.positive), negative: copyBuckets(h.negative) };
}
function copyBuckets(buckets: Buckets): Buckets {
  return { index: buckets.index.slice(), count: buckets.count.slice() };
}

export function emptyLike(h: FloatHistogram): FloatHistogram {
  const none = (): Buckets => ({ index: [], count: [] });
  return {
    schema: h.schema,
    zeroThreshold: 0,
    zeroCount: 0,
    count: 0,
    sum: 0,
    hint: HINT_UNKNOWN,
    positive: none(),
    negative: none(),
    customValues: h.customValues,
  };
}

export function usesCustomBuckets(h: FloatHistogram): boolean {
  return h.schema === CUSTOM_BUCKETS;
}
/** How many float samples it counts for, under the limit on samples in memory and in the statistics. */
export function sampleSize(h: FloatHistogram): number {
  let words = h.customValues.length;
  for (const { index } of [h.positive, h.negative]) {
    words += index.length;
    for (let i = 0; i < index.length; i++) if (i === 0 || index[i] !== index[i - 1]! + 1) words++; // A span.
  }
  return Math.floor((168 + 8 + 8 * words) / 16);
}

/** The upper bound of a bucket with positive index side; indexes below the first custom bucket end at -Inf. */
export function upperBound(index: number, schema: number, customValues: readonly number[]): number {
  if (schema === CUSTOM_BUCKETS) return index < 0 ? Number.NEGATIVE_INFINITY : index < customValues.length ? customValues[index]! : Number.POSITIVE_INFINITY;
  return exponentialBound(index, schema);
}

/** 2^(1/2), 2^(1/4), ... 2^(1/256), the first of them a step of a float64 too low, as in Prometheus: its bounds come out to the last bit. */
const ROOTS = [Math.SQRT2 - Number.EPSILON];
for (let root = Math.sqrt(Math.SQRT2); ROOTS.length < 8; root = Math.sqrt(root)) ROOTS.push(root);

const fractions = new Map<number, number[]>();
/** The bounds in [0.5, 1) of a schema: computed once, so that multiples of the octave are exact. */
function fractionsOf(schema: number): number[] {
  let table = fractions.get(schema);
  if (table === undefined) {
    table = Array.from({ length: 2 ** schema }, (_, i) =>
      ROOTS.slice(0, schema).reduce((bound, root, bit) => ((i << bit) & (1 << (schema - 1)) ? bound * root : bound), 0.5),
    );
    fractions.set(schema, table);
  }
  return table;
}
export function exponentialBound(index: number, schema: number): number {
  if (schema < 0) {
    const exponent = index * 2 ** -schema;
    return exponent === 1024 ? Number.MAX_VALUE : 2 ** exponent;
  }
  const size = 2 ** schema;
  const octave = Math.floor(index / size) + 1;
  const fraction = fractionsOf(schema)[index - (octave - 1) * size]!;
  if (fraction === 0.5 && octave === 1025) return Number.MAX_VALUE;
  return octave > 1000 ? fraction * 2 ** 1000 * 2 ** (octave - 1000) : octave < -1000 ? fraction * 2 ** -1000 * 2 ** (octave + 1000) : fraction * 2 ** octave;
}

function mergedIndex(index: number, from: number, to: number): number {
  return Math.floor((index - 1) / 2 ** (from - to)) + 1;
}

/** The same buckets at a lower resolution; a new object. */
export function reduceBuckets(buckets: Buckets, from: number, to: number): Buckets {
  if (from === to) return copyBuckets(buckets);
  const out: Buckets = { index: [], count: [] };
  for (let i = 0; i < buckets.index.length; i++) {
    const index = mergedIndex(buckets.index[i]!, from, to);
    if (out.index.at(-1) === index) out.count[out.count.length - 1]! += buckets.count[i]!;
    else {
      out.index.push(index);
      out.count.push(buckets.count[i]!);
    }
  }
  return out;
}

export function copyToSchema(h: FloatHistogram, schema: number): FloatHistogram {
  if (schema === h.schema) return copyHistogram(h);
  return {
    ...h,
    schema,
    hint: HINT_UNKNOWN,
    positive: reduceBuckets(h.positive, h.schema, schema),
    negative: reduceBuckets(h.negative, h.schema, schema),
    customValues: [],
  };
}

/** Takes the empty buckets away. */
export function compact(h: FloatHistogram): FloatHistogram {
  compactBuckets(h.positive);
  compactBuckets(h.negative);
  return h;
}
function compactBuckets(buckets: Buckets): void {
  let kept = 0;
  for (let i = 0; i < buckets.index.length; i++) {
    if (buckets.count[i] === 0) continue;
    buckets.index[kept] = buckets.index[i]!;
    buckets.count[kept] = buckets.count[i]!;
    kept++;
  }
  buckets.index.length = buckets.count.length = kept;
}

/** Times the factor; a negative one makes a gauge. */
export function scale(h: FloatHistogram, factor: number): FloatHistogram {
  return apply(h, (x) => x * factor, factor < 0);
}
/** Divided; by zero, the buckets go and the totals become infinite. */
export function divide(h: FloatHistogram, divisor: number): FloatHistogram {
  if (divisor === 0) {
    h.positive = { index: [], count: [] };
    h.negative = { index: [], count: [] };
  }
  return apply(h, (x) => x / divisor, divisor < 0);
}
function apply(h: FloatHistogram, change: (x: number) => number, gauge: boolean): FloatHistogram {
  h.zeroCount = change(h.zeroCount);
  h.count = change(h.count);
  h.sum = change(h.sum);
  h.positive.count = h.positive.count.map(change);
  h.negative.count = h.negative.count.map(change);
  if (gauge) h.hint = HINT_GAUGE;
  return h;
}

export function sameBounds(a: readonly number[], b: readonly number[]): boolean {
  return a === b || (a.length === b.length && a.every((bound, i) => bound === b[i]));
}

/** Equality of data, not of numbers: NaN equals NaN, an empty bucket is not a missing one. */
export function equals(a: FloatHistogram, b: FloatHistogram): boolean {
  return (
    a.schema === b.schema &&
    Object.is(a.count, b.count) &&
    Object.is(a.sum, b.sum) &&
    a.zeroThreshold === b.zeroThreshold &&
    Object.is(a.zeroCount, b.zeroCount) &&
    sameBounds(a.customValues, b.customValues) &&
    sameBuckets(a.positive, b.positive) &&
    sameBuckets(a.negative, b.negative)
  );
}
function sameBuckets(a: Buckets, b: Buckets): boolean {
  return a.index.length === b.index.length && a.index.every((index, i) => index === b.index[i] && Object.is(a.count[i], b.count[i]));
}

export function hasOverflow(h: FloatHistogram): boolean {
  const infinite = (x: number): boolean => Math.abs(x) === Number.POSITIVE_INFINITY;
  return infinite(h.zeroCount) || infinite(h.count) || infinite(h.sum) || h.positive.count.some(infinite) || h.negative.count.some(infinite);
}

/** What an addition found worth telling. */
export interface AddOutcome {
  /** Exponential and custom buckets do not mix; nothing was added. */
  incompatible: boolean;
  /** One says "reset", the other "not reset". */
  hintCollision: boolean;
  /** Custom bounds differed and were cut to those both have. */
  reconciled: boolean;
}

/**
 * Adds `other` times `sign` to `h`. With `lost`, a histogram of the same layout that newCompensation() made, the rounding errors are
 * collected there.
 */
export function add(h: FloatHistogram, other: FloatHistogram, sign: 1 | -1 = 1, lost: FloatHistogram | null = null): AddOutcome {
  if (usesCustomBuckets(h) !== usesCustomBuckets(other)) return { incompatible: true, hintCollision: false, reconciled: false };
  const hintCollision = mergeHints(h, other);
  let source = other;
  let reconciled = false;
  if (usesCustomBuckets(h)) {
    if (!sameBounds(h.customValues, other.customValues)) {
      reconciled = true;
      const shared = h.customValues.filter((bound) => other.customValues.includes(bound));
      source = { ...other, positive: toBounds(other.positive, other.customValues, shared), customValues: shared };
      if (lost !== null) lost.positive = toBounds(lost.positive, h.customValues, shared);
      h.positive = toBounds(h.positive, h.customValues, shared);
      h.customValues = shared;
    }
  } else {
    if (other.zeroThreshold !== h.zeroThreshold) source = reconcileZero(h, other, lost);
    const schema = Math.min(h.schema, source.schema);
    if (source.schema > schema) source = { ...copyToSchema(source, schema), zeroThreshold: source.zeroThreshold };
    if (h.schema > schema) {
      for (const target of lost === null ? [h] : [h, lost]) {
        target.positive = reduceBuckets(target.positive, target.schema, schema);
        target.negative = reduceBuckets(target.negative, target.schema, schema);
        target.schema = schema;
      }
    }
  }
  addField(h, lost, 'zeroCount', source.zeroCount * sign);
  addField(h, lost, 'count', source.count * sign);
  addField(h, lost, 'sum', source.sum * sign);
  addBuckets(h.positive, lost?.positive ?? null, source.positive, sign, h);
  addBuckets(h.negative, lost?.negative ?? null, source.negative, sign, h);
  return { incompatible: false, hintCollision, reconciled };
}

export function newCompensation(h: FloatHistogram): FloatHistogram {
  const zeros = (buckets: Buckets): Buckets => ({ index: buckets.index.slice(), count: buckets.count.map(() => 0) });
  return { ...h, zeroCount: 0, count: 0, sum: 0, positive: zeros(h.positive), negative: zeros(h.negative) };
}

function addField(h: FloatHistogram, lost: FloatHistogram | null, field: 'zeroCount' | 'count' | 'sum', value: number): void {
  const next = h[field] + value;
  if (lost !== null) lost[field] = compensate(h[field], lost[field], value, next);
  h[field] = next;
}

function addBuckets(target: Buckets, lost: Buckets | null, source: Buckets, sign: 1 | -1, h: FloatHistogram): void {
  const { index, count } = target;
  let at = 0;
  for (let i = 0; i < source.index.length; i++) {
    const bucket = source.index[i]!;
    const value = source.count[i]! * sign;
    if (h.schema !== CUSTOM_BUCKETS && exponentialBound(bucket, h.schema) <= h.zeroThreshold) continue; // Counted in the zero bucket.
    while (at < index.length && index[at]! < bucket) at++;
    if (index[at] === bucket) {
      const next = count[at]! + value;
      if (lost !== null) lost.count[at] = compensate(count[at]!, lost.count[at]!, value, next);
      count[at] = next;
    } else {
      index.splice(at, 0, bucket);
      count.splice(at, 0, value);
      if (lost !== null) {
        lost.index.splice(at, 0, bucket);
        lost.count.splice(at, 0, 0);
      }
    }
  }
}

/** Moves counts to the buckets of fewer bounds; what lies above the last goes to +Inf. */
function toBounds(buckets: Buckets, from: readonly number[], to: readonly number[]): Buckets {
  const out: Buckets = { index: [], count: [] };
  for (let i = 0; i < buckets.index.length; i++) {
    const bound = upperBound(buckets.index[i]!, CUSTOM_BUCKETS, from);
    const found = to.findIndex((candidate) => candidate >= bound);
    const index = found < 0 ? to.length : found;
    if (out.index.at(-1) === index) out.count[out.count.length - 1]! += buckets.count[i]!;
    else {
      out.index.push(index);
      out.count.push(buckets.count[i]!);
    }
  }
  return out;
}

/** Hints of the sum: gauge wins, then unknown. True where one says reset and the other not. */
function mergeHints(h: FloatHistogram, other: FloatHistogram): boolean {
  if (other.hint === h.hint || h.hint === HINT_GAUGE) return false;
  if (other.hint === HINT_GAUGE) {
    h.hint = HINT_GAUGE;
    return false;
  }
  const collision = h.hint !== HINT_UNKNOWN && other.hint !== HINT_UNKNOWN;
  h.hint = HINT_UNKNOWN;
  return collision;
}

/** Widens both zero buckets to one threshold that cuts no populated bucket. Changes `h`, returns what `other` would be. */
function reconcileZero(h: FloatHistogram, other: FloatHistogram, lost: FloatHistogram | null): FloatHistogram {
  const source = { ...other };
  while (source.zeroThreshold !== h.zeroThreshold) {
    if (h.zeroThreshold > source.zeroThreshold) {
      const widened = zeroCountFor(other, h.zeroThreshold);
      source.zeroCount = widened.count;
      source.zeroThreshold = widened.threshold;
    }
    if (source.zeroThreshold > h.zeroThreshold) {
      const widened = zeroCountFor(h, source.zeroThreshold);
      if (lost !== null) {
        lost.zeroCount = zeroCountFor(
          { ...lost, positive: maskLike(lost.positive, h.positive), negative: maskLike(lost.negative, h.negative) },
          widened.threshold,
        ).count;
        dropInZero(lost, widened.threshold);
      }
      h.zeroCount = widened.count;
      h.zeroThreshold = widened.threshold;
      dropInZero(h, widened.threshold);
    }
  }
  source.positive = copyBuckets(other.positive);
  source.negative = copyBuckets(other.negative);
  dropInZero(source, source.zeroThreshold);
  return source;
}
function maskLike(lost: Buckets, owner: Buckets): Buckets {
  return { index: owner.index.slice(), count: lost.count.slice() };
}
function dropInZero(h: FloatHistogram, threshold: number): void {
  for (const buckets of [h.positive, h.negative]) {
    let first = 0;
    while (first < buckets.index.length && exponentialBound(buckets.index[first]! - 1, h.schema) < threshold) first++;
    buckets.index.splice(0, first);
    buckets.count.splice(0, first);
  }
}

/** The zero count with a larger threshold, which grows further where it would cut a populated bucket. */
export function zeroCountFor(h: FloatHistogram, wanted: number): { count: number; threshold: number } {
  if (wanted === h.zeroThreshold) return { count: h.zeroCount, threshold: wanted };
  let threshold = wanted;
  for (;;) {
    let count = h.zeroCount;
    let grown = threshold;
    for (const buckets of [h.positive, h.negative]) {
      for (let i = 0; i < buckets.index.length; i++) {
        const upper = exponentialBound(buckets.index[i]!, h.schema);
        if (exponentialBound(buckets.index[i]! - 1, h.schema) >= threshold) break;
        count += buckets.count[i]!;
        if (upper > threshold) {
          if (buckets.count[i] !== 0) grown = Math.max(grown, upper);
          break;
        }
      }
    }
    if (grown === threshold) return { count, threshold };
    threshold = grown;
  }
}

/** Whether a counter started anew between `previous` and `h`: by the hint, else because some count went down. */
export function isReset(h: FloatHistogram, previous: FloatHistogram): boolean {
  if (h.hint === HINT_RESET) return true;
  if (h.hint === HINT_NOT_RESET) return false;
  if (h.count < previous.count) return true;
  if (usesCustomBuckets(h)) {
    if (!usesCustomBuckets(previous)) return true;
    if (sameBounds(h.customValues, previous.customValues)) return anyBucketFell(h.positive, previous.positive);
    const shared = h.customValues.filter((bound) => previous.customValues.includes(bound));
    return anyBucketFell(toBounds(h.positive, h.customValues, shared), toBounds(previous.positive, previous.customValues, shared));
  }
  if (usesCustomBuckets(previous) || h.schema > previous.schema || h.zeroThreshold < previous.zeroThreshold) return true;
  const widened = zeroCountFor(previous, h.zeroThreshold);
  if (widened.threshold !== h.zeroThreshold || h.zeroCount < widened.count) return true;
  const above = (buckets: Buckets, schema: number): Buckets => {
    const reduced = reduceBuckets(buckets, schema, h.schema);
    const first = reduced.index.findIndex((index) => exponentialBound(index, h.schema) > h.zeroThreshold);
    return first < 0 ? { index: [], count: [] } : { index: reduced.index.slice(first), count: reduced.count.slice(first) };
  };
  return (
    anyBucketFell(above(h.positive, h.schema), above(previous.positive, previous.schema)) ||
    anyBucketFell(above(h.negative, h.schema), above(previous.negative, previous.schema))
  );
}

function anyBucketFell(now: Buckets, before: Buckets): boolean {
  let at = 0;
  for (let i = 0; i < before.index.length; i++) {
    while (at < now.index.length && now.index[at]! < before.index[i]!) at++;
    const count = now.index[at] === before.index[i] ? now.count[at]! : 0;
    if (count < before.count[i]!) return true;
  }
  return false;
}
