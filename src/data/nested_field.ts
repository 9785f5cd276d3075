/**
 * Where a message inside another one is: the resource of a group, the data of a metric. Of one that is not there, the empty place where it would begin.
 * One that came in pieces is told by SplitMessage; then the whole request is written in one piece first (join_split.ts).
 */
import { PermanentError } from '#src/core/errors.ts';
import type { Cursor } from './cursor.ts';
import { SplitMessage } from './join_split.ts';
import { after, readLength, skipField } from './scan.ts';
import { arena } from './space.ts';

export class NestedField {
  /** Start of the field, of its length, of its content, and the end. */
  at = -1;
  lengthAt = 0;
  start = 0;
  end = 0;

  /** Stands on field 1 of a resource or scope group that its cursor has looked at. */
  findHead(group: Cursor): void {
    this.at = -1;
    this.lengthAt = this.start = this.end = group.start;
    const count = group.count(1);
    if (count === 0) return;
    if (count > 1) throw new SplitMessage();
    this.#take(group.firstAt(1), group.end);
  }
  /** Stands on the field with this tag in [start, end) of the arena. */
  find(start: number, end: number, tag: number): void {
    this.at = -1;
    this.lengthAt = this.start = this.end = start;
    for (let p = start; p < end; ) {
      if (arena.bytes[p] === tag) {
        if (this.at >= 0) throw new SplitMessage();
        this.#take(p, end);
        p = this.end;
      } else p = skipField(arena.bytes, p, end);
    }
  }
  #take(at: number, end: number): void {
    const size = readLength(arena.bytes, at + 1, end);
    this.at = at;
    this.lengthAt = at + 1;
    this.start = after;
    this.end = after + size;
    if (this.end > end) throw truncated(at);
  }
}
export function truncated(at: number): PermanentError {
  return new PermanentError(`malformed OTLP: a message at offset ${at} is truncated`);
}
