/**
 * Conditions over the bytes of a line: comparisons of the body and of attributes with fixed values, patterns, nil, `in`, joined by and, or, not. What else an
 * expression may say has no such form (null), and the chain is left to the general path.
 */
import type { Node } from '#receivers/file_log/expr/ast.ts';
import { parseExpr } from '#receivers/file_log/expr/parser.ts';
import { encodeKeyValue } from '#receivers/file_log/encode.ts';
import type { Value } from '#receivers/file_log/value.ts';
import { compilePattern } from '#src/core/regexp/pattern.ts';
import { ProtoWriter } from '#src/wire/proto_writer.ts';
import type { KeyTable } from './keys.ts';
import type { Line } from './line.ts';
import { FIXED_VALUE, INPUT_TEXT, PRESET, SCRATCH_TEXT, SCRATCH_VALUE } from './slots.ts';

/** 1 true, 0 false, DECLINED where the general path must tell. */
export type Condition = (line: Line) => number;
const DECLINED = -1;

/** Null where it has no form over bytes. */
export function compileCondition(source: string, keys: KeyTable): Condition | null {
  return conditionOf(parseExpr(source), keys);
}

function conditionOf(node: Node, keys: KeyTable): Condition | null {
  if (node.kind === 'literal') {
    const value = node.value === true ? 1 : 0;
    return typeof node.value === 'boolean' ? () => value : null;
  }
  if (node.kind === 'unary') {
    const inner = node.operator === '!' ? conditionOf(node.operand, keys) : null;
    return (
      inner &&
      ((line) => {
        const value = inner(line);
        return value === DECLINED ? DECLINED : 1 - value;
      })
    );
  }
  if (node.kind !== 'binary') return null;
  const { operator } = node;
  if (operator === 'and' || operator === '&&' || operator === 'or' || operator === '||') {
    const left = conditionOf(node.left, keys),
      right = conditionOf(node.right, keys),
      decides = operator === 'or' || operator === '||' ? 1 : 0;
    if (left === null || right === null) return null;
    return (line) => {
      const value = left(line);
      return value === DECLINED || value === decides ? value : right(line);
    };
  }
  if (operator === 'in')
    return node.left.kind === 'literal' && typeof node.left.value === 'string' && isName(node.right, 'attributes') ? hasKey(node.left.value, keys) : null;
  const place = placeOf(node.left),
    fixed = fixedOf(node.right);
  if (place === null || fixed === undefined) return null;
  switch (operator) {
    case '==':
    case '!=': {
      const equals =
        fixed === null
          ? isNil(place, keys)
          : typeof fixed === 'string'
            ? equalsText(place, fixed, keys)
            : typeof fixed === 'number'
              ? comparesNumber(place, '==', fixed, keys)
              : null;
      if (equals === null || operator === '==') return equals;
      return (line) => {
        const value = equals(line);
        return value === DECLINED ? DECLINED : 1 - value;
      };
    }
    case '<':
    case '<=':
    case '>':
    case '>=':
      return typeof fixed === 'number' ? comparesNumber(place, operator, fixed, keys) : null;
    case 'contains':
      return typeof fixed === 'string' ? testsText(place, (text) => text.includes(fixed), keys) : null;
    case 'startsWith':
      return typeof fixed === 'string' ? testsText(place, (text) => text.startsWith(fixed), keys) : null;
    case 'endsWith':
      return typeof fixed === 'string' ? testsText(place, (text) => text.endsWith(fixed), keys) : null;
    case 'matches': {
      if (typeof fixed !== 'string') return null;
      const pattern = compilePattern(fixed);
      return testsText(place, (text) => pattern.test(text), keys);
    }
    default:
      return null;
  }
}

/** The key of an attribute; '' for the body, which is no key that a place may have. */
function placeOf(node: Node): string | null {
  if (isName(node, 'body') || isName(node, '$')) return '';
  if (node.kind !== 'member' || node.optional || !isName(node.object, 'attributes') || node.key.kind !== 'literal') return null;
  return typeof node.key.value === 'string' && node.key.value !== '' ? node.key.value : null;
}
const isName = (node: Node, name: string): boolean => node.kind === 'name' && node.name === name;

