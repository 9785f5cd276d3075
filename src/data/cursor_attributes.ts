/**
 * Attributes by key. Keys that are known when configuration is compiled have numbers (keyId); a look-up is then one array load. Attributes are
 * indexed when first asked for. A *row* says where an attribute is (-1: absent); it stays valid until the cursor moves on, also when the attribute
 * is set again.
 */
import { PermanentError } from '#src/core/errors.ts';
import { equalBytes, utf8Size } from '#src/wire/bytes.ts';
import { decodeAnyValue } from './any_value.ts';
import { FieldEditor } from './cursor_field_edits.ts';
import * as row from './row.ts';
import { keys } from './keys.ts';
import { after, readLength, skipField } from './scan.ts';
import type { Literal } from './space.ts';
import { BYTES, DOUBLE, EMPTY, INT, STRING, type Value, ValueMap, type ValueType } from './value.ts';

const { DELETED, EDIT, END, ID, KEY, KEY_SIZE, RAW, UNKNOWN, VALUE, VALUE_END } = row;

export class AttributeReader extends FieldEditor {
  /** Whether rows of keys that nobody named are still as `#indexRun` leaves them. */
  #raw = false;

  #index(): void {
    this.indexed = this.#raw = true;
    if (this.slot.length < keys.count) this.slot = new Int32Array(keys.count + 16).fill(-1);
    const stop = this.rowCount << 3;
    let x = this.#indexRun(0, stop);
    while (x < stop) {
      this.#indexOdd(x);
      x = this.#indexRun(x + 8, stop);
    }
  }
  /** Indexes from row `from` on; returns the row that is for `#indexOdd`, else `stop`. It makes no call, as the loop of `scan`. */
  #indexRun(from: number, stop: number): number {
    const { rows, slot } = this;
    const { view } = this.space;
    const { rows: table, mask, view: keyView } = keys;
    for (let x = from | 0; x < stop; x = (x + 8) | 0) {
      const q = rows[x + KEY]!;
      const e = rows[x + END]!;
      if (e - q < 4) return x;
      // One-byte lengths and nothing else: the Collector writes the value before the key, most others after it.
      const head = view.getUint16(q, true);
      const r = (q + 2 + (head >> 8)) | 0;
      if (r + 2 > e) return x;
      const second = view.getUint16(r, true);
      if (((head | second) & 0x8000) !== 0 || r + 2 + (second >> 8) !== e) return x;
      let k = (q + 2) | 0;
      let size = head >> 8;
      const valueFirst = (head & 0xff) === 0x12;
      if (valueFirst) {
        k = (r + 2) | 0;
        size = second >> 8;
      }
      if ((valueFirst ? (second & 0xff) !== 0x0a : (head & 0xff) !== 0x0a || (second & 0xff) !== 0x12) || size === 0) return x;
      let h = (((size << 4) ^ (view.getUint8(k) << 1) ^ view.getUint8(k + size - 1)) & mask) << 2;
      while (h >= 0 && (table[h + 2] !== size || !equalBytes(view, k, keyView, table[h + 1]!, size))) h = table[h + 3]!;
      if (h < 0) {
        rows[x + ID] = RAW;
        continue;
      }
      const id = table[h]!;
      rows[x + KEY] = k;
      rows[x + KEY_SIZE] = size;
      rows[x + VALUE] = valueFirst ? q + 2 : r + 2;
      rows[x + VALUE_END] = valueFirst ? r : e;
      rows[x + EDIT] = -1;
      rows[x + ID] = id;
      if (slot[id]! < 0) slot[id] = x;
    }
    return stop;
  }
  /** Completes the rows that `#indexRun` did not need to. */
  #complete(): void {
    this.#raw = false;
    const { rows } = this;
    const B = this.space.bytes;
    for (let x = 0, stop = this.rowCount << 3; x < stop; x += 8) {
      if (rows[x + ID] !== RAW) continue;
      const q = rows[x + KEY]!;
      const e = rows[x + END]!;
      const r = q + 2 + B[q + 1]!;
      const valueFirst = B[q] === 0x12;
      rows[x + KEY] = valueFirst ? r + 2 : q + 2;
      rows[x + KEY_SIZE] = valueFirst ? e - r - 2 : r - q - 2;
      rows[x + VALUE] = valueFirst ? q + 2 : r + 2;
      rows[x + VALUE_END] = valueFirst ? r : e;
      rows[x + EDIT] = -1;
      rows[x + ID] = UNKNOWN;
    }
  }
  /** A KeyValue with its fields in any order, long, repeated or unknown. */
  #indexOdd(x: number): void {
    const { rows, slot } = this;
    const { bytes: B, view } = this.space;
    const start = rows[x + KEY]!;
    const end = rows[x + END]!;
    let key = start;
    let size = 0;
    rows[x + VALUE] = rows[x + VALUE_END] = end;
    let p = start;
    while (p < end) {
      const t = B[p]!;
      if (t === 0x0a || t === 0x12) {
        const n = readLength(B, p + 1, end);
        p = after + n;
        if (t === 0x0a) {
          key = after;
          size = n;
        } else {
          rows[x + VALUE] = after;
          rows[x + VALUE_END] = p;
        }
      } else p = skipField(B, p, end);
    }
    if (p !== end) throw new PermanentError(`malformed OTLP: an attribute at offset ${start}`);
    rows[x + KEY] = key;
    rows[x + KEY_SIZE] = size;
    rows[x + EDIT] = -1;
    const id = keys.find(view, key, size);
    rows[x + ID] = id;
    if (id >= 0 && slot[id]! < 0) slot[id] = x;
  }

  /** The row of the attribute with this key number; -1 where there is none. */
  row(id: number): number {
    if (!this.indexed) this.#index();
    return id < this.slot.length ? this.slot[id]! : -1;
  }
  /** Rows by key number, -1 where absent: `row` for those who ask for many. Valid until an attribute is set or the cursor moves. */
  slots(): Int32Array {
    if (!this.indexed) this.#index();
    if (this.slot.length < keys.count) this.growSlots();
    return this.slot;
  }
  /** The row of any key; slower than `row`. */
  rowOf(key: string): number {
    const id = keys.known(key);
    if (id >= 0) return this.row(id);
    if (!this.indexed) this.#index();
    if (this.#raw) this.#complete();
    const size = utf8Size(key);
    for (let x = 0, stop = this.rowCount << 3; x < stop; x += 8)
      if (this.rows[x + ID] === UNKNOWN && this.rows[x + KEY_SIZE] === size && this.keyText(x) === key) return x;
    return -1;
  }
  /** Iteration: the first row that is there, in the order of the bytes, then `nextRow(row)` until -1. */
  firstRow(): number {
    if (!this.indexed) this.#index();
    if (this.#raw) this.#complete();
    return this.nextRow(-8);
  }
  nextRow(row: number): number {
    const stop = this.rowCount << 3;
    for (let x = row + 8; x < stop; x += 8) if (this.rows[x + ID] !== DELETED) return x;
    return -1;
  }
  /** How many attributes there are now. */
  attributeCount(): number {
    if (!this.indexed) return this.rowCount;
    let count = 0;
    for (let x = ID, stop = this.rowCount << 3; x < stop; x += 8) if (this.rows[x] !== DELETED) count++;
    return count;
  }
  keyText(row: number): string {
    const at = this.rows[row + KEY]!;
    return this.space.bytes.utf8Slice(at, at + this.rows[row + KEY_SIZE]!);
  }
  /** Number of the row's key, -1 where no configuration named it. */
  keyIdOf(row: number): number {
    return this.rows[row + ID]!;
  }
  keyStart(row: number): number {
    return this.rows[row + KEY]!;
  }
  keyEnd(row: number): number {
    return this.rows[row + KEY]! + this.rows[row + KEY_SIZE]!;
  }
  /** The AnyValue of the row is [valueStart, valueEnd) of the space. */
  valueStart(row: number): number {
    return this.rows[row + VALUE]!;
  }
  valueEnd(row: number): number {
    return this.rows[row + VALUE_END]!;
  }
  /** Decoded; a copy. */
  value(row: number): Value {
    return decodeAnyValue(this.space.bytes, this.rows[row + VALUE]!, this.rows[row + VALUE_END]!);
  }
  /** Type of the row's value; sets valueAt, valueSize, valueNumber. */
  read(row: number): ValueType {
    return this.readAny(this.rows[row + VALUE]!, this.rows[row + VALUE_END]!);
  }
  /** Type of the value under a key, EMPTY where there is none; sets valueAt, valueSize, valueNumber. */
  readAttribute(id: number): ValueType {
    const x = this.row(id);
    return x < 0 ? EMPTY : this.readAny(this.rows[x + VALUE]!, this.rows[x + VALUE_END]!);
  }

  // ---- attributes: questions that are answered in the bytes

  /** Whether the attribute is a string and equals the literal. */
  attributeEquals(id: number, text: Literal): boolean {
    const x = this.row(id);
    if (x < 0) return false;
    const n = text.size;
    const v = this.rows[x + VALUE]!;
    const B = this.space.bytes;
    const view = this.space.view;
    if (v + 2 + n === this.rows[x + VALUE_END]! && n < 128 && B[v] === 0x0a && B[v + 1] === n) return equalBytes(view, v + 2, view, text.start, n);
    return this.readAny(v, this.rows[x + VALUE_END]!) === STRING && this.valueSize === n && equalBytes(view, this.valueAt, view, text.start, n);
  }
  /** Whether the attribute is a string that begins with the literal. */
  attributeStartsWith(id: number, text: Literal): boolean {
    const x = this.row(id);
    if (x < 0 || this.readAny(this.rows[x + VALUE]!, this.rows[x + VALUE_END]!) !== STRING) return false;
    const { view } = this.space;
    return this.valueSize >= text.size && equalBytes(view, this.valueAt, view, text.start, text.size);
  }
  /** The attribute where it is an int or a double, else NaN. Ints above 2^53 are rounded. */
  attributeNumber(id: number): number {
    const x = this.row(id);
    if (x < 0) return Number.NaN;
    const type = this.readAny(this.rows[x + VALUE]!, this.rows[x + VALUE_END]!);
    return type === INT || type === DOUBLE ? this.valueNumber : Number.NaN;
  }
  /** Whether the attribute is absent or has an empty value, or bytes of which there are none: nothing to the Collector either. */
  attributeIsNil(id: number): boolean {
    const x = this.row(id);
    if (x < 0) return true;
    const type = this.readAny(this.rows[x + VALUE]!, this.rows[x + VALUE_END]!);
    return type === EMPTY || (type === BYTES && this.valueSize === 0);
  }
  /** The decoded attribute; undefined where there is none. */
  attribute(key: string): Value | undefined {
    const x = this.rowOf(key);
    return x < 0 ? undefined : this.value(x);
  }
  /** All attributes, decoded. */
  attributes(): ValueMap {
    const map = new ValueMap();
    for (let x = this.firstRow(); x >= 0; x = this.nextRow(x)) map.append(this.keyText(x), this.value(x));
    return map;
  }

  /** Makes room for the numbers of keys that were named since. */
  protected growSlots(): void {
    const grown = new Int32Array(keys.count + 16).fill(-1);
    grown.set(this.slot);
    this.slot = grown;
  }
}
