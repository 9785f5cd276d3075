/**
 * Tokens to the syntax tree: one recursive function with binding strengths. What is checked here is form; types are checked in check.ts.
 * All features that Prometheus keeps behind flags (experimental functions, arithmetic in durations, anchored and smoothed, fill) are on.
 */
import { ParseError, parseErrorAt } from '#src/promql/errors.ts';
import { parseDuration } from '#src/promql/format/duration.ts';
import { quoteGo } from '#src/core/go_quote.ts';
import { compileMatcher } from '#src/core/matcher.ts';
import type { Matcher, MatchOperator } from '#src/core/series.ts';
import type {
  Aggregate,
  AggregateOp,
  Binary,
  BinaryOp,
  DurationExpr,
  DurationOperation,
  Expr,
  NumberLiteral,
  TimeShift,
  VectorMatching,
  VectorSelector,
} from './ast.ts';
import { check } from './check.ts';
import { type Token, tokenize } from './lexer.ts';
import { SIGNATURES } from './signatures.ts';

const BINDING: Readonly<Record<string, number>> = {
  or: 1,
  and: 2,
  unless: 2,
  '==': 3,
  '!=': 3,
  '<': 3,
  '<=': 3,
  '>': 3,
  '>=': 3,
  '</': 3,
  '>/': 3,
  '+': 4,
  '-': 4,
  '*': 5,
  '/': 5,
  '%': 5,
  atan2: 5,
  '^': 6,
};
const UNARY_BINDING = 5;
/** Deeper trees are refused: the parser and the engine recurse. */
const MAX_DEPTH = 500;
/** 64 bits of nanoseconds, in seconds. */
const MAX_SECONDS = 9_223_372_036;
/** These keywords may name a metric; bool, on, ignoring, group_left, group_right and atan2 may not. */
const METRIC_KEYWORDS = new Set('and or unless by without offset start end step range anchored smoothed fill fill_left fill_right'.split(' '));
const PARAMETRIC = new Set<string>(['topk', 'bottomk', 'quantile', 'count_values', 'limitk', 'limit_ratio']);
const CALL_KEYWORDS = new Set(['start', 'end', 'step', 'range', 'min_of', 'max_of']);

/** The checked tree of an expression. Throws ParseError. */
export function parseExpr(query: string): Expr {
  if (query.length > 1_000_000) throw new ParseError('parse error: query is longer than 1000000 characters');
  const parser = new Parser(query);
  const expr = parser.whole();
  check(expr, query);
  return expr;
}

/** A bare selector ("up{job="x"}"), as match[] and exemplar queries take it. */
export function parseSelector(text: string): Matcher[] {
  return new Parser(text).selectorOnly().matchers;
}

class Parser {
  readonly #query: string;
  readonly #tokens: Token[];
  #at = 0;
  #depth = 0;

  constructor(query: string) {
    this.#query = query;
    this.#tokens = tokenize(query);
  }

  whole(): Expr {
    if (this.#peek().type === 'end') throw this.#error(this.#peek(), 'no expression found in input');
    const expr = this.#expr(0);
    if (this.#peek().type !== 'end') throw this.#unexpected('', '');
    return expr;
  }

  selectorOnly(): VectorSelector {
    if (this.#peek().type === 'end') throw this.#error(this.#peek(), 'unexpected end of input');
    const selector = this.#selector();
    if (this.#peek().type !== 'end') throw this.#unexpected('', '');
    return selector;
  }

  #peek(ahead = 0): Token {
    return this.#tokens[Math.min(this.#at + ahead, this.#tokens.length - 1)]!;
  }
  #next(): Token {
    const token = this.#peek();
    this.#at++;
    return token;
  }
  #is(text: string, ahead = 0): boolean {
    const token = this.#peek(ahead);
    return token.text === text && token.type !== 'string' && token.type !== 'end';
  }
  #accept(text: string): boolean {
    if (!this.#is(text)) return false;
    this.#at++;
    return true;
  }
  #expect(text: string, context: string, expected = `"${text}"`): Token {
    if (!this.#is(text)) throw this.#unexpected(context, expected);
    return this.#next();
  }
  #error(at: { start: number }, message: string): ParseError {
    return parseErrorAt(this.#query, at.start, message);
  }
  #unexpected(context: string, expected: string): ParseError {
    const token = this.#peek();
    return this.#error(token, `unexpected ${describe(token)}${context === '' ? '' : ` in ${context}`}${expected === '' ? '' : `, expected ${expected}`}`);
  }