/** A text, a number or nil; undefined for anything else. */
function fixedOf(node: Node): string | number | null | undefined {
  if (node.kind === 'unary' && node.operator === '-') {
    const value = fixedOf(node.operand);
    return typeof value === 'number' ? -value : undefined;
  }
  if (node.kind !== 'literal') return undefined;
  const value: Value = node.value;
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : undefined;
  return typeof value === 'string' || typeof value === 'number' || value === null ? value : undefined;
}

function hasKey(key: string, keys: KeyTable): Condition {
  const id = keys.idOfText(key);
  return (line) => (line.slotOf(id) < 0 ? 0 : 1);
}

function isNil(place: string, keys: KeyTable): Condition | null {
  if (place === '') return null;
  const id = keys.idOfText(place);
  return (line) => {
    const index = line.slotOf(id);
    if (index < 0) return 1;
    const form = line.slots.form[index]!;
    return (form === SCRATCH_VALUE || form === FIXED_VALUE) && line.slots.start[index] === line.slots.end[index] ? 1 : 0;
  };
}

function equalsText(place: string, text: string, keys: KeyTable): Condition {
  const wanted = Buffer.from(text);
  if (place === '') return (line) => (line.bodyForm === INPUT_TEXT ? sameBytes(line.bytes, line.bodyStart, line.bodyEnd, wanted) : DECLINED);
  const id = keys.idOfText(place),
    writer = new ProtoWriter(64);
  encodeKeyValue(writer, 6, place, text);
  const preset = writer.finish();
  return (line) => {
    const index = line.slotOf(id);
    if (index < 0) return 0;
    const { form, start, end } = line.slots,
      from = start[index]!,
      to = end[index]!;
    switch (form[index]!) {
      case INPUT_TEXT:
        return sameBytes(line.bytes, from, to, wanted);
      case SCRATCH_TEXT:
        return sameBytes(line.scratch.bytes, from, to, wanted);
      case PRESET:
        return sameBytes(line.presets.bytes, from, to, preset);
      case SCRATCH_VALUE:
        return 0; // No text.
      default:
        return DECLINED;
    }
  };
}

function sameBytes(bytes: Buffer, start: number, end: number, wanted: Buffer): number {
  if (end - start !== wanted.length) return 0;
  for (let i = 0; i < wanted.length; i++) if (bytes[start + i] !== wanted[i]) return 0;
  return 1;
}

function testsText(place: string, test: (text: string) => boolean, keys: KeyTable): Condition {
  if (place === '') return (line) => (line.bodyForm === INPUT_TEXT ? Number(test(line.bytes.utf8Slice(line.bodyStart, line.bodyEnd))) : DECLINED);
  const id = keys.idOfText(place);
  return (line) => {
    const index = line.slotOf(id);
    if (index < 0) return 0; // Nil has no such text.
    const form = line.slots.form[index]!;
    if (form !== INPUT_TEXT && form !== SCRATCH_TEXT) return DECLINED;
    return Number(test((form === INPUT_TEXT ? line.bytes : line.scratch.bytes).utf8Slice(line.slots.start[index]!, line.slots.end[index]!)));
  };
}

function comparesNumber(place: string, operator: string, wanted: number, keys: KeyTable): Condition | null {
  if (place === '') return null;
  const id = keys.idOfText(place),
    isEqual = operator === '==';
  return (line) => {
    const index = line.slotOf(id);
    if (index < 0) return isEqual ? 0 : DECLINED;
    const form = line.slots.form[index]!,
      start = line.slots.start[index]!;
    // The content of an AnyValue: a double, or an integer of as many digits as a number holds.
    const tag = form === SCRATCH_VALUE && line.slots.end[index]! > start ? line.scratch.bytes[start]! : 0;
    if (tag !== 0x21 && tag !== 0x18) return isEqual && form !== FIXED_VALUE && form !== PRESET ? 0 : DECLINED;
    const value = tag === 0x21 ? line.scratch.view.getFloat64(start + 1, true) : varintAt(line.scratch.bytes, start + 1);
    if (isEqual) return value === wanted ? 1 : 0;
    if (operator === '<') return value < wanted ? 1 : 0;
    if (operator === '<=') return value <= wanted ? 1 : 0;
    return (operator === '>' ? value > wanted : value >= wanted) ? 1 : 0;
  };
}

function varintAt(bytes: Buffer, start: number): number {
  let value = 0,
    scale = 1;
  for (let at = start; ; at++) {
    const byte = bytes[at]!;
    value += (byte & 127) * scale;
    if (byte < 128) return value;
    scale *= 128;
  }
}
