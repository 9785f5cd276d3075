/**
 * One walk over a batch: resource by resource, scope by scope, record by record, the cursors put on each, the callbacks of the passes called, and
 * the edits closed from the inside out, so that in the end one list of rows, sorted by position, says what the new bytes are. What encloses records
 * is in rewrite_enclosing.ts, what is inside them in rewrite_inner.ts.
 *
 * Messages of which a part is elsewhere (two `resource` fields in one ResourceSpans, which protobuf would merge) are first written in one piece.
 */
import assert from 'node:assert';
import { Batch, type Signal } from '#src/core/batch.ts';
import { PermanentError } from '#src/core/errors.ts';
import { asBuffer, putVarint, varintSize } from '#src/wire/bytes.ts';
import { countItems, countPoints } from './check.ts';
import {
  DROP, INNER_LEVEL, log, metric, type Pass, position, RECORD_LEVEL, RESOURCE_LEVEL, resource, resourceGroup, SCOPE_LEVEL, scope, scopeGroup, span,
} from './contexts.ts'; // biome-ignore format: names
import type { Cursor } from './cursor.ts';
import { EditList, writeEdited } from './edits.ts';
import { joinSplitMessages, SplitMessage } from './join_split.ts';
import { SPAN } from './message_types.ts';
import { Enclosing, mergeEdits } from './rewrite_enclosing.ts';
import { GONE, InnerRecords } from './rewrite_inner.ts';
import { after, findMessage, messageEnd, messageStart, readLength } from './scan.ts';
import { arena } from './space.ts';

/** How many records may be appended to a scope where appended ones are visited too: statements that copy their own copies would never end. */
const MOST_APPENDED = 10_000;
const MOST_APPENDED_PER_RECORD = 8;
type Visit = () => number;
// How deep a message lies: in the request are resource groups, in those scope groups, in those records.
const RESOURCES = 1;
const SCOPES = 2;
const RECORDS = 3;
type Depth = 1 | 2 | 3;

class Walk {
  readonly #main = new EditList();
  readonly #recordEdits = new EditList();
  readonly #resources = new Enclosing(resourceGroup, resource);
  readonly #scopes = new Enclosing(scopeGroup, scope);
  readonly #inner = new InnerRecords(this.#main);

  #signal: Signal = 'traces';
  #record: Cursor = span;
  #recordVisits: readonly Visit[] = [];
  /** How deep callbacks go, or empty messages are looked for. */
  #deepest: Depth = RECORDS;
  #dropEmpty = false;
  #visitAppended = false;
  /** Whether the record's edits have a list of their own: inner records write theirs into the main one. */
  #apart = false;

  // What `#children` visited: how many stayed, and where the last one ended.
  #kept = 0;
  #last = 0;
  // The record that is visited.
  #first = 0;
  #replaced = false;
  #visitingRecord = false;
  #appended: number[] = []; // Start and end in the scratch, two by two.
  #dropped = 0;
  #added = 0;

