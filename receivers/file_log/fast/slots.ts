/** The attributes of the line at hand: for each its key and where its value lies. Nothing is copied before the record is written. */
import { putVarint } from '#src/wire/bytes.ts';

/** A whole encoded attribute in the presets. */
export const PRESET = 0;
/** Text as it stands in the input. */
export const INPUT_TEXT = 1;
/** Text in the scratch buffer, its escapes resolved. */
export const SCRATCH_TEXT = 2;
/** Content of an AnyValue in the scratch buffer. */
export const SCRATCH_VALUE = 3;
/** Content of an AnyValue in the presets. */
export const FIXED_VALUE = 4;
/** Nothing any more. */
export const REMOVED = 5;

/** More attributes than this take the general path. */
export const MAX_SLOTS = 512;

export class Slots {
  count = 0;
  readonly key = new Int32Array(MAX_SLOTS);
  readonly form = new Uint8Array(MAX_SLOTS);
  readonly start = new Int32Array(MAX_SLOTS);
  readonly end = new Int32Array(MAX_SLOTS);
}

/** Where JSON is resolved and encoded: escaped text, nested values. Starts anew with every line. */
export class Scratch {
  bytes: Buffer = Buffer.allocUnsafeSlow(1 << 16);
  view = new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.length);
  top = 0;

  /** Makes room before a line is read: what a line gives never needs more than `size`. */
  reserve(size: number): void {
    if (size <= this.bytes.length) return;
    this.bytes = Buffer.allocUnsafeSlow(Math.max(size, this.bytes.length * 2));
    this.view = new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.length);
  }

  /** A message began at `at` with one byte kept free for its length: writes the length, moving the content where it needs more. */
  closeLength(at: number): void {
    const size = this.top - at - 1;
    if (size < 128) {
      this.bytes[at] = size;
      return;
    }
    const more = (size < 16384 ? 2 : size < 2097152 ? 3 : 4) - 1;
    this.bytes.copyWithin(at + 1 + more, at + 1, this.top);
    putVarint(this.bytes, at, size);
    this.top += more;
  }
}
