/**
 * Small things about bytes that everybody needs: UTF-8 with a fast path for short ASCII, hex, comparison, varint sizes. Everything works on
 * Uint8Array; `Buffer` is only how Node spells the native routines. Nothing here knows a format.
 */

/** The same memory as a Buffer, for its native string routines; nothing is copied. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** Bytes that `value` takes as a varint; `value` is taken as unsigned 32 bits. */
export function varintSize(value: number): number {
  const v = value >>> 0;
  return v < 0x80 ? 1 : v < 0x4000 ? 2 : v < 0x200000 ? 3 : v < 0x10000000 ? 4 : 5;
}
/** Writes `value`, unsigned 32 bits, and returns the position behind it. */
export function putVarint(bytes: Uint8Array, at: number, value: number): number {
  let v = value >>> 0;
  let o = at;
  while (v > 127) {
    bytes[o++] = (v & 127) | 128;
    v >>>= 7;
  }
  bytes[o] = v;
  return o + 1;
}
/** Writes the unsigned 64 bits (hi, lo) as a varint and returns the position behind it. */
export function putVarint64(bytes: Uint8Array, at: number, lo: number, hi: number): number {
  let l = lo >>> 0;
  let h = hi >>> 0;
  let o = at;
  while (h !== 0) {
    bytes[o++] = (l & 127) | 128;
    l = ((l >>> 7) | (h << 25)) >>> 0;
    h >>>= 7;
  }
  return putVarint(bytes, o, l);
}
export function varint64Size(lo: number, hi: number): number {
  const h = hi >>> 0;
  const l = lo >>> 0;
  if (h === 0) return varintSize(l);
  const bits = 64 - Math.clz32(h);
  return Math.ceil(bits / 7);
}

/** Whether n bytes are equal; positions are the caller's to check. Four bytes a step, the last step overlapping. */
export function equalBytes(a: DataView, i: number, b: DataView, j: number, n: number): boolean {
  if (n < 4) {
    for (let k = 0; k < n; k++) if (a.getUint8(i + k) !== b.getUint8(j + k)) return false;
    return true;
  }
  const last = n - 4;
  for (let k = 0; k < last; k += 4) if (a.getInt32(i + k, true) !== b.getInt32(j + k, true)) return false;
  return a.getInt32(i + last, true) === b.getInt32(j + last, true);
}

/**
 * Copies n > 0 bytes, 16 a step: for short ones, where a native copy takes longer (as long as 180 bytes do). The last step runs over by up to 15 bytes
 * on both sides; that they may be read and written is the caller's to have seen to. BigInt is only how a DataView spells eight bytes: compiled, it
 * is a load and a store.
 */
export function copyShort(from: DataView, i: number, to: DataView, j: number, n: number): void {
  for (let k = 0; k < n; k = (k + 16) | 0) {
    to.setBigInt64(j + k, from.getBigInt64(i + k, true), true);
    to.setBigInt64(j + k + 8, from.getBigInt64(i + k + 8, true), true);
  }
}
/** How much `copyShort` may run over. */
export const COPY_SLACK = 16;

/** Size of a string in UTF-8. */
export function utf8Size(text: string): number {
  return Buffer.byteLength(text);
}
/** Writes `text` and returns how many bytes that were; `size` is its `utf8Size`. The room is the caller's to have made. */
export function putUtf8(bytes: Buffer, at: number, text: string, size: number): number {
  if (size === text.length && size < 40) for (let i = 0; i < size; i++) bytes[at + i] = text.charCodeAt(i);
  else bytes.utf8Write(text, at, size);
  return size;
}

const HEX = '0123456789abcdef';
/** Lower-case hex of [start, end). */
export function hexText(bytes: Uint8Array, start = 0, end = bytes.length): string {
  if (end - start > 64) return asBuffer(bytes).toString('hex', start, end);
  let text = '';
  for (let i = start; i < end; i++) text += HEX[bytes[i]! >> 4]! + HEX[bytes[i]! & 15]!;
  return text;
}
/** The bytes of a hex string of either case, or null where it is none. */
export function parseHex(text: string): Buffer | null {
  if (text.length % 2 !== 0) return null;
  const bytes = Buffer.from(text, 'hex'); // Stops at the first character that is not hex.
  return bytes.length * 2 === text.length ? bytes : null;
}
