/**
 * Batches of one signal and one combination of metadata: collects by concatenation, sends by size or time, one request after the other.
 *
 * Different from the Collector on purpose: nothing that was accepted is dropped because the next stage is full. The batch stays in front and is
 * offered again, and meanwhile new data is refused with the next stage's own error, so that the sender keeps it.
 */
import type { Batch, BatchContext } from '#src/core/batch.ts';
import type { Clock } from '#src/core/clock.ts';
import type { Consumer } from '#src/core/component.ts';
import { errorText, RetryableError } from '#src/core/errors.ts';
import type { Log } from '#src/core/telemetry.ts';
import { concatBatches, splitBatch } from '#src/data/batching.ts';

/** How long a batch is offered again while the program stops. */
const CLOSING_MS = 5000;
/** How soon a batch that the next stage refused is offered again, unless that stage names a longer wait. */
const AGAIN_MS = 200;

export interface LaneSettings {
  readonly timeoutMs: number;
  readonly sendSize: number;
  /** 0: no limit. */
  readonly maxSize: number;
}
export type Trigger = 'size' | 'timeout';

export class Lane {
  readonly #settings: LaneSettings;
  readonly #context: BatchContext;
  readonly #next: Consumer;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #onSend: (trigger: Trigger, batch: Batch) => void;
  #pending: Batch[] = [];
  #items = 0;
  /** What the next stage refused: offered again as it is, since stages behind remember by the batch what they did with it. */
  #front: Batch | null = null;
  #stopTimer: (() => void) | null = null;
  #sending: Promise<void> | null = null;
  /** Why the batch in front could not be handed on; null while all goes well. */
  #stuck: RetryableError | null = null;
  #closing = false;
  #giveUpMs = Number.POSITIVE_INFINITY;

  constructor(settings: LaneSettings, context: BatchContext, next: Consumer, clock: Clock, log: Log, onSend: (trigger: Trigger, batch: Batch) => void) {
    this.#settings = settings;
    this.#context = context;
    this.#next = next;
    this.#clock = clock;
    this.#log = log;
    this.#onSend = onSend;
  }

  async add(batch: Batch): Promise<void> {
    if (this.#stuck) throw this.#stuck;
    this.#pending.push(batch);
    this.#items += batch.itemCount;
    if (this.#isFull()) await this.#send('size');
    else this.#startTimer();
  }

  #isFull(): boolean {
    return this.#items > 0 && (this.#settings.timeoutMs === 0 || this.#items >= this.#settings.sendSize);
  }

  #startTimer(): void {
    this.#stopTimer ??= this.#clock.after(this.#settings.timeoutMs, () => {
      this.#stopTimer = null;
      if (this.#items > 0) void this.#send('timeout');
    });
  }

  /** Whoever comes while a request is under way waits for it: that is the backpressure. */
  async #send(trigger: Trigger): Promise<void> {
    while (this.#sending) await this.#sending;
    if (this.#stuck || (trigger === 'size' && !this.#isFull()) || this.#items === 0) return;
    this.#stopTimer?.();
    this.#stopTimer = null;
    this.#sending = this.#sendAll(trigger);
    await this.#sending;
  }

  async #sendAll(trigger: Trigger): Promise<void> {
    try {
      do {
        const batch = this.#take();
        if (!(await this.#offer(batch))) return;
        this.#onSend(trigger, batch);
      } while (this.#isFull() || (this.#closing && this.#items > 0));
      if (this.#items > 0) this.#startTimer();
    } finally {
      this.#sending = null;
    }
  }

  #take(): Batch {
    const front = this.#front;
    if (front !== null) {
      this.#front = null;
      this.#items -= front.itemCount;
      return front;
    }
    const whole = concatBatches(this.#pending, this.#context),
      { maxSize } = this.#settings;
    this.#pending = [];
    this.#items = 0;
    if (maxSize === 0 || whole.itemCount <= maxSize) return whole;
    const [first, ...rest] = splitBatch(whole, maxSize);
    this.#pending = rest;
    for (const batch of rest) this.#items += batch.itemCount;
    return first!;
  }

  /** False: the next stage cannot take it now; the batch is in front again. */
  async #offer(batch: Batch): Promise<boolean> {
    try {
      await this.#next.consume(batch);
    } catch (error) {
      if (error instanceof RetryableError && this.#clock.nowMs() < this.#giveUpMs) {
        this.#front = batch;
        this.#items += batch.itemCount;
        this.#stuck = error;
        this.#clock.after(this.#closing ? AGAIN_MS : Math.max(error.retryAfterMs, AGAIN_MS), () => this.#unstick());
        return false;
      }
      this.#log.error('The next stage refused a batch for good. Dropping data.', { error: errorText(error), dropped_items: batch.itemCount });
    }
    return true;
  }

  #unstick(): void {
    if (this.#stuck === null) return;
    this.#stuck = null;
    void this.#send('timeout');
  }

  /** Sends what is left; what the next stage still refuses after CLOSING_MS is lost and logged. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#giveUpMs = this.#clock.nowMs() + CLOSING_MS;
    this.#unstick();
    do {
      await this.#send('timeout');
      if (this.#stuck) await new Promise<void>((resolve) => this.#clock.after(AGAIN_MS, resolve));
    } while (this.#items > 0);
  }
}
