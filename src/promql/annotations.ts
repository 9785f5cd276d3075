/** Warnings and infos that go with an answer. The same text is kept once, however many series and steps say it. */
import { position } from './errors.ts';
import { floatText, shortFloat } from '#src/core/go_float.ts';
import { quoteGo } from '#src/core/go_quote.ts';

interface Note {
  level: 'warning' | 'info';
  text: string;
  start: number;
  /** Of corrected classic histograms: over which steps and buckets. */
  forced: { fromMs: number; toMs: number; minBucket: number; maxBucket: number; maxDiff: number; count: number } | null;
}
interface Positioned {
  readonly start: number;
}
export type HistogramOperation = 'addition' | 'subtraction' | 'aggregation';

export class Annotations {
  readonly #notes = new Map<string, Note>();

  #add(level: Note['level'], text: string, at: Positioned): void {
    const known = this.#notes.get(text);
    if (known === undefined) this.#notes.set(text, { level, text, start: at.start, forced: null });
    else known.start = at.start; // The last place is told, as in Prometheus.
  }
  warn(text: string, at: Positioned): void {
    this.#add('warning', `PromQL warning: ${text}`, at);
  }
  info(text: string, at: Positioned): void {
    this.#add('info', `PromQL info: ${text}`, at);
  }
  invalidQuantile(q: number, at: Positioned): void {
    this.warn(`quantile value should be between 0 and 1, got ${shortFloat(q)}`, at);
  }
  mixedFloatsHistograms(metric: string, at: Positioned): void {
    this.warn(`encountered a mix of histograms and floats for metric name ${quoteGo(metric)}`, at);
  }
  mixedSchemas(metric: string, at: Positioned): void {
    this.warn(`vector contains a mix of histograms with exponential and custom buckets schemas for metric name ${quoteGo(metric)}`, at);
  }
  notCounter(metric: string, at: Positioned): void {
    this.warn(`this native histogram metric is not a counter: ${quoteGo(metric)}`, at);
  }
  notGauge(metric: string, at: Positioned): void {
    this.warn(`this native histogram metric is not a gauge: ${quoteGo(metric)}`, at);
  }
  hintCollision(operation: HistogramOperation, at: Positioned): void {
    this.warn(`conflicting counter resets during histogram ${operation}`, at);
  }
  reconciledBounds(operation: HistogramOperation, at: Positioned): void {
    this.info(`mismatched custom buckets were reconciled during ${operation}`, at);
  }
  ignoredInAggregation(operation: string, at: Positioned): void {
    this.info(`ignored histogram in ${operation} aggregation`, at);
  }
  ignoredInRange(metric: string, at: Positioned): void {
    this.info(`ignored histograms in a range containing both floats and histograms for metric name ${quoteGo(metric)}`, at);
  }
  incompatibleTypes(left: string, op: string, right: string, at: Positioned): void {
    this.info(`incompatible sample types encountered for binary operator ${quoteGo(op)}: ${left} ${op} ${right}`, at);
  }
  forcedMonotonicity(metric: string, at: Positioned, timeMs: number, forced: { minBucket: number; maxBucket: number; maxDiff: number }): void {
    const text =
      'PromQL info: input to histogram_quantile needed to be fixed for monotonicity ' +
      `(see https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile)${forMetric(metric)}`;
    const known = this.#notes.get(text)?.forced;
    if (known === undefined || known === null) {
      this.#notes.set(text, { level: 'info', text, start: at.start, forced: { ...forced, fromMs: timeMs, toMs: timeMs, count: 1 } });
      return;
    }
    known.count++;
    known.fromMs = Math.min(known.fromMs, timeMs);
    known.toMs = Math.max(known.toMs, timeMs);
    known.minBucket = Math.min(known.minBucket, forced.minBucket);
    known.maxBucket = Math.max(known.maxBucket, forced.maxBucket);
    known.maxDiff = Math.max(known.maxDiff, forced.maxDiff);
  }

  /** The texts with their positions, at most `limit` of each kind (0: all). */
  strings(query: string, limit = 0): { warnings: string[]; infos: string[] } {
    const lists = { warning: [] as string[], info: [] as string[] };
    for (const note of this.#notes.values()) lists[note.level].push(printNote(note, query));
    const cut = (list: string[], kind: string): string[] =>
      limit === 0 || list.length <= limit ? list : [...list.slice(0, limit), `${list.length - limit} more ${kind} annotations omitted`];
    return { warnings: cut(lists.warning, 'warning'), infos: cut(lists.info, 'info') };
  }
}

export function forMetric(metric: string): string {
  return metric === '' ? '' : ` for metric name ${quoteGo(metric)}`;
}

function printNote(note: Note, query: string): string {
  const where = `(${position(query, note.start)})`;
  if (note.forced === null) return `${note.text} ${where}`;
  const { minBucket, maxBucket, maxDiff, count, fromMs, toMs } = note.forced;
  const iso = (ms: number): string => `${new Date(Math.floor(ms / 1000) * 1000).toISOString().slice(0, 19)}Z`;
  const diff = floatText(Number(maxDiff.toPrecision(2)), 1e-4, 100, 2); // %.2g
  return `${note.text}, from buckets ${shortFloat(minBucket)} to ${shortFloat(maxBucket)}, with a max diff of ${diff}, over ${count} samples from ${iso(fromMs)} to ${iso(toMs)} ${where}`;
}
