/** Operators of the expression language on values. Integers are bigint and wrap at 64 bits; an integer with a double gives a double. */
import { isMap, OpaqueMap, typeName, type Value } from '#receivers/file_log/value.ts';

const MAX_RANGE = 1_000_000;

export function text(value: Value): string {
  if (typeof value !== 'string') throw new Error(`interface conversion: interface {} is ${typeName(value)}, not string`);
  return value;
}

export function truth(value: Value): boolean {
  if (typeof value !== 'boolean') throw new Error(`interface conversion: interface {} is ${typeName(value)}, not bool`);
  return value;
}

export function isNumber(value: Value): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint';
}

export function toInteger(value: Value): number {
  if (typeof value === 'bigint') return Number(value);
  if (typeof value === 'number') return Math.trunc(value);
  throw new Error(`invalid operation: int(${typeName(value)})`);
}

export function list(value: Value): Value[] {
  if (!Array.isArray(value)) throw new Error(`cannot use ${typeName(value)} as an array`);
  return value;
}

export function equal(a: Value, b: Value): boolean {
  if (isNumber(a) && isNumber(b)) return typeof a === typeof b ? a === b : Number(a) === Number(b);
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((item, i) => equal(item, b[i]!));
  if (isMap(a) && isMap(b)) {
    if (a.size !== b.size) return false;
    for (const [key, item] of a) {
      const other = b.get(key);
      if (other === undefined || !equal(item, other)) return false;
    }
    return true;
  }
  return a === b;
}

/** Negative, zero or positive. */
export function compare(a: Value, b: Value, operator: string): number {
  if (isNumber(a) && isNumber(b)) return a < b ? -1 : a > b ? 1 : a >= b ? 0 : Number.NaN;
  if (typeof a === 'string' && typeof b === 'string') return a < b ? -1 : a > b ? 1 : 0;
  throw new Error(`invalid operation: ${typeName(a)} ${operator} ${typeName(b)}`);
}

export function add(a: Value, b: Value): Value {
  if (typeof a === 'string' && typeof b === 'string') return a + b;
  return arithmetic(a, b, '+');
}

export function arithmetic(a: Value, b: Value, operator: '+' | '-' | '*' | '/' | '%'): Value {
  if (!isNumber(a) || !isNumber(b)) throw new Error(`invalid operation: ${typeName(a)} ${operator} ${typeName(b)}`);
  if (operator === '%') {
    if (typeof a !== 'bigint' || typeof b !== 'bigint') throw new Error(`invalid operation: ${typeName(a)} % ${typeName(b)}`);
    if (b === 0n) throw new Error('runtime error: integer divide by zero');
    return a % b;
  }
  if (operator === '/') return Number(a) / Number(b);
  if (typeof a === 'bigint' && typeof b === 'bigint') return BigInt.asIntN(64, operator === '+' ? a + b : operator === '-' ? a - b : a * b);
  const x = Number(a),
    y = Number(b);
  return operator === '+' ? x + y : operator === '-' ? x - y : x * y;
}

export function power(a: Value, b: Value): Value {
  if (!isNumber(a) || !isNumber(b)) throw new Error(`invalid operation: ${typeName(a)} ** ${typeName(b)}`);
  return Number(a) ** Number(b);
}

export function negate(value: Value): Value {
  if (!isNumber(value)) throw new Error(`invalid operation: - ${typeName(value)}`);
  return -value;
}

export function range(from: Value, to: Value): Value {
  const first = toInteger(from),
    last = toInteger(to);
  if (last - first >= MAX_RANGE) throw new Error('memory budget exceeded');
  const items: Value[] = [];
  for (let i = first; i <= last; i++) items.push(BigInt(i));
  return items;
}

export function includes(needle: Value, haystack: Value): boolean {
  if (haystack === null) return false;
  if (Array.isArray(haystack)) return haystack.some((item) => equal(item, needle));
  if (isMap(haystack)) return typeof needle === 'string' && haystack.has(needle);
  if (haystack instanceof OpaqueMap) return lookUp(haystack, needle) !== undefined;
  throw new Error(`operator "in" not defined on ${typeName(haystack)}`);
}

function lookUp(map: OpaqueMap, key: Value): Value | undefined {
  for (const [candidate, value] of map.items) if (equal(candidate, key)) return value;
  return undefined;
}

/** A member or an element; counts from the end where the index is negative. Throws out of range and on values that have neither. */
export function fetch(value: Value, key: Value): Value {
  if (isMap(value)) return typeof key === 'string' ? (value.get(key) ?? null) : null;
  if (value instanceof OpaqueMap) return lookUp(value, key) ?? null;
  if ((Array.isArray(value) || typeof value === 'string') && isNumber(key)) {
    const index = toInteger(key),
      size = typeof value === 'string' ? Buffer.byteLength(value) : value.length,
      at = index < 0 ? size + index : index;
    if (at < 0 || at >= size) throw new Error(`index out of range: ${index} (array length is ${size})`);
    // Of a text the byte.
    return typeof value === 'string' ? BigInt(Buffer.from(value)[at]!) : value[at]!;
  }
  throw new Error(`cannot fetch ${String(key)} from ${typeName(value)}`);
}

export function slice(value: Value, from: Value, to: Value): Value {
  if (!Array.isArray(value) && typeof value !== 'string') throw new Error(`cannot slice ${typeName(value)}`);
  const place = (index: Value, none: number): number => {
    if (index === null) return none;
    const at = toInteger(index);
    return Math.min(Math.max(at < 0 ? value.length + at : at, 0), value.length);
  };
  const start = place(from, 0),
    end = place(to, value.length);
  return value.slice(start, Math.max(start, end));
}
