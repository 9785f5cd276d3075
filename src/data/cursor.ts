/**
 * A cursor stands on one message (a span, a resource, a data point…): one look notes where each field is, attributes are indexed by key when first
 * asked for, and nothing is decoded before somebody wants it. Where the rewriter owns the cursor it also takes edits: each new value is kept as an
 * encoded field in the space, so that whoever reads later reads it with the same code. A cursor is reused for the next record; nothing of it,
 * no row and no offset, may be kept beyond the callback.
 *
 * Attribute keys that are known when configuration is compiled have numbers (keyId); a look-up is then one array load. A *row* says where an
 * attribute is (-1: absent); it stays valid until the cursor moves on, also when the attribute is set again.
 */
import { PermanentError } from '#src/core/errors.ts';
import { equalBytes, putUtf8, putVarint, putVarint64, utf8Size, varint64Size, varintSize } from '#src/wire/bytes.ts';
import { ProtoWriter } from '#src/wire/proto_writer.ts';
import { decodeAnyValue, decodeKeyValues, varintBigInt, varintNumber, writeAnyValue } from './any_value.ts';
import { EditList } from './edits.ts';
import { keyId, keys } from './keys.ts';
import { ATTRIBUTE_TAGS, FIXED32, FIXED64, LENGTH, type MessageType, VARINT } from './message_types.ts';
import { after, readLength, skipField } from './scan.ts';
import { arena, type Literal, type Space } from './space.ts';
import { ARRAY, BOOL, BYTES, DOUBLE, EMPTY, INT, MAP, STRING, type Value, ValueMap, type ValueType } from './value.ts';

// A row of an attribute: start (at 0) and end of the field, start and size of the key, number of the key (-1 none, -2 deleted), start and end of the AnyValue, its edit.
const END = 1;
const KEY = 2;
const ID = 3;
const VALUE = 4;
const VALUE_END = 5;
const EDIT = 6;
const KEY_SIZE = 7;
const UNKNOWN = -1;
const DELETED = -2;

/** An attribute with a literal key and value, encoded when configuration is compiled: one form for each tag byte an attribute field may have. */
export interface AttributeLiteral {
  readonly id: number;
  readonly start: number;
  readonly size: number;
  /** Where key and value begin, from the start of the form. */
  readonly keyOffset: number;
  readonly valueOffset: number;
}
const composer = new ProtoWriter(256);

function malformed(type: MessageType, at: number): PermanentError {
  return new PermanentError(`malformed OTLP: ${type.name} at offset ${at}`);
}

