/**
 * The head's inverted index: label pair to the refs of its series. A pair is known by the bytes of its Label message, which stay where the
 * first series has them; eight words in one array describe it, its postings are blocks chained together. Strings of names and values are
 * made when a query first asks for them. Refs of deleted series stay in the lists until the index is rebuilt; readers skip them.
 */
import { equalBytes, hashBytes, utf8Text, viewOf } from '#src/store/bytes.ts';
import { encodeLabels, findLabels, spans } from '#src/store/labels.ts';
import { BlockSlabs, byteIn, slabOf, wordIn } from './slabs.ts';
import type { LogSlabs } from './slabs.ts';

// Words of a pair.
const LABELS = 0; // Address of a label set that has it,
const OFFSET = 1; // and where in it, bytes.
const SIZE = 2;
const HASH = 3;
const FIRST = 4;
const LAST = 5;
const FILL = 6; // Refs in the last block | words of the last block << 16.
const COUNT = 7;
const PAIR_SHIFT = 3;
const LARGEST_BLOCK = 1024;

export class HeadIndex {
  readonly #labels: LogSlabs;
  #pairs = new Int32Array(8 << 8);
  #slots = new Int32Array(1 << 9);
  #count = 1;
  readonly #blocks = new BlockSlabs();
  readonly #pairsOfName = new Map<string, number[]>();
  /** By pair: the strings, once asked for. */
  readonly #names: (string | undefined)[] = [];
  readonly #values: (string | undefined)[] = [];

  constructor(labels: LogSlabs) {
    this.#labels = labels;
  }

  get pairCount(): number {
    return this.#count - 1;
  }

  /** Adds a series whose label set is at `address`; refs need not ascend. */
  add(ref: number, address: number, size: number): void {
    const bytes = this.#labels.bytes[slabOf(address)]!;
    const view = this.#labels.views[slabOf(address)]!;
    const start = byteIn(address);
    const count = findLabels(bytes, start, start + size);
    for (let i = 0; i < 6 * count; i += 6) {
      const from = spans[i + 4]!;
      const length = spans[i + 5]! - from;
      let pair = this.#find(bytes, from, length, hashBytes(view, from, length));
      if (pair === 0) pair = this.#create(bytes, view, address, from, length, spans[i]!, spans[i + 1]!);
      this.#post(pair, ref);
    }
  }

