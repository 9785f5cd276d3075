/**
 * One request to its backend, again and again with growing waits, until it is taken, refused for good or given up (configretry of the
 * Collector). A server's own wait wins where it is longer than ours.
 */
import type { Batch } from '#src/core/batch.ts';
import type { Clock } from '#src/core/clock.ts';
import { errorText, PermanentError, RetryableError } from '#src/core/errors.ts';
import type { Log } from '#src/core/telemetry.ts';
import type { RetrySettings } from './config.ts';

/** Sends one batch. Rejects with RetryableError where another attempt may help; every other error is final. */
export type Send = (batch: Batch) => Promise<void>;

/** The program stops before the backend took a request: what is on disk stays there, what is in memory is lost and counted. */
export class ShutdownError extends PermanentError {
  override readonly name = 'ShutdownError';
}

export class Retry {
  readonly #settings: RetrySettings;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #triesOnStop: boolean;
  readonly #wake = new Set<() => void>();
  #stopped = false;

  /** With `triesOnStop` every request gets an attempt that begins after the stop: for requests that would be lost with the program. */
  constructor(settings: RetrySettings, clock: Clock, log: Log, triesOnStop: boolean) {
    this.#settings = settings;
    this.#clock = clock;
    this.#log = log;
    this.#triesOnStop = triesOnStop;
  }

  /** The number of attempts it took. */
  async send(batch: Batch, send: Send): Promise<number> {
    const { enabled, initial_interval, multiplier, max_interval, max_elapsed_time, randomization_factor } = this.#settings;
    const startMs = this.#clock.nowMs();
    for (let attempts = 1, interval = initial_interval; ; attempts++, interval = Math.min(interval * multiplier, max_interval)) {
      const isLast = this.#stopped;
      try {
        await send(batch);
        return attempts;
      } catch (error) {
        if (!(error instanceof RetryableError) || !enabled) throw error;
        if (this.#stopped) {
          if (this.#triesOnStop && !isLast) continue;
          throw new ShutdownError('the program stops before the backend took the data', { cause: error });
        }
        const waitMs = Math.max(interval * (1 + randomization_factor * (2 * Math.random() - 1)), error.retryAfterMs);
        if (max_elapsed_time > 0 && this.#clock.nowMs() - startMs + waitMs > max_elapsed_time)
          throw new PermanentError(`no more retries left, the backend failed for ${max_elapsed_time / 1000} s`, { cause: error });
        this.#log.info('Exporting failed. Will retry the request after interval.', { error: errorText(error), interval: `${(waitMs / 1000).toFixed(3)}s` });
        await this.#sleep(waitMs);
        if (this.#stopped && !this.#triesOnStop) throw new ShutdownError('the program stops before the backend took the data', { cause: error });
      }
    }
  }

  /** Requests wait no longer, attempts under way go on to their end; what is refused after that gives up with ShutdownError. */
  stop(): void {
    this.#stopped = true;
    for (const wake of this.#wake) wake();
  }

  #sleep(ms: number): Promise<void> {
    if (this.#stopped) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        cancel();
        this.#wake.delete(done);
        resolve();
      };
      const cancel = this.#clock.after(ms, done);
      this.#wake.add(done);
    });
  }
}
