/**
 * What most statements are, done on the bytes of the record: comparisons of an attribute, a field or the body with a literal, IsMatch with a
 * literal pattern, set of a literal or of another attribute, delete_key. A closure is chosen by the static types; null: the general way.
 * Every one of these means exactly what the general way means; fast.test.ts runs both on random records.
 */
import type { PathAccess } from '#ottl/contexts/context.ts';
import { convert, type RecordContext } from '#ottl/function.ts';
import { compilePattern } from '#ottl/pattern.ts';
import type { Call, CompareOp, Condition, Expression } from '#ottl/syntax/ast.ts';
import { fail, type Stored, type Value } from '#ottl/values.ts';
import { attributeLiteral, type Cursor } from '#src/data/cursor.ts';
import { keyId } from '#src/data/keys.ts';
import { literal } from '#src/data/space.ts';
import { BYTES, EMPTY, STRING } from '#src/data/value.ts';
import { BytePattern, groups } from './byte_pattern.ts';
import { compilePathOf } from './expression.ts';
import { fastKeys } from './fast_keys.ts';
import type { Scope } from './scope.ts';

type Test = (record: RecordContext) => boolean;
type Run = (record: RecordContext) => void;
type LiteralValue = null | string | boolean | bigint | number;

const FLIPPED: Readonly<Record<CompareOp, CompareOp>> = { '==': '==', '!=': '!=', '<': '>', '<=': '>=', '>': '<', '>=': '<=' };

/** The value of a plain literal, or undefined. An enum of the context is an int. */
export function literalOf(node: Expression, scope: Scope): LiteralValue | undefined {
  switch (node.kind) {
    case 'nil':
      return null;
    case 'string':
    case 'bool':
    case 'int':
    case 'float':
      return node.value;
    case 'enum':
      return Object.hasOwn(scope.context.enums, node.name) ? BigInt(scope.context.enums[node.name]!) : undefined;
  }
  return undefined;
}
function pathOf(node: Expression, scope: Scope, written = false): PathAccess | null {
  return node.kind === 'path' ? compilePathOf(node, scope, written) : null;
}

export function fastPredicate(node: Condition & { kind: 'compare' | 'converter' }, scope: Scope): Test | null {
  if (node.kind === 'converter') return node.call.name === 'IsMatch' && scope.functions.has('IsMatch') ? fastIsMatch(node.call, scope) : null;
  const right = literalOf(node.right, scope);
  if (right !== undefined) return compareWith(pathOf(node.left, scope), node.op, right);
  const left = literalOf(node.left, scope);
  return left === undefined ? null : compareWith(pathOf(node.right, scope), FLIPPED[node.op], left);
}

/** Doubles that an int64 of a record is compared with exactly, whatever its size: above, the int is rounded, as in Go's conversion to float64. */
const exactInt = (value: bigint): boolean => value > -(1n << 53n) && value < 1n << 53n;

function compareWith(path: PathAccess | null, op: CompareOp, value: LiteralValue): Test | null {
  const known = path?.known;
  if (!known) return null;
  const equality = op === '==' || op === '!=';
  switch (known.kind) {
    case 'attribute': {
      const { cursor } = known;
      const id = keyId(known.key);
      if (typeof value === 'string' && equality) {
        const text = literal(value);
        return op === '==' ? () => cursor.attributeEquals(id, text) : () => !cursor.attributeEquals(id, text);
      }
      if (value === null && equality) return op === '==' ? () => cursor.attributeIsNil(id) : () => !cursor.attributeIsNil(id);
      // NaN stands for another type, and compares as such: with != it is true, else false. An int beyond 2^53 is compared in general.
      if (typeof value === 'number' && !Number.isNaN(value)) return compareNumber(() => cursor.attributeNumber(id), op, value);
      if (typeof value === 'bigint' && exactInt(value)) return compareNumber(() => cursor.attributeNumber(id), op, Number(value));
      return null;
    }
    case 'any': {
      const { cursor, field } = known;
      if (value === null && equality) {
        const isNil = (type: number): boolean => type === EMPTY || (type === BYTES && cursor.valueSize === 0);
        return op === '==' ? () => isNil(cursor.readAnyField(field)) : () => !isNil(cursor.readAnyField(field));
      }
      return null;
    }
    case 'text': {
      const { cursor, field } = known;
      if (typeof value !== 'string' || !equality) return null;
      const text = literal(value);
      return op === '==' ? () => cursor.fieldEquals(field, text) : () => !cursor.fieldEquals(field, text);
    }
    case 'int': {
      const { cursor, field } = known;
      return typeof value === 'bigint' && exactInt(value) ? compareNumber(() => cursor.int(field), op, Number(value)) : null;
    }
    case 'intIn': {
      const { cursor, field, inner } = known;
      return typeof value === 'bigint' && exactInt(value) ? compareNumber(() => cursor.intIn(field, inner), op, Number(value)) : null;
    }
  }
  return null;
}
function compareNumber(read: () => number, op: CompareOp, value: number): Test {
  switch (op) {
    case '==':
      return () => read() === value;
    case '!=':
      return () => read() !== value;
    case '<':
      return () => read() < value;
    case '<=':
      return () => read() <= value;
    case '>':
      return () => read() > value;
    case '>=':
      return () => read() >= value;
  }
}

