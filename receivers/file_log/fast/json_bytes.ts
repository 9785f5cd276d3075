/**
 * Reads one JSON object from bytes into slots. Text without escapes stays where it is; numbers, escaped text and nested values are encoded into the scratch
 * buffer. It declines (-1) what is broken or odd, and the general path (json_text.ts) judges: odd are escaped keys, numbers of more than 15
 * digits where integers are wanted, and more keys than the table holds.
 */
import type { KeyTable } from './keys.ts';
import { INPUT_TEXT, MAX_SLOTS, SCRATCH_TEXT, SCRATCH_VALUE, type Scratch, type Slots } from './slots.ts';

const POW10 = Float64Array.from({ length: 23 }, (_, i) => Number(`1e${i}`));
const MAX_DEPTH = 100;
const TRUE = 0x65757274,
  ALSE = 0x65736c61,
  NULL = 0x6c6c756e;

export class JsonBytes {
  readonly #keys: KeyTable;
  readonly #slots: Slots;
  readonly #scratch: Scratch;
  readonly #parseInts: boolean;
  /** The input; its bytes are readable up to 8 behind the end of any line. */
  bytes: Buffer = Buffer.alloc(0);
  view: DataView = new DataView(new ArrayBuffer(0));
  /** Of the text read last: whether it lies in the scratch buffer, and where. */
  #inScratch = false;
  #textStart = 0;
  #textEnd = 0;

  constructor(keys: KeyTable, slots: Slots, scratch: Scratch, parseInts: boolean) {
    this.#keys = keys;
    this.#slots = slots;
    this.#scratch = scratch;
    this.#parseInts = parseInts;
  }

  /** Reads the object that is all of [from, end). `line` numbers lines, `previous` is the key that came before. False: declined. */
  read(from: number, end: number, line: number, previous: number): boolean {
    const bytes = this.bytes,
      view = this.view,
      keys = this.#keys,
      slots = this.#slots,
      scratch = this.#scratch;
    const { follows, seen, slot, rawSize } = keys;
    let at = this.#space(from, end),
      prev = previous;
    if (at >= end || bytes[at] !== 123) return false;
    at = this.#space(at + 1, end);
    if (bytes[at] === 125) return this.#space(at + 1, end) === end;
    for (;;) {
      if (bytes[at] !== 34 || at >= end) return false;
      at++;
      let id = follows[prev]!;
      if (id !== 0 && keys.matches(id, view, at)) at += rawSize[id]!;
      else {
        const start = at;
        at = this.#text(at, end);
        if (at < 0 || this.#inScratch) return false;
        id = keys.idOf(bytes.latin1Slice(start, at - 1));
        if (id < 0) return false;
        follows[prev] = id;
      }
      prev = id;
      if (bytes[at] !== 58) at = this.#space(at, end);
      if (bytes[at] !== 58) return false;
      at++;
      let c = bytes[at]!;
      if (c === 32) {
        at = this.#space(at, end);
        c = bytes[at]!;
      }
      if (at >= end) return false;
      let index = slots.count;
      if (seen[id] === line)
        index = slot[id]!; // The last of equal keys stays.
      else {
        if (index === MAX_SLOTS) return false;
        slots.count++;
        seen[id] = line;
        slot[id] = index;
        slots.key[index] = id;
      }
      if (c === 34) {
        at = this.#text(at + 1, end);
        if (at < 0) return false;
        slots.form[index] = this.#inScratch ? SCRATCH_TEXT : INPUT_TEXT;
        slots.start[index] = this.#textStart;
        slots.end[index] = this.#textEnd;
      } else {
        const top = scratch.top;
        at = c >= 48 && c <= 57 ? this.#number(at, end) : this.#value(at, end, 0);
        if (at < 0) return false;
        slots.form[index] = SCRATCH_VALUE;
        slots.start[index] = top;
        slots.end[index] = scratch.top;
      }
      c = bytes[at]!;
      if (c !== 44 && c !== 125) {
        at = this.#space(at, end);
        c = bytes[at]!;
      }
      if (at >= end) return false;
      at++;
      if (c === 125) return this.#space(at, end) === end;
      if (c !== 44) return false;
      if (bytes[at] !== 34) at = this.#space(at, end);
    }
  }

  #space(from: number, end: number): number {
    const bytes = this.bytes;
    let at = from;
    while (at < end) {
      const c = bytes[at]!;
      if (c !== 32 && c !== 9 && c !== 13 && c !== 10) break;
      at++;
    }
    return at;
  }

