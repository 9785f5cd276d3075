import assert from 'node:assert/strict';
import test from 'node:test';
import { formatDuration, parseDuration } from './duration.ts';
import { formatSample } from './float.ts';

test('sample values have an exponent below 1e-6 and from 1e21 on', () => {
  const check = (value: number, want: string) => assert.equal(formatSample(value), want);
  check(0, '0');
  check(-0, '-0');
  check(Number.POSITIVE_INFINITY, '+Inf');
  check(Number.NaN, 'NaN');
  check(1e21, '1e+21');
  check(-1.5e-7, '-1.5e-07');
  check(0.00001, '0.00001');
  check(123456.789, '123456.789');
  check(5e-324, '5e-324');
});

test('durations are read and printed', () => {
  const check = (text: string, ms: number | undefined, printed = text) => {
    assert.equal(parseDuration(text), ms, text);
    if (ms !== undefined) assert.equal(formatDuration(ms), printed);
  };
  check('1h30m', 5_400_000);
  check('90m', 5_400_000, '1h30m');
  check('2w', 1_209_600_000);
  check('8d', 691_200_000);
  check('1y2d', 31_708_800_000, '367d');
  check('1500ms', 1500, '1s500ms');
  check('0', 0, '0s');
  check('1m1h', undefined);
  check('5x', undefined);
  check('300y', undefined);
});
