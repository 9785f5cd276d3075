/**
 * What the points of one metric looked like last time, in their order: their bytes, where in them times and values are (holes), and the series each
 * value goes to. The next batch is compared with that, byte for byte but for the holes; what is equal needs no translation. All of it lies in a
 * few typed arrays per metric, so ten thousand series cost no objects.
 *
 * A row: start of the bytes in `bytes`, their size, offset of the time (-1: none), first operation and how many, first hole and how many.
 * An operation: source (translate.ts), offset of the value in the point, ref of the series. A hole: offset of eight bytes, ascending.
 */
export const ROW = 7;
export const OP = 3;
/** How far ahead a point is looked for that is not the next: those between are gone. */
const LOOK_AHEAD = 8;

export class PointCache {
  bytes = Buffer.alloc(0);
  view = new DataView(new ArrayBuffer(0));
  rows = new Int32Array(0);
  ops = new Int32Array(0);
  holes = new Int32Array(0);
  count = 0;

  /** The row whose point looks like [start, start + size) of the view, `expected` or one of those behind it; -1 where there is none. */
  find(view: DataView, start: number, size: number, expected: number): number {
    const last = Math.min(this.count, expected + LOOK_AHEAD);
    for (let row = expected; row < last; row++) if (this.rows[row * ROW + 1] === size && this.#matches(row * ROW, view, start)) return row;
    return -1;
  }

  #matches(row: number, view: DataView, start: number): boolean {
    const { rows, holes } = this,
      own = this.view,
      from = rows[row]!,
      first = rows[row + 5]!;
    let p = 0;
    for (let i = first, stop = first + rows[row + 6]!; i < stop; i++) {
      const hole = holes[i]!;
      if (!equal(view, start + p, own, from + p, hole - p)) return false;
      p = hole + 8;
    }
    return equal(view, start + p, own, from + p, rows[row + 1]! - p);
  }
}

/** Collects the rows of one metric while its points go by; takes over what an old cache had. Reused for one metric after the other. */
export class PointCacheBuilder {
  #bytes = Buffer.allocUnsafeSlow(1 << 12);
  #used = 0;
  #rows = new Int32Array(1 << 8);
  #count = 0;
  #ops = new Int32Array(1 << 8);
  #opUsed = 0;
  #holes = new Int32Array(1 << 8);
  #holeUsed = 0;

  reset(): void {
    this.#used = this.#count = this.#opUsed = this.#holeUsed = 0;
  }

  /** Begins the row of the point bytes[start, end); `timeAt` is an offset in the point, -1 for none. */
  add(bytes: Buffer, start: number, end: number, timeAt: number): void {
    const size = end - start;
    if (this.#used + size > this.#bytes.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length * 2, this.#used + size));
      this.#bytes.copy(grown, 0, 0, this.#used);
      this.#bytes = grown;
    }
    bytes.copy(this.#bytes, this.#used, start, end);
    if ((this.#count + 1) * ROW > this.#rows.length) this.#rows = doubled(this.#rows);
    const rows = this.#rows,
      row = this.#count++ * ROW;
    rows[row] = this.#used;
    rows[row + 1] = size;
    rows[row + 2] = timeAt;
    rows[row + 3] = this.#opUsed;
    rows[row + 4] = 0;
    rows[row + 5] = this.#holeUsed;
    rows[row + 6] = 0;
    this.#used += size;
    if (timeAt >= 0) this.#hole(row, timeAt);
  }

  /** `offset`: of the value in the point, -1 where the source has none. */
  op(source: number, offset: number, ref: number): void {
    if (this.#opUsed + OP > this.#ops.length) this.#ops = doubled(this.#ops);
    const row = (this.#count - 1) * ROW;
    this.#ops[this.#opUsed] = source;
    this.#ops[this.#opUsed + 1] = offset;
    this.#ops[this.#opUsed + 2] = ref;
    this.#opUsed += OP;
    this.#rows[row + 4]!++;
    if (offset >= 0) this.#hole(row, offset);
  }

  /** Keeps the holes of the row ascending and each once: a histogram's count is the value of two series. */
  #hole(row: number, offset: number): void {
    const first = this.#rows[row + 5]!;
    if (this.#holeUsed === this.#holes.length) this.#holes = doubled(this.#holes);
    const holes = this.#holes;
    let at = this.#holeUsed;
    while (at > first && holes[at - 1]! > offset) at--;
    if (at > first && holes[at - 1] === offset) return;
    holes.copyWithin(at + 1, at, this.#holeUsed++);
    holes[at] = offset;
    this.#rows[row + 6]!++;
  }

  /** Rows [from, to) of another cache, as they are. */
  take(cache: PointCache, from: number, to: number): void {
    for (let row = from; row < to; row++) {
      const at = row * ROW,
        start = cache.rows[at]!,
        firstOp = cache.rows[at + 3]!;
      this.add(cache.bytes, start, start + cache.rows[at + 1]!, cache.rows[at + 2]!);
      for (let i = 0, op = firstOp; i < cache.rows[at + 4]!; i++, op += OP) this.op(cache.ops[op]!, cache.ops[op + 1]!, cache.ops[op + 2]!);
    }
  }

  /** Hands all rows to the cache, in arrays of their exact size. */
  finish(cache: PointCache): void {
    cache.bytes = Buffer.allocUnsafeSlow(this.#used);
    this.#bytes.copy(cache.bytes, 0, 0, this.#used);
    cache.view = new DataView(cache.bytes.buffer, cache.bytes.byteOffset, this.#used);
    cache.rows = this.#rows.slice(0, this.#count * ROW);
    cache.ops = this.#ops.slice(0, this.#opUsed);
    cache.holes = this.#holes.slice(0, this.#holeUsed);
    cache.count = this.#count;
  }
}

function doubled(array: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const grown = new Int32Array(array.length * 2);
  grown.set(array);
  return grown;
}

/** Whether a[i, i + n) and b[j, j + n) are the same bytes. */
function equal(a: DataView, i: number, b: DataView, j: number, n: number): boolean {
  const end = i + n;
  for (const stop = end - 8; i <= stop; i += 8, j += 8)
    if (a.getInt32(i, true) !== b.getInt32(j, true) || a.getInt32(i + 4, true) !== b.getInt32(j + 4, true)) return false;
  if (end - i >= 4) {
    if (a.getInt32(i, true) !== b.getInt32(j, true)) return false;
    i += 4;
    j += 4;
  }
  for (; i < end; i++, j++) if (a.getUint8(i) !== b.getUint8(j)) return false;
  return true;
}
