/**
 * One walk over a batch: resource by resource, scope by scope, record by record, the cursors put on each, the callbacks of the passes called, and
 * the edits closed from the inside out, so that in the end one list of rows, sorted by position, says what the new bytes are. Edits of the enclosing
 * levels may come at any time (a span's statement sets a resource attribute); they are kept apart and merged when their message is closed.
 *
 * Messages of which a part is elsewhere (two `resource` fields in one ResourceSpans, which protobuf would merge) are first written in one piece.
 */
import assert from 'node:assert';
import { Batch, type Signal } from '#src/core/batch.ts';
import { PermanentError } from '#src/core/errors.ts';
import { asBuffer, putVarint, varintSize } from '#src/wire/bytes.ts';
import { countItems, countPoints } from './check.ts';
import {
  dataPoint, DROP, INNER_LEVEL, log, metric, metricData, type Pass, position, RECORD_LEVEL, RESOURCE_LEVEL, resource, resourceGroup, SCOPE_LEVEL, scope, scopeGroup, span, spanEvent,
} from './contexts.ts'; // biome-ignore format: names
import type { Cursor } from './cursor.ts';
import { EditList, writeEdited } from './edits.ts';
import { joinSplitMessages, SplitMessage } from './join_split.ts';
import { METRIC, METRIC_DATA, pointTypeOf, SPAN, SPAN_EVENT_TYPE } from './message_types.ts';
import { after, readLength, skipField } from './scan.ts';
import { arena } from './space.ts';

const GONE = -0x7fffffff;
/** How many records may be appended to a scope where appended ones are visited too: statements that copy their own copies would never end. */
const MOST_APPENDED = 10_000;
const MOST_APPENDED_PER_RECORD = 8;
type Visit = () => number;

class Walk {
  readonly #main = new EditList();
  readonly #resourceEdits = new EditList();
  readonly #scopeEdits = new EditList();
  readonly #groupEdits = new EditList();
  readonly #scopeGroupEdits = new EditList();
  readonly #recordEdits = new EditList();
  readonly #dataEdits = new EditList();

  #signal: Signal = 'traces';
  #record: Cursor = span;
  #resourceVisits: Visit[] = [];
  #scopeVisits: Visit[] = [];
  #recordVisits: Visit[] = [];
  #innerVisits: Visit[] = [];
  #dropEmpty = false;
  #dropEmptyMetrics = false;
  #visitAppended = false;
  /** Whether the record's edits have a list of their own: inner records write theirs into the main one. */
  #apart = false;

  // The record that is visited.
  #first = 0;
  #replaced = false;
  #visitingRecord = false;
  #appended: number[] = []; // Start and end in the scratch, two by two.
  #dropped = 0;
  #droppedBefore = 0;
  #added = 0;
  // What `single` found: start of the field, of its length, of its content, and the end.
  #singleAt = -1;
  #singleLengthAt = 0;
  #singleStart = 0;
  #singleEnd = 0;

  constructor() {
    resource.edits = this.#resourceEdits;
    resourceGroup.edits = this.#groupEdits;
    scope.edits = this.#scopeEdits;
    scopeGroup.edits = this.#scopeGroupEdits;
    metricData.edits = this.#dataEdits;
    dataPoint.edits = spanEvent.edits = this.#main;
  }

  prepare(signal: Signal, passes: readonly Pass[]): void {
    const visits = (level: number): Visit[] => passes.filter((pass) => pass.level === level).map((pass) => pass.visit);
    this.#signal = signal;
    this.#record = signal === 'traces' ? span : signal === 'logs' ? log : metric;
    this.#resourceVisits = visits(RESOURCE_LEVEL);
    this.#scopeVisits = visits(SCOPE_LEVEL);
    this.#recordVisits = visits(RECORD_LEVEL);
    this.#innerVisits = visits(INNER_LEVEL);
    this.#dropEmpty = passes.some((pass) => pass.dropsEmpty === true);
    this.#dropEmptyMetrics = signal === 'metrics' && passes.some((pass) => pass.dropsEmpty === true && pass.level === INNER_LEVEL);
    this.#visitAppended = passes.some((pass) => pass.appends === true);
    this.#apart = signal === 'metrics' || this.#innerVisits.length > 0;
    this.#record.edits = this.#apart ? this.#recordEdits : this.#main;
  }

