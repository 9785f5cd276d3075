/**
 * The groups of one batch as they grow: a resource, its scopes, their records; for metrics the points of a metric once more. Each leaf is a buffer of
 * encoded records, and the batch is put together from them once. As in the Collector a resource keeps nothing but its attributes, and
 * scopes with the same name and version are one.
 */
import { writeKeyValues } from '#src/data/any_value.ts';
import type { Cursor } from '#src/data/cursor.ts';
import { METRIC, METRIC_DATA, RESOURCE, RESOURCE_GROUP, SCOPE, SCOPE_GROUP } from '#src/data/message_types.ts';
import type { BatchReader } from '#src/data/read.ts';
import { fieldsWithout, readLength, skipField } from '#src/data/scan.ts';
import type { ValueMap } from '#src/data/value.ts';
import { ProtoWriter } from '#src/wire/proto_writer.ts';

class MetricGroup {
  readonly kind: number;
  /** The fields of the metric without its data, and those of the data without the points. */
  readonly head: Buffer;
  readonly dataHead: Buffer;
  readonly points = new ProtoWriter(256);
  constructor(reader: BatchReader) {
    const { record, data } = reader;
    this.kind = reader.metricKind;
    this.head = fieldsWithout(record.space.bytes, record.start, record.end, this.kind);
    this.dataHead = fieldsWithout(data.space.bytes, data.start, data.end, METRIC_DATA.dataPoints);
  }
  write(writer: ProtoWriter): void {
    const metric = writer.open(SCOPE_GROUP.records, 2);
    writer.raw(this.head);
    const data = writer.open(this.kind, 2);
    writer.raw(this.points.written());
    writer.raw(this.dataHead);
    writer.close(data);
    writer.close(metric);
  }
}

export class ScopeGroup {
  readonly #scope: Buffer;
  readonly records = new ProtoWriter(256);
  readonly #metrics = new Map<string, MetricGroup>();
  constructor(scope: Cursor) {
    this.#scope = Buffer.from(scope.space.bytes.subarray(scope.start, scope.end));
  }
  /** Where the points of the reader's metric go: metrics with the same name and kind are one. */
  points(reader: BatchReader): ProtoWriter {
    const name = `${reader.metricKind} ${reader.record.text(METRIC.name)}`;
    let metric = this.#metrics.get(name);
    if (metric === undefined) {
      metric = new MetricGroup(reader);
      this.#metrics.set(name, metric);
    }
    return metric.points;
  }
  write(writer: ProtoWriter): void {
    const mark = writer.open(RESOURCE_GROUP.scopes, 3);
    writer.bytes(SCOPE_GROUP.scope, this.#scope);
    writer.raw(this.records.written());
    for (const metric of this.#metrics.values()) metric.write(writer);
    writer.close(mark);
  }
}

export class ResourceGroup {
  readonly #attributes: ValueMap;
  readonly #scopes = new Map<string, ScopeGroup>();
  constructor(attributes: ValueMap) {
    this.#attributes = attributes;
  }
  scope(scope: Cursor): ScopeGroup {
    const name = `${scope.text(SCOPE.name)}\n${scope.text(SCOPE.version)}`;
    let group = this.#scopes.get(name);
    if (group === undefined) {
      group = new ScopeGroup(scope);
      this.#scopes.set(name, group);
    }
    return group;
  }
  write(writer: ProtoWriter): void {
    const mark = writer.open(1, 3);
    const resource = writer.open(RESOURCE_GROUP.resource, 2);
    writeKeyValues(writer, RESOURCE.attributes, this.#attributes);
    writer.close(resource);
    for (const scope of this.#scopes.values()) scope.write(writer);
    writer.close(mark);
  }
}

/** Appends the record or point under the cursor as a field, without the attributes whose keys have one of these numbers. */
export function copyRecord(writer: ProtoWriter, field: number, cursor: Cursor, without: ReadonlySet<number>): void {
  const { bytes } = cursor.space,
    { start, end } = cursor;
  const mark = writer.open(field, 2),
    tag = (cursor.type.attributes << 3) | 2;
  let from = start,
    row = cursor.firstRow();
  // Rows come in the order of the bytes; what lies between two that go is copied at once.
  for (let p = start; p < end && row >= 0; ) {
    const next = skipField(bytes, p, end);
    if (readLength(bytes, p, end) === tag) {
      if (without.has(cursor.keyIdOf(row))) {
        writer.raw(bytes, from, p);
        from = next;
      }
      row = cursor.nextRow(row);
    }
    p = next;
  }
  writer.raw(bytes, from, end);
  writer.close(mark);
}
