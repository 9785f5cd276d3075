/**
 * The functions of a range of floats: each gets values[from, to) with their times and returns a number. None makes an object. How many
 * samples a function needs at least is in the table; ranges with fewer have no result.
 */
import { QueryError } from '#src/promql/errors.ts';
import { plainFloat } from '#src/core/go_float.ts';
import { quantileOf } from '#src/promql/histogram/quantile.ts';
import { compensate, mean } from '#src/promql/sum.ts';

/** `timeMs` is the step's; `a` and `b` are the scalar arguments. */
export type FloatRange = (times: Float64Array, values: Float64Array, from: number, to: number, timeMs: number, a: number, b: number) => number;

function sum(_times: Float64Array, values: Float64Array, from: number, to: number): number {
  let total = 0;
  let lost = 0;
  for (let i = from; i < to; i++) {
    const value = values[i]!;
    const next = total + value;
    lost = compensate(total, lost, value, next);
    total = next;
  }
  return Number.isFinite(total) || Number.isNaN(total) ? total + lost : total;
}

function extreme(values: Float64Array, from: number, to: number, sign: 1 | -1): number {
  let best = values[from]!;
  for (let i = from + 1; i < to; i++) {
    const value = values[i]!;
    if (value * sign > best * sign || Number.isNaN(best)) best = value;
  }
  return best;
}

function timeOfExtreme(times: Float64Array, values: Float64Array, from: number, to: number, sign: 1 | -1): number {
  let best = values[from]!;
  let time = times[from]!;
  for (let i = from; i < to; i++) {
    const value = values[i]!;
    if (value * sign < best * sign || (Number.isNaN(value) && !Number.isNaN(best))) continue;
    best = value;
    time = times[i]!;
  }
  return time / 1000;
}

function variance(values: Float64Array, from: number, to: number): number {
  let average = 0;
  let averageLost = 0;
  let squares = 0;
  let squaresLost = 0;
  for (let i = from; i < to; i++) {
    const value = values[i]!;
    const delta = value - (average + averageLost);
    const step = delta / (i - from + 1);
    const nextAverage = average + step;
    averageLost = compensate(average, averageLost, step, nextAverage);
    average = nextAverage;
    const square = delta * (value - (average + averageLost));
    const nextSquares = squares + square;
    squaresLost = compensate(squares, squaresLost, square, nextSquares);
    squares = nextSquares;
  }
  return (squares + squaresLost) / (to - from);
}

function medianDeviation(values: Float64Array, from: number, to: number): number {
  const copy = values.slice(from, to);
  for (let i = 0; i < copy.length; i++) if (Number.isNaN(copy[i]!)) return Number.NaN;
  const median = quantileOf(0.5, copy);
  for (let i = 0; i < copy.length; i++) copy[i] = Math.abs(copy[i]! - median);
  return quantileOf(0.5, copy);
}

function changes(values: Float64Array, from: number, to: number): number {
  let count = 0;
  for (let i = from + 1; i < to; i++) {
    const now = values[i]!;
    const before = values[i - 1]!;
    if (now !== before && !(Number.isNaN(now) && Number.isNaN(before))) count++;
  }
  return count;
}

function resets(values: Float64Array, from: number, to: number): number {
  let count = 0;
  for (let i = from + 1; i < to; i++) if (values[i]! < values[i - 1]!) count++;
  return count;
}

let intercept = 0; // The second result of regression(), so that it need not make an object.
/** The slope per second of the least squares line; its value at `originMs` is left in `intercept`. */
function regression(times: Float64Array, values: Float64Array, from: number, to: number, originMs: number): number {
  let sumX = 0;
  let lostX = 0;
  let sumY = 0;
  let lostY = 0;
  let sumXY = 0;
  let lostXY = 0;
  let sumXX = 0;
  let lostXX = 0;
  let constant = true;
  const first = values[from]!;
  for (let i = from; i < to; i++) {
    const y = values[i]!;
    if (i > from && y !== first) constant = false;
    const x = (times[i]! - originMs) / 1000;
    let next = sumX + x;
    lostX = compensate(sumX, lostX, x, next);
    sumX = next;
    next = sumY + y;
    lostY = compensate(sumY, lostY, y, next);
    sumY = next;
    next = sumXY + x * y;
    lostXY = compensate(sumXY, lostXY, x * y, next);
    sumXY = next;
    next = sumXX + x * x;
    lostXX = compensate(sumXX, lostXX, x * x, next);
    sumXX = next;
  }
  if (constant) {
    const infinite = Math.abs(first) === Number.POSITIVE_INFINITY;
    intercept = infinite ? Number.NaN : first;
    return infinite ? Number.NaN : 0;
  }
  sumX += lostX;
  sumY += lostY;
  sumXY += lostXY;
  sumXX += lostXX;
  const n = to - from;
  const slope = (sumXY - (sumX * sumY) / n) / (sumXX - (sumX * sumX) / n);
  intercept = sumY / n - (slope * sumX) / n;
  return slope;
}

