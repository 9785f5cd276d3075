/** Aggregations: series to groups once, then column by column; each row of the input is added to its group's row for all steps. */
import { QueryError } from '#src/promql/errors.ts';
import { formatFloat, quote } from '#src/promql/format/float.ts';
import { formatHistogram } from '#src/promql/histogram/buckets.ts';
import { compact, copyHistogram } from '#src/promql/histogram/float_histogram.ts';
import { quantileOf } from '#src/promql/histogram/quantile.ts';
import { getLabel, isValidLabelName, keepLabels, METRIC_NAME, NO_LABELS, withLabel } from '#src/promql/labels.ts';
import { compensate } from '#src/promql/sum.ts';
import type { Aggregate } from '#src/promql/syntax/ast.ts';
import type { LabelList } from '#src/core/series.ts';
import type { Evaluate, EvaluationContext } from './context.ts';
import { ABSENT, FLOAT, HISTOGRAM, Matrix, type Timeline } from './matrix.ts';
import { HistogramSum } from './range_mixed.ts';
import { selectPerGroup } from './topk.ts';

export interface Groups {
  /** Of each input row. */
  readonly of: Int32Array;
  readonly labels: LabelList[];
}

export async function aggregate(context: EvaluationContext, evaluate: Evaluate, expr: Aggregate, timeline: Timeline): Promise<Matrix> {
  const { op } = expr;
  let param: Float64Array | null = null;
  let valueLabel = '';
  if (expr.param !== null) {
    const value = await evaluate(expr.param, timeline);
    if (value.kind === 'scalar') param = value.values;
    if (value.kind === 'string') valueLabel = value.value;
  }
  if (op === 'count_values' && !isValidLabelName(valueLabel)) throw new QueryError(`invalid label name ${quote(valueLabel)}`);
  const value = await evaluate(expr.expr, timeline);
  if (value.kind !== 'matrix') throw new QueryError('aggregation of something that is not a vector');
  const input = value.matrix;
  const size = input.size();
  if (context.isDue()) await context.breathe();
  const out = await run(context, expr, input, param, valueLabel, timeline);
  context.charge(out.size() - size);
  return out;
}

async function run(
  context: EvaluationContext,
  expr: Aggregate,
  input: Matrix,
  param: Float64Array | null,
  valueLabel: string,
  timeline: Timeline,
): Promise<Matrix> {
  const { op } = expr;
  if (op === 'count_values') return countValues(expr, input, valueLabel);
  const groups = groupRows(input, expr);
  if (op === 'topk' || op === 'bottomk' || op === 'limitk' || op === 'limit_ratio') return selectPerGroup(context, expr, input, groups, param!);
  const out = new Matrix(timeline.steps, groups.labels.length);
  for (const labels of groups.labels) out.addRow(labels, false);
  for (let row = 0; row < input.count; row++) if (input.nameless[row]) out.nameless[groups.of[row]!] = true;
  if (op === 'quantile') quantiles(context, expr, input, groups, param!, out);
  else if (input.histograms !== null) await withHistograms(context, expr, input, groups, out);
  else await floats(context, expr, input, groups, out);
  return out.withoutEmptyRows();
}

export function groupRows(input: Matrix, expr: Aggregate): Groups {
  const of = new Int32Array(input.count);
  const labels: LabelList[] = [];
  const known = new Map<string, number>();
  const grouping = [...expr.grouping].sort();
  const single = !expr.without && grouping.length === 1 ? grouping[0]! : null;
  const dropped = new Set([...grouping, METRIC_NAME]);
  for (let row = 0; row < input.count; row++) {
    const own = input.labels[row]!;
    let key = '';
    let left: LabelList | null = null;
    if (single !== null) key = getLabel(own, single);
    else if (expr.without) {
      left = keepLabels(own, (name) => !dropped.has(name));
      key = left.join('\uffff');
    } else for (const name of grouping) key += `${getLabel(own, name)}\uffff`;
    let group = known.get(key);
    if (group === undefined) {
      group = labels.length;
      known.set(key, group);
      labels.push(expr.without ? left! : grouping.length === 0 ? NO_LABELS : keepLabels(own, (name) => grouping.includes(name)));
    }
    of[row] = group;
  }
  return { of, labels };
}

type Accumulate = (input: Matrix, row: number, out: Matrix, group: number, side: Float64Array, counts: Float64Array, sign: number) => void;

