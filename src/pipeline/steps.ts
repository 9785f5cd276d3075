/**
 * The pieces between components: fan-out, counting, rewriting. They hand on the very same batch and make no promise of their own where they can
 * hand on the next one's.
 */
import { type Batch, mostUse, type PackedCoding, type PackedUse } from '#src/core/batch.ts';
import type { Consumer, Rewriter } from '#src/core/component.ts';
import { RetryableError } from '#src/core/errors.ts';

/**
 * Counts what goes by; what goes into every pipeline and component passes one. The target is set once, before the first batch. `after`: what follows a
 * processor, which may hand on batches as they are.
 */
export class Edge implements Consumer {
  items = 0;
  batches = 0;
  target: Consumer;
  readonly #after: Consumer | null;
  constructor(target: Consumer = UNCONNECTED, after: Consumer | null = null) {
    this.target = target;
    this.#after = after;
  }
  consume(batch: Batch): Promise<void> {
    this.items += batch.itemCount;
    this.batches++;
    return this.target.consume(batch);
  }
  packedUse(coding: PackedCoding): PackedUse {
    return (this.#after ?? this.target).packedUse?.(coding) ?? 'none';
  }
  refusal(): RetryableError | null {
    return this.target.refusal?.() ?? null;
  }
}
const UNCONNECTED: Consumer = {
  consume: () => Promise.reject(new Error('the graph is not connected')),
};

/** One consumer that gives each batch to all; it settles when all have. Who offers the same batch again reaches only those that have not taken it. */
export function fanOut(consumers: readonly Consumer[]): Consumer {
  return consumers.length === 1 ? consumers[0]! : new FanOut(consumers);
}

/** A batch that some have not taken, and the failure for good of another, which is told at last. */
interface Unfinished {
  readonly shared: Batch;
  readonly consumers: readonly Consumer[];
  readonly refusal: unknown;
}

class FanOut implements Consumer {
  readonly #consumers: readonly Consumer[];
  readonly #unfinished = new WeakMap<Batch, Unfinished>();
  constructor(consumers: readonly Consumer[]) {
    this.#consumers = consumers;
  }
  async consume(batch: Batch): Promise<void> {
    const { shared, consumers, refusal } = this.#unfinished.get(batch) ?? { shared: batch.shared(), consumers: this.#consumers, refusal: undefined };
    const outcomes = await Promise.allSettled(consumers.map((consumer) => call(consumer, shared)));
    const again: Consumer[] = [];
    let retryable: unknown,
      permanent = refusal;
    outcomes.forEach((outcome, i) => {
      if (outcome.status === 'fulfilled') return;
      if (outcome.reason instanceof RetryableError) {
        retryable ??= outcome.reason;
        again.push(consumers[i]!);
      } else permanent ??= outcome.reason;
    });
    // Permanent only where all that failed are: where one may come right, the sender is asked to come again.
    if (again.length > 0) {
      this.#unfinished.set(batch, { shared, consumers: again, refusal: permanent });
      throw retryable;
    }
    this.#unfinished.delete(batch);
    if (permanent !== undefined) throw permanent;
  }
  packedUse(coding: PackedCoding): PackedUse {
    return mostUse(this.#consumers.map((consumer) => consumer.packedUse?.(coding) ?? 'none'));
  }
  /** Where one of them would refuse, the sender has to come again in any case, so nobody is given a batch that comes twice. */
  refusal(): RetryableError | null {
    for (const consumer of this.#consumers) {
      const refusal = consumer.refusal?.() ?? null;
      if (refusal !== null) return refusal;
    }
    return null;
  }
}
/** A consumer that throws before it makes its promise fails like one that rejects. */
async function call(consumer: Consumer, batch: Batch): Promise<void> {
  await consumer.consume(batch);
}

/** One pass of one rewriter, or of several that are fused. What the next stage refused is rewritten once, however often it is offered again. */
export class RewriteStep implements Consumer {
  readonly #rewriter: Rewriter;
  readonly #next: Consumer;
  readonly #refused = new WeakMap<Batch, Batch>();
  /** What came last went on changed. */
  #changes = false;
  constructor(rewriter: Rewriter, next: Consumer) {
    this.#rewriter = rewriter;
    this.#next = next;
  }
  consume(batch: Batch): Promise<void> {
    let rewritten: Batch | null;
    try {
      rewritten = this.#refused.get(batch) ?? this.#rewriter.rewrite(batch);
    } catch (error) {
      return Promise.reject(error);
    }
    this.#changes = rewritten !== batch;
    if (rewritten === null) {
      batch.free();
      return Promise.resolve();
    }
    const taken = this.#next.consume(rewritten);
    return rewritten === batch ? taken : this.#replace(taken, batch, rewritten);
  }
  packedUse(coding: PackedCoding): PackedUse {
    return this.#changes ? 'none' : (this.#next.packedUse?.(coding) ?? 'none');
  }
  refusal(): RetryableError | null {
    return this.#next.refusal?.() ?? null;
  }

  /** The old bytes go only once the new ones are taken: who hears an error may come again with the old batch. */
  async #replace(taken: Promise<void>, batch: Batch, rewritten: Batch): Promise<void> {
    try {
      await taken;
    } catch (error) {
      if (error instanceof RetryableError) this.#refused.set(batch, rewritten);
      throw error;
    }
    batch.free(rewritten.parts);
  }
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
