/**
 * What every sending exporter is made of: a queue per signal, consumers that take from it, retries, and the counters the field knows
 * (exporterhelper of the Collector). An exporter brings `send` and nothing else.
 *
 * Different from the Collector on purpose: while the backend works, senders are slowed to its speed once PACE_BYTES are queued, instead of
 * filling memory with a thousand requests; with a dead backend the queue fills to its size as configured.
 */
import { type Batch, ITEM_NAMES, type PackedCoding, type PackedUse, type Signal } from '#src/core/batch.ts';
import type { Consumer, CreateContext, Lifecycle } from '#src/core/component.ts';
import { ConfigError, errorText, PermanentError } from '#src/core/errors.ts';
import { isStorage } from '#src/core/storage.ts';
import type { Counter } from '#src/core/telemetry.ts';
import { Batcher } from './batcher.ts';
import type { ExporterSettings } from './config.ts';
import { type Entry, MemoryQueue, type Queue, Waiters } from './queue.ts';
import { DiskQueue } from './queue_disk.ts';
import { Retry, type Send, ShutdownError } from './retry.ts';

/** 8 MB, beside what the consumers are sending: some full requests, enough to keep a fast backend busy. */
const PACE_BYTES = 8 << 20;
/** So many requests at most are sent and still in a slow disk's queue. */
const MAX_FORGETTING = 100;
/** A backend that took something within this time counts as working. */
const ALIVE_MS = 1000;

export interface ExporterParts extends Lifecycle {
  readonly context: CreateContext<unknown> & { readonly signals: readonly Signal[] };
  readonly settings: ExporterSettings;
  /** One attempt; the helper has no timer of its own for it: `send` keeps to settings.timeout. Rejects with RetryableError where another attempt may help.
   *  Once it resolves nobody reads the bytes of the batch. */
  send: Send;
  /** What it could send of a batch's compressed form. A queue on disk keeps the bytes alone. */
  packedUse?(coding: PackedCoding): PackedUse;
}

export function exporterHelper(parts: ExporterParts): Consumer & Lifecycle {
  const lanes = new Map(parts.context.signals.map((signal) => [signal, new Lane(signal, parts)]));
  return {
    async start() {
      await parts.start?.();
      for (const lane of lanes.values()) await lane.start();
    },
    consume(batch) {
      const lane = lanes.get(batch.signal);
      return lane ? lane.consume(batch) : Promise.reject(new PermanentError(`${parts.context.id} takes no ${batch.signal}`));
    },
    packedUse: (coding) =>
      parts.settings.sending_queue.enabled && parts.settings.sending_queue.storage !== undefined ? 'none' : (parts.packedUse?.(coding) ?? 'none'),
    async shutdown() {
      await Promise.all([...lanes.values()].map((lane) => lane.shutdown()));
      await parts.shutdown?.();
    },
  };
}

/** Everything for one signal. */
class Lane {
  readonly #signal: Signal;
  readonly #parts: ExporterParts;
  readonly #queue: Queue | null;
  readonly #batcher: Batcher | null;
  readonly #retry: Retry;
  readonly #attributes: Readonly<Record<string, string>>;
  readonly #sent: Counter;
  readonly #failed: Counter;
  readonly #refused: Counter;
  readonly #progress = new Waiters();
  #aliveMs = Number.NEGATIVE_INFINITY;
  /** Requests that were sent and are not yet taken from the queue. */
  #forgetting = 0;
  #consumers: Promise<void>[] = [];
  #takeDown: (() => void)[] = [];

