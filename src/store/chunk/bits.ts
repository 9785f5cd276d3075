/** Bits from the highest down, for histogram chunks. Integers are numbers, exact to 2^53; the varbit code is Prometheus's. XOR chunks have their own, faster way (xor.ts). */
import { CorruptError } from '#src/core/errors.ts';

const SIZES = [3, 6, 9, 12, 18, 25, 56, 64];

export class BitWriter {
  bytes = new Uint8Array(256);
  /** Bits written. */
  size = 0;

  /** The low n bits (1 to 32) of value. */
  put(value: number, n: number): void {
    if (this.size + n + 64 > this.bytes.length * 8) {
      const grown = new Uint8Array(this.bytes.length * 2);
      grown.set(this.bytes);
      this.bytes = grown;
    }
    let left = n;
    while (left > 0) {
      const free = 8 - (this.size & 7);
      const part = Math.min(free, left);
      const bits = (value >>> (left - part)) & ((1 << part) - 1);
      this.bytes[this.size >> 3]! |= bits << (free - part);
      this.size += part;
      left -= part;
    }
  }

  /** n bits (33 to 64) of a number, in two's complement. */
  #wide(value: number, n: number): void {
    this.put(Math.floor(value / 4294967296) | 0, n - 32);
    this.put(value | 0, 32);
  }

  varbit(value: number, isSigned: boolean): void {
    if (value === 0) {
      this.put(0, 1);
      return;
    }
    for (let i = 0; i < SIZES.length; i++) {
      const n = SIZES[i]!;
      const fits = n === 64 || (isSigned ? value >= 1 - 2 ** (n - 1) && value <= 2 ** (n - 1) : value < 2 ** n);
      if (!fits) continue;
      const ones = i + 1;
      if (n === 64) this.put(255, 8);
      else this.put(2 ** (ones + 1) - 2, ones + 1);
      if (n > 32) this.#wide(value, n);
      else this.put(value, n);
      return;
    }
  }

  float(low: number, high: number): void {
    this.put(high, 32);
    this.put(low, 32);
  }

  /** The XOR code of float values; `state` has low, high, leading, trailing of the value before. */
  xor(low: number, high: number, state: Int32Array): void {
    const l = low ^ state[0]!;
    const h = high ^ state[1]!;
    state[0] = low;
    state[1] = high;
    if ((l | h) === 0) {
      this.put(0, 1);
      return;
    }
    const leading = Math.min(31, h !== 0 ? Math.clz32(h) : 32 + Math.clz32(l));
    const trailing = l !== 0 ? 31 - Math.clz32(l & -l) : 63 - Math.clz32(h & -h);
    if (state[2] !== 255 && leading >= state[2]! && trailing >= state[3]!) this.put(2, 2);
    else {
      state[2] = leading;
      state[3] = trailing;
      this.put(3, 2);
      this.put(leading, 5);
      this.put((64 - leading - trailing) & 63, 6);
    }
    // From bit `leading` to before the trailing zeros.
    const size = 64 - state[2]! - state[3]!;
    const shift = state[3]!;
    if (size > 32) {
      this.put(h >>> shift, size - 32);
      this.put(shift === 0 ? l : (l >>> shift) | (h << (32 - shift)), 32);
    } else this.put(shift >= 32 ? h >>> (shift - 32) : shift === 0 ? l : (l >>> shift) | (h << (32 - shift)), size);
  }

  /** The bytes so far; a copy. */
  take(): Uint8Array {
    return this.bytes.slice(0, (this.size + 7) >> 3);
  }
}

export class BitReader {
  readonly #bytes: Uint8Array;
  pos: number;
  readonly #end: number;

  constructor(bytes: Uint8Array, startByte: number) {
    this.#bytes = bytes;
    this.pos = startByte * 8;
    this.#end = bytes.length * 8;
  }

  /** n bits (1 to 32), unsigned. */
  get(n: number): number {
    if (this.pos + n > this.#end) throw new CorruptError('chunk ends within a sample');
    let value = 0;
    let left = n;
    while (left > 0) {
      const free = 8 - (this.pos & 7);
      const part = Math.min(free, left);
      value = (value << part) | ((this.#bytes[this.pos >> 3]! >> (free - part)) & ((1 << part) - 1));
      this.pos += part;
      left -= part;
    }
    return value >>> 0;
  }

  varbit(isSigned: boolean): number {
    let ones = 0;
    while (ones < 8 && this.get(1) === 1) ones++;
    if (ones === 0) return 0;
    const n = SIZES[ones - 1]!;
    if (n <= 32) {
      const value = this.get(n);
      return isSigned && value > 2 ** (n - 1) ? value - 2 ** n : value;
    }
    // The sign goes to the upper part alone: the whole would not be exact with it.
    const upper = this.get(n - 32);
    const lower = this.get(32);
    const half = 2 ** (n - 33);
    const isNegative = isSigned && (upper > half || (upper === half && (lower > 0 || n === 64)));
    return (isNegative ? upper - 2 * half : upper) * 4294967296 + lower;
  }

  /** Changes `state` (low, high, leading, trailing) to the next value. */
  xor(state: Int32Array): void {
    if (this.get(1) === 0) return;
    if (this.get(1) === 1) {
      state[2] = this.get(5);
      const size = this.get(6) || 64;
      state[3] = 64 - state[2]! - size;
      if (state[3]! < 0) throw new CorruptError('chunk has a value of more than 64 bits');
    }
    const size = 64 - state[2]! - state[3]!;
    const shift = state[3]!;
    let h = 0;
    let l = 0;
    if (size > 32) {
      h = this.get(size - 32);
      l = this.get(32);
    } else l = this.get(size);
    if (shift >= 32) {
      h = l << (shift - 32);
      l = 0;
    } else if (shift > 0) {
      h = (h << shift) | (l >>> (32 - shift));
      l <<= shift;
    }
    state[0]! ^= l;
    state[1]! ^= h;
  }
}
