/** Functions of histograms: of native ones alone, and quantiles and fractions of both kinds, where the buckets of a classic one are series. */
import { shortFloat } from '#src/core/go_float.ts';
import { QueryError } from '#src/promql/errors.ts';
import { forMetric } from '#src/promql/annotations.ts';
import { quoteGo } from '#src/core/go_quote.ts';
import { allBuckets } from '#src/promql/histogram/buckets.ts';
import { type FloatHistogram, usesCustomBuckets } from '#src/promql/histogram/float_histogram.ts';
import { type ClassicBucket, classicFraction, classicQuantile, nativeFraction, nativeQuantile } from '#src/promql/histogram/quantile.ts';
import { dropName, getLabel, keepLabels, labelsKey, METRIC_NAME, withLabel } from '#src/promql/labels.ts';
import { compensate } from '#src/promql/sum.ts';
import type { Call, Expr } from '#src/promql/syntax/ast.ts';
import type { LabelList } from '#src/core/series.ts';
import type { EvaluationContext, Value } from './context.ts';
import { mapRows } from './functions.ts';
import { ABSENT, HISTOGRAM, Matrix, mergeSameLabels, sameLabelsError, type Timeline } from './matrix.ts';

const NATIVE_FUNCTIONS: ReadonlyMap<string, (h: FloatHistogram) => number> = new Map([
  ['histogram_count', (h: FloatHistogram) => h.count],
  ['histogram_sum', (h: FloatHistogram) => h.sum],
  ['histogram_avg', (h: FloatHistogram) => h.sum / h.count],
  ['histogram_stddev', (h: FloatHistogram) => Math.sqrt(variance(h))],
  ['histogram_stdvar', variance],
]);
const BOTH = new Set(['histogram_quantile', 'histogram_quantiles', 'histogram_fraction']);

export function isHistogramFunction(name: string): boolean {
  return NATIVE_FUNCTIONS.has(name) || BOTH.has(name);
}

export function histogramFunction(context: EvaluationContext, call: Call, args: readonly Value[], timeline: Timeline): Matrix {
  const { name } = call.func;
  const native = NATIVE_FUNCTIONS.get(name);
  const vectorIndex = args.findIndex((arg) => arg.kind === 'matrix');
  const vector = args[vectorIndex];
  if (vector?.kind !== 'matrix') throw new QueryError(`${name}() has no vector argument`);
  if (native !== undefined) {
    const input = vector.matrix;
    return mapRows(context, input, (out, row, target) => {
      for (let s = 0, at = row * input.steps; s < input.steps; s++, at++) {
        if (input.present[at] === HISTOGRAM) out.setFloat(target * input.steps + s, native(input.histogramAt(at)));
      }
    });
  }
  const scalars: Float64Array[] = [];
  for (const arg of args) if (arg.kind === 'scalar') scalars.push(arg.values);
  const both = new BothKinds(context, vector.matrix, call.args[vectorIndex]!, timeline);
  if (name === 'histogram_fraction') {
    both.each((source, s) => source.fraction(scalars[0]![s]!, scalars[1]![s]!));
    return both.result();
  }
  const label = args.find((arg) => arg.kind === 'string')?.value ?? '';
  const scalarArgs = call.args.filter((_, i) => args[i]!.kind === 'scalar');
  scalars.forEach((quantiles, i) => {
    for (const q of quantiles) if (!(q >= 0 && q <= 1)) context.notes.invalidQuantile(q, scalarArgs[i]!);
    both.each((source, s) => source.quantile(quantiles[s]!), name === 'histogram_quantiles' ? (s) => [label, openMetricsFloat(quantiles[s]!)] : undefined);
  });
  return both.result();
}

function openMetricsFloat(value: number): string {
  const text = shortFloat(value);
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
}

function variance(h: FloatHistogram): number {
  const mean = h.sum / h.count;
  let sum = 0;
  let lost = 0;
  for (const { lower, upper, count } of allBuckets(h)) {
    if (count === 0) continue;
    let value: number;
    if (usesCustomBuckets(h)) value = (upper + lower) / 2;
    else if (lower <= 0 && upper >= 0) value = 0;
    else value = Math.sqrt(upper * lower) * (upper < 0 ? -1 : 1);
    const addend = count * (value - mean) * (value - mean);
    const next = sum + addend;
    lost = compensate(sum, lost, addend, next);
    sum = next;
  }
  return (sum + lost) / h.count;
}

/** One histogram at one step, of whichever kind. */
interface HistogramSource {
  quantile(q: number): number;
  fraction(lower: number, upper: number): number;
}

/** The histograms of a vector: rows that are native, and groups of rows that differ in `le` alone. */
class BothKinds {
  readonly #context: EvaluationContext;
  readonly #input: Matrix;
  readonly #at: Expr;
  readonly #timeline: Timeline;
  readonly #out: Matrix;
  readonly #rowOf = new Map<string, number>();
  /** By input row: its bound (NaN where `le` is none) and its classic histogram. */
  readonly #bounds: Float64Array;
  readonly #classicOf: Int32Array;
  readonly #classicLabels: LabelList[] = [];
  /** By input row: the classic histogram that has the same labels as the native one of the row, or -1. */
  readonly #rivals: Int32Array;

