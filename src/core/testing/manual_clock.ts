/** A clock that a test turns by hand: timers fire in order when time passes them. */
import type { Clock } from '#src/core/clock.ts';

interface Timer {
  atMs: number;
  readonly periodMs: number;
  readonly work: () => void;
}

export class ManualClock implements Clock {
  #nowMs: number;
  readonly #timers = new Set<Timer>();

  constructor(startMs = 1_700_000_000_000) {
    this.#nowMs = startMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  every(periodMs: number, work: () => void): () => void {
    return this.#add(periodMs, periodMs, work);
  }

  after(delayMs: number, work: () => void): () => void {
    return this.#add(delayMs, 0, work);
  }

  #add(delayMs: number, periodMs: number, work: () => void): () => void {
    const timer: Timer = { atMs: this.#nowMs + delayMs, periodMs, work };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Lets `ms` pass; what the timers start gets its turn before this settles. */
  async advance(ms: number): Promise<void> {
    await settled(); // What was called just now may still be about to set its timer.
    const endMs = this.#nowMs + ms;
    for (;;) {
      let next: Timer | null = null;
      for (const timer of this.#timers) if (timer.atMs <= endMs && (next === null || timer.atMs < next.atMs)) next = timer;
      if (next === null) break;
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      if (next.periodMs > 0) next.atMs += next.periodMs;
      else this.#timers.delete(next);
      next.work();
      await settled();
    }
    this.#nowMs = endMs;
    await settled();
  }
}

/** All promises that can settle without time passing have settled. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
