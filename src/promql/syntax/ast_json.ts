/** The tree as /parse_query answers it. */
import { plainFloat } from '#src/core/go_float.ts';
import type { DurationExpr, Expr, TimeShift, VectorSelector } from './ast.ts';

export function astJson(expr: Expr): unknown {
  switch (expr.kind) {
    case 'number':
      return { type: 'numberLiteral', val: plainFloat(expr.value) };
    case 'string':
      return { type: 'stringLiteral', val: expr.value };
    case 'paren':
      return { type: 'parenExpr', expr: astJson(expr.expr) };
    case 'unary':
      return { type: 'unaryExpr', op: expr.op, expr: astJson(expr.expr) };
    case 'selector':
      return { type: 'vectorSelector', ...selectorJson(expr) };
    case 'matrix':
      return { type: 'matrixSelector', range: expr.rangeMs, rangeExpr: durationJson(expr.rangeExpr), ...selectorJson(expr.selector) };
    case 'subquery':
      return {
        type: 'subquery',
        expr: astJson(expr.expr),
        range: expr.rangeMs,
        rangeExpr: durationJson(expr.rangeExpr),
        step: expr.stepMs,
        stepExpr: durationJson(expr.stepExpr),
        ...shiftJson(expr),
      };
    case 'call': {
      const { name, args, variadic, returns } = expr.func;
      return { type: 'call', func: { name, argTypes: args, variadic, returnType: returns }, args: expr.args.map(astJson) };
    }
    case 'aggregate':
      return {
        type: 'aggregation',
        op: expr.op,
        expr: astJson(expr.expr),
        param: expr.param === null ? null : astJson(expr.param),
        grouping: expr.grouping,
        without: expr.without,
      };
    case 'binary': {
      const { matching } = expr;
      return {
        type: 'binaryExpr',
        op: expr.op,
        lhs: astJson(expr.lhs),
        rhs: astJson(expr.rhs),
        bool: expr.bool,
        matching:
          matching === null
            ? null
            : {
                card: matching.cardinality,
                labels: matching.labels,
                on: matching.on,
                include: matching.include,
                fillValues: { lhs: matching.fillLeft, rhs: matching.fillRight },
              },
      };
    }
  }
}

function shiftJson({ offsetMs, offsetExpr, atMs, startOrEnd }: TimeShift): Record<string, unknown> {
  return { offset: offsetMs, offsetExpr: durationJson(offsetExpr), timestamp: atMs, startOrEnd: startOrEnd === '' ? null : startOrEnd };
}
function selectorJson(selector: VectorSelector): Record<string, unknown> {
  const matchers = selector.matchers.map(({ name, op, value }) => ({ name, value, type: op }));
  return { name: selector.name, matchers, anchored: selector.anchored, smoothed: selector.smoothed, ...shiftJson(selector) };
}
function durationJson(expr: DurationExpr | null): unknown {
  if (expr === null) return null;
  if (expr.kind === 'number') return { type: 'numberLiteral', val: plainFloat(expr.value), duration: expr.duration };
  return { type: 'durationExpr', op: expr.op, lhs: durationJson(expr.lhs), rhs: durationJson(expr.rhs), wrapped: expr.wrapped };
}
