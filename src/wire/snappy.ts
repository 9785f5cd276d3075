/**
 * Snappy, block format (https://github.com/google/snappy/blob/main/format_description.txt): the body of remote write and the payload of WAL
 * records. Sizes are checked before anything is allocated. The framing format (`.sz`) is not here.
 */
import { PermanentError } from '#src/core/errors.ts';
import { putVarint, viewOf } from './bytes.ts';

/** Copies go four bytes at a time and may write up to this many bytes too many; the next element overwrites them. */
const SLACK = 8;
/** Nothing that snappy writes is compressed more than this: a copy of 64 bytes takes three. A claim beyond is refused before memory is taken. */
const MAX_RATIO = 24;

/** The size that the compressed `bytes` claim to have decompressed. */
export function snappyLength(bytes: Uint8Array, start = 0, end = bytes.length): number {
  let value = 0;
  let p = start;
  for (let scale = 1; ; scale *= 128) {
    if (p >= end || p - start >= 5) throw new PermanentError('snappy: the length is truncated');
    const c = bytes[p++]!;
    value += (c & 127) * scale;
    if (c < 128) break;
  }
  if (value > 0xffffffff) throw new PermanentError('snappy: the length is too long');
  return value;
}

/** Decompressed `bytes`; refuses more than `maxBytes` and anything malformed with PermanentError. The result is the caller's own. */
export function snappyDecode(bytes: Uint8Array, maxBytes: number): Buffer {
  const size = snappyLength(bytes);
  if (size > maxBytes) throw new PermanentError(`snappy: ${size} bytes decompressed are more than the limit of ${maxBytes}`);
  if (size > bytes.length * MAX_RATIO) throw new PermanentError(`snappy: claims ${size} bytes, which ${bytes.length} compressed bytes cannot hold`);
  const out = Buffer.allocUnsafe(size + SLACK);
  if (!decode(bytes, viewOf(bytes), out, viewOf(out), size)) throw new PermanentError('snappy: corrupt input');
  return out.subarray(0, size);
}
/** The same into a buffer that the caller owns and that has at least `snappyLength(bytes)` + 8 bytes; returns the size. */
export function snappyDecodeInto(bytes: Uint8Array, out: Uint8Array): number {
  const size = snappyLength(bytes);
  if (size + SLACK > out.length) throw new PermanentError(`snappy: ${size} bytes do not fit`);
  if (!decode(bytes, viewOf(bytes), out, viewOf(out), size)) throw new PermanentError('snappy: corrupt input');
  return size;
}

function decode(src: Uint8Array, sv: DataView, dst: Uint8Array, dv: DataView, size: number): boolean {
  const n = src.length;
  let p = 0;
  let o = 0;
  while (src[p++]! > 127);
  while (p < n) {
    const tag = src[p++]!;
    const kind = tag & 3;
    let length = (tag >> 2) + 1;
    if (kind === 0) {
      if (length > 60) {
        const more = length - 60;
        if (p + more > n) return false;
        length = 1;
        for (let j = 0; j < more; j++) length += src[p + j]! * 2 ** (8 * j);
        p += more;
      }
      if (o + length > size || p + length > n) return false;
      if (length > 256) dst.set(src.subarray(p, p + length), o);
      else if (p + length + 4 <= n) for (let j = 0; j < length; j += 4) dv.setInt32(o + j, sv.getInt32(p + j, true), true);
      else for (let j = 0; j < length; j++) dst[o + j] = src[p + j]!;
      o += length;
      p += length;
      continue;
    }
    let offset: number;
    if (kind === 1) {
      if (p >= n) return false;
      length = 4 + ((tag >> 2) & 7);
      offset = ((tag >> 5) << 8) | src[p++]!;
    } else if (kind === 2) {
      if (p + 2 > n) return false;
      offset = src[p]! | (src[p + 1]! << 8);
      p += 2;
    } else {
      if (p + 4 > n) return false;
      offset = sv.getInt32(p, true);
      p += 4;
    }
    const from = o - offset;
    if (offset <= 0 || from < 0 || o + length > size) return false;
    if (offset >= 4) for (let j = 0; j < length; j += 4) dv.setInt32(o + j, dv.getInt32(from + j, true), true);
    else for (let j = 0; j < length; j++) dst[o + j] = dst[from + j]!;
    o += length;
  }
  return o === size;
}

