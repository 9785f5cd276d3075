/**
 * XOR chunks (Gorilla, Prometheus's encoding 1; box diagram in ../docs/chunks.md): append and decode over 32-bit words, most significant
 * bit first. In memory a chunk is words, on disk the same bits as bytes; bytesToWords() and wordsToBytes() are all there is between the two.
 *
 * The state of an open chunk is 16 words in an Int32Array that the caller owns (the head keeps 4,096 of them in a page), with a
 * Float64Array over the same buffer for the time. There is no object per chunk or sample; the value travels as two words, because a
 * JavaScript number may lose the payload of a NaN. Prometheus's XOR2 (4) and histogram chunks are not here.
 *
 * 15 ns a sample for constants, 20 for counters, 35 for random values; decoding 10 to 13 ns.
 */
import { CorruptError } from '#src/core/errors.ts';
import { growColumns } from '#src/core/series.ts';
import type { SampleColumns } from '#src/core/series.ts';

/** Words of the state, from the series' first word on. Words 8 to 15 are the caller's. */
export const LAST_TIME = 0; // A float64 in two words: [s >> 1] of the Float64Array.
export const VALUE_LOW = 2;
export const VALUE_HIGH = 3;
export const LAST_DELTA = 4;
/** Bits written, header included. */
export const BIT = 5;
export const COUNT = 6;
/** Leading zeros | trailing zeros << 8 of the last written XOR window; 255 where there is none. */
export const WINDOW = 7;
export const STATE_WORDS = 16;

/** 120 samples: 2 h at one a minute, and what Prometheus cuts at. */
export const SAMPLES_PER_CHUNK = 120;
export const HEADER_BITS = 16;
/** No sample takes more bits: 80 for a delta as varint, 77 for a value, or 80 + 64 for the first. */
export const MAX_SAMPLE_BITS = 160;
/** Room for a whole chunk whatever its samples, in words. */
export const MAX_CHUNK_WORDS = 1024;

/** Writes the low n bits (1 to 32) of v, which has no others set, at a bit position; words behind it must be zero. */
function put(words: Int32Array, bit: number, v: number, n: number): void {
  const i = bit >>> 5;
  const free = 32 - (bit & 31);
  if (n <= free) words[i]! |= v << (free - n);
  else {
    words[i]! |= v >>> (n - free);
    words[i + 1] = v << (32 + free - n);
  }
}

/** Bytes of a uvarint; returns the bit behind. */
function putUvarint(words: Int32Array, bit: number, value: number): number {
  while (value > 127) {
    put(words, bit, (value % 128) | 128, 8);
    bit += 8;
    value = Math.floor(value / 128);
  }
  put(words, bit, value, 8);
  return bit + 8;
}

/** Makes the state that of an empty chunk; the time of the last sample stays. */
export function resetXor(state: Int32Array, s: number): void {
  state[s + BIT] = HEADER_BITS;
  state[s + COUNT] = 0;
  state[s + WINDOW] = 255;
}

/** Whether the next sample can go into this chunk: it has room, and its change of delta fits the 32 bits that append keeps. */
export function fitsXor(state: Int32Array, s: number, delta: number): boolean {
  const count = state[s + COUNT]!;
  if (count >= SAMPLES_PER_CHUNK) return false;
  if (count === 0) return true;
  if (count === 1) return delta <= 0x7fffffff;
  const change = delta - state[s + LAST_DELTA]!;
  return change === (change | 0) && delta <= 0x7fffffff;
}

/**
 * Appends a sample to the chunk at words[base], which has MAX_SAMPLE_BITS free and zeroed, and writes the state. The caller has made sure
 * that the time is above the last one and that fitsXor().
 */
