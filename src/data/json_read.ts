/**
 * OTLP JSON to OTLP bytes. Accepted as the Collector does: lowerCamelCase and snake_case names, 64-bit integers as strings or numbers, enums as
 * numbers or names, "NaN" and "Infinity" as doubles, unknown names passed over, null as absent. Not a hot path: whoever cares for CPU sends protobuf.
 */
import type { Signal } from '#src/core/batch.ts';
import { PermanentError } from '#src/core/errors.ts';
import { asBuffer, parseHex } from '#src/wire/bytes.ts';
import { ProtoWriter } from '#src/wire/proto_writer.ts';
import { type FieldKind, type JsonField, type JsonMessage, REQUESTS } from './json_schema.ts';
import { MAX_VALUE_DEPTH } from './value.ts';

/** An AnyValue may be nested so deep; each level is two messages or three, below a fixed number of enclosing ones. */
const MAX_DEPTH = MAX_VALUE_DEPTH * 3 + 16;

/** The bytes of an Export*ServiceRequest in JSON; PermanentError with the place where it is not one. Items: `checkAndCount` of what comes out. */
export function parseOtlpJson(signal: Signal, json: string | Uint8Array): Buffer {
  return parseJsonMessage(REQUESTS[signal], json);
}
/** The same for any of the messages of the schema. */
export function parseJsonMessage(type: JsonMessage, json: string | Uint8Array): Buffer {
  const text = typeof json === 'string' ? json : asBuffer(json).utf8Slice();
  let value: unknown;
  try {
    // Integers above 2^53 that are no strings would be rounded: keep the text of such.
    value = /[:[,]\s*-?\d{16}/.test(text) ? JSON.parse(text, exactIntegers) : JSON.parse(text);
  } catch (error) {
    throw new PermanentError(`OTLP JSON: ${(error as Error).message}`);
  }
  const writer = new ProtoWriter(text.length);
  const path: (string | number)[] = [];
  if (value !== null) writeMessage(writer, type, value, path, 0);
  return writer.finish();
}

function exactIntegers(_key: string, value: unknown, context?: { source?: string }): unknown {
  return typeof value === 'number' && !Number.isSafeInteger(value) && context?.source !== undefined && /^-?\d+$/.test(context.source)
    ? BigInt(context.source)
    : value;
}

type Path = (string | number)[];
function fail(path: Path, wanted: string, value: unknown): never {
  const where = path.reduce<string>((text, step) => (typeof step === 'number' ? `${text}[${step}]` : text === '' ? step : `${text}.${step}`), '');
  // Objects are only named: they may be huge or deep.
  const shown = Array.isArray(value) ? 'an array' : typeof value === 'object' ? 'an object' : typeof value === 'string' ? JSON.stringify(value) : String(value);
  throw new PermanentError(
    `OTLP JSON: ${where === '' ? 'the request' : where}: ${wanted} was wanted, not ${shown.length > 60 ? `${shown.slice(0, 60)}…` : shown}`,
  );
}

function writeMessage(writer: ProtoWriter, type: JsonMessage, value: unknown, path: Path, depth: number): void {
  if (depth > MAX_DEPTH) throw new PermanentError('OTLP JSON: nested too deep');
  if (typeof value !== 'object' || value === null || Array.isArray(value)) fail(path, 'an object', value);
  for (const name of Object.keys(value)) {
    const field = type.byName.get(name);
    const one = (value as Record<string, unknown>)[name];
    if (field === undefined || one === null || one === undefined) continue;
    path.push(name);
    if (!field.repeated) writeField(writer, field, one, path, depth);
    else {
      if (!Array.isArray(one)) fail(path, 'an array', one);
      if (field.kind === 'message' || field.kind === 'string') {
        for (let i = 0; i < one.length; i++) {
          path.push(i);
          // null in a list of messages is an empty message: leaving it out would move the ones behind it.
          writeField(writer, field, one[i] ?? (field.kind === 'string' ? '' : {}), path, depth);
          path.pop();
        }
      } else if (one.length > 0) {
        const mark = writer.open(field.number);
        for (let i = 0; i < one.length; i++) {
          path.push(i);
          writePacked(writer, field.kind, one[i], path);
          path.pop();
        }
        writer.close(mark);
      }
    }
    path.pop();
  }
}
function writeField(writer: ProtoWriter, field: JsonField, value: unknown, path: Path, depth: number): void {
  const { number } = field;
  switch (field.kind) {
    case 'message': {
      const mark = writer.open(number);
      writeMessage(writer, field.message(), value, path, depth + 1);
      writer.close(mark);
      return;
    }
    case 'string':
      if (typeof value !== 'string') fail(path, 'a string', value);
      writer.text(number, value);
      return;
    case 'hex': {
      const bytes = typeof value === 'string' ? parseHex(value) : null;
      if (bytes === null || (bytes.length !== 0 && bytes.length !== field.idSize)) fail(path, `an id of ${field.idSize * 2} hex digits`, value);
      if (bytes.length > 0) writer.bytes(number, bytes);
      return;
    }
    case 'bytes':
      writer.bytes(number, base64(value, path));
      return;
    case 'bool':
      if (typeof value !== 'boolean') fail(path, 'true or false', value);
      writer.bool(number, value);
      return;
    case 'double':
      writer.double(number, double(value, path));
      return;
    case 'enum': {
      const known = typeof value === 'string' ? field.names.indexOf(value) : -1;
      if (typeof value === 'string' && known < 0) fail(path, 'a number or name of the enum', value);
      writer.int(number, known >= 0 ? known : integer(value, path, -(2n ** 31n), 2n ** 31n - 1n));
      return;
    }
    case 'int32':
    case 'uint32':
      writer.int(number, field.kind === 'int32' ? integer(value, path, -(2n ** 31n), 2n ** 31n - 1n) : integer(value, path, 0n, 2n ** 32n - 1n));
      return;
    case 'sint32':
      writer.sint32(number, Number(integer(value, path, -(2n ** 31n), 2n ** 31n - 1n)));
      return;
    case 'fixed32':
      writer.fixed32(number, Number(integer(value, path, 0n, 2n ** 32n - 1n)));
      return;
    case 'int64':
      writer.int(number, integer(value, path, -(2n ** 63n), 2n ** 63n - 1n));
      return;
    case 'uint64':
      writer.int(number, integer(value, path, 0n, 2n ** 64n - 1n));
      return;
    case 'fixed64':
      writer.fixed64Value(number, integer(value, path, 0n, 2n ** 64n - 1n));
      return;
    case 'sfixed64':
      writer.fixed64Value(number, integer(value, path, -(2n ** 63n), 2n ** 63n - 1n));
      return;
  }
}
function writePacked(writer: ProtoWriter, kind: FieldKind, value: unknown, path: Path): void {
  if (kind === 'double') writer.rawDouble(double(value, path));
  else {
    const whole = integer(value, path, 0n, 2n ** 64n - 1n);
    if (kind === 'fixed64') writer.rawFixed64(whole);
    else writer.varint64(whole);
  }
}
function integer(value: unknown, path: Path, least: bigint, most: bigint): bigint {
  let whole: bigint;
  if (typeof value === 'bigint') whole = value;
  else if (typeof value === 'number' && Number.isInteger(value)) whole = BigInt(value);
  else if (typeof value === 'string' && /^[-+]?\d{1,20}$/.test(value)) whole = value[0] === '+' ? BigInt(value.slice(1)) : BigInt(value);
  else fail(path, 'an integer', value);
  if (whole < least || whole > most) fail(path, `an integer from ${least} to ${most}`, value);
  return whole;
}
function double(value: unknown, path: Path): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  if (typeof value === 'string') {
    if (value === 'NaN') return Number.NaN;
    if (/^[-+]?(Infinity|inf)$/i.test(value)) return value[0] === '-' ? -Infinity : Infinity;
    if (/^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(value)) return Number(value);
  }
  return fail(path, 'a number', value);
}
function base64(value: unknown, path: Path): Buffer {
  if (typeof value !== 'string' || !/^[A-Za-z0-9+/_-]*={0,2}$/.test(value)) fail(path, 'bytes in base64', value);
  return Buffer.from(value, 'base64'); // Takes the URL-safe alphabet too.
}
