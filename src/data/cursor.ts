/**
 * A cursor stands on one message (a span, a resource, a data point…): one look notes where each field is, attributes are indexed by key when first
 * asked for, and nothing is decoded before somebody wants it. Where the rewriter owns the cursor it also takes edits. A cursor is reused for the next
 * record; nothing of it, no row and no offset, may be kept beyond the callback.
 *
 * One class in several files by what is done, each on top of the one before: cursor_scan.ts the look, cursor_values.ts AnyValues, cursor_fields.ts
 * and cursor_field_edits.ts fields by number, cursor_attributes.ts attributes by key; here attributes are set and deleted.
 */
import { copyShort, putUtf8, putVarint, putVarint64, utf8Size, varint64Size, varintSize } from '#src/wire/bytes.ts';
import { ProtoWriter } from '#src/wire/proto_writer.ts';
import { composeAnyValue } from './any_value.ts';
import { AttributeReader } from './cursor_attributes.ts';
import * as row from './row.ts';
import { keyId, keys } from './keys.ts';
import { ATTRIBUTE_TAGS, LENGTH } from './message_types.ts';
import { arena } from './space.ts';
import type { Value, ValueMap } from './value.ts';

const { DELETED, EDIT, END, ID, KEY, KEY_SIZE, UNKNOWN, VALUE, VALUE_END } = row;

/** An attribute with a literal key and value, encoded when configuration is compiled: one form for each tag byte an attribute field may have. */
export interface AttributeLiteral {
  readonly id: number;
  readonly start: number;
  readonly size: number;
  /** Where key and value begin, from the start of the form. */
  readonly keyOffset: number;
  readonly valueOffset: number;
}

/** Makes the literal for `Cursor.setLiteral`. `value` null makes an attribute with an empty value. */
export function attributeLiteral(key: string, value: Value): AttributeLiteral {
  const any = composeAnyValue(value).finish();
  const keySize = utf8Size(key);
  const composer = new ProtoWriter(256);
  composer.tag(1, LENGTH);
  composer.varint(1 + varintSize(keySize) + keySize + 1 + varintSize(any.length) + any.length);
  composer.text(1, key);
  const keyOffset = composer.length - keySize;
  composer.bytes(2, any);
  const valueOffset = composer.length - any.length;
  const form = composer.finish();
  const all = Buffer.concat(
    ATTRIBUTE_TAGS.map((tag) => {
      const copy = Buffer.from(form);
      copy[0] = tag;
      return copy;
    }),
  );
  return { id: keyId(key), start: arena.literal(all), size: form.length, keyOffset, valueOffset };
}

