/**
 * Attribute keys that were seen, by number: their raw bytes with the closing quote, to compare with the next line, and their encoded head
 * (tag, length, name, tag of the value). Keys come in the same order line after line, so each remembers which one followed it.
 */
import { putVarint } from '#src/wire/bytes.ts';

/** More different keys than this are data, not names: such lines take the general path. */
const MAX_KEYS = 8192;
const ARENA = 1 << 20;
/** Bits of a word's first n bytes. */
const HEAD = [0, 0xff, 0xffff, 0xffffff];

export class KeyTable {
  readonly arena: Buffer = Buffer.allocUnsafeSlow(ARENA + 8);
  readonly view = new DataView(this.arena.buffer, this.arena.byteOffset, this.arena.length);
  readonly rawAt = new Int32Array(MAX_KEYS);
  readonly rawSize = new Int32Array(MAX_KEYS);
  readonly headAt = new Int32Array(MAX_KEYS);
  readonly headSize = new Int32Array(MAX_KEYS);
  /** The key that came next the time before; 0: none. */
  readonly follows = new Int32Array(MAX_KEYS);
  /** For whoever marks keys: the line in which one was seen last, and its slot there. */
  readonly seen = new Int32Array(MAX_KEYS);
  readonly slot = new Int32Array(MAX_KEYS);
  readonly #ids = new Map<string, number>();
  #count = 1;
  #top = 0;

  /** The number of a key; -1 where there are too many. `latin1`: the key's UTF-8 bytes, one a character. */
  idOf(latin1: string): number {
    const known = this.#ids.get(latin1);
    if (known !== undefined) return known;
    const size = latin1.length;
    if (this.#count === MAX_KEYS || this.#top + 2 * size + 32 > ARENA) return -1;
    const id = this.#count++,
      arena = this.arena;
    this.rawAt[id] = this.#top;
    this.rawSize[id] = size + 1;
    this.#top += arena.write(`${latin1}"`, this.#top, 'latin1');
    this.headAt[id] = this.#top;
    arena[this.#top++] = 0x0a;
    this.#top = putVarint(arena, this.#top, size);
    this.#top += arena.write(latin1, this.#top, 'latin1');
    arena[this.#top++] = 0x12;
    this.headSize[id] = this.#top - this.headAt[id]!;
    this.#ids.set(latin1, id);
    return id;
  }

  idOfText(key: string): number {
    return this.idOf(Buffer.from(key).toString('latin1'));
  }

  /** Whether the bytes at `at`, behind an opening quote, are this key and its closing quote. */
  matches(id: number, view: DataView, at: number): boolean {
    const size = this.rawSize[id]!,
      own = this.view;
    let raw = this.rawAt[id]!,
      i = at;
    const stop = raw + size - 3;
    for (; raw < stop; raw += 4, i += 4) if (own.getInt32(raw, true) !== view.getInt32(i, true)) return false;
    return ((own.getInt32(raw, true) ^ view.getInt32(i, true)) & HEAD[size & 3]!) === 0;
  }
}
