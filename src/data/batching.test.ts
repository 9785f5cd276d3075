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
  new Batch('logs', [MESSAGE], 2, EMPTY_CONTEXT, true, null, { coding: 'gzip', pieces: [{ member, plainBytes: MESSAGE.length }], joinable });

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
  assert.deepEqual([shared.packed?.pieces[0]?.member?.length, many.length], [20_000, 20_000]);
});

test('put together, batches keep their compressed forms where all have one of the same coding', () => {
  const members = [own(1), own(2)];
  const whole = concatBatches(members.map((member) => packedBatch(member)));
  assert.deepEqual(
    whole.packed?.pieces.map((piece) => piece.member),
    members,
  );
  whole.free();
  assert.deepEqual(
    members.map((member) => member.length),
    [0, 0],
  );
});

test('bytes without a compressed form may be up to half of a batch that is put together; with more the others are given back at once', () => {
  const others = (): Batch[] => [new Batch('logs', [MESSAGE], 2, EMPTY_CONTEXT, true), packedBatch(Buffer.alloc(30), false)];
  const member = own(1);
  const half = concatBatches([packedBatch(member), others()[0]!, packedBatch(own(2)), others()[1]!]);
  assert.deepEqual(
    half.packed?.pieces.map((piece) => [piece.member?.length ?? null, piece.plainBytes]),
    [
      [20_000, 12],
      [null, 12],
      [20_000, 12],
      [null, 12],
    ],
  );
  const twice = concatBatches([half, packedBatch(own(3)), packedBatch(own(4)), ...others()]);
  assert.deepEqual(twice.packed?.pieces.at(-1), { member: null, plainBytes: 24 });
  assert.equal(
    twice.packed?.pieces.reduce((sum, piece) => sum + piece.plainBytes, 0),
    twice.sizeBytes,
  );
  twice.free();
  assert.equal(member.length, 0);
  const lone = own(5);
  const batch = packedBatch(lone);
  assert.equal(concatBatches([batch, ...others()]).packed, null);
  assert.deepEqual([lone.length, batch.packed], [0, null]);
});

test('a batch that is cut loses its compressed form', () => {
  const member = own(1);
  const pieces = splitBatch(packedBatch(member), 1);
  assert.deepEqual([pieces.length, pieces.every((piece) => piece.packed === null), member.length], [2, true, 0]);
});
