import assert from 'node:assert/strict';
import test from 'node:test';
import { ParseError } from '#src/promql/errors.ts';
import { type Expr, typeOf } from './ast.ts';
import { parseExpr, parseSelector } from './parser.ts';
import { prettyExpr, printExpr } from './print.ts';

test('operators bind as in Prometheus', () => {
  const check = (query: string, want: string) => assert.equal(grouped(parseExpr(query)), want, query);
  check('1 + 2 * 3', '(1 + (2 * 3))');
  check('2 ^ 3 ^ 2', '(2 ^ (3 ^ 2))');
  check('-1 ^ 2', '-(1 ^ 2)');
  check('-a * b', '(-a * b)');
  check('a or b and c', '(a or (b and c))');
  check('a + b offset 5m', '(a + b offset 5m)');
  check('a offset 2 ^ 2', '(a offset 2s ^ 2)');
  check('a < bool 2 + 1', '(a < bool (2 + 1))');
});

test('an expression prints as Prometheus formats it', () => {
  const check = (query: string, want: string) => assert.equal(printExpr(parseExpr(query)), want);
  check('sum(x)by(b,a)', 'sum by (b, a) (x)');
  check('a*on()group_left(x)b', 'a * on () group_left (x) b');
  check('rate(x{b="1",a!~"y"}[90m]@end() offset -5m)', 'rate(x{a!~"y",b="1"}[1h30m] @ end() offset -5m)');
  check('{"a.b", "c d"="x"}', '{"c d"="x",__name__="a.b"}');
  check('x[(step() + 1) * 2]', 'x[(step() + 1) * 2]');
  check('max_of(2., 0x1F)', 'max_of(2, 31)');
});

test('a long expression is broken at its outermost call', () => {
  const long = `sum(rate(${'m'.repeat(60)}{label="${'v'.repeat(40)}"}[5m]))`;
  assert.equal(prettyExpr(parseExpr(long)), `sum(\n  rate(\n    ${'m'.repeat(60)}{label="${'v'.repeat(40)}"}[5m]\n  )\n)`);
});

test('faults are told with their place', () => {
  const check = (query: string, want: string) =>
    assert.throws(
      () => parseExpr(query),
      (error) => error instanceof ParseError && error.message === want,
      `${query}: want ${want}`,
    );
  check('', 'unknown position: parse error: no expression found in input');
  check('sum(', '1:5: parse error: unclosed left parenthesis');
  check('up{', '1:4: parse error: unexpected end of input inside braces');
  check('up\n  @ up', '2:5: parse error: unexpected identifier "up" in @, expected timestamp');
  check('rate(up)', '1:6: parse error: expected type range vector in call to function "rate", got instant vector');
  check('foo(up)', '1:1: parse error: unknown function with name "foo"');
  check('1 < 2', '1:3: parse error: comparisons between scalars must use BOOL modifier');
  check('{a=~".*"}', '1:1: parse error: vector selector must contain at least one non-empty matcher');
  check('up offset 1m offset 2m', '1:1: parse error: offset may not be set multiple times');
  check('"\\q"', `1:1: parse error: unknown escape sequence U+0071 'q'`);
  check(`${'('.repeat(600)}1${')'.repeat(600)}`, '1:501: parse error: expression is nested too deeply');
});

test('strings are read with all escapes', () => {
  const value = (query: string) => (parseExpr(query) as { value: string }).value;
  assert.equal(value(String.raw`"a\n\x41\u00e9\U0001F600\101"`), 'a\nAé😀A');
  assert.equal(value(String.raw`'\xc3\xa9"'`), 'é"');
  assert.equal(value('`\\n`'), '\\n');
});

test('types come from the operands', () => {
  assert.equal(typeOf(parseExpr('1 + 2')), 'scalar');
  assert.equal(typeOf(parseExpr('1 + up')), 'vector');
  assert.equal(typeOf(parseExpr('up[5m]')), 'matrix');
});

test('parseSelector() takes selectors only', () => {
  assert.deepEqual(parseSelector('up{a!="b"}'), [
    { name: 'a', op: '!=', value: 'b' },
    { name: '__name__', op: '=', value: 'up' },
  ]);
  assert.throws(() => parseSelector('up[5m]'), /1:3: parse error: unexpected "\["/);
});

/** With parentheses around every binary operation. */
function grouped(expr: Expr): string {
  if (expr.kind === 'binary') return `(${grouped(expr.lhs)} ${expr.op}${expr.bool ? ' bool' : ''} ${grouped(expr.rhs)})`;
  return expr.kind === 'unary' ? expr.op + grouped(expr.expr) : printExpr(expr);
}
