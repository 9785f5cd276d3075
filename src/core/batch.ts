/**
 * The batch: what flows through the graph. It is nothing but OTLP protobuf bytes (TracesData, MetricsData, LogsData, which have the
 * same encoding as the Export*ServiceRequest messages), with the signal, the number of items and the context they came with.
 * Immutable: two branches of the graph hold the same object. What reads or rewrites the bytes is in src/data; nothing here looks inside.
 */

export type Signal = 'traces' | 'metrics' | 'logs';
export const SIGNALS: readonly Signal[] = ['traces', 'metrics', 'logs'];

/** Spans, data points or log records: what limits, counters and batch sizes count. */
export const ITEM_NAMES: Readonly<Record<Signal, string>> = { traces: 'spans', metrics: 'metric_points', logs: 'log_records' };

/** What came beside the bytes. Keys of `metadata` are lower case; `tenant` is set by whoever authenticated or read X-Scope-OrgID. */
export interface BatchContext {
  readonly tenant?: string;
  readonly metadata?: ReadonlyMap<string, readonly string[]>;
  /** The sender's address without its port. */
  readonly clientAddress?: string;
  /** Headers of the gRPC call the batch came with, whether or not the receiver keeps them as metadata; lower case. */
  readonly grpcMetadata?: ReadonlyMap<string, readonly string[]>;
  /** What the authenticator says of the sender: "username", "subject", ... */
  readonly authAttributes?: ReadonlyMap<string, string | string[]>;
}
export const EMPTY_CONTEXT: BatchContext = Object.freeze({});

export class Batch {
  readonly signal: Signal;
  /**
   * One or more OTLP messages whose concatenation is the batch: the top level has repeated fields only, so messages concatenate into a
   * valid message, and a batcher need not copy. Every part is a valid message of its own. Nobody writes into them, ever.
   */
  readonly parts: readonly Uint8Array[];
  /** Spans, data points or log records in all parts together. */
  readonly itemCount: number;
  readonly sizeBytes: number;
  readonly context: BatchContext;
  /**
   * Nobody but the holder of this object has its bytes, and no part is a view of something larger: who is done with it may `free()` it. Receivers
   * that made the bytes set it; where a batch goes to several, or is cut into views, it is lost (`shared()`).
   */
  readonly exclusive: boolean;
  #joined: Uint8Array | null = null;

  constructor(signal: Signal, parts: readonly Uint8Array[], itemCount: number, context: BatchContext = EMPTY_CONTEXT, exclusive = false) {
    this.signal = signal;
    this.parts = parts;
    this.itemCount = itemCount;
    this.context = context;
    this.exclusive = exclusive;
    let size = 0;
    for (let i = 0; i < parts.length; i++) size += parts[i]!.length;
    this.sizeBytes = size;
  }

  /** The whole batch as one message; joins the parts once where there are several, so prefer `parts` in loops. */
  get bytes(): Uint8Array {
    if (this.parts.length === 1) return this.parts[0]!;
    this.#joined ??= Buffer.concat(this.parts, this.sizeBytes);
    return this.#joined;
  }

  /** The same bytes for several holders. */
  shared(): Batch {
    return this.exclusive ? new Batch(this.signal, this.parts, this.itemCount, this.context) : this;
  }

  /**
   * The last holder is done: gives large buffers back at once, instead of leaving megabytes to the next garbage collection. Nothing happens to
   * a batch that is not exclusive; nobody may touch the bytes of one that is afterwards.
   */
  free(): void {
    if (!this.exclusive) return;
    for (const part of this.parts) freeBytes(part);
  }
}

/** Smaller buffers are the garbage collector's: they may lie in slabs that others use. */
const FREED_BYTES = 64 << 10;

/** Gives a large buffer back at once. Only for bytes that nobody else can have. */
export function freeBytes({ buffer, length }: Uint8Array): void {
  if (length >= FREED_BYTES && length * 2 > buffer.byteLength && buffer instanceof ArrayBuffer && !buffer.detached) buffer.transfer(0);
}
