/** Functions of range vectors: from selector or subquery to one row per series. */
import { QueryError } from '#src/promql/errors.ts';
import { dropName, getLabel, METRIC_NAME, NO_LABELS } from '#src/promql/labels.ts';
import type { LabelList } from '#src/core/series.ts';
import type { Call, Expr, MatrixSelector, Subquery } from '#src/promql/syntax/ast.ts';
import { sampleSize } from '#src/promql/histogram/float_histogram.ts';
import { absentLabels } from './absent.ts';
import { type Evaluate, type EvaluationContext, tooManySamples } from './context.ts';
import { ABSENT, areDistinct, FLOAT, Matrix, sameLabelsError, type Timeline } from './matrix.ts';
import { checkSmoothing, FLOAT_RANGES } from './range_float.ts';
import { anchor, applyExtended } from './range_extended.ts';
import { applyMixed, type MixedCall, type MixedRange, type MixedResult } from './range_mixed.ts';
import { FloatRate, type RateKind } from './rate.ts';
import { type RangeSource, type Samples, SelectorSource, SubquerySource } from './samples.ts';
import { rangeEnd, type RangeShape, Windows } from './windows.ts';

const QUERY_START = { start: 0 };
const KEEPS_NAME = new Set(['last_over_time', 'first_over_time']);
const RATES = new Set(['rate', 'increase', 'delta']);
const USES_START = new Set(['rate', 'increase', 'irate', 'resets']);
const ANCHORED_SAFE = ['changes', 'delta', 'increase', 'rate', 'resets'];
const SMOOTHED_SAFE = ['delta', 'increase', 'rate'];
const COUNTER_SUFFIX = /(?:_total|_sum|_count|_bucket)$/;

/** Each step of a subquery takes this many numbers before the first sample is there. */
const COLUMNS_PER_STEP = 4;

export interface Range {
  readonly source: RangeSource;
  readonly shape: RangeShape;
}

/** Opens the range argument: the selected series, or the subquery's values. */
export async function openRange(context: EvaluationContext, evaluate: Evaluate, arg: MatrixSelector | Subquery, timeline: Timeline): Promise<Range> {
  if (arg.kind === 'subquery') {
    const inner = subqueryTimeline(context, arg, timeline);
    const { totalSamples } = context;
    const value = await evaluate(arg.expr, inner);
    context.totalSamples = totalSamples; // What counts is what the ranges take of its result.
    const matrix = value.kind === 'matrix' ? value.matrix : new Matrix(inner.steps);
    const shape = { offsetMs: arg.offsetMs, atMs: arg.atMs, rangeMs: arg.rangeMs, beforeMs: 0, afterMs: 0 };
    return { source: new SubquerySource(matrix, inner), shape };
  }
  const { selector, rangeMs } = arg;
  const { lookbackMs } = context.options;
  const shape: RangeShape = {
    offsetMs: selector.offsetMs,
    atMs: selector.atMs,
    rangeMs,
    beforeMs: selector.anchored || selector.smoothed ? lookbackMs : 0,
    afterMs: selector.smoothed ? lookbackMs : 0,
  };
  const first = rangeEnd(shape, timeline, 0) - rangeMs - shape.beforeMs + 1; // Open on the left.
  const last = rangeEnd(shape, timeline, timeline.steps - 1) + shape.afterMs;
  return { source: new SelectorSource(context.selected.get(selector)!, first, last, selector.statsOnly), shape };
}

/** The steps of a subquery are multiples of its step, whenever the query asks. */
export function subqueryTimeline(context: EvaluationContext, subquery: Subquery, outer: Timeline): Timeline {
  const stepMs = subquery.stepMs || context.options.defaultSubqueryStepMs;
  const from = (subquery.atMs ?? outer.startMs) - subquery.offsetMs - subquery.rangeMs;
  const end = (subquery.atMs ?? outer.startMs + (outer.steps - 1) * outer.stepMs) - subquery.offsetMs;
  let startMs = stepMs * Math.trunc(from / stepMs);
  if (startMs <= from) startMs += stepMs;
  const steps = Math.max(0, Math.floor((end - startMs) / stepMs) + 1);
  if (steps * COLUMNS_PER_STEP > context.options.maxSamples) throw tooManySamples();
  return { startMs, stepMs, steps };
}

/** Calls that make a row of each series of a range, and nothing of all together. */
export function isRangeCall(expr: Expr): expr is Call {
  return expr.kind === 'call' && expr.func.name !== 'absent_over_time' && rangeIndexOf(expr) >= 0;
}
export function rangeIndexOf(call: Call): number {
  return call.args.findIndex((arg) => arg.kind === 'matrix' || arg.kind === 'subquery');
}