function fastIsMatch(call: Call, scope: Scope): Test | null {
  const [target, pattern] = call.args;
  if (call.args.length !== 2 || !target || !pattern || target.name !== undefined || pattern.name !== undefined || call.keys.length > 0) return null;
  if (pattern.value.kind !== 'string') return null;
  const known = pathOf(target.value, scope)?.known;
  if (!known || (known.kind !== 'attribute' && known.kind !== 'any' && known.kind !== 'text')) return null;
  let compiled: ReturnType<typeof compilePattern>;
  try {
    compiled = compilePattern(pattern.value.value);
  } catch {
    return null; // The general way says what is wrong with it.
  }
  const { cursor } = known;
  const bytes = BytePattern.of(pattern.value.value);
  if (known.kind === 'text') {
    const { field } = known;
    if (bytes) return () => bytes.exec(cursor.space.bytes, cursor.contentStart(field), cursor.contentEnd(field));
    return () => compiled.test(cursor.text(field));
  }
  if (known.kind === 'attribute') {
    const id = keyId(known.key);
    if (bytes?.prefix) {
      const prefix = literal(bytes.prefix);
      return () =>
        cursor.attributeStartsWith(id, prefix) || (cursor.readAttribute(id) > STRING && matchesValue(cursor, cursor.value(cursor.row(id)), compiled));
    }
    return () => matchesRead(cursor, cursor.readAttribute(id), bytes, compiled, () => cursor.value(cursor.row(id)));
  }
  const { field } = known;
  return () => matchesRead(cursor, cursor.readAnyField(field), bytes, compiled, () => cursor.anyField(field));
}
function matchesRead(cursor: Cursor, type: number, bytes: BytePattern | null, pattern: { test(text: string): boolean }, value: () => Stored): boolean {
  if (type === EMPTY) return false;
  if (type !== STRING) return matchesValue(cursor, value(), pattern);
  if (bytes) return bytes.exec(cursor.space.bytes, cursor.valueAt, cursor.valueAt + cursor.valueSize);
  return pattern.test(cursor.valueText());
}
function matchesValue(_cursor: Cursor, value: Stored, pattern: { test(text: string): boolean }): boolean {
  const text = convert.stringLike(value as Value);
  return text !== null && pattern.test(text);
}

export function fastStatement(call: Call, scope: Scope): Run | null {
  const [first, second] = call.args;
  if (call.name === 'merge_maps') return fastExtract(call, scope);
  const onKeys = fastKeys(call, scope);
  if (onKeys) return onKeys;
  if (call.args.length !== 2 || !first || !second || first.name !== undefined || second.name !== undefined || !scope.functions.has(call.name)) return null;
  if (call.name === 'set') return fastSet(first.value, second.value, scope);
  if (call.name === 'delete_key' && second.value.kind === 'string' && first.value.kind === 'path') {
    const known = compilePathOf(first.value, scope, true).known;
    if (known?.kind !== 'attributes') return null;
    const { cursor } = known;
    const id = keyId(second.value.value);
    return () => {
      cursor.deleteAttribute(id);
    };
  }
  return null;
}

