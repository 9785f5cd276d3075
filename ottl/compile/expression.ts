/**
 * From expressions to closures on decoded values: the general way, right for every context and function. What can be faster is tried before
 * (compile/fast.ts). A getter knows whether it is a literal, and a literal's type is checked here, at start.
 */
import type { CompiledKey, PathAccess } from '#ottl/contexts/context.ts';
import { type Args, convert, type FunctionDefinition, type Getter, type Kind, type Param, type Params, type RecordContext } from '#ottl/function.ts';
import type { Argument, Call, Expression, Key } from '#ottl/syntax/ast.ts';
import { didYouMean } from '#ottl/syntax/error.ts';
import { Duration, fail, MAP, Opaque, SLICE, type Stored, StringList, Time, toStored, typeName, type Value, ValueMap } from '#ottl/values.ts';
import { fault, within } from './fault.ts';
import { compilePath } from './path.ts';
import type { Scope } from './scope.ts';

export function literalGetter<T>(value: T): Getter<T> {
  return { get: () => value, literal: { value } };
}

export function compileExpression(node: Expression, scope: Scope): Getter {
  switch (node.kind) {
    case 'nil':
      return literalGetter<Value>(null);
    case 'string':
    case 'bool':
    case 'int':
    case 'float':
    case 'bytes':
      return literalGetter<Value>(node.value);
    case 'enum':
      return literalGetter<Value>(enumValue(node.name, node.start, scope));
    case 'functionName':
      throw fault(`"${node.name}" is a function's name; here a value is expected, for example ${node.name}(...)`, node.start);
    case 'path':
      return compilePathOf(node, scope);
    case 'call':
      return compileConverter(node, scope);
    case 'list':
      return listGetter(node.items.map((item) => compileExpression(item, scope)));
    case 'map':
      return mapGetter(new Map(node.entries.map(([key, value]) => [key, compileExpression(value, scope)])));
    case 'math':
      return mathGetter(node.op, compileExpression(node.left, scope), compileExpression(node.right, scope));
    case 'negate': {
      const operand = compileExpression(node.operand, scope);
      return { get: (record) => negate(operand.get(record)) };
    }
  }
}

export function compilePathOf(node: Expression & { kind: 'path' }, scope: Scope, written = false): PathAccess {
  return compilePath(node, scope, (key) => compileKey(key, scope), written);
}

function enumValue(name: string, start: number, scope: Scope): bigint {
  if (!Object.hasOwn(scope.context.enums, name)) {
    throw fault(`the ${scope.context.name} context does not know the enum symbol "${name}"${didYouMean(name, Object.keys(scope.context.enums))}`, start);
  }
  return BigInt(scope.context.enums[name]!);
}

export function compileKey(key: Key, scope: Scope): CompiledKey {
  return key.kind === 'expression' ? { kind: 'expression', getter: compileExpression(key.value, scope) } : key;
}

function listGetter(items: readonly Getter[]): Getter {
  if (items.every((item) => item.literal)) return { ...literalGetter<Value>(items.map((item) => listItem(item, NO_RECORD))), isList: true };
  return { get: (record) => items.map((item) => listItem(item, record)), isList: true };
}

const NO_RECORD: RecordContext = { kind: '' };
/** A map, or a list of telemetry, within a written list can be stored and compared, and nothing else: functions do not look into it. */
function listItem(getter: Getter, record: RecordContext): Value {
  const value = getter.get(record);
  if (value instanceof ValueMap) return new Opaque(MAP, value);
  return Array.isArray(value) && getter.isList !== true && !(value instanceof StringList) ? new Opaque(SLICE, value) : value;
}

/** Of keys that are written twice only the last is looked at. */
function mapGetter(entries: ReadonlyMap<string, Getter>): Getter {
  const keys = [...entries.keys()];
  const values = [...entries.values()];
  const make = (record: RecordContext): ValueMap => {
    const map = new ValueMap();
    for (let i = 0; i < keys.length; i++) map.set(keys[i]!, mapValue(values[i]!, record));
    return map;
  };
  if (values.every((value) => value.literal)) return literalGetter<Value>(make(NO_RECORD));
  return { get: make };
}

/** A list is taken where it is written as one: lists of telemetry and of functions are not what the Collector's map literal can hold. */
function mapValue(getter: Getter, record: RecordContext): Stored {
  const value = getter.get(record);
  if (!Array.isArray(value)) return toStored(value);
  if (getter.isList !== true) fail(`<Invalid value type ${typeName(value)}>`);
  return (value as Value[]).map((item) => toStored(item instanceof Opaque && item.type === MAP ? (item.content as ValueMap) : item));
}

function negate(value: Value): Value {
  if (typeof value === 'bigint') return BigInt.asIntN(64, -value);
  if (typeof value === 'number') return -value;
  return fail(`unsupported unary minus operation on type ${typeName(value)}`);
}

