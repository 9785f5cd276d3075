/** XPath 1.0 expressions, parsed: https://www.w3.org/TR/1999/REC-xpath-19991116/ Absent: variables. */
import { fail } from '#ottl/values.ts';

export type Axis =
  | 'child'
  | 'descendant'
  | 'descendant-or-self'
  | 'self'
  | 'parent'
  | 'ancestor'
  | 'ancestor-or-self'
  | 'attribute'
  | 'following-sibling'
  | 'preceding-sibling'
  | 'following'
  | 'preceding';
const AXES: ReadonlySet<string> = new Set<Axis>([
  'child',
  'descendant',
  'descendant-or-self',
  'self',
  'parent',
  'ancestor',
  'ancestor-or-self',
  'attribute',
  'following-sibling',
  'preceding-sibling',
  'following',
  'preceding',
]);
export interface Step {
  readonly axis: Axis;
  /** A name, "*", "prefix:*", or a kind of node: "text()". */
  readonly test: string;
  readonly predicates: readonly XPath[];
}
export type XPath =
  | { readonly kind: 'path'; readonly from: XPath | 'root' | 'here'; readonly steps: readonly Step[] }
  | { readonly kind: 'filter'; readonly of: XPath; readonly predicates: readonly XPath[] }
  | { readonly kind: 'binary'; readonly op: string; readonly left: XPath; readonly right: XPath }
  | { readonly kind: 'negate'; readonly of: XPath }
  | { readonly kind: 'text'; readonly value: string }
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly XPath[] };

