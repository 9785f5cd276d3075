/**
 * The body of a unary call: one message behind a prefix of five bytes (compressed or not, and its length), as gRPC sends it. Bytes are
 * taken as they come and land in a buffer of the final size; a message that is most of one read is not copied at all.
 */
import { keepCopy, SMALL_BYTES } from '#src/core/slab.ts';

export const PREFIX_BYTES = 5;
export type Taken = 'ok' | 'too large' | 'too many' | 'no room' | 'bad flag';

/** Says whether there is room for a message that has only begun to arrive; it is given back when the call ends. */
export interface Reservations {
  reserve(sizeBytes: number): boolean;
}
const EMPTY = Buffer.alloc(0);

/** Base of the calls of server and client. Fields are set in one order, once. */
export class MessageStream {
  compressed = false;
  message: Buffer | null = null;
  /** Bytes of the message that are there. */
  filled = 0;
  /** The message is a view of what was read, not a copy. */
  isView = false;
  /** Bytes that are reserved for it. */
  reserved = 0;
  /** Announced size of the message. */
  size = 0;
  #prefixed = 0;

  /** Whether the one message is there. */
  get isComplete(): boolean {
    return this.message !== null && this.filled === this.size;
  }
  /** Whether the message has begun but is not all there. */
  get isCut(): boolean {
    return this.#prefixed > 0 && !this.isComplete;
  }

  /** Takes bytes[pos, end) of DATA. Whatever is not "ok" is final. */
  take(bytes: Buffer, start: number, end: number, limit: number, reservations: Reservations | null): Taken {
    let pos = start;
    if (this.#prefixed < PREFIX_BYTES) {
      for (; pos < end && this.#prefixed < PREFIX_BYTES; pos++, this.#prefixed++) {
        const byte = bytes[pos]!;
        if (this.#prefixed > 0) this.size = this.size * 256 + byte;
        else if (byte > 1) return 'bad flag';
        else this.compressed = byte === 1;
      }
      if (this.#prefixed < PREFIX_BYTES) return 'ok';
      const { size } = this;
      if (size > limit) return 'too large';
      if (end - pos >= size) {
        // A large message that is most of what was read stays where it is; others are not worth to hold on to the whole read.
        this.isView = size > SMALL_BYTES && size > bytes.length >> 1;
        this.message = size === 0 ? EMPTY : this.isView ? bytes.subarray(pos, pos + size) : keepCopy(bytes, pos, pos + size);
        this.filled = size;
        return end - pos === size ? 'ok' : 'too many';
      }
      if (reservations !== null) {
        if (!reservations.reserve(size)) return 'no room';
        this.reserved = size;
      }
      this.message = Buffer.allocUnsafeSlow(size);
    }
    const count = end - pos;
    if (count === 0) return 'ok';
    if (count > this.size - this.filled) return 'too many';
    bytes.copy(this.message!, this.filled, pos, end);
    this.filled += count;
    return 'ok';
  }
}

/** The prefix in front of a message. */
export function messagePrefix(sizeBytes: number, compressed: boolean): Buffer {
  const out = Buffer.allocUnsafe(PREFIX_BYTES);
  out[0] = compressed ? 1 : 0;
  out.writeUInt32BE(sizeBytes, 1);
  return out;
}
