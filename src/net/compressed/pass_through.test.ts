import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import zlib from 'node:zlib';
import { Batch, EMPTY_CONTEXT, type PackedPiece } from '#src/core/batch.ts';
import { packedBody } from './pass_through.ts';

const SETTINGS = { compression: 'gzip', compressed_pass_through: 'single' } as const;
const piece = (bytes: Uint8Array): PackedPiece => ({ member: zlib.gzipSync(bytes), plainBytes: bytes.length });

test('what has no compressed form is compressed where it stands, across the parts of the batch', async () => {
  const [first, second, third] = [Buffer.alloc(5000, 'first'), randomBytes(700), Buffer.alloc(5000, 'third')];
  const plain = Buffer.concat([first, second, third]);
  const parts = [plain.subarray(0, 5100), plain.subarray(5100, 5650), plain.subarray(5650)];
  const pieces = [piece(first), { member: null, plainBytes: second.length }, piece(third)];
  const batch = new Batch('logs', parts, 1, EMPTY_CONTEXT, false, null, { coding: 'gzip', pieces, joinable: true });
  const body = Buffer.from((await packedBody(batch, SETTINGS))!);
  assert.ok(zlib.gunzipSync(body).equals(plain));
  assert.equal(body.readUInt32LE(body.length - 4), plain.length, 'one member');
});

test('more than 2 MB are left to the pool, unless they are one body', async () => {
  const large = piece(randomBytes(1_500_000));
  const of = (...pieces: PackedPiece[]): Batch => new Batch('logs', [], 1, EMPTY_CONTEXT, false, null, { coding: 'gzip', pieces, joinable: true });
  assert.equal(await packedBody(of(large, large), SETTINGS), null);
  const larger = piece(randomBytes(2_500_000));
  assert.equal(await packedBody(of(larger), SETTINGS), larger.member);
});
