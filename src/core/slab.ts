/**
 * The memory of messages, given back by hand. Gigabytes a minute go through here, and V8 looks through its whole heap whenever some tens of MB of
 * buffers have come together, so what is done with is not left to the garbage collector.
 *
 * Small messages are copied one behind the other into slabs: what was read can be given back at once, and thousands of small requests are not
 * thousands of pieces of memory. A slab counts the bytes it holds; when the last of them is freed it is used again. What nobody frees is garbage
 * like everything else: a slab in use is known to nobody but its messages.
 */
const SLAB_BYTES = 64 * 1024;
/** Larger messages have memory of their own. */
export const SMALL_BYTES = 16 * 1024;
/** 4 MB of empty slabs are kept: a full batch of small requests. */
const MAX_SPARE = 64;

class Slab {
  readonly bytes = Buffer.allocUnsafeSlow(SLAB_BYTES);
  used = 0;
  held = 0;
  constructor() {
    slabs.set(this.bytes.buffer, this);
  }
}
const slabs = new WeakMap<ArrayBufferLike, Slab>();
const spare: Slab[] = [];
let current = new Slab();

/** A copy of bytes[pos, end); `freeBytes` takes it back. */
export function keepCopy(bytes: Buffer, pos: number, end: number): Buffer {
  const size = end - pos;
  if (size > SMALL_BYTES) {
    const own = Buffer.allocUnsafeSlow(size);
    bytes.copy(own, 0, pos, end);
    return own;
  }
  if (size > SLAB_BYTES - current.used) current = current.held === 0 ? reset(current) : (spare.pop() ?? new Slab());
  const slab = current;
  const start = slab.used;
  slab.used += size;
  slab.held += size;
  bytes.copy(slab.bytes, start, pos, end);
  return slab.bytes.subarray(start, slab.used);
}
function reset(slab: Slab): Slab {
  slab.used = 0;
  return slab;
}

/**
 * Gives bytes back: to their slab, or at once where they are most of a large buffer. Only for bytes that nobody else can have, once, and in the
 * size they were got (or neighbours of one slab together).
 */
export function freeBytes({ buffer, length }: Uint8Array): void {
  const slab = slabs.get(buffer);
  if (slab !== undefined) {
    slab.held -= length;
    if (slab.held === 0 && slab !== current && spare.length < MAX_SPARE) spare.push(reset(slab));
  } else if (length > SMALL_BYTES && length * 2 > buffer.byteLength) release(buffer);
}

/** Gives back the memory of a read of a socket, unless it lies in memory that others use, too. */
export function freeRead({ buffer, length }: Uint8Array): void {
  if (length >= MIN_RELEASE_BYTES && length === buffer.byteLength) release(buffer);
}
/** Less than this is not worth the call. */
const MIN_RELEASE_BYTES = 512;

function release(buffer: ArrayBufferLike): void {
  if (buffer instanceof ArrayBuffer && !buffer.detached) buffer.transfer(0);
}
