/**
 * Sums that lose little: Neumaier's form of Kahan's algorithm, in the order and with the special cases of upstream, so that results agree
 * to the last digit. The compensation is kept beside the sum: the caller adds the two at the end.
 */

/** The new compensation of adding `value` to `sum`, of which `next` is the rounded result. */
export function compensate(sum: number, compensation: number, value: number, next: number): number {
  if (next === Number.POSITIVE_INFINITY || next === Number.NEGATIVE_INFINITY) return 0;
  return Math.abs(sum) >= Math.abs(value) ? compensation + (sum - next + value) : compensation + (value - next + sum);
}

/** The mean of values[from, to): the sum divided, or, where that overflows, a running mean. */
export function mean(values: Float64Array, from: number, to: number): number {
  let sum = values[from]!;
  let compensation = 0;
  for (let i = from + 1; i < to; i++) {
    const value = values[i]!;
    const next = sum + value;
    if (!Number.isFinite(next) && !Number.isNaN(next)) return runningMean(values, from, to, i, sum, compensation);
    compensation = compensate(sum, compensation, value, next);
    sum = next;
  }
  const count = to - from;
  return sum / count + compensation / count;
}

function runningMean(values: Float64Array, from: number, to: number, at: number, sum: number, compensation: number): number {
  const before = at - from;
  let average = sum / before;
  let lost = compensation / before;
  for (let i = at; i < to; i++) {
    const count = i - from + 1;
    const keep = (count - 1) / count;
    const value = values[i]! / count;
    const old = keep * average;
    const next = old + value;
    lost = compensate(old, keep * lost, value, next);
    average = next;
  }
  return average + lost;
}
