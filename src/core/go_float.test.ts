import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultFloat, floatText, plainFloat, shortFloat } from './go_float.ts';

test("floats are written as Go's strconv and fmt write them", () => {
  const check = (value: number, plain: string, short: string, standard: string) => {
    assert.deepEqual([plainFloat(value), shortFloat(value), defaultFloat(value)], [plain, short, standard]);
  };
  check(0, '0', '0', '0');
  check(-0, '-0', '-0', '-0');
  check(Number.NaN, 'NaN', 'NaN', 'NaN');
  check(Number.POSITIVE_INFINITY, '+Inf', '+Inf', '+Inf');
  check(Number.NEGATIVE_INFINITY, '-Inf', '-Inf', '-Inf');
  check(-1234.5, '-1234.5', '-1234.5', '-1234.5');
  check(999999, '999999', '999999', '999999');
  check(1e6, '1000000', '1e+06', '1000000');
  check(-123456789, '-123456789', '-1.23456789e+08', '-123456789');
  check(0.0001, '0.0001', '0.0001', '0.0001');
  check(0.00001, '0.00001', '1e-05', '1e-05');
  check(-1.5e-7, '-0.00000015', '-1.5e-07', '-1.5e-07');
  check(1e21, '1000000000000000000000', '1e+21', '1e+21');
  check(-1.25e22, '-12500000000000000000000', '-1.25e+22', '-1.25e+22');
  check(5e-324, `0.${'0'.repeat(323)}5`, '5e-324', '5e-324');
  assert.equal(floatText(1.5e-7, 1e-6, 1e21, 1), '1.5e-7');
  assert.equal(floatText(1.5e-6, 1e-6, 1e21, 1), '0.0000015');
});
