/**
 * The values of an expression for all steps at once: one row of `steps` values per series in one typed array, and beside it what is
 * there: nothing, a float or a histogram. Rows are addressed as row * steps + step.
 */
import { QueryError } from '#src/promql/errors.ts';
import { type FloatHistogram, sampleSize } from '#src/promql/histogram/float_histogram.ts';
import { compareLabels, dropName, labelsKey } from '#src/promql/labels.ts';
import type { LabelList } from '#src/core/series.ts';

export const ABSENT = 0;
export const FLOAT = 1;
export const HISTOGRAM = 2;

/** Values that are made room for before they are there; more come by doubling, under the limit on samples. */
const MOST_AHEAD = 1 << 20;

/** The steps an expression is evaluated at. */
export interface Timeline {
  readonly startMs: number;
  readonly stepMs: number;
  readonly steps: number;
}

export class Matrix {
  readonly steps: number;
  count = 0;
  labels: LabelList[] = [];
  /** Rows whose name is to be dropped at the end of the query (delayed name removal). */
  nameless: boolean[] = [];
  values: Float64Array;
  present: Uint8Array;
  /** By position, null where no row has a histogram. */
  histograms: (FloatHistogram | null)[] | null = null;

  /** `rows`: how many there will be, as far as known. */
  constructor(steps: number, rows = 8) {
    this.steps = steps;
    const size = Math.min(steps * rows, MOST_AHEAD);
    this.values = new Float64Array(size);
    this.present = new Uint8Array(size);
  }

  /** A new row without values; returns its number. */
  addRow(labels: LabelList, nameless: boolean): number {
    const row = this.count++;
    this.labels.push(labels);
    this.nameless.push(nameless);
    if (this.count * this.steps > this.values.length) this.#grow(this.count);
    return row;
  }

  #grow(rows: number): void {
    const size = Math.max(rows * this.steps, this.values.length * 2);
    const values = new Float64Array(size);
    values.set(this.values);
    const present = new Uint8Array(size);
    present.set(this.present);
    this.values = values;
    this.present = present;
  }

  setHistogram(position: number, h: FloatHistogram): void {
    this.histograms ??= [];
    this.histograms[position] = h;
    this.present[position] = HISTOGRAM;
  }
  setFloat(position: number, value: number): void {
    this.values[position] = value;
    this.present[position] = FLOAT;
  }
  histogramAt(position: number): FloatHistogram {
    return this.histograms![position]!;
  }
  /** Copies one value of another matrix. */
  copyValue(position: number, from: Matrix, at: number): void {
    const kind = from.present[at]!;
    if (kind === HISTOGRAM) this.setHistogram(position, from.histogramAt(at));
    else {
      this.values[position] = from.values[at]!;
      this.present[position] = kind;
    }
  }

  isEmptyRow(row: number): boolean {
    const { present, steps } = this;
    for (let i = row * steps, end = i + steps; i < end; i++) if (present[i] !== ABSENT) return false;
    return true;
  }
  hasHistogram(row: number): boolean {
    return this.present.subarray(row * this.steps, (row + 1) * this.steps).includes(HISTOGRAM);
  }
  /** How many samples a row holds, a histogram counting by its size. */
  rowSize(row: number): number {
    const { present, steps } = this;
    let size = 0;
    for (let i = row * steps, end = i + steps; i < end; i++) {
      if (present[i] === FLOAT) size++;
      else if (present[i] === HISTOGRAM) size += sampleSize(this.histograms![i]!);
    }
    return size;
  }

  /** Takes back the row that was added last. */
  dropLastRow(): void {
    this.count--;
    this.labels.pop();
    this.nameless.pop();
    this.present.fill(ABSENT, this.count * this.steps, (this.count + 1) * this.steps);
  }

  /** A matrix of these rows in this order. */
  select(rows: readonly number[]): Matrix {
    const out = new Matrix(this.steps, rows.length);
    for (const row of rows) {
      const to = out.addRow(this.labels[row]!, this.nameless[row]!) * this.steps;
      const from = row * this.steps;
      out.values.set(this.values.subarray(from, from + this.steps), to);
      out.present.set(this.present.subarray(from, from + this.steps), to);
      if (this.histograms !== null) {
        for (let s = 0; s < this.steps; s++) if (out.present[to + s] === HISTOGRAM) out.setHistogram(to + s, this.histograms[from + s]!);
      }
    }
    return out;
  }

  withoutEmptyRows(): Matrix {
    const rows: number[] = [];
    for (let row = 0; row < this.count; row++) if (!this.isEmptyRow(row)) rows.push(row);
    return rows.length === this.count ? this : this.select(rows);
  }

  sorted(): Matrix {
    let isSorted = true;
    for (let row = 1; row < this.count && isSorted; row++) isSorted = compareLabels(this.labels[row - 1]!, this.labels[row]!) <= 0;
    if (isSorted) return this;
    const rows = Array.from({ length: this.count }, (_, row) => row);
    return this.select(rows.sort((a, b) => compareLabels(this.labels[a]!, this.labels[b]!)));
  }

  /** What the samples of a row count for in the statistics; `floats`: what it is if all are floats. */
  weight(row: number, floats: number): number {
    if (this.histograms === null) return floats;
    let weight = 0;
    for (let at = row * this.steps, end = at + this.steps; at < end; at++)
      weight += this.present[at] === HISTOGRAM ? sampleSize(this.histogramAt(at)) : this.present[at]!;
    return weight;
  }

  /** How many samples it holds. */
  size(): number {
    let size = 0;
    for (let row = 0; row < this.count; row++) size += this.rowSize(row);
    return size;
  }
}