type MathOp = '+' | '-' | '*' | '/';
function mathGetter(op: MathOp, left: Getter, right: Getter): Getter {
  return { get: (record) => calculate(op, left.get(record), right.get(record)) };
}
export function calculate(op: MathOp, x: Value, y: Value): Value {
  if (typeof x === 'bigint' && typeof y === 'bigint') {
    if (op === '/') return y === 0n ? fail('attempted to divide by 0') : BigInt.asIntN(64, x / y);
    return BigInt.asIntN(64, op === '+' ? x + y : op === '-' ? x - y : x * y);
  }
  if (typeof x === 'bigint' || typeof x === 'number') {
    if (typeof y !== 'bigint' && typeof y !== 'number') fail(`${typeName(y)} must be int64 or float64`);
    const a = Number(x);
    const b = Number(y);
    if (op === '/') return b === 0 ? fail('attempted to divide by 0') : a / b;
    return op === '+' ? a + b : op === '-' ? a - b : a * b;
  }
  if (x instanceof Time) {
    if (op === '+')
      return y instanceof Duration ? new Time(x.unixNano + y.nano, x.zone) : fail(`time.Time must be added to time.Duration; found ${typeName(y)} instead`);
    if (op === '-') {
      if (y instanceof Time) return timeDifference(x, y);
      if (y instanceof Duration) return new Time(x.unixNano - y.nano, x.zone);
      fail(`time.Time or time.Duration must be subtracted from time.Time; found ${typeName(y)} instead`);
    }
    fail('only addition and subtraction supported for time.Time and time.Duration');
  }
  if (x instanceof Duration) {
    if (op === '+') {
      if (y instanceof Duration) return new Duration(x.nano + y.nano);
      if (y instanceof Time) return new Time(y.unixNano + x.nano, y.zone);
      fail(`time.Duration must be added to time.Duration or time.Time; found ${typeName(y)} instead`);
    }
    if (op === '-')
      return y instanceof Duration ? new Duration(x.nano - y.nano) : fail(`time.Duration must be subtracted from time.Duration; found ${typeName(y)} instead`);
    fail('only addition and subtraction supported for time.Time and time.Duration');
  }
  return fail(`${typeName(x)} must be int64, float64, time.Time or time.Duration`);
}
const INT64_MAX = (1n << 63n) - 1n;
/** time.Sub: stays within what a duration can hold. */
function timeDifference(x: Time, y: Time): Duration {
  const nano = x.unixNano - y.unixNano;
  return new Duration(nano > INT64_MAX ? INT64_MAX : nano < -INT64_MAX - 1n ? -INT64_MAX - 1n : nano);
}

// ---- calls

function compileConverter(call: Call, scope: Scope): Getter {
  if (!/^[A-Z]/.test(call.name)) throw fault(`converter names must start with an uppercase letter but got '${call.name}'`, call.start);
  const run = compileCall(call, scope);
  if (call.keys.length === 0) return scope.functions.get(call.name)!.returnsList ? { get: run, isList: true } : { get: run };
  const keys = call.keys.map((key) => compileKey(key, scope));
  return { get: (record) => index(run(record), keys, record) };
}

/** Keys behind a converter: unlike those behind a path, a missing key is an error. */
function index(value: Value, keys: readonly CompiledKey[], record: RecordContext): Value {
  let result = value;
  for (const key of keys) {
    const at = key.kind === 'expression' ? key.getter.get(record) : key.value;
    if (typeof at === 'string') {
      if (!(result instanceof ValueMap)) fail(`type ${typeName(result)} does not support string indexing`);
      const found = result.get(at);
      if (found === undefined) fail('key not found in map');
      result = found;
    } else if (typeof at === 'bigint') {
      if (!(Array.isArray(result) || result instanceof Uint8Array)) fail(`type ${typeName(result)} does not support int indexing`);
      if (at < 0n || at >= BigInt(result.length)) fail(`index ${at} out of bounds`);
      const found = result[Number(at)]!;
      result = typeof found === 'number' && result instanceof Uint8Array ? BigInt(found) : (found as Value);
    } else fail(at === null ? 'key expression returned nil, expected an int or string' : `key expression must evaluate to string or int, got ${typeName(at)}`);
  }
  return result;
}

export function compileCall(call: Call, scope: Scope): (record: RecordContext) => Value {
  const definition = scope.functions.get(call.name);
  if (!definition) throw fault(`undefined function "${call.name}"${didYouMean(call.name, scope.functions.keys())}`, call.start);
  scope.touched.calls.add(call.name);
  const args = within(`error while parsing arguments for call to "${call.name}"`, call.start, () => bindArguments(call, definition, scope));
  return within("couldn't create function", call.start, () => definition.create(args));
}

/**
 * The name of the Go field that an argument's name stands for: replacement_format and replacementFormat are ReplacementFormat. A capital behind a capital
 * becomes small, so that SourceIP is reached as source_i_p only.
 */
function fieldName(name: string): string {
  let out = '';
  let raise = true;
  let behindCapital = false;
  for (const letter of name) {
    const capital = /[A-Z]/.test(letter);
    if (/[A-Za-z]/.test(letter)) out += raise ? letter.toUpperCase() : behindCapital && capital ? letter.toLowerCase() : letter;
    else if (/\d/.test(letter)) out += letter;
    raise = !/[A-Za-z]/.test(letter);
    behindCapital = capital;
  }
  return out;
}

