/**
 * OTLP bytes to OTLP JSON: as the Collector writes it, on one line, fields with their default value left out. For the file exporter, OTLP/HTTP with
 * encoding json, live tail and tests.
 */
import type { Batch, Signal } from '#src/core/batch.ts';
import { PermanentError } from '#src/core/errors.ts';
import { hexText } from '#src/wire/bytes.ts';
import { ProtoReader } from '#src/wire/proto_reader.ts';
import { type FieldKind, type JsonField, type JsonMessage, REQUESTS } from './json_schema.ts';
import { MAX_VALUE_DEPTH } from './value.ts';

const MAX_DEPTH = MAX_VALUE_DEPTH * 3 + 16;

/** One JSON object for the whole message; throws PermanentError where it is malformed. */
export function formatOtlpJson(signal: Signal, bytes: Uint8Array): string {
  return formatJsonMessage(REQUESTS[signal], bytes);
}
export function formatBatchJson(batch: Batch): string {
  return formatOtlpJson(batch.signal, batch.bytes);
}
/** The same for any of the messages of the schema. */
export function formatJsonMessage(type: JsonMessage, bytes: Uint8Array): string {
  const reader = new ProtoReader(bytes);
  return message(reader, reader.end, type, 0);
}

function message(reader: ProtoReader, end: number, type: JsonMessage, depth: number): string {
  if (depth > MAX_DEPTH) throw new PermanentError('malformed OTLP: nested too deep');
  // By field number: fields may come in any order, and are written in that of the schema.
  const found: string[] = [];
  let oneof = 0;
  while (reader.at < end) {
    const tag = reader.tag(end);
    const field = type.byNumber[tag >>> 3];
    if (field === undefined || !fits(field, tag & 7)) {
      reader.skipLast(end);
      continue;
    }
    const { number } = field;
    if (!field.repeated) {
      const text = value(reader, end, field, depth);
      if (type.name === 'AnyValue') {
        if (oneof !== 0 && oneof !== number) delete found[oneof];
        oneof = number;
      }
      if (text !== '') found[number] = text;
      else delete found[number];
      continue;
    }
    let items = '';
    if ((tag & 7) === 2 && field.kind !== 'message' && field.kind !== 'string') {
      const stop = reader.message(end);
      while (reader.at < stop) items += `,${number64(reader, stop, field.kind)}`;
      if (items === '') continue;
      items = items.slice(1);
    } else items = field.kind === 'message' || field.kind === 'string' ? value(reader, end, field, depth) || '""' : number64(reader, end, field.kind);
    found[number] = found[number] === undefined ? items : `${found[number]},${items}`;
  }
  let text = '';
  for (const field of type.fields) {
    const one = found[field.number];
    if (one === undefined) {
      if (field.always && field.kind === 'message') text += `${text === '' ? '' : ','}"${field.name}":{}`;
      continue;
    }
    text += `${text === '' ? '' : ','}"${field.name}":${field.repeated ? `[${one}]` : one}`;
  }
  return `{${text}}`;
}

const WIRES: Readonly<Record<FieldKind, number>> = {
  string: 2, bytes: 2, hex: 2, message: 2, bool: 0, int32: 0, uint32: 0, sint32: 0, int64: 0, uint64: 0, enum: 0, fixed32: 5, fixed64: 1, sfixed64: 1, double: 1,
}; // biome-ignore format: a table
function fits(field: JsonField, wire: number): boolean {
  return wire === WIRES[field.kind] || (field.repeated && wire === 2);
}
/** JSON of one field; '' where it has its default value and is left out. */
function value(reader: ProtoReader, end: number, field: JsonField, depth: number): string {
  const { always } = field;
  switch (field.kind) {
    case 'message': {
      const stop = reader.message(end);
      return message(reader, stop, field.message(), depth + 1);
    }
    case 'string': {
      const text = reader.text(end);
      return text === '' && !always ? '' : JSON.stringify(text);
    }
    case 'hex': {
      const stop = reader.message(end);
      const from = reader.at;
      reader.at = stop;
      let zero = true;
      for (let i = from; i < stop && zero; i++) zero = reader.buffer[i] === 0;
      return zero ? '' : `"${hexText(reader.buffer, from, stop)}"`;
    }
    case 'bytes':
      return `"${reader.bytes(end).toString('base64')}"`;
    case 'bool': {
      const truth = reader.bool(end);
      return truth || always ? String(truth) : '';
    }
    case 'double': {
      const number = reader.double(end);
      return number === 0 && !Object.is(number, -0) && !always ? '' : double(number);
    }
    default: {
      const text = number64(reader, end, field.kind);
      return (text === '0' || text === '"0"') && !always ? '' : text;
    }
  }
}
function number64(reader: ProtoReader, end: number, kind: FieldKind): string {
  switch (kind) {
    case 'double':
      return double(reader.double(end));
    case 'fixed64':
      return `"${reader.fixed64(end)}"`;
    case 'sfixed64':
      return `"${reader.sfixed64(end)}"`;
    case 'uint64':
      return `"${reader.varint64(end)}"`;
    case 'int64':
      return `"${BigInt.asIntN(64, reader.varint64(end))}"`;
    case 'sint32':
      return String(reader.sint32(end));
    case 'uint32':
      return String(reader.uint32(end));
    case 'fixed32':
      return String(reader.fixed32(end));
    default:
      return String(reader.int32(end));
  }
}
function double(number: number): string {
  if (Number.isNaN(number)) return '"NaN"';
  if (number === Infinity) return '"Infinity"';
  if (number === -Infinity) return '"-Infinity"';
  if (Object.is(number, -0)) return '-0';
  const text = String(number);
  // The Collector writes two digits of an exponent at least, as Go does.
  return text.at(-3) === 'e' ? `${text.slice(0, -1)}0${text.at(-1)}` : text;
}
