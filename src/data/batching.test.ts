/** The compressed form of a batch: who has it, and when it goes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Batch, EMPTY_CONTEXT } from '#src/core/batch.ts';
import { concatBatches, splitBatch } from './batching.ts';

/** Memory of its own and large enough to be given back at once: length 0 afterwards. */
const own = (fill: number): Buffer => Buffer.allocUnsafeSlow(20_000).fill(fill);
/** Two logs requests of one record each in one message. */
const MESSAGE = Buffer.from([0x0a, 4, 0x12, 2, 0x12, 0, 0x0a, 4, 0x12, 2, 0x12, 0]);
const packedBatch = (member: Uint8Array, joinable = true): Batch =>
  new Batch('logs', [MESSAGE], 2, EMPTY_CONTEXT, true, null, { coding: 'gzip', members: [member], joinable });

test('the compressed form goes with the batch when its last holder is done, and stays while a socket may read it', () => {
  const freed = own(1);
  packedBatch(freed).free();
  assert.equal(freed.length, 0);
  const kept = own(2);
  const failed = packedBatch(kept);
  failed.keep();
  failed.free();
  assert.equal(kept.length, 20_000);
  const many = own(3);
  const shared = packedBatch(many).shared();
  shared.free();
  assert.deepEqual([shared.packed?.members[0]?.length, many.length], [20_000, 20_000]);
});

test('put together, batches keep their compressed forms where all have one of the same coding', () => {
  const members = [own(1), own(2)];
  const whole = concatBatches(members.map((member) => packedBatch(member)));
  assert.deepEqual(whole.packed?.members, members);
  whole.free();
  assert.deepEqual(
    members.map((member) => member.length),
    [0, 0],
  );
});

test('where one batch has no compressed form, or is not worth it, those of the others are given back at once', () => {
  for (const other of [new Batch('logs', [MESSAGE], 2, EMPTY_CONTEXT, true), packedBatch(Buffer.alloc(30), false)]) {
    const member = own(1);
    const batch = packedBatch(member);
    assert.equal(concatBatches([batch, other]).packed, null);
    assert.deepEqual([member.length, batch.packed], [0, null]);
  }
});

test('a batch that is cut loses its compressed form', () => {
  const member = own(1);
  const pieces = splitBatch(packedBatch(member), 1);
  assert.deepEqual([pieces.length, pieces.every((piece) => piece.packed === null), member.length], [2, true, 0]);
});