const fieldOf = (param: string): string => param[0]!.toUpperCase() + param.slice(1);

function bindArguments(call: Call, definition: FunctionDefinition, scope: Scope): Args<Params> {
  const names = Object.keys(definition.params);
  if (names.length === 0) return {} as Args<Params>; // Where a function takes nothing the Collector does not look at what it is given.
  const required = names.filter((name) => !definition.params[name]!.optional).length;
  let named = false;
  for (const argument of call.args) {
    if (argument.name !== undefined) named = true;
    else if (named) throw fault('unnamed argument used after named argument', argument.value.start);
  }
  if (call.args.length < required || call.args.length > names.length) {
    const signature = names.map((name) => (definition.params[name]!.optional ? `[${name}]` : name)).join(', ');
    throw fault(`incorrect number of arguments. Expected: ${names.length} Received: ${call.args.length}; write ${call.name}(${signature})`, call.start);
  }
  const bound: Record<string, unknown> = {};
  call.args.forEach((argument, position) => {
    const name = argument.name === undefined ? names[position]! : names.find((candidate) => fieldOf(candidate) === fieldName(argument.name!));
    if (name === undefined) throw fault(`no such parameter: ${argument.name}${didYouMean(argument.name!, names)}`, argument.value.start);
    bound[name] = within(`invalid argument at position ${position}`, argument.value.start, () => bindArgument(argument, definition.params[name]!, scope));
  });
  for (const name of names) {
    if (!(name in bound) && !definition.params[name]!.optional) throw fault(`argument "${name}" is missing`, call.start);
  }
  return bound as Args<Params>;
}

function bindArgument(argument: Argument, param: Param, scope: Scope): unknown {
  const { value } = argument;
  if (!param.list) return bindOne(value, param.kind, scope);
  if (value.kind !== 'list') throw fault('must be a list', value.start);
  return value.items.map((item, i) => within(`error while parsing list argument at index ${i}`, item.start, () => bindOne(item, param.kind, scope)));
}

const LITERALS: Readonly<Partial<Record<Kind, readonly [kind: Expression['kind'], text: string]>>> = {
  stringLiteral: ['string', 'must be a string'],
  intLiteral: ['int', 'must be an int'],
  floatLiteral: ['float', 'must be a float'],
  boolLiteral: ['bool', 'must be a bool'],
  bytesLiteral: ['bytes', 'must be a byte slice literal'],
};

function bindOne(node: Expression, kind: Kind, scope: Scope): unknown {
  const literal = LITERALS[kind];
  if (literal) {
    if (node.kind !== literal[0] || ('computed' in node && node.computed)) throw fault(literal[1], node.start);
    return (node as Expression & { value: unknown }).value;
  }
  switch (kind) {
    case 'enumLiteral':
      if (node.kind !== 'enum') throw fault('must be an Enum', node.start);
      return enumValue(node.name, node.start, scope);
    case 'function':
      return functionGetter(node, scope);
    case 'getter':
      return compileExpression(node, scope);
    case 'path':
    case 'mapPath':
    case 'slicePath': {
      if (node.kind !== 'path') throw fault('must be a path', node.start);
      const path = compilePathOf(node, scope, true);
      if (kind === 'path') return path;
      return { get: kind === 'mapPath' ? typedGetter(path, convert.map).get : typedGetter(path, convert.slice).get, set: path.set };
    }
  }
  return typedGetter<unknown>(compileExpression(node, scope), CONVERSIONS[kind as keyof typeof CONVERSIONS]);
}
const CONVERSIONS: Readonly<Record<keyof typeof convert, (value: Value) => unknown>> = convert;

/** Wraps a getter with a conversion; a literal is converted now, so that a wrong type is found at start. */
export function typedGetter<T>(getter: Getter, conversion: (value: Value) => T): Getter<T> {
  if (getter.literal) return literalGetter(conversion(getter.literal.value));
  const { get } = getter;
  return { get: (record) => conversion(get(record)) };
}

function functionGetter(node: Expression, scope: Scope): { name: string; call: (args: readonly (Getter | undefined)[]) => (record: RecordContext) => Value } {
  if (node.kind !== 'enum' && node.kind !== 'functionName') throw fault('invalid function name given', node.start);
  const definition = scope.functions.get(node.name);
  if (!definition) throw fault(`undefined function ${node.name}${didYouMean(node.name, scope.functions.keys())}`, node.start);
  return {
    name: node.name,
    call(args) {
      const names = Object.keys(definition.params);
      if (names.length !== args.length) fail(`incorrect number of arguments. Expected: ${names.length} Received: ${args.length}`);
      const bound: Record<string, unknown> = {};
      names.forEach((name, i) => {
        const param = definition.params[name]!;
        const getter = args[i];
        if (getter === undefined) return;
        bound[name] =
          param.kind === 'getter' || !(param.kind in CONVERSIONS) ? getter : typedGetter<unknown>(getter, CONVERSIONS[param.kind as keyof typeof CONVERSIONS]);
      });
      return definition.create(bound as Args<Params>);
    },
  };
}