export function appendXor(words: Int32Array, base: number, state: Int32Array, times: Float64Array, s: number, timeMs: number, low: number, high: number): void {
  const count = state[s + COUNT]!;
  let bit = (base << 5) + state[s + BIT]!;
  if (count === 0) {
    bit = putUvarint(words, bit, timeMs < 0 ? -2 * timeMs - 1 : 2 * timeMs);
    put(words, bit, high, 32);
    put(words, bit + 32, low, 32);
    bit += 64;
  } else {
    const delta = timeMs - times[s >> 1]!;
    let sameDelta = 0; // A bit 0 for an unchanged delta goes out with the bits of the value.
    if (count === 1) {
      bit = putUvarint(words, bit, delta);
      state[s + LAST_DELTA] = delta;
    } else {
      const change = (delta - state[s + LAST_DELTA]!) | 0;
      if (change === 0) sameDelta = 1;
      else {
        bit = putChange(words, bit, change);
        state[s + LAST_DELTA] = delta;
      }
    }
    const xorLow = low ^ state[s + VALUE_LOW]!;
    const xorHigh = high ^ state[s + VALUE_HIGH]!;
    if ((xorLow | xorHigh) === 0) {
      put(words, bit, 0, 1 + sameDelta);
      bit += 1 + sameDelta;
    } else {
      let leading = xorHigh !== 0 ? Math.clz32(xorHigh) : 32 + Math.clz32(xorLow);
      let trailing = xorLow !== 0 ? 31 - Math.clz32(xorLow & -xorLow) : 63 - Math.clz32(xorHigh & -xorHigh);
      if (leading > 31) leading = 31; // Five bits in the format.
      const window = state[s + WINDOW]!;
      const windowLeading = window & 255;
      if (windowLeading !== 255 && leading >= windowLeading && trailing >= window >> 8) {
        leading = windowLeading;
        trailing = window >> 8;
        put(words, bit, 2, 2 + sameDelta);
        bit += 2 + sameDelta;
      } else {
        state[s + WINDOW] = leading | (trailing << 8);
        put(words, bit, (3 << 11) | (leading << 6) | ((64 - leading - trailing) & 63), 13 + sameDelta);
        bit += 13 + sameDelta;
      }
      const size = 64 - leading - trailing;
      if (trailing >= 32) put(words, bit, xorHigh >>> (trailing - 32), size);
      else {
        const lower = trailing === 0 ? xorLow : (xorLow >>> trailing) | (xorHigh << (32 - trailing));
        if (size > 32) {
          put(words, bit, xorHigh >>> trailing, size - 32);
          put(words, bit + size - 32, lower, 32);
        } else put(words, bit, lower, size);
      }
      bit += size;
    }
  }
  times[s >> 1] = timeMs;
  state[s + VALUE_LOW] = low;
  state[s + VALUE_HIGH] = high;
  state[s + BIT] = bit - (base << 5);
  state[s + COUNT] = count + 1;
}

function putChange(words: Int32Array, bit: number, change: number): number {
  if (change >= -8191 && change <= 8192) {
    put(words, bit, (2 << 14) | (change & 0x3fff), 16);
    return bit + 16;
  }
  if (change >= -65535 && change <= 65536) {
    put(words, bit, (6 << 17) | (change & 0x1ffff), 20);
    return bit + 20;
  }
  if (change >= -524287 && change <= 524288) {
    put(words, bit, (14 << 20) | (change & 0xfffff), 24);
    return bit + 24;
  }
  put(words, bit, 15, 4);
  put(words, bit + 4, change < 0 ? -1 : 0, 32);
  put(words, bit + 36, change, 32);
  return bit + 68;
}

/** Writes the count into the first 16 bits: what makes the words a complete chunk. */
export function sealXor(words: Int32Array, base: number, count: number): void {
  words[base] = (words[base]! & 0xffff) | (count << 16);
}

/** The 32 bits at a bit position. Two words of slack behind a chunk are read and not used. */
function peek(words: Int32Array, bit: number): number {
  const i = bit >>> 5;
  const shift = bit & 31;
  return (words[i]! << shift) | ((words[i + 1]! >>> 1) >>> (31 - shift));
}

/**
 * Appends the samples with minTimeMs <= time <= maxTimeMs of the chunk at words[base] to the columns. `sizeWords` is where the chunk ends
 * (for a damaged one: reading stops there with a CorruptError).
 */
