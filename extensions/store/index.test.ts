import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { systemClock } from '#src/core/clock.ts';
import { errorText } from '#src/core/errors.ts';
import { isStore } from '#src/store/store.ts';
import { configSchema } from './config.ts';
import definition from './index.ts';

const silent = { debug() {}, info() {}, warn() {}, error() {} };
const telemetry = { log: silent, counter: () => ({ add() {} }), histogram: () => ({ record() {} }), gauge: () => () => {} };

function make(directory: string): { start(): void; shutdown(): Promise<void> } {
  if (definition.kind !== 'extension') throw new Error('not an extension');
  const config = configSchema.parse({ directory });
  return definition.create({ id: 'store', config, telemetry, clock: systemClock, host: {} as never }) as never;
}

test('options have their defaults, sizes and long durations are read, what is not supported is refused', () => {
  const config = configSchema.parse({ directory: 'd', retention_time: '30d', retention_size: '1.5GB' });
  assert.equal(config.retention_time, 30 * 86_400_000);
  assert.equal(config.retention_size, 1.5 * 2 ** 30);
  assert.equal(config.limits.max_label_names_per_series, 30);
  assert.equal(configSchema.parse({ directory: 'd' }).retention_time, 15 * 86_400_000);
  assert.match(configSchema.safeParse({ directory: 'd', out_of_order_time_window: '1h' }).error?.message ?? '', /not supported yet/);
  assert.match(configSchema.safeParse({ directory: 'd', retention_size: 'much' }).error?.message ?? '', /is not a size/);
  assert.equal(configSchema.safeParse({ directory: 'd', retention: '1h' }).success, false);
});

test('the store opens, refuses a second owner and bad tenant ids, keeps its data, and lets go of the lock', async () => {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'penstock-store-'));
  const first = make(directory);
  await make(directory).shutdown(); // Never started: nothing happens.
  first.start();
  assert.ok(isStore(first));
  assert.throws(
    () => make(directory).start(),
    (error) => /only one process can use/.test(errorText(error)),
  );
  for (const bad of ['', '.', '..', 'a/b', '../x', 'a|b', 'x'.repeat(151)]) assert.throws(() => first.tenant(bad), { name: 'PermanentError' }, bad);
  assert.equal(first.existingTenant('team-a'), undefined);
  first.tenant('team-a');
  assert.equal(first.storeStatus().tenants[0]!.tenant, 'team-a');
  await first.shutdown();
  await first.shutdown();
  const second = make(directory);
  second.start();
  assert.ok(isStore(second) && second.existingTenant('team-a') !== undefined, 'tenants are found again');
  await second.shutdown();
  assert.deepEqual(fs.readdirSync(directory), ['team-a']);
  fs.writeFileSync(path.join(directory, 'lock'), '999999999 1\n'); // Of a process that is gone.
  const third = make(directory);
  third.start();
  await third.shutdown();
});
