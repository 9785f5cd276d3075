import assert from 'node:assert/strict';
import test from 'node:test';
import { ValueMap, type Value } from './value.ts';
import { valueText } from './value_text.ts';

test('valueText() writes values as pcommon.Value.AsString does', () => {
  const check = (value: Value, want: string): void => assert.equal(valueText(value), want);
  check(null, '');
  check('<a>', '<a>');
  check(['<a>', 1n, 1e-7, null, new Uint8Array([1])], '["<a>",1,1e-7,null,"AQ=="]'); // No HTML escapes: pdata 1.61.
  check(new ValueMap(['b', 'a', 'b'], [1n, [], 'last']), '{"a":[],"b":"last"}');
  check(1e21, '1e+21');
  check(Number.NaN, 'NaN');
  check(-Infinity, '-Infinity');
  check([1n, Infinity], ''); // What JSON cannot hold makes nothing of the whole.
});
