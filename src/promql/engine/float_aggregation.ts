/**
 * Sums, means, extremes, counts and variances of floats, by group and step: input rows are added to the rows of their groups one by one, so that
 * they need not all be there at once.
 */
import { compensate } from '#src/promql/sum.ts';
import type { Aggregate } from '#src/promql/syntax/ast.ts';
import type { LabelList } from '#src/core/series.ts';
import { ABSENT, FLOAT, Matrix } from './matrix.ts';

export class FloatAggregation {
  /** A row for each group. Its values are right after finish(). */
  readonly out: Matrix;
  readonly #op: Aggregate['op'];
  readonly #accumulate: Accumulate | undefined;
  readonly #means: Means | null;
  readonly #sign: number;
  #side: Float64Array = new Float64Array(0); // Compensation, or the running mean of a variance.
  #counts: Float64Array = new Float64Array(0);

  constructor(op: Aggregate['op'], steps: number) {
    this.out = new Matrix(steps);
    this.#op = op;
    this.#accumulate = ACCUMULATE[op];
    this.#means = op === 'avg' ? new Means() : null;
    this.#sign = op === 'min' ? -1 : 1;
  }

  addGroup(labels: LabelList): void {
    this.out.addRow(labels, false);
    const size = this.out.values.length;
    if (size === this.#side.length) return;
    this.#side = grown(this.#side, size);
    this.#counts = grown(this.#counts, size);
    this.#means?.grow(size);
  }

  add(input: Matrix, row: number, group: number): void {
    if (input.nameless[row]) this.out.nameless[group] = true;
    if (this.#means !== null) this.#means.add(input, row, this.out, group);
    else this.#accumulate?.(input, row, this.out, group, this.#side, this.#counts, this.#sign);
  }

  finish(): void {
    const { values, present, count, steps } = this.out;
    this.#means?.finish(this.out);
    for (let i = 0, end = count * steps; i < end; i++) {
      if (present[i] === ABSENT) continue;
      if (this.#op === 'sum') values[i]! += this.#side[i]!;
      else if (this.#op === 'count') values[i] = this.#counts[i]!;
      else if (this.#op === 'group') values[i] = 1;
      else if (this.#op === 'stdvar') values[i]! /= this.#counts[i]!;
      else if (this.#op === 'stddev') values[i] = Math.sqrt(values[i]! / this.#counts[i]!);
    }
  }
}

function grown(values: Float64Array, size: number): Float64Array<ArrayBuffer> {
  const out = new Float64Array(size);
  out.set(values);
  return out;
}

type Accumulate = (input: Matrix, row: number, out: Matrix, group: number, side: Float64Array, counts: Float64Array, sign: number) => void;

function addSum(input: Matrix, row: number, out: Matrix, group: number, lost: Float64Array): void {
  const { values, present, steps } = input;
  const { values: sums, present: seen } = out;
  for (let s = 0, from = row * steps, to = group * steps; s < steps; s++, from++, to++) {
    if (present[from] === ABSENT) continue;
    const value = values[from]!;
    if (seen[to] === ABSENT) {
      seen[to] = FLOAT;
      sums[to] = value;
      continue;
    }
    const sum = sums[to]!;
    const next = sum + value;
    lost[to] = compensate(sum, lost[to]!, value, next);
    sums[to] = next;
  }
}
function addExtreme(input: Matrix, row: number, out: Matrix, group: number, _side: Float64Array, _counts: Float64Array, sign: number): void {
  const { values, present, steps } = input;
  const { values: best, present: seen } = out;
  for (let s = 0, from = row * steps, to = group * steps; s < steps; s++, from++, to++) {
    if (present[from] === ABSENT) continue;
    const value = values[from]!;
    if (seen[to] === ABSENT || value * sign > best[to]! * sign || Number.isNaN(best[to]!)) {
      seen[to] = FLOAT;
      best[to] = value;
    }
  }
}
function addCount(input: Matrix, row: number, out: Matrix, group: number, _side: Float64Array, counts: Float64Array): void {
  const { present, steps } = input;
  for (let s = 0, from = row * steps, to = group * steps; s < steps; s++, from++, to++) {
    if (present[from] === ABSENT) continue;
    out.present[to] = FLOAT;
    counts[to]!++;
  }
}
function addVariance(input: Matrix, row: number, out: Matrix, group: number, means: Float64Array, counts: Float64Array): void {
  const { values, present, steps } = input;
  const { values: squares, present: seen } = out;
  for (let s = 0, from = row * steps, to = group * steps; s < steps; s++, from++, to++) {
    if (present[from] === ABSENT) continue;
    const value = values[from]!;
    if (seen[to] === ABSENT) {
      seen[to] = FLOAT;
      counts[to] = 1;
      means[to] = value;
      squares[to] = Number.isFinite(value) ? 0 : Number.NaN;
      continue;
    }
    const count = ++counts[to]!;
    const delta = value - means[to]!;
    means[to]! += delta / count;
    squares[to]! += delta * (value - means[to]!);
  }
}

const ACCUMULATE: Readonly<Record<string, Accumulate>> = {
  sum: addSum,
  min: addExtreme,
  max: addExtreme,
  count: addCount,
  group: addCount,
  stddev: addVariance,
  stdvar: addVariance,
};

/** The mean by sum and count, and by a running mean where the sum would overflow. */
class Means {
  #counts = new Float64Array(0);
  #sums = new Float64Array(0);
  #lost = new Float64Array(0);
  #running = new Uint8Array(0);

  grow(size: number): void {
    this.#counts = grown(this.#counts, size);
    this.#sums = grown(this.#sums, size);
    this.#lost = grown(this.#lost, size);
    const running = new Uint8Array(size);
    running.set(this.#running);
    this.#running = running;
  }
  add(input: Matrix, row: number, out: Matrix, group: number): void {
    const { values, present, steps } = input;
    for (let s = 0, from = row * steps, to = group * steps; s < steps; s++, from++, to++) {
      if (present[from] === FLOAT) {
        out.present[to] = FLOAT;
        this.addOne(to, values[from]!);
      }
    }
  }
  addOne(at: number, value: number): void {
    const count = ++this.#counts[at]!;
    const sum = this.#sums[at]!;
    if (count === 1) {
      this.#sums[at] = value;
      return;
    }
    if (this.#running[at] === 0) {
      const next = sum + value;
      if (Number.isFinite(next) || Number.isNaN(next)) {
        this.#lost[at] = compensate(sum, this.#lost[at]!, value, next);
        this.#sums[at] = next;
        return;
      }
      this.#running[at] = 1;
      this.#sums[at]! /= count - 1;
      this.#lost[at]! /= count - 1;
    }
    const keep = (count - 1) / count;
    const old = keep * this.#sums[at]!;
    const next = old + value / count;
    this.#lost[at] = compensate(old, keep * this.#lost[at]!, value / count, next);
    this.#sums[at] = next;
  }
  meanAt(at: number): number {
    if (this.#running[at] === 1) return this.#sums[at]! + this.#lost[at]!;
    return this.#sums[at]! / this.#counts[at]! + this.#lost[at]! / this.#counts[at]!;
  }
  finish(out: Matrix): void {
    for (let i = 0; i < this.#counts.length; i++) if (this.#counts[i] !== 0) out.values[i] = this.meanAt(i);
  }
}
