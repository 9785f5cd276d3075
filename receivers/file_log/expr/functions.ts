/**
 * The functions of the expression language. Absent on purpose, and refused by name: dates and durations (now, date, duration, timezone).
 */
import { parseJson, toJson } from '#receivers/file_log/json_text.ts';
import { goText, isMap, OpaqueList, OpaqueMap, typeName, type Value } from '#receivers/file_log/value.ts';
import type { Node } from './ast.ts';
import { compileNode, type Evaluate, type Scope } from './compile.ts';
import { ExprError } from './lexer.ts';
import { add, arithmetic, compare, equal, fetch, isNumber, list, text, toInteger, truth } from './operations.ts';

type Work = (args: readonly Value[]) => Value;
interface Definition {
  readonly least: number;
  readonly most: number;
  readonly work: Work;
}
const define = (least: number, most: number, work: Work): Definition => ({ least, most, work });

const numbersOf = (args: readonly Value[]): (number | bigint)[] => {
  const flat: (number | bigint)[] = [];
  const visit = (value: Value): void => {
    if (Array.isArray(value)) value.forEach(visit);
    else if (isNumber(value)) flat.push(value);
    else throw new Error(`invalid argument (type ${typeName(value)})`);
  };
  args.forEach(visit);
  return flat;
};
const bits = (work: (a: bigint, b: bigint) => bigint): Definition =>
  define(2, 2, ([a, b]) => BigInt.asIntN(64, work(BigInt(toInteger(a!)), BigInt(toInteger(b!)))));
const rounding = (work: (x: number) => number): Definition =>
  define(1, 1, ([value]) => {
    if (!isNumber(value!)) throw new Error(`invalid argument (type ${typeName(value)})`);
    return work(Number(value));
  });
const trimmer = (value: string, cut: string, left: boolean, right: boolean): string => {
  let from = 0,
    to = value.length;
  while (left && from < to && cut.includes(value[from]!)) from++;
  while (right && to > from && cut.includes(value[to - 1]!)) to--;
  return value.slice(from, to);
};
/** The largest (sign 1) or smallest (-1) of integers and doubles, with its own type. */
function extreme(values: readonly (number | bigint)[], sign: 1 | -1): Value {
  let best: number | bigint | null = null;
  for (const value of values) if (best === null || compare(value, best, '<') === sign) best = value;
  return best;
}
/** An item of a list, a byte of a text; nil of anything else, and where there is none. */
const endOf = (items: Value, place: bigint): Value => ((Array.isArray(items) || typeof items === 'string') && items.length > 0 ? fetch(items, place) : null);
/** One argument that is neither number nor list is the largest and smallest of itself. */
const isLone = (args: readonly Value[]): boolean => args.length === 1 && !Array.isArray(args[0]) && !isNumber(args[0]!);
const SPACES = ' \t\n\v\f\r\u0085\u00a0';
const sorted = (items: readonly Value[], order: Value | undefined): Value[] => {
  const sign = order === 'desc' ? -1 : 1;
  return [...items].sort((a, b) => sign * compare(a, b, '<'));
};
const typeOf = (value: Value): string => {
  if (value === null) return 'nil';
  if (typeof value === 'bigint') return 'int';
  if (typeof value === 'number') return 'float';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'string') return 'string';
  if (Array.isArray(value)) return 'array';
  return isMap(value) || value instanceof OpaqueMap ? 'map' : 'unknown';
};
const lengthOf = (value: Value): bigint => {
  if (typeof value === 'string') return BigInt(isAscii(value) ? value.length : Array.from(value).length);
  if (Array.isArray(value)) return BigInt(value.length);
  if (isMap(value)) return BigInt(value.size);
  if (value instanceof OpaqueMap) return BigInt(value.items.size);
  throw new Error(`invalid argument for len (type ${typeName(value)})`);
};
const isAscii = (value: string): boolean => {
  for (let i = 0; i < value.length; i++) if (value.charCodeAt(i) > 127) return false;
  return true;
};
const splitText = (value: string, separator: string, limit: number, after: boolean): string[] => {
  const parts: string[] = [];
  if (limit === 0) return parts;
  let from = 0;
  while (limit < 0 || parts.length < limit - 1) {
    const at = separator === '' ? (from + 1 < value.length ? from + 1 : -1) : value.indexOf(separator, from);
    if (at < 0) break;
    parts.push(value.slice(from, after ? at + separator.length : at));
    from = at + separator.length;
  }
  parts.push(value.slice(from));
  return parts;
};
const limitOf = (value: Value | undefined): number => (value === undefined ? -1 : toInteger(value));
const byteIndex = (value: string, at: number): bigint => BigInt(at < 0 ? -1 : Buffer.byteLength(value.slice(0, at)));

