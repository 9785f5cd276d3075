/**
 * Reads batches without making objects: `const reader = new BatchReader(batch); while (reader.nextResource()) while (reader.nextScope()) while
 * (reader.nextRecord()) …`. The cursors stand on the message that was reached last; fields and attributes are read through them (cursor.ts) by the
 * numbers of message_types.ts. A reader may be kept and `reset` to the next batch.
 */
import type { Batch } from '#src/core/batch.ts';
import { PermanentError } from '#src/core/errors.ts';
import { Cursor } from './cursor.ts';
import {
  LOG_TYPE, METRIC, METRIC_DATA_TYPE, METRIC_TYPE, NUMBER_POINT_TYPE, pointTypeOf, RESOURCE_GROUP, RESOURCE_GROUP_TYPE, RESOURCE_TYPE, SCOPE_GROUP, SCOPE_GROUP_TYPE, SCOPE_TYPE, SPAN_TYPE,
} from './message_types.ts'; // biome-ignore format: names
import { after, readLength, skipField } from './scan.ts';
import { Space } from './space.ts';

export class BatchReader {
  readonly space = new Space();
  readonly resourceGroup = new Cursor(RESOURCE_GROUP_TYPE, this.space);
  readonly resource = new Cursor(RESOURCE_TYPE, this.space);
  readonly scopeGroup = new Cursor(SCOPE_GROUP_TYPE, this.space);
  readonly scope = new Cursor(SCOPE_TYPE, this.space);
  /** The span, log record or metric. */
  readonly record = new Cursor(SPAN_TYPE, this.space);
  /** Gauge, Sum, Histogram… of the metric (METRIC_DATA); empty where it has none. */
  readonly data = new Cursor(METRIC_DATA_TYPE, this.space);
  /** The data point. */
  readonly point = new Cursor(NUMBER_POINT_TYPE, this.space);
  /** METRIC.gauge, .sum, … of the metric; 0 where it has no data. */
  metricKind = 0;

  #batch: Batch | null = null;
  #part = 0;
  #resourceAt = 0;
  #partEnd = 0;
  #scopeAt = 0;
  #recordAt = 0;
  #pointAt = 0;

  constructor(batch?: Batch) {
    if (batch !== undefined) this.reset(batch);
  }
  reset(batch: Batch): void {
    this.#batch = batch;
    this.record.type = batch.signal === 'traces' ? SPAN_TYPE : batch.signal === 'logs' ? LOG_TYPE : METRIC_TYPE;
    this.#part = 0;
    this.#resourceAt = this.#partEnd = 0;
  }

  /** Goes to the next resource; false at the end of the batch. */
  nextResource(): boolean {
    for (;;) {
      const at = this.#find(this.#resourceAt, this.#partEnd, 0x0a);
      if (at >= 0) {
        const size = readLength(this.space.bytes, at + 1, this.#partEnd);
        const start = after;
        const end = start + size;
        this.#resourceAt = end;
        this.resourceGroup.scan(start, end);
        this.#header(this.resourceGroup, RESOURCE_GROUP.resource, this.resource);
        this.#scopeAt = start;
        return true;
      }
      const parts = this.#batch?.parts;
      if (parts === undefined || this.#part >= parts.length) return false;
      const part = parts[this.#part++]!;
      this.space.look(part);
      this.#resourceAt = 0;
      this.#partEnd = part.length;
    }
  }
  /** Goes to the next scope of the resource. */
  nextScope(): boolean {
    const { end } = this.resourceGroup;
    const at = this.#find(this.#scopeAt, end, 0x12);
    if (at < 0) return false;
    const size = readLength(this.space.bytes, at + 1, end);
    const start = after;
    this.#scopeAt = start + size;
    this.scopeGroup.scan(start, start + size);
    this.#header(this.scopeGroup, SCOPE_GROUP.scope, this.scope);
    this.#recordAt = start;
    return true;
  }
  /** Goes to the next span, log record or metric of the scope. */
  nextRecord(): boolean {
    const { end } = this.scopeGroup;
    const at = this.#find(this.#recordAt, end, 0x12);
    if (at < 0) return false;
    const size = readLength(this.space.bytes, at + 1, end);
    const start = after;
    this.#recordAt = start + size;
    this.record.scan(start, start + size);
    if (this.record.type === METRIC_TYPE) this.#scanData();
    return true;
  }
  #scanData(): void {
    const { record } = this;
    let kind = 0;
    let best = -1;
    for (let field: number = METRIC.gauge; field <= METRIC.summary; field++) {
      const at = record.has(field) ? record.contentStart(field) : -1;
      if (at > best) {
        best = at;
        kind = field;
      }
    }
    this.metricKind = kind;
    this.data.scan(record.contentStart(kind), kind === 0 ? record.contentStart(kind) : record.contentEnd(kind));
    this.point.type = pointTypeOf(kind);
    this.#pointAt = this.data.start;
  }
  /** Goes to the next data point of the metric. */
  nextPoint(): boolean {
    const { end } = this.data;
    const at = this.#find(this.#pointAt, end, 0x0a);
    if (at < 0) return false;
    const size = readLength(this.space.bytes, at + 1, end);
    const start = after;
    this.#pointAt = start + size;
    this.point.scan(start, start + size);
    return true;
  }

  /** Puts `into` on the resource or scope of the group, an empty one where it has none. One that came in pieces is read as if the first was all. */
  #header(group: Cursor, field: number, into: Cursor): void {
    if (!group.firstChild(field, into)) into.scan(group.start, group.start);
  }
  #find(from: number, end: number, tag: number): number {
    const { bytes } = this.space;
    for (let p = from; p < end; p = skipField(bytes, p, end)) {
      if (bytes[p] === tag) {
        const size = readLength(bytes, p + 1, end);
        if (after + size > end) throw new PermanentError(`malformed OTLP: a message at offset ${p} is truncated`);
        return p;
      }
    }
    return -1;
  }
}