export function decodeXor(words: Int32Array, base: number, sizeWords: number, count: number, minTimeMs: number, maxTimeMs: number, into: SampleColumns): void {
  if (count === 0) return;
  growColumns(into, into.count + count);
  const times = into.times;
  const bits = into.valueBits;
  const end = (base + sizeWords) << 5;
  let n = into.count;
  let bit = (base << 5) + HEADER_BITS;
  let time = 0;
  let scale = 1;
  let byte = 0;
  do {
    byte = peek(words, bit) >>> 24;
    time += (byte & 127) * scale;
    scale *= 128;
    bit += 8;
  } while (byte > 127 && bit < end);
  time = time % 2 === 0 ? time / 2 : -(time + 1) / 2;
  let high = peek(words, bit);
  let low = peek(words, bit + 32);
  bit += 64;
  let delta = 0;
  let trailing = 0;
  let size = 0;
  for (let k = 1; ; k++) {
    if (time > maxTimeMs) break;
    if (time >= minTimeMs) {
      times[n] = time;
      bits[2 * n] = low;
      bits[2 * n + 1] = high;
      n++;
    }
    if (k === count) break;
    if (bit > end) throw new CorruptError(`XOR chunk ends within sample ${k} of ${count}`);
    let x = peek(words, bit);
    if (k === 1) {
      delta = 0;
      scale = 1;
      do {
        byte = peek(words, bit) >>> 24;
        delta += (byte & 127) * scale;
        scale *= 128;
        bit += 8;
      } while (byte > 127 && bit < end);
      x = peek(words, bit);
    } else if (x >= 0) {
      bit++; // The same delta: one bit of the word at hand.
      x <<= 1;
    } else {
      if ((x & 0x40000000) === 0) {
        const change = (x << 2) >>> 18;
        delta += change > 8192 ? change - 16384 : change;
        bit += 16;
      } else if ((x & 0x20000000) === 0) {
        const change = (x << 3) >>> 15;
        delta += change > 65536 ? change - 131072 : change;
        bit += 20;
      } else if ((x & 0x10000000) === 0) {
        const change = (x << 4) >>> 12;
        delta += change > 524288 ? change - 1048576 : change;
        bit += 24;
      } else {
        delta += peek(words, bit + 4) * 4294967296 + (peek(words, bit + 36) >>> 0);
        bit += 68;
      }
      x = peek(words, bit);
    }
    time += delta;
    if (x >= 0) {
      bit++;
      continue; // The same value.
    }
    if ((x & 0x40000000) === 0) bit += 2;
    else {
      const leading = (x >>> 25) & 31;
      size = (x >>> 19) & 63;
      if (size === 0) size = 64;
      trailing = 64 - leading - size;
      bit += 13;
    }
    x = peek(words, bit);
    if (size <= 32) {
      x >>>= 32 - size;
      if (trailing >= 32) high ^= x << (trailing - 32);
      else {
        low ^= x << trailing;
        if (trailing !== 0) high ^= x >>> (32 - trailing);
      }
    } else {
      // More than 32 bits: the upper size - 32 and the lower 32 of them, moved left by `trailing` (< 32).
      const upper = x >>> (64 - size);
      const lower = peek(words, bit + size - 32);
      if (trailing === 0) {
        high ^= upper;
        low ^= lower;
      } else {
        high ^= (upper << trailing) | (lower >>> (32 - trailing));
        low ^= lower << trailing;
      }
    }
    bit += size;
  }
  into.count = n;
}

/** Time of the first sample of a chunk that has one. */
export function firstTimeXor(words: Int32Array, base: number): number {
  let bit = (base << 5) + HEADER_BITS;
  let value = 0;
  let scale = 1;
  let byte = 0;
  do {
    byte = peek(words, bit) >>> 24;
    value += (byte & 127) * scale;
    scale *= 128;
    bit += 8;
  } while (byte > 127 && scale < 2 ** 63);
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}

/** Chunk bytes [from, from + size) as words from `base` on, with two zero words of slack. */
export function bytesToWords(view: DataView, from: number, size: number, words: Int32Array, base: number): void {
  const whole = size >> 2;
  for (let i = 0; i < whole; i++) words[base + i] = view.getInt32(from + 4 * i);
  let last = 0;
  for (let i = whole << 2; i < size; i++) last |= view.getUint8(from + i) << (24 - 8 * (i & 3));
  words[base + whole] = last;
  words[base + whole + 1] = words[base + whole + 2] = 0;
}

/** The reverse: `size` bytes written at `to`; up to three more are overwritten. */
export function wordsToBytes(words: Int32Array, base: number, size: number, view: DataView, to: number): void {
  for (let i = 0; i < size; i += 4) view.setInt32(to + i, words[base + (i >> 2)]!);
}
