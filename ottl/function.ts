/**
 * How a function of OTTL is defined: its parameters with their types, and `create`, which gets the arguments once and returns the closure
 * that runs for each record. A function file is one `export default defineConverter({...})` or `defineEditor({...})`; its examples run as tests
 * and become the functions page. Errors at run time are thrown with `fail('...')` (values.ts), faults of literal arguments at start with
 * `fail` from `create`.
 *
 * A parameter's key is the name of the argument in camelCase: `replacementFormat` is written replacement_format=... in a statement; its place
 * in `params` is its position. What the getters convert and refuse is the Collector's (the comment of each kind says what).
 */
import {
  Duration,
  fail,
  floatToInt,
  Opaque,
  parseBool,
  parseFloat64,
  parseInt64,
  StringList,
  Time,
  toJson,
  toStored,
  typeName,
  UINTS,
  type Value,
  ValueMap,
} from './values.ts';

/** What a closure is called with: the record at hand, opaque to functions. Contexts make it (contexts/context.ts). */
export interface RecordContext {
  readonly kind: string;
}

/** A value to be had from a record. `literal` is set where it is known at start: compile patterns then, not for each record. */
export interface Getter<T = Value> {
  readonly get: (record: RecordContext) => T;
  readonly literal?: { readonly value: T };
  /** Written as a list in the statement, or made by a function whose lists are such: a few functions tell that from lists of telemetry. */
  readonly isList?: boolean;
}
export interface GetSetter<T = Value> extends Getter<T> {
  /** Stores; nil leaves the target alone, as everywhere in OTTL. Throws OttlError where the type does not fit. */
  readonly set: (record: RecordContext, value: Value) => void;
}

/** A function's name given as an argument: `call([getters…])` is that function on arguments of the caller's making. */
export interface FunctionGetter {
  readonly name: string;
  readonly call: (args: readonly (Getter | undefined)[]) => (record: RecordContext) => Value;
}

export type Kind =
  | 'getter'
  | 'path'
  | 'string'
  | 'stringLike'
  | 'int'
  | 'intLike'
  | 'float'
  | 'floatLike'
  | 'bool'
  | 'boolLike'
  | 'bytesLike'
  | 'map'
  | 'mapPath'
  | 'slice'
  | 'slicePath'
  | 'time'
  | 'duration'
  | 'stringLiteral'
  | 'intLiteral'
  | 'floatLiteral'
  | 'boolLiteral'
  | 'bytesLiteral'
  | 'enumLiteral'
  | 'function';

export interface Param<T = unknown> {
  readonly kind: Kind;
  /** A list literal of elements of the kind. */
  readonly list: boolean;
  readonly optional: boolean;
  /** Only for the type. */
  readonly type?: T;
}

const param = <T>(kind: Kind): Param<T> => ({ kind, list: false, optional: false });