/** merge_maps(attributes, ExtractPatterns(text, "…"), "upsert"): captures become attributes without a map between. */
function fastExtract(call: Call, scope: Scope): Run | null {
  const [target, source, strategy] = call.args.map(({ name, value }) => (name === undefined ? value : null));
  if (call.args.length !== 3 || !target || !source || strategy?.kind !== 'string' || strategy.value !== 'upsert') return null;
  if (
    source.kind !== 'call' ||
    source.name !== 'ExtractPatterns' ||
    source.keys.length > 0 ||
    source.args.length !== 2 ||
    !scope.functions.has('ExtractPatterns')
  )
    return null;
  const [from, pattern] = source.args.map(({ name, value }) => (name === undefined ? value : null));
  if (pattern?.kind !== 'string' || from?.kind !== 'path' || target.kind !== 'path') return null;
  const to = pathOf(target, scope, true)?.known;
  const known = pathOf(from, scope)?.known;
  const bytes = BytePattern.of(pattern.value);
  if (to?.kind !== 'attributes' || (known?.kind !== 'any' && known?.kind !== 'attribute') || !bytes) return null;
  let names: readonly string[];
  try {
    names = compilePattern(pattern.value).groupNames;
  } catch {
    return null;
  }
  const named = names.flatMap((name, i) => (name === '' ? [] : [{ id: keyId(name), group: i + 1 }]));
  if (named.length === 0 || new Set(named.map(({ id }) => id)).size < named.length) return null;
  const ids = Int32Array.from(named, ({ id }) => id);
  const numbers = Int32Array.from(named, ({ group }) => group);
  const { cursor } = to;
  const text = known.cursor;
  const read = known.kind === 'any' ? () => text.readAnyField(known.field) : readKey(text, keyId(known.key));
  return () => {
    const type = read();
    if (type !== STRING) fail(`expected string but got ${TYPE_NAMES[type]}`);
    if (!bytes.exec(text.space.bytes, text.valueAt, text.valueAt + text.valueSize)) return;
    for (let i = 0; i < ids.length; i++) {
      const at = groups[2 * numbers[i]!]!;
      cursor.setAttributeSlice(ids[i]!, at, groups[2 * numbers[i]! + 1]! - at);
    }
  };
}
const readKey = (cursor: Cursor, id: number) => () => cursor.readAttribute(id);
/** By the types of src/data/value.ts. */
const TYPE_NAMES = ['nil', 'string', 'bool', 'int64', 'float64', 'pcommon.Slice', 'pcommon.Map', '[]uint8'];

function fastSet(target: Expression, value: Expression, scope: Scope): Run | null {
  const to = pathOf(target, scope, true)?.known;
  if (!to) return null;
  const content = literalOf(value, scope);
  if (to.kind === 'attribute') {
    const { cursor } = to;
    if (content === null) return () => {};
    if (content !== undefined) {
      const attribute = attributeLiteral(to.key, content);
      return () => cursor.setLiteral(attribute);
    }
    const from = pathOf(value, scope)?.known;
    const id = keyId(to.key);
    if (from?.kind === 'attribute') {
      const source = from.cursor;
      const sourceId = keyId(from.key);
      return () => {
        const type = source.readAttribute(sourceId);
        if (type === EMPTY) return;
        const row = source.row(sourceId);
        cursor.setAttributeAny(id, source.valueStart(row), source.valueEnd(row));
      };
    }
    if (from?.kind === 'text') {
      const { cursor: source, field } = from;
      return () => {
        const start = source.contentStart(field);
        cursor.setAttributeSlice(id, start, source.contentEnd(field) - start);
      };
    }
    if (from?.kind === 'any') {
      const { cursor: source, field } = from;
      return () => {
        if (source.readAnyField(field) !== EMPTY) cursor.setAttributeAny(id, source.contentStart(field), source.contentEnd(field));
      };
    }
    return null;
  }
  if (content === undefined || content === null) return null;
  if (to.kind === 'text' && typeof content === 'string') {
    const text = literal(content);
    const { cursor, field } = to;
    return () => cursor.setSlice(field, text.start, text.size);
  }
  if (to.kind === 'intIn' && typeof content === 'bigint') {
    const { cursor, field, inner } = to;
    const number = Number(BigInt.asIntN(32, content));
    return () => cursor.setIntIn(field, inner, number);
  }
  return null;
}
