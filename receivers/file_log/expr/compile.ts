/**
 * Compiles an expression's tree to closures over a frame. Variables and elements of predicates live in numbered slots of the frame.
 * Unknown names are nil, as in the Collector; unknown functions are refused when the configuration is read.
 */
import type { Entry } from '#receivers/file_log/entry.ts';
import { Instant, isMap, OpaqueMap, typeName, type Value } from '#receivers/file_log/value.ts';
import { compilePattern, type Pattern } from '#src/core/regexp/pattern.ts';
import { RecentPatterns } from '#src/core/regexp/recent.ts';
import { UTC } from '#src/helper/time/zone.ts';
import type { Node } from './ast.ts';
import { kindOf } from './check.ts';
import { compileCall } from './functions.ts';
import { ExprError } from './lexer.ts';
import { add, arithmetic, compare, equal, fetch, includes, negate, power, range, slice, text, truth } from './operations.ts';
import { parseExpr } from './parser.ts';

export class Frame {
  readonly entry: Entry;
  readonly slots: Value[];
  constructor(entry: Entry, slotCount: number) {
    this.entry = entry;
    this.slots = new Array<Value>(slotCount).fill(null);
  }
}
export type Evaluate = (frame: Frame) => Value;

/** Stands for the rest of a chain after an optional member of nil. */
const SKIPPED = new OpaqueMap(new Map());

