import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import type { Batch } from '#src/core/batch.ts';
import { testContext } from '#src/core/testing/context.ts';
import { configSchema } from './config.ts';
import { Pace } from './pace.ts';
import { FileLogReceiver } from './receiver.ts';

const MB = 1 << 20;

/** Reads a file of 40 MB into a consumer; the most bytes that were out at a time. `done` is called with each batch. */
async function readLargeFile(done: (batch: Batch, back: () => void) => void): Promise<{ mostBytes: number; lines: number }> {
  const place = fs.mkdtempSync(path.join(os.tmpdir(), 'file-log-pace-'));
  fs.writeFileSync(path.join(place, 'a.log'), `${'x'.repeat(1023)}\n`.repeat(40 * 1024));
  let out = 0,
    mostBytes = 0,
    lines = 0;
  const next = {
    async consume(batch: Batch): Promise<void> {
      out += batch.sizeBytes;
      mostBytes = Math.max(mostBytes, out);
      lines += batch.itemCount;
      done(batch, () => {
        out -= batch.sizeBytes;
      });
    },
  };
  const config = configSchema.parse({ include: [`${place}/*.log`], start_at: 'beginning', poll_interval: '10ms' });
  const receiver = new FileLogReceiver(testContext(config), next);
  await receiver.start();
  for (const end = Date.now() + 30_000; lines < 40 * 1024 && Date.now() < end; ) await new Promise((resolve) => setTimeout(resolve, 5));
  await receiver.shutdown();
  fs.rmSync(place, { recursive: true });
  return { mostBytes, lines };
}

test('reading keeps pace with a consumer that gives memory back later', async () => {
  const { mostBytes, lines } = await readLargeFile((batch, back) =>
    setTimeout(() => {
      batch.free();
      back();
    }, 5),
  );
  assert.equal(lines, 40 * 1024);
  assert.ok(mostBytes < 14 * MB, `${mostBytes} bytes were out`);
});

test('reading goes on where batches never come back', async () => {
  const { lines } = await readLargeFile(() => {});
  assert.equal(lines, 40 * 1024);
});

test('a pace counts what is out, tells when something is back, and starts anew after a rest', () => {
  const pace = new Pace();
  let told = 0;
  pace.notify(() => told++);
  const back = [5, 5].map((size) => pace.lend(size * MB));
  assert.equal(pace.isAhead, true);
  back[0]!();
  assert.deepEqual([pace.isAhead, told], [false, 1]);
  pace.lend(20 * MB);
  pace.widen();
  pace.lend(20 * MB);
  assert.equal(pace.isAhead, false);
  pace.rest();
  back[1]!();
  assert.deepEqual([pace.isAhead, told], [false, 1]);
});