export const p = {
  /** Any value. */
  getter: param<Getter>('getter'),
  /** A path, readable and writable (upstream's Setter and GetSetter). */
  path: param<GetSetter>('path'),
  /** Must be a string at run time: "expected string but got int64". */
  string: param<Getter<string>>('string'),
  /** Anything as text, nil as null: bytes in hex, maps and lists as JSON. */
  stringLike: param<Getter<string | null>>('stringLike'),
  /** Must be an int64. */
  int: param<Getter<bigint>>('int'),
  /** Numbers, bools and text that parses; null for nil and for text that does not parse. */
  intLike: param<Getter<bigint | null>>('intLike'),
  float: param<Getter<number>>('float'),
  /** As intLike, but text that does not parse is an error. */
  floatLike: param<Getter<number | null>>('floatLike'),
  bool: param<Getter<boolean>>('bool'),
  boolLike: param<Getter<boolean | null>>('boolLike'),
  /** Bytes as they are, text in UTF-8, numbers big endian. */
  bytesLike: param<Getter<Uint8Array | null>>('bytesLike'),
  map: param<Getter<ValueMap>>('map'),
  /** A path that holds a map: get, change what you got, and set it. */
  mapPath: param<GetSetter<ValueMap>>('mapPath'),
  slice: param<Getter<Value[]>>('slice'),
  slicePath: param<GetSetter<Value[]>>('slicePath'),
  time: param<Getter<Time>>('time'),
  duration: param<Getter<Duration>>('duration'),
  /** Must be written as a literal in the statement; the argument is the value itself. */
  stringLiteral: param<string>('stringLiteral'),
  intLiteral: param<bigint>('intLiteral'),
  floatLiteral: param<number>('floatLiteral'),
  boolLiteral: param<boolean>('boolLiteral'),
  bytesLiteral: param<Uint8Array>('bytesLiteral'),
  enumLiteral: param<bigint>('enumLiteral'),
  function: param<FunctionGetter>('function'),
  /** A list literal: p.list(p.string). */
  list: <T>(element: Param<T>): Param<readonly T[]> => ({ kind: element.kind, list: true, optional: false }),
  /** Undefined where it is not given: p.optional(p.intLiteral). */
  optional: <T>(inner: Param<T>): Param<T | undefined> => ({ kind: inner.kind, list: inner.list, optional: true }),
};

export type Params = Readonly<Record<string, Param>>;
export type Args<P extends Params> = { readonly [K in keyof P]: P[K] extends Param<infer T> ? T : never };

/**
 * One example, run as a test. Of a converter: `run` is an expression and `want` its value. Of an editor: `run` is a statement and `want` says what
 * attributes, body or cache look like afterwards. `given` is the log record: `attributes` and `body` as plain values (int64 as bigint).
 */
export interface Example {
  readonly run: string;
  readonly given?: ExampleRecord;
  readonly want?: ExampleValue | ExampleRecord;
  /** Instead of `want`: a part of the error's text, at start or at run time. */
  readonly error?: string;
  /** Shown on the functions page. */
  readonly note?: string;
}
export type ExampleValue =
  | null
  | string
  | boolean
  | bigint
  | number
  | Uint8Array
  | readonly ExampleValue[]
  | { readonly [key: string]: ExampleValue }
  | Time
  | Duration;
export interface ExampleRecord {
  readonly attributes?: { readonly [key: string]: ExampleValue };
  readonly body?: ExampleValue;
}

/** Which contexts know the function; none named means all. */
export type ContextName = 'resource' | 'scope' | 'span' | 'spanevent' | 'metric' | 'datapoint' | 'log';

export interface FunctionDefinition {
  readonly name: string;
  readonly kind: 'converter' | 'editor';
  /** One sentence for the functions page. */
  readonly summary: string;
  readonly params: Params;
  readonly contexts?: readonly ContextName[];
  /** The lists it returns count as written in the statement (Getter.isList): in the Collector a []any, where others return a pcommon.Slice. */
  readonly returnsList?: boolean;
  readonly examples: readonly Example[];
  readonly create: (args: Args<Params>) => (record: RecordContext) => Value;
}

interface ConverterSpec<P extends Params> {
  readonly name: string;
  readonly summary: string;
  readonly params: P;
  readonly contexts?: readonly ContextName[];
  readonly returnsList?: boolean;
  readonly examples: readonly Example[];
  /** Called once for each place a statement uses the function. */
  readonly create: (args: Args<P>) => (record: RecordContext) => Value;
}
interface EditorSpec<P extends Params> extends Omit<ConverterSpec<P>, 'create'> {
  readonly create: (args: Args<P>) => (record: RecordContext) => void;
}

/** A function that returns a value and changes nothing; its name begins with an upper-case letter. */
export function defineConverter<const P extends Params>(spec: ConverterSpec<P>): FunctionDefinition {
  return { ...spec, kind: 'converter', create: spec.create as unknown as FunctionDefinition['create'] };
}

