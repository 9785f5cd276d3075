/** Fields of the message by number (the tables of message_types.ts): scalars, small messages inside, repeated fields, children. */
import { equalBytes } from '#src/wire/bytes.ts';
import { decodeAnyValue, decodeKeyValues, varintBigInt, varintNumber } from './any_value.ts';
import { malformed, type ScannedMessage } from './cursor_scan.ts';
import { ValueReader } from './cursor_values.ts';
import { FIXED64, LENGTH, type MessageType, METRIC } from './message_types.ts';
import { after, findMessage, messageEnd, messageStart, readLength, skipField } from './scan.ts';
import type { Literal } from './space.ts';
import { EMPTY, type Value, type ValueMap, type ValueType } from './value.ts';

export class FieldReader extends ValueReader {
  #child = 0;

  has(field: number): boolean {
    return (this.seen & (1 << field)) !== 0;
  }
  /** Content of the field: [contentStart, contentEnd) of the space; both 0 where it is absent. For a repeated field see firstChild. */
  contentStart(field: number): number {
    return (this.seen & (1 << field)) === 0 ? 0 : this.fields[(field << 2) + 2]!;
  }
  contentEnd(field: number): number {
    return (this.seen & (1 << field)) === 0 ? 0 : this.fields[(field << 2) + 1]!;
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

  // ---- repeated fields

  /** How often a repeated field comes. */
  count(field: number): number {
    return (this.seen & (1 << field)) === 0 ? 0 : this.fields[(field << 2) + 2]!;
  }
  /** Where the first of a repeated field begins, with its tag; -1: there is none. */
  firstAt(field: number): number {
    return this.has(field) ? this.fields[field << 2]! : -1;
  }
  /** Puts `into` on the first message of a repeated field; false where there is none. Then `nextChild` until false. One iteration at a time. */
  firstChild(field: number, into: ScannedMessage, type: MessageType = into.type): boolean {
    if (!this.has(field)) return false;
    this.#child = this.fields[field << 2]!;
    return this.nextChild(field, into, type);
  }
  nextChild(field: number, into: ScannedMessage, type: MessageType = into.type): boolean {
    if (findMessage(this.space.bytes, this.#child, this.fields[(field << 2) + 1]!, (field << 3) | LENGTH) < 0) return false;
    this.#child = messageEnd;
    into.scan(messageStart, messageEnd, type);
    return true;
  }
  /** Puts `into` on the message in a field that does not repeat; on an empty one, and false, where it is absent. */
  child(field: number, into: ScannedMessage, type: MessageType = into.type): boolean {
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
    const stop = this.fields[(field << 2) + 1]!;
    for (let p = this.fields[field << 2]!; p < stop; ) {
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
    const stop = this.fields[(field << 2) + 1]!;
    for (let p = this.fields[field << 2]!; p < stop; ) {
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

/** The field a metric's data is in, of several kinds the last in the bytes; 0 where it has none. */
export function kindOf(metric: FieldReader): number {
  let kind = 0;
  for (let field: number = METRIC.gauge; field <= METRIC.summary; field++)
    if (metric.has(field) && (kind === 0 || metric.contentStart(field) > metric.contentStart(kind))) kind = field;
  return kind;
}
