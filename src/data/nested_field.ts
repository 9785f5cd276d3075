/**
 * Where a message inside another one is: the resource of a group, the data of a metric. Of one that is not there, the empty place where it would begin.
 * One that came in pieces is told by SplitMessage; then the whole request is written in one piece first (join_split.ts).
 */
import type { Cursor } from './cursor.ts';
import { SplitMessage } from './join_split.ts';
import { findMessage, messageEnd, messageStart } from './scan.ts';
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
    this.#take(findMessage(arena.bytes, group.firstAt(1), group.end, 0x0a));
  }
  /** Stands on the field with this tag in [start, end) of the arena. */
  find(start: number, end: number, tag: number): void {
    this.at = -1;
    this.lengthAt = this.start = this.end = start;
    this.#take(findMessage(arena.bytes, start, end, tag));
    if (this.at >= 0 && findMessage(arena.bytes, messageEnd, end, tag) >= 0) throw new SplitMessage();
  }
  #take(at: number): void {
    if (at < 0) return;
    this.at = at;
    this.lengthAt = at + 1;
    this.start = messageStart;
    this.end = messageEnd;
  }
}