// ---- encoder: the format's own block of 64 KB, a hash table of 4-byte words, greedy
const BLOCK = 65536;
const table = new Uint16Array(1 << 14);
/** Bytes that `size` bytes may take compressed at worst. */
export function snappyMaxLength(size: number): number {
  return 32 + size + Math.floor(size / 6);
}
/** Compressed `bytes`; the result is the caller's own. */
export function snappyEncode(bytes: Uint8Array): Buffer {
  const out = Buffer.allocUnsafe(snappyMaxLength(bytes.length));
  return out.subarray(0, snappyEncodeInto(bytes, 0, bytes.length, out, 0));
}
/** Compresses [start, end) into `out` at `at`, which has room for `snappyMaxLength`; returns the position behind it. */
export function snappyEncodeInto(bytes: Uint8Array, start: number, end: number, out: Uint8Array, at: number): number {
  let o = putVarint(out, at, end - start);
  const view = viewOf(bytes);
  for (let p = start; p < end; p += BLOCK) o = encodeBlock(bytes, view, p, Math.min(end, p + BLOCK), out, o);
  return o;
}
function encodeBlock(src: Uint8Array, view: DataView, start: number, end: number, out: Uint8Array, at: number): number {
  let o = at;
  let literalFrom = start;
  const size = end - start;
  if (size >= 16) {
    let bits = 8;
    while (bits < 14 && 1 << bits < size) bits++;
    const shift = 32 - bits;
    table.fill(0, 0, 1 << bits);
    const limit = end - 15;
    let p = start + 1;
    let skip = 32; // Every 32 misses the step grows by one: what does not compress passes quickly.
    while (p < limit) {
      const word = view.getInt32(p, true);
      const slot = Math.imul(word, 0x1e35a7bd) >>> shift;
      const candidate = start + table[slot]!;
      table[slot] = p - start;
      if (view.getInt32(candidate, true) !== word || candidate >= p) {
        p += skip++ >> 5;
        continue;
      }
      skip = 32;
      let length = 4;
      let a = candidate + 4;
      let b = p + 4;
      while (b <= end - 4 && view.getInt32(a, true) === view.getInt32(b, true)) {
        a += 4;
        b += 4;
      }
      while (b < end && src[a] === src[b]) {
        a++;
        b++;
      }
      length = b - p;
      if (p > literalFrom) o = putLiteral(src, literalFrom, p, out, o);
      o = putCopy(out, o, p - candidate, length);
      p = literalFrom = b;
      if (p < limit) {
        const w = view.getInt32(p - 1, true);
        table[Math.imul(w, 0x1e35a7bd) >>> shift] = p - 1 - start;
      }
    }
  }
  return literalFrom < end ? putLiteral(src, literalFrom, end, out, o) : o;
}
function putLiteral(src: Uint8Array, from: number, to: number, out: Uint8Array, at: number): number {
  let o = at;
  const n = to - from - 1;
  if (n < 60) out[o++] = n << 2;
  else if (n < 256) {
    out[o++] = 60 << 2;
    out[o++] = n;
  } else {
    out[o++] = 61 << 2;
    out[o++] = n & 255;
    out[o++] = n >> 8;
  }
  if (n < 48) for (let p = from; p < to; p++) out[o++] = src[p]!;
  else {
    out.set(src.subarray(from, to), o);
    o += to - from;
  }
  return o;
}
function putCopy(out: Uint8Array, at: number, offset: number, size: number): number {
  let o = at;
  let length = size;
  while (length >= 68) {
    out[o++] = (63 << 2) | 2;
    out[o++] = offset & 255;
    out[o++] = offset >> 8;
    length -= 64;
  }
  if (length > 64) {
    out[o++] = (59 << 2) | 2; // 60 now, so that at least four remain.
    out[o++] = offset & 255;
    out[o++] = offset >> 8;
    length -= 60;
  }
  if (length >= 12 || offset >= 2048) {
    out[o++] = ((length - 1) << 2) | 2;
    out[o++] = offset & 255;
    out[o++] = offset >> 8;
  } else {
    out[o++] = ((offset >> 8) << 5) | ((length - 4) << 2) | 1;
    out[o++] = offset & 255;
  }
  return o;
}