const FUNCTIONS: Readonly<Record<string, Definition>> = {
  len: define(1, 1, ([value]) => lengthOf(value!)),
  type: define(1, 1, ([value]) => typeOf(value!)),
  env: define(1, 1, ([name]) => process.env[text(name!)] ?? ''),
  string: define(1, 1, ([value]) => goText(value)),
  int: define(1, 1, ([value]) => {
    if (typeof value === 'bigint') return value;
    if (typeof value === 'number') return BigInt(Math.trunc(value));
    if (typeof value === 'string' && /^[+-]?\d+$/.test(value)) return BigInt(value.replace('+', ''));
    throw new Error(`invalid operation: int(${goText(value)})`);
  }),
  float: define(1, 1, ([value]) => {
    if (isNumber(value!)) return Number(value);
    if (typeof value === 'string' && value.trim() !== '' && !Number.isNaN(Number(value))) return Number(value);
    throw new Error(`invalid operation: float(${goText(value)})`);
  }),
  upper: define(1, 1, ([value]) => text(value!).toUpperCase()),
  lower: define(1, 1, ([value]) => text(value!).toLowerCase()),
  trim: define(1, 2, ([value, cut]) => trimmer(text(value!), cut === undefined ? SPACES : text(cut), true, true)),
  trimPrefix: define(1, 2, ([value, cut]) => {
    const prefix = cut === undefined ? ' ' : text(cut);
    return text(value!).startsWith(prefix) ? text(value!).slice(prefix.length) : value!;
  }),
  trimSuffix: define(1, 2, ([value, cut]) => {
    const suffix = cut === undefined ? ' ' : text(cut);
    return text(value!).endsWith(suffix) ? text(value!).slice(0, text(value!).length - suffix.length) : value!;
  }),
  split: define(2, 3, ([value, separator, limit]) => splitText(text(value!), text(separator!), limitOf(limit), false)),
  splitAfter: define(2, 3, ([value, separator, limit]) => splitText(text(value!), text(separator!), limitOf(limit), true)),
  replace: define(3, 4, ([value, from, to, limit]) => {
    const most = limitOf(limit);
    if (most < 0) return text(value!).replaceAll(text(from!), () => text(to!));
    return splitText(text(value!), text(from!), most + 1, false).join(text(to!));
  }),
  repeat: define(2, 2, ([value, count]) => {
    const times = toInteger(count!);
    if (times < 0 || times * text(value!).length > 1_000_000) throw new Error('memory budget exceeded');
    return text(value!).repeat(times);
  }),
  join: define(1, 2, ([items, glue]) =>
    list(items!)
      .map(text)
      .join(glue === undefined ? '' : text(glue)),
  ),
  indexOf: define(2, 2, ([value, part]) => byteIndex(text(value!), text(value!).indexOf(text(part!)))),
  lastIndexOf: define(2, 2, ([value, part]) => byteIndex(text(value!), text(value!).lastIndexOf(text(part!)))),
  hasPrefix: define(2, 2, ([value, part]) => text(value!).startsWith(text(part!))),
  hasSuffix: define(2, 2, ([value, part]) => text(value!).endsWith(text(part!))),
  max: define(1, Infinity, (args) => (isLone(args) ? args[0]! : extreme(numbersOf(args), 1))),
  min: define(1, Infinity, (args) => (isLone(args) ? args[0]! : extreme(numbersOf(args), -1))),
  mean: define(1, Infinity, (args) => {
    const all = numbersOf(args);
    return all.length === 0 ? 0 : all.reduce((sum: number, x) => sum + Number(x), 0) / all.length;
  }),
  median: define(1, Infinity, (args) => {
    const all = numbersOf(args)
        .map(Number)
        .sort((a, b) => a - b),
      middle = all.length >> 1;
    if (all.length === 0) return 0;
    return all.length % 2 === 1 ? all[middle]! : (all[middle - 1]! + all[middle]!) / 2;
  }),
  abs: define(1, 1, ([value]) => {
    if (!isNumber(value!)) throw new Error(`invalid argument for abs (type ${typeName(value)})`);
    return value < 0 ? -value : value;
  }),
  ceil: rounding(Math.ceil),
  floor: rounding(Math.floor),
  round: rounding((x) => Math.sign(x) * Math.round(Math.abs(x))),
  bitand: bits((a, b) => a & b),
  bitor: bits((a, b) => a | b),
  bitxor: bits((a, b) => a ^ b),
  bitnand: bits((a, b) => a & ~b),
  bitshl: bits((a, b) => a << (b & 63n)),
  bitshr: bits((a, b) => a >> (b & 63n)),
  bitushr: bits((a, b) => BigInt.asUintN(64, a) >> (b & 63n)),
  bitnot: define(1, 1, ([value]) => ~BigInt(toInteger(value!))),
  first: define(1, 1, ([items]) => endOf(items!, 0n)),
  last: define(1, 1, ([items]) => endOf(items!, -1n)),
  get: define(2, 2, ([value, key]) => {
    if (value === null) return null;
    if (Array.isArray(value) && !isNumber(key!)) throw new Error(`cannot fetch ${goText(key)} from a list`);
    try {
      return fetch(value!, key!);
    } catch {
      return null;
    }
  }),
  take: define(2, 2, ([items, count]) => list(items!).slice(0, Math.max(0, toInteger(count!)))),
  reverse: define(1, 1, ([items]) => [...list(items!)].reverse()),
  uniq: define(1, 1, ([items]) => list(items!).filter((item, i, all) => all.findIndex((other) => equal(other, item)) === i)),
  concat: define(1, Infinity, (args) => args.flatMap((items) => list(items))),
  flatten: define(1, 1, ([items]) => (list(items!) as unknown[]).flat(Infinity) as Value[]),
  sort: define(1, 2, ([items, order]) => sorted(list(items!), order)),
  keys: define(1, 1, ([map]) => Array.from(mapOf(map!).keys())),
  values: define(1, 1, ([map]) => Array.from(mapOf(map!).values())),
  toPairs: define(1, 1, ([map]) => OpaqueList.from(mapOf(map!), ([key, value]): Value => [key, value]) as OpaqueList),
  fromPairs: define(1, 1, ([pairs]) => new OpaqueMap(new Map(list(pairs!).map((pair): [Value, Value] => [list(pair)[0] ?? null, list(pair)[1] ?? null])))),
  toJSON: define(1, 1, ([value]) => toJson(value!)),
  fromJSON: define(1, 1, ([value]) => parseJson(text(value!))),
  toBase64: define(1, 1, ([value]) => Buffer.from(text(value!)).toString('base64')),
  fromBase64: define(1, 1, ([value]) => Buffer.from(text(value!), 'base64').toString()),
};