  prepare(signal: Signal, passes: readonly Pass[]): void {
    const visits = (level: number): Visit[] => passes.filter((pass) => pass.level === level).map((pass) => pass.visit);
    this.#signal = signal;
    this.#record = signal === 'traces' ? span : signal === 'logs' ? log : metric;
    this.#resources.visits = visits(RESOURCE_LEVEL);
    this.#scopes.visits = visits(SCOPE_LEVEL);
    this.#recordVisits = visits(RECORD_LEVEL);
    this.#inner.visits = visits(INNER_LEVEL);
    this.#dropEmpty = passes.some((pass) => pass.dropsEmpty === true);
    this.#inner.dropsEmptyMetrics = signal === 'metrics' && passes.some((pass) => pass.dropsEmpty === true && pass.level === INNER_LEVEL);
    this.#visitAppended = passes.some((pass) => pass.appends === true);
    if (this.#dropEmpty || this.#recordVisits.length > 0 || this.#inner.visits.length > 0) this.#deepest = RECORDS;
    else this.#deepest = this.#scopes.visits.length > 0 ? SCOPES : RESOURCES;
    this.#apart = signal === 'metrics' || this.#inner.visits.length > 0;
    this.#record.edits = this.#apart ? this.#recordEdits : this.#main;
  }

  /** How many items the last `part` lost (less than 0: won). */
  get lostItems(): number {
    return this.#dropped + this.#inner.dropped - this.#added;
  }

  /** The rewritten message, the very same where nothing changed. */
  part(message: Uint8Array): Uint8Array {
    this.#main.count = 0;
    this.#dropped = this.#inner.dropped = this.#added = this.#appended.length = 0;
    this.#inner.reset();
    const start = arena.load(message);
    try {
      const end = start + message.length;
      const delta = this.#children(RESOURCES, start, end);
      if (this.#main.count === 0) return message;
      const out = Buffer.allocUnsafeSlow(message.length + delta);
      const written = writeEdited(arena, this.#main, 0, this.#main.count, start, end, out, 0);
      assert(written === out.length, 'the edits do not add up');
      return out;
    } finally {
      arena.unload();
      this.#visitingRecord = false;
    }
  }

  /** Visits the messages of this depth in [start, end); returns by how many bytes they grow. */
  #children(depth: Depth, start: number, end: number): number {
    const tag = depth === RESOURCES ? 0x0a : 0x12;
    let delta = 0;
    let kept = 0;
    let next = start;
    for (let p = findMessage(arena.bytes, next, end, tag); p >= 0; p = findMessage(arena.bytes, next, end, tag)) {
      const content = messageStart;
      next = messageEnd;
      const grown = depth === RECORDS ? this.#visitRecord(p, content, next) : this.#visitGroup(depth, p, content, next);
      if (grown === GONE) delta -= next - p;
      else {
        delta += grown;
        kept++;
      }
    }
    this.#kept = kept;
    this.#last = next;
    return delta;
  }
  /** Cuts the field [at, end) instead of what was edited in it. */
  #cut(first: number, at: number, end: number): number {
    this.#main.count = first;
    this.#main.add(at, end, 0, 0);
    return GONE;
  }

  /** A resource group or scope group: the field begins at `at`, its content is [start, end). */
  #visitGroup(depth: Exclude<Depth, 3>, at: number, start: number, end: number): number {
    const main = this.#main;
    const level = depth === RESOURCES ? this.#resources : this.#scopes;
    const first = main.count;
    main.add(start, start, 0, 0);
    level.enter(start, end);
    const { visits } = level;
    for (let i = 0; i < visits.length; i++) {
      if (visits[i]!() === DROP) {
        this.#dropped += countItems(this.#signal, arena.bytes, start, end, depth);
        return this.#cut(first, at, end);
      }
    }
    let delta = 0;
    if (depth < this.#deepest) {
      delta = this.#children(depth === RESOURCES ? SCOPES : RECORDS, start, end);
      let kept = this.#kept;
      if (this.#appended.length > 0) {
        const rows = main.count;
        delta += this.#placeAppended(this.#last, MOST_APPENDED + MOST_APPENDED_PER_RECORD * kept);
        kept += main.count - rows;
      }
      if (kept === 0 && this.#dropEmpty) return this.#cut(first, at, end);
    }
    return level.close(main, first, at + 1, delta);
  }

  /** Puts what was appended behind the last record, each visited first where the pass wants that: it may append more. Returns the bytes that come in. */
  #placeAppended(at: number, most: number): number {
    const main = this.#main;
    const list = this.#appended;
    let delta = 0;
    for (let i = 0; i < list.length; i += 2) {
      let from = list[i]!;
      let end = list[i + 1]!;
      if (this.#visitAppended) {
        if (list.length > 2 * most) throw new PermanentError(`more than ${most} metrics were added to a scope: a statement adds to what it added itself`);
        const first = main.count;
        readLength(arena.bytes, from + 1, end);
        const d = this.#visitRecord(from, after, end);
        if (d === GONE) {
          main.count = first;
          continue;
        }
        if (main.count > first) {
          const to = arena.room(end - from + d);
          end = writeEdited(arena, main, first, main.count, from, end, arena.bytes, to);
          from = to;
          main.count = first;
        }
      }
      main.add(at, at, from, end);
      delta += end - from;
    }
    list.length = 0;
    return delta;
  }

