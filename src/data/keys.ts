/**
 * Numbers for the attribute keys that configurations name, one table for the process: a cursor that indexes its attributes hashes each key
 * once, over its length and its first and last byte, and finds the number; a look-up by number is then one array load.
 */
import { COPY_SLACK, equalBytes, putVarint, utf8Size, varintSize, viewOf } from '#src/wire/bytes.ts';

const NONE = -1;

class KeyTable {
  count = 0;
  /** Rows of the hash table: id, offset and size of the key, next row or -1. Chains of other rows follow behind the first `mask + 1`. */
  rows = new Int32Array(8 * 4).fill(NONE);
  mask = 7;
  /** Each key as it stands in a KeyValue before a value: tag, length, key, and the tag of the value. */
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
    const size = utf8Size(key);
    const head = 1 + varintSize(size);
    if (this.#used + head + size + 1 + COPY_SLACK > this.bytes.length) {
      this.bytes = Buffer.concat([this.bytes], (this.bytes.length + head + size + COPY_SLACK) * 2);
      this.view = viewOf(this.bytes);
    }
    const at = this.#used + head;
    this.bytes[this.#used] = 0x0a;
    putVarint(this.bytes, this.#used + 1, size);
    this.bytes.utf8Write(key, at);
    this.bytes[at + size] = 0x12;
    const id = this.count++;
    this.#ids.set(key, id);
    this.#texts.push(key);
    this.#offsets.push(at);
    this.#sizes.push(size);
    this.#used = at + size + 1;
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
  /** Where the key begins in `bytes`, and its size. */
  offset(id: number): number {
    return this.#offsets[id]!;
  }
  size(id: number): number {
    return this.#sizes[id]!;
  }
  /** How many bytes tag and length take before the key. */
  headSize(id: number): number {
    return 1 + varintSize(this.#sizes[id]!);
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
