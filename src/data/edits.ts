/**
 * Edits of a message: cut [start, end) of the space, put [from, to) of the same space there. A length is an edit too (`to` = -1: put the varint
 * `from`). Rows of four int32 in one array; sorted by position when a message is closed, written in one go when all is known.
 */
import { putVarint, varintSize } from '#src/wire/bytes.ts';
import type { Space } from './space.ts';

const VARINT_HERE = -1;
/** Above this many rows a sort that may be quadratic gives way to one that is not. */
const SMALL = 64;

export class EditList {
  /** start, end, from, to. */
  rows = new Int32Array(4 * 64);
  count = 0;

  /** Returns the index of the new row in `rows`. */
  add(start: number, end: number, from: number, to: number): number {
    const at = this.count << 2;
    if (at === this.rows.length) this.#grow(at + 4);
    const { rows } = this;
    rows[at] = start;
    rows[at + 1] = end;
    rows[at + 2] = from;
    rows[at + 3] = to;
    this.count++;
    return at;
  }
  /** Copies the rows [first, last) of another list behind the own ones. */
  addAll(from: EditList, first: number, last = from.count): void {
    for (let i = first << 2; i < last << 2; i += 4) this.add(from.rows[i]!, from.rows[i + 1]!, from.rows[i + 2]!, from.rows[i + 3]!);
  }
  #grow(least: number): void {
    const grown = new Int32Array(Math.max(least, this.rows.length * 2));
    grown.set(this.rows);
    this.rows = grown;
  }

  /** Sorts the rows from number `first` on by position, insertions before cuts at the same place and else as they were made; returns by how many bytes they lengthen the message. */
  sort(first: number): number {
    const { rows } = this;
    const begin = first << 2;
    const end = this.count << 2;
    let delta = 0;
    let moved = 0;
    for (let i = begin; i < end; i += 4) {
      const s = rows[i]!;
      const e = rows[i + 1]!;
      const from = rows[i + 2]!;
      const to = rows[i + 3]!;
      delta += (to === VARINT_HERE ? varintSize(from) : to - from) - (e - s);
      let j = i - 4;
      if (j >= begin && (rows[j]! > s || (rows[j]! === s && rows[j + 1]! > e))) {
        if (end - begin > SMALL << 2 && moved > end) {
          this.#sortMany(begin, end);
          moved = -1e15; // Sorted now: nothing moves any more.
          continue;
        }
        for (; j >= begin && (rows[j]! > s || (rows[j]! === s && rows[j + 1]! > e)); j -= 4) {
          rows[j + 4] = rows[j]!;
          rows[j + 5] = rows[j + 1]!;
          rows[j + 6] = rows[j + 2]!;
          rows[j + 7] = rows[j + 3]!;
          moved++;
        }
        rows[j + 4] = s;
        rows[j + 5] = e;
        rows[j + 6] = from;
        rows[j + 7] = to;
      }
    }
    return moved < 0 ? this.delta(first) : delta;
  }
  #sortMany(begin: number, end: number): void {
    const old = this.rows.slice(begin, end);
    const order = Array.from({ length: old.length >> 2 }, (_, i) => i << 2);
    order.sort((a, b) => old[a]! - old[b]! || old[a + 1]! - old[b + 1]! || a - b);
    for (let i = 0, o = begin; i < order.length; i++, o += 4) for (let k = 0; k < 4; k++) this.rows[o + k] = old[order[i]! + k]!;
  }
  /** By how many bytes the rows from number `first` on lengthen the message. */
  delta(first: number): number {
    const { rows } = this;
    let delta = 0;
    for (let i = first << 2; i < this.count << 2; i += 4) {
      const to = rows[i + 3]!;
      delta += (to === VARINT_HERE ? varintSize(rows[i + 2]!) : to - rows[i + 2]!) - (rows[i + 1]! - rows[i]!);
    }
    return delta;
  }

  /** Makes row number `first` the new length of the message [start, end), whose length field begins at `lengthAt`; returns `delta` and what the length itself adds. */
  setLength(first: number, lengthAt: number, start: number, end: number, delta: number): number {
    const { rows } = this;
    const at = first << 2;
    const size = end - start + delta;
    rows[at] = lengthAt;
    rows[at + 1] = start;
    rows[at + 2] = size;
    rows[at + 3] = VARINT_HERE;
    return delta + varintSize(size) - (start - lengthAt);
  }

  /** Puts the sorted rows of `other` among the sorted rows from number `first` on. Runs are moved natively, each once. */
  merge(first: number, other: EditList): void {
    const add = other.count;
    if (add === 0) return;
    const total = this.count + add;
    if (total << 2 > this.rows.length) this.#grow(total << 2);
    const { rows } = this;
    const from = other.rows;
    let high = this.count;
    for (let i = add - 1; i >= 0; i--) {
      const s = from[i << 2]!;
      const e = from[(i << 2) + 1]!;
      let low = first;
      for (let top = high; low < top; ) {
        const mid = (low + top) >> 1;
        const at = mid << 2;
        if (rows[at]! > s || (rows[at]! === s && rows[at + 1]! > e)) top = mid;
        else low = mid + 1;
      }
      if (low < high) rows.copyWithin((low + i + 1) << 2, low << 2, high << 2);
      for (let k = 0; k < 4; k++) rows[((low + i) << 2) + k] = from[(i << 2) + k]!;
      high = low;
    }
    this.count = total;
  }
}

