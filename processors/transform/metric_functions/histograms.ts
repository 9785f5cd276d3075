/** Explicit buckets: from exponential ones, and fewer of them. */
import { defineEditor, p } from '#ottl/function.ts';
import { fail } from '#ottl/values.ts';
import { dataPoint } from '#src/data/contexts.ts';
import { HISTOGRAM_POINT, HISTOGRAM_POINT_TYPE } from '#src/data/message_types.ts';
import { exp } from './go_math.ts';
import { kindOf, type Point, readMetric, writeMetric } from './metric_object.ts';

type Spread = (count: number, upper: number, lower: number, bounds: readonly number[], into: number[]) => void;

const firstFrom = (bounds: readonly number[], value: number): number => {
  const at = bounds.findIndex((bound) => value <= bound);
  return at < 0 ? bounds.length : at;
};
const add = (into: number[], at: number, count: number): void => {
  const i = Math.min(at, into.length - 1);
  into[i] = into[i]! + count;
};

const SPREADS: Readonly<Record<string, Spread>> = {
  upper: (count, upper, _lower, bounds, into) => add(into, firstFrom(bounds, upper), count),
  midpoint: (count, upper, lower, bounds, into) => {
    const at = firstFrom(bounds, (upper + lower) / 2);
    add(into, at === bounds.length ? at : Math.max(0, at - 1), count);
  },
  uniform: (count, upper, lower, bounds, into) => {
    const start = firstFrom(bounds, lower);
    const end = Math.min(Math.max(start, firstFrom(bounds, upper)), bounds.length - 1);
    if (end <= start) {
      add(into, start, count);
      return;
    }
    const parts = end - start + 1;
    const each = Math.floor(count / parts);
    for (let i = start; i <= end; i++) add(into, i, each + (i - start < count % parts ? 1 : 0));
  },
  random: (count, upper, lower, bounds, into) => {
    const start = firstFrom(bounds, lower);
    const end = Math.min(Math.max(start, firstFrom(bounds, upper)), bounds.length - 1);
    if (end <= start) {
      add(into, start, count);
      return;
    }
    let left = count;
    for (let i = start; i <= end; i++) {
      const from = i === 0 ? lower : bounds[i - 1]!;
      const share = Math.floor(count * ((Math.min(bounds[i]!, upper) - Math.max(from, lower)) / (upper - lower)));
      const taken = Math.min(left, Math.max(0, Math.floor(Math.random() * share)));
      add(into, i, taken);
      left -= taken;
    }
    // What is left goes anywhere between, in one throw for each bucket: a count may be in the billions.
    for (let i = start; i < end && left > 0; i++) {
      const taken = Math.floor(Math.random() * (left + 1));
      add(into, i, taken);
      left -= taken;
    }
    add(into, end, left);
  },
};

function explicitCounts(point: Point, bounds: readonly number[], spread: Spread): number[] {
  const factor = Math.LN2 * 2 ** -(point.scale ?? 0);
  const counts = new Array<number>(bounds.length).fill(0);
  if (bounds[0] === 0) counts[0] = Number(point.zeroCount ?? 0);
  const last = bounds.at(-1)!;
  (point.positive?.bucketCounts ?? []).forEach((text, i) => {
    const index = (point.positive?.offset ?? 0) + i;
    const upper = exp((index + 1) * factor);
    const lower = exp(index * factor);
    const count = Number(text);
    if (lower > last) {
      add(counts, bounds.length - 1, count);
      return;
    }
    const within = bounds.findIndex((bound, b) => b > 0 && lower > bounds[b - 1]! && upper <= bound);
    if (within > 0) add(counts, within - 1, count);
    else spread(count, upper, lower, bounds, counts);
  });
  return counts;
}