const TOKEN =
  /\s*(?:(\d+(?:\.\d*)?|\.\d+)|("[^"]*"|'[^']*')|([\p{L}_][\p{L}\p{N}_.\-·]*(?::(?!:)[\p{L}_*][\p{L}\p{N}_.\-·]*)?)|(\/\/|::|\.\.|!=|<=|>=|[()[\].@,/|+\-=<>*]))/uy;
interface Token {
  readonly kind: 'number' | 'text' | 'name' | 'mark' | 'end';
  readonly text: string;
}
/** How many parentheses and predicates may be open at once. */
const MAX_DEPTH = 64;
const OPERATORS: readonly (readonly string[])[] = [['or'], ['and'], ['=', '!='], ['<', '<=', '>', '>='], ['+', '-'], ['*', 'div', 'mod']];
const NODE_KINDS: ReadonlySet<string> = new Set(['text', 'node', 'comment', 'processing-instruction']);

/** Throws OttlError, "invalid xpath: …". */
export function parseXPath(source: string): XPath {
  const parser = new Parser(source),
    parsed = parser.binary(0);
  parser.end();
  return parsed;
}

class Parser {
  readonly #tokens: Token[] = [];
  readonly #source: string;
  #at = 0;
  #depth = 0;
  constructor(source: string) {
    this.#source = source;
    let at = 0;
    while (source.slice(at).trim() !== '') {
      TOKEN.lastIndex = at;
      const match = TOKEN.exec(source);
      if (match === null) throw this.#fail(`${source} has an invalid token`);
      const [, number, text, name, mark] = match;
      this.#tokens.push(
        number !== undefined
          ? { kind: 'number', text: number }
          : text !== undefined
            ? { kind: 'text', text: text.slice(1, -1) }
            : name !== undefined
              ? { kind: 'name', text: name }
              : { kind: 'mark', text: mark! },
      );
      at = TOKEN.lastIndex;
    }
    if (this.#tokens.length === 0) this.#fail('expr expression is nil');
  }
  #fail(message: string): never {
    return fail(`invalid xpath: ${message}`);
  }
  #peek(ahead = 0): Token {
    return this.#tokens[this.#at + ahead] ?? { kind: 'end', text: '' };
  }
  #is(mark: string, ahead = 0): boolean {
    const token = this.#peek(ahead);
    return token.kind === 'mark' && token.text === mark;
  }
  #take(mark: string): boolean {
    if (!this.#is(mark)) return false;
    this.#at++;
    return true;
  }
  #expect(mark: string): void {
    if (!this.#take(mark)) this.#fail(`${this.#source} has an invalid token: expected ${mark}`);
  }
  end(): void {
    if (this.#peek().kind !== 'end') this.#fail(`${this.#source} has an invalid token: ${this.#peek().text}`);
  }
  binary(level: number): XPath {
    if (level === OPERATORS.length) return this.#unary();
    let left = this.binary(level + 1);
    for (;;) {
      const token = this.#peek();
      if ((token.kind !== 'mark' && token.kind !== 'name') || !OPERATORS[level]!.includes(token.text)) return left;
      this.#at++;
      left = { kind: 'binary', op: token.text, left, right: this.binary(level + 1) };
    }
  }
  #unary(): XPath {
    let negative = false;
    while (this.#take('-')) negative = !negative;
    let left = this.#path();
    while (this.#take('|')) left = { kind: 'binary', op: '|', left, right: this.#path() };
    return negative ? { kind: 'negate', of: left } : left;
  }
  #nested(): XPath {
    if (++this.#depth > MAX_DEPTH) this.#fail('nested too deep');
    const inner = this.binary(0);
    this.#depth--;
    return inner;
  }
  #path(): XPath {
    const token = this.#peek();
    if (this.#take('/')) return { kind: 'path', from: 'root', steps: this.#beginsStep() ? this.#steps() : [] };
    if (this.#take('//')) return { kind: 'path', from: 'root', steps: [EVERYWHERE, ...this.#steps()] };
    let from: XPath | null = null;
    if (token.kind === 'number' || token.kind === 'text') {
      this.#at++;
      from = token.kind === 'number' ? { kind: 'number', value: Number(token.text) } : { kind: 'text', value: token.text };
    } else if (this.#take('(')) {
      from = this.#nested();
      this.#expect(')');
    } else if (token.kind === 'name' && this.#is('(', 1) && !NODE_KINDS.has(token.text)) from = this.#call();
    if (from === null) return { kind: 'path', from: 'here', steps: this.#steps() };
    const predicates = this.#predicates(),
      filtered: XPath = predicates.length > 0 ? { kind: 'filter', of: from, predicates } : from;
    if (this.#take('/')) return { kind: 'path', from: filtered, steps: this.#steps() };
    if (this.#take('//')) return { kind: 'path', from: filtered, steps: [EVERYWHERE, ...this.#steps()] };
    return filtered;
  }
  #call(): XPath {
    const { text: name } = this.#peek();
    if (!FUNCTION_NAMES.has(name)) this.#fail(`not yet support this function ${name}()`);
    this.#at += 2;
    const args: XPath[] = [];
    while (!this.#is(')')) {
      args.push(this.#nested());
      if (!this.#is(')')) this.#expect(',');
    }
    this.#at++;
    return { kind: 'call', name, args };
  }
  #beginsStep(): boolean {
    return this.#peek().kind === 'name' || this.#is('*') || this.#is('@') || this.#is('.') || this.#is('..');
  }
  #steps(): Step[] {
    const steps = [this.#step()];
    for (;;) {
      if (this.#take('//')) steps.push(EVERYWHERE, this.#step());
      else if (this.#take('/')) steps.push(this.#step());
      else return steps;
    }
  }
  #step(): Step {
    if (this.#take('..')) return { axis: 'parent', test: 'node()', predicates: this.#predicates() };
    if (this.#take('.')) return { axis: 'self', test: 'node()', predicates: this.#predicates() };
    let axis: Axis = 'child';
    if (this.#take('@')) axis = 'attribute';
    else if (this.#peek().kind === 'name' && this.#is('::', 1)) {
      const name = this.#peek().text;
      axis = AXES.has(name) ? (name as Axis) : this.#fail(`unknown axis ${name}`);
      this.#at += 2;
    }
    return { axis, test: this.#test(), predicates: this.#predicates() };
  }
  #test(): string {
    if (this.#take('*')) return '*';
    const token = this.#peek();
    if (token.kind !== 'name') return this.#fail(`${this.#source} has an invalid token: expected a name`);
    this.#at++;
    if (!NODE_KINDS.has(token.text) || !this.#take('(')) return token.text;
    if (this.#peek().kind === 'text') this.#at++; // processing-instruction("target")
    this.#expect(')');
    return `${token.text}()`;
  }
  #predicates(): XPath[] {
    const predicates: XPath[] = [];
    while (this.#take('[')) {
      predicates.push(this.#nested());
      this.#expect(']');
    }
    return predicates;
  }
}
const EVERYWHERE: Step = { axis: 'descendant-or-self', test: 'node()', predicates: [] };
const FUNCTION_NAMES: ReadonlySet<string> = new Set([
  'last',
  'position',
  'count',
  'name',
  'local-name',
  'namespace-uri',
  'string',
  'concat',
  'starts-with',
  'ends-with',
  'contains',
  'substring',
  'substring-before',
  'substring-after',
  'string-length',
  'normalize-space',
  'translate',
  'boolean',
  'not',
  'true',
  'false',
  'number',
  'sum',
  'floor',
  'ceiling',
  'round',
  'lower-case',
  'upper-case',
  'string-join',
  'reverse',
]);