export class Cursor extends AttributeReader {
  /** Takes the field [start, end), key and value in it, as the attribute with this number. */
  #put(x: number, id: number, start: number, end: number, key: number, keySize: number, value: number, valueEnd: number): void {
    let rows = this.rows;
    let at = x;
    if (at >= 0) {
      const edit = rows[at + EDIT]!;
      if (edit >= 0) {
        this.edits.rows[edit + 2] = start;
        this.edits.rows[edit + 3] = end;
      } else rows[at + EDIT] = this.edits.add(rows[at]!, rows[at + END]!, start, end);
    } else {
      at = this.rowCount << 3;
      if (at === rows.length) rows = this.growRows();
      this.rowCount++;
      rows[at] = rows[at + END] = this.appendAt;
      rows[at + ID] = id;
      if (id >= 0) this.slot[id] = at;
      rows[at + EDIT] = this.edits.add(this.appendAt, this.appendAt, start, end);
    }
    rows[at + KEY] = key;
    rows[at + KEY_SIZE] = keySize;
    rows[at + VALUE] = value;
    rows[at + VALUE_END] = valueEnd;
  }
  /** Sets or adds an attribute that was encoded before. */
  setLiteral(attribute: AttributeLiteral): void {
    const { id, size } = attribute;
    const x = this.row(id);
    if (id >= this.slot.length) this.growSlots();
    const at = attribute.start + this.type.variant * size;
    this.#put(x, id, at, at + size, at + attribute.keyOffset, keys.size(id), at + attribute.valueOffset, at + size);
  }
  /** Room for an attribute whose AnyValue takes `size` bytes; returns where that begins. */
  #compose(id: number, size: number, x = this.row(id)): number {
    if (id >= this.slot.length) this.growSlots();
    const keySize = keys.size(id);
    const headSize = keys.headSize(id);
    const formSize = headSize + keySize + 1;
    const inner = formSize + varintSize(size) + size;
    const start = this.space.room(6 + inner);
    const { bytes: B, view } = this.space;
    B[start] = (this.type.attributes << 3) | 2;
    let o = putVarint(B, start + 1, inner);
    const key = o + headSize;
    copyShort(keys.view, keys.offset(id) - headSize, view, o, formSize);
    o = putVarint(B, o + formSize, size);
    this.#put(x, id, start, o + size, key, keySize, o, o + size);
    return o;
  }
  /** Like #compose, for a row that is there or (-1) a key without a number. */
  #composeRow(row: number, key: string, size: number): number {
    const id = row < 0 ? keys.known(key) : this.rows[row + ID]!;
    if (id >= 0) return this.#compose(id, size);
    const keySize = row < 0 ? utf8Size(key) : this.rows[row + KEY_SIZE]!;
    const inner = 1 + varintSize(keySize) + keySize + 1 + varintSize(size) + size;
    const start = this.space.room(6 + inner);
    const B = this.space.bytes;
    B[start] = ATTRIBUTE_TAGS[this.type.variant]!;
    let o = putVarint(B, start + 1, inner);
    B[o] = 0x0a;
    o = putVarint(B, o + 1, keySize);
    const keyAt = o;
    if (row < 0) putUtf8(B, o, key, keySize);
    else B.copyWithin(o, this.rows[row + KEY]!, this.rows[row + KEY]! + keySize);
    o += keySize;
    B[o] = 0x12;
    o = putVarint(B, o + 1, size);
    this.#put(row, UNKNOWN, start, o + size, keyAt, keySize, o, o + size);
    return o;
  }
  /** Sets a string whose bytes are [at, at + size) of the space (a part of another value, a capture). */
  setAttributeSlice(id: number, at: number, size: number): void {
    const o = this.#compose(id, 1 + varintSize(size) + size);
    const { bytes: B, view } = this.space;
    B[o] = 0x0a;
    const to = putVarint(B, o + 1, size);
    if (size > 192) B.copyWithin(to, at, at + size);
    else copyShort(view, at, view, to, size);
  }
  setAttributeText(id: number, text: string): void {
    const size = utf8Size(text);
    const o = this.#compose(id, 1 + varintSize(size) + size);
    const B = this.space.bytes;
    B[o] = 0x0a;
    putUtf8(B, putVarint(B, o + 1, size), text, size);
  }
  /** An int; a number must be an integer. */
  setAttributeInt(id: number, value: number | bigint): void {
    const v = BigInt.asUintN(64, BigInt(value));
    const lo = Number(v & 0xffffffffn);
    const hi = Number(v >> 32n);
    const o = this.#compose(id, 1 + varint64Size(lo, hi));
    this.space.bytes[o] = 0x18;
    putVarint64(this.space.bytes, o + 1, lo, hi);
  }
  setAttributeDouble(id: number, value: number): void {
    const o = this.#compose(id, 9);
    this.space.bytes[o] = 0x21;
    this.space.view.setFloat64(o + 1, value, true);
  }
  setAttributeBool(id: number, value: boolean): void {
    const o = this.#compose(id, 2);
    this.space.bytes[o] = 0x10;
    this.space.bytes[o + 1] = value ? 1 : 0;
  }
  /** A copy of the AnyValue [start, end) of the space (another attribute's, a body). */
  setAttributeAny(id: number, start: number, end: number): void {
    const o = this.#compose(id, end - start);
    this.space.bytes.copyWithin(o, start, end);
  }
  /** Any value under any key, in general. */
  setAttribute(key: string, value: Value): void {
    this.#setAtRow(this.rowOf(key), key, value);
  }
  /** Another value for a row that is there. */
  setValue(row: number, value: Value): void {
    this.#setAtRow(row, '', value);
  }
  #setAtRow(row: number, key: string, value: Value): void {
    const any = composeAnyValue(value);
    const size = any.length;
    // A later one of two attributes with the same key is not the row that #compose would find.
    const o =
      row >= 0 && this.rows[row + ID]! >= 0 && this.slot[this.rows[row + ID]!] !== row ? this.#composeDuplicate(row, size) : this.#composeRow(row, key, size);
    any.buffer.copy(this.space.bytes, o, 0, size);
  }
  #composeDuplicate(row: number, size: number): number {
    const id = this.rows[row + ID]!;
    this.rows[row + ID] = UNKNOWN;
    const o = this.#composeRow(row, '', size);
    this.rows[row + ID] = id;
    return o;
  }
  /** Takes away the first attribute with this key; another of the same key is found next. False: there was none. */
  deleteAttribute(id: number): boolean {
    const x = this.row(id);
    if (x < 0) return false;
    this.deleteRow(x);
    return true;
  }
  deleteRow(row: number): void {
    const rows = this.rows;
    const id = rows[row + ID]!;
    if (id === DELETED) return;
    const edit = rows[row + EDIT]!;
    if (edit >= 0) this.edits.rows[edit + 2] = this.edits.rows[edit + 3] = 0;
    else rows[row + EDIT] = this.edits.add(rows[row]!, rows[row + END]!, 0, 0);
    rows[row + ID] = DELETED;
    if (id < 0 || this.slot[id] !== row) return;
    this.slot[id] = -1;
    for (let y = row + 8, stop = this.rowCount << 3; y < stop; y += 8) {
      if (rows[y + ID] === id) {
        this.slot[id] = y;
        return;
      }
    }
  }
  clearAttributes(): void {
    for (let x = this.firstRow(); x >= 0; x = this.nextRow(x)) this.deleteRow(x);
  }
  /** Adds an attribute, whether or not there is another with its key. */
  #append(key: string, value: Value): void {
    const any = composeAnyValue(value);
    const size = any.length;
    const id = keys.known(key);
    const first = id < 0 ? -1 : this.row(id);
    const o = id < 0 ? this.#composeRow(-1, key, size) : this.#compose(id, size, -1);
    if (first >= 0) this.slot[id] = first;
    any.buffer.copy(this.space.bytes, o, 0, size);
  }
  /** Replaces all attributes, in the order of the map. */
  setAttributes(map: ValueMap): void {
    this.clearAttributes();
    for (let i = 0; i < map.keys.length; i++) this.#append(map.keys[i]!, map.values[i]!);
  }
}
