import assert from 'node:assert/strict';
import test from 'node:test';
import { applyRules, compileRule, type RelabelRule } from './relabel.ts';

type Plain = Record<string, string>;

test('each action does what it does in Prometheus', () => {
  const check = (rule: RelabelRule, labels: Plain, want: Plain | null) => {
    const map = new Map(Object.entries(labels));
    const kept = applyRules([compileRule(rule, 'utf8')], map);
    assert.deepEqual(kept ? Object.fromEntries(map) : null, want, JSON.stringify(rule));
  };
  check({ source_labels: ['a', 'b'], regex: 'x;(.*)', target_label: 'c', replacement: 'got-$1' }, { a: 'x', b: 'y' }, { a: 'x', b: 'y', c: 'got-y' });
  check({ source_labels: ['a'], regex: 'no', target_label: 'c', replacement: 'v' }, { a: 'x' }, { a: 'x' });
  check({ source_labels: ['a'], regex: '(.*)', target_label: 'a', replacement: '' }, { a: 'x', b: 'y' }, { b: 'y' });
  check({ target_label: 'c', replacement: 'v' }, {}, { c: 'v' });
  check({ source_labels: ['a'], regex: '(x)(y)?', target_label: 'n_${1}', replacement: '[$2|$3|$$|${1}z|$1z]' }, { a: 'x' }, { a: 'x', n_x: '[||$|xz|]' });
  check({ source_labels: ['a'], regex: '(?P<first>.).*', target_label: 'c', replacement: '$first' }, { a: 'xyz' }, { a: 'xyz', c: 'x' });
  check({ source_labels: ['a'], regex: 'x|y', action: 'keep' }, { a: 'y' }, { a: 'y' });
  check({ source_labels: ['a'], regex: 'x|y', action: 'keep' }, { a: 'yy' }, null);
  check({ source_labels: ['a'], regex: 'x.z', action: 'DROP' }, { a: 'x\nz' }, null);
  check({ source_labels: ['a'], target_label: 'b', action: 'keepequal' }, { a: '1', b: '2' }, null);
  check({ source_labels: ['a'], target_label: 'b', action: 'dropequal' }, { a: '1', b: '2' }, { a: '1', b: '2' });
  check({ source_labels: ['job'], modulus: 97, target_label: 'shard', action: 'hashmod' }, { job: 'conformance' }, { job: 'conformance', shard: '59' });
  check({ regex: '__meta_(.+)', action: 'labelmap' }, { __meta_a: '1', b: '2' }, { __meta_a: '1', b: '2', a: '1' });
  check({ regex: 'a.*', action: 'labeldrop' }, { a: '1', ab: '2', b: '3' }, { b: '3' });
  check({ regex: 'a|b', action: 'labelkeep' }, { a: '1', ab: '2', b: '3' }, { a: '1', b: '3' });
  check({ source_labels: ['a'], target_label: 'a', action: 'uppercase' }, { a: 'x' }, { a: 'X' });
  check({ source_labels: ['a'], target_label: 'b', action: 'lowercase' }, { a: 'XY' }, { a: 'XY', b: 'xy' });
});

test('rules that make no sense are refused with the reason', () => {
  const check = (rule: RelabelRule, message: RegExp) => assert.throws(() => compileRule(rule, 'legacy'), message);
  check({ action: 'explode' }, /unknown relabel action "explode"/);
  check({ source_labels: ['a'] }, /requires 'target_label'/);
  check({ action: 'hashmod', target_label: 'x' }, /non-zero modulus/);
  check({ source_labels: [''], target_label: 'x' }, /"" is not a valid label name/);
  check({ target_label: 'a-b' }, /invalid 'target_label'/);
  check({ action: 'labeldrop', regex: 'a', target_label: 'x' }, /only 'regex'/);
  check({ action: 'keepequal', source_labels: ['a'], target_label: 'b', regex: 'x' }, /no other fields/);
  check({ action: 'lowercase', source_labels: ['a'], target_label: 'b', replacement: 'x' }, /'replacement' can not be set/);
  check({ target_label: 'x', regex: '(' }, /error parsing regexp: missing closing \)/);
});