/** A function that changes the record; its name begins with a lower-case letter. */
export function defineEditor<const P extends Params>(spec: EditorSpec<P>): FunctionDefinition {
  const create = spec.create as unknown as (args: Args<Params>) => (record: RecordContext) => void;
  return {
    ...spec,
    kind: 'editor',
    create: (args) => {
      const run = create(args);
      return (record) => {
        run(record);
        return null;
      };
    },
  };
}

// ---- What each kind of getter makes of a value. Used by the compiler to wrap arguments, and by functions that take getters apart themselves.

const expected = (wanted: string, value: Value): never => fail(`expected ${wanted} but got ${value === null ? 'nil' : typeName(value)}`);

export const convert = {
  string: (value: Value): string => (typeof value === 'string' ? value : expected('string', value)),
  int: (value: Value): bigint => (typeof value === 'bigint' ? value : expected('int64', value)),
  float: (value: Value): number => (typeof value === 'number' ? value : expected('float64', value)),
  bool: (value: Value): boolean => (typeof value === 'boolean' ? value : expected('bool', value)),
  time: (value: Value): Time => (value instanceof Time ? value : expected('time', value)),
  duration: (value: Value): Duration => (value instanceof Duration ? value : expected('duration', value)),
  map: (value: Value): ValueMap => (value instanceof ValueMap ? value : expected('pcommon.Map', value)),
  slice: (value: Value): Value[] => {
    if (value instanceof StringList) return [...value];
    if (value instanceof Opaque && value.type === UINTS) return (value.content as readonly bigint[]).map((count) => BigInt.asIntN(64, count));
    return Array.isArray(value)
      ? value.some((item) => typeof item === 'object')
        ? (value as Value[]).map(toStored)
        : value
      : expected('pcommon.Slice', value);
  },
  stringLike: (value: Value): string | null => {
    if (value === null || typeof value === 'string') return value;
    if (typeof value === 'bigint' || typeof value === 'boolean') return String(value);
    if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
    return toJson(value);
  },
  intLike: (value: Value): bigint | null => {
    switch (typeof value) {
      case 'bigint':
        return value;
      case 'string':
        return parseInt64(value) ?? null;
      case 'number':
        return floatToInt(value);
      case 'boolean':
        return value ? 1n : 0n;
    }
    return value === null ? null : fail(`unsupported type: ${typeName(value)}`);
  },
  floatLike: (value: Value): number | null => {
    switch (typeof value) {
      case 'bigint':
        return Number(value);
      case 'string':
        return parseFloat64(value);
      case 'number':
        return value;
      case 'boolean':
        return value ? 1 : 0;
    }
    return value === null ? null : fail(`unsupported type: ${typeName(value)}`);
  },
  boolLike: (value: Value): boolean | null => {
    switch (typeof value) {
      case 'bigint':
        return value !== 0n;
      case 'string':
        return parseBool(value);
      case 'number':
        return value !== 0;
      case 'boolean':
        return value;
    }
    return value === null ? null : fail(`unsupported type: ${typeName(value)}`);
  },
  bytesLike: (value: Value): Uint8Array | null => {
    if (value === null || value instanceof Uint8Array) return value;
    if (typeof value === 'string') return Buffer.from(value);
    const bytes = Buffer.alloc(8);
    if (typeof value === 'bigint') bytes.writeBigInt64BE(value);
    else if (typeof value === 'number') bytes.writeDoubleBE(value);
    else if (typeof value === 'boolean') return Buffer.from([value ? 1 : 0]);
    else fail(`unsupported type: ${typeName(value)}`);
    return bytes;
  },
} as const;

/** A function that tells whether a value is of a type. A literal of another type is refused at start, as in the Collector. */
export function typeTest(target: Getter, type: string, is: (value: Value) => boolean): (record: RecordContext) => boolean {
  if (target.literal && !is(target.literal.value)) fail(`expected ${type} but got ${target.literal.value === null ? 'nil' : typeName(target.literal.value)}`);
  return (record) => is(target.get(record));
}