export const convertExponentialHistogramToHistogram = defineEditor({
  name: 'convert_exponential_histogram_to_histogram',
  summary: 'Makes a histogram with these bounds of an exponential one; counts of buckets across a bound go by "upper", "midpoint", "uniform" or "random".',
  params: { distributionFn: p.stringLiteral, explicitBounds: p.list(p.floatLiteral) },
  contexts: ['metric'],
  examples: [],
  create({ distributionFn, explicitBounds }) {
    const name = distributionFn === '' ? 'random' : distributionFn;
    if (!Object.hasOwn(SPREADS, name)) fail(`invalid conversion function: ${name}, must be one of [upper, midpoint, random, uniform]`);
    if (explicitBounds.length === 0) fail('explicit bounds cannot be empty: []');
    const spread = SPREADS[name]!;
    return () => {
      const metric = readMetric();
      const data = metric.exponentialHistogram;
      if (kindOf(metric) !== 'exponentialHistogram' || !data) return;
      const dataPoints = (data.dataPoints ?? []).map((point): Point => {
        const { startTimeUnixNano, timeUnixNano, attributes, exemplars } = point;
        const { count = '0', sum = 0, min = 0, max = 0 } = point;
        const bucketCounts = explicitCounts(point, explicitBounds, spread).map(String);
        return JSON.parse(
          JSON.stringify({ startTimeUnixNano, timeUnixNano, count, sum, min, max, exemplars, explicitBounds, bucketCounts, attributes }),
        ) as Point;
      });
      const { name: title = '', description = '', unit = '' } = metric;
      writeMetric({ name: title, description, unit, histogram: { aggregationTemporality: data.aggregationTemporality ?? 0, dataPoints } });
    };
  },
});

/** Bounds nearer than this are the same. */
const EPSILON = 1e-12;

export const mergeHistogramBuckets = defineEditor({
  name: 'merge_histogram_buckets',
  summary:
    'Takes a bound of a histogram away and merges the buckets beside it (method "remove_explicit_bound"), or merges neighbours until there are so many ("limit_buckets").',
  params: { targetValue: p.floatLike, method: p.optional(p.stringLiteral) },
  contexts: ['datapoint'],
  examples: [],
  create({ targetValue, method = 'remove_explicit_bound' }) {
    if (method !== 'remove_explicit_bound' && method !== 'limit_buckets')
      fail(`unsupported method "${method}", expected "remove_explicit_bound" or "limit_buckets"`);
    const limit = method === 'limit_buckets';
    const check = (target: number | null): number => {
      if (target === null) return fail('target_value must not be nil');
      if (limit && !(target >= 1 && Number.isInteger(target))) fail(`target_value must be a positive integer when method is "limit_buckets", got ${target}`);
      return target;
    };
    if (targetValue.literal) check(targetValue.literal.value);
    return (record) => {
      if (dataPoint.type !== HISTOGRAM_POINT_TYPE) return;
      const target = check(targetValue.get(record));
      const bounds = dataPoint.doubles(HISTOGRAM_POINT.explicitBounds);
      const counts = dataPoint.fixed64s(HISTOGRAM_POINT.bucketCounts);
      if (bounds.length + 1 !== counts.length || counts.length === 1) return;
      if (limit) {
        if (counts.length <= target || bounds.some((bound, i) => i > 0 && !(bound > bounds[i - 1]!))) return;
        const step = Math.ceil(counts.length / target);
        const kept = bounds.filter((_bound, i) => i % step === step - 1);
        const sums = Array.from({ length: Math.ceil(counts.length / step) }, (_, i) =>
          counts.slice(i * step, (i + 1) * step).reduce((sum, count) => sum + count, 0n),
        );
        writeBuckets(kept, sums);
        return;
      }
      const at = bounds.findIndex((bound) => Math.abs(bound - target) < EPSILON);
      if (at < 0) return;
      counts[at + 1] = counts[at + 1]! + counts[at]!;
      writeBuckets(bounds.toSpliced(at, 1), counts.toSpliced(at, 1));
    };
  },
});
function writeBuckets(bounds: readonly number[], counts: readonly bigint[]): void {
  const packedBounds = Buffer.alloc(8 * bounds.length);
  bounds.forEach((bound, i) => {
    packedBounds.writeDoubleLE(bound, 8 * i);
  });
  const packedCounts = Buffer.alloc(8 * counts.length);
  counts.forEach((count, i) => {
    packedCounts.writeBigUInt64LE(BigInt.asUintN(64, count), 8 * i);
  });
  dataPoint.setBytes(HISTOGRAM_POINT.explicitBounds, packedBounds);
  dataPoint.setBytes(HISTOGRAM_POINT.bucketCounts, packedCounts);
}
