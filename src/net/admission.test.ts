import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Admission } from './admission.ts';

/** Work of some milliseconds that says when it ran. */
function task(ran: number[], name: number, ms: () => number): { begin(): void } {
  return {
    begin() {
      admission.givenUp();
      ran.push(name);
      for (const end = performance.now() + ms(); performance.now() < end; );
    },
  };
}
let admission = new Admission();
const turn = (): Promise<void> => new Promise((done) => setImmediate(done));
async function drained(ran: readonly number[], count: number): Promise<void> {
  while (ran.length < count) await turn();
}

test('work runs at once until it has kept the loop for a while, then in its order', async () => {
  admission = new Admission();
  const ran: number[] = [];
  for (let i = 0; i < 12; i++) {
    admission.opened();
    admission.enter(task(ran, i, () => 6));
  }
  assert.ok(ran.length >= 1 && ran.length <= 3, `${ran.length} ran at once`);
  await drained(ran, 12);
  assert.deepEqual(ran, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
});

test('who would have to wait too long is refused, sooner where its sender is less patient, and nobody once the work is done', async () => {
  admission = new Admission();
  const ran: number[] = [];
  let each = 4;
  const add = (count: number): void => {
    for (let i = 0; i < count; i++) {
      admission.opened();
      admission.enter(task(ran, i, () => each));
    }
  };
  assert.equal(admission.refusal(1), null, 'nothing is known yet');
  add(150);
  await turn(); // The first slice tells what one takes: 4 ms at least.
  await turn();
  assert.match(String(admission.refusal(1000)), /too many requests wait/);
  assert.equal(admission.refusal(1000)!.reason, 'exhausted');
  assert.ok(admission.refusal(1000)!.retryAfterMs > 0);
  add(1200);
  assert.notEqual(admission.refusal(), null, 'five seconds at most, for those who say nothing');
  each = 0; // The rest of them are quick.
  await drained(ran, 1350);
  assert.equal(admission.refusal(1), null);
});

test('bytes under way above the bound refuse everybody, and are counted off again', () => {
  const small = new Admission(1000);
  const held: boolean[] = [];
  const stop = small.onHold((now) => held.push(now));
  small.took(1000);
  assert.equal(small.refusal(), null);
  small.took(1);
  assert.match(String(small.refusal()), /too many bytes in flight/);
  small.took(500);
  assert.deepEqual(held, [true]);
  small.release(502, 0);
  assert.deepEqual(held, [true, false]);
  assert.equal(small.refusal(), null);
  stop();
  small.took(1000);
  assert.deepEqual(held, [true, false], 'who has left is not told');
});

test('room for messages that arrive is kept for the small ones', () => {
  const small = new Admission(1 << 20);
  assert.equal(small.reserve(2 << 20), true);
  assert.equal(small.reserve(100_000), false);
  assert.equal(small.reserve(10_000), true);
  small.release(0, 2 << 20);
  assert.equal(small.reserve(100_000), true);
});
