/**
 * Numbers for the attribute keys that configurations name, one table for the process: a cursor that indexes its attributes hashes each key
 * once, over its length and its first and last byte, and finds the number; a look-up by number is then one array load.
 */
import { equalBytes, viewOf } from '#src/wire/bytes.ts';

const NONE = -1;

class KeyTable {
  count = 0;
  /** Rows of the hash table: id, offset and size of the key, next row or -1. Chains of other rows follow behind the first `mask + 1`. */
  rows = new Int32Array(8 * 4).fill(NONE);
  mask = 7;
  bytes: Buffer = Buffer.alloc(256);
  view: DataView = viewOf(this.bytes);
  #used = 0;
  readonly #ids = new Map<string, number>();
  readonly #texts: string[] = [];
  readonly #offsets: number[] = [];
  readonly #sizes: number[] = [];

  /** The number of `key`, a new one where it is new. */
  id(key: string): number {
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    const bytes = Buffer.from(key);
    if (this.#used + bytes.length > this.bytes.length) {
      this.bytes = Buffer.concat([this.bytes], (this.bytes.length + bytes.length) * 2);
      this.view = viewOf(this.bytes);
    }
    bytes.copy(this.bytes, this.#used);
    const id = this.count++;
    this.#ids.set(key, id);
    this.#texts.push(key);
    this.#offsets.push(this.#used);
    this.#sizes.push(bytes.length);
    this.#used += bytes.length;
    this.#rehash();
    return id;
  }
  /** The number of a key that some configuration named, else -1. */
  known(key: string): number {
    return this.#ids.get(key) ?? NONE;
  }
  text(id: number): string {
    return this.#texts[id]!;
  }
  offset(id: number): number {
    return this.#offsets[id]!;
  }
  size(id: number): number {
    return this.#sizes[id]!;
  }

  /** The number of the key at [at, at + size) of another buffer, else -1. */
  find(view: DataView, at: number, size: number): number {
    if (size === 0) return this.known('');
    const { rows } = this;
    for (let h = (((size << 4) ^ (view.getUint8(at) << 1) ^ view.getUint8(at + size - 1)) & this.mask) << 2; h >= 0; h = rows[h + 3]!)
      if (rows[h + 2] === size && equalBytes(view, at, this.view, rows[h + 1]!, size)) return rows[h]!;
    return NONE;
  }

  #rehash(): void {
    let size = 8;
    while (size < this.count * 4) size *= 2;
    const rows = new Int32Array((size + this.count) * 4).fill(NONE);
    let free = size * 4;
    for (let id = 0; id < this.count; id++) {
      const at = this.#offsets[id]!;
      const n = this.#sizes[id]!;
      if (n === 0) continue;
      let h = (((n << 4) ^ (this.bytes[at]! << 1) ^ this.bytes[at + n - 1]!) & (size - 1)) << 2;
      if (rows[h]! >= 0) {
        while (rows[h + 3]! >= 0) h = rows[h + 3]!;
        rows[h + 3] = free;
        h = free;
        free += 4;
      }
      rows[h] = id;
      rows[h + 1] = at;
      rows[h + 2] = n;
    }
    this.rows = rows;
    this.mask = size - 1;
  }
}

export const keys = new KeyTable();
/** The number of an attribute key, for `Cursor.row` and its like. Ask when configuration is compiled, not per record. */
export function keyId(key: string): number {
  return keys.id(key);
}
