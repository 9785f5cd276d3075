/** Compares, copies and hashes short runs of bytes faster than Buffer's calls, which cost 40 to 80 ns each whatever the size. */

/** Whether a[aFrom, +size) and b[bFrom, +size) are the same bytes. Both views must hold the range. */
export function equalBytes(a: DataView, aFrom: number, b: DataView, bFrom: number, size: number): boolean {
  let offset = 0;
  for (const words = size - 7; offset < words; offset += 8) {
    if (a.getInt32(aFrom + offset, true) !== b.getInt32(bFrom + offset, true)) return false;
    if (a.getInt32(aFrom + offset + 4, true) !== b.getInt32(bFrom + offset + 4, true)) return false;
  }
  for (; offset < size; offset++) if (a.getUint8(aFrom + offset) !== b.getUint8(bFrom + offset)) return false;
  return true;
}

/** Copies from[fromOffset, +size) to to[toOffset, ...); integers, so that no NaN is rewritten. */
export function copyBytes(from: DataView, fromOffset: number, to: DataView, toOffset: number, size: number): void {
  let offset = 0;
  for (const words = size - 3; offset < words; offset += 4) to.setInt32(toOffset + offset, from.getInt32(fromOffset + offset, true), true);
  for (; offset < size; offset++) to.setUint8(toOffset + offset, from.getUint8(fromOffset + offset));
}

/** A 32-bit hash of bytes[from, +size), for tables that compare the bytes afterwards. */
export function hashBytes(bytes: DataView, from: number, size: number): number {
  let a = size | 0;
  let b = 0x9e3779b1 | 0;
  let offset = 0;
  for (const words = size - 7; offset < words; offset += 8) {
    a = Math.imul(a ^ bytes.getInt32(from + offset, true), 0x85ebca6b);
    b = Math.imul(b ^ bytes.getInt32(from + offset + 4, true), 0xc2b2ae35 | 0);
    a ^= b >>> 15;
    b ^= a >>> 13;
  }
  for (; offset < size; offset++) a = Math.imul(a ^ bytes.getUint8(from + offset), 0x01000193) ^ (a >>> 17);
  a ^= Math.imul(b ^ (b >>> 16), 0x27d4eb2f);
  a = Math.imul(a ^ (a >>> 15), 0x2c1b3c6d);
  return a ^ (a >>> 13);
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
