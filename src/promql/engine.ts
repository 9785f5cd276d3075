/**
 * The query engine: text and times in, values out. What it reads comes from a Querier that the caller opens; it knows no store, no HTTP and
 * no JSON. Limits: samples in memory, time, and how many queries run at once.
 */
import type { Annotations } from './annotations.ts';
import { EvaluationContext } from './engine/context.ts';
import { Evaluator } from './engine/evaluate.ts';
import { infoReference } from './engine/info.ts';
import { dropDelayedNames, FLOAT, HISTOGRAM, Matrix, refuseSameLabels, type Timeline } from './engine/matrix.ts';
import { openRange } from './engine/range.ts';
import { ParseError, QueryError } from './errors.ts';
import { type FloatHistogram, sampleSize } from './histogram/float_histogram.ts';
import { compareLabels } from './labels.ts';
import type { LabelList, Querier } from './querier.ts';
import { children, type Expr, type MatrixSelector, type Subquery, typeOf, unwrapParens, type VectorSelector } from './syntax/ast.ts';
import { parseExpr } from './syntax/parser.ts';
import { prepare } from './syntax/prepare.ts';

export interface EngineOptions {
  readonly lookbackMs: number;
  readonly timeoutMs: number;
  readonly maxSamples: number;
  readonly maxConcurrent: number;
  readonly defaultSubqueryStepMs: number;
  readonly delayedNameRemoval: boolean;
  readonly useStartTimestamps: boolean;
}
export const DEFAULT_OPTIONS: EngineOptions = {
  lookbackMs: 300_000,
  timeoutMs: 120_000,
  maxSamples: 50_000_000,
  maxConcurrent: 20,
  defaultSubqueryStepMs: 60_000,
  delayedNameRemoval: false,
  useStartTimestamps: false,
};

export interface QueryRequest {
  readonly query: string;
  readonly startMs: number;
  readonly endMs: number;
  /** 0: an instant query at startMs. */
  readonly stepMs: number;
  readonly lookbackMs?: number;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** The samples of one series of a range vector, floats and histograms apart, each in order of time. */
export interface RawSeries {
  readonly labels: LabelList;
  readonly times: Float64Array;
  readonly values: Float64Array;
  readonly histogramTimes: Float64Array;
  readonly histograms: readonly FloatHistogram[];
}
export type QueryValue =
  /** A vector at one step, in the order of the answer; or, of a range query, a matrix sorted by labels. */
  | { readonly type: 'vector' | 'matrix'; readonly matrix: Matrix; readonly timeline: Timeline }
  | { readonly type: 'series'; readonly series: readonly RawSeries[] }
  | { readonly type: 'scalar'; readonly value: number; readonly timeMs: number }
  | { readonly type: 'string'; readonly value: string; readonly timeMs: number };
export interface QueryResult {
  readonly value: QueryValue;
  readonly notes: Annotations;
  readonly stats: {
    readonly totalSamples: number;
    readonly samplesRead: number;
    readonly peakSamples: number;
    readonly evaluationMs: number;
    readonly queueMs: number;
  };
}

/** Opens the data of one query; closed by the engine. */
export type OpenQuerier = (minTimeMs: number, maxTimeMs: number) => Querier;

export class Engine {
  readonly options: EngineOptions;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(options: Partial<EngineOptions> = {}) {
    this.options = { ...DEFAULT_OPTIONS, ...options };
  }

  /** Rejects with ParseError or QueryError. */
  async query(request: QueryRequest, open: OpenQuerier): Promise<QueryResult> {
    const expr = prepare(parseExpr(request.query), request);
    const isRange = request.stepMs > 0;
    const type = typeOf(expr);
    if (isRange && type !== 'scalar' && type !== 'vector') {
      throw new ParseError(`invalid expression type "${type === 'matrix' ? 'range vector' : type}" for range query, must be Scalar or instant Vector`);
    }
    const timeoutMs = Math.min(request.timeoutMs ?? Number.POSITIVE_INFINITY, this.options.timeoutMs);
    const queued = performance.now();
    const deadline = queued + timeoutMs;
    await this.#enter(request.signal, deadline);
    const started = performance.now();
    try {
      return await this.#run(request, expr, open, deadline, queued, started);
    } finally {
      this.#leave();
    }
  }

