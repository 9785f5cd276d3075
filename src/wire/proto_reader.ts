/**
 * Reads protobuf field by field with every bound checked; for code that decodes to values. The scanning loops of src/data and of the store
 * have their own inlined form of this. Every method takes the end of the message it is in, so that no object is made for a nested one.
 */
import { PermanentError } from '#src/core/errors.ts';
import { asBuffer, viewOf } from './bytes.ts';

export class ProtoReader {
  readonly buffer: Buffer;
  /** Where the next read begins. */
  at: number;
  readonly end: number;
  /** The tag that was read last. */
  last = 0;
  readonly #view: DataView;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.buffer = asBuffer(bytes);
    this.#view = viewOf(bytes);
    this.at = start;
    this.end = end;
  }

  /** Field number << 3 | wire type. */
  tag(end = this.end): number {
    const at = this.at;
    const tag = this.uint32(end);
    if (tag >>> 3 === 0) throw new PermanentError(`protobuf: field number 0 at offset ${at}`);
    this.last = tag;
    return tag;
  }
  /** A varint of which the low 32 bits count, unsigned. */
  uint32(end = this.end): number {
    const { buffer } = this;
    const start = this.at;
    let p = start;
    if (p < end && buffer[p]! < 128) {
      this.at = p + 1;
      return buffer[p]!;
    }
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (p >= end) throw truncated(start);
      const c = buffer[p++]!;
      if (shift < 32) value |= (c & 127) << shift;
      if (c < 128) {
        this.at = p;
        return value >>> 0;
      }
    }
    throw new PermanentError(`protobuf: a varint longer than 10 bytes at offset ${start}`);
  }
  int32(end = this.end): number {
    return this.uint32(end) | 0;
  }
  sint32(end = this.end): number {
    const v = this.uint32(end);
    return (v >>> 1) ^ -(v & 1);
  }
  bool(end = this.end): boolean {
    return this.varint64(end) !== 0n;
  }
  /** Unsigned 64 bits. */
  varint64(end = this.end): bigint {
    const { buffer } = this;
    const start = this.at;
    let p = start;
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      if (p >= end) throw truncated(start);
      const c = buffer[p++]!;
      value |= BigInt(c & 127) << shift;
      if (c < 128) {
        this.at = p;
        return BigInt.asUintN(64, value);
      }
    }
    throw new PermanentError(`protobuf: a varint longer than 10 bytes at offset ${start}`);
  }
  /** A varint as int64, in a number: exact up to 2^53. */
  int64Number(end = this.end): number {
    const { buffer, at } = this;
    if (at < end && buffer[at]! < 128) {
      this.at = at + 1;
      return buffer[at]!;
    }
    return Number(BigInt.asIntN(64, this.varint64(end)));
  }
  /** Where the eight bytes of a fixed64 begin; passes them. */
  fixed64At(end = this.end): number {
    const at = this.at;
    if (end - at < 8) throw truncated(at);
    this.at = at + 8;
    return at;
  }
  fixed64(end = this.end): bigint {
    return this.#view.getBigUint64(this.fixed64At(end), true);
  }
  sfixed64(end = this.end): bigint {
    return this.#view.getBigInt64(this.fixed64At(end), true);
  }
  double(end = this.end): number {
    return this.#view.getFloat64(this.fixed64At(end), true);
  }
  fixed32(end = this.end): number {
    const at = this.at;
    if (end - at < 4) throw truncated(at);
    this.at = at + 4;
    return this.#view.getUint32(at, true);
  }
  /** Reads a length and returns where the message that begins now ends. */
  message(end = this.end): number {
    const at = this.at;
    const size = this.uint32(end);
    if (size > end - this.at) throw truncated(at);
    return this.at + size;
  }
  text(end = this.end): string {
    const stop = this.message(end);
    const from = this.at;
    this.at = stop;
    return this.buffer.utf8Slice(from, stop);
  }
  /** A copy. */
  bytes(end = this.end): Buffer {
    const stop = this.message(end);
    const from = this.at;
    this.at = stop;
    return Buffer.from(this.buffer.subarray(from, stop));
  }
  /** Passes over the field whose tag was read last. */
  skipLast(end = this.end): void {
    switch (this.last & 7) {
      case 0:
        this.uint32(end);
        return;
      case 1:
        this.fixed64At(end);
        return;
      case 2:
        this.at = this.message(end);
        return;
      case 5:
        this.fixed32(end);
        return;
      default:
        throw new PermanentError(`protobuf: wire type ${this.last & 7} is not supported (offset ${this.at})`);
    }
  }
}
function truncated(at: number): PermanentError {
  return new PermanentError(`protobuf: truncated at offset ${at}`);
}
