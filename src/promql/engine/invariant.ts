/** Which expressions have the same value at every step: those whose selectors are all fixed by "@". They are evaluated once. */
import type { Expr } from '#src/promql/syntax/ast.ts';
import { infoReference } from './info.ts';

/** Their value depends on the time of the step, whatever the arguments. */
const TIME_FUNCTIONS = new Set('time timestamp predict_linear minute hour day_of_week day_of_month day_of_year days_in_month month year'.split(' '));
const known = new WeakMap<Expr, boolean>();

export function isInvariant(expr: Expr): boolean {
  let result = known.get(expr);
  if (result === undefined) {
    result = decide(expr);
    known.set(expr, result);
  }
  return result;
}

function decide(expr: Expr): boolean {
  switch (expr.kind) {
    case 'number':
    case 'string':
      return true;
    case 'selector':
      return expr.atMs !== null;
    case 'matrix':
      return expr.selector.atMs !== null;
    case 'subquery':
      return expr.atMs !== null;
    case 'paren':
    case 'unary':
      return isInvariant(expr.expr);
    case 'aggregate':
      return isInvariant(expr.expr) && (expr.param === null || isInvariant(expr.param));
    case 'binary':
      return isInvariant(expr.lhs) && isInvariant(expr.rhs);
    case 'call':
      if (expr.func.name === 'info') return isInvariant(expr.args[0]!) && infoReference(expr.args[0]!) !== null;
      if (expr.func.name === 'timestamp' && expr.args[0]!.kind === 'selector') return isInvariant(expr.args[0]!);
      return !TIME_FUNCTIONS.has(expr.func.name) && expr.args.every(isInvariant);
  }
}
