/**
 * The memory that a rewriting pass works in: one buffer with the pre-encoded literals of the configuration, then the message being read, then
 * what the callbacks wrote, so that an offset alone says where a value is. It grows when it must; offsets stay valid, the buffer does not:
 * take `space.bytes` anew after anything that may have written. A reader of foreign bytes has a space of its own without literals and scratch.
 */
import assert from 'node:assert';
import { asBuffer, viewOf } from '#src/wire/bytes.ts';

/** Larger buffers than this are given back after the batch that needed them. */
const KEEP_BYTES = 32 << 20;
/** Free bytes that are always behind what is in use: short copies run over. */
const SLACK = 16;
const MAX_BYTES = 1 << 30; // Offsets are int32, and a message above this is nobody's intention.

export class Space {
  bytes: Buffer;
  view: DataView;
  /** First free byte of the scratch. */
  top = 0;
  #literalEnd = 0;
  #loaded = false;

  constructor(capacity = 0) {
    this.bytes = Buffer.allocUnsafeSlow(capacity);
    this.view = viewOf(this.bytes);
  }

  /** Reader: looks at foreign bytes. Nothing can be written there. */
  look(bytes: Uint8Array): void {
    if (this.bytes === bytes) return;
    this.bytes = asBuffer(bytes);
    this.view = viewOf(this.bytes);
    this.top = bytes.length;
  }

  /** Keeps `bytes` for good and returns where; only while no pass is running, when configuration is compiled. */
  literal(bytes: Uint8Array): number {
    assert(!this.#loaded, 'a literal must be made before the pass begins');
    this.top = this.#literalEnd;
    const at = this.room(bytes.length);
    this.bytes.set(bytes, at);
    this.#literalEnd = this.top;
    return at;
  }

  /** Begins a pass over `message`; returns where it lies now. */
  load(message: Uint8Array): number {
    assert(!this.#loaded, 'a pass is running already');
    this.top = this.#literalEnd;
    const at = this.room(message.length + 64); // Some room, that small batches do not grow it at once.
    this.#loaded = true;
    asBuffer(message).copy(this.bytes, at);
    this.top = at + message.length;
    return at;
  }
  /** Ends the pass; what was written into the scratch is gone. */
  unload(): void {
    this.#loaded = false;
    this.top = this.#literalEnd;
    if (this.bytes.length > KEEP_BYTES) this.#resize(Math.max(1 << 20, this.#literalEnd * 2));
  }

  /** Takes `size` bytes of scratch and returns where they begin. The buffer may be another one afterwards. */
  room(size: number): number {
    const at = this.top;
    if (at + size + SLACK > this.bytes.length) this.#resize(Math.max(at + size + 4096, this.bytes.length * 2));
    this.top = at + size;
    return at;
  }
  #resize(size: number): void {
    if (size > MAX_BYTES) throw new RangeError(`a batch needs ${size} bytes to be rewritten, more than ${MAX_BYTES}`);
    const bytes = Buffer.allocUnsafeSlow(size);
    this.bytes.copy(bytes, 0, 0, this.top);
    this.bytes = bytes;
    this.view = viewOf(bytes);
  }
}

/** The one space of all rewriters: a pass is synchronous, so they take turns. */
export const arena = new Space(1 << 20);

/** Bytes in the arena that a compiled configuration compares with or copies. */
export interface Literal {
  readonly start: number;
  readonly size: number;
}
const made = new Map<string, Literal>(); // The same literal again after a reload takes no new room.
export function literal(value: string | Uint8Array): Literal {
  const bytes = typeof value === 'string' ? Buffer.from(value) : asBuffer(value);
  const name = bytes.latin1Slice();
  let found = made.get(name);
  if (found === undefined) {
    found = { start: arena.literal(bytes), size: bytes.length };
    made.set(name, found);
  }
  return found;
}
