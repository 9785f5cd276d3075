/** Values and entries of the general path as OTLP: Resource, Scope, KeyValue, AnyValue, LogRecord. */
import { ProtoWriter } from '#src/wire/proto_writer.ts';
import type { Entry } from './entry.ts';
import { SEVERITY_NAMES } from './severity_names.ts';
import { goText, Instant, OpaqueList, OpaqueMap, type Value, type ValueMap } from './value.ts';

const shared = new ProtoWriter(256);

/** Content of a Resource message. */
export function encodeResource(resource: ValueMap): Uint8Array {
  shared.reset();
  for (const [key, value] of resource) encodeKeyValue(shared, 1, key, value);
  return shared.finish();
}

export function encodeScope(name: string): Uint8Array {
  shared.reset();
  if (name !== '') shared.text(1, name);
  return shared.finish();
}

/** A KeyValue as field `field` of the message that is open. */
export function encodeKeyValue(writer: ProtoWriter, field: number, key: string, value: Value): void {
  const pair = writer.open(field);
  writer.text(1, key);
  const any = writer.open(2);
  encodeAnyValue(writer, value, 0);
  writer.close(any);
  writer.close(pair);
}

const MAX_DEPTH = 256;

/** Content of an AnyValue; nothing for nil. Opaque values and times become text, as in the Collector. */
export function encodeAnyValue(writer: ProtoWriter, value: Value, depth: number): void {
  if (value === null) return;
  if (typeof value === 'string') writer.text(1, value);
  else if (typeof value === 'boolean') writer.bool(2, value);
  else if (typeof value === 'bigint') writer.int(3, value);
  else if (typeof value === 'number') writer.double(4, value);
  else if (value instanceof Uint8Array) writer.bytes(7, value);
  else if (value instanceof Instant || value instanceof OpaqueMap || value instanceof OpaqueList || depth > MAX_DEPTH) writer.text(1, goText(value));
  else if (Array.isArray(value)) {
    const list = writer.open(5);
    for (const item of value) {
      const any = writer.open(1);
      encodeAnyValue(writer, item, depth + 1);
      writer.close(any);
    }
    writer.close(list);
  } else {
    const list = writer.open(6);
    for (const [key, item] of value) {
      const pair = writer.open(1);
      writer.text(1, key);
      const any = writer.open(2);
      encodeAnyValue(writer, item, depth + 1);
      writer.close(any);
      writer.close(pair);
    }
    writer.close(list);
  }
}

/** A LogRecord as field 2 of the ScopeLogs that is open. */
export function encodeRecord(writer: ProtoWriter, entry: Entry): void {
  const record = writer.open(2, 2);
  if (entry.hasTime && (entry.seconds !== 0 || entry.nanos !== 0)) writer.fixed64Value(1, BigInt(entry.seconds) * 1_000_000_000n + BigInt(entry.nanos));
  if (entry.severityNumber !== 0) writer.int(2, entry.severityNumber);
  if (entry.severityText !== '') writer.text(3, entry.severityText);
  else if (entry.severityNumber > 0) writer.text(3, SEVERITY_NAMES[entry.severityNumber]!);
  if (entry.body !== null) {
    const body = writer.open(5);
    encodeAnyValue(writer, entry.body, 0);
    writer.close(body);
  }
  for (const [key, value] of entry.attributes) encodeKeyValue(writer, 6, key, value);
  if (entry.traceFlags !== 0) writer.fixed32(8, entry.traceFlags);
  if (entry.traceId !== null) writer.bytes(9, entry.traceId);
  if (entry.spanId !== null) writer.bytes(10, entry.spanId);
  writer.timeFromMs(11, entry.observedMs);
  writer.close(record);
}