/** What names mean while compiling: variables and the slots of the innermost predicate. */
export class Scope {
  readonly source: string;
  readonly names: ReadonlyMap<string, number>;
  /** Slots of element, index and accumulator; -1 outside of a predicate. */
  readonly item: number;
  readonly #counter: { slots: number };
  constructor(source: string, names: ReadonlyMap<string, number>, item: number, counter: { slots: number }) {
    this.source = source;
    this.names = names;
    this.item = item;
    this.#counter = counter;
  }
  get slotCount(): number {
    return this.#counter.slots;
  }
  withName(name: string): [Scope, number] {
    const slot = this.#counter.slots++;
    return [new Scope(this.source, new Map(this.names).set(name, slot), this.item, this.#counter), slot];
  }
  withPredicate(): [Scope, number] {
    const slot = this.#counter.slots;
    this.#counter.slots += 3;
    return [new Scope(this.source, this.names, slot, this.#counter), slot];
  }
}

export function compileNode(node: Node, scope: Scope): Evaluate {
  switch (node.kind) {
    case 'literal': {
      const value = node.value;
      return () => value;
    }
    case 'name':
      return compileName(node.name, scope);
    case 'pointer': {
      const slot = scope.item + (node.name === '' ? 0 : node.name === 'index' ? 1 : 2);
      return (frame) => frame.slots[slot]!;
    }
    case 'unary': {
      const operand = compileNode(node.operand, scope);
      if (node.operator === '!') return (frame) => !truth(operand(frame));
      return node.operator === '-' ? (frame) => negate(operand(frame)) : operand;
    }
    case 'binary':
      return compileBinary(node, scope);
    case 'conditional': {
      const test = compileNode(node.test, scope),
        then = compileNode(node.consequent, scope),
        otherwise = compileNode(node.otherwise, scope);
      return (frame) => (truth(test(frame)) ? then(frame) : otherwise(frame));
    }
    case 'member': {
      const object = compileNode(node.object, scope),
        optional = node.optional;
      if (node.key.kind === 'literal' && typeof node.key.value === 'string') {
        const key = node.key.value;
        return (frame) => {
          const value = object(frame);
          if (isMap(value)) return value.get(key) ?? null;
          if (value === SKIPPED || (value === null && optional)) return SKIPPED;
          return fetch(value, key);
        };
      }
      const key = compileNode(node.key, scope);
      return (frame) => {
        const value = object(frame);
        if (value === SKIPPED || (value === null && optional)) return SKIPPED;
        return fetch(value, key(frame));
      };
    }
    case 'chain': {
      const inner = compileNode(node.inner, scope);
      return (frame) => {
        const value = inner(frame);
        return value === SKIPPED ? null : value;
      };
    }
    case 'slice': {
      const object = compileNode(node.object, scope),
        from = node.from && compileNode(node.from, scope),
        to = node.to && compileNode(node.to, scope);
      return (frame) => slice(object(frame), from ? from(frame) : null, to ? to(frame) : null);
    }
    case 'call':
      return compileCall(node, scope);
    case 'let': {
      const value = compileNode(node.value, scope);
      const [inner, slot] = scope.withName(node.name);
      const body = compileNode(node.body, inner);
      return (frame) => {
        frame.slots[slot] = value(frame);
        return body(frame);
      };
    }
    case 'list': {
      const items = node.items.map((item) => compileNode(item, scope));
      return (frame) => items.map((item) => item(frame));
    }
    case 'map': {
      const pairs = node.pairs.map(([key, value]) => [compileNode(key, scope), compileNode(value, scope)] as const);
      return (frame) => new Map(pairs.map(([key, value]): [string, Value] => [text(key(frame)), value(frame)]));
    }
  }
}

/** A time that was not set: the year 1, which is not nil. */
const NO_TIME = new Instant(-62_135_596_800, 0, UTC);

function compileName(name: string, scope: Scope): Evaluate {
  const slot = scope.names.get(name);
  if (slot !== undefined) return (frame) => frame.slots[slot]!;
  switch (name) {
    case '$':
    case 'body':
      return (frame) => frame.entry.body;
    case 'attributes':
      return (frame) => frame.entry.attributes;
    case 'resource':
      return (frame) => frame.entry.resource;
    case 'timestamp':
      return ({ entry }) => (entry.hasTime ? new Instant(entry.seconds, entry.nanos, UTC) : NO_TIME);
    default:
      return () => null;
  }
}

function compileBinary(node: Node & { kind: 'binary' }, scope: Scope): Evaluate {
  const left = compileNode(node.left, scope),
    right = compileNode(node.right, scope);
  switch (node.operator) {
    case 'or':
    case '||':
      // Only the left side is looked at; what the right one gives is the result, nil too.
      return (frame) => truth(left(frame)) || right(frame);
    case 'and':
    case '&&':
      return (frame) => truth(left(frame)) && right(frame);
    case '==':
      return (frame) => equal(left(frame), right(frame));
    case '!=':
      return (frame) => !equal(left(frame), right(frame));
    case '<':
      return (frame) => compare(left(frame), right(frame), '<') < 0;
    case '<=':
      return (frame) => compare(left(frame), right(frame), '<=') <= 0;
    case '>':
      return (frame) => compare(left(frame), right(frame), '>') > 0;
    case '>=':
      return (frame) => compare(left(frame), right(frame), '>=') >= 0;
    case '+':
      return (frame) => add(left(frame), right(frame));
    case '-':
    case '*':
    case '/':
    case '%': {
      const operator = node.operator;
      return (frame) => arithmetic(left(frame), right(frame), operator);
    }
    case '**':
    case '^':
      return (frame) => power(left(frame), right(frame));
    case '..':
      return (frame) => range(left(frame), right(frame));
    case '??':
      return (frame) => left(frame) ?? right(frame);
    case 'in':
      return (frame) => includes(left(frame), right(frame));
    case 'matches':
      return compileMatches(node, left, right, scope);
    // Nil contains nothing and is not an error.
    case 'contains':
      return (frame) => textOf(left(frame), right(frame), (a, b) => a.includes(b));
    case 'startsWith':
      return (frame) => textOf(left(frame), right(frame), (a, b) => a.startsWith(b));
    case 'endsWith':
      return (frame) => textOf(left(frame), right(frame), (a, b) => a.endsWith(b));
    default:
      throw new ExprError(`unknown operator ${node.operator}`, scope.source, node.at);
  }
}

function textOf(left: Value, right: Value, work: (a: string, b: string) => boolean): boolean {
  if (left === null || right === null) return false;
  return work(text(left), text(right));
}

function compileMatches(node: Node & { kind: 'binary' }, left: Evaluate, right: Evaluate, scope: Scope): Evaluate {
  if (node.right.kind === 'literal' && typeof node.right.value === 'string') {
    let pattern: Pattern;
    try {
      pattern = compilePattern(node.right.value);
    } catch (error) {
      throw new ExprError((error as Error).message, scope.source, node.right.at);
    }
    return (frame) => {
      const value = left(frame);
      return value !== null && pattern.test(text(value));
    };
  }
  const recent = new RecentPatterns(compilePattern, 16);
  return (frame) => {
    const value = left(frame),
      pattern = right(frame);
    return value !== null && pattern !== null && recent.get(text(pattern)).test(text(value));
  };
}

/** A compiled expression. Throws an Error while evaluating where types do not fit. */
export class Expression {
  readonly source: string;
  readonly #evaluate: Evaluate;
  readonly #slotCount: number;

  /** Throws ExprError where `source` does not compile. `wantBool`: a result that can only be something else is refused, too. */
  constructor(source: string, wantBool = false) {
    this.source = source;
    const node = parseExpr(source),
      scope = new Scope(source, new Map(), -1, { slots: 0 });
    const kind = kindOf(node, source);
    if (wantBool && kind !== 'any' && kind !== 'bool') throw new ExprError(`expected bool, but got ${kind}`, source, 0);
    this.#evaluate = compileNode(node, scope);
    this.#slotCount = scope.slotCount;
  }

  evaluate(entry: Entry): Value {
    return this.#evaluate(new Frame(entry, this.#slotCount));
  }

  test(entry: Entry): boolean {
    const value = this.evaluate(entry);
    if (value === null) return false;
    if (typeof value !== 'boolean') throw new Error(`expression "${this.source}" gave ${typeName(value)} instead of bool`);
    return value;
  }
}
