/** The syntax tree. Positions are character offsets [start, end) in the query. Durations and times are milliseconds once prepare() has run. */
import type { Matcher } from '#src/core/series.ts';
import type { FunctionSignature } from './signatures.ts';

export type ValueType = 'scalar' | 'vector' | 'matrix' | 'string';

interface Position {
  start: number;
  end: number;
}
export interface NumberLiteral extends Position {
  kind: 'number';
  value: number;
  /** Written as a duration ("5m"): the value is in seconds. */
  duration: boolean;
}
export interface StringLiteral extends Position {
  kind: 'string';
  value: string;
}
/** Arithmetic in durations: `lhs` is null for a unary operator, both are null for step() and range(). In seconds. */
export interface DurationOperation extends Position {
  kind: 'duration';
  op: '+' | '-' | '*' | '/' | '%' | '^' | 'step' | 'range' | 'min_of' | 'max_of';
  lhs: DurationExpr | null;
  rhs: DurationExpr | null;
  wrapped: boolean;
}
export type DurationExpr = NumberLiteral | DurationOperation;

/** `offset` and `@`, which selectors and subqueries share. */
export interface TimeShift {
  offsetMs: number;
  offsetExpr: DurationOperation | null;
  atMs: number | null;
  startOrEnd: '' | 'start' | 'end';
}
export interface VectorSelector extends Position, TimeShift {
  kind: 'selector';
  name: string;
  matchers: Matcher[];
  anchored: boolean;
  smoothed: boolean;
  /** Of its histograms only count and sum are used (settled by prepare.ts): they come without buckets, as in Prometheus. */
  statsOnly: boolean;
  /** The second argument of info() may match everything. */
  mayBeEmpty: boolean;
}
export interface MatrixSelector extends Position {
  kind: 'matrix';
  selector: VectorSelector;
  rangeMs: number;
  rangeExpr: DurationOperation | null;
}
export interface Subquery extends Position, TimeShift {
  kind: 'subquery';
  expr: Expr;
  rangeMs: number;
  rangeExpr: DurationOperation | null;
  /** 0: the default step. */
  stepMs: number;
  stepExpr: DurationOperation | null;
}
export interface Call extends Position {
  kind: 'call';
  func: FunctionSignature;
  args: Expr[];
}
export type AggregateOp =
  | 'sum'
  | 'avg'
  | 'min'
  | 'max'
  | 'count'
  | 'group'
  | 'stddev'
  | 'stdvar'
  | 'topk'
  | 'bottomk'
  | 'quantile'
  | 'count_values'
  | 'limitk'
  | 'limit_ratio';
export interface Aggregate extends Position {
  kind: 'aggregate';
  op: AggregateOp;
  expr: Expr;
  param: Expr | null;
  grouping: string[];
  without: boolean;
}
export type ArithmeticOp = '+' | '-' | '*' | '/' | '%' | '^' | 'atan2';
export type ComparisonOp = '==' | '!=' | '<' | '<=' | '>' | '>=';
export type SetOp = 'and' | 'or' | 'unless';
export type TrimOp = '</' | '>/';
export type BinaryOp = ArithmeticOp | ComparisonOp | SetOp | TrimOp;
export interface VectorMatching {
  cardinality: 'one-to-one' | 'many-to-one' | 'one-to-many' | 'many-to-many';
  on: boolean;
  labels: string[];
  include: string[];
  fillLeft: number | null;
  fillRight: number | null;
}
export interface Binary extends Position {
  kind: 'binary';
  op: BinaryOp;
  lhs: Expr;
  rhs: Expr;
  bool: boolean;
  matching: VectorMatching | null;
}
export interface Unary extends Position {
  kind: 'unary';
  op: '+' | '-';
  expr: Expr;
}
export interface Paren extends Position {
  kind: 'paren';
  expr: Expr;
}
export type Expr = NumberLiteral | StringLiteral | VectorSelector | MatrixSelector | Subquery | Call | Aggregate | Binary | Unary | Paren;

export function isComparison(op: string): op is ComparisonOp {
  return op === '==' || op === '!=' || op === '<' || op === '<=' || op === '>' || op === '>=';
}
export function isSetOp(op: string): op is SetOp {
  return op === 'and' || op === 'or' || op === 'unless';
}

export function typeOf(expr: Expr): ValueType {
  switch (expr.kind) {
    case 'number':
      return 'scalar';
    case 'string':
      return 'string';
    case 'selector':
    case 'aggregate':
      return 'vector';
    case 'matrix':
    case 'subquery':
      return 'matrix';
    case 'call':
      return expr.func.returns;
    case 'binary':
      return typeOf(expr.lhs) === 'scalar' && typeOf(expr.rhs) === 'scalar' ? 'scalar' : 'vector';
    case 'unary':
    case 'paren':
      return typeOf(expr.expr);
  }
}

/** The direct subexpressions, in order of the text; the selector of a range selector is one. */
export function children(expr: Expr): Expr[] {
  switch (expr.kind) {
    case 'matrix':
      return [expr.selector];
    case 'subquery':
    case 'unary':
    case 'paren':
      return [expr.expr];
    case 'call':
      return expr.args;
    case 'aggregate':
      return expr.param === null ? [expr.expr] : [expr.param, expr.expr];
    case 'binary':
      return [expr.lhs, expr.rhs];
    default:
      return [];
  }
}

export function unwrapParens(expr: Expr): Expr {
  let inner = expr;
  while (inner.kind === 'paren') inner = inner.expr;
  return inner;
}
