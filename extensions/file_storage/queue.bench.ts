/**
 * `node --no-maglev extensions/file_storage/queue.bench.ts [folder]`: what a sending queue on disk takes and gives back a second, with fsync, for requests of
 * 1,000 spans and of 10. Writing is by eight senders who wait for their yes, draining by ten consumers who send to nobody.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Batch } from '#src/core/batch.ts';
import { DiskQueue } from '#src/helper/exporter/queue_disk.ts';
import { telemetryRequest } from '#test/load/telemetry.ts';
import { LogStore } from './client.ts';

const quiet = { debug() {}, info() {}, warn() {}, error() {} };

async function timed(name: string, bytes: number, work: () => Promise<unknown>): Promise<void> {
  const before = process.cpuUsage(),
    began = performance.now();
  await work();
  const ms = performance.now() - began,
    { user, system } = process.cpuUsage(before);
  const mb = bytes / (1 << 20);
  console.log(`${name.padEnd(28)} ${(mb / (ms / 1000)).toFixed(0).padStart(5)} MB/s   ${((user + system) / 1000 / mb).toFixed(2)} ms of CPU a MB`);
}

for (const [spans, count] of [
  [1000, 1000],
  [10, 20_000],
] as const) {
  const folder = mkdtempSync(join(process.argv[2] ?? tmpdir(), 'queue-bench-'));
  const message = telemetryRequest('traces', Math.max(1, spans / 100), Math.min(100, spans));
  const bytes = message.length * count;
  const queue = new DiskQueue('traces', 1e9, 'requests', false, async () => LogStore.open(folder, { fsync: true, log: quiet }), quiet);
  await queue.start();
  let next = 0;
  const sender = async (): Promise<void> => {
    while (next++ < count) await queue.offer(new Batch('traces', [message], spans), null);
  };
  await timed(`write, ${spans} spans a request`, bytes, () => Promise.all(Array.from({ length: 8 }, sender)));
  const again = new DiskQueue('traces', 1e9, 'requests', false, async () => LogStore.open(folder, { fsync: true, log: quiet }), quiet);
  await queue.close();
  await timed('open again', bytes, () => again.start());
  let taken = 0,
    forgetting = 0;
  const consumer = async (): Promise<void> => {
    while (taken < count) {
      taken++;
      forgetting++;
      const done = again.done([(await again.take())!]).then(() => void forgetting--);
      if (forgetting > 100) await done; // As the exporter has it.
    }
  };
  await timed(`drain, ${spans} spans a request`, bytes, async () => {
    await Promise.all(Array.from({ length: 10 }, consumer));
    await again.close();
  });
  console.log(`peak memory ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MB`);
  rmSync(folder, { recursive: true });
}
