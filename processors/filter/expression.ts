/**
 * Expressions of the oldest form of filter (match_type: expr), on the data points of a metric: MetricName, MetricType, HasLabel("k"), Label("k"),
 * texts, comparisons, contains, startsWith, endsWith, matches, in, and, or, not, the conditional. Types are checked when it is compiled: everything
 * is a text or a bool. Numbers, other functions, pipes and predicates of the expr language are not here: nothing of a data point would feed them.
 */
import { compilePattern } from '#ottl/pattern.ts';

/** What an expression is asked of: one data point. */
export interface Labels {
  readonly metricName: string;
  readonly metricType: string;
  /** undefined: there is no such attribute; '' where it is no text. */
  label(key: string): string | undefined;
}

type Text = { readonly type: 'text'; readonly get: (point: Labels) => string; readonly literal?: string };
type Bool = { readonly type: 'bool'; readonly get: (point: Labels) => boolean };
type Part = Text | Bool;

const TOKEN = /\s*(?:("(?:\\[\s\S]|[^"\\])*"|'(?:\\[\s\S]|[^'\\])*'|`[^`]*`)|([A-Za-z_]\w*)|(&&|\|\||[=!<>]=|[<>!?:()[\],]))/y;
/** Deeper nesting is nobody's intention. */
const MAX_DEPTH = 100;

interface Token {
  readonly text: string;
  readonly kind: 'text' | 'name' | 'operator' | 'end';
  readonly at: number;
}

function tokenize(source: string): Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  for (let at = 0; source.slice(at).trim() !== ''; at = TOKEN.lastIndex) {
    TOKEN.lastIndex = at;
    const found = TOKEN.exec(source);
    if (!found) throw fault(source, at + source.slice(at).search(/\S/), 'this is not supported in an expression of filter');
    const [whole, text, name, operator] = found;
    const begin = at + whole.length - whole.trimStart().length;
    tokens.push(
      text !== undefined
        ? { text: unquote(text), kind: 'text', at: begin }
        : name !== undefined
          ? { text: Object.hasOwn(WORDS, name) ? WORDS[name]! : name, kind: Object.hasOwn(WORDS, name) ? 'operator' : 'name', at: begin }
          : { text: operator!, kind: 'operator', at: begin },
    );
  }
  tokens.push({ text: 'the end', kind: 'end', at: source.length });
  return tokens;
}
const WORDS: Readonly<Record<string, string>> = {
  and: '&&', or: '||', not: '!', contains: 'contains', startsWith: 'startsWith', endsWith: 'endsWith', matches: 'matches', in: 'in',
}; // biome-ignore format: pairs
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r' };
function unquote(quoted: string): string {
  const inside = quoted.slice(1, -1);
  return quoted.startsWith('`') ? inside : inside.replaceAll(/\\([\s\S])/g, (_whole, letter: string) => (letter in ESCAPES ? ESCAPES[letter]! : letter));
}
function fault(source: string, at: number, message: string): Error {
  return new Error(`1:${at + 1}: ${message}\n    ${source}\n    ${' '.repeat(at)}^`);
}

class Parser {
  readonly #source: string;
  readonly #tokens: readonly Token[];
  #next = 0;
  #depth = 0;
  constructor(source: string) {
    this.#source = source;
    this.#tokens = tokenize(source);
  }