/** Throws where double_exponential_smoothing() cannot take its factors. */
export function checkSmoothing(factor: number, trendFactor: number): void {
  if (factor <= 0 || factor >= 1) throw new QueryError(`invalid smoothing factor. Expected: 0 < sf < 1, got: ${fixed(factor)}`);
  if (trendFactor <= 0 || trendFactor >= 1) throw new QueryError(`invalid trend factor. Expected: 0 < tf < 1, got: ${fixed(trendFactor)}`);
}
const fixed = (value: number): string => (Number.isFinite(value) ? value.toFixed(6) : plainFloat(value));

function smooth(values: Float64Array, from: number, to: number, factor: number, trendFactor: number): number {
  let before = 0;
  let level = values[from]!;
  let trend = values[from + 1]! - values[from]!;
  for (let i = from + 1; i < to; i++) {
    if (i > from + 1) trend = trendFactor * (level - before) + (1 - trendFactor) * trend;
    const next = factor * values[i]! + (1 - factor) * (level + trend);
    before = level;
    level = next;
  }
  return level;
}

export const FLOAT_RANGES: ReadonlyMap<string, { readonly least: number; readonly apply: FloatRange }> = new Map(
  Object.entries({
    sum_over_time: { least: 1, apply: sum },
    avg_over_time: { least: 1, apply: (_t, v, from, to) => mean(v, from, to) },
    min_over_time: { least: 1, apply: (_t, v, from, to) => extreme(v, from, to, -1) },
    max_over_time: { least: 1, apply: (_t, v, from, to) => extreme(v, from, to, 1) },
    count_over_time: { least: 1, apply: (_t, _v, from, to) => to - from },
    present_over_time: { least: 1, apply: () => 1 },
    absent_over_time: { least: 1, apply: () => 1 },
    last_over_time: { least: 1, apply: (_t, v, _from, to) => v[to - 1]! },
    first_over_time: { least: 1, apply: (_t, v, from) => v[from]! },
    ts_of_first_over_time: { least: 1, apply: (t, _v, from) => t[from]! / 1000 },
    ts_of_last_over_time: { least: 1, apply: (t, _v, _from, to) => t[to - 1]! / 1000 },
    ts_of_max_over_time: { least: 1, apply: (t, v, from, to) => timeOfExtreme(t, v, from, to, 1) },
    ts_of_min_over_time: { least: 1, apply: (t, v, from, to) => timeOfExtreme(t, v, from, to, -1) },
    stddev_over_time: { least: 1, apply: (_t, v, from, to) => Math.sqrt(variance(v, from, to)) },
    stdvar_over_time: { least: 1, apply: (_t, v, from, to) => variance(v, from, to) },
    mad_over_time: { least: 1, apply: (_t, v, from, to) => medianDeviation(v, from, to) },
    quantile_over_time: { least: 1, apply: (_t, v, from, to, _time, q) => quantileOf(q, v.slice(from, to)) },
    changes: { least: 1, apply: (_t, v, from, to) => changes(v, from, to) },
    resets: { least: 1, apply: (_t, v, from, to) => resets(v, from, to) },
    deriv: { least: 2, apply: (t, v, from, to) => regression(t, v, from, to, t[from]!) },
    predict_linear: {
      least: 2,
      apply: (t, v, from, to, time, seconds) => {
        const slope = regression(t, v, from, to, time);
        return slope * seconds + intercept;
      },
    },
    double_exponential_smoothing: { least: 2, apply: (_t, v, from, to, _time, factor, trend) => smooth(v, from, to, factor, trend) },
    idelta: { least: 2, apply: (_t, v, _from, to) => v[to - 1]! - v[to - 2]! },
    irate: {
      least: 2,
      apply: (t, v, _from, to) => (v[to - 1]! < v[to - 2]! ? v[to - 1]! : v[to - 1]! - v[to - 2]!) / ((t[to - 1]! - t[to - 2]!) / 1000),
    },
  } satisfies Record<string, { least: number; apply: FloatRange }>),
);
