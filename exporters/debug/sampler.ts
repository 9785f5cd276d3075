/** Which batches are shown: the first few of each second, then every Nth (as zap samples). */
import type { Clock } from '#src/core/clock.ts';

export class Sampler {
  readonly #initial: number;
  readonly #thereafter: number;
  readonly #clock: Clock;
  #second = 0;
  #count = 0;

  constructor(initial: number, thereafter: number, clock: Clock) {
    this.#initial = initial;
    this.#thereafter = thereafter;
    this.#clock = clock;
  }

  takes(): boolean {
    const second = Math.floor(this.#clock.nowMs() / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#count = 0;
    }
    this.#count++;
    if (this.#count <= this.#initial) return true;
    return this.#thereafter > 0 && (this.#count - this.#initial) % this.#thereafter === 0;
  }
}
