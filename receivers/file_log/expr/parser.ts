/**
 * Parses an expression by operator precedence. Functions that take a predicate (all, map, filter ...) get it as an ordinary argument
 * tree in which `pointer` nodes stand for the element.
 */
import type { Node } from './ast.ts';
import { ExprError, type Token, tokenize } from './lexer.ts';

const BINARY: Readonly<Record<string, readonly [precedence: number, right: boolean]>> = {
  '|': [0, false],
  or: [10, false],
  '||': [10, false],
  and: [15, false],
  '&&': [15, false],
  '==': [20, false],
  '!=': [20, false],
  '<': [20, false],
  '>': [20, false],
  '>=': [20, false],
  '<=': [20, false],
  in: [20, false],
  matches: [20, false],
  contains: [20, false],
  startsWith: [20, false],
  endsWith: [20, false],
  '..': [25, false],
  '+': [30, false],
  '-': [30, false],
  '*': [60, false],
  '/': [60, false],
  '%': [60, false],
  '**': [100, true],
  '^': [100, true],
  '??': [500, false],
};
const UNARY: Readonly<Record<string, number>> = { not: 50, '!': 50, '-': 90, '+': 90 };
const NEGATABLE = new Set(['in', 'matches', 'contains', 'startsWith', 'endsWith']);
/** Function name to the argument that is a predicate over the elements. */
const PREDICATES: Readonly<Record<string, number>> = {
  all: 1,
  none: 1,
  any: 1,
  one: 1,
  filter: 1,
  map: 1,
  count: 1,
  sum: 1,
  find: 1,
  findIndex: 1,
  findLast: 1,
  findLastIndex: 1,
  groupBy: 1,
  sortBy: 1,
  reduce: 1,
};
const MAX_DEPTH = 250;

class Parser {
  readonly source: string;
  readonly tokens: readonly Token[];
  index = 0;
  depth = 0;
  /** How many predicates surround the current place. */
  scopes = 0;

  constructor(source: string) {
    this.source = source;
    this.tokens = tokenize(source);
  }

  get token(): Token {
    return this.tokens[this.index]!;
  }

  is(text: string): boolean {
    const token = this.token;
    return token.text === text && token.kind !== 'string' && token.kind !== 'end';
  }

  next(): Token {
    const token = this.token;
    if (token.kind !== 'end') this.index++;
    return token;
  }

  expect(text: string): void {
    if (!this.is(text)) this.unexpected();
    this.index++;
  }

  accept(text: string): boolean {
    if (!this.is(text)) return false;
    this.index++;
    return true;
  }

  unexpected(): never {
    const token = this.token;
    throw new ExprError(token.kind === 'end' ? 'unexpected token EOF' : `unexpected token ${token.kind}(${JSON.stringify(token.text)})`, this.source, token.at);
  }

  sequence(): Node {
    if (this.is('let')) {
      const at = this.next().at,
        name = this.next();
      if (name.kind !== 'name') throw new ExprError('unexpected token, a variable name is needed', this.source, name.at);
      this.expect('=');
      const value = this.expression(0);
      this.expect(';');
      return { kind: 'let', name: name.text, value, body: this.sequence(), at };
    }
    return this.expression(0);
  }

  expression(precedence: number): Node {
    if (++this.depth > MAX_DEPTH) throw new ExprError('expression nests too deeply', this.source, this.token.at);
    let left: Node = this.is('if') && precedence === 0 ? this.ifElse() : this.primary();
    for (;;) {
      const token = this.token;
      if (token.kind !== 'operator' && token.kind !== 'name') break;
      let operator = token.text,
        negated = false;
      if (operator === 'not' && NEGATABLE.has(this.tokens[this.index + 1]!.text)) {
        operator = this.tokens[this.index + 1]!.text;
        negated = true;
      }
      const entry = Object.hasOwn(BINARY, operator) ? BINARY[operator]! : undefined;
      if (entry === undefined || entry[0] < precedence) break;
      this.index += negated ? 2 : 1;
      if (operator === '|') {
        const name = this.next();
        if (name.kind !== 'name') throw new ExprError('unexpected token, a function name is needed', this.source, name.at);
        left = this.postfix(this.call(name, [left]));
        continue;
      }
      const right = this.expression(entry[1] ? entry[0] : entry[0] + 1);
      left = { kind: 'binary', operator, left, right, at: token.at };
      if (negated) left = { kind: 'unary', operator: '!', operand: left, at: token.at };
    }
    if (precedence === 0 && this.is('?')) {
      const at = this.next().at;
      if (this.accept(':')) left = { kind: 'conditional', test: left, consequent: left, otherwise: this.expression(0), at };
      else {
        const then = this.expression(0);
        this.expect(':');
        left = { kind: 'conditional', test: left, consequent: then, otherwise: this.expression(0), at };
      }
    }
    this.depth--;
    return left;
  }

  ifElse(): Node {
    const at = this.next().at,
      test = this.expression(0);
    this.expect('{');
    const then = this.sequence();
    this.expect('}');
    this.expect('else');
    let otherwise: Node;
    if (this.is('if')) otherwise = this.ifElse();
    else {
      this.expect('{');
      otherwise = this.sequence();
      this.expect('}');
    }
    return { kind: 'conditional', test, consequent: then, otherwise, at };
  }

