/**
 * `sending_queue::batch`: collects what consumers take from the queue into larger requests, by size or by time, apart for each combination
 * of the partition's metadata. Concatenation only: no bytes are copied here. Every entry is settled with the outcome of the request it went out in.
 */
import type { Batch } from '#src/core/batch.ts';
import type { Clock } from '#src/core/clock.ts';
import { concatBatches, splitBatch } from '#src/data/batching.ts';
import type { QueueBatchSettings } from './config.ts';
import { type Entry, sizeOf } from './queue.ts';

interface Pending {
  entries: Entry[];
  size: number;
  stopTimer: () => void;
}

/** Sends one group of entries as `batches`, one after the other. */
export type SendGroup = (entries: readonly Entry[], batches: readonly Batch[]) => Promise<void>;

export class Batcher {
  readonly #settings: QueueBatchSettings;
  readonly #sizer: 'items' | 'bytes';
  readonly #maxUnderWay: number;
  readonly #clock: Clock;
  readonly #send: SendGroup;
  readonly #pending = new Map<string, Pending>();
  readonly #underWay = new Set<Promise<void>>();

  constructor(settings: QueueBatchSettings, sizer: 'items' | 'bytes', maxUnderWay: number, clock: Clock, send: SendGroup) {
    this.#settings = settings;
    this.#sizer = sizer;
    this.#maxUnderWay = maxUnderWay;
    this.#clock = clock;
    this.#send = send;
  }

  /** Settles at once while there is room; with the request where this entry filled it, so that consumers bound what is under way. */
  async add(entry: Entry): Promise<void> {
    // Requests that time sent off hold no consumer: without this a dead backend's queue would empty itself into memory.
    while (this.#underWay.size >= this.#maxUnderWay) await Promise.race(this.#underWay);
    const { min_size, flush_timeout } = this.#settings,
      key = this.#partition(entry.batch);
    let pending = this.#pending.get(key);
    if (!pending) {
      pending = { entries: [], size: 0, stopTimer: this.#clock.after(flush_timeout, () => void this.#flush(key)) };
      this.#pending.set(key, pending);
    }
    pending.entries.push(entry);
    pending.size += sizeOf(entry.batch, this.#sizer);
    if (pending.size >= min_size) await this.#flush(key);
  }

  async #flush(key: string): Promise<void> {
    const pending = this.#pending.get(key);
    if (!pending) return;
    pending.stopTimer();
    this.#pending.delete(key);
    const work = this.#send(pending.entries, this.#cut(pending));
    this.#underWay.add(work);
    try {
      await work;
    } finally {
      this.#underWay.delete(work);
    }
  }

  #cut(pending: Pending): Batch[] {
    const whole = concatBatches(pending.entries.map((entry) => entry.batch)),
      { max_size } = this.#settings;
    if (max_size === 0 || pending.size <= max_size) return [whole];
    // By bytes only whole items can be cut: the number of items that fits on average.
    const items = this.#sizer === 'items' ? max_size : Math.max(1, Math.floor((whole.itemCount * max_size) / whole.sizeBytes));
    return splitBatch(whole, items);
  }

  #partition(batch: Batch): string {
    const keys = this.#settings.partition.metadata_keys;
    const tenant = batch.context.tenant ?? '';
    return keys.length === 0 ? tenant : JSON.stringify([tenant, ...keys.map((key) => batch.context.metadata?.get(key.toLowerCase()) ?? [])]);
  }

  /** Sends what is left and waits for all requests under way. */
  async drain(): Promise<void> {
    await Promise.allSettled([...this.#pending.keys()].map((key) => this.#flush(key)));
    await Promise.allSettled(this.#underWay);
  }
}
