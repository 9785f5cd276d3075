/**
 * lz4 in its frame format, both ways, as the Collector speaks it in HTTP bodies. Written for the one use: greedy matches, whole buffers. Read is
 * what the format has but dictionaries and the legacy frames of the first versions.
 * https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md, https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md
 */
import { PermanentError } from '#src/core/errors.ts';
import { readI32, readU32 } from './words.ts';
import { xxh32 } from './xxh32.ts';

const MAGIC = 0x184d2204;
const SKIPPABLE_MAGIC = 0x184d2a50;
const STORED = 0x80000000;
/** Version 1, blocks that do not refer to each other, a checksum of the content; blocks of at most 4 MB. */
const FLAGS = 0x64;
const BLOCK_DESCRIPTOR = 0x70;
const MAX_BLOCK_BYTES = 4 << 20;

const MIN_MATCH = 4;
/** The last match begins this much before the end of a block at the latest, and the last 5 bytes are literals. */
const LAST_MATCH_BYTES = 12;
const LAST_LITERALS = 5;
const MAX_OFFSET = 65535;

/** The content of all frames. RangeError beyond `limit` bytes, PermanentError where the format or a checksum is broken. */
export function decodeLz4(bytes: Uint8Array, limit: number): Buffer {
  const output = new Output(Math.min(limit, bytes.length * 4), limit);
  for (let at = 0; at < bytes.length; ) {
    const magic = checkedU32(bytes, at);
    if (magic === MAGIC) at = decodeFrame(bytes, at + 4, output);
    else if (magic >>> 4 === SKIPPABLE_MAGIC >>> 4) at += 8 + checkedU32(bytes, at + 4);
    else throw new PermanentError('lz4: bad magic number');
    if (at > bytes.length) throw new PermanentError('lz4: a frame is cut off');
  }
  return output.take();
}

/** The offset behind the frame. */
function decodeFrame(bytes: Uint8Array, start: number, output: Output): number {
  const flags = bytes[start] ?? 0;
  if (flags >> 6 !== 1) throw new PermanentError(`lz4: version ${flags >> 6} is unknown`);
  if (flags & 1) throw new PermanentError('lz4: dictionaries are not supported');
  const header = start + 2 + (flags & 8 ? 8 : 0);
  if (bytes[header] !== ((xxh32(bytes, start, Math.min(header, bytes.length)) >>> 8) & 0xff))
    throw new PermanentError('lz4: the checksum of a frame header is wrong');
  const from = output.size;
  const blockChecksum = flags & 16 ? 4 : 0;
  let at = header + 1;
  for (;;) {
    const word = checkedU32(bytes, at);
    at += 4;
    if (word === 0) break;
    const size = word & ~STORED;
    const end = at + size;
    if (end + blockChecksum > bytes.length) throw new PermanentError('lz4: a block is cut off');
    if (blockChecksum > 0 && checkedU32(bytes, end) !== xxh32(bytes, at, end)) throw new PermanentError('lz4: the checksum of a block is wrong');
    if (word >>> 31 === 1) output.append(bytes, at, end);
    else decodeBlock(bytes, at, end, output, flags & 32 ? output.size : from);
    at = end + blockChecksum;
  }
  if ((flags & 4) === 0) return at;
  if (checkedU32(bytes, at) !== xxh32(output.bytes, from, output.size)) throw new PermanentError('lz4: the checksum of the content is wrong');
  return at + 4;
}

/** Appends what bytes[start, end) say; matches reach back to output offset `oldest` at most. */
function decodeBlock(bytes: Uint8Array, start: number, end: number, output: Output, oldest: number): void {
  for (let at = start; at < end; ) {
    const token = bytes[at++]!;
    let literals = token >> 4;
    if (literals === 15)
      for (let more = 255; more === 255 && at < end; ) {
        more = bytes[at++]!;
        literals += more;
      }
    if (literals > end - at) throw new PermanentError('lz4: literals are cut off');
    output.append(bytes, at, at + literals);
    at += literals;
    if (at === end) return;
    if (at + 2 > end) throw new PermanentError('lz4: an offset is cut off');
    const offset = bytes[at]! | (bytes[at + 1]! << 8);
    at += 2;
    let count = (token & 15) + MIN_MATCH;
    if ((token & 15) === 15)
      for (let more = 255; more === 255 && at < end; ) {
        more = bytes[at++]!;
        count += more;
      }
    if (offset === 0 || output.size - offset < oldest) throw new PermanentError('lz4: an offset reaches too far back');
    output.repeat(offset, count);
  }
}

