/**
 * Where batches wait for their backend: in memory, or on disk through a storage extension (queue_disk.ts). Both are first in, first out, and
 * bounded. A batch that was taken out is settled by `done` (gone for good) or `keep` (not sent because the program stops).
 */
import type { Batch } from '#src/core/batch.ts';
import { RetryableError } from '#src/core/errors.ts';

export type Sizer = 'requests' | 'items' | 'bytes';
export function sizeOf(batch: Batch, sizer: Sizer): number {
  return sizer === 'requests' ? 1 : sizer === 'items' ? batch.itemCount : batch.sizeBytes;
}

/** One batch on its way through the queue. `settle` reports the outcome to a sender who waits for it. */
export interface Entry {
  readonly batch: Batch;
  readonly settle: ((error?: unknown) => void) | null;
  /** The disk queue's number of the batch; -1 in memory. */
  readonly index: number;
}

export interface Queue {
  readonly size: number;
  readonly sizeBytes: number;
  readonly capacity: number;
  start(): Promise<void>;
  /** Throws RetryableError where the queue is full; settles when the batch is as safe as this queue makes it. */
  offer(batch: Batch, settle: Entry['settle']): Promise<void> | void;
  /** The next batch; undefined once the queue is stopped and empty (or stopped, for the one on disk). */
  take(): Promise<Entry | undefined> | Entry | undefined;
  done(entries: readonly Entry[]): Promise<void> | void;
  /** No more offers are taken; takers get what is left (memory) or nothing more (disk). */
  stop(): void;
  close(): Promise<void>;
}

export const queueFull = (capacity: number, sizer: Sizer): RetryableError =>
  new RetryableError(`sending queue is full: it holds ${capacity} ${sizer}; raise sending_queue::queue_size or num_consumers`, {
    reason: 'exhausted',
    retryAfterMs: 1000,
  });

/** Who waits for something to come in (takers) or to go out (blocked senders). */
export class Waiters {
  #waiting: (() => void)[] = [];
  wait(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
  wakeOne(): void {
    this.#waiting.shift()?.();
  }
  wakeAll(): void {
    const all = this.#waiting;
    this.#waiting = [];
    for (const wake of all) wake();
  }
}

export class MemoryQueue implements Queue {
  readonly capacity: number;
  readonly #sizer: Sizer;
  readonly #block: boolean;
  #entries: (Entry | undefined)[] = [];
  #head = 0;
  size = 0;
  sizeBytes = 0;
  #stopped = false;
  readonly #takers = new Waiters();
  readonly #senders = new Waiters();

  constructor(capacity: number, sizer: Sizer, blockOnOverflow: boolean) {
    this.capacity = capacity;
    this.#sizer = sizer;
    this.#block = blockOnOverflow;
  }

  async start(): Promise<void> {}

  offer(batch: Batch, settle: Entry['settle']): Promise<void> | void {
    const size = sizeOf(batch, this.#sizer);
    if (this.size + size > this.capacity || this.#stopped) return this.#offerLater(batch, settle, size);
    this.#push(batch, settle, size);
  }

  async #offerLater(batch: Batch, settle: Entry['settle'], size: number): Promise<void> {
    while (this.size + size > this.capacity && !this.#stopped) {
      if (!this.#block || size > this.capacity) throw queueFull(this.capacity, this.#sizer);
      await this.#senders.wait();
    }
    if (this.#stopped) throw new RetryableError('the exporter is stopping');
    this.#push(batch, settle, size);
  }

  #push(batch: Batch, settle: Entry['settle'], size: number): void {
    this.#entries.push({ batch, settle, index: -1 });
    this.size += size;
    this.sizeBytes += batch.sizeBytes;
    this.#takers.wakeOne();
  }

  take(): Promise<Entry | undefined> | Entry | undefined {
    if (this.#head < this.#entries.length) return this.#shift();
    return this.#stopped ? undefined : this.#takeLater();
  }

  async #takeLater(): Promise<Entry | undefined> {
    while (this.#head === this.#entries.length) {
      if (this.#stopped) return undefined;
      await this.#takers.wait();
    }
    return this.#shift();
  }

  #shift(): Entry {
    const entry = this.#entries[this.#head]!;
    this.#entries[this.#head++] = undefined;
    if (this.#head === this.#entries.length) {
      this.#entries = [];
      this.#head = 0;
    } else if (this.#head > 1024 && this.#head * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#head);
      this.#head = 0;
    }
    this.size -= sizeOf(entry.batch, this.#sizer);
    this.sizeBytes -= entry.batch.sizeBytes;
    this.#senders.wakeAll();
    return entry;
  }

  done(): void {}

  stop(): void {
    this.#stopped = true;
    this.#takers.wakeAll();
    this.#senders.wakeAll();
  }

  async close(): Promise<void> {
    this.stop();
  }
}