/** Of an input without histograms. */
async function floats(context: EvaluationContext, expr: Aggregate, input: Matrix, groups: Groups, out: Matrix): Promise<void> {
  const size = groups.labels.length * out.steps;
  const side = new Float64Array(size); // Compensation, or the running mean of a variance.
  const counts = new Float64Array(size);
  const means = expr.op === 'avg' ? new Means(size) : null;
  const accumulate = ACCUMULATE[expr.op];
  const sign = expr.op === 'min' ? -1 : 1;
  for (let row = 0; row < input.count; row++) {
    if ((row & 63) === 0 && context.isDue()) await context.breathe();
    if (means !== null) means.add(input, row, out, groups.of[row]!);
    else accumulate?.(input, row, out, groups.of[row]!, side, counts, sign);
  }
  means?.finish(out);
  for (let i = 0; i < size; i++) {
    if (out.present[i] === ABSENT) continue;
    if (expr.op === 'sum') out.values[i]! += side[i]!;
    else if (expr.op === 'count') out.values[i] = counts[i]!;
    else if (expr.op === 'group') out.values[i] = 1;
    else if (expr.op === 'stdvar') out.values[i]! /= counts[i]!;
    else if (expr.op === 'stddev') out.values[i] = Math.sqrt(out.values[i]! / counts[i]!);
  }
}

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
  readonly #counts: Float64Array;
  readonly #sums: Float64Array;
  readonly #lost: Float64Array;
  readonly #running: Uint8Array;

  constructor(size: number) {
    this.#counts = new Float64Array(size);
    this.#sums = new Float64Array(size);
    this.#lost = new Float64Array(size);
    this.#running = new Uint8Array(size);
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

/** The input rows of each group. */
export function rowsOf(groups: Groups): number[][] {
  const rows: number[][] = groups.labels.map(() => []);
  for (let row = 0; row < groups.of.length; row++) rows[groups.of[row]!]!.push(row);
  return rows;
}

/** Group by group and step by step: histograms are added to histograms, or counted, or left out with a note. */
async function withHistograms(context: EvaluationContext, expr: Aggregate, input: Matrix, groups: Groups, out: Matrix): Promise<void> {
  const { op } = expr;
  const { notes } = context;
  const { steps } = input;
  const plain = new Matrix(steps, input.count); // The floats alone.
  for (let row = 0; row < input.count; row++) plain.addRow(input.labels[row]!, false);
  const counts = op === 'count' || op === 'group';
  for (let i = 0, end = input.count * steps; i < end; i++) {
    if (input.present[i] === FLOAT || (counts && input.present[i] === HISTOGRAM)) plain.setFloat(i, input.values[i]!);
  }
  const adds = op === 'sum' || op === 'avg';
  if (!adds && !counts && input.present.subarray(0, input.count * steps).includes(HISTOGRAM)) notes.ignoredInAggregation(op, expr.expr);
  await floats(context, expr, plain, groups, out);
  if (adds) addHistograms(context, expr, input, groups, out);
}

function addHistograms(context: EvaluationContext, expr: Aggregate, input: Matrix, groups: Groups, out: Matrix): void {
  const { notes } = context;
  const { steps } = input;
  rowsOf(groups).forEach((rows, group) => {
    for (let s = 0; s < steps; s++) {
      let total: HistogramSum | null = null;
      let mixes = true;
      for (const row of rows) {
        if (input.present[row * steps + s] !== HISTOGRAM) continue;
        const h = input.histogramAt(row * steps + s);
        if (total === null) total = new HistogramSum(copyHistogram(h), expr.op === 'avg');
        else if (mixes && !total.add(h)) {
          mixes = false;
          notes.mixedSchemas(getLabel(input.labels[row]!, METRIC_NAME), expr.expr);
        }
      }
      if (total === null) continue;
      const to = group * steps + s;
      if (total.sawReset && total.sawNoReset) notes.hintCollision('aggregation', expr.expr);
      if (total.reconciled) notes.reconciledBounds('aggregation', expr.expr);
      if (out.present[to] === FLOAT) {
        notes.warn('encountered a mix of histograms and floats for aggregation', expr.expr);
        out.present[to] = ABSENT;
      } else if (mixes) out.setHistogram(to, compact(total.result()));
    }
  });
}

function quantiles(context: EvaluationContext, expr: Aggregate, input: Matrix, groups: Groups, param: Float64Array, out: Matrix): void {
  const { notes } = context;
  const { steps } = input;
  for (const q of param) if (!(q >= 0 && q <= 1)) notes.invalidQuantile(q, expr.param!);
  const column = new Float64Array(input.count);
  rowsOf(groups).forEach((rows, group) => {
    for (let s = 0; s < steps; s++) {
      let count = 0;
      for (const row of rows) {
        const kind = input.present[row * steps + s];
        if (kind === FLOAT) column[count++] = input.values[row * steps + s]!;
        else if (kind === HISTOGRAM) notes.ignoredInAggregation('quantile', expr.expr);
      }
      if (count > 0) out.setFloat(group * steps + s, quantileOf(param[s]!, column.subarray(0, count)));
    }
  });
}

/** A series for each value in each group, the value as a label. */
function countValues(expr: Aggregate, input: Matrix, valueLabel: string): Matrix {
  const { steps } = input;
  const out = new Matrix(steps);
  const rowOf = new Map<string, number>();
  const grouping = new Set(expr.without ? [...expr.grouping, METRIC_NAME] : [...expr.grouping, valueLabel]);
  const keep = (name: string): boolean => grouping.has(name) !== expr.without;
  for (let row = 0; row < input.count; row++) {
    const own = input.labels[row]!;
    for (let s = 0; s < steps; s++) {
      const at = row * steps + s;
      if (input.present[at] === ABSENT) continue;
      const value = input.present[at] === FLOAT ? formatFloat(input.values[at]!) : formatHistogram(input.histogramAt(at));
      const labels = keepLabels(withLabel(own, valueLabel, value), keep);
      const key = labels.join('\uffff');
      let target = rowOf.get(key);
      if (target === undefined) {
        target = out.addRow(labels, false);
        rowOf.set(key, target);
      }
      const to = target * steps + s;
      out.setFloat(to, (out.present[to] === FLOAT ? out.values[to]! : 0) + 1);
    }
  }
  return out;
}
