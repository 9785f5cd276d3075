/** The types of an expression, with Prometheus's wording. It also settles what follows from types: set operators are many-to-many, scalars have no matching. */
import { type ParseError, parseErrorAt } from '#src/promql/errors.ts';
import { quoteGo } from '#src/core/go_quote.ts';
import { compileMatcher } from '#src/core/matcher.ts';
import { type Aggregate, type Binary, type Call, type Expr, isComparison, isSetOp, typeOf, type ValueType, type VectorSelector } from './ast.ts';

const DOCUMENTED: Readonly<Record<ValueType, string>> = { vector: 'instant vector', matrix: 'range vector', scalar: 'scalar', string: 'string' };

/** Throws the ParseError of the first fault. */
export function check(expr: Expr, query: string): ValueType {
  const fault = (at: { start: number }, message: string): ParseError => parseErrorAt(query, at.start, message);
  const expect = (node: Expr, want: ValueType, context: string): void => {
    const type = check(node, query);
    if (type !== want) throw fault(node, `expected type ${DOCUMENTED[want]} in ${context}, got ${DOCUMENTED[type]}`);
  };
  switch (expr.kind) {
    case 'aggregate':
      checkAggregate(expr, expect);
      break;
    case 'binary':
      checkBinary(expr, query, fault);
      break;
    case 'call':
      checkCall(expr, query, fault);
      break;
    case 'paren':
      check(expr.expr, query);
      break;
    case 'unary': {
      const type = check(expr.expr, query);
      if (type !== 'scalar' && type !== 'vector') {
        throw fault(expr, `unary expression only allowed on expressions of type scalar or instant vector, got ${quoteGo(DOCUMENTED[type])}`);
      }
      break;
    }
    case 'subquery': {
      const type = check(expr.expr, query);
      if (type !== 'vector') throw fault(expr, `subquery is only allowed on instant vector, got ${type} instead`);
      break;
    }
    case 'matrix':
      check(expr.selector, query);
      break;
    case 'selector':
      checkSelector(expr, fault);
      break;
  }
  return typeOf(expr);
}

type Fault = (at: { start: number }, message: string) => ParseError;

function checkAggregate(expr: Aggregate, expect: (node: Expr, want: ValueType, context: string) => void): void {
  expect(expr.expr, 'vector', 'aggregation expression');
  if (expr.param !== null) expect(expr.param, expr.op === 'count_values' ? 'string' : 'scalar', 'aggregation parameter');
}

function checkBinary(expr: Binary, query: string, fault: Fault): void {
  const { op, lhs, rhs } = expr;
  const left = check(lhs, query);
  const right = check(rhs, query);
  const operatorStart = lhs.end + /^\s*/.exec(query.slice(lhs.end))![0].length;
  if (expr.bool && !isComparison(op)) throw fault({ start: operatorStart }, 'bool modifier can only be used on comparison operators');
  if (isComparison(op) && !expr.bool && left === 'scalar' && right === 'scalar') {
    throw fault({ start: operatorStart }, 'comparisons between scalars must use BOOL modifier');
  }
  const matching = expr.matching;
  if (matching === null) return;
  if (isSetOp(op) && matching.cardinality === 'one-to-one') matching.cardinality = 'many-to-many';
  for (const label of matching.labels) {
    if (matching.on && matching.include.includes(label))
      throw fault({ start: operatorStart }, `label ${quoteGo(label)} must not occur in ON and GROUP clause at once`);
  }
  const types = 'binary expression must contain only scalar and instant vector types';
  if (left !== 'scalar' && left !== 'vector') throw fault(lhs, types);
  if (right !== 'scalar' && right !== 'vector') throw fault(rhs, types);
  const filled = matching.fillLeft !== null || matching.fillRight !== null;
  if (left !== 'vector' || right !== 'vector') {
    if (matching.labels.length > 0) throw fault(expr, 'vector matching only allowed between instant vectors');
    if (filled) throw fault(expr, 'filling in missing series only allowed between instant vectors');
    expr.matching = null;
    if (isSetOp(op)) throw fault(expr, `set operator ${quoteGo(op)} not allowed in binary scalar expression`);
  } else if (isSetOp(op)) {
    if (matching.cardinality !== 'many-to-many') throw fault(expr, `no grouping allowed for ${quoteGo(op)} operation`);
    if (filled) throw fault(expr, 'filling in missing series not allowed for set operators');
  }
}

function checkCall(expr: Call, query: string, fault: Fault): void {
  const { func, args } = expr;
  const count = func.args.length;
  const name = quoteGo(func.name);
  if (func.variadic === 0) {
    if (args.length !== count) throw fault(expr, `expected ${count} argument(s) in call to ${name}, got ${args.length}`);
  } else {
    const least = count - 1;
    const most = least + func.variadic;
    if (args.length < least) throw fault(expr, `expected at least ${least} argument(s) in call to ${name}, got ${args.length}`);
    if (func.variadic > 0 && args.length > most) throw fault(expr, `expected at most ${most} argument(s) in call to ${name}, got ${args.length}`);
  }
  const choice = func.name === 'info' ? args[1] : undefined;
  if (choice !== undefined) {
    if (typeOf(choice) !== 'vector') throw fault(expr, `expected type instant vector in call to function ${name}, got ${DOCUMENTED[typeOf(choice)]}`);
    if (choice.kind !== 'selector') throw fault(choice, 'expected label selectors only');
    if (choice.name !== '') throw fault(choice, 'expected label selectors only, got vector selector instead');
    choice.mayBeEmpty = true;
  }
  for (let i = 0; i < args.length; i++) {
    const want = func.args[Math.min(i, count - 1)]!;
    const type = check(args[i]!, query);
    if (type !== want) throw fault(args[i]!, `expected type ${DOCUMENTED[want]} in call to function ${name}, got ${DOCUMENTED[type]}`);
  }
}

function checkSelector(expr: VectorSelector, fault: Fault): void {
  if (expr.name !== '') {
    const other = expr.matchers.slice(0, -1).find((matcher) => matcher.name === '__name__');
    if (other !== undefined) throw fault(expr, `metric name must not be set twice: ${quoteGo(expr.name)} or ${quoteGo(other.value)}`);
    return;
  }
  if (!expr.mayBeEmpty && expr.matchers.every((matcher) => compileMatcher(matcher).matchesEmpty)) {
    throw fault(expr, 'vector selector must contain at least one non-empty matcher');
  }
}