  /** How many items the last `part` lost (less than 0: won). */
  get lostItems(): number {
    return this.#dropped - this.#added;
  }

  /** The rewritten message, the very same where nothing changed. */
  part(message: Uint8Array): Uint8Array {
    this.#main.count = 0;
    this.#dropped = this.#added = this.#appended.length = 0;
    this.#inner = null;
    const start = arena.load(message);
    try {
      const end = start + message.length;
      let delta = 0;
      for (let p = start; p < end; ) {
        const B = arena.bytes;
        if (B[p] !== 0x0a) {
          p = skipField(B, p, end);
          continue;
        }
        const size = readLength(B, p + 1, end);
        const content = after;
        if (content + size > end) throw malformed(p);
        delta += this.#resourceGroup(p, p + 1, content, content + size);
        p = content + size;
      }
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

  #resourceGroup(at: number, lengthAt: number, start: number, end: number): number {
    const main = this.#main;
    const first = main.count;
    main.add(start, start, 0, 0);
    resourceGroup.scan(start, end);
    this.#header(resourceGroup, start);
    const resourceAt = this.#singleAt;
    const resourceLengthAt = this.#singleLengthAt;
    const resourceStart = resourceAt < 0 ? start : this.#singleStart;
    const resourceEnd = resourceAt < 0 ? start : this.#singleEnd;
    this.#resourceEdits.count = this.#groupEdits.count = 0;
    this.#resourceEdits.add(resourceLengthAt, resourceStart, 0, 0);
    resource.scan(resourceStart, resourceEnd);
    let delta = 0;
    let gone = false;
    for (let i = 0; i < this.#resourceVisits.length && !gone; i++) gone = this.#resourceVisits[i]!() === DROP;
    if (!gone && (this.#scopeVisits.length > 0 || this.#recordVisits.length > 0 || this.#innerVisits.length > 0 || this.#dropEmpty)) {
      let kept = 0;
      for (let p = start; p < end; ) {
        const B = arena.bytes;
        if (B[p] !== 0x12) {
          p = skipField(B, p, end);
          continue;
        }
        const size = readLength(B, p + 1, end);
        const content = after;
        if (content + size > end) throw malformed(p);
        const d = this.#scopeGroup(p, p + 1, content, content + size);
        if (d === GONE) delta -= content + size - p;
        else {
          delta += d;
          kept++;
        }
        p = content + size;
      }
      if (kept === 0 && this.#dropEmpty) {
        main.count = first;
        main.add(at, end, 0, 0);
        return at - end;
      }
    }
    if (gone) {
      this.#dropped += countItems(this.#signal, arena.bytes, start, end, 1);
      main.count = first;
      main.add(at, end, 0, 0);
      return at - end;
    }
    delta += this.#mergeNested(first + 1, this.#resourceEdits, resourceAt, start, resourceLengthAt, resourceStart, resourceEnd);
    delta += this.#mergeOwn(first + 1, this.#groupEdits);
    if (main.count === first + 1) {
      main.count = first;
      return 0;
    }
    return main.setLength(first, lengthAt, start, end, delta);
  }

  #scopeGroup(at: number, lengthAt: number, start: number, end: number): number {
    const main = this.#main;
    const first = main.count;
    main.add(start, start, 0, 0);
    scopeGroup.scan(start, end);
    this.#header(scopeGroup, start);
    const scopeAt = this.#singleAt;
    const scopeLengthAt = this.#singleLengthAt;
    const scopeStart = scopeAt < 0 ? start : this.#singleStart;
    const scopeEnd = scopeAt < 0 ? start : this.#singleEnd;
    this.#scopeEdits.count = this.#scopeGroupEdits.count = 0;
    this.#scopeEdits.add(scopeLengthAt, scopeStart, 0, 0);
    scope.scan(scopeStart, scopeEnd);
    let delta = 0;
    for (let i = 0; i < this.#scopeVisits.length; i++) {
      if (this.#scopeVisits[i]!() === DROP) {
        this.#dropped += countItems(this.#signal, arena.bytes, start, end, 2);
        main.count = first;
        main.add(at, end, 0, 0);
        return GONE;
      }
    }
    if (this.#recordVisits.length > 0 || this.#innerVisits.length > 0 || this.#dropEmpty) {
      let kept = 0;
      let last = start;
      for (let p = start; p < end; ) {
        const B = arena.bytes;
        if (B[p] !== 0x12) {
          p = skipField(B, p, end);
          continue;
        }
        const size = readLength(B, p + 1, end);
        const content = after;
        if (content + size > end) throw malformed(p);
        const d = this.#visitRecord(p, p + 1, content, content + size);
        if (d === GONE) delta -= content + size - p;
        else {
          delta += d;
          kept++;
        }
        last = p = content + size;
      }
      if (this.#appended.length > 0) {
        const rows = main.count;
        delta += this.#placeAppended(last, MOST_APPENDED + MOST_APPENDED_PER_RECORD * kept);
        kept += main.count - rows;
      }
      if (kept === 0 && this.#dropEmpty) {
        main.count = first;
        main.add(at, end, 0, 0);
        return GONE;
      }
    }
    delta += this.#mergeNested(first + 1, this.#scopeEdits, scopeAt, start, scopeLengthAt, scopeStart, scopeEnd);
    delta += this.#mergeOwn(first + 1, this.#scopeGroupEdits);
    if (main.count === first + 1) {
      main.count = first;
      return 0;
    }
    return main.setLength(first, lengthAt, start, end, delta);
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
        const d = this.#visitRecord(from, from + 1, after, end);
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

  #visitRecord(at: number, lengthAt: number, start: number, end: number): number {
    const main = this.#main;
    const record = this.#record;
    const first = main.count;
    main.add(start, start, 0, 0);
    this.#first = first;
    this.#replaced = false;
    this.#droppedBefore = this.#dropped;
    if (this.#apart) this.#recordEdits.count = this.#dataEdits.count = 0;
    record.scan(start, end);
    const isMetric = record === metric;
    if (isMetric) this.#scanMetric();
    const visits = this.#recordVisits;
    this.#visitingRecord = true;
    for (let i = 0; i < visits.length; i++) {
      if (visits[i]!() === DROP) {
        this.#dropped += isMetric ? countPoints(arena.bytes, start, end) : 1;
        main.count = first;
        main.add(at, end, 0, 0);
        return GONE;
      }
    }
    this.#visitingRecord = false;
    let delta = 0;
    if (this.#apart) {
      if (isMetric) {
        const { metricKind } = position;
        const from = metric.contentStart(metricKind);
        // A callback that set the data as a whole: go on in one piece, since the edits of its points cannot be put into an edit.
        if ((metricKind !== 0 && (from < metric.start || from > metric.end)) || (this.#innerVisits.length > 0 && metricData.isEdited(METRIC_DATA.dataPoints)))
          this.replaceRecord(this.currentRecord());
        delta += this.#visitData();
        if (delta === GONE) {
          main.count = first;
          main.add(at, end, 0, 0);
          return GONE;
        }
      } else {
        if (span.isEdited(SPAN.events)) this.replaceRecord(this.currentRecord()); // The same for the events of a span.
        delta += this.#visitInner(record.start, record.end, 0x5a, spanEvent);
      }
      delta += this.#mergeOwn(first + 1, this.#recordEdits);
    } else if (main.count > first + 1) delta = main.sort(first + 1);
    if (this.#replaced) return this.#closeReplaced(first, at, start, end, delta);
    if (main.count === first + 1) {
      main.count = first;
      return 0;
    }
    return main.setLength(first, lengthAt, start, end, delta);
  }

  /** Puts metricData and position on the data of the metric: of several kinds the last in the bytes. */
  #scanMetric(): void {
    let kind = 0;
    let best = -1;
    for (let field = METRIC.gauge as number; field <= METRIC.summary; field++) {
      const at = metric.has(field) ? metric.contentStart(field) : -1;
      if (at > best) {
        best = at;
        kind = field;
      }
    }
    position.metricKind = kind;
    if (kind === 0) {
      metricData.scan(metric.start, metric.start);
      return;
    }
    this.#single(metric.start, metric.end, (kind << 3) | 2);
    metricData.scan(this.#singleStart, this.#singleEnd);
  }
  /** The data points of the metric, and what was edited in its data. */
  #visitData(): number {
    const kind = position.metricKind;
    if (kind === 0) return 0; // Nothing was dropped from it: a metric without data stays, as in the Collector.
    const main = this.#main;
    const { start, end } = metricData;
    const header = main.count;
    main.add(start, start, 0, 0);
    let delta = 0;
    if (this.#innerVisits.length > 0) {
      delta = this.#visitInner(start, end, 0x0a, dataPoint);
      if (this.#dropEmptyMetrics && this.#keptInner === 0) return GONE;
    }
    delta += this.#mergeOwn(header + 1, this.#dataEdits);
    if (main.count === header + 1) {
      main.count = header;
      return 0;
    }
    return main.setLength(header, this.#lengthAtOf(kind), start, end, delta);
  }
  #lengthAtOf(kind: number): number {
    this.#single(metric.start, metric.end, (kind << 3) | 2);
    return this.#singleLengthAt;
  }
  #keptInner = 0;
  // The inner record that is visited, for currentRecord(): its cursor, its first row, its length field, and the first row of the inner records before it.
  #inner: Cursor | null = null;
  #innerFirst = 0;
  #innerLengthAt = 0;
  #innersFirst = 0;
  #visitInner(start: number, end: number, tag: number, cursor: Cursor): number {
    const main = this.#main;
    const visits = this.#innerVisits;
    const type = cursor === dataPoint ? pointTypeOf(position.metricKind) : SPAN_EVENT_TYPE;
    let delta = 0;
    let kept = 0;
    let index = 0;
    this.#innersFirst = main.count;
    for (let p = start; p < end; ) {
      const B = arena.bytes;
      if (B[p] !== tag) {
        p = skipField(B, p, end);
        continue;
      }
      const size = readLength(B, p + 1, end);
      const content = after;
      const next = content + size;
      if (next > end) throw malformed(p);
      const first = main.count;
      main.add(content, content, 0, 0);
      cursor.scan(content, next, type);
      position.eventIndex = index++;
      this.#inner = cursor;
      this.#innerFirst = first;
      this.#innerLengthAt = p + 1;
      let gone = false;
      for (let i = 0; i < visits.length && !gone; i++) gone = visits[i]!() === DROP;
      this.#inner = null;
      if (gone) {
        main.count = first;
        main.add(p, next, 0, 0);
        delta -= next - p;
        if (cursor === dataPoint) this.#dropped++;
      } else {
        kept++;
        if (main.count === first + 1) main.count = first;
        else delta += main.setLength(first, p + 1, content, next, main.sort(first + 1));
      }
      p = next;
    }
    this.#keptInner = kept;
    return delta;
  }

  // ---- closing

  /** Merges edits of the message that is being closed; returns what they add. */
  #mergeOwn(first: number, edits: EditList): number {
    if (edits.count === 0) return 0;
    const delta = edits.sort(0);
    this.#main.merge(first, edits);
    edits.count = 0;
    return delta;
  }
  /** The same for a message inside (the resource of a resource group), with its length; where there was none it begins at `groupStart`. Row 0 is kept free for the length. */
  #mergeNested(first: number, edits: EditList, at: number, groupStart: number, lengthAt: number, start: number, end: number): number {
    if (edits.count === 1) return 0;
    const delta = edits.sort(1);
    if (at >= 0) {
      const added = edits.setLength(0, lengthAt, start, end, delta);
      this.#main.merge(first, edits);
      return added;
    }
    const tag = arena.room(6 + delta);
    arena.bytes[tag] = 0x0a;
    const content = putVarint(arena.bytes, tag + 1, delta);
    const stop = writeEdited(arena, edits, 1, edits.count, start, end, arena.bytes, content);
    edits.count = 0;
    edits.add(groupStart, groupStart, tag, stop);
    this.#main.merge(first, edits);
    return stop - tag;
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
      this.#dropped = this.#droppedBefore + countPoints(arena.bytes, start, end); // Points dropped one by one are in this.
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
    const data = new EditList();
    data.add(0, 0, 0, 0);
    if (record === metric) data.addAll(this.#dataEdits, 0);
    if (this.#inner !== null) {
      const { start, end } = this.#inner;
      const own = new EditList();
      own.addAll(this.#main, this.#innerFirst);
      if (own.count > 1) own.setLength(0, this.#innerLengthAt, start, end, own.sort(1));
      data.addAll(this.#main, this.#innersFirst, this.#innerFirst);
      data.addAll(own, own.count > 1 ? 0 : 1);
    }
    if (data.count > 1) {
      if (record === metric) data.setLength(0, this.#lengthAtOf(position.metricKind), metricData.start, metricData.end, data.sort(1));
      all.addAll(data, record === metric ? 0 : 1);
    }
    const delta = all.sort(0);
    const out = Buffer.allocUnsafe(record.end - record.start + delta);
    writeEdited(arena, all, 0, all.count, record.start, record.end, out, 0);
    return out;
  }
  replaceRecord(bytes: Uint8Array): void {
    const record = this.#record;
    const at = arena.room(bytes.length);
    arena.bytes.set(bytes, at);
    if (this.#apart) this.#recordEdits.count = this.#dataEdits.count = 0;
    else this.#main.count = this.#first + 1;
    this.#replaced = true;
    record.scan(at, at + bytes.length);
    if (record === metric) this.#scanMetric();
  }
  appendRecord(bytes: Uint8Array): void {
    const tag = arena.room(1 + varintSize(bytes.length) + bytes.length);
    arena.bytes[tag] = 0x12;
    const content = putVarint(arena.bytes, tag + 1, bytes.length);
    arena.bytes.set(bytes, content);
    this.#appended.push(tag, content + bytes.length);
    this.#added += this.#record === metric ? countPoints(arena.bytes, content, content + bytes.length) : 1;
  }

  /** Where the resource of a group, or the scope, is. */
  #header(group: Cursor, start: number): void {
    this.#singleAt = -1;
    this.#singleLengthAt = this.#singleStart = this.#singleEnd = start;
    const count = group.count(1);
    if (count === 0) return;
    if (count > 1) throw new SplitMessage();
    const at = group.firstAt(1);
    const size = readLength(arena.bytes, at + 1, group.end);
    this.#singleAt = at;
    this.#singleLengthAt = at + 1;
    this.#singleStart = after;
    this.#singleEnd = after + size;
  }
  /** Finds the field with this tag that must not come twice. */
  #single(start: number, end: number, tag: number): void {
    const B = arena.bytes;
    this.#singleAt = -1;
    this.#singleLengthAt = this.#singleStart = this.#singleEnd = start;
    for (let p = start; p < end; ) {
      if (B[p] === tag) {
        if (this.#singleAt >= 0) throw new SplitMessage();
        const size = readLength(B, p + 1, end);
        if (after + size > end) throw malformed(p);
        this.#singleAt = p;
        this.#singleLengthAt = p + 1;
        this.#singleStart = after;
        p = this.#singleEnd = after + size;
      } else p = skipField(B, p, end);
    }
  }
}
function malformed(at: number): PermanentError {
  return new PermanentError(`malformed OTLP: a message at offset ${at} is truncated`);
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
