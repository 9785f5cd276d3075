/**
 * Random OTLP messages for property tests: plain objects in the shape that protobufjs decodes to, and an encoder that writes their fields in
 * ascending, descending or random order, with fields nobody knows between them, as other programs may.
 */
import protobuf from 'protobufjs';
import type { Signal } from '#src/core/batch.ts';
import { otlp } from './otlp_descriptor.ts';

export type Plain = Record<string, unknown>;
export const REQUEST_TYPES: Readonly<Record<Signal, string>> = { traces: 'TracesData', metrics: 'MetricsData', logs: 'LogsData' };

/** A small generator with a seed (mulberry32). */
export class Random {
  #state: number;
  constructor(seed: number) {
    this.#state = seed | 0;
  }
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }
  below(n: number): number {
    return Math.floor(this.next() * n);
  }
  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }
}

export const KEYS = ['a', 'http.route', 'url.path', 'service.name', 'k', 'grün', '', 'x'.repeat(130), '__proto__'];
const TEXTS = ['', 'v', 'GET /api/v1/items', 'ä€😀', 'y'.repeat(127), 'z'.repeat(300)];

export function randomValue(random: Random, depth = 0): Plain {
  switch (random.below(depth > 2 ? 6 : 9)) {
    case 0:
    case 1:
      return { stringValue: random.pick(TEXTS) };
    case 2:
      return { boolValue: random.below(2) === 1 };
    case 3:
      return { intValue: random.pick(['0', '7', '200', '-1', '9007199254740993', '-9223372036854775808', '300000']) };
    case 4:
      return { doubleValue: random.pick([0, 1.5, -2e300, 1e-7]) };
    case 5:
      return { bytesValue: Buffer.from(random.pick(['', 'b', 'bytes'])) };
    case 6:
      return { arrayValue: { values: Array.from({ length: random.below(3) }, () => randomValue(random, depth + 1)) } };
    case 7:
      return { kvlistValue: { values: Array.from({ length: random.below(3) }, () => ({ key: random.pick(KEYS), value: randomValue(random, depth + 1) })) } };
    default:
      return {};
  }
}

/** A random object of a message type: every field may be there or not. */
export function randomMessage(random: Random, type: protobuf.Type, depth = 0): Plain {
  if (type.name === 'AnyValue') return randomValue(random);
  const object: Plain = {};
  const chosen = new Map(type.oneofsArray.filter((oneof) => oneof.fieldsArray.length > 1).map((oneof) => [oneof.name, random.pick(oneof.fieldsArray).name]));
  for (const field of type.fieldsArray) {
    if (field.name.endsWith('Strindex') || field.name === 'keyStrindex') continue;
    const oneof = field.partOf;
    if (oneof !== null && oneof !== undefined && oneof.fieldsArray.length > 1 && chosen.get(oneof.name) !== field.name) continue;
    if (random.below(4) === 0 && !(depth < 3 && field.repeated)) continue;
    const one = (): unknown => randomField(random, field, depth);
    if (!field.repeated) object[field.name] = one();
    else {
      const many = Array.from({ length: random.below(depth < 3 ? 4 : 5) }, one);
      if (field.name === 'attributes' && random.below(8) !== 0) {
        const seen = new Set<unknown>();
        object[field.name] = many.filter((entry) => !seen.has((entry as Plain)['key']) && seen.add((entry as Plain)['key']));
      } else object[field.name] = many;
    }
  }
  return object;
}
function randomField(random: Random, field: protobuf.Field, depth: number): unknown {
  const type = field.resolve().resolvedType;
  if (field.parent?.name === 'KeyValue' && field.name === 'key') return random.pick(KEYS);
  if (type instanceof protobuf.Type) return randomMessage(random, type, depth + 1);
  if (type instanceof protobuf.Enum) return random.below(3);
  switch (field.type) {
    case 'string':
      return random.pick(TEXTS);
    case 'bytes':
      return Buffer.alloc(field.name.toLowerCase().endsWith('traceid') ? 16 : 8, random.below(255) + 1);
    case 'bool':
      return random.below(2) === 1;
    case 'double':
      return random.pick([0, 0.5, -3, 1e30]);
    case 'sint32':
      return random.below(100) - 50;
    case 'sfixed64':
      return random.pick(['-5', '0', '9007199254740993']);
    case 'fixed64':
    case 'uint64':
      return random.pick(['0', '1700000000123456789', '18446744073709551615', '3']);
    default:
      return random.below(5000);
  }
}

export type Order = 'ascending' | 'descending' | 'random';
/** The message with its fields in that order (the items of a repeated field keep theirs) and, now and then, unknown fields. */
export function encodeInOrder(type: protobuf.Type, object: Plain, order: Order, random: Random, unknown: boolean): Buffer {
  const fields: { readonly id: number; readonly bytes: Buffer }[] = [];
  for (const field of type.fieldsArray) {
    const value = object[field.name];
    if (value === undefined || value === null) continue;
    const nested = field.resolve().resolvedType;
    for (const item of field.repeated && nested instanceof protobuf.Type ? (value as Plain[]) : [value]) {
      if (nested instanceof protobuf.Type) {
        const body = encodeInOrder(nested, item as Plain, order, random, unknown);
        fields.push({
          id: field.id,
          bytes: Buffer.concat([
            Buffer.from(
              protobuf.Writer.create()
                .uint32((field.id << 3) | 2)
                .uint32(body.length)
                .finish(),
            ),
            body,
          ]),
        });
      } else fields.push({ id: field.id, bytes: Buffer.from(type.encode(type.fromObject({ [field.name]: item })).finish()) });
    }
  }
  if (order === 'descending') fields.sort((a, b) => b.id - a.id);
  else if (order === 'ascending') fields.sort((a, b) => a.id - b.id);
  else {
    // A shuffle that keeps the order within one field number.
    const keys = new Map<number, number>();
    const at = fields.map((field) => {
      const key = (keys.get(field.id) ?? 0) + random.next() * 0.5;
      keys.set(field.id, key);
      return { field, key };
    });
    at.sort((a, b) => a.key - b.key);
    fields.splice(0, fields.length, ...at.map((entry) => entry.field));
  }
  const unknowns = [
    [0x98, 0x06, 0x96, 0x01],
    [0xa2, 0x06, 0x02, 0x41, 0x42],
    [0xf8, 0x01, 0x05],
    [0xad, 0x06, 1, 2, 3, 4],
  ];
  const pieces = fields.map((field) => field.bytes);
  if (unknown && random.below(3) === 0) pieces.splice(random.below(pieces.length + 1), 0, Buffer.from(random.pick(unknowns)));
  return Buffer.concat(pieces);
}

/** What protobufjs makes of the bytes: 64-bit integers as strings, bytes in base64, defaults left out; unknown fields are not seen. */
export function decodePlain(typeName: string, bytes: Uint8Array): Plain {
  const type = otlp.lookupType(typeName);
  return type.toObject(type.decode(bytes), { longs: String, bytes: String, enums: Number, arrays: false, objects: false }) as Plain;
}
export function randomRequest(signal: Signal, seed: number): { readonly object: Plain; readonly bytes: Buffer } {
  const random = new Random(seed);
  const type = otlp.lookupType(REQUEST_TYPES[signal]);
  const object = randomMessage(random, type);
  const bytes = encodeInOrder(type, object, random.pick(['ascending', 'descending', 'random'] as const), random, random.below(2) === 0);
  return { object, bytes };
}