  #expr(minBinding: number): Expr {
    if (++this.#depth > MAX_DEPTH) throw this.#error(this.#peek(), 'expression is nested too deeply');
    let left = this.#unary();
    for (;;) {
      const token = this.#peek();
      const binding = token.type === 'op' ? BINDING[token.text] : undefined;
      if (binding === undefined || binding < minBinding) break;
      this.#next();
      left = this.#binary(left, token.text as BinaryOp, binding);
    }
    this.#depth--;
    return left;
  }

  #binary(lhs: Expr, op: BinaryOp, binding: number): Binary {
    const bool = this.#accept('bool');
    const matching: VectorMatching = { cardinality: 'one-to-one', on: false, labels: [], include: [], fillLeft: null, fillRight: null };
    if (this.#is('on') || this.#is('ignoring')) {
      matching.on = this.#next().text === 'on';
      matching.labels = this.#groupingLabels();
      if (this.#is('group_left') || this.#is('group_right')) {
        matching.cardinality = this.#next().text === 'group_left' ? 'many-to-one' : 'one-to-many';
        if (this.#is('(')) matching.include = this.#groupingLabels();
      }
    }
    if (this.#is('fill') && this.#is('(', 1)) {
      this.#next();
      matching.fillLeft = matching.fillRight = this.#fillValue();
    } else {
      for (let i = 0; i < 2 && (this.#is('fill_left') || this.#is('fill_right')) && this.#is('(', 1); i++) {
        const side = this.#peek().text === 'fill_left' ? 'fillLeft' : 'fillRight';
        if (matching[side] !== null) break;
        this.#next();
        matching[side] = this.#fillValue();
      }
    }
    const rhs = this.#expr(op === '^' ? binding : binding + 1);
    return { kind: 'binary', op, lhs, rhs, bool, matching, start: lhs.start, end: rhs.end };
  }

  #fillValue(): number {
    this.#expect('(', 'fill modifier');
    const negative = this.#is('-');
    if (negative || this.#is('+')) this.#next();
    if (this.#peek().type !== 'number') throw this.#unexpected('fill modifier', 'number');
    const value = this.#number().value;
    this.#expect(')', 'fill modifier');
    return negative ? -value : value;
  }

  #unary(): Expr {
    const token = this.#peek();
    if (token.type !== 'op' || (token.text !== '-' && token.text !== '+')) return this.#postfix(this.#primary());
    this.#next();
    const operand = this.#expr(UNARY_BINDING + 1);
    if (operand.kind === 'number') return { ...operand, value: token.text === '-' ? -operand.value : operand.value, start: token.start };
    return { kind: 'unary', op: token.text, expr: operand, start: token.start, end: operand.end };
  }

  #primary(): Expr {
    const token = this.#peek();
    if (token.type === 'number') return this.#number();
    if (token.type === 'string') {
      this.#next();
      return { kind: 'string', value: token.text, start: token.start, end: token.end };
    }
    if (this.#is('(')) {
      this.#next();
      const expr = this.#expr(0);
      const close = this.#closeParen();
      return { kind: 'paren', expr, start: token.start, end: close.end };
    }
    if (token.type === 'aggregate' && (this.#is('(', 1) || this.#is('by', 1) || this.#is('without', 1))) return this.#aggregate();
    if ((token.type === 'identifier' || CALL_KEYWORDS.has(token.text)) && this.#is('(', 1)) return this.#call();
    return this.#selector();
  }

  #closeParen(): Token {
    if (!this.#is(')')) throw this.#unexpected('', '');
    return this.#next();
  }

  #number(): NumberLiteral {
    const token = this.#next();
    const text = token.text.replaceAll('_', '');
    const { start, end } = token;
    if (text === 'inf') return { kind: 'number', value: Number.POSITIVE_INFINITY, duration: false, start, end };
    if (text === 'nan') return { kind: 'number', value: Number.NaN, duration: false, start, end };
    if (/^0[0-7]+$/.test(text)) return { kind: 'number', value: Number.parseInt(text, 8), duration: false, start, end };
    if (/[smhdwy]$/.test(text)) {
      const ms = parseDuration(text);
      if (ms === undefined) throw this.#error(token, `not a valid duration string: ${quoteGo(text)}`);
      return { kind: 'number', value: ms / 1000, duration: true, start, end };
    }
    return { kind: 'number', value: Number(text), duration: false, start, end };
  }

  #call(): Expr {
    const name = this.#next();
    const func = SIGNATURES.get(name.type === 'keyword' ? name.text : name.raw);
    if (func === undefined) throw this.#error(name, `unknown function with name ${quoteGo(name.raw)}`);
    const args = this.#arguments();
    return { kind: 'call', func, args, start: name.start, end: this.#peek(-1).end };
  }

  #arguments(): Expr[] {
    this.#expect('(', '');
    const args: Expr[] = [];
    if (!this.#is(')')) {
      do {
        if (args.length > 0 && this.#is(')')) throw this.#error(this.#peek(-1), 'trailing commas not allowed in function call args');
        args.push(this.#expr(0));
      } while (this.#accept(','));
    }
    this.#closeParen();
    return args;
  }

  #aggregate(): Aggregate {
    const token = this.#next();
    const op = token.text as AggregateOp;
    let without = false;
    let grouping: string[] = [];
    const modifier = (): boolean => {
      if (!this.#is('by') && !this.#is('without')) return false;
      without = this.#next().text === 'without';
      grouping = this.#groupingLabels();
      return true;
    };
    const before = modifier();
    if (!this.#is('(')) throw this.#unexpected('aggregation', '');
    const args = this.#arguments();
    const close = this.#peek(-1);
    if (!before) modifier();
    const wanted = PARAMETRIC.has(op) ? 2 : 1;
    if (args.length === 0) throw this.#error(token, 'no arguments for aggregate expression provided');
    if (args.length !== wanted) throw this.#error(token, `wrong number of arguments for aggregate expression provided, expected ${wanted}, got ${args.length}`);
    const end = Math.max(close.end, this.#peek(-1).end);
    return { kind: 'aggregate', op, expr: args[wanted - 1]!, param: wanted === 2 ? args[0]! : null, grouping, without, start: token.start, end };
  }

  #groupingLabels(): string[] {
    if (!this.#is('(')) throw this.#unexpected('grouping opts', '"("');
    this.#next();
    const labels: string[] = [];
    while (!this.#is(')')) {
      const token = this.#peek();
      const name = token.type === 'string' ? token.text : token.raw;
      const isWord = ['identifier', 'keyword', 'aggregate', 'string', 'metric'].includes(token.type) || /^[a-zA-Z]/.test(token.raw);
      if (!isWord) throw this.#unexpected('grouping opts', 'label');
      if (name === '' || (token.type === 'metric' && name.includes(':'))) throw this.#error(token, `invalid label name for grouping: ${quoteGo(name)}`);
      this.#next();
      labels.push(name);
      if (!this.#accept(',') && !this.#is(')')) throw this.#unexpected('grouping opts', '"," or ")"');
    }
    this.#next();
    return labels;
  }

  #selector(): VectorSelector {
    const token = this.#peek();
    const named =
      token.type === 'identifier' || token.type === 'metric' || token.type === 'aggregate' || (METRIC_KEYWORDS.has(token.text) && token.type !== 'string');
    if (!named && !this.#is('{')) throw this.#unexpected('', '');
    if (named) this.#next();
    const name = named ? token.raw : '';
    const matchers = this.#is('{') ? this.#matchers() : [];
    if (named) matchers.push({ name: '__name__', op: '=', value: name });
    return {
      kind: 'selector',
      name,
      matchers,
      offsetMs: 0,
      offsetExpr: null,
      atMs: null,
      startOrEnd: '',
      anchored: false,
      smoothed: false,
      statsOnly: false,
      mayBeEmpty: false,
      start: token.start,
      end: this.#peek(-1).end,
    };
  }

  #matchers(): Matcher[] {
    this.#next();
    const matchers: Matcher[] = [];
    while (!this.#is('}')) {
      const label = this.#peek();
      if (label.type !== 'identifier' && label.type !== 'string') throw this.#unexpected('label matching', 'identifier or "}"');
      this.#next();
      if (label.type === 'string' && (this.#is(',') || this.#is('}'))) matchers.push({ name: '__name__', op: '=', value: label.text });
      else {
        const op = this.#peek();
        if (op.type !== 'op' || !['=', '!=', '=~', '!~'].includes(op.text)) throw this.#unexpected('label matching', 'label matching operator');
        this.#next();
        const value = this.#peek();
        if (value.type !== 'string') throw this.#unexpected('label matching', 'string');
        this.#next();
        const matcher: Matcher = { name: label.text, op: op.text as MatchOperator, value: value.text };
        try {
          compileMatcher(matcher);
        } catch (error) {
          throw this.#error(label, (error as Error).message);
        }
        matchers.push(matcher);
      }
      if (!this.#accept(',') && !this.#is('}')) throw this.#unexpected('label matching', '"," or "}"');
    }
    this.#next();
    return matchers;
  }

  #postfix(primary: Expr): Expr {
    let expr = primary;
    for (;;) {
      if (this.#is('[')) expr = this.#range(expr);
      else if (this.#is('offset') && this.#peek().type === 'keyword') this.#offset(expr);
      else if (this.#is('@')) this.#at_(expr);
      else if (this.#is('anchored') || this.#is('smoothed')) this.#extended(expr);
      else return expr;
    }
  }

  #range(expr: Expr): Expr {
    const open = this.#next();
    const range = this.#positive(this.#duration(0, 'subquery or range selector', 'number, duration, step(), or range()'));
    if (this.#accept(':')) {
      const step = this.#is(']') ? null : this.#positive(this.#duration(0, 'subquery selector', 'number, duration, step(), range(), or "]"'));
      this.#expect(']', 'subquery selector');
      return {
        kind: 'subquery',
        expr,
        rangeMs: literalMs(range),
        rangeExpr: operation(range),
        stepMs: step === null ? 0 : literalMs(step),
        stepExpr: step === null ? null : operation(step),
        offsetMs: 0,
        offsetExpr: null,
        atMs: null,
        startOrEnd: '',
        start: expr.start,
        end: this.#peek(-1).end,
      };
    }
    this.#expect(']', 'subquery or range', '":" or "]"');
    if (expr.kind !== 'selector') throw this.#error(open, 'ranges only allowed for vector selectors');
    if (expr.offsetMs !== 0 || expr.offsetExpr !== null) throw this.#error(open, 'no offset modifiers allowed before range');
    if (expr.atMs !== null || expr.startOrEnd !== '') throw this.#error(open, 'no @ modifiers allowed before range');
    return { kind: 'matrix', selector: expr, rangeMs: literalMs(range), rangeExpr: operation(range), start: expr.start, end: this.#peek(-1).end };
  }

  #positive(duration: DurationExpr): DurationExpr {
    if (duration.kind === 'number' && !(duration.value > 0)) throw this.#error(duration, 'duration must be greater than 0');
    return duration;
  }

  /** What `offset` and `@` apply to; `what` begins the message. */
  #shifted(expr: Expr, what: string): TimeShift {
    if (expr.kind === 'selector' || expr.kind === 'subquery') return expr;
    if (expr.kind === 'matrix') return expr.selector;
    throw this.#error(expr, `${what} must be preceded by an instant vector selector or range vector selector or a subquery`);
  }

  #offset(expr: Expr): void {
    this.#next();
    const duration = this.#offsetDuration();
    const target = this.#shifted(expr, 'offset modifier');
    if (target.offsetMs !== 0 || target.offsetExpr !== null) throw this.#error(expr, 'offset may not be set multiple times');
    if (duration.kind === 'number') target.offsetMs = Math.round(duration.value * 1000);
    else target.offsetExpr = duration;
    expr.end = this.#peek(-1).end;
  }

  #at_(expr: Expr): void {
    this.#next();
    const target = this.#shifted(expr, '@ modifier');
    if (target.atMs !== null || target.startOrEnd !== '') throw this.#error(expr, '@ <timestamp> may not be set multiple times');
    if ((this.#is('start') || this.#is('end')) && this.#is('(', 1)) {
      target.startOrEnd = this.#next().text as 'start' | 'end';
      this.#next();
      this.#closeParen();
    } else {
      const negative = this.#is('-');
      if (negative || this.#is('+')) this.#next();
      if (this.#peek().type !== 'number') throw this.#unexpected('@', 'timestamp');
      const seconds = this.#number().value * (negative ? -1 : 1);
      if (!Number.isFinite(seconds) || Math.abs(seconds) >= 2 ** 63) throw this.#error(expr, `timestamp out of bounds for @ modifier: ${seconds}`);
      target.atMs = Math.round(seconds * 1000);
    }
    expr.end = this.#peek(-1).end;
  }

  #extended(expr: Expr): void {
    const modifier = this.#next().text as 'anchored' | 'smoothed';
    if (expr.kind === 'subquery') throw this.#error(expr, `${modifier} modifier is not supported for subqueries`);
    if (expr.kind !== 'selector' && expr.kind !== 'matrix') throw this.#error(expr, `${modifier} modifier not implemented`);
    const selector = expr.kind === 'matrix' ? expr.selector : expr;
    selector[modifier] = true;
    if (selector.anchored && selector.smoothed) throw this.#error(expr, 'anchored and smoothed modifiers cannot be used together');
  }

  /** After `offset`: one operand; arithmetic needs parentheses, else "offset 5m + 1" would be ambiguous. */
  #offsetDuration(): DurationExpr {
    const token = this.#peek();
    if (!this.#is('-') && !this.#is('+')) return this.#durationPrimary('offset', 'number, duration, step(), or range()');
    this.#next();
    return this.#signed(token, this.#durationPrimary('offset', 'number, duration, step(), or range()'));
  }

  #signed(sign: Token, operand: DurationExpr): DurationExpr {
    if (operand.kind === 'number') return { ...operand, value: sign.text === '-' ? -operand.value : operand.value, start: sign.start };
    if (sign.text === '+') return operand;
    return { kind: 'duration', op: '-', lhs: null, rhs: operand, wrapped: false, start: sign.start, end: operand.end };
  }

  #duration(minBinding: number, context: string, expected: string): DurationExpr {
    if (++this.#depth > MAX_DEPTH) throw this.#error(this.#peek(), 'expression is nested too deeply');
    const sign = this.#peek();
    let left: DurationExpr;
    if (this.#is('-') || this.#is('+')) {
      this.#next();
      left = this.#signed(sign, this.#duration(UNARY_BINDING + 1, context, expected));
    } else left = this.#durationPrimary(context, expected);
    for (;;) {
      const token = this.#peek();
      const binding = token.type === 'op' && '+-*/%^'.includes(token.text) ? BINDING[token.text]! : -1;
      if (binding < 0 || binding < minBinding) break;
      this.#next();
      const rhs = this.#duration(token.text === '^' ? binding : binding + 1, context, expected);
      left = { kind: 'duration', op: token.text as DurationOperation['op'], lhs: left, rhs, wrapped: false, start: left.start, end: rhs.end };
    }
    this.#depth--;
    return left;
  }

  #durationPrimary(context: string, expected: string): DurationExpr {
    const token = this.#peek();
    if (token.type === 'number') {
      const number = this.#number();
      if (Math.abs(number.value) > MAX_SECONDS) throw this.#error(token, 'duration out of range');
      return number;
    }
    if (this.#is('step') || this.#is('range')) {
      this.#next();
      this.#expect('(', context);
      this.#closeParen();
      return { kind: 'duration', op: token.text as 'step' | 'range', lhs: null, rhs: null, wrapped: false, start: token.start, end: this.#peek(-1).end };
    }
    if (this.#is('min_of') || this.#is('max_of')) {
      this.#next();
      this.#expect('(', context);
      const lhs = this.#duration(0, context, expected);
      this.#expect(',', context);
      const rhs = this.#duration(0, context, expected);
      this.#closeParen();
      return { kind: 'duration', op: token.text as 'min_of' | 'max_of', lhs, rhs, wrapped: false, start: token.start, end: this.#peek(-1).end };
    }
    if (!this.#is('(')) throw this.#unexpected(context, expected);
    this.#next();
    const inner = this.#duration(0, context, expected);
    const end = this.#closeParen().end;
    if (inner.kind === 'duration') return { ...inner, wrapped: true };
    return { kind: 'duration', op: '+', lhs: null, rhs: inner, wrapped: true, start: token.start, end };
  }
}

function literalMs(duration: DurationExpr): number {
  return duration.kind === 'number' ? Math.round(duration.value * 1000) : 0;
}
function operation(duration: DurationExpr): DurationOperation | null {
  return duration.kind === 'duration' ? duration : null;
}

function describe(token: Token): string {
  if (token.type === 'end') return 'end of input';
  if (token.type === 'keyword') return `<${token.text}>`;
  if (token.type === 'aggregate') return `<aggr:${token.text}>`;
  if (token.type === 'op') return `<op:${token.text}>`;
  if (token.type === 'punctuation') return `"${token.text}"`;
  const text = token.raw.length > 10 ? `${quoteGo(token.raw.slice(0, 10))}...` : quoteGo(token.raw);
  return `${token.type === 'metric' ? 'metric identifier' : token.type} ${text}`;
}
