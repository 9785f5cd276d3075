/** The tree as text, in Prometheus's style: one line, or broken and indented where a line would be longer than 100 characters. */
import { plainFloat } from '#src/core/go_float.ts';
import { formatDuration } from '#src/promql/format/duration.ts';
import { quoteGo } from '#src/core/go_quote.ts';
import type { Matcher } from '#src/core/series.ts';
import type { Aggregate, Binary, DurationExpr, DurationOperation, Expr, TimeShift, VectorMatching, VectorSelector } from './ast.ts';

const LINE = 100;
const INDENT = '  ';

export function printExpr(expr: Expr): string {
  switch (expr.kind) {
    case 'number':
      return printNumber(expr.value, expr.duration);
    case 'string':
      return quoteGo(expr.value);
    case 'paren':
      return `(${printExpr(expr.expr)})`;
    case 'unary':
      return expr.op + printExpr(expr.expr);
    case 'selector':
      return printSelector(expr) + at(expr) + extended(expr) + offset(expr);
    case 'matrix':
      return `${printSelector(expr.selector)}[${printDuration(expr.rangeMs, expr.rangeExpr)}]${extended(expr.selector)}${at(expr.selector)}${offset(expr.selector)}`;
    case 'subquery':
      return printExpr(expr.expr) + subquerySuffix(expr);
    case 'call':
      return `${expr.func.name}(${expr.args.map(printExpr).join(', ')})`;
    case 'aggregate':
      return `${aggregateHead(expr)}(${expr.param === null ? '' : `${printExpr(expr.param)}, `}${printExpr(expr.expr)})`;
    case 'binary':
      return `${printExpr(expr.lhs)} ${operator(expr)} ${printExpr(expr.rhs)}`;
  }
}

export function prettyExpr(expr: Expr, level = 0): string {
  const indent = INDENT.repeat(level);
  const line = printExpr(expr);
  const split = line.length > LINE;
  switch (expr.kind) {
    case 'paren':
      return split ? `${indent}(\n${prettyExpr(expr.expr, level + 1)}\n${indent})` : indent + line;
    case 'unary':
      return indent + expr.op + prettyExpr(expr.expr, level).trim();
    case 'subquery':
      return split ? prettyExpr(expr.expr, level) + subquerySuffix(expr) : indent + line;
    case 'call':
      return split ? `${indent}${expr.func.name}(\n${expr.args.map((arg) => prettyExpr(arg, level + 1)).join(',\n')}\n${indent})` : indent + line;
    case 'aggregate': {
      if (!split) return indent + line;
      const param = expr.param === null ? '' : `${prettyExpr(expr.param, level + 1)},\n`;
      return `${indent}${aggregateHead(expr)}(\n${param}${prettyExpr(expr.expr, level + 1)}\n${indent})`;
    }
    case 'binary':
      return split ? `${prettyExpr(expr.lhs, level + 1)}\n${indent}${operator(expr)}\n${prettyExpr(expr.rhs, level + 1)}` : indent + line;
    default:
      return indent + line;
  }
}

function printNumber(value: number, duration: boolean): string {
  if (!duration) return plainFloat(value);
  return value < 0 ? `-${formatDuration(-value * 1000)}` : formatDuration(value * 1000);
}

function aggregateHead(expr: Aggregate): string {
  if (expr.without) return `${expr.op} without (${labelNames(expr.grouping)}) `;
  return expr.grouping.length > 0 ? `${expr.op} by (${labelNames(expr.grouping)}) ` : expr.op;
}
function labelNames(names: readonly string[]): string {
  return names.map(labelName).join(', ');
}
function labelName(name: string): string {
  return /^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name) ? name : quoteGo(name);
}

function operator(expr: Binary): string {
  return `${expr.op}${expr.bool ? ' bool' : ''}${expr.matching === null ? '' : printMatching(expr.matching)}`;
}
function printMatching({ cardinality, on, labels, include, fillLeft, fillRight }: VectorMatching): string {
  const grouped = cardinality === 'many-to-one' || cardinality === 'one-to-many';
  let text = labels.length > 0 || on || grouped ? ` ${on ? 'on' : 'ignoring'} (${labelNames(labels)})` : '';
  if (grouped) text += ` group_${cardinality === 'many-to-one' ? 'left' : 'right'} (${labelNames(include)})`;
  if (fillLeft !== null && fillLeft === fillRight) return `${text} fill (${plainFloat(fillLeft)})`;
  if (fillLeft !== null) text += ` fill_left (${plainFloat(fillLeft)})`;
  if (fillRight !== null) text += ` fill_right (${plainFloat(fillRight)})`;
  return text;
}

function printSelector({ name, matchers }: VectorSelector): string {
  const shown = matchers.filter((matcher) => !(matcher.name === '__name__' && matcher.op === '=' && matcher.value === name && name !== ''));
  const texts = shown.map(printMatcher).sort();
  return texts.length === 0 ? name || '{}' : `${name}{${texts.join(',')}}`;
}
function printMatcher({ name, op, value }: Matcher): string {
  return `${labelName(name)}${op}${quoteGo(value)}`;
}

function at({ atMs, startOrEnd }: TimeShift): string {
  if (startOrEnd !== '') return ` @ ${startOrEnd}()`;
  return atMs === null ? '' : ` @ ${(atMs / 1000).toFixed(3)}`;
}
function offset({ offsetMs, offsetExpr }: TimeShift): string {
  if (offsetExpr !== null) return ` offset ${printOperation(offsetExpr)}`;
  if (offsetMs === 0) return '';
  return offsetMs > 0 ? ` offset ${formatDuration(offsetMs)}` : ` offset -${formatDuration(-offsetMs)}`;
}
function extended({ anchored, smoothed }: VectorSelector): string {
  return anchored ? ' anchored' : smoothed ? ' smoothed' : '';
}
function subquerySuffix(expr: Extract<Expr, { kind: 'subquery' }>): string {
  const step = expr.stepMs !== 0 ? formatDuration(expr.stepMs) : expr.stepExpr === null ? '' : printOperation(expr.stepExpr);
  return `[${printDuration(expr.rangeMs, expr.rangeExpr)}:${step}]${at(expr)}${offset(expr)}`;
}
function printDuration(ms: number, expr: DurationOperation | null): string {
  return expr === null ? formatDuration(ms) : printOperation(expr);
}
function printOperation(expr: DurationExpr): string {
  if (expr.kind === 'number') return printNumber(expr.value, expr.duration);
  const lhs = expr.lhs === null ? '' : printOperation(expr.lhs);
  const rhs = expr.rhs === null ? '' : printOperation(expr.rhs);
  let text: string;
  if (expr.op === 'step' || expr.op === 'range') text = `${expr.op}()`;
  else if (expr.op === 'min_of' || expr.op === 'max_of') text = `${expr.op}(${lhs}, ${rhs})`;
  else if (expr.lhs === null) text = expr.op === '-' ? `-${rhs}` : rhs;
  else text = `${lhs} ${expr.op} ${rhs}`;
  return expr.wrapped ? `(${text})` : text;
}
