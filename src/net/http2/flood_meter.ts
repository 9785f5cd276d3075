/** Counts what a client may do now and then but not all the time: so much at once, and so much a second. */
export class FloodMeter {
  readonly #burst: number;
  readonly #perSecond: number;
  #level = 0;
  #sinceMs = performance.now();
  constructor(burst: number, perSecond: number) {
    this.#burst = burst;
    this.#perSecond = perSecond;
  }
  /** True where it is too much. The clock is only looked at above the burst. */
  add(weight: number): boolean {
    this.#level += weight;
    if (this.#level <= this.#burst) return false;
    const now = performance.now();
    this.#level = Math.max(0, this.#level - ((now - this.#sinceMs) / 1000) * this.#perSecond);
    this.#sinceMs = now;
    return this.#level > this.#burst;
  }
  /** Something good came of it. */
  forgive(weight: number): void {
    if (this.#level > 0) this.#level = Math.max(0, this.#level - weight);
  }
}
