/**
 * The look at one message: where each of its fields is, and which bytes are its attributes. Nothing is decoded. What the look finds lies in two
 * tables, `fields` by number and `rows` by attribute, which all parts of a cursor share (cursor.ts says which parts there are).
 *
 * The loops that see every field of every record make no call: behind a call V8 must load and check all it knows of an array again. What they
 * do not know (long lengths, odd tags) ends the run, is dealt with by a slower method, and the run goes on.
 */
import { PermanentError } from '#src/core/errors.ts';
import { EditList } from './edits.ts';
import { LENGTH, type MessageType } from './message_types.ts';
import { after, readLength, skipField } from './scan.ts';
import * as row from './row.ts';
import { arena, type Space } from './space.ts';

const { END, ID, KEY } = row;

export function malformed(type: MessageType, at: number): PermanentError {
  return new PermanentError(`malformed OTLP: ${type.name} at offset ${at}`);
}

export class ScannedMessage {
  space: Space;
  type: MessageType;
  /** The message is [start, end) of the space. */
  start = 0;
  end = 0;
  /** Where edits go; the rewriter sets it. */
  edits: EditList;

  /** By field number * 4: start, end and content of the field and its edit; for a repeated one start of the first, end of the last, how many. */
  protected fields = new Int32Array(32 * 4);
  /** Bits by field number: which rows of `fields` count, and which have an edit. So nothing needs to be reset. */
  protected seen = 0;
  protected edited = 0;
  protected rows = new Int32Array(32 * 8);
  protected rowCount = 0;
  /** Where an added attribute goes: behind the last one. */
  protected appendAt = 0;
  /** Whether rows know their keys, and the row of each key number, -1 where it is absent (cursor_attributes.ts). */
  protected indexed = false;
  protected slot = new Int32Array(8).fill(-1);

  constructor(type: MessageType, space: Space = arena, edits: EditList = new EditList()) {
    this.type = type;
    this.space = space;
    this.edits = edits;
  }

  /** Looks at the message [start, end); `type` where the cursor stands on several kinds of data points. Throws PermanentError on malformed bytes. */
  scan(start: number, end: number, type: MessageType = this.type): void {
    this.type = type;
    this.start = start;
    this.end = end;
    this.#forget();
    this.seen = this.edited = this.rowCount = 0;
    let p = this.#run(start, end);
    while (p < end) p = this.#run(this.#odd(p, end), end);
    if (p !== end) throw malformed(type, start);
    this.appendAt = this.rowCount > 0 ? this.rows[((this.rowCount - 1) << 3) + END]! : start;
  }
  #forget(): void {
    if (!this.indexed) return;
    const { rows, slot } = this;
    for (let x = ID, stop = this.rowCount << 3; x < stop; x += 8) if (rows[x]! >= 0) slot[rows[x]!] = -1;
    this.indexed = false;
  }

  /** Notes fields from `from` on; returns where it met one that is for `#odd`, else the end (or what is not the end: malformed). */
  #run(from: number, to: number): number {
    const { slots } = this.type;
    const { fields, rows } = this;
    const B = this.space.bytes;
    const full = rows.length;
    const end = to | 0;
    let seen = this.seen | 0;
    let x = (this.rowCount << 3) | 0;
    let p = from | 0;
    while (p < end) {
      const at = p;
      const t = B[p]!;
      const k = slots[t]! | 0;
      const w = t & 7;
      let content = (p + 1) | 0;
      if (t > 127 || t < 8) break;
      if (w === 2) {
        let size = B[content]! | 0;
        content = (content + 1) | 0;
        if (size > 127) {
          const high = B[content]!;
          if (high > 127) break;
          size = (size & 127) | (high << 7);
          content = (content + 1) | 0;
        }
        p = (content + size) | 0;
        if (k === 255) {
          if (x === full) {
            p = at;
            break;
          }
          rows[x] = at;
          rows[x + END] = p;
          rows[x + KEY] = content;
          x = (x + 8) | 0;
          continue;
        }
      } else if (w === 1) p = (content + 8) | 0;
      else if (w === 5) p = (content + 4) | 0;
      else if (w === 0) {
        p = content;
        while (B[p]! > 127) p = (p + 1) | 0;
        p = (p + 1) | 0;
        if (p - content > 10) {
          p = at;
          break;
        }
      } else break;
      if (k === 0) continue;
      if ((k & 1) === 0) {
        seen |= 1 << (k >> 2);
        fields[k] = at;
        fields[k + 1] = p;
        fields[k + 2] = content;
        continue;
      }
      // A repeated field.
      if ((seen & (1 << (k >> 2))) === 0) {
        seen |= 1 << (k >> 2);
        fields[k - 1] = at;
        fields[k + 1] = 0;
      }
      fields[k] = p;
      fields[k + 1]!++;
    }
    this.seen = seen;
    this.rowCount = x >> 3;
    return p;
  }

  /** Notes one field in general; returns the end of it. */
  #odd(at: number, end: number): number {
    const B = this.space.bytes;
    const { type, fields } = this;
    const long = B[at]! > 127;
    const tag = readLength(B, at, end);
    let content = after;
    const field = tag >>> 3;
    const wire = tag & 7;
    if (field === 0 || wire === 3 || wire === 4 || wire > 5) throw malformed(type, at);
    const p = skipField(B, at, end);
    if (wire === LENGTH) {
      if (long) return p; // No message of OTLP has a known length-delimited field above 15.
      readLength(B, content, end);
      content = after;
    }
    let k = long ? (field < 32 && type.wires[field] === wire ? field << 2 : 0) : type.slots[tag]!;
    if (k === 255) {
      if (this.rowCount << 3 === this.rows.length) this.growRows();
      const x = this.rowCount++ << 3;
      this.rows[x] = at;
      this.rows[x + END] = p;
      this.rows[x + KEY] = content;
    } else if (k !== 0) {
      const bit = 1 << (k >> 2);
      if ((k & 1) === 0) {
        fields[k] = at;
        fields[k + 2] = content;
      } else {
        k -= 1;
        if ((this.seen & bit) === 0) {
          fields[k] = at;
          fields[k + 2] = 0;
        }
        fields[k + 2]!++;
      }
      fields[k + 1] = p;
      this.seen |= bit;
    }
    return p;
  }
  protected growRows(): Int32Array<ArrayBuffer> {
    const grown = new Int32Array(this.rows.length * 2);
    grown.set(this.rows);
    this.rows = grown;
    return grown;
  }
}
