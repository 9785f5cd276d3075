/**
 * OTTL a second time, as plainly as can be, for tests: values are those of protobufjs' objects, and every part of a random program is made together
 * with its text, a function on the decoded objects that does what the language says (contrib's LANGUAGE and ottlfuncs), and whatever it may refuse.
 * Nothing of the compiler, its values or the cursors is used here.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Plain, Random } from '#src/data/testing/random_otlp.ts';

/** null, string, boolean, bigint (int), number (float), Buffer (bytes), Value[], ReferenceMap. */
export type Value = null | string | boolean | bigint | number | Buffer | Value[] | ReferenceMap;
export class ReferenceMap {
  readonly entries: [string, Value][];
  constructor(entries: [string, Value][] = []) {
    this.entries = entries;
  }
  find(key: string): [string, Value] | undefined {
    return this.entries.find(([name]) => name === key);
  }
}

/** What the statement cannot do on this record: it ends here, what was done before stays. */
export class Refused extends Error {}
const refuse = (): never => {
  throw new Refused();
};

/** A record, and what encloses it. */
export interface Env {
  readonly record: Plain;
  readonly resource: Plain;
  readonly scope: Plain;
  /** The metric of a data point, the span of a span event; else the record. */
  readonly holder: Plain;
}
export interface Part<T> {
  readonly text: string;
  /** It is made of literals alone, so that it is worked out at start and stands before parts that fail. */
  readonly constant?: boolean;
  readonly run: (env: Env) => T;
}

// ---- values of protobufjs objects

type Entry = { key?: string; value?: Plain };
export function toValue(any: Plain | undefined): Value {
  if (any === undefined) return null;
  for (const [name, value] of Object.entries(any)) {
    if (name === 'stringValue' || name === 'boolValue' || name === 'doubleValue') return value as Value;
    if (name === 'intValue') return BigInt(value as string);
    if (name === 'bytesValue') return Buffer.from(value as string, 'base64');
    if (name === 'arrayValue') return (((value as Plain)['values'] ?? []) as Plain[]).map(toValue);
    if (name === 'kvlistValue') return toMap(((value as Plain)['values'] ?? []) as Entry[]);
  }
  return null;
}
const toMap = (list: readonly Entry[]): ReferenceMap => new ReferenceMap(list.map(({ key = '', value }) => [key, toValue(value)]));
export function toPlain(value: Value): Plain {
  if (value === null) return {};
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  if (typeof value === 'bigint') return { intValue: String(value) };
  if (typeof value === 'number') return { doubleValue: value };
  if (Buffer.isBuffer(value)) return { bytesValue: value.toString('base64') };
  if (Array.isArray(value)) return { arrayValue: { values: value.map(toPlain) } };
  return { kvlistValue: { values: toEntries(value) } };
}
const toEntries = (map: ReferenceMap): Entry[] => map.entries.map(([key, value]) => ({ key, value: toPlain(value) }));
const copy = (value: Value): Value => toValue(structuredClone(toPlain(value)));