/**
 * With `sink`, each row is given to it as soon as it is there and not kept: the matrix that is returned is empty. Its labels are those of the series
 * then, the name included: who takes it drops it, if `nameless` says so and it matters.
 */
export async function callRange(
  context: EvaluationContext,
  evaluate: Evaluate,
  call: Call,
  timeline: Timeline,
  sink: ((rows: Matrix, row: number) => void) | null = null,
): Promise<Matrix> {
  const argIndex = rangeIndexOf(call);
  const arg = call.args[argIndex] as MatrixSelector | Subquery;
  const name = call.func.name;
  if (arg.kind === 'matrix') refuseUnsafe(arg, name);
  const scalars: Float64Array[] = [];
  for (let i = 0; i < call.args.length; i++) {
    if (i === argIndex) continue;
    const value = await evaluate(call.args[i]!, timeline);
    if (value.kind === 'scalar') scalars.push(value.values);
  }
  const { source, shape } = await openRange(context, evaluate, arg, timeline);
  // Prometheus loses the place of a subquery when it has evaluated it: notes point to the beginning of the query.
  const at = arg.kind === 'subquery' ? QUERY_START : arg;
  const reader = new RangeCall(context, call, at, arg, shape, timeline, scalars, sink === null ? source.count : 1, sink !== null);
  const { out } = reader;
  const names = new NameCheck(source, arg.kind === 'subquery', KEEPS_NAME.has(name) || context.options.delayedNameRemoval);
  let loaded = 0;
  for (let row = 0; row < source.count; row++) {
    if ((row & 31) === 0 && context.isDue()) await context.breathe();
    const samples = source.load(row);
    const count = samples.floatCount + samples.histogramCount;
    context.charge(count - loaded);
    loaded = count;
    if (!reader.apply(source, row, samples)) continue;
    names.add(row, reader.labels);
    if (sink === null) continue;
    sink(out, 0);
    context.charge(-reader.rowSize);
    out.dropLastRow();
  }
  context.charge(-loaded);
  if (name === 'absent_over_time') return absentOverTime(out, arg, timeline);
  if (!context.options.delayedNameRemoval) names.refuseSameLabels();
  return out;
}

function refuseUnsafe(arg: MatrixSelector, name: string): void {
  if (arg.selector.anchored && !ANCHORED_SAFE.includes(name)) {
    throw new QueryError(`anchored modifier can only be used with: ${ANCHORED_SAFE.join(', ')} - not with ${name}`);
  }
  if (arg.selector.smoothed && !SMOOTHED_SAFE.includes(name)) {
    throw new QueryError(`smoothed modifier can only be used with: ${SMOOTHED_SAFE.join(', ')} - not with ${name}`);
  }
}

/** Kept from one query to the next: memory outside the heap that comes and goes does so faster than it is collected. */
let hashes = new Float64Array(0);
const MOST_KEPT_HASHES = 1 << 16;

/** Finds rows that are the same without their names. Series of one name never are: then no label set is looked at. */
class NameCheck {
  readonly #source: RangeSource;
  readonly #isSubquery: boolean;
  readonly #keepsName: boolean;
  readonly #rows: Int32Array;
  #count = 0;
  #name = '';
  #differ = false;

  constructor(source: RangeSource, isSubquery: boolean, keepsName: boolean) {
    this.#source = source;
    this.#isSubquery = isSubquery;
    this.#keepsName = keepsName;
    this.#rows = new Int32Array(source.count);
  }

