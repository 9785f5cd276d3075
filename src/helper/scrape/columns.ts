/**
 * What is known of the samples of a target's last scrape, as columns: the text between the numbers (with the series in it), where each series' encoded
 * attributes are, and how it is tracked. Index = position in the exposition. No object per series: some 250 bytes each with text and attributes.
 */
import { copyBytes, equalBytes, viewOf } from './words.ts';

/** The series was dropped by relabelling: it has no point. */
export const DROPPED = 1;
/** When it vanishes a staleness marker follows. */
export const TRACKED = 2;
/** Its line has a timestamp. */
export const TIMED = 4;
/** It describes the resource or the scope; `attributesAt` is then an index into `infos`. */
export const INFO = 8;
/** The line repeats an earlier one of the same scrape, which is the one that counts. */
export const REPEATED = 16;
/** The attribute that comes last is quantile, not le. */
export const QUANTILE = 32;
/** It came in an exposition that broke after it: no marker for this scrape. */
export const SEEN = 64;

export interface Info {
  readonly metric: string;
  readonly labels: readonly (readonly [string, string])[];
}

export class SampleColumns {
  count = 0;
  capacity: number;
  /** The exposition without the numbers; sample k's piece is [pieceAt of k - 1 .. ) of `pieceSize[k]` bytes. */
  text: Buffer;
  textView: DataView;
  textSize = 0;
  /** What follows the last number. */
  tailSize = 0;
  pieceSize: Int32Array;
  keyAt: Int32Array;
  keySize: Int32Array;
  keyHash: Int32Array;
  flags: Uint8Array;
  name: Int32Array;
  place: Int32Array;
  attributesAt: Int32Array;
  attributesSize: Int32Array;
  baseSize: Int32Array;
  attributesHash: Int32Array;
  baseHash: Int32Array;
  bound: Float64Array;
  infos: Info[] = [];

  constructor(capacity: number, textCapacity: number) {
    this.capacity = capacity;
    this.text = Buffer.allocUnsafeSlow(Math.max(64, textCapacity));
    this.textView = viewOf(this.text);
    this.pieceSize = new Int32Array(capacity);
    this.keyAt = new Int32Array(capacity);
    this.keySize = new Int32Array(capacity);
    this.keyHash = new Int32Array(capacity);
    this.flags = new Uint8Array(capacity);
    this.name = new Int32Array(capacity);
    this.place = new Int32Array(capacity);
    this.attributesAt = new Int32Array(capacity);
    this.attributesSize = new Int32Array(capacity);
    this.baseSize = new Int32Array(capacity);
    this.attributesHash = new Int32Array(capacity);
    this.baseHash = new Int32Array(capacity);
    this.bound = new Float64Array(capacity);
  }

  /** Room for one more sample. */
  reserve(): void {
    if (this.count < this.capacity) return;
    this.resize(Math.max(64, this.capacity * 2));
  }

  /** To exactly this capacity; what does not fit is not there any more. */
  resize(capacity: number): void {
    const ints = (from: Int32Array): Int32Array<ArrayBuffer> => {
      const to = new Int32Array(capacity);
      to.set(from.subarray(0, Math.min(capacity, from.length)));
      return to;
    };
    this.pieceSize = ints(this.pieceSize);
    this.keyAt = ints(this.keyAt);
    this.keySize = ints(this.keySize);
    this.keyHash = ints(this.keyHash);
    this.name = ints(this.name);
    this.place = ints(this.place);
    this.attributesAt = ints(this.attributesAt);
    this.attributesSize = ints(this.attributesSize);
    this.baseSize = ints(this.baseSize);
    this.attributesHash = ints(this.attributesHash);
    this.baseHash = ints(this.baseHash);
    const kept = Math.min(capacity, this.capacity);
    const flags = new Uint8Array(capacity);
    flags.set(this.flags.subarray(0, kept));
    this.flags = flags;
    const bound = new Float64Array(capacity);
    bound.set(this.bound.subarray(0, kept));
    this.bound = bound;
    this.capacity = capacity;
  }

  /** Copies what is known of sample `k` of `old` to row `n` here; key and piece are the caller's to set. */
  copyFrom(old: SampleColumns, k: number, n: number): void {
    this.name[n] = old.name[k]!;
    this.place[n] = old.place[k]!;
    this.attributesAt[n] = old.attributesAt[k]!;
    this.attributesSize[n] = old.attributesSize[k]!;
    this.baseSize[n] = old.baseSize[k]!;
    this.attributesHash[n] = old.attributesHash[k]!;
    this.baseHash[n] = old.baseHash[k]!;
    this.bound[n] = old.bound[k]!;
  }

  /** Gives back what was reserved too much. */
  trim(): void {
    if (this.capacity > this.count * 1.25 + 64) this.resize(this.count);
    if (this.text.length > this.textSize * 1.25 + 4096) {
      const text = Buffer.allocUnsafeSlow(this.textSize);
      this.text.copy(text, 0, 0, this.textSize);
      this.text = text;
      this.textView = viewOf(text);
    }
  }

