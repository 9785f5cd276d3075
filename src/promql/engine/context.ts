/**
 * What all parts of one evaluation share: options, notes, the count of samples in memory, and the breathing that keeps the event loop
 * alive and notices that nobody waits for the answer any more.
 */
import { setImmediate } from 'node:timers/promises';
import { Annotations } from '#src/promql/annotations.ts';
import { QueryError } from '#src/promql/errors.ts';
import type { Expr, VectorSelector } from '#src/promql/syntax/ast.ts';
import type { Matcher, Querier, SeriesSet } from '#src/core/series.ts';
import type { Matrix, Timeline } from './matrix.ts';

export interface EvaluationOptions {
  readonly lookbackMs: number;
  readonly maxSamples: number;
  readonly defaultSubqueryStepMs: number;
  /** Keep names until the end of the query, so that operations in between still see them. */
  readonly delayedNameRemoval: boolean;
  /** Let rate() and its kin use the start timestamps of samples, where the store has them. */
  readonly useStartTimestamps: boolean;
  readonly signal: AbortSignal | null;
  /** On performance.now()'s clock. */
  readonly deadline: number;
}

export function tooManySamples(): QueryError {
  return new QueryError('query processing would load too many samples into memory in expression evaluation');
}

/** Between two breaths of the event loop. */
const SLICE_MS = 25;

export class EvaluationContext {
  readonly options: EvaluationOptions;
  readonly querier: Querier;
  readonly notes = new Annotations();
  /** Series of each selector of the query, selected before the evaluation begins. */
  readonly selected = new Map<VectorSelector, SeriesSet>();
  samples = 0;
  peakSamples = 0;
  /** For the statistics: samples that each step looked at, and those that it was the first to look at. A histogram counts by its size. */
  totalSamples = 0;
  samplesRead = 0;
  #nextBreath = performance.now() + SLICE_MS;

  constructor(querier: Querier, options: EvaluationOptions) {
    this.querier = querier;
    this.options = options;
  }

  /** Counts samples in memory; negative where some are let go. */
  charge(samples: number): void {
    this.samples += samples;
    if (this.samples > this.peakSamples) this.peakSamples = this.samples;
    if (this.samples > this.options.maxSamples) throw tooManySamples();
  }

  /** True where breathe() is to be awaited. Cheap enough for once a series. */
  isDue(): boolean {
    return performance.now() >= this.#nextBreath;
  }
  async breathe(): Promise<void> {
    this.check();
    await setImmediate();
    this.check();
    this.#nextBreath = performance.now() + SLICE_MS;
  }
  check(): void {
    if (this.options.signal?.aborted) throw new QueryError('query was canceled in expression evaluation', 'canceled');
    if (performance.now() > this.options.deadline) throw new QueryError('query timed out in expression evaluation', 'timeout');
  }

  async select(matchers: readonly Matcher[], minTimeMs: number, maxTimeMs: number): Promise<SeriesSet> {
    try {
      return await this.querier.select(matchers, minTimeMs, maxTimeMs, true);
    } catch (error) {
      if (error instanceof QueryError) throw error;
      throw new QueryError(`expanding series: ${(error as Error).message}`);
    }
  }
}

export type Value =
  | { readonly kind: 'matrix'; readonly matrix: Matrix }
  | { readonly kind: 'scalar'; readonly values: Float64Array }
  | { readonly kind: 'string'; readonly value: string };

/** Evaluates any expression; the parts of the engine call each other through it. */
export type Evaluate = (expr: Expr, timeline: Timeline) => Promise<Value>;
