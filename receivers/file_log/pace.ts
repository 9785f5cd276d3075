/**
 * How far reading runs ahead of delivery. A disk is faster than most backends, and every step of a pipeline holds some batches: without a bound tens of
 * MB are under way at any time. The memory of batches that comes back tells how fast they go out. Where none comes back, since batches are
 * shared or gathered into larger ones, the bound grows: this is a pace and no limit, limits are the queue's.
 */

/** Two requests of the size that the batch processor makes by default: one on its way, one in the making. */
const FIRST_BOUND_BYTES = 8 << 20;
/** Nothing came back for so long: whoever has the batches waits for more of them. */
export const PATIENCE_MS = 300;

export class Pace {
  #aheadBytes = 0;
  #boundBytes = FIRST_BOUND_BYTES;
  /** Batches of an earlier round are not counted any more. */
  #round = 0;
  #onReturn: () => void = () => {};

  get isAhead(): boolean {
    return this.#aheadBytes > this.#boundBytes;
  }

  /** Memory goes out with a batch; call what it returns when it is back. */
  lend(sizeBytes: number): () => void {
    const round = this.#round;
    this.#aheadBytes += sizeBytes;
    return () => {
      if (round !== this.#round) return;
      this.#aheadBytes -= sizeBytes;
      this.#onReturn();
    };
  }

  /** Who is told that memory came back; null: nobody. */
  notify(onReturn: (() => void) | null): void {
    this.#onReturn = onReturn ?? (() => {});
  }

  /** Waiting was in vain. */
  widen(): void {
    this.#boundBytes = this.#aheadBytes * 2;
  }

  /** All was read: what is still out has found its place, and the next burst begins anew. */
  rest(): void {
    this.#round++;
    this.#aheadBytes = 0;
    this.#boundBytes = FIRST_BOUND_BYTES;
  }
}
