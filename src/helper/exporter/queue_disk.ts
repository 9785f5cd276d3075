/**
 * The queue on disk: every batch is a value in a storage client under its number, in order, from the moment its sender is told yes until the
 * backend took it. Kept in memory: the numbers only, so an outage of hours costs disk and not memory. Survives kill -9: what was being
 * sent then is sent again (at least once). Written for any StorageClient; file_storage groups its fsyncs.
 *
 * A key is "b", the number of the batch, its items and its bytes, so that a start reads no values. A value is: u32 length of the header, the header
 * as JSON (the context), then the batch's bytes.
 */
import { Batch, type BatchContext, EMPTY_CONTEXT, type Signal } from '#src/core/batch.ts';
import { errorText, RetryableError } from '#src/core/errors.ts';
import type { StorageClient } from '#src/core/storage.ts';
import type { Log } from '#src/core/telemetry.ts';
import { type Entry, type Queue, queueFull, type Sizer, sizeOf, Waiters } from './queue.ts';

interface Waiting {
  readonly index: number;
  readonly items: number;
  readonly sizeBytes: number;
}
/** A BatchContext as JSON. */
interface Header {
  readonly tenant?: string;
  readonly clientAddress?: string;
  readonly metadata?: [string, readonly string[]][];
  readonly grpcMetadata?: [string, readonly string[]][];
  readonly authAttributes?: [string, string | string[]][];
}
// Numbers are padded so that the order of the keys is the order of the batches.
const keyOf = ({ index, items, sizeBytes }: Waiting): string => `b${String(index).padStart(16, '0')}.${items}.${sizeBytes}`;
const KEY = /^b(\d{16})\.(\d+)\.(\d+)$/;
function parseKey(key: string): Waiting | null {
  const match = KEY.exec(key);
  return match && { index: Number(match[1]), items: Number(match[2]), sizeBytes: Number(match[3]) };
}
const sizeBy = (sizer: Sizer, { items, sizeBytes }: Waiting): number => (sizer === 'requests' ? 1 : sizer === 'items' ? items : sizeBytes);

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
  /** Many batches of one sender have the same context: the last one, and its header. */
  #lastContext: BatchContext = EMPTY_CONTEXT;
  #lastHeader: Buffer = encodeContext(EMPTY_CONTEXT);

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
      const waiting = parseKey(key);
      if (waiting === null) continue;
      this.#waiting.push(waiting);
      this.size += sizeBy(this.#sizer, waiting);
      this.sizeBytes += waiting.sizeBytes;
      this.#next = waiting.index + 1;
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
    const waiting = { index: this.#next++, items: batch.itemCount, sizeBytes: batch.sizeBytes };
    this.size += size; // Counted before it is written: others may offer meanwhile.
    this.sizeBytes += batch.sizeBytes;
    try {
      await this.#client.apply([{ key: keyOf(waiting), value: this.#encode(batch) }]);
    } catch (error) {
      this.size -= size;
      this.sizeBytes -= batch.sizeBytes;
      throw new RetryableError(`the queue's storage refused the batch: ${errorText(error)}`, { cause: error });
    }
    this.#insert(waiting);
    batch.free(); // The disk has it.
    settle?.();
    this.#takers.wakeOne();
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
      const waiting = this.#waiting[this.#head++]!;
      const key = keyOf(waiting);
      if (this.#head > 1024 && this.#head * 2 > this.#waiting.length) {
        this.#waiting = this.#waiting.slice(this.#head);
        this.#head = 0;
      }
      this.size -= sizeBy(this.#sizer, waiting);
      this.sizeBytes -= waiting.sizeBytes;
      this.#senders.wakeAll();
      try {
        const value = await this.#client.get(key),
          batch = value && this.#decode(value, waiting);
        if (batch) return { batch, settle: null, index: waiting.index };
        this.#log.warn('A queued batch cannot be read and is dropped.', { key });
        await this.#client.apply([{ key, value: null }]);
      } catch (error) {
        // The consumer goes on with the next one.
        this.#log.error('A queued batch cannot be read; it stays on disk for the next start.', { key, error: errorText(error) });
      }
    }
  }

  async done(entries: readonly Entry[]): Promise<void> {
    const keys = entries.map(({ index, batch }) => keyOf({ index, items: batch.itemCount, sizeBytes: batch.sizeBytes }));
    await this.#client?.apply(keys.map((key) => ({ key, value: null })));
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
    if (batch.context !== this.#lastContext) {
      this.#lastContext = batch.context;
      this.#lastHeader = encodeContext(batch.context);
    }
    return Buffer.concat([this.#lastHeader, ...batch.parts], this.#lastHeader.length + batch.sizeBytes);
  }

  /** Undefined where it is not what the key says. */
  #decode(value: Uint8Array, { items, sizeBytes }: Waiting): Batch | undefined {
    const bytes = Buffer.from(value.buffer, value.byteOffset, value.length),
      end = bytes.length - sizeBytes;
    if (end < 4 || bytes.readUInt32LE(0) !== end - 4) return undefined;
    if (!this.#lastHeader.equals(bytes.subarray(0, end))) {
      const context = decodeContext(bytes.toString('utf8', 4, end));
      if (context === undefined) return undefined;
      this.#lastContext = context;
      this.#lastHeader = Buffer.from(bytes.subarray(0, end));
    }
    return new Batch(this.#signal, [bytes.subarray(end)], items, this.#lastContext, true);
  }
}

function encodeContext({ tenant, clientAddress, metadata, grpcMetadata, authAttributes }: BatchContext): Buffer {
  const header: Header = {
    ...(tenant !== undefined && { tenant }),
    ...(clientAddress !== undefined && { clientAddress }),
    ...(metadata && { metadata: [...metadata] }),
    ...(grpcMetadata && { grpcMetadata: [...grpcMetadata] }),
    ...(authAttributes && { authAttributes: [...authAttributes] }),
  };
  const text = Buffer.from(JSON.stringify(header)),
    out = Buffer.allocUnsafeSlow(4 + text.length);
  out.writeUInt32LE(text.length);
  text.copy(out, 4);
  return out;
}
function decodeContext(text: string): BatchContext | undefined {
  try {
    const { tenant, clientAddress, metadata, grpcMetadata, authAttributes } = JSON.parse(text) as Header;
    return {
      ...(tenant !== undefined && { tenant }),
      ...(clientAddress !== undefined && { clientAddress }),
      ...(metadata && { metadata: new Map(metadata) }),
      ...(grpcMetadata && { grpcMetadata: new Map(grpcMetadata) }),
      ...(authAttributes && { authAttributes: new Map(authAttributes) }),
    };
  } catch {
    return undefined;
  }
}
