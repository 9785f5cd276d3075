/**
 * The pieces between components: fan-out, counting, rewriting. They hand on the very same batch and make no promise of their own where they can
 * hand on the next one's.
 */
import type { Batch } from '#src/core/batch.ts';
import type { Consumer, Rewriter } from '#src/core/component.ts';
import { RetryableError } from '#src/core/errors.ts';

/** Counts what goes by; what goes into every pipeline and component passes one. The target is set once, before the first batch. */
export class Edge implements Consumer {
  items = 0;
  batches = 0;
  target: Consumer;
  constructor(target: Consumer = UNCONNECTED) {
    this.target = target;
  }
  consume(batch: Batch): Promise<void> {
    this.items += batch.itemCount;
    this.batches++;
    return this.target.consume(batch);
  }
}
const UNCONNECTED: Consumer = {
  consume: () => Promise.reject(new Error('the graph is not connected')),
};

/** One consumer that gives each batch to all; it settles when all have. */
export function fanOut(consumers: readonly Consumer[]): Consumer {
  return consumers.length === 1 ? consumers[0]! : new FanOut(consumers);
}

class FanOut implements Consumer {
  readonly #consumers: readonly Consumer[];
  constructor(consumers: readonly Consumer[]) {
    this.#consumers = consumers;
  }
  async consume(batch: Batch): Promise<void> {
    const shared = batch.shared();
    const outcomes = await Promise.allSettled(this.#consumers.map((consumer) => call(consumer, shared)));
    let first: unknown,
      failed = false;
    for (const outcome of outcomes) {
      if (outcome.status === 'fulfilled') continue;
      // Permanent only where all that failed are: where one may come right, the sender is asked to come again.
      if (!failed || (!(first instanceof RetryableError) && outcome.reason instanceof RetryableError)) first = outcome.reason;
      failed = true;
    }
    if (failed) throw first;
  }
}
/** A consumer that throws before it makes its promise fails like one that rejects. */
async function call(consumer: Consumer, batch: Batch): Promise<void> {
  await consumer.consume(batch);
}

/** One pass of one rewriter, or of several that are fused. */
export class RewriteStep implements Consumer {
  readonly #rewriter: Rewriter;
  readonly #next: Consumer;
  constructor(rewriter: Rewriter, next: Consumer) {
    this.#rewriter = rewriter;
    this.#next = next;
  }
  consume(batch: Batch): Promise<void> {
    let rewritten: Batch | null;
    try {
      rewritten = this.#rewriter.rewrite(batch);
    } catch (error) {
      return Promise.reject(error);
    }
    if (rewritten === null) {
      batch.free();
      return Promise.resolve();
    }
    const taken = this.#next.consume(rewritten);
    return rewritten === batch || !batch.exclusive ? taken : freeReplaced(taken, batch, rewritten);
  }
}

/** Only once the new bytes are taken: who hears an error may come again with the old ones. */
async function freeReplaced(taken: Promise<void>, batch: Batch, rewritten: Batch): Promise<void> {
  await taken;
  batch.free(rewritten.parts);
}

/** Neighbouring rewriters joined where they can be. */
export function fuseRewriters(rewriters: readonly Rewriter[]): Rewriter[] {
  const fused: Rewriter[] = [];
  for (const rewriter of rewriters) {
    const joined = fused.at(-1)?.fuse?.(rewriter) ?? null;
    if (joined === null) fused.push(rewriter);
    else fused[fused.length - 1] = joined;
  }
  return fused;
}