  primary(): Node {
    const token = this.token;
    if ((token.kind === 'operator' || token.kind === 'name') && Object.hasOwn(UNARY, token.text)) {
      this.index++;
      const operand = this.expression(UNARY[token.text]!);
      const node: Node = { kind: 'unary', operator: token.text === 'not' ? '!' : (token.text as '!' | '-' | '+'), operand, at: token.at };
      return this.postfix(node);
    }
    if (this.accept('(')) {
      const inner = this.sequence();
      this.expect(')');
      return this.postfix(inner);
    }
    if (this.scopes > 0) {
      if (this.accept('#')) {
        const name = this.token;
        if (name.kind === 'name' && (name.text === 'acc' || name.text === 'index') && name.at === token.at + 1) {
          this.index++;
          return this.postfix({ kind: 'pointer', name: name.text, at: token.at });
        }
        return this.postfix({ kind: 'pointer', name: '', at: token.at });
      }
      if (this.is('.')) return this.postfix({ kind: 'pointer', name: '', at: token.at });
    }
    this.next();
    switch (token.kind) {
      case 'number':
        return this.postfix({ kind: 'literal', value: token.value, at: token.at });
      case 'string':
        return this.postfix({ kind: 'literal', value: token.text, at: token.at });
      case 'name': {
        if (token.text === 'true' || token.text === 'false') return this.postfix({ kind: 'literal', value: token.text === 'true', at: token.at });
        if (token.text === 'nil') return this.postfix({ kind: 'literal', value: null, at: token.at });
        if (this.is('(')) return this.postfix(this.call(token, []));
        return this.postfix({ kind: 'name', name: token.text, at: token.at });
      }
      default:
    }
    if (token.kind === 'operator' && token.text === '::') {
      const name = this.next();
      return this.postfix(this.call(name, []));
    }
    if (token.text === '[' && token.kind === 'bracket') return this.postfix(this.list(token.at));
    if (token.text === '{' && token.kind === 'bracket') return this.postfix(this.map(token.at));
    if (token.kind !== 'end') this.index--;
    return this.unexpected();
  }

  list(at: number): Node {
    const items: Node[] = [];
    while (!this.is(']')) {
      if (items.length > 0) {
        this.expect(',');
        if (this.is(']')) break;
      }
      items.push(this.expression(0));
    }
    this.expect(']');
    return { kind: 'list', items, at };
  }

  map(at: number): Node {
    const pairs: [Node, Node][] = [];
    while (!this.is('}')) {
      if (pairs.length > 0) {
        this.expect(',');
        if (this.is('}')) break;
      }
      const token = this.token;
      let key: Node;
      if (token.kind === 'name' || token.kind === 'string' || token.kind === 'number') {
        this.index++;
        key = { kind: 'literal', value: token.text, at: token.at };
      } else if (this.accept('(')) {
        key = this.expression(0);
        this.expect(')');
      } else this.unexpected();
      this.expect(':');
      pairs.push([key, this.expression(0)]);
    }
    this.expect('}');
    return { kind: 'map', pairs, at };
  }

  call(name: Token, given: readonly Node[]): Node {
    const args: Node[] = [...given],
      predicate = Object.hasOwn(PREDICATES, name.text) ? PREDICATES[name.text]! : -1;
    this.expect('(');
    while (!this.is(')')) {
      if (args.length > given.length) {
        this.expect(',');
        if (this.is(')')) break;
      }
      if (args.length === predicate) {
        this.scopes++;
        if (this.accept('{')) {
          args.push(this.sequence());
          this.expect('}');
        } else args.push(this.expression(0));
        this.scopes--;
      } else args.push(this.expression(0));
    }
    this.expect(')');
    return { kind: 'call', name: name.text, args, at: name.at };
  }

  postfix(start: Node): Node {
    let node = start,
      chained = false;
    for (;;) {
      const token = this.token;
      if (this.is('.') || this.is('?.')) {
        const optional = token.text === '?.';
        this.index++;
        chained ||= optional;
        if (optional && this.is('[')) {
          this.index++;
          const key = this.expression(0);
          this.expect(']');
          node = { kind: 'member', object: node, key, optional, at: token.at };
          continue;
        }
        const name = this.next();
        if (name.kind !== 'name') throw new ExprError('expected name', this.source, name.at);
        node = { kind: 'member', object: node, key: { kind: 'literal', value: name.text, at: name.at }, optional, at: token.at };
      } else if (this.is('[')) {
        this.index++;
        let from: Node | null = null;
        if (!this.is(':')) from = this.expression(0);
        if (this.accept(':')) {
          const to = this.is(']') ? null : this.expression(0);
          node = { kind: 'slice', object: node, from, to, at: token.at };
        } else node = { kind: 'member', object: node, key: from!, optional: false, at: token.at };
        this.expect(']');
      } else break;
    }
    return chained ? { kind: 'chain', inner: node, at: node.at } : node;
  }
}

/** Throws ExprError. */
export function parseExpr(source: string): Node {
  const parser = new Parser(source);
  const node = parser.sequence();
  if (parser.token.kind !== 'end') parser.unexpected();
  return node;
}