  whole(): Bool {
    const part = this.#bool(this.#conditional());
    if (this.#peek.kind !== 'end') throw this.#fault(`unexpected ${this.#peek.text}`);
    return part;
  }

  get #peek(): Token {
    return this.#tokens[this.#next]!;
  }
  #fault(message: string, at = this.#peek.at): Error {
    return fault(this.#source, at, message);
  }
  #take(operator: string): boolean {
    if (this.#peek.kind !== 'operator' || this.#peek.text !== operator) return false;
    this.#next++;
    return true;
  }
  #expect(operator: string): void {
    if (!this.#take(operator)) throw this.#fault(`expected ${operator}, found ${this.#peek.text}`);
  }
  #bool(part: Part): Bool {
    return part.type === 'bool' ? part : this.#wrong('a bool');
  }
  #text(part: Part): Text {
    return part.type === 'text' ? part : this.#wrong('a text');
  }
  #wrong(wanted: string): never {
    throw this.#fault(`expected ${wanted} before this`);
  }

  #conditional(): Part {
    if (++this.#depth > MAX_DEPTH) throw this.#fault(`nested more than ${MAX_DEPTH} deep`);
    const left = this.#or();
    this.#depth--;
    if (!this.#take('?')) return left;
    const test = this.#bool(left).get;
    const yes = this.#conditional();
    this.#expect(':');
    const no = this.#conditional();
    if (yes.type === 'text') {
      const other = this.#text(no).get;
      return { type: 'text', get: (point) => (test(point) ? yes.get(point) : other(point)) };
    }
    const other = this.#bool(no).get;
    return { type: 'bool', get: (point) => (test(point) ? yes.get(point) : other(point)) };
  }
  #or(): Part {
    let left = this.#and();
    while (this.#take('||')) {
      const a = this.#bool(left).get;
      const b = this.#bool(this.#and()).get;
      left = { type: 'bool', get: (point) => a(point) || b(point) };
    }
    return left;
  }
  #and(): Part {
    let left = this.#comparison();
    while (this.#take('&&')) {
      const a = this.#bool(left).get;
      const b = this.#bool(this.#comparison()).get;
      left = { type: 'bool', get: (point) => a(point) && b(point) };
    }
    return left;
  }
  #comparison(): Part {
    let left = this.#unary();
    for (;;) {
      const negated = this.#peek.text === '!' && this.#peek.kind === 'operator' && this.#tokens[this.#next + 1]?.text === 'in';
      if (negated) this.#next++;
      const { kind, text } = this.#peek;
      if (kind !== 'operator' || !(Object.hasOwn(RELATIONS, text) || text === 'matches' || text === 'in')) return left;
      this.#next++;
      left = this.#relation(left, text, negated);
    }
  }
  #relation(left: Part, operator: string, negated: boolean): Bool {
    if (operator === 'in') {
      const a = this.#text(left).get;
      const items = this.#list();
      return { type: 'bool', get: (point) => items.some((item) => item.get(point) === a(point)) !== negated };
    }
    const right = this.#unary();
    if ((operator === '==' || operator === '!=') && left.type === 'bool' && right.type === 'bool')
      return { type: 'bool', get: (point) => (left.get(point) === right.get(point)) === (operator === '==') };
    const a = this.#text(left).get;
    const { get: b, literal } = this.#text(right);
    if (operator !== 'matches') {
      const relation = RELATIONS[operator]!;
      return { type: 'bool', get: (point) => relation(a(point), b(point)) };
    }
    if (literal === undefined) throw this.#fault('a pattern must be a literal text');
    const pattern = compilePattern(literal);
    return { type: 'bool', get: (point) => pattern.test(a(point)) };
  }
  #list(): Text[] {
    const items: Text[] = [];
    this.#expect('[');
    while (!this.#take(']')) {
      items.push(this.#text(this.#conditional()));
      if (!this.#take(',') && this.#peek.text !== ']') throw this.#fault('expected , or ]');
    }
    return items;
  }
  #unary(): Part {
    if (this.#take('!')) {
      if (++this.#depth > MAX_DEPTH) throw this.#fault(`nested more than ${MAX_DEPTH} deep`);
      const { get } = this.#bool(this.#unary());
      this.#depth--;
      return { type: 'bool', get: (point) => !get(point) };
    }
    if (this.#take('(')) {
      const inner = this.#conditional();
      this.#expect(')');
      return inner;
    }
    const { kind, text } = this.#peek;
    if (kind === 'text') {
      this.#next++;
      return { type: 'text', get: () => text, literal: text };
    }
    if (kind !== 'name') throw this.#fault(`unexpected ${text}, expected a value`);
    return this.#name(text);
  }
  #name(name: string): Part {
    const { at } = this.#peek;
    this.#next++;
    switch (name) {
      case 'true':
      case 'false':
        return { type: 'bool', get: () => name === 'true' };
      case 'MetricName':
        return { type: 'text', get: (point) => point.metricName };
      case 'MetricType':
        return { type: 'text', get: (point) => point.metricType };
      case 'HasLabel':
      case 'Label': {
        this.#expect('(');
        const { get } = this.#text(this.#conditional());
        this.#expect(')');
        if (name === 'Label') return { type: 'text', get: (point) => point.label(get(point)) ?? '' };
        return { type: 'bool', get: (point) => point.label(get(point)) !== undefined };
      }
    }
    throw this.#fault(`"${name}" is not supported in an expression of filter; use MetricName, MetricType, HasLabel(...) or Label(...)`, at);
  }
}
const RELATIONS: Readonly<Record<string, (a: string, b: string) => boolean>> = {
  '==': (a, b) => a === b,
  '!=': (a, b) => a !== b,
  '<': (a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)) < 0,
  '<=': (a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)) <= 0,
  '>': (a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)) > 0,
  '>=': (a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)) >= 0,
  contains: (a, b) => a.includes(b),
  startsWith: (a, b) => a.startsWith(b),
  endsWith: (a, b) => a.endsWith(b),
};

/** Throws with the place and a caret where the text is no such expression. */
export function compileLabelsExpression(source: string): (point: Labels) => boolean {
  return new Parser(source).whole().get;
}
