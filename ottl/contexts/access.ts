/**
 * The kinds of paths that contexts are made of, over any cursor and field: numbers, texts, times, ids, attributes with keys, values with keys.
 * What a setter refuses, and what it leaves behind when it fails half-way, is the Collector's.
 */
import type { RecordContext } from '#ottl/function.ts';
import { copyValue, fail, Id, MAP, Opaque, pdataTypeName, SLICE, type Stored, StringList, Time, typeName, type Value, ValueMap } from '#ottl/values.ts';
import { Cursor } from '#src/data/cursor.ts';
import { keyId } from '#src/data/keys.ts';
import type { MessageType } from '#src/data/message_types.ts';
import type { CompiledKey, Frame, PathAccess, PathEntry } from './context.ts';

export const expected = (wanted: string, value: Value): never => fail(`expects ${wanted} but got ${typeName(value)}`);
export const wantInt = (value: Value): bigint => (typeof value === 'bigint' ? value : expected('int64', value));
export const wantText = (value: Value): string => (typeof value === 'string' ? value : expected('string', value));
export const wantFloat = (value: Value): number => (typeof value === 'number' ? value : expected('float64', value));
export const wantBool = (value: Value): boolean => (typeof value === 'boolean' ? value : expected('bool', value));
export const wantTime = (value: Value): Time => (value instanceof Time ? value : expected('time.Time', value));

/** A path that is a pair of functions. */
export function path(get: (record: RecordContext) => Value, set: (value: Value, record: RecordContext) => void): PathEntry {
  return { plain: { get, set: (record, value) => set(value, record) } };
}

/** uint32, int32 and enums in a varint. `bits` 32 cuts off what does not fit, as Go's conversion does. */
export function intField(cursor: Cursor, field: number): PathEntry {
  return {
    plain: {
      get: () => BigInt.asIntN(64, cursor.int64(field)),
      set: (_record, value) => cursor.setInt(field, Number(BigInt.asUintN(32, wantInt(value)))),
      known: { kind: 'int', cursor, field },
    },
  };
}
/** An enum: a Go int32, so that negative ones stay negative. */
export function enumField(cursor: Cursor, field: number): PathEntry {
  return {
    plain: {
      get: () => BigInt.asIntN(32, cursor.int64(field)),
      set: (_record, value) => cursor.setInt(field, BigInt.asIntN(32, wantInt(value))),
      known: { kind: 'int', cursor, field },
    },
  };
}
export function textField(cursor: Cursor, field: number): PathEntry {
  return { plain: { get: () => cursor.text(field), set: (_record, value) => cursor.setText(field, wantText(value)), known: { kind: 'text', cursor, field } } };
}
export function flags32(cursor: Cursor, field: number): PathEntry {
  return path(
    () => BigInt(cursor.fixed32(field)),
    (value) => cursor.setFixed32(field, Number(BigInt.asUintN(32, wantInt(value)))),
  );
}

/** `name_unix_nano` and `name`: the same nanoseconds as an int and as a time. */
export function timeFields(cursor: Cursor, field: number, name: string): Record<string, PathEntry> {
  const nano = (): bigint => BigInt.asIntN(64, cursor.fixed64(field));
  return {
    [`${name}_unix_nano`]: path(nano, (value) => cursor.setFixed64(field, BigInt.asUintN(64, wantInt(value)))),
    [name]: path(
      () => new Time(nano()),
      (value) => cursor.setFixed64(field, BigInt.asUintN(64, wantTime(value).unixNano)),
    ),
  };
}

const EMPTY = new Uint8Array(0);
/** An id, and `.string` as hex. */
export function idField(cursor: Cursor, field: number, kind: 'trace' | 'span'): PathEntry {
  const size = kind === 'trace' ? 16 : 8;
  const read = (): Uint8Array => {
    const bytes = cursor.bytes(field);
    return bytes.length === size ? bytes : new Uint8Array(size);
  };
  const write = (bytes: Uint8Array): void => cursor.setBytes(field, bytes.every((byte) => byte === 0) ? EMPTY : bytes);
  return {
    plain: {
      get: () => new Id(kind, read()),
      set: (_record, value) =>
        write(value instanceof Id && value.kind === kind ? value.bytes : expected(kind === 'trace' ? 'pcommon.TraceID' : 'pcommon.SpanID', value)),
    },
    next: {
      string: path(
        () => Buffer.from(read()).toString('hex'),
        (value) => {
          const text = wantText(value);
          if (text.length !== size * 2) fail(`${kind} ids must be ${size * 2} hex characters`);
          if (!/^[0-9a-fA-F]*$/.test(text)) fail(`encoding/hex: invalid byte in ${JSON.stringify(text)}`);
          write(Buffer.from(text, 'hex'));
        },
      ),
    },
  };
}

