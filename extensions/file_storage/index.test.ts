import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import type { ExtensionDefinition } from '#src/core/component.ts';
import type { StorageExtension } from '#src/core/storage.ts';
import { testContext } from '#src/core/testing/context.ts';
import { ManualClock } from '#src/core/testing/manual_clock.ts';
import { configSchema } from './config.ts';
import definition from './index.ts';

const folder = (): string => fs.mkdtempSync(path.join(os.tmpdir(), 'file-storage-'));
function create(config: object) {
  const clock = new ManualClock();
  const context = testContext(configSchema.parse(config), { clock });
  const extension = (definition as ExtensionDefinition<typeof configSchema>).create(context) as StorageExtension & { start(): void; shutdown(): Promise<void> };
  return { clock, extension };
}
const sizeOf = (place: string): number =>
  fs.readdirSync(place, { recursive: true }).reduce((sum, name) => sum + fs.statSync(path.join(place, String(name))).size, 0);

test('folders that are missing, and checks that never happen, are refused with their path', () => {
  const faults = (config: object): string[] =>
    (configSchema.safeParse(config).error?.issues ?? []).map((issue) => `${issue.path.join('::')}: ${issue.message}`);
  const place = folder();
  assert.match(faults({ directory: '/not/here' }).join(), /^directory: "\/not\/here" does not exist; make it or set create_directory: true$/);
  assert.match(
    faults({ directory: place, compaction: { on_start: true, directory: '/not/here' } }).join(),
    /^compaction::directory: "\/not\/here" does not exist/,
  );
  assert.match(faults({ directory: place, compaction: { on_rebound: true, check_interval: '0s' } }).join(), /^compaction::check_interval: .* must be positive/);
  assert.match(faults({ directory: place, compaction: { max_transaction_size: -1 } }).join(), /cannot be less than 0/);
  assert.deepEqual(faults({ directory: place, compaction: { directory: '/not/here' } }), []);
  assert.deepEqual(faults({ directory: '/not/here', create_directory: true }), []);
});

test('with on_rebound the files shrink once little is left of much, at the next look', async () => {
  const directory = folder();
  const limits = { rebound_needed_threshold_mib: 1, rebound_trigger_threshold_mib: 1, check_interval: '10s' };
  const { clock, extension } = create({ directory, fsync: false, compaction: { on_rebound: true, ...limits } });
  extension.start();
  const client = await extension.storageClient('exporter:otlp', 'traces');
  const big = Buffer.alloc(150_000, 'x');
  for (let i = 0; i < 10; i++) await client.apply([{ key: `k${i}`, value: big }]);
  for (let i = 0; i < 4; i++) await client.apply([{ key: `k${i}`, value: null }]);
  assert.ok(sizeOf(directory) > 1_400_000, `${sizeOf(directory)} bytes before`);
  await clock.advance(10_000);
  for (let i = 0; i < 1000 && sizeOf(directory) > 1_000_000; i++) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.ok(sizeOf(directory) < 1_000_000, `${sizeOf(directory)} bytes after`);
  assert.deepEqual(await client.keys(), ['k4', 'k5', 'k6', 'k7', 'k8', 'k9']);
  await extension.shutdown();
});

test('cleanup_on_start removes what was left in the folder of compactions, and nothing else', async () => {
  const scratch = folder();
  fs.writeFileSync(path.join(scratch, 'penstock-compaction-1-x'), 'half');
  fs.writeFileSync(path.join(scratch, 'other'), '');
  const { extension } = create({ directory: folder(), compaction: { directory: scratch, cleanup_on_start: true } });
  extension.start();
  assert.deepEqual(fs.readdirSync(scratch), ['other']);
  await extension.shutdown();
});
