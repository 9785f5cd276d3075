/**
 * Bytes as the store's file formats need them: comparing and hashing label sets, a growing writer, a bounds-checked reader. Big endian and
 * the varints of Go's encoding/binary. Integers are JavaScript numbers: exact to 2^53, which holds every time, size and ref of ours.
 * Protobuf is not here (src/wire has it), bits of chunks neither (chunk/xor.ts).
 */
import { CorruptError } from '#src/core/errors.ts';

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * Equal bytes, 16 at a time as doubles, the last ones overlapping. The few patterns that doubles confuse (NaN is unequal to itself, 0 equals
 * -0) do no harm for label sets: a false "unequal" leads to the look-up by hash, and no valid UTF-8 holds the bytes of -0.
 */
export function probablyEqual(a: DataView, i: number, b: DataView, j: number, size: number): boolean {
  const end = i + size - 16;
  for (; i <= end; i += 16, j += 16) {
    if (a.getFloat64(i, true) !== b.getFloat64(j, true) || a.getFloat64(i + 8, true) !== b.getFloat64(j + 8, true)) return false;
  }
  let left = end + 16 - i;
  if (left >= 8) {
    if (a.getFloat64(i, true) !== b.getFloat64(j, true)) return false;
    i += left - 8;
    j += left - 8;
    return a.getFloat64(i, true) === b.getFloat64(j, true);
  }
  for (; left > 0; left--) if (a.getUint8(i++) !== b.getUint8(j++)) return false;
  return true;
}

export function equalBytes(a: Uint8Array, i: number, b: Uint8Array, j: number, size: number): boolean {
  for (let k = 0; k < size; k++) if (a[i + k] !== b[j + k]) return false;
  return true;
}

/** 32 bits over bytes [pos, pos + size): two lanes, eight bytes a round. Stays in memory, so its values may change between versions. */
export function hashBytes(view: DataView, pos: number, size: number): number {
  let a = size;
  let b = 0x9747b28c | 0;
  const end = pos + size;
  for (; pos + 8 <= end; pos += 8) {
    a = Math.imul(a ^ view.getInt32(pos, true), 0x9e3779b1);
    b = Math.imul(b ^ view.getInt32(pos + 4, true), 0x85ebca6b);
    a = (a << 13) | (a >>> 19);
    b = (b << 15) | (b >>> 17);
  }
  for (; pos < end; pos++) a = Math.imul(a ^ view.getUint8(pos), 0x01000193);
  a = Math.imul(a ^ (a >>> 15) ^ Math.imul(b, 0xc2b2ae35), 0x85ebca6b);
  return (a ^ (a >>> 13)) | 0;
}

/** A buffer that grows; `size` bytes of `bytes` are written. Reused by reset(). */
export class ByteWriter {
  bytes: Uint8Array;
  view: DataView;
  size = 0;

  constructor(capacity = 256) {
    this.bytes = new Uint8Array(capacity);
    this.view = viewOf(this.bytes);
  }

  reset(): void {
    this.size = 0;
  }

  reserve(more: number): void {
    if (this.size + more <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(this.size + more, this.bytes.length * 2));
    grown.set(this.bytes.subarray(0, this.size));
    this.bytes = grown;
    this.view = viewOf(grown);
  }

  written(): Uint8Array {
    return this.bytes.subarray(0, this.size);
  }

  u8(value: number): void {
    this.reserve(1);
    this.bytes[this.size++] = value;
  }

  u32(value: number): void {
    this.reserve(4);
    this.view.setUint32(this.size, value);
    this.size += 4;
  }

  /** 64 bits; a negative number as two's complement. */
  i64(value: number): void {
    this.reserve(8);
    this.view.setInt32(this.size, Math.floor(value / 4294967296));
    this.view.setUint32(this.size + 4, value >>> 0);
    this.size += 8;
  }

  f64(value: number): void {
    this.reserve(8);
    this.view.setFloat64(this.size, value);
    this.size += 8;
  }

  uvarint(value: number): void {
    this.reserve(10);
    let pos = this.size;
    while (value > 127) {
      this.bytes[pos++] = (value % 128) | 128;
      value = Math.floor(value / 128);
    }
    this.bytes[pos++] = value;
    this.size = pos;
  }

