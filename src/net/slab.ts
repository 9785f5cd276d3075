/**
 * Where small messages are kept: copied one behind the other into slabs, so that what was read can be given back at once and thousands of
 * small requests do not become thousands of pieces of memory that the garbage collector has to follow. A slab lives as long as one of its
 * messages, and messages that came together mostly leave together, in one batch.
 */
const SLAB_BYTES = 64 * 1024;
/** Larger ones get memory of their own. */
const SMALL_BYTES = 16 * 1024;

let slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
let used = 0;

/** A copy of bytes[pos, end). */
export function keepCopy(bytes: Buffer, pos: number, end: number): Buffer {
  const size = end - pos;
  if (size > SMALL_BYTES) {
    const own = Buffer.allocUnsafeSlow(size);
    bytes.copy(own, 0, pos, end);
    return own;
  }
  if (size > SLAB_BYTES - used) {
    slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
    used = 0;
  }
  const start = used;
  used += size;
  bytes.copy(slab, start, pos, end);
  return slab.subarray(start, used);
}
