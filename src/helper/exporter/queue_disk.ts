/**
 * The queue on disk: every batch is a value in a storage client under its number, in order, from the moment its sender is told yes until the
 * backend took it. Kept in memory: the numbers only, so an outage of hours costs disk and not memory. Survives kill -9: what was being
 * sent then is sent again (at least once). Written for any StorageClient; file_storage groups its fsyncs.
 *
 * A value is: u32 length of the header, the header as JSON (items, tenant, metadata), then the batch's bytes.
 */
import { Batch, type BatchContext, type Signal } from '#src/core/batch.ts';
import { errorText, RetryableError } from '#src/core/errors.ts';
import type { StorageClient } from '#src/core/storage.ts';
import type { Log } from '#src/core/telemetry.ts';
import { type Entry, type Queue, queueFull, type Sizer, sizeOf, Waiters } from './queue.ts';

interface Waiting {
  readonly index: number;
  readonly size: number;
  readonly sizeBytes: number;
}
interface Header {
  readonly items: number;
  readonly tenant?: string;
  readonly metadata?: [string, readonly string[]][];
}
// Numbers are padded so that the order of the keys is the order of the batches.
const keyOf = (index: number): string => `b${String(index).padStart(16, '0')}`;

export class DiskQueue implements Queue {
  readonly capacity: number;
  readonly #signal: Signal;
  readonly #sizer: Sizer;
  readonly #block: boolean;
  readonly #open: () => Promise<StorageClient>;
  readonly #log: Log;
  #client: StorageClient | null = null;
  #waiting: Waiting[] = [];
  #head = 0;
  #next = 0;
  size = 0;
  sizeBytes = 0;
  #stopped = false;
  readonly #takers = new Waiters();
  readonly #senders = new Waiters();

  constructor(signal: Signal, capacity: number, sizer: Sizer, blockOnOverflow: boolean, open: () => Promise<StorageClient>, log: Log) {
    this.#signal = signal;
    this.capacity = capacity;
    this.#sizer = sizer;
    this.#block = blockOnOverflow;
    this.#open = open;
    this.#log = log;
  }

  async start(): Promise<void> {
    this.#client = await this.#open();
    for (const key of await this.#client.keys()) {
      if (!key.startsWith('b')) continue;
      const index = Number(key.slice(1)),
        value = await this.#client.get(key);
      const batch = value && this.#decode(value);
      if (!batch) {
        this.#log.warn('A queued batch cannot be read and is dropped.', { key });
        await this.#client.apply([{ key, value: null }]);
        continue;
      }
      this.#add(index, batch);
      this.#next = index + 1;
    }
    if (this.#waiting.length > 0) this.#log.info('Batches of an earlier run are in the queue.', { batches: this.#waiting.length, bytes: this.sizeBytes });
  }

  async offer(batch: Batch, settle: Entry['settle']): Promise<void> {
    const size = sizeOf(batch, this.#sizer);
    while (this.size + size > this.capacity && !this.#stopped) {
      if (!this.#block || size > this.capacity) throw queueFull(this.capacity, this.#sizer);
      await this.#senders.wait();
    }
    if (this.#stopped || !this.#client) throw new RetryableError('the exporter is stopping');
    const index = this.#next++;
    this.size += size; // Counted before it is written: others may offer meanwhile.
    this.sizeBytes += batch.sizeBytes;
    try {
      await this.#client.apply([{ key: keyOf(index), value: this.#encode(batch) }]);
    } catch (error) {
      this.size -= size;
      this.sizeBytes -= batch.sizeBytes;
      throw new RetryableError(`the queue's storage refused the batch: ${errorText(error)}`, { cause: error });
    }
    this.#insert({ index, size, sizeBytes: batch.sizeBytes });
    batch.free(); // The disk has it.
    settle?.();
    this.#takers.wakeOne();
  }

  #add(index: number, batch: Batch): void {
    const size = sizeOf(batch, this.#sizer);
    this.#waiting.push({ index, size, sizeBytes: batch.sizeBytes });
    this.size += size;
    this.sizeBytes += batch.sizeBytes;
  }

  /** Writes may end in another order than they began in; the queue keeps the order of the numbers. */
  #insert(entry: Waiting): void {
    let at = this.#waiting.length;
    while (at > this.#head && this.#waiting[at - 1]!.index > entry.index) at--;
    this.#waiting.splice(at, 0, entry);
  }

  async take(): Promise<Entry | undefined> {
    for (;;) {
      if (this.#stopped || !this.#client) return undefined;
      if (this.#head === this.#waiting.length) {
        await this.#takers.wait();
        continue;
      }
      const { index, size, sizeBytes } = this.#waiting[this.#head++]!;
      if (this.#head > 1024 && this.#head * 2 > this.#waiting.length) {
        this.#waiting = this.#waiting.slice(this.#head);
        this.#head = 0;
      }
      this.size -= size;
      this.sizeBytes -= sizeBytes;
      this.#senders.wakeAll();
      try {
        const value = await this.#client.get(keyOf(index)),
          batch = value && this.#decode(value);
        if (batch) return { batch, settle: null, index };
        this.#log.warn('A queued batch cannot be read and is dropped.', { key: keyOf(index) });
        await this.#client.apply([{ key: keyOf(index), value: null }]);
      } catch (error) {
        // The consumer goes on with the next one.
        this.#log.error('A queued batch cannot be read; it stays on disk for the next start.', { key: keyOf(index), error: errorText(error) });
      }
    }
  }

  async done(entries: readonly Entry[]): Promise<void> {
    await this.#client?.apply(entries.map(({ index }) => ({ key: keyOf(index), value: null })));
  }

  stop(): void {
    this.#stopped = true;
    this.#takers.wakeAll();
    this.#senders.wakeAll();
  }

  async close(): Promise<void> {
    this.stop();
    const client = this.#client;
    this.#client = null;
    await client?.close();
  }

  #encode(batch: Batch): Uint8Array {
    const { tenant, metadata } = batch.context;
    const header: Header = { items: batch.itemCount, ...(tenant !== undefined && { tenant }), ...(metadata && { metadata: [...metadata] }) };
    const text = Buffer.from(JSON.stringify(header)),
      length = Buffer.allocUnsafe(4);
    length.writeUInt32LE(text.length);
    return Buffer.concat([length, text, ...batch.parts]);
  }

  #decode(value: Uint8Array): Batch | undefined {
    try {
      const bytes = Buffer.from(value.buffer, value.byteOffset, value.length),
        end = 4 + bytes.readUInt32LE(0);
      const header = JSON.parse(bytes.toString('utf8', 4, end)) as Header;
      const context: BatchContext = {
        ...(header.tenant !== undefined && { tenant: header.tenant }),
        ...(header.metadata && { metadata: new Map(header.metadata) }),
      };
      return new Batch(this.#signal, [bytes.subarray(end)], header.items, context, true);
    } catch {
      return undefined;
    }
  }
}