  varint(value: number): void {
    this.uvarint(value < 0 ? -2 * value - 1 : 2 * value);
  }

  raw(bytes: Uint8Array, from = 0, to = bytes.length): void {
    this.reserve(to - from);
    this.bytes.set(from === 0 && to === bytes.length ? bytes : bytes.subarray(from, to), this.size);
    this.size += to - from;
  }

  /** UTF-8 behind its length as uvarint. */
  string(text: string): void {
    const most = text.length * 3;
    this.reserve(most + 10);
    if (most < 128) {
      const { written } = ENCODER.encodeInto(text, this.bytes.subarray(this.size + 1));
      this.bytes[this.size] = written;
      this.size += written + 1;
      return;
    }
    const size = Buffer.byteLength(text);
    this.uvarint(size);
    ENCODER.encodeInto(text, this.bytes.subarray(this.size));
    this.size += size;
  }

  padTo(alignment: number): void {
    const rest = this.size % alignment;
    if (rest === 0) return;
    this.reserve(alignment - rest);
    this.bytes.fill(0, this.size, this.size + alignment - rest);
    this.size += alignment - rest;
  }
}
const ENCODER = new TextEncoder();

/** Reads bytes [pos, end); going beyond is a CorruptError. */
export class ByteReader {
  bytes: Uint8Array;
  view: DataView;
  pos: number;
  end: number;

  constructor(bytes: Uint8Array, pos = 0, end = bytes.length) {
    this.bytes = bytes;
    this.view = viewOf(bytes);
    this.pos = pos;
    this.end = end;
  }

  need(size: number): number {
    const pos = this.pos;
    if (pos + size > this.end) throw new CorruptError(`${size} bytes wanted at offset ${pos}, ${this.end - pos} left`);
    this.pos = pos + size;
    return pos;
  }

  u8(): number {
    return this.bytes[this.need(1)]!;
  }

  u32(): number {
    return this.view.getUint32(this.need(4));
  }

  i64(): number {
    const pos = this.need(8);
    return this.view.getInt32(pos) * 4294967296 + this.view.getUint32(pos + 4);
  }

  f64(): number {
    return this.view.getFloat64(this.need(8));
  }

  uvarint(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 10; i++) {
      const byte = this.bytes[this.need(1)]!;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
      scale *= 128;
    }
    throw new CorruptError(`varint of more than 10 bytes at offset ${this.pos - 10}`);
  }

  varint(): number {
    const value = this.uvarint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  /** A view, valid as long as the bytes are. */
  raw(size: number): Uint8Array {
    const pos = this.need(size);
    return this.bytes.subarray(pos, pos + size);
  }

  /** UTF-8 behind its length as uvarint. */
  string(): string {
    const size = this.uvarint();
    const pos = this.need(size);
    return utf8Text(this.bytes, pos, pos + size);
  }
}

/** Text of UTF-8 bytes; short ASCII, as labels are, without the call into the runtime. */
export function utf8Text(bytes: Uint8Array, from: number, to: number): string {
  if (to - from <= 24) {
    let text = '';
    let pos = from;
    for (; pos < to; pos++) {
      const byte = bytes[pos]!;
      if (byte > 127) break;
      text += String.fromCharCode(byte);
    }
    if (pos === to) return text;
  }
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString('utf8');
}

/** Order of the UTF-8 bytes of two strings, which is the order of labels in all formats. It differs from `<` behind surrogates only. */
export function compareText(a: string, b: string): number {
  const size = Math.min(a.length, b.length);
  for (let i = 0; i < size; i++) {
    let x = a.charCodeAt(i);
    let y = b.charCodeAt(i);
    if (x === y) continue;
    if (x >= 0xd800 && y >= 0xd800) {
      x = x >= 0xe000 ? x - 0x800 : x + 0x2000; // A surrogate stands for a code point above all that are not.
      y = y >= 0xe000 ? y - 0x800 : y + 0x2000;
    }
    return x - y;
  }
  return a.length - b.length;
}
