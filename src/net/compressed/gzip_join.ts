/**
 * Several gzip members made one, without compressing anything again: the deflate streams stand behind each other, since a stream is blocks of which
 * only the last says so, and the checksum of the whole follows from those of the parts. Members that are merely written one behind the other
 * are valid gzip, too (RFC 1952), but grpc's C core refuses them and others read the first and forget the rest.
 */
import { endBit, lastBlockBit, walkDeflate } from './deflate_walk.ts';
import { readU32 } from './words.ts';

const HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);
const TRAILER_BYTES = 8;
/** An empty stored block: three bits, zeros up to the next byte, and a length of 0 with its complement. */
const FILLER_BYTES = 6;

const FHCRC = 2;
const FEXTRA = 4;
const FNAME = 8;
const FCOMMENT = 16;

/** One member of the content of all; null where one of them is not exactly one member. */
export function joinGzip(members: readonly Uint8Array[]): Buffer | null {
  let room = HEADER.length + TRAILER_BYTES;
  for (let i = 0; i < members.length; i++) room += members[i]!.length + FILLER_BYTES;
  const out = Buffer.allocUnsafeSlow(room);
  let at = HEADER.copy(out);
  let checksum = 0;
  let size = 0;
  for (let i = 0; i < members.length; i++) {
    const bytes = members[i]!;
    const start = headerBytes(bytes);
    const end = bytes.length - TRAILER_BYTES;
    if (start < 0 || !walkDeflate(bytes, start, end) || (endBit + 7) >> 3 !== end) return null;
    const from = at;
    out.set(bytes.subarray(start, end), from);
    at += end - start;
    if (i < members.length - 1) {
      out[from + (lastBlockBit >> 3) - start]! &= ~(1 << (lastBlockBit & 7));
      at = alignBlocks(out, at, endBit & 7);
    }
    const own = readU32(bytes, end + 4);
    checksum = joinChecksums(checksum, readU32(bytes, end), own);
    size += own;
  }
  out.writeUInt32LE(checksum, at);
  out.writeUInt32LE(size >>> 0, at + 4);
  return out.subarray(0, at + TRAILER_BYTES);
}

/** The next stream begins with a byte. Of the last byte `bitsUsed` bits are blocks (0: all); an empty stored block takes up the rest. */
function alignBlocks(out: Buffer, at: number, bitsUsed: number): number {
  if (bitsUsed === 0) return at;
  out[at - 1]! &= (1 << bitsUsed) - 1;
  let next = at;
  if (bitsUsed > 5) out[next++] = 0;
  out.writeUInt32LE(0xffff0000, next);
  return next + 4;
}

/** The length of a member's header; -1 where there is none. */
function headerBytes(bytes: Uint8Array): number {
  const last = bytes.length - TRAILER_BYTES;
  if (last < HEADER.length || bytes[0] !== 0x1f || bytes[1] !== 0x8b || bytes[2] !== 8) return -1;
  const flags = bytes[3]!;
  let at = 10;
  if (flags & FEXTRA) at += 2 + bytes[at]! + bytes[at + 1]! * 256;
  for (const flag of [FNAME, FCOMMENT]) {
    if ((flags & flag) === 0) continue;
    at = bytes.indexOf(0, at) + 1;
    if (at === 0) return -1;
  }
  if (flags & FHCRC) at += 2;
  return at < last ? at : -1;
}

// CRC-32 is a remainder modulo this polynomial, bits reversed: to put bytes behind it is to multiply by x^8 for each of them.
const POLYNOMIAL = 0xedb88320 | 0;
const ONE = 0x80000000 | 0;

/** CRC-32 of two pieces one behind the other, the second of `size` bytes. */
export function joinChecksums(first: number, second: number, size: number): number {
  let shifted = first | 0;
  for (let left = size >>> 0, i = 3; left > 0; left >>>= 1, i++) if (left & 1) shifted = multiply(shifted, SHIFTS[i]!);
  return (shifted ^ second) >>> 0;
}
/** x^(2^i). */
const SHIFTS = shifts();
function shifts(): Int32Array {
  const out = new Int32Array(35);
  out[0] = 0x40000000;
  for (let i = 1; i < out.length; i++) out[i] = multiply(out[i - 1]!, out[i - 1]!);
  return out;
}
function multiply(left: number, right: number): number {
  let product = 0;
  let b = right;
  for (let bit = ONE; bit !== 0; bit >>>= 1) {
    if (left & bit) product ^= b;
    b = b & 1 ? (b >>> 1) ^ POLYNOMIAL : b >>> 1;
  }
  return product;
}
