/**
 * What both transports do with the bytes of a request: check and count them, hand them to the pipeline, count how that went. Nothing is
 * decoded beyond what counting needs.
 */
import type { AuthAttributes } from '#src/core/auth.ts';
import { Batch, type BatchContext, EMPTY_CONTEXT, ITEM_NAMES, type Packed, type PackedCoding, type PackedUse, type Signal } from '#src/core/batch.ts';
import type { Consumer } from '#src/core/component.ts';
import type { Counter, Telemetry } from '#src/core/telemetry.ts';
import { checkAndCount } from '#src/data/check.ts';

export class Intake {
  readonly signal: Signal;
  readonly #next: Consumer;
  readonly #accepted: Counter;
  readonly #refused: Counter;
  readonly #malformed: Counter;
  readonly #attributes: Readonly<Record<string, string>>;
  #context: BatchContext = EMPTY_CONTEXT;

  constructor(signal: Signal, next: Consumer, telemetry: Telemetry, receiver: string, transport: 'grpc' | 'http') {
    const items = ITEM_NAMES[signal];
    this.signal = signal;
    this.#next = next;
    this.#accepted = telemetry.counter(`receiver_accepted_${items}`, '{items}', `Number of ${items} successfully pushed into the pipeline.`);
    this.#refused = telemetry.counter(`receiver_refused_${items}`, '{items}', `Number of ${items} that could not be pushed into the pipeline.`);
    this.#malformed = telemetry.counter('receiver_malformed_requests', '{requests}', 'Number of requests that could not be read as OTLP.');
    this.#attributes = { receiver, transport };
  }

  /** Undefined where there is nothing in it. Throws or rejects with the pipeline's error. The bytes are the pipeline's from here on. */
  take(
    bytes: Uint8Array,
    metadata: BatchContext['metadata'],
    clientAddress: string,
    auth: AuthAttributes | undefined,
    packed: Packed | null = null,
  ): Promise<void> | undefined {
    let count: number;
    try {
      count = checkAndCount(this.signal, bytes);
    } catch (error) {
      this.countMalformed();
      throw error;
    }
    if (count === 0) return undefined;
    return this.#consume(new Batch(this.signal, [bytes], count, this.#contextOf(metadata, clientAddress, auth), true, null, packed));
  }
  /** What the pipeline could do with the compressed form of a request. */
  packedUse(coding: PackedCoding): PackedUse {
    return this.#next.packedUse?.(coding) ?? 'none';
  }
  /** A request that never became a batch: how many records it had is not known. */
  countMalformed(): void {
    this.#malformed.add(1, this.#attributes);
  }
  /** The one of the last request where the client is the same. */
  #contextOf(metadata: BatchContext['metadata'], clientAddress: string, auth: AuthAttributes | undefined): BatchContext {
    if (metadata) return auth ? { metadata, clientAddress, authAttributes: auth } : { metadata, clientAddress };
    if (this.#context.clientAddress !== clientAddress || this.#context.authAttributes !== auth)
      this.#context = auth ? { clientAddress, authAttributes: auth } : clientAddress === '' ? EMPTY_CONTEXT : { clientAddress };
    return this.#context;
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
