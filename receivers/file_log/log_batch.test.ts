import assert from 'node:assert/strict';
import test from 'node:test';
import { concatBatches } from '#src/data/batching.ts';
import { Entry } from './entry.ts';
import { LogBatch } from './log_batch.ts';

function batchOf(records: LogBatch, body: string) {
  const entry = new Entry(0);
  entry.body = body.repeat(40_000);
  records.add(entry);
  return records.take()!;
}

test('memory of a batch is written again once its last holder freed it, and not before', () => {
  const records = new LogBatch();
  batchOf(records, 'w');
  const first = batchOf(records, 'a'),
    second = batchOf(records, 'b');
  assert.notEqual(second.bytes.buffer, first.bytes.buffer);
  const joined = concatBatches([first, second]);
  const copy = Buffer.from(joined.bytes);
  const third = batchOf(records, 'c');
  assert.deepEqual(Buffer.from(joined.bytes), copy);
  joined.free();
  joined.free(); // A second time does nothing: the memory would be given to two.
  const fourth = batchOf(records, 'd'),
    fifth = batchOf(records, 'e'),
    used = new Set([third, fourth, fifth].map((batch) => batch.bytes.buffer));
  assert.equal(used.size, 3);
  assert.ok(used.has(first.parts[0]!.buffer) && used.has(second.parts[0]!.buffer));
});

test('memory of a batch that went to several is never written again', () => {
  const records = new LogBatch();
  batchOf(records, 'w');
  const first = batchOf(records, 'a').shared();
  first.free();
  assert.notEqual(batchOf(records, 'b').bytes.buffer, first.bytes.buffer);
});