  #visitRecord(at: number, start: number, end: number): number {
    const main = this.#main;
    const record = this.#record;
    const first = main.count;
    main.add(start, start, 0, 0);
    this.#first = first;
    this.#replaced = false;
    const droppedBefore = this.#inner.dropped;
    if (this.#apart) {
      this.#recordEdits.count = 0;
      this.#inner.reset();
    }
    record.scan(start, end);
    const isMetric = record === metric;
    if (isMetric) this.#inner.scanMetric();
    const visits = this.#recordVisits;
    this.#visitingRecord = true;
    for (let i = 0; i < visits.length; i++) {
      if (visits[i]!() === DROP) {
        this.#dropped += isMetric ? countPoints(arena.bytes, start, end) : 1;
        return this.#cut(first, at, end);
      }
    }
    this.#visitingRecord = false;
    let delta = 0;
    if (this.#apart) {
      if (isMetric) {
        if (this.#inner.isReplaced) this.replaceRecord(this.currentRecord());
        delta = this.#inner.visitData();
        if (delta === GONE) return this.#cut(first, at, end);
      } else {
        if (span.isEdited(SPAN.events)) this.replaceRecord(this.currentRecord()); // Edits of an event cannot be put into an edit.
        delta = this.#inner.visitEvents();
      }
      delta += mergeEdits(main, first + 1, this.#recordEdits);
    } else if (main.count > first + 1) delta = main.sort(first + 1);
    if (this.#replaced) {
      this.#inner.dropped = droppedBefore; // What was dropped one by one is in the difference.
      return this.#closeReplaced(first, at, start, end, delta);
    }
    if (main.count === first + 1) {
      main.count = first;
      return 0;
    }
    return main.setLength(first, at + 1, start, end, delta);
  }
  #closeReplaced(first: number, at: number, start: number, end: number, delta: number): number {
    const main = this.#main;
    const record = this.#record;
    const size = record.end - record.start + delta;
    const tag = arena.room(1 + varintSize(size) + size);
    arena.bytes[tag] = 0x12;
    const content = putVarint(arena.bytes, tag + 1, size);
    const stop = writeEdited(arena, main, first + 1, main.count, record.start, record.end, arena.bytes, content);
    main.count = first;
    main.add(at, end, tag, stop);
    if (record === metric) {
      this.#dropped += countPoints(arena.bytes, start, end);
      this.#added += countPoints(arena.bytes, content, stop);
    }
    return stop - tag - (end - at);
  }

  // ---- whole records

  currentRecord(): Buffer {
    assert(this.#visitingRecord || this.#apart, 'only while a record is visited');
    const record = this.#record;
    const all = new EditList();
    if (this.#apart) all.addAll(this.#recordEdits, 0);
    else all.addAll(this.#main, this.#first + 1);
    this.#inner.editsSoFar(all, record === metric);
    const delta = all.sort(0);
    const out = Buffer.allocUnsafe(record.end - record.start + delta);
    writeEdited(arena, all, 0, all.count, record.start, record.end, out, 0);
    return out;
  }
  replaceRecord(bytes: Uint8Array): void {
    const record = this.#record;
    const at = arena.room(bytes.length);
    arena.bytes.set(bytes, at);
    if (this.#apart) {
      this.#recordEdits.count = 0;
      this.#inner.reset();
    } else this.#main.count = this.#first + 1;
    this.#replaced = true;
    record.scan(at, at + bytes.length);
    if (record === metric) this.#inner.scanMetric();
  }
  appendRecord(bytes: Uint8Array): void {
    const tag = arena.room(1 + varintSize(bytes.length) + bytes.length);
    arena.bytes[tag] = 0x12;
    const content = putVarint(arena.bytes, tag + 1, bytes.length);
    arena.bytes.set(bytes, content);
    this.#appended.push(tag, content + bytes.length);
    this.#added += this.#record === metric ? countPoints(arena.bytes, content, content + bytes.length) : 1;
  }
}

const walk = new Walk();

/** One walk with the callbacks of `passes`: the very same batch where nothing changed, null where nothing is left. */
export function rewriteBatch(batch: Batch, passes: readonly Pass[]): Batch | null {
  walk.prepare(batch.signal, passes);
  position.context = batch.context;
  const parts: Uint8Array[] = [];
  let changed = false;
  let keepsPart = false;
  let items = batch.itemCount;
  for (const part of batch.parts) {
    const rewritten = rewritePart(batch.signal, part);
    items -= walk.lostItems;
    if (rewritten !== part) changed = true;
    else keepsPart = true;
    if (rewritten.length > 0) parts.push(rewritten);
  }
  if (!changed) return batch;
  if (parts.length === 0) return null;
  // A part that is lent goes back by its batch's release() only; beside new parts it has none.
  const exclusive = batch.exclusive && !(keepsPart && batch.origin?.release);
  return new Batch(batch.signal, parts, items, batch.context, exclusive);
}
function rewritePart(signal: Signal, part: Uint8Array): Uint8Array {
  try {
    return walk.part(part);
  } catch (error) {
    if (!(error instanceof SplitMessage)) throw error;
    return walk.part(joinSplitMessages(signal, asBuffer(part)));
  }
}

/** The bytes of the record (span, log record, metric) as it is now, with all edits; only from a callback at RECORD_LEVEL or, of a metric or span, INNER_LEVEL. A copy. */
export function currentRecord(): Buffer {
  return walk.currentRecord();
}
/** Puts another record in the place of this one; its cursor stands on the new one afterwards. Only from a callback at RECORD_LEVEL. */
export function replaceRecord(bytes: Uint8Array): void {
  walk.replaceRecord(bytes);
}
/** Adds a record behind the last one of this scope. A pass that says `appends` visits it in turn. Only from a callback at RECORD_LEVEL or INNER_LEVEL. */
export function appendRecord(bytes: Uint8Array): void {
  walk.appendRecord(bytes);
}
