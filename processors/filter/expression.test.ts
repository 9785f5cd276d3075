import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileLabelsExpression, type Labels } from './expression.ts';

const attributes = new Map([
  ['core', '0'],
  ['note', ''],
]);
const point: Labels = { metricName: 'cpu.load', metricType: 'Gauge', label: (key) => attributes.get(key) };

test('an expression is asked of the name, type and labels of a data point', () => {
  const check = (source: string, want: boolean) => assert.equal(compileLabelsExpression(source)(point), want, source);
  check('HasLabel("core")', true);
  check("HasLabel('constructor')", false);
  check('MetricName == \'cpu.load\' && Label("core") == "0"', true);
  check('not HasLabel("core") or MetricType == "Gauge"', true);
  check('!(HasLabel("core") and true)', false);
  check('MetricName matches "^cpu\\\\."', true);
  check('MetricName contains "load" == true', true);
  check('MetricName startsWith "cpu" && MetricName endsWith "x"', false);
  check('Label("core") in ["1", "0"]', true);
  check('Label("core") not in ["1", `0`]', false);
  check('Label("none") == ""', true);
  check('(HasLabel("core") ? Label("core") : "9") < "1"', true);
});

test('what is no expression of filter is refused with its place', () => {
  const check = (source: string, want: RegExp) => assert.throws(() => compileLabelsExpression(source), want);
  check('MetricName', /1:11: expected a bool/);
  check('HasLabel(1)', /1:10: this is not supported/);
  check('Foo("a")', /1:1: "Foo" is not supported/);
  check('HasLabel("a"', /1:13: expected \), found the end/);
  check('HasLabel("a") HasLabel("b")', /1:15: unexpected HasLabel/);
  check('MetricName matches "("', /error parsing regexp/);
  check(`${'('.repeat(5000)}true`, /nested more than 100/);
  check(`${'!'.repeat(5000)}true`, /nested more than 100/);
});