export function sameLabelsError(): QueryError {
  return new QueryError('vector cannot contain metrics with the same labelset');
}

export function refuseSameLabels(matrix: Matrix): void {
  if (!areDistinct(matrix.labels)) throw sameLabelsError();
}

/**
 * Whether no two label sets are the same: they are split by one label after the other, from the last on, until each stands alone, which is
 * mostly after one or two. A key of the whole set for each costs five times as much.
 */
export function areDistinct(sets: readonly LabelList[]): boolean {
  const count = sets.length;
  if (count < 2) return true;
  let longest = 0;
  for (const labels of sets) if (labels.length > longest) longest = labels.length;
  const groups = new Int32Array(count); // All in group 0.
  for (let at = longest - 1; at >= 0; at--) {
    const texts = new Map<string, number>();
    const split = new Map<number, number>();
    for (let row = 0; row < count; row++) {
      const labels = sets[row]!;
      const text = at < labels.length ? labels[at]! : '';
      let id = texts.get(text);
      if (id === undefined) texts.set(text, (id = texts.size));
      const key = groups[row]! * count + id;
      let group = split.get(key);
      if (group === undefined) split.set(key, (group = split.size));
      groups[row] = group;
    }
    if (split.size === count) return true;
  }
  return false;
}

/** Rows with the same labels become one, if never two of them have a value at the same step. */
export function mergeSameLabels(matrix: Matrix): Matrix {
  if (areDistinct(matrix.labels)) return matrix;
  const rowOf = new Map<string, number>();
  const target = matrix.labels.map((labels, row) => {
    const key = labelsKey(labels);
    const known = rowOf.get(key);
    if (known === undefined) rowOf.set(key, row);
    return known ?? row;
  });
  const { steps } = matrix;
  const kept: number[] = [];
  target.forEach((to, row) => {
    if (to === row) {
      kept.push(row);
      return;
    }
    for (let s = 0; s < steps; s++) {
      if (matrix.present[row * steps + s] === ABSENT) continue;
      if (matrix.present[to * steps + s] !== ABSENT) throw sameLabelsError();
      matrix.copyValue(to * steps + s, matrix, row * steps + s);
    }
  });
  return matrix.select(kept);
}

/** Drops the names that were to be dropped in the end. */
export function dropDelayedNames(matrix: Matrix): Matrix {
  for (let row = 0; row < matrix.count; row++) if (matrix.nameless[row]) matrix.labels[row] = dropName(matrix.labels[row]!);
  return mergeSameLabels(matrix);
}
