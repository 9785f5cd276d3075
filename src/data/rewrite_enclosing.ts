/**
 * One level of what encloses records: resource groups with their resource, or scope groups with their scope. Edits of both may come at any time while
 * what is inside is visited (a span's statement sets a resource attribute); they are kept apart and merged when the group is closed.
 */
import { putVarint } from '#src/wire/bytes.ts';
import type { Cursor } from './cursor.ts';
import { EditList, writeEdited } from './edits.ts';
import { NestedField } from './nested_field.ts';
import { arena } from './space.ts';

export class Enclosing {
  /** The callbacks of the level. */
  visits: readonly (() => number)[] = [];
  readonly #group: Cursor;
  readonly #head: Cursor;
  readonly #groupEdits = new EditList();
  /** Row 0 is kept free for the length. */
  readonly #headEdits = new EditList();
  readonly #field = new NestedField();

  constructor(group: Cursor, head: Cursor) {
    this.#group = group;
    this.#head = head;
    group.edits = this.#groupEdits;
    head.edits = this.#headEdits;
  }

  /** Puts the cursors on the group [start, end) and the resource or scope in it. */
  enter(start: number, end: number): void {
    this.#group.scan(start, end);
    this.#field.findHead(this.#group);
    const { lengthAt, start: from, end: to } = this.#field;
    this.#groupEdits.count = this.#headEdits.count = 0;
    this.#headEdits.add(lengthAt, from, 0, 0);
    this.#head.scan(from, to);
  }

  /**
   * Puts the edits of group and head among the rows of `main` behind number `first`, which becomes the length of the group (at `lengthAt`) or goes,
   * where nothing changed. `delta`: what is inside has grown by so many bytes. Returns by how many the group grows.
   */
  close(main: EditList, first: number, lengthAt: number, delta: number): number {
    const grown = delta + this.#closeHead(main, first + 1) + mergeEdits(main, first + 1, this.#groupEdits);
    if (main.count > first + 1) return main.setLength(first, lengthAt, this.#group.start, this.#group.end, grown);
    main.count = first;
    return 0;
  }
  #closeHead(main: EditList, first: number): number {
    const edits = this.#headEdits;
    if (edits.count === 1) return 0;
    const { at, lengthAt, start, end } = this.#field;
    const delta = edits.sort(1);
    let grown = 0;
    if (at >= 0) grown = edits.setLength(0, lengthAt, start, end, delta);
    else {
      const tag = arena.room(6 + delta);
      arena.bytes[tag] = 0x0a;
      const content = putVarint(arena.bytes, tag + 1, delta);
      const stop = writeEdited(arena, edits, 1, edits.count, start, end, arena.bytes, content);
      edits.count = 0;
      edits.add(start, start, tag, stop);
      grown = stop - tag;
    }
    main.merge(first, edits);
    return grown;
  }
}

/** Merges edits of the message that is being closed among the rows of `main` from number `first` on; returns by how many bytes they lengthen it. */
export function mergeEdits(main: EditList, first: number, edits: EditList): number {
  if (edits.count === 0) return 0;
  const delta = edits.sort(0);
  main.merge(first, edits);
  edits.count = 0;
  return delta;
}
