/**
 * What to do with a batch whose layout is known (BatchOrigin.layout): where in it each value and its time are, and which series it goes to. No byte
 * of it is compared or translated: that is the receiver's promise. 16 bytes a sample, where a PointCache has the labels of all points once more.
 *
 * An operation: source (translate.ts), offset of the value, offset of the time (-1: none), ref of the series.
 */
import type { Appender } from '#src/store/appender.ts';
import type { Appending } from './appending.ts';

const OPERATION = 4;

export class LayoutPlan {
  readonly #operations: Int32Array;

  constructor(operations: Int32Array) {
    this.#operations = operations;
  }

  /** Appends all samples of the batch. False where a series is forgotten: the plan is of no use any more, and the batch is to be read as if it were new. */
  append(appending: Appending, appender: Appender, bytes: Uint8Array): boolean {
    const operations = this.#operations,
      view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let i = 0; i < operations.length; i += OPERATION) {
      const ref = operations[i + 3]!,
        timeAt = operations[i + 2]!;
      if (!appender.isKnown(ref)) return false;
      appending.append(appender, ref, timeAt < 0 ? 0 : appending.timeMs(view, timeAt), operations[i]!, view, operations[i + 1]!);
    }
    return true;
  }
}

/** Writes a plan down while a batch is translated. */
export class PlanRecorder {
  #operations = new Int32Array(1 << 10);
  #used = 0;
  /** Something in the batch must be read anew each time. */
  isBroken = false;

  reset(): void {
    this.#used = 0;
    this.isBroken = false;
  }

  add(source: number, valueAt: number, timeAt: number, ref: number): void {
    if (this.#used + OPERATION > this.#operations.length) {
      const grown = new Int32Array(this.#operations.length * 2);
      grown.set(this.#operations);
      this.#operations = grown;
    }
    const operations = this.#operations,
      at = this.#used;
    operations[at] = source;
    operations[at + 1] = valueAt;
    operations[at + 2] = timeAt;
    operations[at + 3] = ref;
    this.#used = at + OPERATION;
  }

  finish(): LayoutPlan {
    const plan = new LayoutPlan(this.#operations.slice(0, this.#used));
    this.#operations = new Int32Array(1 << 10); // Plans are made seldom.
    return plan;
  }
}