  /** Whether a and b are one series: the same name, resource, scope and attributes. */
  isSameSeries(k: number, other: SampleColumns, j: number, attributes: DataView): boolean {
    return (
      this.name[k] === other.name[j] &&
      this.place[k] === other.place[j] &&
      this.attributesHash[k] === other.attributesHash[j] &&
      this.attributesSize[k] === other.attributesSize[j] &&
      equalBytes(attributes, this.attributesAt[k]!, attributes, other.attributesAt[j]!, this.attributesSize[k]!)
    );
  }
}

/** Finds samples by the text of their series: open addressing over the keys of some columns. */
export class KeyTable {
  #slots: Int32Array;
  #mask: number;
  #used = 0;
  readonly #columns: SampleColumns;

  constructor(columns: SampleColumns, expected: number) {
    const size = 1 << (33 - Math.clz32(Math.max(8, expected)));
    this.#slots = new Int32Array(size);
    this.#mask = size - 1;
    this.#columns = columns;
  }

  add(k: number): void {
    if (this.#used * 2 > this.#mask) this.#grow();
    this.#insert(k);
    this.#used++;
  }
  #insert(k: number): void {
    let slot = this.#columns.keyHash[k]! & this.#mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & this.#mask;
    this.#slots[slot] = k + 1;
  }
  #grow(): void {
    const old = this.#slots;
    this.#slots = new Int32Array(old.length * 2);
    this.#mask = this.#slots.length - 1;
    for (let i = 0; i < old.length; i++) if (old[i] !== 0) this.#insert(old[i]! - 1);
  }

  /** The sample whose series has this text, or -1. */
  find(hash: number, bytes: DataView, from: number, size: number): number {
    const { keyHash, keySize, keyAt, textView } = this.#columns;
    for (let slot = hash & this.#mask; ; slot = (slot + 1) & this.#mask) {
      const k = this.#slots[slot]! - 1;
      if (k < 0) return -1;
      if (keyHash[k] === hash && keySize[k] === size && equalBytes(textView, keyAt[k]!, bytes, from, size)) return k;
    }
  }
}

/** Encoded attributes of all series of a target, appended once and moved only when half of them are not needed any more. */
export class AttributeArena {
  bytes = Buffer.allocUnsafeSlow(4096);
  view = viewOf(this.bytes);
  size = 0;
  /** See lookInto(). */
  isElsewhere = false;

  append(attributes: Uint8Array): number {
    if (this.size + attributes.length > this.bytes.length) {
      const bytes = Buffer.allocUnsafeSlow(Math.max(this.bytes.length * 2, this.size + attributes.length));
      this.bytes.copy(bytes, 0, 0, this.size);
      this.bytes = bytes;
      this.view = viewOf(bytes);
    }
    const at = this.size;
    this.bytes.set(attributes, at);
    this.size += attributes.length;
    return at;
  }

  /** Keeps only the attributes of the columns' samples, where that is worth the copy. */
  compact(columns: SampleColumns): void {
    let needed = 0;
    for (let k = 0; k < columns.count; k++) if ((columns.flags[k]! & (INFO | DROPPED)) === 0) needed += columns.attributesSize[k]!;
    if (this.size <= needed * 2 + 4096 && this.bytes.length <= needed * 3 + 8192) return;
    this.#move(columns, needed);
  }

  /** The same attributes stand in `bytes` too, at the places that `columns` have by now: nothing is kept twice. To be taken back before anything is appended. */
  lookInto(bytes: Buffer<ArrayBuffer>, view: DataView): void {
    this.isElsewhere = true;
    this.bytes = bytes;
    this.view = view;
    this.size = bytes.length;
  }

  /** Copies the attributes of the columns' samples out of where lookInto() found them. */
  takeBack(columns: SampleColumns): void {
    if (!this.isElsewhere) return;
    this.isElsewhere = false;
    let needed = 0;
    for (let k = 0; k < columns.count; k++) if ((columns.flags[k]! & (INFO | DROPPED)) === 0) needed += columns.attributesSize[k]!;
    this.#move(columns, needed);
  }

  #move(columns: SampleColumns, needed: number): void {
    const bytes = Buffer.allocUnsafeSlow(Math.max(64, needed));
    const view = viewOf(bytes);
    let at = 0;
    for (let k = 0; k < columns.count; k++) {
      if ((columns.flags[k]! & (INFO | DROPPED)) !== 0) continue;
      copyBytes(this.view, columns.attributesAt[k]!, view, at, columns.attributesSize[k]!);
      columns.attributesAt[k] = at;
      at += columns.attributesSize[k]!;
    }
    this.bytes = bytes;
    this.view = view;
    this.size = at;
  }
}
