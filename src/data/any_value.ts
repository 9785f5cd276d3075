/** AnyValue, KeyValue and lists of them: from bytes to decoded values and back. For the general path; the hot one compares bytes (cursor.ts). */
import { PermanentError } from '#src/core/errors.ts';
import { ProtoReader } from '#src/wire/proto_reader.ts';
import { ProtoWriter } from '#src/wire/proto_writer.ts';
import { MAX_VALUE_DEPTH, type Value, ValueMap } from './value.ts';

/** The AnyValue in [start, end). The last alternative in the bytes counts. Copies what it returns. */
export function decodeAnyValue(bytes: Uint8Array, start = 0, end = bytes.length): Value {
  return readAny(new ProtoReader(bytes, start, end), end, 0);
}
/** A list of KeyValue as they stand in a message, each behind its tag (KeyValueList has them in field 1). Other fields are passed over. */
export function decodeKeyValues(bytes: Uint8Array, start: number, end: number, field = 1): ValueMap {
  return readMap(new ProtoReader(bytes, start, end), end, field, 0);
}

function readAny(reader: ProtoReader, end: number, depth: number): Value {
  if (depth > MAX_VALUE_DEPTH) throw new PermanentError(`a value is nested more than ${MAX_VALUE_DEPTH} levels deep`);
  let value: Value = null;
  while (reader.at < end) {
    const tag = reader.tag(end);
    switch (tag) {
      case 0x0a:
        value = reader.text(end);
        break;
      case 0x10:
        value = reader.varint64(end) !== 0n;
        break;
      case 0x18:
        value = BigInt.asIntN(64, reader.varint64(end));
        break;
      case 0x21:
        value = reader.double(end);
        break;
      case 0x2a: {
        const stop = reader.message(end);
        const list: Value[] = [];
        while (reader.at < stop) {
          if (reader.tag(stop) !== 0x0a) reader.skipLast(stop);
          else list.push(readAny(reader, reader.message(stop), depth + 1));
        }
        value = list;
        break;
      }
      case 0x32:
        value = readMap(reader, reader.message(end), 1, depth + 1);
        break;
      case 0x3a:
        value = reader.bytes(end);
        break;
      default:
        reader.skipLast(end);
    }
  }
  return value;
}
function readMap(reader: ProtoReader, end: number, field: number, depth: number): ValueMap {
  const map = new ValueMap();
  const wanted = (field << 3) | 2;
  while (reader.at < end) {
    if (reader.tag(end) !== wanted) {
      reader.skipLast(end);
      continue;
    }
    const stop = reader.message(end);
    let key = '';
    let value: Value = null;
    while (reader.at < stop) {
      const tag = reader.tag(stop);
      if (tag === 0x0a) key = reader.text(stop);
      else if (tag === 0x12) value = readAny(reader, reader.message(stop), depth + 1);
      else reader.skipLast(stop);
    }
    map.append(key, value);
  }
  return map;
}

/** Writes the fields of an AnyValue: nothing for null. */
export function writeAnyValue(writer: ProtoWriter, value: Value): void {
  if (value === null) return;
  if (typeof value === 'string') writer.text(1, value);
  else if (typeof value === 'boolean') writer.bool(2, value);
  else if (typeof value === 'bigint') writer.int(3, value);
  else if (typeof value === 'number') writer.double(4, value);
  else if (value instanceof Uint8Array) writer.bytes(7, value);
  else if (value instanceof ValueMap) {
    const mark = writer.open(6);
    writeKeyValues(writer, 1, value);
    writer.close(mark);
  } else {
    const mark = writer.open(5);
    for (let i = 0; i < value.length; i++) {
      const item = writer.open(1);
      writeAnyValue(writer, value[i]!);
      writer.close(item);
    }
    writer.close(mark);
  }
}
/** Writes one KeyValue as field `field`. */
export function writeKeyValue(writer: ProtoWriter, field: number, key: string, value: Value): void {
  const mark = writer.open(field);
  writer.text(1, key);
  const inner = writer.open(2);
  writeAnyValue(writer, value);
  writer.close(inner);
  writer.close(mark);
}
/** Writes all entries as repeated KeyValue in field `field`. */
export function writeKeyValues(writer: ProtoWriter, field: number, map: ValueMap): void {
  for (let i = 0; i < map.keys.length; i++) writeKeyValue(writer, field, map.keys[i]!, map.values[i]!);
}
/** The bytes of an AnyValue. */
export function encodeAnyValue(value: Value): Buffer {
  const writer = new ProtoWriter(64);
  writeAnyValue(writer, value);
  return writer.finish();
}

const composed = new ProtoWriter(256);
/** The bytes of an AnyValue in a writer of this module: valid until the next call. */
export function composeAnyValue(value: Value): ProtoWriter {
  composed.reset();
  writeAnyValue(composed, value);
  return composed;
}

/** The number at `at` that a varint spells, as int64; exact up to 2^53, rounded above. */
export function varintNumber(bytes: Uint8Array, at: number): number {
  let lo = 0;
  let hi = 0;
  let p = at;
  for (let shift = 0; shift < 70; shift += 7) {
    const c = bytes[p++]!;
    if (shift < 28) lo += (c & 127) << shift;
    else hi += (c & 127) * 2 ** (shift - 28);
    if (c < 128) break;
  }
  return hi < 2 ** 25 ? lo + hi * 2 ** 28 : Number(varintBigInt(bytes, at));
}
/** The same, exact. */
export function varintBigInt(bytes: Uint8Array, at: number): bigint {
  let value = 0n;
  for (let p = at, shift = 0n; shift < 70n; p++, shift += 7n) {
    const c = bytes[p]!;
    value |= BigInt(c & 127) << shift;
    if (c < 128) break;
  }
  return BigInt.asIntN(64, value);
}