// ---- values with keys

export function mapKey(key: CompiledKey, record: RecordContext): string {
  if (key.kind === 'string') return key.value;
  if (key.kind === 'int') return fail('unable to resolve a string index in map: invalid key type');
  const found = key.getter.get(record);
  return typeof found === 'string'
    ? found
    : fail(`unable to resolve a string index in map: could not resolve key for map/slice, expecting 'string' but got '${typeName(found)}'`);
}
function listIndex(key: CompiledKey, length: number, record: RecordContext): number {
  let index: bigint;
  if (key.kind === 'int') index = key.value;
  else if (key.kind === 'string') index = fail('unable to resolve an integer index in slice: invalid key type');
  else {
    const found = key.getter.get(record);
    index =
      typeof found === 'bigint'
        ? found
        : fail(`unable to resolve an integer index in slice: could not resolve key for map/slice, expecting 'int64' but got '${typeName(found)}'`);
  }
  return index < 0n || index >= BigInt(length) ? fail(`index ${index} out of bounds`) : Number(index);
}

/** What lies under keys in a value: nil where a map has no such key. */
export function getIndexed(value: Value, keys: readonly CompiledKey[], from: number, record: RecordContext): Value {
  let current = value;
  for (let i = from; i < keys.length; i++) {
    if (current instanceof ValueMap) {
      const found = current.get(mapKey(keys[i]!, record));
      if (found === undefined) return null;
      current = found;
    } else if (Array.isArray(current)) current = current[listIndex(keys[i]!, current.length, record)]!;
    else return fail(`type ${pdataTypeName(current)} does not support string indexing`);
  }
  return current;
}

/**
 * Writes what is stored for a value: ctxutil.SetValue. An item of a list that cannot be stored is left empty, and only that of the last one is an error,
 * when the list has been written. `current` is for the error only.
 */
export function store(value: Value, current: Value, write: (stored: Stored) => void): void {
  if (value === null || typeof value !== 'object' || value instanceof Uint8Array) write(value);
  else if (value instanceof StringList) write([...value]);
  else if (value instanceof ValueMap) write(copyValue(value) as ValueMap);
  else if (value instanceof Opaque && (value.type === SLICE || value.type === MAP)) write(copyValue(value.content as Value) as Stored);
  else if (Array.isArray(value)) {
    const list: Stored[] = [];
    let failed: unknown = null;
    for (const item of value as Value[]) {
      const at = list.push(null) - 1;
      failed = null;
      try {
        store(item, null, (stored) => {
          list[at] = stored;
        });
      } catch (error) {
        failed = error;
      }
    }
    write(list);
    if (failed !== null) throw failed;
  } else fail(`unsupported type ${typeName(value)} for set operation; current value type is ${pdataTypeName(current)}`);
}

/** Most elements that setting an index beyond the end of nothing may make. */
const MAX_NEW_ITEMS = 1 << 16;

/** A place in a value that can be read and written: the holder, then entries of maps and items of lists. Maps and lists on the way are changed in place. */
export class Holder {
  value: Stored;
  constructor(value: Stored) {
    this.value = value;
  }
  /** Sets what lies under keys; maps and lists that are missing are made. Throws half-way where the Collector does: what was made stays. */
  setIndexed(keys: readonly CompiledKey[], from: number, value: Value, record: RecordContext): void {
    let read = (): Stored => this.value;
    let write = (stored: Stored): void => {
      this.value = stored;
    };
    for (let i = from; i < keys.length; i++) {
      let current = read();
      const key = keys[i]!;
      if (current === null) {
        const at = key.kind === 'expression' ? key.getter.get(record) : key.value;
        if (typeof at === 'string') current = new ValueMap();
        else if (typeof at === 'bigint')
          current = new Array<Stored>(at < 0n ? 1 : at >= MAX_NEW_ITEMS ? fail(`index ${at} is too large`) : Number(at) + 1).fill(null);
        else fail('neither a string nor an int index was given, this is an error in the OTTL');
        write(current);
      }
      if (current instanceof ValueMap) {
        const map = current;
        const name = mapKey(key, record);
        if (!map.has(name)) map.append(name, null);
        read = () => map.get(name)!;
        write = (stored) => map.set(name, stored);
      } else if (Array.isArray(current)) {
        const list = current;
        const index = listIndex(key, list.length, record);
        read = () => list[index]!;
        write = (stored) => {
          list[index] = stored;
        };
      } else fail(`type ${pdataTypeName(current as Value)} does not support string indexing`);
    }
    if (value !== null) store(value, read(), write);
  }
}