/** What is decoded so far, in a buffer that grows to the limit. */
class Output {
  bytes: Buffer;
  size = 0;
  readonly #limit: number;
  constructor(guess: number, limit: number) {
    this.bytes = Buffer.allocUnsafeSlow(guess);
    this.#limit = limit;
  }
  append(from: Uint8Array, start: number, end: number): void {
    this.#need(end - start);
    const { bytes } = this;
    let to = this.size;
    if (end - start > 32) bytes.set(from.subarray(start, end), to);
    else for (let i = start; i < end; ) bytes[to++] = from[i++]!;
    this.size += end - start;
  }
  repeat(offset: number, count: number): void {
    this.#need(count);
    const { bytes } = this;
    const to = this.size;
    if (count > 32 && offset >= count) bytes.copyWithin(to, to - offset, to - offset + count);
    else for (let i = to; i < to + count; i++) bytes[i] = bytes[i - offset]!;
    this.size += count;
  }
  #need(count: number): void {
    const size = this.size + count;
    if (size > this.#limit) throw new RangeError(`more than ${this.#limit} bytes`);
    if (size <= this.bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.min(this.#limit, Math.max(size, this.bytes.length * 2)));
    this.bytes.copy(larger, 0, 0, this.size);
    this.bytes = larger;
  }
  take(): Buffer {
    return this.bytes.subarray(0, this.size);
  }
}

/** One frame. */
export function encodeLz4(bytes: Uint8Array): Buffer {
  const blocks = Math.ceil(bytes.length / MAX_BLOCK_BYTES);
  // Bytes that do not compress are stored, so a block is never longer than its content.
  const out = Buffer.allocUnsafeSlow(7 + blocks * 4 + bytes.length + 8);
  out.writeUInt32LE(MAGIC);
  out[4] = FLAGS;
  out[5] = BLOCK_DESCRIPTOR;
  out[6] = (xxh32(out, 4, 6) >>> 8) & 0xff;
  let to = 7;
  for (let at = 0; at < bytes.length; at += MAX_BLOCK_BYTES) {
    const end = Math.min(bytes.length, at + MAX_BLOCK_BYTES);
    const size = encodeBlock(bytes, at, end, out, to + 4);
    if (size < 0) out.set(bytes.subarray(at, end), to + 4);
    to = out.writeUInt32LE(size < 0 ? (end - at + STORED) >>> 0 : size, to) + (size < 0 ? end - at : size);
  }
  to = out.writeUInt32LE(0, to);
  to = out.writeUInt32LE(xxh32(bytes, 0, bytes.length), to);
  return out.subarray(0, to);
}

const HASH_BITS = 14;
const HASH_MULTIPLIER = 0x9e3779b1 | 0;
/** Where four bytes of this hash were last, counted from 1 within the block; 0: nowhere. */
const places = new Int32Array(1 << HASH_BITS);

/** Writes the block of bytes[start, end) and returns its size; -1 where it would be no shorter. */
function encodeBlock(bytes: Uint8Array, start: number, end: number, out: Buffer, outStart: number): number {
  places.fill(0);
  const outEnd = outStart + (end - start) - 1;
  const lastMatch = end - LAST_MATCH_BYTES;
  const matchEnd = end - LAST_LITERALS;
  let to = outStart;
  let anchor = start;
  for (let at = start, misses = 0; at <= lastMatch; ) {
    const word = readI32(bytes, at);
    const slot = Math.imul(word, HASH_MULTIPLIER) >>> (32 - HASH_BITS);
    const candidate = start + places[slot]! - 1;
    places[slot] = at - start + 1;
    if (candidate < start || at - candidate > MAX_OFFSET || readI32(bytes, candidate) !== word) {
      // What does not compress is gone through in longer and longer steps.
      at += 1 + (misses++ >> 6);
      continue;
    }
    misses = 0;
    let next = at + MIN_MATCH;
    for (let from = candidate + MIN_MATCH; next < matchEnd && bytes[next] === bytes[from]; from++) next++;
    const literals = at - anchor;
    const count = next - at - MIN_MATCH;
    if (to + 4 + literals + literals / 255 + count / 255 + 2 > outEnd) return -1;
    const token = to++;
    out[token] = (Math.min(literals, 15) << 4) | Math.min(count, 15);
    to = writeLength(out, to, literals - 15);
    to = copy(bytes, anchor, at, out, to);
    out[to++] = (at - candidate) & 255;
    out[to++] = (at - candidate) >> 8;
    to = writeLength(out, to, count - 15);
    at = next;
    anchor = next;
  }
  const literals = end - anchor;
  if (to + 1 + literals + literals / 255 + 1 > outEnd) return -1;
  out[to++] = Math.min(literals, 15) << 4;
  to = writeLength(out, to, literals - 15);
  return copy(bytes, anchor, end, out, to) - outStart;
}
/** What a length is beyond the 15 of its token; nothing where it is less. */
function writeLength(out: Buffer, start: number, rest: number): number {
  let to = start;
  if (rest < 0) return to;
  let left = rest;
  for (; left >= 255; left -= 255) out[to++] = 255;
  out[to++] = left;
  return to;
}
function copy(from: Uint8Array, start: number, end: number, out: Buffer, at: number): number {
  let to = at;
  if (end - start > 64) out.set(from.subarray(start, end), to);
  else for (let i = start; i < end; ) out[to++] = from[i++]!;
  return at + end - start;
}
/** PermanentError where the bytes end before it. */
function checkedU32(bytes: Uint8Array, at: number): number {
  if (at + 4 > bytes.length) throw new PermanentError('lz4: a frame is cut off');
  return readU32(bytes, at);
}
