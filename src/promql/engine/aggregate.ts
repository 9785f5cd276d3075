/** Aggregations: series to groups once, then column by column; each row of the input is added to its group's row for all steps. */
import { plainFloat } from '#src/core/go_float.ts';
import type { Annotations } from '#src/promql/annotations.ts';
import { QueryError } from '#src/promql/errors.ts';
import { quoteGo } from '#src/core/go_quote.ts';
import { formatHistogram } from '#src/promql/histogram/buckets.ts';
import { compact, copyHistogram } from '#src/promql/histogram/float_histogram.ts';
import { quantileOf } from '#src/promql/histogram/quantile.ts';
import { dropName, getLabel, isValidLabelName, keepLabels, labelsKey, METRIC_NAME, NO_LABELS, withLabel } from '#src/promql/labels.ts';
import { type Aggregate, type Expr, unwrapParens } from '#src/promql/syntax/ast.ts';
import type { LabelList } from '#src/core/series.ts';
import type { Evaluate, EvaluationContext } from './context.ts';
import { FloatAggregation } from './float_aggregation.ts';
import { isInvariant } from './invariant.ts';
import { ABSENT, FLOAT, HISTOGRAM, Matrix, type Timeline } from './matrix.ts';
import { callRange, isRangeCall } from './range.ts';
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
  if (op === 'count_values' && !isValidLabelName(valueLabel)) throw new QueryError(`invalid label name ${quoteGo(valueLabel)}`);
  const inner = unwrapParens(expr.expr);
  if (STREAMING.has(op) && isRangeCall(inner) && !(timeline.steps > 1 && isInvariant(inner))) {
    const stream = new Stream(context, expr, timeline);
    await callRange(context, evaluate, inner, timeline, stream.add);
    return stream.finish();
  }
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
  if (STREAMING.has(op)) {
    const stream = new Stream(context, expr, timeline);
    for (let row = 0; row < input.count; row++) {
      if ((row & 63) === 0 && context.isDue()) await context.breathe();
      stream.add(input, row);
    }
    return stream.finish();
  }
  const groups = groupRows(input, expr);
  if (op !== 'quantile') return selectPerGroup(context, expr, input, groups, param!);
  const out = new Matrix(timeline.steps, groups.labels.length);
  for (const labels of groups.labels) out.addRow(labels, false);
  for (let row = 0; row < input.count; row++) if (input.nameless[row]) out.nameless[groups.of[row]!] = true;
  quantiles(context, expr, input, groups, param!, out);
  return out.withoutEmptyRows();
}

/** Numbers groups as rows come. */
class Grouper {
  readonly labels: LabelList[] = [];
  readonly #known = new Map<string, number>();
  readonly #without: boolean;
  readonly #grouping: readonly string[];
  readonly #dropped: ReadonlySet<string>;
  /** Names, and what goes with them, decide on the group or are in its labels. */
  readonly #seesName: boolean;

  constructor(expr: Aggregate) {
    this.#without = expr.without;
    this.#grouping = [...expr.grouping].sort();
    this.#dropped = new Set([...expr.grouping, METRIC_NAME]);
    this.#seesName = expr.without || expr.grouping.some((name) => name.startsWith('__'));
  }
  // Apart from groupOf(), where a closure would cost an object for each row.
  #left(own: LabelList): LabelList {
    return keepLabels(own, (name) => !this.#dropped.has(name));
  }
  #grouped(own: LabelList): LabelList {
    return this.#grouping.length === 0 ? NO_LABELS : keepLabels(own, (name) => this.#grouping.includes(name));
  }

  groupOf(labels: LabelList, isNameless: boolean): number {
    const own = isNameless && this.#seesName ? dropName(labels) : labels;
    const grouping = this.#grouping;
    let key = '';
    let left: LabelList | null = null;
    if (this.#without) {
      left = this.#left(own);
      key = labelsKey(left);
    } else if (grouping.length === 1) key = getLabel(own, grouping[0]!);
    else for (const name of grouping) key += `${getLabel(own, name)}\uffff`;
    let group = this.#known.get(key);
    if (group === undefined) {
      group = this.labels.length;
      this.#known.set(key, group);
      this.labels.push(left ?? this.#grouped(own));
    }
    return group;
  }
}

function groupRows(input: Matrix, expr: Aggregate): Groups {
  const grouper = new Grouper(expr);
  const of = Int32Array.from(input.labels, (labels) => grouper.groupOf(labels, false));
  return { of, labels: grouper.labels };
}

/** Operators that add row by row, so that the rows below need not be kept: rate() of many series is summed up as it is computed. */
const STREAMING = new Set<string>(['sum', 'avg', 'min', 'max', 'count', 'group', 'stddev', 'stdvar']);

