/**
 * The batch: what flows through the graph. It is nothing but OTLP protobuf bytes (TracesData, MetricsData, LogsData, which have the
 * same encoding as the Export*ServiceRequest messages), with the signal, the number of items and the context they came with.
 * Immutable: two branches of the graph hold the same object. What reads or rewrites the bytes is in src/data; nothing here looks inside.
 */
import { freeBytes } from './slab.ts';

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

/** What a maker of batches that come again and again knows beyond their bytes. */
export interface BatchOrigin {
  /** The same object in two batches of one part: both are the same bytes but for the eight of each point's time, value, count and sum. Null: nothing is known. */
  readonly layout: object | null;
  /** Called by free() instead of giving the memory back: the maker writes the next batch into it. */
  readonly release: (() => void) | null;
}

/** Codings whose bodies can be put together without being compressed again. */
export type PackedCoding = 'gzip' | 'zstd';
/** A stretch of a batch's bytes, so many of them, and what they were before they were decompressed: a gzip member or zstd frame; null where that is not known. */
export interface PackedPiece {
  readonly member: Uint8Array | null;
  readonly plainBytes: number;
}
/** The compressed form that the bytes of a batch came in, for exporters that would compress them the same way. */
export interface Packed {
  readonly coding: PackedCoding;
  /** One behind the other they are the batch. */
  readonly pieces: readonly PackedPiece[];
  /** Whether it is worth keeping when batches are put together. */
  readonly joinable: boolean;
}
/** What can be done with a compressed form: nothing, send the batch as it came, send several put together. */
export type PackedUse = 'none' | 'alone' | 'joined';
/** Of several who get the same batch. */
export function mostUse(uses: readonly PackedUse[]): PackedUse {
  return uses.includes('joined') ? 'joined' : uses.includes('alone') ? 'alone' : 'none';
}

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
   * Nobody but the holder of this object has its bytes, and no part is a view of what others hold: who is done with it may `free()` it. Receivers
   * that made the bytes (or got them of slab.ts) set it; where a batch goes to several, or is cut into views, it is lost (`shared()`).
   */
  get exclusive(): boolean {
    return this.#exclusive;
  }
  readonly origin: BatchOrigin | null;
  #packed: Packed | null;
  #exclusive: boolean;
  #joined: Uint8Array | null = null;
  #freed = false;

  constructor(
    signal: Signal,
    parts: readonly Uint8Array[],
    itemCount: number,
    context: BatchContext = EMPTY_CONTEXT,
    exclusive = false,
    origin: BatchOrigin | null = null,
    packed: Packed | null = null,
  ) {
    this.signal = signal;
    this.parts = parts;
    this.itemCount = itemCount;
    this.context = context;
    this.#exclusive = exclusive;
    this.origin = origin;
    this.#packed = packed;
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

  /** The compressed form it came in. Null where it came in otherwise, was made here, or nobody can use it. */
  get packed(): Packed | null {
    return this.#packed;
  }

  /** The same bytes for several holders. */
  shared(): Batch {
    if (!this.exclusive) return this;
    const layout = this.origin === null ? null : this.origin.layout;
    return new Batch(this.signal, this.parts, this.itemCount, this.context, false, layout === null ? null : { layout, release: null }, this.#packed);
  }

  /** An attempt to send it failed, and a socket may go on to read the bytes: from now on they are left to the garbage collection, whoever is done with them. */
  keep(): void {
    this.#exclusive = false;
  }

  /**
   * The last holder is done: gives the bytes back at once, instead of leaving megabytes to the next garbage collection. Nothing happens to
   * a batch that is not exclusive; nobody may touch the bytes of one that is afterwards. `but`: parts that live on in another batch.
   */
  free(but: readonly Uint8Array[] = []): void {
    if (!this.exclusive || this.#freed) return;
    this.#freed = true;
    this.freePacked();
    if (this.origin?.release) {
      if (but.length === 0 || !this.parts.some((part) => but.includes(part))) this.origin.release();
      return;
    }
    for (const part of this.parts) if (!but.includes(part)) freeBytes(part);
  }

  /** Gives back the compressed form alone: whoever goes on with the bytes has no use for it. */
  freePacked(): void {
    if (!this.exclusive || this.#packed === null) return;
    for (const { member } of this.#packed.pieces) if (member !== null) freeBytes(member);
    this.#packed = null;
  }
}