const isNumber = (value: Value): value is bigint | number => typeof value === 'bigint' || typeof value === 'number';
/** The comparison rules: nil equals nil only, numbers compare across their types, other types are unequal and never less or greater. */
function compare(a: Value, b: Value, op: string): boolean {
  let order: number;
  if (a === null && b === null) order = 0;
  else if (typeof a === 'bigint' && typeof b === 'bigint') order = a < b ? -1 : a > b ? 1 : 0;
  else if (isNumber(a) && isNumber(b)) {
    const [x, y] = [Number(a), Number(b)];
    order = x < y ? -1 : x > y ? 1 : x === y ? 0 : Number.NaN;
  } else if (typeof a === 'string' && typeof b === 'string') order = Buffer.compare(Buffer.from(a), Buffer.from(b));
  else if (typeof a === 'boolean' && typeof b === 'boolean') order = Number(a) - Number(b);
  else if (Buffer.isBuffer(a) && Buffer.isBuffer(b)) order = Buffer.compare(a, b);
  else order = (Array.isArray(a) && Array.isArray(b)) || (a instanceof ReferenceMap && b instanceof ReferenceMap) ? (same(a, b) ? 0 : Number.NaN) : Number.NaN;
  const [alike, ordered] = [order === 0, !(a instanceof ReferenceMap || Array.isArray(a))];
  if (op === '==') return alike;
  if (op === '!=') return !alike;
  return ordered && (op === '<' ? order < 0 : op === '<=' ? order <= 0 : op === '>' ? order > 0 : order >= 0);
}
function same(a: Value, b: Value): boolean {
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((item, i) => same(item, b[i]!));
  if (a instanceof ReferenceMap)
    return (
      b instanceof ReferenceMap &&
      a.entries.length === b.entries.length &&
      a.entries.every(([key, value]) => b.find(key) !== undefined && same(value, b.find(key)![1]))
    );
  return isDeepStrictEqual(a, b) && typeof a === typeof b;
}

// ---- programs

export const quote = (text: string): string =>
  `"${text.replaceAll(/[\\"]/g, '\\$&').replaceAll(/[^ -~]/gu, (c) => `\\U${c.codePointAt(0)!.toString(16).padStart(8, '0')}`)}"`;

/** A plain field of a record that statements read and write. */
export interface Field {
  readonly path: string;
  readonly get: (record: Plain) => Value;
  /** Refuses what does not fit. */
  readonly set: (record: Plain, value: Value) => void;
}
export function textField(path: string, name: string): Field {
  return {
    path,
    get: (record) => (record[name] as string | undefined) ?? '',
    set: (record, value) => void (record[name] = typeof value === 'string' ? value : refuse()),
  };
}
export function intField(path: string, name: string, cut: (value: bigint) => bigint): Field {
  return {
    path,
    get: (record) => BigInt((record[name] as string | number | undefined) ?? 0),
    set: (record, value) => void (record[name] = Number(cut(typeof value === 'bigint' ? value : refuse()))),
  };
}
export function nanoField(path: string, name: string): Field {
  return {
    path,
    get: (record) => BigInt.asIntN(64, BigInt((record[name] as string | undefined) ?? '0')),
    set: (record, value) => void (record[name] = String(BigInt.asUintN(64, typeof value === 'bigint' ? value : refuse()))),
  };
}

/** Attributes: the path, and where they are. */
export interface MapPlace {
  readonly text: string;
  readonly read: (env: Env) => Entry[];
  readonly write: (env: Env, list: Entry[]) => void;
}
export function mapPlace(text: string, of: (env: Env) => Plain, field = 'attributes'): MapPlace {
  return { text, read: (env) => (of(env)[field] ?? []) as Entry[], write: (env, list) => void (of(env)[field] = list) };
}

/** Makes the parts of programs for one context. */
export class Programs {
  readonly #random: Random;
  readonly #fields: readonly Field[];
  readonly #maps: readonly MapPlace[];
  readonly #keys: readonly string[];
  constructor(random: Random, fields: readonly Field[], maps: readonly MapPlace[], keys: readonly string[]) {
    this.#random = random;
    this.#maps = maps;
    this.#fields = fields;
    this.#keys = keys;
  }