  async #run(request: QueryRequest, expr: Expr, open: OpenQuerier, deadline: number, queued: number, started: number): Promise<QueryResult> {
    const { startMs, endMs, stepMs } = request;
    const timeline: Timeline = stepMs > 0 ? { startMs, stepMs, steps: Math.floor((endMs - startMs) / stepMs) + 1 } : { startMs, stepMs: 1, steps: 1 };
    const lookbackMs = request.lookbackMs ?? this.options.lookbackMs;
    const selections = findSelections(expr, startMs, endMs, lookbackMs);
    let minMs = Number.POSITIVE_INFINITY;
    let maxMs = Number.NEGATIVE_INFINITY;
    for (const selection of selections) {
      minMs = Math.min(minMs, selection.minMs);
      maxMs = Math.max(maxMs, selection.maxMs);
    }
    const querier = open(minMs === Number.POSITIVE_INFINITY ? 0 : minMs, maxMs === Number.NEGATIVE_INFINITY ? 0 : maxMs);
    try {
      const context = new EvaluationContext(querier, { ...this.options, lookbackMs, signal: request.signal ?? null, deadline });
      context.check();
      for (const { selector, minMs: from, maxMs: to } of selections) {
        if (selector !== null) context.selected.set(selector, await context.select(selector.matchers, from, to));
      }
      const value = await this.#evaluate(context, expr, timeline, stepMs > 0);
      const stats = {
        totalSamples: context.totalSamples,
        samplesRead: context.samplesRead,
        peakSamples: context.peakSamples,
        evaluationMs: performance.now() - started,
        queueMs: started - queued,
      };
      return { value, notes: context.notes, stats };
    } finally {
      querier.close();
    }
  }

  async #evaluate(context: EvaluationContext, expr: Expr, timeline: Timeline, isRange: boolean): Promise<QueryValue> {
    const evaluator = new Evaluator(context);
    const bare = unwrapParens(expr);
    if (bare.kind === 'matrix' || bare.kind === 'subquery') return { type: 'series', series: await this.#rawSeries(context, evaluator, bare, timeline) };
    const value = await evaluator.evaluate(expr, timeline);
    if (value.kind === 'string') return { type: 'string', value: value.value, timeMs: timeline.startMs };
    if (value.kind === 'scalar') {
      if (!isRange) return { type: 'scalar', value: value.values[0]!, timeMs: timeline.startMs };
      const matrix = new Matrix(timeline.steps, 1);
      matrix.addRow([], false);
      matrix.values.set(value.values);
      matrix.present.fill(FLOAT);
      return { type: 'matrix', matrix, timeline };
    }
    let { matrix } = value;
    if (this.options.delayedNameRemoval) matrix = dropDelayedNames(matrix);
    else if (!isRange) refuseSameLabels(matrix);
    return isRange ? { type: 'matrix', matrix: matrix.sorted(), timeline } : { type: 'vector', matrix, timeline };
  }

  /** What an instant query for a range vector shows: the samples themselves. */
  async #rawSeries(context: EvaluationContext, evaluator: Evaluator, expr: MatrixSelector | Subquery, timeline: Timeline): Promise<RawSeries[]> {
    if (expr.kind === 'subquery' && this.options.delayedNameRemoval) {
      const inner = await evaluator.subquery(expr, timeline);
      return rowsAsSeries(dropDelayedNames(inner.matrix).sorted(), inner.timeline);
    }
    if (expr.kind === 'subquery') {
      const inner = await evaluator.subquery(expr, timeline);
      return rowsAsSeries(inner.matrix.sorted(), inner.timeline);
    }
    const { source, shape } = await openRange(context, evaluator.evaluate, expr, timeline);
    const { anchored, smoothed } = expr.selector;
    const out: RawSeries[] = [];
    for (let row = 0; row < source.count; row++) {
      if ((row & 31) === 0 && context.isDue()) await context.breathe();
      const samples = source.load(row);
      if (anchored || smoothed) {
        if (samples.histogramCount > 0) throw new QueryError(`${anchored ? 'anchored' : 'smoothed'} modifier is not supported with histograms`);
        const endMs = (shape.atMs ?? timeline.startMs) - shape.offsetMs;
        const extended = extendFloats(samples.times.subarray(0, samples.floatCount), samples.values, endMs - shape.rangeMs, endMs, smoothed);
        if (extended !== null) out.push({ labels: source.labels(row), ...extended, histogramTimes: new Float64Array(0), histograms: [] });
        continue;
      }
      const count = samples.floatCount + samples.histogramCount;
      if (count === 0) continue;
      context.charge(count);
      let weight = samples.floatCount;
      for (const h of samples.histograms) weight += sampleSize(h);
      context.totalSamples += weight;
      context.samplesRead += weight;
      out.push({
        labels: source.labels(row),
        times: samples.times.slice(0, samples.floatCount),
        values: samples.values.slice(0, samples.floatCount),
        histogramTimes: samples.histogramTimes.slice(0, samples.histogramCount),
        histograms: samples.histograms.slice(0, samples.histogramCount),
      });
    }
    return out.sort((a, b) => compareLabels(a.labels, b.labels));
  }

  async #enter(signal: AbortSignal | undefined, deadline: number): Promise<void> {
    if (this.#running < this.options.maxConcurrent) {
      this.#running++;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const give = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', abort);
        resolve(); // #running stays: the place is handed over.
      };
      const leave = (error: QueryError): void => {
        clearTimeout(timer);
        this.#waiting.splice(this.#waiting.indexOf(give), 1);
        reject(error);
      };
      const abort = (): void => leave(new QueryError('query was canceled in query queue', 'canceled'));
      const timer = setTimeout(() => leave(new QueryError('query timed out in query queue', 'timeout')), Math.max(0, deadline - performance.now()));
      signal?.addEventListener('abort', abort, { once: true });
      this.#waiting.push(give);
    });
  }
  #leave(): void {
    const next = this.#waiting.shift();
    if (next !== undefined) next();
    else this.#running--;
  }
}

