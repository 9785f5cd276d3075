import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Batch } from './batch.ts';
import { freeBytes, freeRead, keepCopy } from './slab.ts';

const copy = (size: number, fill: number): Buffer => keepCopy(Buffer.alloc(size, fill), 0, size);

test('small messages share slabs, large ones have memory of their own', () => {
  const a = copy(100, 1),
    b = copy(100, 2);
  assert.equal(a.buffer, b.buffer);
  assert.equal(b.byteOffset, a.byteOffset + 100);
  assert.equal(copy(20_000, 3).buffer.byteLength, 20_000);
});

test('a slab is used again when the last of its messages is freed, and not before', () => {
  const messages = Array.from({ length: 40 }, (_, i) => copy(10_000, i)); // Six to a slab.
  const [first] = messages;
  const lost = messages.filter((each) => each.buffer !== first!.buffer && each.buffer !== messages.at(-1)!.buffer);
  const kept = lost.shift()!;
  for (const each of lost) freeBytes(each);
  const again = Array.from({ length: 60 }, () => copy(10_000, 99));
  assert.ok(
    again.some((each) => lost.some(({ buffer }) => buffer === each.buffer)),
    'a free slab is used again',
  );
  assert.ok(
    again.every((each) => each.buffer !== kept.buffer),
    'one that still holds a message is not',
  );
  assert.ok(kept.every((byte) => byte === kept[0]));
});

test('neighbours may be freed together', () => {
  const messages = Array.from({ length: 12 }, (_, i) => copy(16_000, i)); // Four to a slab.
  const a = messages.find((each, i) => i > 0 && each.byteOffset === 0)!;
  freeBytes(Buffer.from(a.buffer, 0, 32_000));
  freeBytes(Buffer.from(a.buffer, 32_000, 32_000));
  const again = Array.from({ length: 8 }, () => copy(16_000, 9));
  assert.ok(again.some((each) => each.buffer === a.buffer));
});

test('a batch gives its bytes back once, whoever asks how often, and only where it is exclusive', () => {
  const held = copy(5000, 7),
    freed = copy(5000, 8);
  const batch = new Batch('logs', [freed], 1, {}, true);
  for (let i = 0; i < 3; i++) batch.free(); // Counted thrice, it would take `held` along.
  new Batch('logs', [held], 1).free();
  for (let i = 0; i < 60; i++) copy(10_000, 9);
  assert.ok(held.every((byte) => byte === 7));
});

test('large bytes are given back at once, views of something larger never', () => {
  const own = Buffer.allocUnsafeSlow(100_000),
    view = Buffer.allocUnsafeSlow(100_000).subarray(0, 30_000);
  freeBytes(own);
  freeBytes(view);
  assert.deepEqual([own.length, view.length], [0, 30_000]);
  const read = Buffer.allocUnsafeSlow(4000),
    part = Buffer.allocUnsafeSlow(4000).subarray(1);
  freeRead(read);
  freeRead(part);
  assert.deepEqual([read.length, part.length], [0, 3999]);
});
