/**
 * Scrapes one target again and again: waits for its place in the interval, asks, turns the answer into a batch, hands it on. Each target has an offset
 * by hash, so that the work is spread; timestamps are put on the grid where they are at most 2 ms (or 1 % of the interval) off, because even distances
 * compress best. A batch that the next stage refuses is counted and lost, while the target's staleness goes on as if it had been taken.
 */
import type { Clock } from '#src/core/clock.ts';
import { errorText } from '#src/core/errors.ts';
import { ExpositionError, type Format } from '#src/helper/exposition/parser.ts';
import { toCustomBuckets } from '#src/helper/exposition/custom_buckets.ts';
import { transcode, type Transcoded } from '#src/helper/exposition/protobuf.ts';
import { type Answer, BodyLimitError, giveBack, type ScrapeClient } from './http_client.ts';
import type { Exposition } from './reading.ts';
import type { ScrapeReport, ScrapeResult, TargetCache } from './target_cache.ts';

export interface LoopOptions {
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** 0 to intervalMs: the target's place in the interval. */
  readonly offsetMs: number;
  /** Waited before the first scrape, on top of the offset. */
  readonly initialDelayMs: number;
  readonly fallbackFormat: ScrapeFormat;
  readonly nativeHistograms: boolean;
  readonly classicToo: boolean;
  /** Classic histograms become native ones with custom bounds. */
  readonly customBuckets: boolean;
}
export type ScrapeFormat = Format | 'protobuf';

export interface LoopState {
  health: 'unknown' | 'up' | 'down';
  lastScrapeMs: number;
  lastDurationMs: number;
  lastError: string;
  lastSamples: number;
}

/** Takes the message of a scrape; rejects where the next stage does. */
export type Deliver = (result: ScrapeResult) => Promise<void>;

const TOLERANCE_MS = 2;

export class ScrapeLoop {
  readonly state: LoopState = { health: 'unknown', lastScrapeMs: 0, lastDurationMs: 0, lastError: '', lastSamples: 0 };
  /** Set where the scrape must fail whatever the target says: the job has too many targets. */
  forcedError = '';
  readonly #options: LoopOptions;
  readonly #client: ScrapeClient;
  readonly #cache: TargetCache;
  readonly #clock: Clock;
  readonly #deliver: Deliver;
  #cancel: (() => void) | null = null;
  #dueMs = 0;
  #running: Promise<void> | null = null;
  #stopped = false;
  #started = false;

  constructor(options: LoopOptions, client: ScrapeClient, cache: TargetCache, clock: Clock, deliver: Deliver) {
    this.#options = options;
    this.#client = client;
    this.#cache = cache;
    this.#clock = clock;
    this.#deliver = deliver;
  }

  start(): void {
    const { intervalMs, offsetMs, initialDelayMs } = this.#options;
    const now = this.#clock.nowMs();
    const next = Math.floor(now / intervalMs) * intervalMs + offsetMs;
    this.#schedule((next < now ? next + intervalMs : next) + initialDelayMs);
  }

  /** Stops and lets a scrape under way end. */
  async stop(scrapeOnceMore = false): Promise<void> {
    this.#stopped = true;
    this.#cancel?.();
    await this.#running;
    if (scrapeOnceMore) await this.#scrape(this.#clock.nowMs());
    this.#client.close();
  }

  /** The target is gone: after stop(), markers for everything it had. */
  async markGone(): Promise<void> {
    if (this.#started) await this.#deliver(this.#cache.end(Math.round(this.#clock.nowMs())));
  }

  #schedule(dueMs: number): void {
    if (this.#stopped) return;
    this.#dueMs = dueMs;
    this.#cancel = this.#clock.after(Math.max(0, dueMs - this.#clock.nowMs()), () => {
      this.#running = this.#tick();
    });
  }

  async #tick(): Promise<void> {
    const { intervalMs } = this.#options;
    const now = this.#clock.nowMs();
    const tolerance = Math.min(intervalMs / 100, TOLERANCE_MS);
    await this.#scrape(Math.abs(now - this.#dueMs) <= tolerance ? this.#dueMs : now);
    let due = this.#dueMs + intervalMs;
    const after = this.#clock.nowMs();
    if (due < after) due += Math.floor((after - due) / intervalMs + 1) * intervalMs; // Missed turns are skipped.
    this.#schedule(due);
  }

  async #scrape(atMs: number): Promise<void> {
    this.#started = true;
    const timeMs = Math.round(atMs);
    const startedMs = performance.now();
    let answer: Answer | null = null;
    let failure: Error | null = null;
    try {
      if (this.forcedError !== '') throw new Error(this.forcedError);
      answer = await this.#client.get(this.#options.timeoutMs);
    } catch (error) {
      failure = error instanceof Error ? error : new Error(String(error));
    }
    const result = this.#read(answer, failure, timeMs, startedMs);
    if (answer !== null) giveBack(answer.bytes);
    const error = failure ?? result.error;
    this.#note(error, timeMs, performance.now() - startedMs, result.samples);
    await this.#deliver(result);
  }

  #read(answer: Answer | null, failure: Error | null, timeMs: number, startedMs: number): ScrapeResult {
    const report = (): ScrapeReport => ({
      timeMs,
      durationSeconds: (performance.now() - startedMs) / 1000,
      bodyBytes: failure instanceof BodyLimitError ? -1 : answer === null ? 0 : answer.to - answer.from,
    });
    if (answer === null) return this.#cache.fail(report());
    try {
      return this.#cache.scrape(this.#exposition(answer), report());
    } catch (error) {
      // An exposition that cannot even be transcoded, or a defect of ours: in both cases the target counts as down and the loop goes on.
      return { ...this.#cache.fail(report()), error: error instanceof ExpositionError ? error : new ExpositionError(errorText(error), { cause: error }) };
    }
  }

  #exposition(answer: Answer): Exposition {
    const { bytes, from, to } = answer;
    const { nativeHistograms: native, classicToo, customBuckets, fallbackFormat } = this.#options;
    const format = formatOf(answer.contentType) ?? fallbackFormat;
    if (from === to) return { bytes, from, to, format: 'text', histograms: [] };
    const plain: Exposition =
      format === 'protobuf' ? transcoded(transcode(bytes, from, to, { native, classicToo })) : { bytes, from, to, format, histograms: [] };
    return customBuckets ? transcoded(toCustomBuckets(plain.bytes, plain.from, plain.to, plain.format, plain.histograms, classicToo)) : plain;
  }

  #note(error: Error | null, timeMs: number, durationMs: number, samples: number): void {
    this.state.health = error === null ? 'up' : 'down';
    this.state.lastScrapeMs = timeMs;
    this.state.lastDurationMs = durationMs;
    this.state.lastError = error === null ? '' : errorText(error);
    this.state.lastSamples = samples;
  }
}

function transcoded({ text, histograms }: Transcoded): Exposition {
  return { bytes: text, from: 0, to: text.length, format: 'transcoded', histograms };
}

/** The format that a Content-Type names, or undefined. */
export function formatOf(contentType: string): ScrapeFormat | undefined {
  const media = /^\s*([\w.+-]+\/[\w.+-]+)\s*(?:;|$)/.exec(contentType)?.[1]?.toLowerCase();
  if (media === 'text/plain') return 'text';
  if (media === 'application/openmetrics-text') return 'openmetrics';
  if (media === 'application/vnd.google.protobuf') return 'protobuf';
  return undefined;
}
