/**
 * What is known of types before an expression runs: literals and what operators and functions make of them. What cannot fit is refused when the
 * configuration is read, as in the Collector; attributes and bodies may be anything.
 */
import type { Value } from '#receivers/file_log/value.ts';
import type { Node } from './ast.ts';
import { ExprError } from './lexer.ts';

export type Kind = 'any' | 'nil' | 'bool' | 'int' | 'float' | 'string' | 'map' | 'array';
interface Type {
  readonly kind: Kind;
  /** Of the items of an array. */
  readonly item: Type | null;
}
const of = (kind: Kind, item: Type | null = null): Type => ({ kind, item });
const ANY = of('any'),
  NIL = of('nil'),
  BOOL = of('bool'),
  INT = of('int'),
  FLOAT = of('float'),
  STRING = of('string'),
  MAP = of('map'),
  ARRAY = of('array', ANY),
  STRINGS = of('array', STRING);

/** Kinds by letter: s text, i integer, n number, a list, m map, * anything. */
const LETTERS: Readonly<Record<string, readonly Kind[]>> = { s: ['string'], i: ['int'], n: ['int', 'float'], a: ['array'], m: ['map'] };
/** For each function what its arguments may be (the last goes for all that follow) and what it gives. */
const SIGNATURES: Readonly<Record<string, readonly [args: string, result: Type]>> = {
  len: ['sam', INT],
  type: ['*', STRING],
  string: ['*', STRING],
  int: ['ns', INT],
  float: ['ns', FLOAT],
  upper: ['s', STRING],
  lower: ['s', STRING],
  trim: ['s', STRING],
  trimPrefix: ['s', STRING],
  trimSuffix: ['s', STRING],
  split: ['s,s,i', STRINGS],
  splitAfter: ['s,s,i', STRINGS],
  replace: ['s,s,s,i', STRING],
  repeat: ['s,i', STRING],
  join: ['a,s', STRING],
  indexOf: ['s', INT],
  lastIndexOf: ['s', INT],
  hasPrefix: ['s', BOOL],
  hasSuffix: ['s', BOOL],
  max: ['na', ANY],
  min: ['na', ANY],
  mean: ['na', FLOAT],
  median: ['na', FLOAT],
  abs: ['n', ANY],
  ceil: ['n', FLOAT],
  floor: ['n', FLOAT],
  round: ['n', FLOAT],
  bitand: ['i', INT],
  bitor: ['i', INT],
  bitxor: ['i', INT],
  bitnand: ['i', INT],
  bitshl: ['i', INT],
  bitshr: ['i', INT],
  bitushr: ['i', INT],
  bitnot: ['i', INT],
  first: ['a', ANY],
  last: ['a', ANY],
  take: ['a,i', ARRAY],
  reverse: ['a', ARRAY],
  uniq: ['a', ARRAY],
  concat: ['a', ARRAY],
  flatten: ['a', ARRAY],
  sort: ['a,s', ARRAY],
  keys: ['m', ARRAY],
  values: ['m', ARRAY],
  toPairs: ['m', ARRAY],
  fromPairs: ['a', MAP],
  toJSON: ['*', STRING],
  fromJSON: ['s', ANY],
  toBase64: ['s', STRING],
  fromBase64: ['s', STRING],
};
/** Functions of a list and a predicate: what they give, and whether the predicate must decide. */
const OVER_LIST: Readonly<Record<string, readonly [result: Type, decides: boolean]>> = {
  all: [BOOL, true],
  any: [BOOL, true],
  none: [BOOL, true],
  one: [BOOL, true],
  count: [INT, true],
  filter: [ARRAY, true],
  find: [ANY, true],
  findLast: [ANY, true],
  findIndex: [INT, true],
  findLastIndex: [INT, true],
  map: [ARRAY, false],
  sum: [ANY, false],
  groupBy: [MAP, false],
  sortBy: [ARRAY, false],
  reduce: [ANY, false],
};

/** What is in scope: variables, and the element of the innermost predicate. */
interface Known {
  readonly source: string;
  readonly names: ReadonlyMap<string, Type>;
  readonly item: Type;
  readonly inReduce: boolean;
}

/** What the expression gives, as far as that is known. Throws ExprError where types cannot fit. */
export function kindOf(node: Node, source: string): Kind {
  return typeOf(node, { source, names: new Map(), item: ANY, inReduce: false }).kind;
}

const isAny = (type: Type): boolean => type.kind === 'any';
const isNumber = (type: Type): boolean => type.kind === 'int' || type.kind === 'float';
const fits = (type: Type, kinds: readonly Kind[]): boolean => isAny(type) || kinds.includes(type.kind);
const comparable = (a: Type, b: Type): boolean =>
  isAny(a) || isAny(b) || a.kind === b.kind || a.kind === 'nil' || b.kind === 'nil' || (isNumber(a) && isNumber(b));