class Stream {
  readonly #context: EvaluationContext;
  readonly #expr: Aggregate;
  readonly #grouper: Grouper;
  /** A row that is nameless may still have its name (callRange): it is as if it were not there. */
  readonly #dropsNames: boolean;
  readonly #floats: FloatAggregation;
  /** Rows with histograms, which are added in the end; and one row of their floats. */
  #native: Matrix | null = null;
  readonly #nativeOf: number[] = [];
  /** Positions of the result where floats were met before a histogram. */
  readonly #floatsFirst = new Set<number>();
  readonly #plain: Matrix;

  constructor(context: EvaluationContext, expr: Aggregate, timeline: Timeline) {
    this.#context = context;
    this.#expr = expr;
    this.#grouper = new Grouper(expr);
    this.#dropsNames = !context.options.delayedNameRemoval;
    this.#floats = new FloatAggregation(expr.op, timeline.steps);
    this.#plain = new Matrix(timeline.steps, 1);
    this.#plain.addRow(NO_LABELS, false);
  }

  readonly add = (input: Matrix, row: number): void => {
    const group = this.#grouper.groupOf(input.labels[row]!, this.#dropsNames && input.nameless[row]!);
    if (group === this.#floats.out.count) this.#floats.addGroup(this.#grouper.labels[group]!);
    if (input.histograms === null || !input.hasHistogram(row)) this.#floats.add(input, row, group);
    else this.#addNative(input, row, group);
  };

  #addNative(input: Matrix, row: number, group: number): void {
    const { op } = this.#expr;
    const { steps } = input;
    const counts = op === 'count' || op === 'group';
    const plain = this.#plain;
    plain.nameless[0] = input.nameless[row]!;
    for (let s = 0, at = row * steps; s < steps; s++, at++) {
      plain.values[s] = input.values[at]!;
      plain.present[s] = input.present[at] === FLOAT || (counts && input.present[at] === HISTOGRAM) ? FLOAT : ABSENT;
    }
    if (counts) {
      this.#floats.add(plain, 0, group);
      return;
    }
    if (op !== 'sum' && op !== 'avg') {
      this.#floats.add(plain, 0, group);
      this.#context.notes.ignoredInAggregation(op, this.#expr.expr);
      return;
    }
    this.#native ??= new Matrix(steps);
    const labels = input.labels[row]!;
    const to = this.#native.addRow(this.#dropsNames && input.nameless[row]! ? dropName(labels) : labels, false) * steps;
    for (let s = 0; s < steps; s++) if (input.present[row * steps + s] === HISTOGRAM) this.#native.setHistogram(to + s, input.histogramAt(row * steps + s));
    this.#nativeOf.push(group);
    this.#noteFloatsBefore(group, to);
    this.#floats.add(plain, 0, group);
  }

  /** Where a float came first, the histograms that follow are not even added up: that they do not mix among themselves is no news. */
  #noteFloatsBefore(group: number, row: number): void {
    const { present, steps } = this.#floats.out;
    for (let s = 0; s < steps; s++)
      if (present[group * steps + s] === FLOAT && this.#native!.present[row + s] === HISTOGRAM) this.#floatsFirst.add(group * steps + s);
  }

  finish(): Matrix {
    this.#floats.finish();
    const { out } = this.#floats;
    if (this.#native !== null)
      addHistograms(this.#context, this.#expr, this.#native, { of: Int32Array.from(this.#nativeOf), labels: this.#grouper.labels }, this.#floatsFirst, out);
    return out.withoutEmptyRows();
  }
}

/** The input rows of each group. */
export function rowsOf(groups: Groups): number[][] {
  const rows: number[][] = groups.labels.map(() => []);
  for (let row = 0; row < groups.of.length; row++) rows[groups.of[row]!]!.push(row);
  return rows;
}

/** Group by group and step by step; where floats are too, neither counts. */
function addHistograms(context: EvaluationContext, expr: Aggregate, input: Matrix, groups: Groups, floatsFirst: ReadonlySet<number>, out: Matrix): void {
  const { notes } = context;
  const { steps } = input;
  rowsOf(groups).forEach((rows, group) => {
    for (let s = 0; s < steps; s++) {
      let total: HistogramSum | null = null;
      let mixes = !floatsFirst.has(group * steps + s);
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

/** Of all steps, only the worst on either side. */
function noteQuantiles(notes: Annotations, quantiles: Float64Array, at: Expr): void {
  let least = 0;
  let most = 1;
  for (const q of quantiles) {
    if (Number.isNaN(q)) notes.invalidQuantile(q, at);
    if (q < least) least = q;
    if (q > most) most = q;
  }
  if (most > 1) notes.invalidQuantile(most, at);
  if (least < 0) notes.invalidQuantile(least, at);
}

function quantiles(context: EvaluationContext, expr: Aggregate, input: Matrix, groups: Groups, param: Float64Array, out: Matrix): void {
  const { notes } = context;
  const { steps } = input;
  noteQuantiles(notes, param, expr.param!);
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
      const value = input.present[at] === FLOAT ? plainFloat(input.values[at]!) : formatHistogram(input.histogramAt(at));
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
