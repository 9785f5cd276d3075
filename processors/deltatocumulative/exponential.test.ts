import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Buckets, ExponentialHistogram } from '#src/helper/streams/histogram_points.ts';
import { addExponential } from './exponential.ts';

/** Numbers that look like chance and are the same in every run. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
function observe(values: readonly number[], scale: number): ExponentialHistogram {
  const bucketsOf = (list: readonly number[]): Buckets => {
    const indices = list.map((value) => Math.ceil(Math.log2(value) * 2 ** scale) - 1);
    if (indices.length === 0) return { offset: 0, counts: [] };
    const offset = Math.min(...indices),
      counts = new Array<bigint>(Math.max(...indices) - offset + 1).fill(0n);
    for (const index of indices) counts[index - offset]!++;
    return { offset, counts };
  };
  return {
    scale,
    count: BigInt(values.length),
    sum: undefined,
    min: undefined,
    max: undefined,
    zeroCount: BigInt(values.filter((value) => value === 0).length),
    zeroThreshold: 0,
    positive: bucketsOf(values.filter((value) => value > 0)),
    negative: bucketsOf(values.filter((value) => value < 0).map(Math.abs)),
  };
}
function trimmed({ offset, counts }: Buckets): [number, bigint[]] {
  const first = counts.findIndex((count) => count !== 0n);
  return first < 0 ? [0, []] : [offset + first, counts.slice(first, counts.findLastIndex((count) => count !== 0n) + 1)];
}

test('the sum of two histograms is the histogram of all their values, at a scale that keeps 160 buckets', () => {
  const next = random(7);
  for (let run = 0; run < 200; run++) {
    const spread = next() * 30,
      list = (): number[] =>
        Array.from({ length: Math.floor(next() * 40) }, () => (next() < 0.1 ? 0 : (next() < 0.3 ? -1 : 1) * 2 ** ((next() - 0.5) * spread)));
    const a = list(),
      b = list(),
      state = observe(a, Math.floor(next() * 6) - 1);
    addExponential(state, observe(b, Math.floor(next() * 6) - 1));
    const want = observe([...a, ...b], state.scale);
    assert.deepEqual(trimmed(state.positive), trimmed(want.positive), `run ${run}`);
    assert.deepEqual(trimmed(state.negative), trimmed(want.negative), `run ${run}`);
    assert.equal(state.zeroCount, want.zeroCount);
    assert.ok(trimmed(state.positive)[1].length <= 161 && trimmed(state.negative)[1].length <= 161, `run ${run}: too many buckets`);
  }
});

test('a wider zero bucket takes what is inside it', () => {
  const state = observe([0.5, 1.5, 3, 6], 0),
    point = { ...observe([], 0), zeroCount: 2n, zeroThreshold: 2 };
  addExponential(state, point);
  assert.equal(state.zeroCount, 4n);
  assert.equal(state.zeroThreshold, 2);
  assert.deepEqual(trimmed(state.positive), [1, [1n, 1n]]);
});

test('buckets that lie far apart end quickly', () => {
  const far = (offset: number): ExponentialHistogram => ({ ...observe([], 20), positive: { offset, counts: [1n] } });
  const state = far(-(2 ** 31));
  addExponential(state, far(2 ** 31 - 1));
  assert.equal(
    state.positive.counts.reduce((sum, count) => sum + count, 0n),
    2n,
  );
  assert.ok(state.positive.counts.length <= 161);
});