  add(row: number, labels: LabelList): void {
    if (this.#count === 0) this.#name = labels[1] ?? '';
    this.#rows[this.#count++] = row;
    // What goes with the name (dropName) would stand right behind it.
    if (labels[0] !== METRIC_NAME || labels[1] !== this.#name || labels[2]?.startsWith('__') === true) this.#differ = true;
  }

  /** Whether no two rows have the same hash: then they differ, at a tenth of the price of a look at their labels. */
  #hashesDiffer(): boolean {
    const mask = 2 ** (33 - Math.clz32(this.#count)) - 1;
    const table = mask < hashes.length ? hashes : new Float64Array(mask + 1);
    if (mask < MOST_KEPT_HASHES) hashes = table;
    table.fill(-1, 0, mask + 1);
    for (let i = 0; i < this.#count; i++) {
      const hash = this.#source.hashWithoutName(this.#rows[i]!);
      if (hash < 0) return false;
      let at = hash & mask;
      for (; table[at]! >= 0; at = (at + 1) & mask) if (table[at] === hash) return false;
      table[at] = hash;
    }
    return true;
  }

  refuseSameLabels(): void {
    if (this.#keepsName ? !this.#isSubquery : !this.#differ || this.#hashesDiffer()) return;
    const sets = Array.from(this.#rows.subarray(0, this.#count), (row) => this.#source.labels(row));
    if (!areDistinct(this.#keepsName ? sets : sets.map(dropName))) throw sameLabelsError();
  }
}

class RangeCall {
  readonly out: Matrix;
  /** Of the row that was made last: its size, and the labels of its series. */
  rowSize = 0;
  labels: LabelList = NO_LABELS;
  readonly #context: EvaluationContext;
  readonly #name: string;
  readonly #at: { readonly start: number };
  readonly #parameterAt: { readonly start: number };
  readonly #shape: RangeShape;
  readonly #timeline: Timeline;
  readonly #scalars: Float64Array[];
  readonly #windows: Windows;
  readonly #histogramWindows: Windows;
  readonly #rate: FloatRate | null;
  readonly #extended: '' | 'anchored' | 'smoothed';
  /** Rows are not kept, and whoever takes them drops the name. */
  readonly #isSunk: boolean;
  /** Histograms of the series before this one are counted as read. */
  #counted = 0;
  /** Whose samples were counted when it was evaluated. */
  readonly #isSubquery: boolean;
  readonly #checked = new Set<string>();

  constructor(
    context: EvaluationContext,
    call: Call,
    at: { readonly start: number },
    arg: MatrixSelector | Subquery,
    shape: RangeShape,
    timeline: Timeline,
    scalars: Float64Array[],
    rows: number,
    isSunk: boolean,
  ) {
    this.#context = context;
    this.#name = call.func.name;
    this.#at = at;
    this.#isSunk = isSunk;
    this.#isSubquery = arg.kind === 'subquery';
    this.#parameterAt = call.args[0]!;
    this.#shape = shape;
    this.#timeline = timeline;
    this.#scalars = scalars;
    this.#windows = new Windows(shape, timeline);
    this.#histogramWindows = new Windows(shape, timeline);
    this.#extended = arg.kind === 'matrix' ? (arg.selector.anchored ? 'anchored' : arg.selector.smoothed ? 'smoothed' : '') : '';
    this.#rate = RATES.has(this.#name) ? new FloatRate(this.#name as RateKind, this.#windows, shape, timeline) : null;
    this.out = new Matrix(timeline.steps, rows);
  }

  /** False where the row has no value. */
  apply(source: RangeSource, row: number, samples: Samples): boolean {
    if (samples.floatCount + samples.histogramCount === 0) return false;
    const name = this.#name;
    const { delayedNameRemoval, useStartTimestamps } = this.#context.options;
    const labels = (this.labels = source.labels(row));
    const drop = !KEEPS_NAME.has(name) || source.nameless(row);
    const target = this.out.addRow(drop && !delayedNameRemoval && !this.#isSunk ? dropName(labels) : labels, drop);
    const changed = this.#windows.update(samples.times, samples.floatCount);
    this.#context.totalSamples += this.#windows.inRanges;
    if (!this.#isSubquery) this.#context.samplesRead += this.#windows.inNoEarlier;
    if (changed && this.#rate !== null) this.#rate.prepare(samples.times);
    if (name === 'double_exponential_smoothing') this.#checkSmoothing(samples);
    const starts = useStartTimestamps && USES_START.has(name) && (samples.starts !== null || samples.histogramStarts !== null);
    let size = -1;
    if (samples.histogramCount > 0 || starts || this.#extended !== '') this.#applyMixed(labels, samples, target, starts);
    else if (this.#rate !== null) size = this.#rate.apply(samples, this.out, target);
    else this.#applyFloats(samples, target);
    if (name === 'quantile_over_time') this.#noteQuantiles(target);
    this.rowSize = size < 0 ? this.out.rowSize(target) : size;
    this.#context.charge(this.rowSize);
    if (this.rowSize === 0) {
      this.out.dropLastRow();
      return false;
    }
    if (name === 'rate' || name === 'increase') this.#checkCounter(getLabel(labels, METRIC_NAME), target);
    return true;
  }

  /** Of every range that has samples, also those too few to smooth. */
  #checkSmoothing(samples: Samples): void {
    const [factor, trend] = this.#scalars;
    this.#histogramWindows.update(samples.histogramTimes, samples.histogramCount);
    for (let s = 0; s < this.#timeline.steps; s++)
      if (this.#windows.to[s]! > this.#windows.from[s]! || this.#histogramWindows.to[s]! > this.#histogramWindows.from[s]!)
        checkSmoothing(factor![s]!, trend![s]!);
  }

  #applyFloats(samples: Samples, row: number): void {
    const { least, apply } = FLOAT_RANGES.get(this.#name)!;
    const { from, to } = this.#windows;
    const { times, values } = samples;
    const { startMs, stepMs, steps } = this.#timeline;
    const [a, b] = this.#scalars;
    const { values: result, present } = this.out;
    for (let s = 0, at = row * steps; s < steps; s++, at++) {
      if (to[s]! - from[s]! < least) continue;
      result[at] = apply(times, values, from[s]!, to[s]!, startMs + s * stepMs, a === undefined ? 0 : a[s]!, b === undefined ? 0 : b[s]!);
      present[at] = FLOAT;
    }
  }

  #applyMixed(labels: readonly string[], samples: Samples, row: number, starts: boolean): void {
    const { rangeMs } = this.#shape;
    const timeline = this.#timeline;
    this.#histogramWindows.update(samples.histogramTimes, samples.histogramCount);
    this.#counted = 0;
    const shown = starts ? samples : { ...samples, starts: null, histogramStarts: null };
    const call: MixedCall = { name: this.#name, metric: getLabel(labels, METRIC_NAME), notes: this.#context.notes, at: this.#at, rangeMs };
    const range: MixedRange = { samples: shown, from: 0, to: 0, histogramFrom: 0, histogramTo: 0, startMs: 0, endMs: 0, timeMs: 0 };
    const [a, b] = this.#scalars;
    for (let s = 0; s < timeline.steps; s++) {
      range.from = this.#windows.from[s]!;
      range.to = this.#windows.to[s]!;
      range.histogramFrom = this.#histogramWindows.from[s]!;
      range.histogramTo = this.#histogramWindows.to[s]!;
      this.#countHistograms(samples.histograms, range);
      range.endMs = rangeEnd(this.#shape, timeline, s);
      range.startMs = range.endMs - rangeMs;
      range.timeMs = timeline.startMs + s * timeline.stepMs;
      if (range.to - range.from + range.histogramTo - range.histogramFrom === 0) continue;
      const result = this.#result(call, range, a?.[s] ?? 0, b?.[s] ?? 0);
      const at = row * timeline.steps + s;
      if (typeof result === 'number') this.out.setFloat(at, result);
      else if (result !== null) this.out.setHistogram(at, result);
    }
  }

  #countHistograms(histograms: Samples['histograms'], { histogramFrom, histogramTo }: MixedRange): void {
    for (let i = histogramFrom; i < histogramTo; i++) {
      const size = sampleSize(histograms[i]!);
      this.#context.totalSamples += size;
      if (i >= this.#counted && !this.#isSubquery) this.#context.samplesRead += size;
    }
    this.#counted = Math.max(this.#counted, histogramTo);
  }

  #result(call: MixedCall, range: MixedRange, a: number, b: number): MixedResult {
    if (this.#extended === '') return applyMixed(call, range, a, b);
    if (RATES.has(this.#name)) return applyExtended(call, range, this.#extended === 'smoothed');
    return anchor(range) ? applyMixed(call, range, a, b) : null;
  }

  #noteQuantiles(row: number): void {
    const { present, steps } = this.out;
    const quantiles = this.#scalars[0]!;
    for (let s = 0; s < steps; s++) {
      const q = quantiles[s]!;
      if (!(q >= 0 && q <= 1) && present[row * steps + s] === FLOAT) this.#context.notes.invalidQuantile(q, this.#parameterAt);
    }
  }

  /** A hint where rate() is asked of what does not look like a counter. */
  #checkCounter(metric: string, row: number): void {
    if (metric === '' || this.#checked.has(metric) || COUNTER_SUFFIX.test(metric)) return;
    const { present, steps } = this.out;
    if (!present.subarray(row * steps, (row + 1) * steps).includes(FLOAT)) return;
    this.#checked.add(metric);
    this.#context.notes.info(`metric might not be a counter, name does not end in _total/_sum/_count/_bucket: ${JSON.stringify(metric)}`, this.#at);
  }
}

/** One row of ones where no row has a value. */
function absentOverTime(found: Matrix, arg: Expr, timeline: Timeline): Matrix {
  const out = new Matrix(timeline.steps, 1);
  const row = out.addRow(absentLabels(arg), true);
  for (let s = 0; s < timeline.steps; s++) {
    let any = false;
    for (let r = 0; r < found.count && !any; r++) any = found.present[r * timeline.steps + s] !== ABSENT;
    if (!any) out.setFloat(row * timeline.steps + s, 1);
  }
  return out.withoutEmptyRows();
}
