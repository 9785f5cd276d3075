/**
 * Edits of a message: cut [start, end) of the space, put [from, to) of the same space there. A length is an edit too (`to` = -1: put the varint
 * `from`). Rows of four int32 in one array; sorted by position when a message is closed, written in one go when all is known.
 */
import { COPY_SLACK, copyShort, varintSize, viewOf } from '#src/wire/bytes.ts';
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

/** What is not longer than this is copied 16 bytes a step, the rest natively: a native copy takes as long as 180 bytes. */
const SHORT = 192;

/**
 * Writes [start, end) of `space` with the sorted rows [first, last) of `edits` to `out` at `at` and returns the position behind it: what is not
 * edited is copied as it is. `out` has the exact room; it may be the space's own buffer, elsewhere.
 *
 * What a short copy runs over is written again by the next one; where it would leave `out`, the copy is native.
 */
export function writeEdited(space: Space, edits: EditList, first: number, last: number, start: number, end: number, out: Buffer, at: number): number {
  const { bytes, view } = space;
  const { rows } = edits;
  const to = out === bytes ? view : viewOf(out);
  const safe = (out.length - COPY_SLACK) | 0;
  let from = start | 0;
  let o = at | 0;
  for (let i = first << 2, stop = last << 2; ; i += 4) {
    const till = i < stop ? rows[i]! : end;
    let n = (till - from) | 0;
    if (n > 0) {
      if (n <= SHORT && o + n <= safe) copyShort(view, from, to, o, n);
      else bytes.copy(out, o, from, till);
      o = (o + n) | 0;
    }
    if (i >= stop) return o;
    const x = rows[i + 2]! | 0;
    const y = rows[i + 3]! | 0;
    from = rows[i + 1]! | 0;
    n = (y - x) | 0;
    if (y === VARINT_HERE) {
      let v = x;
      for (; v > 127; v >>>= 7) {
        to.setUint8(o, (v & 127) | 128);
        o = (o + 1) | 0;
      }
      to.setUint8(o, v);
      o = (o + 1) | 0;
    } else if (n > 0) {
      if (n <= SHORT && o + n <= safe) copyShort(view, x, to, o, n);
      else bytes.copy(out, o, x, y);
      o = (o + n) | 0;
    }
  }
}