  constructor(context: EvaluationContext, input: Matrix, at: Expr, timeline: Timeline) {
    this.#context = context;
    this.#input = input;
    this.#at = at;
    this.#timeline = timeline;
    this.#out = new Matrix(timeline.steps);
    this.#bounds = new Float64Array(input.count);
    this.#classicOf = new Int32Array(input.count);
    this.#rivals = new Int32Array(input.count);
    const known = new Map<string, number>();
    for (let row = 0; row < input.count; row++) {
      const labels = input.labels[row]!;
      const le = getLabel(labels, 'le');
      this.#bounds[row] = parseBound(le);
      const rest = keepLabels(labels, (name) => name !== 'le');
      const key = labelsKey(rest);
      let classic = known.get(key);
      if (classic === undefined) {
        classic = this.#classicLabels.push(rest) - 1;
        known.set(key, classic);
      }
      this.#classicOf[row] = classic;
      this.#rivals[row] = le === '' ? classic : -1;
    }
  }

  each(apply: (source: HistogramSource, step: number) => number, extra?: (step: number) => [string, string]): void {
    const input = this.#input;
    const { steps } = input;
    const { notes, options } = this.#context;
    const classics: ClassicBucket[][] = this.#classicLabels.map(() => []);
    for (let s = 0; s < steps; s++) {
      for (const buckets of classics) buckets.length = 0;
      const natives: number[] = [];
      for (let row = 0; row < input.count; row++) {
        const kind = input.present[row * steps + s];
        if (kind === ABSENT) continue;
        if (kind === HISTOGRAM) natives.push(row);
        else if (Number.isNaN(this.#bounds[row]!)) {
          const labels = input.labels[row]!;
          const metric = options.delayedNameRemoval ? getLabel(labels, METRIC_NAME) : '';
          notes.warn(`bucket label "le" is missing or has a malformed value of ${quoteGo(getLabel(labels, 'le'))}${forMetric(metric)}`, this.#at);
        } else classics[this.#classicOf[row]!]!.push({ upper: this.#bounds[row]!, count: input.values[row * steps + s]! });
      }
      for (const row of natives) {
        const labels = input.labels[row]!;
        const rival = this.#rivals[row]!;
        if (rival >= 0 && classics[rival]!.length > 0) {
          notes.warn(
            `vector contains a mix of classic and native histograms${forMetric(options.delayedNameRemoval ? getLabel(labels, METRIC_NAME) : '')}`,
            this.#at,
          );
          classics[rival]!.length = 0;
          continue;
        }
        this.#set(labels, s, apply(this.#native(input.histogramAt(row * steps + s), labels), s), extra);
      }
      classics.forEach((buckets, classic) => {
        if (buckets.length === 0) return;
        const labels = this.#classicLabels[classic]!;
        this.#set(labels, s, apply(this.#classic(buckets.slice(), labels, s), s), extra);
      });
    }
  }

  #native(h: FloatHistogram, labels: LabelList): HistogramSource {
    const { notes, options } = this.#context;
    const metric = options.delayedNameRemoval ? getLabel(labels, METRIC_NAME) : '';
    return {
      quantile: (q) => {
        const { value, note } = nativeQuantile(q, h);
        const text = note === 'result' ? 'result is NaN' : 'result is skewed higher';
        if (note !== '') notes.info(`input to histogram_quantile has NaN observations, ${text}${forMetric(metric)}`, this.#at);
        return value;
      },
      fraction: (lower, upper) => {
        const { value, nans } = nativeFraction(lower, upper, h);
        if (nans) notes.info(`input to histogram_fraction has NaN observations, which are excluded from all fractions${forMetric(metric)}`, this.#at);
        return value;
      },
    };
  }
  #classic(buckets: ClassicBucket[], labels: LabelList, step: number): HistogramSource {
    const { notes, options } = this.#context;
    return {
      quantile: (q) => {
        const { value, forced } = classicQuantile(q, buckets);
        const metric = options.delayedNameRemoval ? getLabel(labels, METRIC_NAME) : '';
        if (forced !== null) notes.forcedMonotonicity(metric, this.#at, this.#timeline.startMs + step * this.#timeline.stepMs, forced);
        return value;
      },
      fraction: (lower, upper) => classicFraction(lower, upper, buckets),
    };
  }

  #set(labels: LabelList, step: number, value: number, extra?: (step: number) => [string, string]): void {
    let own = this.#context.options.delayedNameRemoval ? labels : dropName(labels);
    if (extra !== undefined) own = withLabel(own, ...extra(step));
    const key = labelsKey(own);
    let row = this.#rowOf.get(key);
    if (row === undefined) {
      row = this.#out.addRow(own, true);
      this.#rowOf.set(key, row);
    }
    const at = row * this.#out.steps + step;
    if (this.#out.present[at] !== ABSENT) throw sameLabelsError();
    this.#out.setFloat(at, value);
  }

  result(): Matrix {
    return mergeSameLabels(this.#out);
  }
}

/** As Go's ParseFloat: "+Inf", "1e3", "0x1p-2" not. NaN where it is no number. */
function parseBound(text: string): number {
  if (/^[+]?inf(?:inity)?$/i.test(text)) return Number.POSITIVE_INFINITY;
  if (/^-inf(?:inity)?$/i.test(text)) return Number.NEGATIVE_INFINITY;
  return /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text) ? Number(text) : Number.NaN;
}
