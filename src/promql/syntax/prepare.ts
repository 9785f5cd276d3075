/**
 * Settles what depends on the time range of a query: start(), end(), step() and range() become numbers, arithmetic in durations is
 * carried out, "@ start()" becomes a time. Changes the tree in place, so a tree serves one query.
 */
import { ParseError, QueryError } from '#src/promql/errors.ts';
import { children, type DurationExpr, type Expr, type TimeShift } from './ast.ts';

export interface QueryRange {
  readonly startMs: number;
  readonly endMs: number;
  /** 0 for an instant query. */
  readonly stepMs: number;
}

export function prepare(expr: Expr, range: QueryRange): Expr {
  const prepared = settle(expr, range);
  markStatsOnly(prepared, false, false);
  return prepared;
}

const NEEDS_STATS = new Set(['histogram_count', 'histogram_sum', 'histogram_avg']);
const NEEDS_BUCKETS = new Set(['histogram_quantile', 'histogram_quantiles', 'histogram_fraction', 'histogram_stddev', 'histogram_stdvar']);

/** Whoever needs buckets stands above or below who needs none: neither may lose them. A subquery needs them to find resets. */
function markStatsOnly(expr: Expr, statsOnly: boolean, needsBuckets: boolean): void {
  if (expr.kind === 'selector') expr.statsOnly = statsOnly && !needsBuckets;
  else if (expr.kind === 'call' && NEEDS_BUCKETS.has(expr.func.name)) needsBuckets = true;
  else if (expr.kind === 'call' && NEEDS_STATS.has(expr.func.name)) statsOnly = true;
  else if (expr.kind === 'subquery' || (expr.kind === 'binary' && (expr.op === '</' || expr.op === '>/'))) needsBuckets = true;
  for (const child of children(expr)) markStatsOnly(child, statsOnly, needsBuckets);
}

function settle(expr: Expr, range: QueryRange): Expr {
  switch (expr.kind) {
    case 'call': {
      const value = contextValue(expr.func.name, range);
      if (value !== undefined) return { kind: 'number', value, duration: false, start: expr.start, end: expr.end };
      expr.args = expr.args.map((arg) => settle(arg, range));
      return expr;
    }
    case 'aggregate':
      expr.expr = settle(expr.expr, range);
      if (expr.param !== null) expr.param = settle(expr.param, range);
      return expr;
    case 'binary':
      expr.lhs = settle(expr.lhs, range);
      expr.rhs = settle(expr.rhs, range);
      return expr;
    case 'unary':
    case 'paren':
      expr.expr = settle(expr.expr, range);
      return expr;
    case 'subquery':
      expr.expr = settle(expr.expr, range);
      shift(expr, range);
      if (expr.stepExpr !== null) expr.stepMs = durationMs(expr.stepExpr, range, false);
      if (expr.rangeExpr !== null) expr.rangeMs = durationMs(expr.rangeExpr, range, false);
      return expr;
    case 'matrix':
      shift(expr.selector, range);
      if (expr.rangeExpr !== null) expr.rangeMs = durationMs(expr.rangeExpr, range, false);
      return expr;
    case 'selector':
      shift(expr, range);
      return expr;
    default:
      return expr;
  }
}

function contextValue(name: string, range: QueryRange): number | undefined {
  if (name === 'start') return range.startMs / 1000;
  if (name === 'end') return range.endMs / 1000;
  if (name === 'range') return (range.endMs - range.startMs) / 1000;
  if (name === 'step') return range.startMs === range.endMs ? 0 : range.stepMs / 1000;
  return undefined;
}

function shift(target: TimeShift, range: QueryRange): void {
  if (target.offsetExpr !== null) target.offsetMs = durationMs(target.offsetExpr, range, true);
  if (target.startOrEnd === 'start') target.atMs = range.startMs;
  if (target.startOrEnd === 'end') target.atMs = range.endMs;
}

function durationMs(expr: DurationExpr, range: QueryRange, mayBeNegative: boolean): number {
  const seconds = evaluate(expr, range);
  const where = `${expr.start}:${expr.end}`;
  if (!Number.isFinite(seconds)) throw new ParseError(`${where}: duration is NaN or infinite`);
  if (seconds <= 0 && !mayBeNegative) throw new ParseError(`${where}: duration must be greater than 0`);
  if (Math.abs(seconds) > 9_223_372_036) throw new ParseError(`${where}: duration is out of range`);
  return Math.trunc(seconds * 1000);
}

function evaluate(expr: DurationExpr, range: QueryRange): number {
  if (expr.kind === 'number') return expr.value;
  const lhs = expr.lhs === null ? 0 : evaluate(expr.lhs, range);
  const rhs = expr.rhs === null ? 0 : evaluate(expr.rhs, range);
  switch (expr.op) {
    case 'step':
      return range.stepMs / 1000;
    case 'range':
      return (range.endMs - range.startMs) / 1000;
    case 'min_of':
      return Math.min(lhs, rhs);
    case 'max_of':
      return Math.max(lhs, rhs);
    case '+':
      return lhs + rhs;
    case '-':
      return lhs - rhs;
    case '*':
      return lhs * rhs;
    case '/':
      if (rhs === 0) throw new ParseError(`${expr.start}:${expr.end}: division by zero`);
      return lhs / rhs;
    case '%':
      if (rhs === 0) throw new ParseError(`${expr.start}:${expr.end}: modulo by zero`);
      return lhs % rhs;
    case '^':
      return lhs ** rhs;
    default:
      throw new QueryError(`unexpected duration operator ${expr.op}`);
  }
}