/** The one writer: what is not edited is copied as it is. Its state lives in fields, so that the loops below have no closure. */
class Writer {
  #out: Buffer = Buffer.alloc(0);
  #outView: DataView = new DataView(this.#out.buffer);
  #at = 0;

  /**
   * Writes [start, end) of `space` with the sorted rows [first, last) of `edits` to `out` at `at` and returns the position behind it. `out` has
   * the exact room; it may be the space's own buffer, elsewhere.
   */
  write(space: Space, edits: EditList, first: number, last: number, start: number, end: number, out: Buffer, at: number): number {
    this.#out = out;
    this.#outView = out === space.bytes ? space.view : new DataView(out.buffer, out.byteOffset, out.length);
    this.#at = at;
    const { rows } = edits;
    const { bytes, view } = space;
    let from = start;
    for (let i = first << 2, stop = last << 2; i < stop; i += 4) {
      const s = rows[i]!;
      const x = rows[i + 2]!;
      const y = rows[i + 3]!;
      if (s > from) this.#copy(bytes, view, from, s);
      if (y === VARINT_HERE) this.#at = putVarint(this.#out, this.#at, x);
      else if (y > x) this.#copy(bytes, view, x, y);
      from = rows[i + 1]!;
    }
    if (from < end) this.#copy(bytes, view, from, end);
    return this.#at;
  }
  /** 16 bytes a step below 192 bytes, natively above. */
  #copy(bytes: Buffer, view: DataView, from: number, end: number): void {
    const out = this.#out;
    const d = this.#outView;
    let p = from;
    let o = this.#at;
    this.#at = o + end - p;
    if (end - p > 192) {
      bytes.copy(out, o, p, end);
      return;
    }
    for (const e16 = end - 16; p <= e16; p += 16, o += 16) {
      const a = view.getInt32(p, true);
      const b = view.getInt32(p + 4, true);
      const c = view.getInt32(p + 8, true);
      const f = view.getInt32(p + 12, true);
      d.setInt32(o, a, true);
      d.setInt32(o + 4, b, true);
      d.setInt32(o + 8, c, true);
      d.setInt32(o + 12, f, true);
    }
    for (const e4 = end - 4; p <= e4; p += 4, o += 4) d.setInt32(o, view.getInt32(p, true), true);
    for (; p < end; p++, o++) out[o] = bytes[p]!;
  }
}
export const writer = new Writer();
