/**
 * Edits of fields: each new value is kept as an encoded field in the space, so that whoever reads later reads it with the same code, and an edit says
 * where it goes. For cursors of the rewriter only.
 */
import { putUtf8, putVarint, putVarint64, utf8Size, varint64Size } from '#src/wire/bytes.ts';
import { ProtoWriter } from '#src/wire/proto_writer.ts';
import { composeAnyValue } from './any_value.ts';
import { FieldReader } from './cursor_fields.ts';
import { FIXED32, FIXED64, LENGTH, VARINT } from './message_types.ts';
import { skipField } from './scan.ts';
import type { Value } from './value.ts';

/** Fields of a small message inside. */
const composer = new ProtoWriter(256);

export class FieldEditor extends FieldReader {
  /** Takes the encoded field [start, end), content from `content`, instead of the one that is there. */
  #putField(field: number, start: number, end: number, content: number): void {
    const F = this.fields;
    const k = field << 2;
    const bit = 1 << field;
    if ((this.edited & bit) !== 0) {
      const edit = F[k + 3]!;
      this.edits.rows[edit + 2] = start;
      this.edits.rows[edit + 3] = end;
    } else F[k + 3] = (this.seen & bit) !== 0 ? this.edits.add(F[k]!, F[k + 1]!, start, end) : this.edits.add(this.start, this.start, start, end);
    this.edited |= bit;
    this.seen |= bit;
    F[k] = start;
    F[k + 1] = end;
    F[k + 2] = content;
  }
  /** Whether the field was set or taken away since the cursor came here. */
  isEdited(field: number): boolean {
    return (this.edited & (1 << field)) !== 0;
  }
  /**
   * Other messages in a repeated field: `encoded` holds `count` of them, each with its tag. The old ones need not lie side by side: each is cut, and
   * what is between them stays.
   */
  setMessages(field: number, encoded: Uint8Array, count: number): void {
    if (count === 0 && !this.has(field)) return;
    const k = field << 2;
    const F = this.fields;
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
    this.seen &= ~(1 << field);
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
    const any = composeAnyValue(value);
    const o = this.#composeField(field, LENGTH, any.length);
    any.buffer.copy(this.space.bytes, o, 0, any.length);
  }

  // ---- a small message in a field of its own (status)

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
}
