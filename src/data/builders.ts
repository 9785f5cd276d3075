/**
 * Makes batches: for receivers that write records of their own. Thin over ProtoWriter: resource, then scope, then records, each opened behind the one
 * before; the fields of a record are written straight into the batch (the numbers are in message_types.ts).
 */
import { Batch, type BatchContext, type Signal } from '#src/core/batch.ts';
import { ProtoWriter } from '#src/wire/proto_writer.ts';
import { writeAnyValue, writeKeyValue, writeKeyValues } from './any_value.ts';
import type { Value, ValueMap } from './value.ts';

/**
 * `builder.resource(attributes); builder.scope('name', '1.0'); const record = builder.open(); builder.writer.fixed64Value(LOG.timeUnixNano, …);
 * builder.close(record); builder.finish(context)`. For metrics the items are data points, which the caller counts: `builder.itemCount += points`.
 */
export class BatchBuilder {
  readonly signal: Signal;
  readonly writer: ProtoWriter;
  itemCount = 0;
  #group = 0;
  #scope = 0;

  constructor(signal: Signal, capacity = 4096) {
    this.signal = signal;
    this.writer = new ProtoWriter(capacity);
  }

  /** Begins the next resource, with attributes as decoded values or as encoded KeyValue fields (field 1). */
  resource(attributes?: ValueMap | Uint8Array, schemaUrl = ''): void {
    this.#endGroup();
    const { writer } = this;
    this.#group = writer.open(1, 3);
    const mark = writer.open(1);
    if (attributes instanceof Uint8Array) writer.raw(attributes);
    else if (attributes !== undefined) writeKeyValues(writer, 1, attributes);
    writer.close(mark);
    if (schemaUrl !== '') writer.text(3, schemaUrl);
  }
  /** Begins the next scope of the resource. */
  scope(name = '', version = '', attributes?: ValueMap): void {
    if (this.#group === 0) this.resource();
    this.#endScope();
    const { writer } = this;
    this.#scope = writer.open(2, 3);
    const mark = writer.open(1);
    if (name !== '') writer.text(1, name);
    if (version !== '') writer.text(2, version);
    if (attributes !== undefined) writeKeyValues(writer, 3, attributes);
    writer.close(mark);
  }
  /** Begins a record (span, log record, metric); write its fields with `writer`, then `close`. */
  open(): number {
    if (this.#scope === 0) this.scope();
    if (this.signal !== 'metrics') this.itemCount++;
    return this.writer.open(2, 2);
  }
  close(mark: number): void {
    this.writer.close(mark);
  }
  /** A whole record that is encoded already. */
  record(bytes: Uint8Array): void {
    this.close(this.#opened(bytes));
  }
  #opened(bytes: Uint8Array): number {
    const mark = this.open();
    this.writer.raw(bytes);
    return mark;
  }
  /** An attribute in the message that is open, in its field `field`. */
  attribute(field: number, key: string, value: Value): void {
    writeKeyValue(this.writer, field, key, value);
  }
  /** A field that is an AnyValue: the body of a log record. */
  any(field: number, value: Value): void {
    const mark = this.writer.open(field);
    writeAnyValue(this.writer, value);
    this.writer.close(mark);
  }

  /** Ends everything; the batch is the caller's and the builder is empty again. */
  finish(context?: BatchContext): Batch {
    this.#endGroup();
    const batch = new Batch(this.signal, [this.writer.finish()], this.itemCount, context);
    this.writer.reset();
    this.itemCount = 0;
    return batch;
  }
  #endScope(): void {
    if (this.#scope === 0) return;
    this.writer.close(this.#scope);
    this.#scope = 0;
  }
  #endGroup(): void {
    this.#endScope();
    if (this.#group === 0) return;
    this.writer.close(this.#group);
    this.#group = 0;
  }
}
