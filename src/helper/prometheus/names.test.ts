import assert from 'node:assert/strict';
import { test } from 'node:test';
import { labelName, metricName, type NameKind, rulesOf, type TranslationStrategy, unitName } from './names.ts';

const WITH: TranslationStrategy = 'UnderscoreEscapingWithSuffixes';

// What the Collector 0.155 makes of these names; test/conformance/prometheus/remotewrite_names.json has more of it.
test('names are escaped and get the suffixes of unit and kind', () => {
  const check = (name: string, unit: string, kind: NameKind, want: string) =>
    assert.equal(metricName(name, unit, kind, rulesOf(WITH)), want, `${name} in ${unit}, ${kind}`);
  check('http.server-active requests', '', 'gauge', 'http_server_active_requests');
  check('3d.points', '', 'gauge', '_3d_points');
  check('größe.in°C', '', 'gauge', 'gr_e_in_C');
  check('t.ms', 'ms', 'gauge', 't_ms_milliseconds');
  check('t.wk', 'wk', 'gauge', 't_wk');
  check('net', 'By/s', 'gauge', 'net_bytes_per_second');
  check('net', 'By/s', 'counter', 'net_bytes_per_second_total');
  check('fuel', 'By/{request}', 'gauge', 'fuel_bytes');
  check('odd', '/s', 'gauge', 'odd_per_second');
  check('b', 'foo bar', 'gauge', 'b_foo_bar');
  check('s.one', '1', 'counter', 's_one_total');
  check('g.one', '1', 'gauge', 'g_one_ratio');
  check('hit.ratio', '1', 'gauge', 'hit_ratio');
  check('n.one', '1', 'other', 'n_one');
  check('total.count', '', 'counter', 'count_total');
});

test('a strategy decides on escaping and suffixes', () => {
  const check = (strategy: TranslationStrategy, namespace: string, want: string) =>
    assert.equal(metricName('größe.x', 'By', 'counter', rulesOf(strategy, namespace)), want);
  check(WITH, '', 'gr_e_x_bytes_total');
  check('UnderscoreEscapingWithoutSuffixes', '', 'gr_e_x');
  check('NoUTF8EscapingWithSuffixes', '', 'größe.x_bytes_total');
  check('NoTranslation', '', 'größe.x');
  check('NoTranslation', 'ns', 'ns_größe.x');
});

test('a name of which nothing is left is an error', () => {
  for (const strategy of [WITH, 'UnderscoreEscapingWithoutSuffixes'] as const) {
    assert.throws(() => metricName('...', '', 'gauge', rulesOf(strategy)), /resulted in empty name/);
  }
  assert.throws(() => labelName('', rulesOf(WITH)), /label name is empty/);
  assert.throws(() => labelName('___', rulesOf('NoTranslation')), /contains only underscores/);
});

test('label names are escaped; a digit or a single underscore in front gets "key" before it', () => {
  const check = (name: string, want: string, keepUnderscores = false) => assert.equal(labelName(name, rulesOf(WITH), keepUnderscores), want, name);
  check('http.route', 'http_route');
  check('a..b', 'a_b');
  check('a..b', 'a__b', true);
  check('9a', 'key_9a');
  check('_a', 'key_a');
  check('_a', '_a', true);
  check('__a__', '__a__');
  assert.equal(labelName('a.b', rulesOf('NoTranslation')), 'a.b');
});

test('units of metadata are written out', () => {
  const check = (unit: string, want: string) => assert.equal(unitName(unit, rulesOf(WITH)), want, unit);
  check('s', 'seconds');
  check('By/s', 'bytes_per_second');
  check('1', '');
  check('{request}', '');
  check('%', 'percent');
});