interface Selection {
  /** Null for the time alone that info() reads beside its selectors. */
  readonly selector: VectorSelector | null;
  readonly minMs: number;
  readonly maxMs: number;
}

/** Every selector of the tree with the times it may read. */
export function findSelections(expr: Expr, startMs: number, endMs: number, lookbackMs: number): Selection[] {
  const out: Selection[] = [];
  const walk = (node: Expr, fromMs: number, toMs: number, rangeMs: number): void => {
    if (node.kind === 'selector') {
      const before = node.anchored || node.smoothed || rangeMs === 0 ? lookbackMs : 0;
      const from = (node.atMs ?? fromMs) - node.offsetMs - rangeMs - before + 1;
      const to = (node.atMs ?? toMs) - node.offsetMs + (node.smoothed ? lookbackMs : 0);
      out.push({ selector: node, minMs: from, maxMs: to });
      return;
    }
    if (node.kind === 'matrix') {
      walk(node.selector, fromMs, toMs, node.rangeMs);
      return;
    }
    if (node.kind === 'subquery') {
      walk(node.expr, (node.atMs ?? fromMs) - node.offsetMs - node.rangeMs, (node.atMs ?? toMs) - node.offsetMs, 0);
      return;
    }
    if (node.kind === 'call' && node.func.name === 'info') {
      const reference = infoReference(node.args[0]!) ?? { atMs: null, offsetMs: 0 };
      out.push({
        selector: null,
        minMs: (reference.atMs ?? fromMs) - reference.offsetMs - lookbackMs + 1,
        maxMs: (reference.atMs ?? toMs) - reference.offsetMs,
      });
      walk(node.args[0]!, fromMs, toMs, 0);
      return;
    }
    for (const child of children(node)) walk(child, fromMs, toMs, 0);
  };
  walk(expr, startMs, endMs, 0);
  return out;
}

function rowsAsSeries(matrix: Matrix, timeline: Timeline): RawSeries[] {
  const out: RawSeries[] = [];
  for (let row = 0; row < matrix.count; row++) {
    const times: number[] = [];
    const values: number[] = [];
    const histogramTimes: number[] = [];
    const histograms: FloatHistogram[] = [];
    for (let s = 0, at = row * matrix.steps; s < matrix.steps; s++, at++) {
      const time = timeline.startMs + s * timeline.stepMs;
      if (matrix.present[at] === FLOAT) {
        times.push(time);
        values.push(matrix.values[at]!);
      } else if (matrix.present[at] === HISTOGRAM) {
        histogramTimes.push(time);
        histograms.push(matrix.histogramAt(at));
      }
    }
    if (times.length + histograms.length === 0) continue;
    out.push({
      labels: matrix.labels[row]!,
      times: Float64Array.from(times),
      values: Float64Array.from(values),
      histogramTimes: Float64Array.from(histogramTimes),
      histograms,
    });
  }
  return out;
}

/** A range with values at exactly its ends: those of the last sample before (anchored), or interpolated (smoothed). Null where no sample lies inside. */
function extendFloats(
  times: Float64Array,
  values: Float64Array,
  startMs: number,
  endMs: number,
  smoothed: boolean,
): { times: Float64Array; values: Float64Array } | null {
  if (times.length === 0) return null;
  let last = times.length - 1;
  let first = 0;
  while (first + 1 <= last && times[first + 1]! <= startMs) first++;
  if (smoothed) {
    let at = 0;
    while (at < last && times[at]! < endMs) at++;
    last = at;
  }
  if (times[last]! <= startMs) return null;
  const between = (i: number, time: number): number => values[i]! + ((values[i + 1]! - values[i]!) * (time - times[i]!)) / (times[i + 1]! - times[i]!);
  const left = smoothed && times[first]! < startMs ? between(first, startMs) : values[first]!;
  const right = smoothed && last > 0 && times[last]! > endMs ? between(last - 1, endMs) : values[last]!;
  if (times[first]! <= startMs) first++;
  if (times[last]! >= endMs) last--;
  const inside = Math.max(0, last - first + 1);
  const outTimes = new Float64Array(inside + 2);
  const outValues = new Float64Array(inside + 2);
  outTimes[0] = startMs;
  outValues[0] = left;
  outTimes.set(times.subarray(first, first + inside), 1);
  outValues.set(values.subarray(first, first + inside), 1);
  outTimes[inside + 1] = endMs;
  outValues[inside + 1] = right;
  return { times: outTimes, values: outValues };
}
