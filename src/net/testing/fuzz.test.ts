import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fuzz, TARGETS, type Target } from './fuzz.ts';

// The same cases each time; fuzz.ts by hand finds new ones.
for (const target of Object.keys(TARGETS) as Target[]) {
  test(`spoiled ${target} neither crash nor hang`, { timeout: 30_000 }, async (t) => {
    const { cases, slowestMs } = await fuzz(target, 1000, 1);
    t.diagnostic(`${cases} cases, the slowest ${slowestMs.toFixed(0)} ms`);
    assert.ok(cases > 10);
  });
}