  constructor(signal: Signal, parts: ExporterParts) {
    this.#signal = signal;
    this.#parts = parts;
    const { telemetry, clock, id } = parts.context,
      { sending_queue: queue, retry_on_failure } = parts.settings,
      items = ITEM_NAMES[signal];
    this.#attributes = { exporter: id };
    this.#sent = telemetry.counter(`exporter_sent_${items}`, '{items}', `Number of ${items} successfully sent to destination.`);
    this.#failed = telemetry.counter(`exporter_send_failed_${items}`, '{items}', `Number of ${items} in failed attempts to send to destination.`);
    this.#refused = telemetry.counter(`exporter_enqueue_failed_${items}`, '{items}', `Number of ${items} failed to be added to the sending queue.`);
    this.#retry = new Retry(retry_on_failure, clock, telemetry.log, queue.storage === undefined);
    this.#queue = !queue.enabled
      ? null
      : queue.storage === undefined
        ? new MemoryQueue(queue.queue_size, queue.sizer, queue.block_on_overflow)
        : new DiskQueue(signal, queue.queue_size, queue.sizer, queue.block_on_overflow, () => this.#openStorage(queue.storage!), telemetry.log);
    const batchSizer = queue.batch?.sizer ?? (queue.sizer === 'bytes' ? 'bytes' : 'items');
    this.#batcher =
      this.#queue && queue.batch
        ? new Batcher(queue.batch, batchSizer, queue.num_consumers, clock, (entries, batches) => this.#sendGroup(entries, batches))
        : null;
  }

  #openStorage(id: string) {
    const extension = this.#parts.context.host.extension(id);
    if (!isStorage(extension))
      throw new ConfigError(`sending_queue::storage: no running storage extension "${id}"; define it under extensions and name it in service::extensions`);
    return extension.storageClient(`exporter:${this.#parts.context.id}`, this.#signal);
  }

  async start(): Promise<void> {
    const queue = this.#queue;
    if (!queue) return;
    await queue.start();
    const { telemetry } = this.#parts.context,
      attributes = { ...this.#attributes, data_type: this.#signal };
    this.#takeDown = [
      telemetry.gauge('exporter_queue_size', '{batches}', () => queue.size, attributes, 'Current size of the sending queue.'),
      telemetry.gauge('exporter_queue_capacity', '{batches}', () => queue.capacity, attributes, 'Fixed capacity of the sending queue.'),
    ];
    this.#consumers = Array.from({ length: this.#parts.settings.sending_queue.num_consumers }, () => this.#run(queue));
  }

  consume(batch: Batch): Promise<void> {
    if (batch.itemCount === 0 && batch.sizeBytes === 0) return Promise.resolve();
    if (!this.#queue) return this.#send(batch);
    return this.#enqueue(this.#queue, batch);
  }

  async #enqueue(queue: Queue, batch: Batch): Promise<void> {
    try {
      if (this.#parts.settings.sending_queue.wait_for_result) {
        await new Promise<void>((resolve, reject) => {
          Promise.resolve(queue.offer(batch, (error) => (error === undefined ? resolve() : reject(error)))).catch(reject);
        });
        return;
      }
      while (queue instanceof MemoryQueue && queue.sizeBytes > PACE_BYTES && this.#parts.context.clock.nowMs() - this.#aliveMs < ALIVE_MS) await this.#pace();
      await queue.offer(batch, null);
    } catch (error) {
      this.#refused.add(batch.itemCount, this.#attributes);
      throw error;
    }
  }

  /** Until some request was sent, a second at most. */
  #pace(): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#parts.context.clock.after(ALIVE_MS, resolve);
      void this.#progress.wait().then(() => {
        cancel();
        resolve();
      });
    });
  }

  async #run(queue: Queue): Promise<void> {
    for (;;) {
      const entry = await queue.take();
      if (!entry) return;
      if (this.#batcher) await this.#batcher.add(entry);
      else await this.#sendGroup([entry], [entry.batch]);
    }
  }

  /** Never rejects: the outcome goes to the senders who wait for it, to the log and to the counters. */
  async #sendGroup(entries: readonly Entry[], batches: readonly Batch[]): Promise<void> {
    let failure: unknown;
    for (const batch of batches) {
      try {
        await this.#send(batch);
      } catch (error) {
        failure = error;
        if (error instanceof ShutdownError && entries[0]!.index >= 0) return; // Stays on disk.
        this.#parts.context.telemetry.log.error('Exporting failed. Dropping data.', { error: errorText(error), dropped_items: batch.itemCount });
      }
    }
    // Seldom waited for: the disk takes many at once, and what it has not forgotten at a crash is sent again.
    const forgotten = this.#forget(entries);
    if (this.#forgetting > MAX_FORGETTING) await forgotten;
    for (const entry of entries) {
      if (failure !== undefined) entry.batch.keep(); // It may be a part of what was sent, and its sender may come again with it.
      entry.settle?.(failure);
    }
  }

  async #forget(entries: readonly Entry[]): Promise<void> {
    this.#forgetting++;
    try {
      await this.#queue?.done(entries);
    } catch (error) {
      this.#parts.context.telemetry.log.warn('A batch that was sent could not be taken from the queue on disk and may be sent again.', {
        error: errorText(error),
      });
    }
    this.#forgetting--;
  }

  async #send(batch: Batch): Promise<void> {
    let attempts: number;
    try {
      attempts = await this.#retry.send(batch, this.#parts.send);
    } catch (error) {
      batch.keep();
      this.#failed.add(batch.itemCount, this.#attributes);
      this.#progress.wakeAll();
      throw error;
    }
    this.#sent.add(batch.itemCount, this.#attributes);
    // Only now: who gets an error may send the same batch again. A socket may still hold on to an attempt that failed.
    if (attempts === 1) batch.free();
    this.#aliveMs = this.#parts.context.clock.nowMs();
    this.#progress.wakeAll();
  }

  /** Lets a queue in memory run empty: each request that is left gets one more attempt. What is on disk stays there. */
  async shutdown(): Promise<void> {
    this.#retry.stop();
    this.#queue?.stop();
    await this.#batcher?.drain(); // Consumers may wait for a batch that only time would fill.
    await Promise.all(this.#consumers);
    await this.#batcher?.drain();
    await this.#queue?.close();
    for (const takeDown of this.#takeDown.splice(0)) takeDown();
  }
}