  #find(bytes: Uint8Array, from: number, size: number, hash: number): number {
    const mask = this.#slots.length - 1;
    const pairs = this.#pairs;
    for (let i = hash & mask; ; i = (i + 1) & mask) {
      const pair = this.#slots[i]!;
      if (pair === 0) return 0;
      const p = pair << PAIR_SHIFT;
      if (pairs[p + HASH] !== hash || pairs[p + SIZE] !== size) continue;
      const at = pairs[p + LABELS]!;
      if (equalBytes(this.#labels.bytes[slabOf(at)]!, byteIn(at) + pairs[p + OFFSET]!, bytes, from, size)) return pair;
    }
  }

  #create(bytes: Uint8Array, view: DataView, address: number, from: number, size: number, nameFrom: number, nameTo: number): number {
    const pair = this.#count++;
    const p = pair << PAIR_SHIFT;
    if (p + 8 > this.#pairs.length) {
      const grown = new Int32Array(this.#pairs.length * 2);
      grown.set(this.#pairs);
      this.#pairs = grown;
    }
    this.#pairs[p + LABELS] = address;
    this.#pairs[p + OFFSET] = from - byteIn(address);
    this.#pairs[p + SIZE] = size;
    this.#pairs[p + HASH] = hashBytes(view, from, size);
    if (this.#count * 2 > this.#slots.length) {
      this.#slots = new Int32Array(this.#slots.length * 2);
      for (let k = 1; k < pair; k++) this.#place(k);
    }
    this.#place(pair);
    const name = utf8Text(bytes, nameFrom, nameTo);
    const others = this.#pairsOfName.get(name);
    if (others) others.push(pair);
    else this.#pairsOfName.set(name, [pair]);
    return pair;
  }

  #place(pair: number): void {
    const mask = this.#slots.length - 1;
    let i = this.#pairs[(pair << PAIR_SHIFT) + HASH]! & mask;
    while (this.#slots[i] !== 0) i = (i + 1) & mask;
    this.#slots[i] = pair;
  }

  #post(pair: number, ref: number): void {
    const pairs = this.#pairs;
    const p = pair << PAIR_SHIFT;
    let fill = pairs[p + FILL]! & 0xffff;
    let size = pairs[p + FILL]! >>> 16;
    if (fill + 1 >= size) {
      size = size === 0 ? 2 : Math.min(size * 2, LARGEST_BLOCK); // The first word leads to the next block.
      const block = this.#blocks.allocate(size);
      const last = pairs[p + LAST]!;
      if (last === 0) pairs[p + FIRST] = block;
      else this.#blocks.slabs[slabOf(last)]![wordIn(last)] = block;
      pairs[p + LAST] = block;
      fill = 0;
    }
    const block = pairs[p + LAST]!;
    this.#blocks.slabs[slabOf(block)]![wordIn(block) + 1 + fill] = ref;
    pairs[p + FILL] = (fill + 1) | (size << 16);
    pairs[p + COUNT]!++;
  }

  /** The pair of a name and a value; 0 where no series has it. */
  pairOf(name: string, value: string): number {
    const bytes = encodeLabels([name, value]);
    return this.#find(bytes, 0, bytes.length, hashBytes(viewOf(bytes), 0, bytes.length));
  }

  /** Refs in ascending order; the caller owns the array. */
  postings(pair: number): Int32Array {
    const p = pair << PAIR_SHIFT;
    const refs = new Int32Array(this.#pairs[p + COUNT]!);
    let n = 0;
    let size = 2;
    let ascending = true;
    let previous = 0;
    for (let block = this.#pairs[p + FIRST]!; n < refs.length; size = Math.min(size * 2, LARGEST_BLOCK)) {
      const slab = this.#blocks.slabs[slabOf(block)]!;
      const at = wordIn(block);
      for (let k = 1; k < size && n < refs.length; k++) {
        const ref = slab[at + k]!;
        if (ref < previous) ascending = false;
        previous = refs[n++] = ref;
      }
      block = slab[at]!;
    }
    return ascending ? refs : refs.sort();
  }

  names(): IterableIterator<string> {
    return this.#pairsOfName.keys();
  }

  pairsOf(name: string): readonly number[] {
    return this.#pairsOfName.get(name) ?? [];
  }

  nameText(pair: number): string {
    return (this.#names[pair] ??= this.#text(pair, 0));
  }

  valueText(pair: number): string {
    return (this.#values[pair] ??= this.#text(pair, 2));
  }

  #text(pair: number, part: 0 | 2): string {
    const p = pair << PAIR_SHIFT;
    const at = this.#pairs[p + LABELS]!;
    const bytes = this.#labels.bytes[slabOf(at)]!;
    const from = byteIn(at) + this.#pairs[p + OFFSET]!;
    findLabels(bytes, from, from + this.#pairs[p + SIZE]!);
    return utf8Text(bytes, spans[part]!, spans[part + 1]!);
  }

  /** Labels of a series as strings that all series share. */
  labelList(address: number, size: number): string[] {
    const bytes = this.#labels.bytes[slabOf(address)]!;
    const view = this.#labels.views[slabOf(address)]!;
    const start = byteIn(address);
    const count = findLabels(bytes, start, start + size);
    const list: string[] = [];
    const pairs: number[] = [];
    for (let i = 0; i < 6 * count; i += 6) {
      const from = spans[i + 4]!;
      pairs.push(this.#find(bytes, from, spans[i + 5]! - from, hashBytes(view, from, spans[i + 5]! - from)));
    }
    for (let i = 0; i < pairs.length; i++) list.push(this.nameText(pairs[i]!), this.valueText(pairs[i]!));
    return list;
  }
}