  /** A text behind its opening quote; returns the position behind the closing one, -1 where there is none. Four bytes a step. */
  #text(from: number, end: number): number {
    const view = this.view;
    for (let at = from; at < end; at += 4) {
      const word = view.getInt32(at, true),
        quote = word ^ 0x22222222,
        slash = word ^ 0x5c5c5c5c;
      const hit = (((quote - 0x01010101) & ~quote) | ((slash - 0x01010101) & ~slash)) & 0x80808080;
      if (hit === 0) continue;
      // The lowest hit is never a false one.
      const place = at + ((31 - Math.clz32(hit & -hit)) >> 3);
      if (place >= end) return -1;
      if (this.bytes[place] === 92) return this.#escaped(from, place, end);
      this.#inScratch = false;
      this.#textStart = from;
      this.#textEnd = place;
      return place + 1;
    }
    return -1;
  }

  /** A text with an escape at `place`: resolved into the scratch buffer. */
  #escaped(from: number, place: number, end: number): number {
    const bytes = this.bytes,
      scratch = this.#scratch,
      out = scratch.bytes;
    let o = scratch.top,
      at = from;
    this.#inScratch = true;
    this.#textStart = o;
    for (; at < place; at++) out[o++] = bytes[at]!;
    while (at < end) {
      const c = bytes[at++]!;
      if (c === 34) {
        this.#textEnd = scratch.top = o;
        return at;
      }
      if (c !== 92) {
        out[o++] = c;
        continue;
      }
      const e = bytes[at++]!;
      if (e === 110) out[o++] = 10;
      else if (e === 34 || e === 92 || e === 47) out[o++] = e;
      else if (e === 116) out[o++] = 9;
      else if (e === 114) out[o++] = 13;
      else if (e === 98) out[o++] = 8;
      else if (e === 102) out[o++] = 12;
      else if (e === 117) {
        let code = this.#hex(at, end);
        if (code < 0) return -1;
        at += 4;
        if (code >= 0xd800 && code < 0xe000) {
          const low = code < 0xdc00 && bytes[at] === 92 && bytes[at + 1] === 117 ? this.#hex(at + 2, end) : -1;
          if (low >= 0xdc00 && low < 0xe000) {
            code = 0x10000 + ((code - 0xd800) << 10) + low - 0xdc00;
            at += 6;
          } else code = 0xfffd;
        }
        if (code < 0x80) out[o++] = code;
        else {
          if (code < 0x800) out[o++] = 0xc0 | (code >> 6);
          else {
            if (code < 0x10000) out[o++] = 0xe0 | (code >> 12);
            else {
              out[o++] = 0xf0 | (code >> 18);
              out[o++] = 0x80 | ((code >> 12) & 63);
            }
            out[o++] = 0x80 | ((code >> 6) & 63);
          }
          out[o++] = 0x80 | (code & 63);
        }
      } else return -1;
    }
    return -1;
  }

  #hex(from: number, end: number): number {
    if (from + 4 > end) return -1;
    let value = 0;
    for (let i = from; i < from + 4; i++) {
      const c = this.bytes[i]!,
        digit = c >= 48 && c <= 57 ? c - 48 : c >= 97 && c <= 102 ? c - 87 : c >= 65 && c <= 70 ? c - 55 : -1;
      if (digit < 0) return -1;
      value = (value << 4) | digit;
    }
    return value;
  }

  /** A number as the content of an AnyValue: a double, or an integer where they are wanted. */
  #number(from: number, end: number): number {
    const bytes = this.bytes,
      scratch = this.#scratch;
    let at = from,
      c = bytes[at]!,
      value = 0,
      fraction = 0;
    const negative = c === 45;
    if (negative) c = bytes[++at]!;
    const first = at;
    while (c >= 48 && c <= 57) {
      value = value * 10 + c - 48;
      c = bytes[++at]!;
    }
    let digits = at - first;
    if (digits === 0 || (digits > 1 && bytes[first] === 48)) return -1;
    if (c === 46) {
      const point = at;
      c = bytes[++at]!;
      while (c >= 48 && c <= 57) {
        value = value * 10 + c - 48;
        c = bytes[++at]!;
      }
      fraction = at - point - 1;
      if (fraction === 0) return -1;
      digits += fraction;
    }
    if (at > end) return -1;
    if (digits > 15 || c === 101 || c === 69) {
      if (this.#parseInts) return -1;
      if (c === 101 || c === 69) {
        c = bytes[++at]!;
        if (c === 43 || c === 45) c = bytes[++at]!;
        if (!(c >= 48 && c <= 57)) return -1;
        while (c >= 48 && c <= 57) c = bytes[++at]!;
      }
      if (at > end) return -1;
      value = Number(bytes.latin1Slice(from, at));
      if (!Number.isFinite(value)) return -1;
    } else if (this.#parseInts && fraction === 0) {
      if (negative) return -1;
      const out = scratch.bytes;
      let o = scratch.top,
        rest = value;
      out[o++] = 0x18;
      while (rest > 127) {
        out[o++] = (rest % 128) | 128;
        rest = Math.floor(rest / 128);
      }
      out[o++] = rest;
      scratch.top = o;
      return at;
    } else {
      // Both are exact below 2^53 and 10^22, so the quotient is the nearest double.
      if (fraction > 0) value /= POW10[fraction]!;
      if (negative) value = -value;
    }
    scratch.bytes[scratch.top] = 0x21;
    scratch.view.setFloat64(scratch.top + 1, value, true);
    scratch.top += 9;
    return at;
  }

  /** Any value as the content of an AnyValue; null is no content. */
  #value(from: number, end: number, depth: number): number {
    const bytes = this.bytes,
      view = this.view,
      scratch = this.#scratch,
      c = bytes[from]!;
    if (c === 34) return this.#nestedText(from, end);
    if (c === 123) return this.#nested(from, end, depth + 1, 0x32, 125);
    if (c === 91) return this.#nested(from, end, depth + 1, 0x2a, 93);
    if (c === 116 || c === 102) {
      const isTrue = c === 116;
      if (view.getInt32(isTrue ? from : from + 1, true) !== (isTrue ? TRUE : ALSE)) return -1;
      scratch.bytes[scratch.top] = 0x10;
      scratch.bytes[scratch.top + 1] = isTrue ? 1 : 0;
      scratch.top += 2;
      return isTrue ? from + 4 : from + 5;
    }
    if (c === 110) return view.getInt32(from, true) === NULL ? from + 4 : -1;
    return this.#number(from, end);
  }

  #nestedText(from: number, end: number): number {
    const scratch = this.#scratch,
      start = scratch.top;
    scratch.top = start + 2;
    const at = this.#text(from + 1, end);
    if (at < 0) return -1;
    scratch.bytes[start] = 0x0a;
    if (!this.#inScratch) {
      const size = this.#textEnd - this.#textStart;
      this.bytes.copy(scratch.bytes, scratch.top, this.#textStart, this.#textEnd);
      scratch.top += size;
    }
    scratch.closeLength(start + 1);
    return at;
  }

  /** A list (5) or a map (6) of an AnyValue: `tag` is its field, `close` its closing bracket. */
  #nested(from: number, end: number, depth: number, tag: number, close: number): number {
    if (depth > MAX_DEPTH) return -1;
    const bytes = this.bytes,
      scratch = this.#scratch,
      start = scratch.top,
      isMap = close === 125;
    scratch.bytes[start] = tag;
    scratch.top = start + 2;
    let at = this.#space(from + 1, end),
      count = 0;
    const names: string[] | null = isMap ? [] : null;
    if (bytes[at] === close) at++;
    else {
      for (;;) {
        if (at >= end || ++count > 10_000) return -1;
        const item = scratch.top;
        scratch.bytes[item] = 0x0a;
        scratch.top = item + 2;
        let valueAt = item + 1;
        if (isMap) {
          if (bytes[at] !== 34) return -1;
          const keyStart = at + 1;
          at = this.#nestedText(at, end); // Tag and length of a key are those of a text.
          if (at < 0) return -1;
          const name = bytes.latin1Slice(keyStart, at - 1);
          if (names!.includes(name) || name.includes('\\')) return -1; // Equal keys: the general path keeps the last.
          names!.push(name);
          at = this.#space(at, end);
          if (bytes[at] !== 58) return -1;
          at = this.#space(at + 1, end);
          scratch.bytes[scratch.top] = 0x12;
          valueAt = scratch.top + 1;
          scratch.top += 2;
        }
        at = this.#value(at, end, depth);
        if (at < 0) return -1;
        scratch.closeLength(valueAt);
        if (isMap) scratch.closeLength(item + 1);
        at = this.#space(at, end);
        if (at >= end) return -1;
        const c = bytes[at++]!;
        if (c === close) break;
        if (c !== 44) return -1;
        at = this.#space(at, end);
      }
    }
    scratch.closeLength(start + 1);
    return at;
  }
}
