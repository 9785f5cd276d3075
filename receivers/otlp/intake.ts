/**
 * What both transports do with the bytes of a request: check and count them, hand them to the pipeline, count how that went. Nothing is
 * decoded beyond what counting needs.
 */
import { Batch, type BatchContext, ITEM_NAMES, type Packed, type PackedCoding, type PackedUse, type Signal } from '#src/core/batch.ts';
import type { Consumer } from '#src/core/component.ts';
import type { RetryableError } from '#src/core/errors.ts';
import type { Counter, Telemetry } from '#src/core/telemetry.ts';
import { checkAndCount } from '#src/data/check.ts';

export class Intake {
  readonly signal: Signal;
  readonly #next: Consumer;
  readonly #accepted: Counter;
  readonly #refused: Counter;
  readonly #malformed: Counter;
  readonly #unread: Counter;
  readonly #attributes: Readonly<Record<string, string>>;

  constructor(signal: Signal, next: Consumer, telemetry: Telemetry, receiver: string, transport: 'grpc' | 'http') {
    const items = ITEM_NAMES[signal];
    this.signal = signal;
    this.#next = next;
    this.#accepted = telemetry.counter(`receiver_accepted_${items}`, '{items}', `Number of ${items} successfully pushed into the pipeline.`);
    this.#refused = telemetry.counter(`receiver_refused_${items}`, '{items}', `Number of ${items} that could not be pushed into the pipeline.`);
    this.#malformed = telemetry.counter('receiver_malformed_requests', '{requests}', 'Number of requests that could not be read as OTLP.');
    this.#unread = telemetry.counter('receiver_refused_requests', '{requests}', 'Number of requests that were refused before they were read.');
    this.#attributes = { receiver, transport };
  }

  /** Undefined where there is nothing in it. Throws or rejects with the pipeline's error. The bytes are the pipeline's from here on. */
  take(bytes: Uint8Array, context: BatchContext, packed: Packed | null = null): Promise<void> | undefined {
    let count: number;
    try {
      count = checkAndCount(this.signal, bytes);
    } catch (error) {
      this.countMalformed();
      throw error;
    }
    if (count === 0) return undefined;
    return this.#consume(new Batch(this.signal, [bytes], count, context, true, null, packed));
  }
  /** What the pipeline could do with the compressed form of a request. */
  packedUse(coding: PackedCoding): PackedUse {
    return this.#next.packedUse?.(coding) ?? 'none';
  }
  /** Why the pipeline would take nothing just now, or null. */
  refusal(): RetryableError | null {
    return this.#next.refusal?.() ?? null;
  }
  /** A request was refused by its headers: how many records it had is not known. */
  countRefused(): void {
    this.#unread.add(1, this.#attributes);
  }
  /** A request that never became a batch: how many records it had is not known. */
  countMalformed(): void {
    this.#malformed.add(1, this.#attributes);
  }
  async #consume(batch: Batch): Promise<void> {
    try {
      await this.#next.consume(batch);
    } catch (error) {
      this.#refused.add(batch.itemCount, this.#attributes);
      throw error;
    }
    this.#accepted.add(batch.itemCount, this.#attributes);
  }
}
