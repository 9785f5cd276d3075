/**
 * Writes protobuf into one growing buffer. Nested messages are opened and closed: a length byte is kept free and the content is moved where
 * its length needs more, so every length is minimal. Fields are written always, also with their default value: whether to leave them out is
 * the caller's to know.
 */
import { asBuffer, putUtf8, putVarint, putVarint64, utf8Size, viewOf } from './bytes.ts';

export const WIRE_VARINT = 0;
export const WIRE_FIXED64 = 1;
export const WIRE_BYTES = 2;
export const WIRE_FIXED32 = 5;

export class ProtoWriter {
  /** What is written is [0, length); valid until the next write. */
  buffer: Buffer;
  length = 0;
  #view: DataView;

  constructor(capacity = 1024) {
    this.buffer = Buffer.allocUnsafeSlow(capacity);
    this.#view = viewOf(this.buffer);
  }

  /** Forgets what was written and keeps the buffer. */
  reset(): void {
    this.length = 0;
  }
  /** A copy of what was written, which the caller owns. */
  finish(): Buffer {
    return Buffer.from(this.buffer.subarray(0, this.length));
  }
  /** What was written, without a copy: valid until the next write. */
  written(): Buffer {
    return this.buffer.subarray(0, this.length);
  }
  /** Hands the buffer out and starts a fresh one; for bodies that are kept as they are. */
  take(): Buffer {
    const bytes = this.buffer.subarray(0, this.length);
    this.buffer = Buffer.allocUnsafeSlow(Math.max(1024, this.length));
    this.#view = viewOf(this.buffer);
    this.length = 0;
    return bytes;
  }
  /** Makes room for `count` more bytes. */
  reserve(count: number): void {
    const need = this.length + count;
    if (need <= this.buffer.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(need, this.buffer.length * 2));
    this.buffer.copy(grown, 0, 0, this.length);
    this.buffer = grown;
    this.#view = viewOf(grown);
  }

  /** Number and wire type of a field; what follows is the caller's. */
  tag(field: number, wire: number): void {
    this.reserve(5);
    this.length = putVarint(this.buffer, this.length, (field << 3) | wire);
  }
  /** A bare varint of 32 unsigned bits, as in packed fields. */
  varint(value: number): void {
    this.reserve(5);
    this.length = putVarint(this.buffer, this.length, value);
  }
  /** A bare varint of the 64 bits of `value`; negative numbers take ten bytes, as int64 does. A number must be an integer and is exact up to 2^53. */
  varint64(value: number | bigint): void {
    this.reserve(10);
    if (typeof value === 'number' && value >= 0 && value <= 0xffffffff) this.length = putVarint(this.buffer, this.length, value);
    else {
      const v = BigInt.asUintN(64, BigInt(value));
      this.length = putVarint64(this.buffer, this.length, Number(v & 0xffffffffn), Number(v >> 32n));
    }
  }
  /** int32, int64, uint32, uint64, enum. */
  int(field: number, value: number | bigint): void {
    this.tag(field, WIRE_VARINT);
    this.varint64(value);
  }
  /** sint32. */
  sint32(field: number, value: number): void {
    this.tag(field, WIRE_VARINT);
    this.varint((value << 1) ^ (value >> 31));
  }
  /** sint64. */
  sint64(field: number, value: number | bigint): void {
    const v = BigInt(value);
    this.tag(field, WIRE_VARINT);
    this.varint64((v << 1n) ^ (v >> 63n));
  }
  bool(field: number, value: boolean): void {
    this.tag(field, WIRE_VARINT);
    this.varint(value ? 1 : 0);
  }
  /** fixed64 and sfixed64, from their two words. */
  fixed64(field: number, lo: number, hi: number): void {
    this.tag(field, WIRE_FIXED64);
    this.reserve(8);
    this.#view.setInt32(this.length, lo, true);
    this.#view.setInt32(this.length + 4, hi, true);
    this.length += 8;
  }
  /** fixed64 and sfixed64; a number must be an integer and is exact up to 2^53. */
  fixed64Value(field: number, value: number | bigint): void {
    this.tag(field, WIRE_FIXED64);
    this.reserve(8);
    this.#view.setBigInt64(this.length, BigInt.asIntN(64, BigInt(value)), true);
    this.length += 8;
  }
  /** A time in nanoseconds from milliseconds; fractions of a millisecond are kept as far as the number has them. */
  timeFromMs(field: number, timeMs: number): void {
    const ms = Math.floor(timeMs);
    this.fixed64Value(field, BigInt(ms) * 1_000_000n + BigInt(Math.round((timeMs - ms) * 1e6)));
  }
  fixed32(field: number, value: number): void {
    this.tag(field, WIRE_FIXED32);
    this.reserve(4);
    this.#view.setInt32(this.length, value, true);
    this.length += 4;
  }
  /** A number that went through JavaScript may have lost the payload of a NaN; where that matters (staleness markers) use `fixed64`. */
  double(field: number, value: number): void {
    this.tag(field, WIRE_FIXED64);
    this.rawDouble(value);
  }
  /** Eight bytes without a tag, as in packed fields. */
  rawDouble(value: number): void {
    this.reserve(8);
    this.#view.setFloat64(this.length, value, true);
    this.length += 8;
  }
  rawFixed64(value: number | bigint): void {
    this.reserve(8);
    this.#view.setBigInt64(this.length, BigInt.asIntN(64, BigInt(value)), true);
    this.length += 8;
  }
  text(field: number, value: string): void {
    const size = utf8Size(value);
    this.tag(field, WIRE_BYTES);
    this.reserve(size + 5);
    const at = putVarint(this.buffer, this.length, size);
    this.length = at + putUtf8(this.buffer, at, value, size);
  }
  bytes(field: number, value: Uint8Array): void {
    this.bytesOf(field, value, 0, value.length);
  }
  /** The bytes [start, end) of `source` as a length-delimited field. */
  bytesOf(field: number, source: Uint8Array, start: number, end: number): void {
    this.tag(field, WIRE_BYTES);
    this.varint(end - start);
    this.raw(source, start, end);
  }
  /** Bytes as they are: fields that are encoded already. */
  raw(source: Uint8Array, start = 0, end = source.length): void {
    const size = end - start;
    this.reserve(size);
    if (size < 24) for (let i = 0; i < size; i++) this.buffer[this.length + i] = source[start + i]!;
    else asBuffer(source).copy(this.buffer, this.length, start, end);
    this.length += size;
  }

  /** Begins a nested message; give what it returns to `close`. `lengthSize`: how many bytes its length will take, a guess that saves moving. */
  open(field: number, lengthSize = 1): number {
    this.tag(field, WIRE_BYTES);
    this.reserve(lengthSize);
    this.length += lengthSize;
    this.buffer[this.length - 1] = lengthSize; // Remembered until close().
    return this.length;
  }
  close(mark: number): void {
    const buffer = this.buffer;
    const guess = buffer[mark - 1]!;
    const size = this.length - mark;
    const lengthSize = size < 128 ? 1 : size < 16384 ? 2 : size < 2097152 ? 3 : size < 268435456 ? 4 : 5;
    const start = mark - guess;
    if (lengthSize !== guess) {
      this.reserve(lengthSize);
      this.buffer.copyWithin(start + lengthSize, mark, this.length);
      this.length += lengthSize - guess;
    }
    putVarint(this.buffer, start, size);
  }
}
