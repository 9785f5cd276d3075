import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ExponentialHistogram } from '#src/helper/streams/histogram_points.ts';
import { exponentialDifference, isReset } from './exponential.ts';

function histogram(scale: number, offset: number, counts: number[], zeroThreshold = 0): ExponentialHistogram {
  const count = BigInt(counts.reduce((sum, one) => sum + one, 0));
  const positive = { offset, counts: counts.map(BigInt) };
  return { scale, count, sum: 0, min: undefined, max: undefined, zeroCount: 0n, zeroThreshold, positive, negative: { offset: 0, counts: [] } };
}

test('the difference has the scale of the newer, and no empty buckets at its ends', () => {
  const difference = exponentialDifference(histogram(1, -3, [1, 1, 1, 1]), histogram(0, -2, [1, 2, 3, 4]));
  // -3 -2 -1 0 at scale 1 are -2 -1 -1 0 at scale 0.
  assert.deepEqual(difference.positive, { offset: 0, counts: [2n, 4n] });
  assert.equal(difference.scale, 0);
  assert.equal(difference.count, 6n);
});

test('what a wider zero bucket of the newer holds is taken from its zeros', () => {
  const newer = { ...histogram(0, 1, [1, 5], 2), zeroCount: 9n };
  const difference = exponentialDifference(histogram(0, -1, [1, 2, 1, 1]), newer);
  assert.equal(difference.zeroCount, 6n);
  assert.deepEqual(difference.positive, { offset: 2, counts: [4n] });
});

test('fewer values, a narrower zero bucket or a finer scale mean that it began again', () => {
  const before = histogram(2, 0, [3], 0.5);
  assert.equal(isReset(before, histogram(2, 0, [3], 0.5)), false);
  assert.equal(isReset(before, histogram(1, 0, [4], 0.6)), false);
  assert.equal(isReset(before, histogram(2, 0, [2], 0.5)), true);
  assert.equal(isReset(before, histogram(3, 0, [3], 0.5)), true);
  assert.equal(isReset(before, histogram(2, 0, [3], 0.4)), true);
});