function mapOf(value: Value): Map<Value, Value> {
  if (isMap(value)) return value as Map<Value, Value>;
  if (value instanceof OpaqueMap) return value.items;
  throw new Error(`cannot use ${typeName(value)} as a map`);
}

type Each = (visit: (item: Value, result: Value, index: number) => boolean) => void;
/** What a function over a list and a predicate does; `each` stops where the visitor returns false. */
const OVER_LIST: Readonly<Record<string, (each: Each, extra: Value | undefined) => Value>> = {
  all: (each) => decide(each, true, (result) => !truth(result)),
  any: (each) => decide(each, false, (result) => truth(result)),
  none: (each) => decide(each, true, (result) => truth(result)),
  one: (each) => count(each) === 1n,
  count: (each) => count(each),
  map: (each) => collect(each, (out, _, result) => out.push(result)),
  filter: (each) => collect(each, (out, item, result) => truth(result) && out.push(item)),
  find: (each) => collect(each, (out, item, result) => truth(result) && out.push(item))[0] ?? null,
  findLast: (each) => collect(each, (out, item, result) => truth(result) && out.push(item)).at(-1) ?? null,
  findIndex: (each) => collect(each, (out, _, result, index) => truth(result) && out.push(BigInt(index)))[0] ?? null,
  findLastIndex: (each) => collect(each, (out, _, result, index) => truth(result) && out.push(BigInt(index))).at(-1) ?? null,
  sum: (each) => collect(each, (out, _, result) => out.push(result)).reduce((a, b) => add(a, b), 0n),
  groupBy: (each) => {
    const groups = new OpaqueMap(new Map());
    each((item, key) => {
      for (const [known, items] of groups.items) {
        if (!equal(known, key)) continue;
        (items as Value[]).push(item);
        return true;
      }
      groups.items.set(key, [item]);
      return true;
    });
    return groups;
  },
  sortBy: (each, order) => {
    const pairs = collect(each, (out, item, result) => out.push([result, item])) as [Value, Value][];
    const sign = order === 'desc' ? -1 : 1;
    return pairs.sort((a, b) => sign * compare(a[0], b[0], '<')).map((pair) => pair[1]);
  },
};