export function wantMap(value: Value): ValueMap {
  return value instanceof ValueMap ? value : fail(`unsupported type provided for setting a pcommon.Map: ${typeName(value)}`);
}

/** attributes, with and without keys. */
export function attributesOf(cursor: Cursor): PathEntry {
  const given = new WeakSet<ValueMap>(); // Maps that are all attributes of this cursor.
  return {
    plain: {
      get: () => {
        const all = cursor.attributes();
        given.add(all);
        return all;
      },
      set: (_record, value) => {
        if (value !== null) cursor.setAttributes(wantMap(value));
      },
      known: { kind: 'attributes', cursor },
    },
    keyed: (keys) => {
      const access = attributeAccess(cursor, keys);
      const [first] = keys;
      if (keys.length > 1 || first?.kind !== 'string') return access;
      return {
        ...access,
        set: (record, value) => {
          // The key is made before the value is copied: attributes that go into one of themselves have it already, as an empty map.
          if (value instanceof ValueMap && given.has(value)) value.set(first.value, new ValueMap());
          access.set(record, value);
        },
      };
    },
  };
}
function attributeAccess(cursor: Cursor, keys: readonly CompiledKey[]): PathAccess {
  const first = keys[0]!;
  if (first.kind === 'string' && keys.length === 1) {
    const { value: key } = first;
    const id = keyId(key);
    return {
      get: () => {
        const row = cursor.row(id);
        return row < 0 ? null : cursor.value(row);
      },
      set: (_record, value) => setAttribute(cursor, key, value),
      known: { kind: 'attribute', cursor, key },
    };
  }
  return {
    get: (record) => {
      const found = cursor.attribute(mapKey(first, record));
      return found === undefined ? null : getIndexed(found, keys, 1, record);
    },
    set: (record, value) => {
      const key = mapKey(first, record);
      const holder = new Holder(cursor.attribute(key) ?? null);
      try {
        holder.setIndexed(keys, 1, value, record);
      } finally {
        cursor.setAttribute(key, holder.value);
      }
    },
  };
}
function setAttribute(cursor: Cursor, key: string, value: Value): void {
  const current = cursor.attribute(key);
  if (value === null) {
    if (current === undefined) cursor.setAttribute(key, null);
    return;
  }
  let written = false;
  try {
    store(value, current ?? null, (stored) => {
      written = true;
      cursor.setAttribute(key, stored);
    });
  } finally {
    if (!written && current === undefined) cursor.setAttribute(key, null); // The key is made before the value is looked at.
  }
}

/** cache, with and without keys: an object of the frame. */
export const cacheEntry: PathEntry = {
  plain: {
    get: (record) => (record as Frame).cache,
    set: (record, value) => {
      if (value === null) return;
      const from = copyValue(wantMap(value)) as ValueMap;
      const { cache } = record as Frame;
      cache.keys.splice(0, cache.size, ...from.keys);
      cache.values.splice(0, cache.values.length, ...from.values);
    },
  },
  keyed: (keys) => ({
    get: (record) => getIndexed((record as Frame).cache, keys, 0, record),
    set: (record, value) => new Holder((record as Frame).cache).setIndexed(keys, 0, value, record),
  }),
};

/** Repeated messages of a field as one opaque value (links, events, exemplars…): readable, and writable with the same kind of value. */
export function messagesField(cursor: Cursor, field: number, type: string, item: MessageType): PathAccess {
  return {
    get: () => readMessages(cursor, field, type, item),
    set: (_record, value) => {
      const items = value instanceof Opaque && value.type === type ? (value.content as readonly Uint8Array[]) : expected(type, value);
      cursor.setMessages(field, Buffer.concat(items.flatMap((bytes) => [messageHead(field, bytes.length), bytes])), items.length);
    },
  };
}
export function readMessages(cursor: Cursor, field: number, type: string, item: MessageType): Opaque {
  const items: Uint8Array[] = [];
  const one = new Cursor(item, cursor.space);
  for (let there = cursor.firstChild(field, one); there; there = cursor.nextChild(field, one))
    items.push(Buffer.from(cursor.space.bytes.subarray(one.start, one.end)));
  return new Opaque(type, items);
}
export function messageHead(field: number, size: number): Buffer {
  const head = [(field << 3) | 2];
  let rest = size;
  for (; rest > 127; rest >>>= 7) head.push((rest & 127) | 128);
  head.push(rest);
  return Buffer.from(head);
}

/** A message in a field of its own as an opaque value (status, buckets). */
export function messageField(cursor: Cursor, field: number, type: string): PathAccess {
  return {
    get: () => new Opaque(type, cursor.bytes(field)),
    set: (_record, value) => cursor.setBytes(field, value instanceof Opaque && value.type === type ? (value.content as Uint8Array) : expected(type, value)),
  };
}
