/** Severities from the bytes of their names; the last ones are remembered by their first eight bytes. */

const WAYS = 32;
const HEAD = [0, 0xff, 0xffff, 0xffffff];

export class SeverityBytes {
  readonly #table: ReadonlyMap<string, number>;
  readonly #size = new Int32Array(WAYS).fill(-1);
  readonly #a = new Int32Array(WAYS);
  readonly #b = new Int32Array(WAYS);
  readonly #number = new Uint8Array(WAYS);

  constructor(table: ReadonlyMap<string, number>) {
    this.#table = table;
  }

  /** The number of the severity in [start, end), 0 where it is unknown. Three bytes behind it are readable. */
  numberOf(bytes: Buffer, view: DataView, start: number, end: number): number {
    const size = end - start;
    if (size < 1 || size > 8) return this.#table.get(bytes.utf8Slice(start, end).toLowerCase()) ?? 0;
    const a = size >= 4 ? view.getInt32(start, true) : view.getInt32(start, true) & HEAD[size]!;
    const b = size === 8 ? view.getInt32(start + 4, true) : size > 4 ? view.getInt32(start + 4, true) & HEAD[size & 3]! : 0;
    const way = (a ^ (a >> 8) ^ (b >> 3) ^ size) & (WAYS - 1);
    if (this.#size[way] === size && this.#a[way] === a && this.#b[way] === b) return this.#number[way]!;
    const number = this.#table.get(bytes.utf8Slice(start, end).toLowerCase()) ?? 0;
    this.#size[way] = size;
    this.#a[way] = a;
    this.#b[way] = b;
    this.#number[way] = number;
    return number;
  }
}