function typeOf(node: Node, known: Known): Type {
  const fail = (message: string): never => {
    throw new ExprError(message, known.source, node.at);
  };
  const want = (type: Type, kinds: readonly Kind[], message: string): Type => (fits(type, kinds) ? type : fail(message));
  switch (node.kind) {
    case 'literal':
      return typeOfValue(node.value);
    case 'name':
      return known.names.get(node.name) ?? ANY;
    case 'pointer':
      if (node.name === 'acc') return known.inReduce ? ANY : fail('unknown pointer #acc');
      return node.name === 'index' ? INT : known.item;
    case 'unary': {
      const operand = typeOf(node.operand, known),
        isNot = node.operator === '!';
      return want(operand, isNot ? ['bool'] : ['int', 'float'], `invalid operation: ${isNot ? 'not' : node.operator} (mismatched type ${operand.kind})`);
    }
    case 'binary':
      return typeOfBinary(node, known);
    case 'conditional': {
      const test = typeOf(node.test, known);
      want(test, ['bool'], `non-bool expression (type ${test.kind}) used as condition`);
      const then = typeOf(node.consequent, known),
        otherwise = typeOf(node.otherwise, known);
      return then.kind === otherwise.kind && then.item?.kind === otherwise.item?.kind ? then : ANY;
    }
    case 'member': {
      const object = typeOf(node.object, known),
        key = typeOf(node.key, known);
      want(object, ['map', 'array', 'string'], `type ${object.kind} cannot be indexed`);
      if (object.kind !== 'array') return ANY;
      want(key, ['int', 'float'], `array elements can only be selected using an integer (got ${key.kind})`);
      return object.item!;
    }
    case 'slice': {
      const object = typeOf(node.object, known);
      for (const bound of [node.from, node.to]) if (bound !== null) want(typeOf(bound, known), ['int'], 'non-integer slice index');
      return want(object, ['array', 'string'], `cannot slice ${object.kind}`);
    }
    case 'chain':
      typeOf(node.inner, known);
      return ANY;
    case 'call':
      return typeOfCall(node, known);
    case 'let': {
      const value = typeOf(node.value, known);
      return typeOf(node.body, { ...known, names: new Map(known.names).set(node.name, value) });
    }
    case 'list': {
      const items = node.items.map((item) => typeOf(item, known)),
        [first] = items;
      return first !== undefined && items.every((item) => item.kind === first.kind) ? of('array', first) : ARRAY;
    }
    case 'map':
      for (const [key, value] of node.pairs) {
        typeOf(key, known);
        typeOf(value, known);
      }
      return MAP;
  }
}

function typeOfValue(value: Value): Type {
  if (value === null) return NIL;
  if (typeof value === 'boolean') return BOOL;
  if (typeof value === 'bigint') return INT;
  if (typeof value === 'number') return FLOAT;
  return typeof value === 'string' ? STRING : ANY;
}

function typeOfBinary(node: Node & { kind: 'binary' }, known: Known): Type {
  const left = typeOf(node.left, known),
    right = typeOf(node.right, known),
    { operator } = node;
  const mismatch = (): never => {
    throw new ExprError(`invalid operation: ${operator} (mismatched types ${left.kind} and ${right.kind})`, known.source, node.at);
  };
  const both = (...kinds: Kind[]): void => {
    if (!fits(left, kinds) || !fits(right, kinds)) mismatch();
  };
  const sameFamily = (): void => {
    both('int', 'float', 'string');
    if (!isAny(left) && !isAny(right) && (left.kind === 'string') !== (right.kind === 'string')) mismatch();
  };
  const number = (): Type => (isAny(left) || isAny(right) ? ANY : left.kind === 'int' && right.kind === 'int' ? INT : FLOAT);
  switch (operator) {
    case '==':
    case '!=':
      if (!comparable(left, right)) mismatch();
      return BOOL;
    case 'or':
    case '||':
    case 'and':
    case '&&':
      both('bool');
      return BOOL;
    case '<':
    case '<=':
    case '>':
    case '>=':
      sameFamily();
      return BOOL;
    case '+':
      sameFamily();
      return left.kind === 'string' && right.kind === 'string' ? STRING : number();
    case '-':
    case '*':
      both('int', 'float');
      return number();
    case '/':
    case '**':
    case '^':
      both('int', 'float');
      return FLOAT;
    case '%':
      both('int');
      return INT;
    case '..':
      both('int');
      return of('array', INT);
    case 'matches':
    case 'contains':
    case 'startsWith':
    case 'endsWith':
      both('string');
      return BOOL;
    case 'in':
      if (!fits(right, ['map', 'array']) || (right.item !== null && !comparable(left, right.item))) mismatch();
      if (right.kind === 'map' && !fits(left, ['string', 'nil'])) mismatch();
      return BOOL;
    default:
      return ANY;
  }
}

function typeOfCall(node: Node & { kind: 'call' }, known: Known): Type {
  const { name, args } = node;
  const fail = (message: string): never => {
    throw new ExprError(message, known.source, node.at);
  };
  const overList = Object.hasOwn(OVER_LIST, name) ? OVER_LIST[name]! : undefined;
  if (overList !== undefined && args.length > 0) {
    const items = typeOf(args[0]!, known);
    if (!fits(items, ['array'])) fail(`builtin ${name} takes only array (got ${items.kind})`);
    if (args.length === 1) return overList[0];
    const inner = { ...known, item: items.item ?? ANY, inReduce: known.inReduce || name === 'reduce' },
      result = typeOf(args[1]!, inner);
    if (overList[1] && !fits(result, ['bool'])) fail(`predicate should return boolean (got ${result.kind})`);
    for (const extra of args.slice(2)) typeOf(extra, known);
    return overList[0];
  }
  const types = args.map((arg) => typeOf(arg, known));
  if (name === 'get' && types[0] !== undefined && !fits(types[0], ['map', 'array', 'string', 'nil'])) fail(`type ${types[0].kind} does not support indexing`);
  if (!Object.hasOwn(SIGNATURES, name)) return ANY;
  const [wanted, result] = SIGNATURES[name]!,
    lists = wanted.split(',');
  types.forEach((type, i) => {
    const letters = lists[Math.min(i, lists.length - 1)]!;
    if (
      letters !== '*' &&
      !fits(
        type,
        Array.from(letters).flatMap((letter) => LETTERS[letter]!),
      )
    )
      fail(`cannot use ${type.kind} as argument of ${name}`);
  });
  // The largest of integers is an integer.
  const [first] = types;
  if (['max', 'min', 'abs'].includes(name) && first !== undefined && isNumber(first) && types.every((type) => type.kind === first.kind)) return first;
  return result;
}
