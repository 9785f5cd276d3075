/** The newest exemplars of a tenant in a ring. They are written to the log, but not to blocks, as in Prometheus. */
import type { LabelList } from '#src/core/series.ts';

export interface Exemplar {
  readonly ref: number;
  readonly labels: LabelList;
  readonly timeMs: number;
  readonly value: number;
}

export class ExemplarRing {
  readonly #capacity: number;
  readonly #items: Exemplar[] = [];
  #next = 0;
  /** Newest time by ref: exemplars of a series come in order. */
  readonly #lastTime = new Map<number, number>();

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get isEnabled(): boolean {
    return this.#capacity > 0;
  }

  /** False where it is not newer than the last one of its series. */
  add(exemplar: Exemplar): boolean {
    if (this.#capacity === 0) return false;
    const last = this.#lastTime.get(exemplar.ref);
    if (last !== undefined && exemplar.timeMs <= last) return false;
    this.#lastTime.set(exemplar.ref, exemplar.timeMs);
    const replaced = this.#items[this.#next];
    if (replaced !== undefined && this.#lastTime.get(replaced.ref) === replaced.timeMs) this.#lastTime.delete(replaced.ref);
    this.#items[this.#next] = exemplar;
    this.#next = (this.#next + 1) % this.#capacity;
    return true;
  }

  /** Of one series, oldest first, both times included. */
  of(refs: ReadonlySet<number>, minTimeMs: number, maxTimeMs: number): Exemplar[] {
    return this.#items
      .filter((exemplar) => exemplar.timeMs >= minTimeMs && exemplar.timeMs <= maxTimeMs && refs.has(exemplar.ref))
      .sort((a, b) => a.timeMs - b.timeMs);
  }
}