function decide(each: Each, outcome: boolean, stops: (result: Value) => boolean): boolean {
  const seen = { stopped: false };
  each((_, result) => {
    if (stops(result)) seen.stopped = true;
    return !seen.stopped;
  });
  return seen.stopped ? !outcome : outcome;
}
function count(each: Each): bigint {
  return BigInt(collect(each, (out, item, result) => truth(result) && out.push(item)).length);
}
function collect(each: Each, work: (out: Value[], item: Value, result: Value, index: number) => unknown): Value[] {
  const out: Value[] = [];
  each((item, result, index) => {
    work(out, item, result, index);
    return true;
  });
  return out;
}

export function compileCall(node: Node & { kind: 'call' }, scope: Scope): Evaluate {
  const { name, args } = node;
  if (name === 'reduce' && args.length >= 2) return compileReduce(node, scope);
  if (Object.hasOwn(OVER_LIST, name) && !(name === 'sum' && args.length === 1)) return compileOverList(node, scope);
  const definition = name === 'sum' ? define(1, 1, ([items]) => numbersOf([items!]).reduce((a: Value, b) => arithmetic(a, b, '+'), 0n)) : FUNCTIONS[name];
  if (definition === undefined || (name !== 'sum' && !Object.hasOwn(FUNCTIONS, name))) {
    const known = ['now', 'date', 'duration', 'timezone'].includes(name);
    throw new ExprError(known ? `function ${name} is not supported yet` : `unknown function ${name}`, scope.source, node.at);
  }
  if (args.length < definition.least) throw new ExprError(`not enough arguments to call ${name}`, scope.source, node.at);
  if (args.length > definition.most) throw new ExprError(`too many arguments to call ${name}`, scope.source, node.at);
  const compiled = args.map((arg) => compileNode(arg, scope)),
    work = definition.work;
  return (frame) => work(compiled.map((arg) => arg(frame)));
}

function compileOverList(node: Node & { kind: 'call' }, scope: Scope): Evaluate {
  const work = OVER_LIST[node.name]!,
    args = node.args;
  const plainCount = node.name === 'count' && args.length === 1;
  if (args.length < 2 && !plainCount) throw new ExprError(`not enough arguments to call ${node.name}`, scope.source, node.at);
  const items = compileNode(args[0]!, scope),
    [inner, slot] = scope.withPredicate();
  const predicate: Evaluate = plainCount ? (frame) => frame.slots[slot]! : compileNode(args[1]!, inner);
  const extra = args[2] && compileNode(args[2], scope);
  return (frame) => {
    const all = list(items(frame));
    const each: Each = (visit) => {
      for (let i = 0; i < all.length; i++) {
        frame.slots[slot] = all[i]!;
        frame.slots[slot + 1] = BigInt(i);
        if (!visit(all[i]!, predicate(frame), i)) return;
      }
    };
    return work(each, extra?.(frame));
  };
}

function compileReduce(node: Node & { kind: 'call' }, scope: Scope): Evaluate {
  const items = compileNode(node.args[0]!, scope),
    [inner, slot] = scope.withPredicate();
  const work = compileNode(node.args[1]!, inner),
    initial = node.args[2] && compileNode(node.args[2], scope);
  return (frame) => {
    const all = list(items(frame));
    if (all.length === 0 && initial === undefined) throw new Error('reduce of empty array with no initial value');
    let result: Value = initial === undefined ? all[0]! : initial(frame);
    for (let i = initial === undefined ? 1 : 0; i < all.length; i++) {
      frame.slots[slot] = all[i]!;
      frame.slots[slot + 1] = BigInt(i);
      frame.slots[slot + 2] = result;
      result = work(frame);
    }
    return result;
  };
}
