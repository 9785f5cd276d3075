import assert from 'node:assert/strict';
import test from 'node:test';
import { DATE_FUNCTIONS } from './dates.ts';

test('parts of dates are those of UTC, with seconds cut towards 1970', () => {
  const check = (name: string, seconds: number, want: number) => assert.equal(DATE_FUNCTIONS.get(name)!(seconds), want, `${name}(${seconds})`);
  check('year', 1_709_164_800, 2024); // 29 February.
  check('day_of_year', 1_709_164_800, 60);
  check('days_in_month', 1_709_164_800, 29);
  check('day_of_week', 0, 4);
  check('hour', -0.5, 0);
  check('minute', -61, 58);
});

test("dates beyond those of Date are Go's: its calendar ends with int64, and so do NaN and infinities", () => {
  const at = (seconds: number) => ['year', 'month', 'day_of_month', 'day_of_week', 'hour', 'minute'].map((name) => DATE_FUNCTIONS.get(name)!(seconds));
  for (const seconds of [NaN, Infinity, -Infinity, -(2 ** 63)]) assert.deepEqual(at(seconds), [292_277_026_596, 12, 4, 0, 15, 30], String(seconds));
  // One cycle of 400 years further the days are the same ones.
  const cycle = 146_097 * 86_400,
    near = 3_999_999_999_000;
  const [year, ...rest] = at(near),
    [farYear, ...farRest] = at(near + cycle);
  assert.equal(farYear, year! + 400);
  assert.deepEqual(farRest, rest);
});