/** Makes the literal for `Cursor.setLiteral`. `value` null makes an attribute with an empty value. */
export function attributeLiteral(key: string, value: Value): AttributeLiteral {
  composer.reset();
  writeAnyValue(composer, value);
  const any = composer.finish();
  const keySize = utf8Size(key);
  composer.reset();
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

export class Cursor {
  space: Space;
  type: MessageType;
  /** The message is [start, end) of the space. */
  start = 0;
  end = 0;
  /** Where edits go; the rewriter sets it. */
  edits: EditList;

  /** What `readAny` and its like found: where the content of a string, bytes, list or map is (or the varint of an int), and the number of an int, double or bool (1, 0). */
  valueAt = 0;
  valueSize = 0;
  valueNumber = 0.5; // Set to a fraction first, so that the engine keeps a double here.

  /** By field number * 4: start, end and content of the field and its edit; for a repeated one start of the first, end of the last, how many. */
  #fields = new Int32Array(32 * 4);
  /** Bits by field number: which rows of #fields count, and which have an edit. So nothing needs to be reset. */
  #seen = 0;
  #edited = 0;
  #rows = new Int32Array(32 * 8);
  #rowCount = 0;
  #indexed = false;
  #slot = new Int32Array(8).fill(-1);
  #appendAt = 0;
  #child = 0;

  constructor(type: MessageType, space: Space = arena, edits: EditList = new EditList()) {
    this.type = type;
    this.space = space;
    this.edits = edits;
  }

  // ---- standing on a message

  /** Looks at the message [start, end); `type` where the cursor stands on several kinds of data points. Throws PermanentError on malformed bytes. */
  scan(start: number, end: number, type: MessageType = this.type): void {
    this.type = type;
    this.start = start;
    this.end = end;
    this.#forget();
    this.#appendAt = start;
    const F = this.#fields;
    let seen = 0;
    this.#edited = 0;
    const { slots } = type;
    const B = this.space.bytes;
    let rows = this.#rows;
    let full = rows.length;
    let x = 0;
    let p = start;
    while (p < end) {
      const at = p;
      const t = B[p++]!;
      let k = slots[t]!;
      if ((t & 7) === 2 && t < 128) {
        let size = B[p++]!;
        if (size > 127) {
          size = readLength(B, p - 1, end);
          p = after;
        }
        const content = p;
        p += size;
        if (k === 255) {
          if (x === full) {
            rows = this.#growRows();
            full = rows.length;
          }
          rows[x] = at;
          rows[x + 1] = p;
          rows[x + 2] = content;
          x += 8;
          continue;
        }
        if (k === 0) {
          if (t < 8) throw malformed(type, at);
          continue;
        }
        if ((k & 1) === 0) {
          seen |= 1 << (k >> 2);
          F[k] = at;
          F[k + 1] = p;
          F[k + 2] = content;
          continue;
        }
      } else {
        if (t > 127) {
          const tag = readLength(B, at, end);
          p = after;
          const field = tag >>> 3;
          const known = field < 32 ? type.wires[field]! : -1;
          if (known === (tag & 7)) k = field << 2;
          if ((tag & 7) === 2) {
            const size = readLength(B, p, end);
            p = after + size;
            if (p > end) throw malformed(type, at);
            continue; // No message of OTLP has a known length-delimited field above 15.
          }
        } else if (t < 8) throw malformed(type, at);
        const w = t & 7; // The wire type is in the first byte of a tag, also of a longer one.
        const content = p;
        if (w === 1) p += 8;
        else if (w === 0) {
          while (B[p++]! > 127);
          if (p - content > 10) throw malformed(type, at);
        } else if (w === 5) p += 4;
        else throw malformed(type, at);
        if ((k & 1) === 0) {
          if (k !== 0) {
            seen |= 1 << (k >> 2);
            F[k] = at;
            F[k + 1] = p;
            F[k + 2] = content;
          }
          continue;
        }
      }
      k -= 1; // A repeated field.
      if ((seen & (1 << (k >> 2))) === 0) {
        seen |= 1 << (k >> 2);
        F[k] = at;
        F[k + 2] = 0;
      }
      F[k + 1] = p;
      F[k + 2]!++;
    }
    if (p !== end) throw malformed(type, start);
    this.#seen = seen;
    this.#rowCount = x >> 3;
    if (x > 0) this.#appendAt = rows[x - 7]!;
  }
  #growRows(): Int32Array<ArrayBuffer> {
    const grown = new Int32Array(this.#rows.length * 2);
    grown.set(this.#rows);
    this.#rows = grown;
    return grown;
  }
  #forget(): void {
    if (this.#indexed) {
      const rows = this.#rows;
      const slot = this.#slot;
      for (let x = ID, stop = this.#rowCount << 3; x < stop; x += 8) if (rows[x]! >= 0) slot[rows[x]!] = -1;
      this.#indexed = false;
    }
  }

  // ---- attributes: by number of the key

  #index(): void {
    this.#indexed = true;
    if (this.#slot.length < keys.count) this.#slot = new Int32Array(keys.count + 16).fill(-1);
    const rows = this.#rows;
    const slot = this.#slot;
    const view = this.space.view;
    const B = this.space.bytes;
    const { rows: table, mask, view: keyView } = keys;
    for (let x = 0, stop = this.#rowCount << 3; x < stop; x += 8) {
      const q = rows[x + KEY]!;
      const e = rows[x + END]!;
      const t = B[q]!;
      const size0 = B[q + 1]!;
      const r = q + 2 + size0;
      const r2 = r + 2;
      let size: number;
      let k: number;
      // One-byte lengths and nothing else: the Collector writes the value before the key, most others after it.
      if (size0 < 128 && r2 <= e && (t === 0x12 || t === 0x0a) && (t ^ B[r]!) === 0x18 && B[r + 1]! < 128 && r2 + B[r + 1]! === e) {
        if (t === 0x12) {
          rows[x + VALUE] = q + 2;
          rows[x + VALUE_END] = r;
          k = r2;
          size = e - r2;
        } else {
          rows[x + VALUE] = r2;
          rows[x + VALUE_END] = e;
          k = q + 2;
          size = size0;
        }
        rows[x + KEY] = k;
        rows[x + KEY_SIZE] = size;
      } else {
        this.#indexOdd(x, q, e);
        k = rows[x + KEY]!;
        size = rows[x + KEY_SIZE]!;
      }
      rows[x + EDIT] = -1;
      let id = UNKNOWN;
      if (size > 0) {
        for (let h = (((size << 4) ^ (B[k]! << 1) ^ B[k + size - 1]!) & mask) << 2; h >= 0; h = table[h + 3]!) {
          if (table[h + 2] === size && equalBytes(view, k, keyView, table[h + 1]!, size)) {
            id = table[h]!;
            break;
          }
        }
      } else id = keys.known('');
      rows[x + ID] = id;
      if (id >= 0 && slot[id]! < 0) slot[id] = x;
    }
  }
  /** A KeyValue with its fields in any order, long, repeated or unknown. */
  #indexOdd(x: number, start: number, end: number): void {
    const rows = this.#rows;
    const B = this.space.bytes;
    let k = start;
    let size = 0;
    rows[x + VALUE] = rows[x + VALUE_END] = end;
    let p = start;
    while (p < end) {
      const t = B[p]!;
      if (t === 0x0a || t === 0x12) {
        const n = readLength(B, p + 1, end);
        p = after + n;
        if (t === 0x0a) {
          k = after;
          size = n;
        } else {
          rows[x + VALUE] = after;
          rows[x + VALUE_END] = p;
        }
      } else p = skipField(B, p, end);
    }
    if (p !== end) throw new PermanentError(`malformed OTLP: an attribute at offset ${start}`);
    rows[x + KEY] = k;
    rows[x + KEY_SIZE] = size;
  }

  /** The row of the attribute with this key number; -1 where there is none. */
  row(id: number): number {
    if (!this.#indexed) this.#index();
    return id < this.#slot.length ? this.#slot[id]! : -1;
  }
  /** Rows by key number, -1 where absent: `row` for those who ask for many. Valid until an attribute is set or the cursor moves. */
  slots(): Int32Array {
    if (!this.#indexed) this.#index();
    if (this.#slot.length < keys.count) this.#growSlots();
    return this.#slot;
  }
  /** The row of any key; slower than `row`. */
  rowOf(key: string): number {
    const id = keys.known(key);
    if (id >= 0) return this.row(id);
    if (!this.#indexed) this.#index();
    const size = utf8Size(key);
    for (let x = 0, stop = this.#rowCount << 3; x < stop; x += 8)
      if (this.#rows[x + ID] === UNKNOWN && this.#rows[x + KEY_SIZE] === size && this.keyText(x) === key) return x;
    return -1;
  }
  /** Iteration: the first row that is there, in the order of the bytes, then `nextRow(row)` until -1. */
  firstRow(): number {
    if (!this.#indexed) this.#index();
    return this.nextRow(-8);
  }
  nextRow(row: number): number {
    const stop = this.#rowCount << 3;
    for (let x = row + 8; x < stop; x += 8) if (this.#rows[x + ID] !== DELETED) return x;
    return -1;
  }
  /** How many attributes there are now. */
  attributeCount(): number {
    if (!this.#indexed) return this.#rowCount;
    let count = 0;
    for (let x = ID, stop = this.#rowCount << 3; x < stop; x += 8) if (this.#rows[x] !== DELETED) count++;
    return count;
  }
  keyText(row: number): string {
    const at = this.#rows[row + KEY]!;
    return this.space.bytes.utf8Slice(at, at + this.#rows[row + KEY_SIZE]!);
  }
  /** Number of the row's key, -1 where no configuration named it. */
  keyIdOf(row: number): number {
    return this.#rows[row + ID]!;
  }
  keyStart(row: number): number {
    return this.#rows[row + KEY]!;
  }
  keyEnd(row: number): number {
    return this.#rows[row + KEY]! + this.#rows[row + KEY_SIZE]!;
  }
  /** The AnyValue of the row is [valueStart, valueEnd) of the space. */
  valueStart(row: number): number {
    return this.#rows[row + VALUE]!;
  }
  valueEnd(row: number): number {
    return this.#rows[row + VALUE_END]!;
  }
  /** Decoded; a copy. */
  value(row: number): Value {
    return decodeAnyValue(this.space.bytes, this.#rows[row + VALUE]!, this.#rows[row + VALUE_END]!);
  }
  /** Type of the row's value; sets valueAt, valueSize, valueNumber. */
  read(row: number): ValueType {
    return this.readAny(this.#rows[row + VALUE]!, this.#rows[row + VALUE_END]!);
  }
  /** Type of the value under a key, EMPTY where there is none; sets valueAt, valueSize, valueNumber. */
  readAttribute(id: number): ValueType {
    const x = this.row(id);
    return x < 0 ? EMPTY : this.readAny(this.#rows[x + VALUE]!, this.#rows[x + VALUE_END]!);
  }
  /** Looks at the AnyValue [start, end): its type; the rest in valueAt, valueSize, valueNumber. The last known field counts. */
  readAny(start: number, end: number): ValueType {
    if (start === end) return EMPTY;
    const B = this.space.bytes;
    const t = B[start]!;
    if (t === 0x0a) {
      const size = B[start + 1]!;
      if (size < 128 && start + 2 + size === end) {
        this.valueAt = start + 2;
        this.valueSize = size;
        return STRING;
      }
    } else if (t === 0x18) {
      this.valueAt = start + 1;
      if (start + 2 === end && B[start + 1]! < 128) {
        this.valueNumber = B[start + 1]!;
        return INT;
      }
      if (start + 3 === end && B[start + 1]! > 127 && B[start + 2]! < 128) {
        this.valueNumber = (B[start + 1]! & 127) | (B[start + 2]! << 7);
        return INT;
      }
    }
    return this.#readAnySlow(start, end);
  }
  #readAnySlow(start: number, end: number): ValueType {
    const B = this.space.bytes;
    let type: ValueType = EMPTY;
    let p = start;
    while (p < end) {
      const t = B[p]!;
      const at = p + 1;
      p = skipField(B, p, end);
      if (t === 0x0a || t === 0x2a || t === 0x32 || t === 0x3a) {
        this.valueSize = readLength(B, at, end);
        this.valueAt = after;
        type = t === 0x0a ? STRING : t === 0x2a ? ARRAY : t === 0x32 ? MAP : BYTES;
      } else if (t === 0x10) {
        this.valueNumber = varintNumber(B, at) === 0 ? 0 : 1;
        this.valueAt = at;
        type = BOOL;
      } else if (t === 0x18) {
        this.valueNumber = varintNumber(B, at);
        this.valueAt = at;
        type = INT;
      } else if (t === 0x21) {
        this.valueNumber = this.space.view.getFloat64(at, true);
        this.valueAt = at;
        type = DOUBLE;
      }
    }
    if (p !== end) throw new PermanentError(`malformed OTLP: a value at offset ${start}`);
    return type;
  }
  /** The text of the string that was read last. */
  valueText(): string {
    return this.space.bytes.utf8Slice(this.valueAt, this.valueAt + this.valueSize);
  }
  /** The int that was read last, exact (valueNumber is exact up to 2^53). */
  valueInt(): bigint {
    return varintBigInt(this.space.bytes, this.valueAt);
  }

  // ---- attributes: questions that are answered in the bytes

  /** Whether the attribute is a string and equals the literal. */
  attributeEquals(id: number, text: Literal): boolean {
    const x = this.row(id);
    if (x < 0) return false;
    const n = text.size;
    const v = this.#rows[x + VALUE]!;
    const B = this.space.bytes;
    const view = this.space.view;
    if (v + 2 + n === this.#rows[x + VALUE_END]! && n < 128 && B[v] === 0x0a && B[v + 1] === n) return equalBytes(view, v + 2, view, text.start, n);
    return this.readAny(v, this.#rows[x + VALUE_END]!) === STRING && this.valueSize === n && equalBytes(view, this.valueAt, view, text.start, n);
  }
  /** Whether the attribute is a string that begins with the literal. */
  attributeStartsWith(id: number, text: Literal): boolean {
    const x = this.row(id);
    if (x < 0 || this.readAny(this.#rows[x + VALUE]!, this.#rows[x + VALUE_END]!) !== STRING) return false;
    const { view } = this.space;
    return this.valueSize >= text.size && equalBytes(view, this.valueAt, view, text.start, text.size);
  }
  /** The attribute where it is an int or a double, else NaN. Ints above 2^53 are rounded. */
  attributeNumber(id: number): number {
    const x = this.row(id);
    if (x < 0) return Number.NaN;
    const type = this.readAny(this.#rows[x + VALUE]!, this.#rows[x + VALUE_END]!);
    return type === INT || type === DOUBLE ? this.valueNumber : Number.NaN;
  }
  /** Whether the attribute is absent or has an empty value. */
  attributeIsNil(id: number): boolean {
    const x = this.row(id);
    return x < 0 || this.readAny(this.#rows[x + VALUE]!, this.#rows[x + VALUE_END]!) === EMPTY;
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

  // ---- attributes: edits (cursors of the rewriter only)

  /** Takes the field [start, end), key and value in it, as the attribute with this number. */
  #put(x: number, id: number, start: number, end: number, key: number, keySize: number, value: number, valueEnd: number): void {
    let rows = this.#rows;
    let at = x;
    if (at >= 0) {
      const edit = rows[at + EDIT]!;
      if (edit >= 0) {
        this.edits.rows[edit + 2] = start;
        this.edits.rows[edit + 3] = end;
      } else rows[at + EDIT] = this.edits.add(rows[at]!, rows[at + END]!, start, end);
    } else {
      at = this.#rowCount << 3;
      if (at === rows.length) rows = this.#growRows();
      this.#rowCount++;
      rows[at] = rows[at + END] = this.#appendAt;
      rows[at + ID] = id;
      if (id >= 0) this.#slot[id] = at;
      rows[at + EDIT] = this.edits.add(this.#appendAt, this.#appendAt, start, end);
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
    if (id >= this.#slot.length) this.#growSlots();
    const at = attribute.start + this.type.variant * size;
    this.#put(x, id, at, at + size, at + attribute.keyOffset, keys.size(id), at + attribute.valueOffset, at + size);
  }
  #growSlots(): void {
    const grown = new Int32Array(keys.count + 16).fill(-1);
    grown.set(this.#slot);
    this.#slot = grown;
  }
  /** Room for an attribute whose AnyValue takes `size` bytes; returns where that begins. */
  #compose(id: number, size: number, x = this.row(id)): number {
    if (id >= this.#slot.length) this.#growSlots();
    const keySize = keys.size(id);
    const inner = 1 + varintSize(keySize) + keySize + 1 + varintSize(size) + size;
    const start = this.space.room(6 + inner);
    const B = this.space.bytes;
    B[start] = ATTRIBUTE_TAGS[this.type.variant]!;
    let o = putVarint(B, start + 1, inner);
    B[o] = 0x0a;
    o = putVarint(B, o + 1, keySize);
    const key = o;
    const K = keys.bytes;
    for (let i = keys.offset(id), e = i + keySize; i < e; i++) B[o++] = K[i]!;
    B[o] = 0x12;
    o = putVarint(B, o + 1, size);
    this.#put(x, id, start, o + size, key, keySize, o, o + size);
    return o;
  }
  /** Like #compose, for a row that is there or (-1) a key without a number. */
  #composeRow(row: number, key: string, size: number): number {
    const id = row < 0 ? keys.known(key) : this.#rows[row + ID]!;
    if (id >= 0) return this.#compose(id, size);
    const keySize = row < 0 ? utf8Size(key) : this.#rows[row + KEY_SIZE]!;
    const inner = 1 + varintSize(keySize) + keySize + 1 + varintSize(size) + size;
    const start = this.space.room(6 + inner);
    const B = this.space.bytes;
    B[start] = ATTRIBUTE_TAGS[this.type.variant]!;
    let o = putVarint(B, start + 1, inner);
    B[o] = 0x0a;
    o = putVarint(B, o + 1, keySize);
    const keyAt = o;
    if (row < 0) putUtf8(B, o, key, keySize);
    else B.copyWithin(o, this.#rows[row + KEY]!, this.#rows[row + KEY]! + keySize);
    o += keySize;
    B[o] = 0x12;
    o = putVarint(B, o + 1, size);
    this.#put(row, UNKNOWN, start, o + size, keyAt, keySize, o, o + size);
    return o;
  }
  /** Sets a string whose bytes are [at, at + size) of the space (a part of another value, a capture). */
  setAttributeSlice(id: number, at: number, size: number): void {
    const o = this.#compose(id, 1 + varintSize(size) + size);
    const B = this.space.bytes;
    B[o] = 0x0a;
    const to = putVarint(B, o + 1, size);
    if (size > 40) B.copyWithin(to, at, at + size);
    else for (let i = 0; i < size; i++) B[to + i] = B[at + i]!;
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
    composer.reset();
    writeAnyValue(composer, value);
    const size = composer.length;
    // A later one of two attributes with the same key is not the row that #compose would find.
    const o =
      row >= 0 && this.#rows[row + ID]! >= 0 && this.#slot[this.#rows[row + ID]!] !== row
        ? this.#composeDuplicate(row, size)
        : this.#composeRow(row, key, size);
    composer.buffer.copy(this.space.bytes, o, 0, size);
  }
  #composeDuplicate(row: number, size: number): number {
    const id = this.#rows[row + ID]!;
    this.#rows[row + ID] = UNKNOWN;
    const o = this.#composeRow(row, '', size);
    this.#rows[row + ID] = id;
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
    const rows = this.#rows;
    const id = rows[row + ID]!;
    if (id === DELETED) return;
    const edit = rows[row + EDIT]!;
    if (edit >= 0) this.edits.rows[edit + 2] = this.edits.rows[edit + 3] = 0;
    else rows[row + EDIT] = this.edits.add(rows[row]!, rows[row + END]!, 0, 0);
    rows[row + ID] = DELETED;
    if (id < 0 || this.#slot[id] !== row) return;
    this.#slot[id] = -1;
    for (let y = row + 8, stop = this.#rowCount << 3; y < stop; y += 8) {
      if (rows[y + ID] === id) {
        this.#slot[id] = y;
        return;
      }
    }
  }
  clearAttributes(): void {
    for (let x = this.firstRow(); x >= 0; x = this.nextRow(x)) this.deleteRow(x);
  }
  /** Adds an attribute, whether or not there is another with its key. */
  #append(key: string, value: Value): void {
    composer.reset();
    writeAnyValue(composer, value);
    const size = composer.length;
    const id = keys.known(key);
    const first = id < 0 ? -1 : this.row(id);
    const o = id < 0 ? this.#composeRow(-1, key, size) : this.#compose(id, size, -1);
    if (first >= 0) this.#slot[id] = first;
    composer.buffer.copy(this.space.bytes, o, 0, size);
  }
  /** Replaces all attributes, in the order of the map. */
  setAttributes(map: ValueMap): void {
    this.clearAttributes();
    for (let i = 0; i < map.keys.length; i++) this.#append(map.keys[i]!, map.values[i]!);
  }

  // ---- fields by number (the tables of message_types.ts)

  has(field: number): boolean {
    return (this.#seen & (1 << field)) !== 0;
  }
  /** Content of the field: [contentStart, contentEnd) of the space; both 0 where it is absent. For a repeated field see firstChild. */
  contentStart(field: number): number {
    return (this.#seen & (1 << field)) === 0 ? 0 : this.#fields[(field << 2) + 2]!;
  }
  contentEnd(field: number): number {
    return (this.#seen & (1 << field)) === 0 ? 0 : this.#fields[(field << 2) + 1]!;
  }
  /** A varint field as int64 in a number (exact up to 2^53); 0 where absent. uint32 and enums too. */
  int(field: number): number {
    const at = this.contentStart(field);
    if (at === 0 && !this.has(field)) return 0;
    const first = this.space.bytes[at]!;
    return first < 128 ? first : varintNumber(this.space.bytes, at);
  }
  int64(field: number): bigint {
    return this.has(field) ? varintBigInt(this.space.bytes, this.contentStart(field)) : 0n;
  }
  bool(field: number): boolean {
    return this.int(field) !== 0;
  }
  sint32(field: number): number {
    const v = this.int(field) >>> 0;
    return (v >>> 1) ^ -(v & 1);
  }
  /** fixed64: its low and high word, unsigned; 0 where absent. */
  low(field: number): number {
    return this.has(field) ? this.space.view.getUint32(this.contentStart(field), true) : 0;
  }
  high(field: number): number {
    return this.has(field) ? this.space.view.getUint32(this.contentStart(field) + 4, true) : 0;
  }
  /** fixed64, unsigned. */
  fixed64(field: number): bigint {
    return this.has(field) ? this.space.view.getBigUint64(this.contentStart(field), true) : 0n;
  }
  /** sfixed64. */
  sfixed64(field: number): bigint {
    return this.has(field) ? this.space.view.getBigInt64(this.contentStart(field), true) : 0n;
  }
  /** A time (fixed64 nanoseconds) in whole milliseconds, rounded down. */
  timeMs(field: number): number {
    if (!this.has(field)) return 0;
    const at = this.contentStart(field);
    const lo = this.space.view.getUint32(at, true);
    const hi = this.space.view.getUint32(at + 4, true);
    // hi * 2^32 = (hi * 4294) ms * 1e6 + hi * 967296 ns: each part stays exact below 2^53.
    const rest = hi * 967_296 + lo;
    return hi * 4294 + Math.floor(rest / 1e6);
  }
  fixed32(field: number): number {
    return this.has(field) ? this.space.view.getUint32(this.contentStart(field), true) : 0;
  }
  double(field: number): number {
    return this.has(field) ? this.space.view.getFloat64(this.contentStart(field), true) : 0;
  }
  text(field: number): string {
    return this.space.bytes.utf8Slice(this.contentStart(field), this.contentEnd(field));
  }
  /** A copy; empty where absent. */
  bytes(field: number): Buffer {
    return Buffer.from(this.space.bytes.subarray(this.contentStart(field), this.contentEnd(field)));
  }
  /** Whether the content of a string or bytes field equals the literal; an absent field is empty. */
  fieldEquals(field: number, text: Literal): boolean {
    const at = this.contentStart(field);
    return this.contentEnd(field) - at === text.size && equalBytes(this.space.view, at, this.space.view, text.start, text.size);
  }
  /** A field that is an AnyValue (body): like `readAny`, EMPTY where absent. */
  readAnyField(field: number): ValueType {
    return this.has(field) ? this.readAny(this.contentStart(field), this.contentEnd(field)) : EMPTY;
  }
  anyField(field: number): Value {
    return this.has(field) ? decodeAnyValue(this.space.bytes, this.contentStart(field), this.contentEnd(field)) : null;
  }

  /** Takes the encoded field [start, end), content from `content`, instead of the one that is there. */
  #putField(field: number, start: number, end: number, content: number): void {
    const F = this.#fields;
    const k = field << 2;
    const bit = 1 << field;
    if ((this.#edited & bit) !== 0) {
      const edit = F[k + 3]!;
      this.edits.rows[edit + 2] = start;
      this.edits.rows[edit + 3] = end;
    } else F[k + 3] = (this.#seen & bit) !== 0 ? this.edits.add(F[k]!, F[k + 1]!, start, end) : this.edits.add(this.start, this.start, start, end);
    this.#edited |= bit;
    this.#seen |= bit;
    F[k] = start;
    F[k + 1] = end;
    F[k + 2] = content;
  }
  /** Whether the field was set or taken away since the cursor came here. */
  isEdited(field: number): boolean {
    return (this.#edited & (1 << field)) !== 0;
  }
  /**
   * Other messages in a repeated field: `encoded` holds `count` of them, each with its tag. The old ones need not lie side by side: each is cut, and
   * what is between them stays.
   */
  setMessages(field: number, encoded: Uint8Array, count: number): void {
    if (count === 0 && !this.has(field)) return;
    const k = field << 2;
    const F = this.#fields;
    const at = this.space.room(encoded.length);
    this.space.bytes.set(encoded, at);
    if (!this.isEdited(field) && this.has(field)) {
      const B = this.space.bytes;
      const stop = F[k + 1]!;
      const first = F[k]!;
      for (let p = first; p < stop; ) {
        const next = skipField(B, p, stop);
        if (B[p] === ((field << 3) | LENGTH)) {
          if (p === first) F[k + 1] = next;
          else this.edits.add(p, next, 0, 0);
        }
        p = next;
      }
    }
    this.#putField(field, at, at + encoded.length, 0);
    F[k + 2] = count;
  }
  /** Room for tag, `size` bytes and, for LENGTH, the length; returns where the content goes. */
  #composeField(field: number, wire: number, size: number): number {
    const start = this.space.room(12 + size);
    const B = this.space.bytes;
    let o = putVarint(B, start, (field << 3) | wire);
    if (wire === LENGTH) o = putVarint(B, o, size);
    this.#putField(field, start, o + size, o);
    return o;
  }
  /** Takes a field away. Not for repeated ones. */
  clear(field: number): void {
    if (!this.has(field)) return;
    this.#putField(field, 0, 0, 0);
    this.#seen &= ~(1 << field);
  }
  /** int32, int64, uint32, enum, bool; a number must be an integer. */
  setInt(field: number, value: number | bigint): void {
    let lo: number;
    let hi = 0;
    if (typeof value === 'number' && value >= 0 && value <= 0xffffffff) lo = value;
    else {
      const v = BigInt.asUintN(64, BigInt(value));
      lo = Number(v & 0xffffffffn);
      hi = Number(v >> 32n);
    }
    const o = this.#composeField(field, VARINT, varint64Size(lo, hi));
    putVarint64(this.space.bytes, o, lo, hi);
  }
  setSint32(field: number, value: number): void {
    this.setInt(field, ((value << 1) ^ (value >> 31)) >>> 0);
  }
  /** fixed64 and sfixed64. */
  setFixed64(field: number, value: bigint): void {
    const o = this.#composeField(field, FIXED64, 8);
    this.space.view.setBigUint64(o, BigInt.asUintN(64, value), true);
  }
  setFixed32(field: number, value: number): void {
    const o = this.#composeField(field, FIXED32, 4);
    this.space.view.setUint32(o, value, true);
  }
  setDouble(field: number, value: number): void {
    const o = this.#composeField(field, FIXED64, 8);
    this.space.view.setFloat64(o, value, true);
  }
  setText(field: number, text: string): void {
    const size = utf8Size(text);
    const o = this.#composeField(field, LENGTH, size);
    putUtf8(this.space.bytes, o, text, size);
  }
  /** bytes, and nested messages that are encoded already. */
  setBytes(field: number, value: Uint8Array): void {
    const o = this.#composeField(field, LENGTH, value.length);
    this.space.bytes.set(value, o);
  }
  /** A string, bytes or message field from [at, at + size) of the space. */
  setSlice(field: number, at: number, size: number): void {
    const o = this.#composeField(field, LENGTH, size);
    this.space.bytes.copyWithin(o, at, at + size);
  }
  /** A field that is an AnyValue (body). */
  setAnyField(field: number, value: Value): void {
    composer.reset();
    writeAnyValue(composer, value);
    const size = composer.length;
    const o = this.#composeField(field, LENGTH, size);
    composer.buffer.copy(this.space.bytes, o, 0, size);
  }

  // ---- a small message in a field of its own (status)

  /** The varint in field `inner` of the message in `field` (status.code); 0 where absent. */
  intIn(field: number, inner: number): number {
    if (!this.has(field)) return 0;
    const B = this.space.bytes;
    const end = this.contentEnd(field);
    const tag = inner << 3;
    let value = 0;
    for (let p = this.contentStart(field); p < end; ) {
      if (B[p] === tag) value = varintNumber(B, p + 1);
      p = skipField(B, p, end);
    }
    return value;
  }
  /** The string in field `inner` of the message in `field` (status.message); '' where absent. */
  textIn(field: number, inner: number): string {
    if (!this.has(field)) return '';
    const B = this.space.bytes;
    const end = this.contentEnd(field);
    const tag = (inner << 3) | LENGTH;
    let text = '';
    for (let p = this.contentStart(field); p < end; ) {
      if (B[p] === tag) {
        const size = readLength(B, p + 1, end);
        text = B.utf8Slice(after, after + size);
      }
      p = skipField(B, p, end);
    }
    return text;
  }
  /** The message in `field` again, with another varint in its field `inner`; the rest of it is kept. */
  setIntIn(field: number, inner: number, value: number): void {
    composer.reset();
    composer.int(inner, value);
    this.#setIn(field, inner);
  }
  setTextIn(field: number, inner: number, text: string): void {
    composer.reset();
    composer.text(inner, text);
    this.#setIn(field, inner);
  }
  #setIn(field: number, inner: number): void {
    const from = this.contentStart(field);
    const end = this.contentEnd(field);
    const add = composer.length;
    const start = this.space.room(12 + end - from + add);
    const B = this.space.bytes;
    let size = add;
    for (let p = from; p < end; ) {
      const next = skipField(B, p, end);
      if (B[p]! >> 3 !== inner || B[p]! > 127) size += next - p;
      p = next;
    }
    let o = putVarint(B, start, (field << 3) | LENGTH);
    o = putVarint(B, o, size);
    const content = o;
    for (let p = from; p < end; ) {
      const next = skipField(B, p, end);
      if (B[p]! >> 3 !== inner || B[p]! > 127) {
        B.copyWithin(o, p, next);
        o += next - p;
      }
      p = next;
    }
    for (let i = 0; i < add; i++) B[o++] = composer.buffer[i]!;
    this.#putField(field, start, o, content);
  }

  // ---- repeated fields

  /** How often a repeated field comes. */
  count(field: number): number {
    return (this.#seen & (1 << field)) === 0 ? 0 : this.#fields[(field << 2) + 2]!;
  }
  /** Where the first of a repeated field begins, with its tag; -1: there is none. */
  firstAt(field: number): number {
    return this.has(field) ? this.#fields[field << 2]! : -1;
  }
  /** Puts `into` on the first message of a repeated field; false where there is none. Then `nextChild` until false. One iteration at a time. */
  firstChild(field: number, into: Cursor, type: MessageType = into.type): boolean {
    if (!this.has(field)) return false;
    this.#child = this.#fields[field << 2]!;
    return this.nextChild(field, into, type);
  }
  nextChild(field: number, into: Cursor, type: MessageType = into.type): boolean {
    const B = this.space.bytes;
    const stop = this.#fields[(field << 2) + 1]!;
    const tag = (field << 3) | LENGTH;
    for (let p = this.#child; p < stop; ) {
      const t = B[p]!;
      if (t !== tag) {
        p = skipField(B, p, stop);
        continue;
      }
      const size = readLength(B, p + 1, stop);
      const at = after;
      this.#child = at + size;
      into.scan(at, at + size, type);
      return true;
    }
    return false;
  }
  /** Puts `into` on the message in a field that does not repeat; on an empty one, and false, where it is absent. */
  child(field: number, into: Cursor, type: MessageType = into.type): boolean {
    const there = this.has(field);
    into.scan(this.contentStart(field), this.contentEnd(field), type);
    return there;
  }
  /** A repeated fixed64 or double field, packed or not. */
  doubles(field: number): number[] {
    const out: number[] = [];
    this.#eachFixed64(field, (at) => out.push(this.space.view.getFloat64(at, true)));
    return out;
  }
  fixed64s(field: number): bigint[] {
    const out: bigint[] = [];
    this.#eachFixed64(field, (at) => out.push(this.space.view.getBigUint64(at, true)));
    return out;
  }
  /** Where in the space each value of a repeated fixed64 or double field is. */
  fixed64Offsets(field: number): number[] {
    const out: number[] = [];
    this.#eachFixed64(field, (at) => out.push(at));
    return out;
  }
  #eachFixed64(field: number, take: (at: number) => void): void {
    if (!this.has(field)) return;
    const B = this.space.bytes;
    const stop = this.#fields[(field << 2) + 1]!;
    for (let p = this.#fields[field << 2]!; p < stop; ) {
      const t = B[p]!;
      const next = skipField(B, p, stop);
      if (t === ((field << 3) | FIXED64)) take(p + 1);
      else if (t === ((field << 3) | LENGTH)) {
        const size = readLength(B, p + 1, stop);
        if (size % 8 !== 0) throw malformed(this.type, p);
        for (let at = after, end = after + size; at < end; at += 8) take(at);
      }
      p = next;
    }
  }
  /** A repeated varint field, packed or not. */
  varints(field: number): bigint[] {
    const out: bigint[] = [];
    if (!this.has(field)) return out;
    const B = this.space.bytes;
    const stop = this.#fields[(field << 2) + 1]!;
    for (let p = this.#fields[field << 2]!; p < stop; ) {
      const t = B[p]!;
      const next = skipField(B, p, stop);
      if (t === field << 3) out.push(BigInt.asUintN(64, varintBigInt(B, p + 1)));
      else if (t === ((field << 3) | LENGTH)) {
        readLength(B, p + 1, stop);
        for (let at = after; at < next; ) {
          out.push(BigInt.asUintN(64, varintBigInt(B, at)));
          while (at < next && B[at]! > 127) at++;
          at++;
        }
      }
      p = next;
    }
    return out;
  }
  /** Key-value lists in a field that is not the message's own attributes (an exemplar's filtered attributes are its own). */
  keyValues(field: number): ValueMap {
    return decodeKeyValues(this.space.bytes, this.start, this.end, field);
  }
}
