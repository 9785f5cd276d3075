/**
 * Reads batches without making objects: `const reader = new BatchReader(batch); while (reader.nextResource()) while (reader.nextScope()) while
 * (reader.nextRecord()) …`. The cursors stand on the message that was reached last; fields and attributes are read through them (cursor.ts) by the
 * numbers of message_types.ts. A reader may be kept and `reset` to the next batch.
 */
import type { Batch } from '#src/core/batch.ts';
import { Cursor } from './cursor.ts';
import { kindOf } from './cursor_fields.ts';
import {
  LOG_TYPE, METRIC_DATA_TYPE, METRIC_TYPE, NUMBER_POINT_TYPE, pointTypeOf, RESOURCE_GROUP, RESOURCE_GROUP_TYPE, RESOURCE_TYPE, SCOPE_GROUP, SCOPE_GROUP_TYPE, SCOPE_TYPE, SPAN_TYPE,
} from './message_types.ts'; // biome-ignore format: names
import { findMessage, messageEnd, messageStart } from './scan.ts';
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
      if (findMessage(this.space.bytes, this.#resourceAt, this.#partEnd, 0x0a) >= 0) {
        this.#scopeAt = messageStart;
        this.#resourceAt = messageEnd;
        this.resourceGroup.scan(messageStart, messageEnd);
        this.#header(this.resourceGroup, RESOURCE_GROUP.resource, this.resource);
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
    if (findMessage(this.space.bytes, this.#scopeAt, end, 0x12) < 0) return false;
    this.#recordAt = messageStart;
    this.#scopeAt = messageEnd;
    this.scopeGroup.scan(messageStart, messageEnd);
    this.#header(this.scopeGroup, SCOPE_GROUP.scope, this.scope);
    return true;
  }
  /** Goes to the next span, log record or metric of the scope. */
  nextRecord(): boolean {
    const { end } = this.scopeGroup;
    if (findMessage(this.space.bytes, this.#recordAt, end, 0x12) < 0) return false;
    this.#recordAt = messageEnd;
    this.record.scan(messageStart, messageEnd);
    if (this.record.type === METRIC_TYPE) this.#scanData();
    return true;
  }
  #scanData(): void {
    const { record } = this;
    const kind = kindOf(record);
    this.metricKind = kind;
    this.data.scan(record.contentStart(kind), kind === 0 ? record.contentStart(kind) : record.contentEnd(kind));
    this.point.type = pointTypeOf(kind);
    this.#pointAt = this.data.start;
  }
  /** Goes to the next data point of the metric. */
  nextPoint(): boolean {
    const { end } = this.data;
    if (findMessage(this.space.bytes, this.#pointAt, end, 0x0a) < 0) return false;
    this.#pointAt = messageEnd;
    this.point.scan(messageStart, messageEnd);
    return true;
  }

  /** Puts `into` on the resource or scope of the group, an empty one where it has none. One that came in pieces is read as if the first was all. */
  #header(group: Cursor, field: number, into: Cursor): void {
    if (!group.firstChild(field, into)) into.scan(group.start, group.start);
  }
}
