/** Percentiles of histograms, interpolated within a bucket: linearly in explicit ones, by logarithm in exponential ones. */
import { defineEditor, p } from '#ottl/function.ts';
import { fail } from '#ottl/values.ts';
import { formatFloat } from '#src/data/value_text.ts';
import { exp, exp2, log2 } from './go_math.ts';
import { addMetric, type Buckets, double, jsonDouble, kindOf, type Point, pointLike, pointsOf, readMetric } from './metric_object.ts';

export const extractPercentileMetric = defineEditor({
  name: 'extract_percentile_metric',
  summary: 'Adds a percentile of a histogram or exponential histogram as a gauge of its own; other metrics stay.',
  params: { percentile: p.floatLiteral, suffix: p.optional(p.stringLiteral) },
  contexts: ['metric'],
  examples: [],
  create({ percentile, suffix }) {
    if (!(percentile > 0 && percentile < 100)) fail(`percentile must be greater than 0 and less than 100, got ${percentile.toFixed(6)}`);
    const text = `p${formatFloat(percentile, 2)}`;
    return () => {
      const metric = readMetric();
      const kind = kindOf(metric);
      if (kind !== 'histogram' && kind !== 'exponentialHistogram') return;
      const calculate = kind === 'histogram' ? ofHistogram : ofExponential;
      const dataPoints = pointsOf(metric).flatMap((point) => {
        const value = calculate(point, percentile / 100);
        return value === null ? [] : [pointLike(point, { asDouble: jsonDouble(value) })];
      });
      if (dataPoints.length === 0) return;
      const { name = '', description = '', unit = '' } = metric;
      addMetric({ name: `${name}${suffix || `_${text}`}`, description: description === '' ? text : `${description} (${text})`, unit, gauge: { dataPoints } });
    };
  },
});

function linear(lower: number, upper: number, ratio: number): number {
  if (ratio < 0 || ratio > 1) fail(`linear interpolation: invalid ratio ${ratio.toFixed(6)}, must be between 0 and 1`);
  return lower + ratio * (upper - lower);
}
function logarithmic(lower: number, upper: number, ratio: number): number {
  if (ratio < 0 || ratio > 1) fail(`logarithmic interpolation: invalid ratio ${ratio.toFixed(6)}, must be between 0 and 1`);
  if (lower <= 0 || upper <= 0) fail('logarithmic interpolation: bounds must be positive');
  return exp2(log2(lower) + (log2(upper) - log2(lower)) * ratio);
}
const malformed = (what: string, text: string): never => fail(`calculating ${what} percentile: malformed data: ${text}`);

/** Null: nothing to tell. */
function ofHistogram(point: Point, share: number): number | null {
  const counts = (point.bucketCounts ?? []).map(Number);
  const bounds = (point.explicitBounds ?? []).map(double);
  const count = Number(point.count ?? 0);
  if (count === 0 || counts.length === 0) return null;
  const target = Math.ceil(count * share);
  if (counts.length !== bounds.length + 1) malformed('histogram', `bucketCounts length (${counts.length}) != explicitBounds length (${bounds.length}) + 1`);
  if (counts.length === 1) return point.min === undefined || point.max === undefined ? null : linear(double(point.min), double(point.max), target / counts[0]!);
  let before = 0;
  for (let i = 0; i < counts.length; i++) {
    if (before + counts[i]! < target) {
      before += counts[i]!;
      continue;
    }
    let lower = i === 0 ? 0 : bounds[i - 1]!;
    let upper = bounds[i] ?? 0;
    if (i === 0) {
      if (point.min !== undefined && double(point.min) < upper) lower = double(point.min);
      else if (upper < 0) return upper;
    } else if (i === bounds.length) {
      if (point.max === undefined || double(point.max) <= lower) return lower;
      upper = double(point.max);
    }
    return linear(lower, upper, (target - before) / counts[i]!);
  }
  return malformed('histogram', `cumulative count doesn't reach target count corresponding to percentile. targetCount=${target}, total count=${before}`);
}

function ofExponential(point: Point, share: number): number | null {
  const negative = countsOf(point.negative);
  const positive = countsOf(point.positive);
  const zeros = Number(point.zeroCount ?? 0);
  const count = Number(point.count ?? 0);
  if (count === 0 || (negative.length === 0 && positive.length === 0 && zeros === 0)) return null;
  const target = Math.ceil(count * share);
  const scale = point.scale ?? 0;
  let before = 0;
  for (let i = negative.length - 1; i >= 0; i--) {
    if (before + negative[i]! >= target) {
      const index = (point.negative?.offset ?? 0) + i;
      const lower = bound(index, scale);
      const upper = bound(index + 1, scale);
      if (lower >= upper) malformed('exponential histogram', `the bounds of negative bucket ${index} are not apart at scale ${scale}`);
      return -logarithmic(lower, upper, 1 - (target - before) / negative[i]!);
    }
    before += negative[i]!;
  }
  if (before + zeros >= target) {
    const threshold = double(point.zeroThreshold);
    const lower = negative.length === 0 && positive.length > 0 ? 0 : -threshold;
    const upper = positive.length === 0 && negative.length > 0 ? 0 : threshold;
    return linear(lower, upper, (target - before) / zeros);
  }
  before += zeros;
  for (let i = 0; i < positive.length; i++) {
    if (before + positive[i]! >= target) {
      const index = (point.positive?.offset ?? 0) + i;
      return logarithmic(bound(index, scale), bound(index + 1, scale), (target - before) / positive[i]!);
    }
    before += positive[i]!;
  }
  return malformed(
    'exponential histogram',
    `cumulative count doesn't reach target count corresponding to percentile. targetCount=${target}, total count=${before}`,
  );
}
const countsOf = (buckets: Buckets | undefined): number[] => (buckets?.bucketCounts ?? []).map(Number);
/** The lower bound of a bucket. */
function bound(index: number, scale: number): number {
  return scale <= 0 ? 2 ** (index * 2 ** -scale) : exp(index * Math.LN2 * 2 ** -scale);
}