  #pick<T>(...of: readonly T[]): T {
    return this.#random.pick(of);
  }
  #key(): string {
    return this.#random.pick(this.#keys);
  }
  #literal(): Part<Value> {
    const [text, value] = this.#pick<[string, Value]>(
      ['nil', null],
      ['true', true],
      ['false', false],
      ['0', 0n],
      ['7', 7n],
      ['200', 200n],
      ['9007199254740993', 9007199254740993n],
      ['1.5', 1.5],
      ['0x6200', Buffer.from([0x62, 0])],
      ['[1, "v"]', [1n, 'v']],
      ['{"a": 7}', new ReferenceMap([['a', 7n]])],
      ...['', 'v', 'GET /api/v1/items', 'ä€😀', 'new'].map((t): [string, Value] => [quote(t), t]),
    );
    return { text, constant: true, run: () => copy(value) };
  }
  #map(): MapPlace {
    return this.#random.pick(this.#maps);
  }
  #attribute(): Part<Value> {
    const map = this.#map();
    const key = this.#key();
    const found = (env: Env): Value => toValue(map.read(env).find((entry) => (entry.key ?? '') === key)?.value);
    if (this.#random.below(4) > 0) return { text: `${map.text}[${quote(key)}]`, run: found };
    const inner = this.#random.below(2) === 0 ? this.#key() : BigInt(this.#random.below(2));
    return {
      text: `${map.text}[${quote(key)}][${typeof inner === 'string' ? quote(inner) : inner}]`,
      run: (env) => {
        const list = map.read(env).find((entry) => (entry.key ?? '') === key);
        if (list === undefined) return null;
        const holder = toValue(list.value);
        if (holder instanceof ReferenceMap && typeof inner === 'string') return holder.find(inner)?.[1] ?? null;
        if (Array.isArray(holder) && typeof inner === 'bigint') return Number(inner) < holder.length ? holder[Number(inner)]! : refuse();
        return refuse();
      },
    };
  }
  #field(): Part<Value> {
    const { path, get } = this.#random.pick(this.#fields);
    return { text: path, run: ({ record }) => get(record) };
  }
  value(depth = 0): Part<Value> {
    switch (this.#random.below(depth > 1 ? 5 : 8)) {
      case 0:
      case 1:
        return this.#literal();
      case 2:
      case 3:
        return this.#attribute();
      case 4:
        return this.#field();
      case 5:
        return this.#math(depth);
      case 6:
        return this.#converter(depth);
      default: {
        const items = [this.value(depth + 1), this.value(depth + 1)];
        return { text: `[${items.map(({ text }) => text).join(', ')}]`, constant: items.every(isConstant), run: (env) => items.map(({ run }) => run(env)) };
      }
    }
  }
  /** What mathematics may stand on: paths, calls and numbers. */
  #operand(depth: number): Part<Value> {
    const n = this.#random.below(4);
    if (n === 0)
      return this.#pick(
        { text: '7', run: () => 7n },
        { text: '0', run: () => 0n },
        { text: '1.5', run: () => 1.5 },
        { text: '9223372036854775807', run: () => 2n ** 63n - 1n },
      );
    return n === 1 ? this.#attribute() : n === 2 ? this.#field() : this.#converter(depth + 1);
  }
  #math(depth: number): Part<Value> {
    const [a, b] = [this.#operand(depth), this.#operand(depth)];
    const op = this.#pick('+', '-', '*', '/');
    return {
      text: `(${a.text} ${op} ${b.text})`,
      run: (env) => {
        const [x, y] = [a.run(env), b.run(env)];
        if (!isNumber(x) || !isNumber(y)) return refuse();
        if (op === '/' && Number(y) === 0) return refuse();
        if (typeof x === 'bigint' && typeof y === 'bigint') return BigInt.asIntN(64, op === '+' ? x + y : op === '-' ? x - y : op === '*' ? x * y : x / y);
        const [p, q] = [Number(x), Number(y)];
        return op === '+' ? p + q : op === '-' ? p - q : op === '*' ? p * q : p / q;
      },
    };
  }
  #converter(depth: number): Part<Value> {
    if (this.#random.below(6) === 0) return this.#concat(depth);
    const of = this.value(depth + 1);
    const text = (value: Value): string => (typeof value === 'string' ? value : refuse());
    const [name, run] = this.#pick<[string, (value: Value) => Value]>(
      ['IsString', (value) => typeof value === 'string'],
      ['IsInt', (value) => typeof value === 'bigint'],
      ['IsMap', (value) => value instanceof ReferenceMap],
      ['IsList', (value) => Array.isArray(value)],
      ['Trim', (value) => text(value).replace(/^ +| +$/g, '')],
      [
        'Len',
        (value) =>
          typeof value === 'string'
            ? BigInt(Buffer.byteLength(value))
            : Array.isArray(value) || Buffer.isBuffer(value)
              ? BigInt(value.length)
              : value instanceof ReferenceMap
                ? BigInt(value.entries.length)
                : refuse(),
      ],
    );
    return { text: `${name}(${of.text})`, run: (env) => run(of.run(env)) };
  }
  #concat(depth: number): Part<Value> {
    const items = [this.value(depth + 1), this.value(depth + 1)];
    const plain = (value: Value): string => {
      if (value === null) return '<nil>';
      if (typeof value === 'string') return value;
      if (Buffer.isBuffer(value)) return value.toString('hex');
      return typeof value === 'bigint' || typeof value === 'boolean' ? String(value) : refuse();
    };
    // Numbers with a fraction, lists and maps have a text of their own, which functions/ tests: here they are left out by a condition.
    return {
      text: `Concat([${items.map(({ text }) => `Concat([${text}], "")`).join(', ')}], "-")`,
      run: (env) =>
        items
          .map(({ run }) => run(env))
          .map((value) => (typeof value === 'number' || Array.isArray(value) || value instanceof ReferenceMap ? unknown() : plain(value)))
          .join('-'),
    };
  }

  condition(depth = 0): Part<boolean> {
    const n = this.#random.below(depth > 2 ? 5 : 8);
    if (n < 4) {
      const [a, b] = [this.#random.below(3) > 0 ? this.#attribute() : this.value(), this.value()];
      const op = this.#pick('==', '!=', '<', '<=', '>', '>=');
      const [left, right] = this.#random.below(3) === 0 ? [b, a] : [a, b];
      return {
        text: `${left.text} ${op} ${right.text}`,
        constant: isConstant(left) && isConstant(right),
        run: (env) => compare(left.run(env), right.run(env), op),
      };
    }
    if (n === 4) {
      const target = this.#pick(this.#attribute(), this.#field());
      const [pattern, test] = this.#pick<[string, RegExp]>(
        ['^GET /api', /^GET \/api/],
        ['v[0-9]', /v[0-9]/],
        ['^$', /^$/],
        ['[a-z]+$', /[a-z]+$/],
        ['(a|€)', /a|€/],
        ['^-?\\d+$', /^-?\d+$/],
      );
      return {
        text: `IsMatch(${target.text}, ${quote(pattern)})`,
        run: (env) => {
          const value = target.run(env);
          if (value === null) return false;
          if (typeof value === 'number' || Array.isArray(value) || value instanceof ReferenceMap) return unknown();
          return test.test(Buffer.isBuffer(value) ? value.toString('hex') : String(value));
        },
      };
    }
    if (n === 5) {
      const { text, constant, run } = this.condition(depth + 1);
      return { text: `not (${text})`, constant: constant === true, run: (env) => !run(env) };
    }
    const [a, b] = [this.condition(depth + 1), this.condition(depth + 1)];
    return n === 6 ? joined(`(${a.text}) and (${b.text})`, a, b, false) : joined(`(${a.text} or ${b.text})`, a, b, true);
  }

  statement(): Part<void> {
    const editor = this.#editor();
    if (this.#random.below(3) === 0) return editor;
    const where = this.condition();
    return {
      text: `${editor.text} where ${where.text}`,
      run: (env) => {
        if (where.run(env)) editor.run(env);
      },
    };
  }
  #editor(): Part<void> {
    const map = this.#map();
    const key = this.#key();
    const keys = Array.from({ length: this.#random.below(4) }, () => this.#key());
    const list = `[${keys.map(quote).join(', ')}]`;
    switch (this.#random.below(9)) {
      case 0:
      case 1: {
        const value = this.value();
        return { text: `set(${map.text}[${quote(key)}], ${value.text})`, run: (env) => setEntry(map, env, key, value.run(env)) };
      }
      case 2: {
        const field = this.#random.pick(this.#fields);
        const value = this.value();
        return {
          text: `set(${field.path}, ${value.text})`,
          run: (env) => {
            const found = value.run(env);
            if (found !== null) field.set(env.record, found);
          },
        };
      }
      case 3:
        return {
          text: `delete_key(${map.text}, ${quote(key)})`,
          run: (env) => {
            const entries = [...map.read(env)];
            const at = entries.findIndex((entry) => (entry.key ?? '') === key);
            if (at >= 0) map.write(env, entries.toSpliced(at, 1));
          },
        };
      case 4:
        return {
          text: `keep_keys(${map.text}, ${list})`,
          run: (env) =>
            map.write(
              env,
              map.read(env).filter((entry) => keys.includes(entry.key ?? '')),
            ),
        };
      case 5: {
        const [editorName, keeps] = this.#pick(['delete_matching_keys', false] as const, ['keep_matching_keys', true] as const);
        const [pattern, test] = this.#pick<[string, RegExp]>(['^http', /^http/], ['\\.', /\./], ['^__', /^__/], ['r', /r/]);
        return {
          text: `${editorName}(${map.text}, ${quote(pattern)})`,
          run: (env) =>
            map.write(
              env,
              map.read(env).filter((entry) => test.test(entry.key ?? '') === keeps),
            ),
        };
      }
      case 6: {
        const most = new Set(keys).size + this.#random.below(3);
        const first = [...new Set(keys)];
        return {
          text: `limit(${map.text}, ${most}, [${first.map(quote).join(', ')}])`,
          run: (env) => {
            const entries = map.read(env);
            if (entries.length <= most) return;
            let room = most - first.filter((name) => entries.some((entry) => (entry.key ?? '') === name)).length;
            map.write(
              env,
              entries.filter((entry) => first.includes(entry.key ?? '') || room-- > 0),
            );
          },
        };
      }
      case 7: {
        const source = this.#map();
        const strategy = this.#pick('insert', 'update', 'upsert');
        return {
          text: `merge_maps(${map.text}, ${source.text}, "${strategy}")`,
          run: (env) => {
            for (const { key: name = '', value } of structuredClone(source.read(env))) {
              const there = map.read(env).some((entry) => (entry.key ?? '') === name);
              if (there ? strategy !== 'insert' : strategy !== 'update') write(map, env, name, value ?? {});
            }
          },
        };
      }
      default: {
        const source = this.#map();
        return { text: `set(${map.text}, ${source.text})`, run: (env) => map.write(env, structuredClone(source.read(env))) };
      }
    }
  }
}
const isConstant = ({ constant }: Part<unknown>): boolean => constant === true;
/** `decisive` is what decides the whole: true for or, false for and. A constant that decides does so before anything else is looked at. */
function joined(text: string, a: Part<boolean>, b: Part<boolean>, decisive: boolean): Part<boolean> {
  const decided = [a, b].some((part) => isConstant(part) && part.run(NOWHERE) === decisive);
  const run = (env: Env): boolean => (decided || a.run(env) === decisive ? decisive : b.run(env));
  return { text, constant: decided || (isConstant(a) && isConstant(b)), run };
}
const NOWHERE: Env = { record: {}, resource: {}, scope: {}, holder: {} };
function write(map: MapPlace, env: Env, key: string, value: Plain): void {
  const entries = [...map.read(env)];
  const at = entries.findIndex((entry) => (entry.key ?? '') === key);
  if (at < 0) entries.push({ key, value });
  else entries[at] = { ...entries[at]!, value };
  map.write(env, entries);
}
function setEntry(map: MapPlace, env: Env, key: string, value: Value): void {
  if (value !== null) write(map, env, key, toPlain(value));
}

/** The reference does not say what comes of this: the case says nothing. */
export class Unknown extends Error {}
const unknown = (): never => {
  throw new Unknown();
};
