import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RecordedTelemetry } from '#src/core/testing/context.ts';
import { ManualClock } from '#src/core/testing/manual_clock.ts';
import { memoryLimiterSchema } from './config.ts';
import { Limiter, limitsOf, totalMemoryBytes } from './limiter.ts';

const MIB = 1 << 20;
const settings = (more: object) => memoryLimiterSchema.parse({ check_interval: '1s', ...more });

test('limitsOf() takes MiB before percent and a fifth of the limit as the spike', () => {
  const total = () => 1000 * MIB;
  assert.deepEqual(limitsOf(settings({ limit_mib: 100 }), total), { hard: 100 * MIB, soft: 80 * MIB });
  assert.deepEqual(limitsOf(settings({ limit_mib: 100, spike_limit_mib: 30, limit_percentage: 10 }), total), { hard: 100 * MIB, soft: 70 * MIB });
  assert.deepEqual(limitsOf(settings({ limit_percentage: 50, spike_limit_percentage: 20 }), total), { hard: 500 * MIB, soft: 300 * MIB });
});

test('totalMemoryBytes() takes the limit of the cgroup where it has one', () => {
  assert.equal(
    totalMemoryBytes((file) => (file.endsWith('memory.max') ? '1048576\n' : assert.fail())),
    MIB,
  );
  assert.ok(totalMemoryBytes(() => 'max\n') > MIB);
  assert.ok(
    totalMemoryBytes(() => {
      throw new Error('ENOENT');
    }) > MIB,
  );
});

test('the limiter refuses above the soft limit only where a collection does not help, and not sooner than the interval allows again', async () => {
  const clock = new ManualClock(),
    telemetry = new RecordedTelemetry();
  let used = 90 * MIB,
    collections = 0,
    freed = 50 * MIB;
  const limiter = new Limiter(
    settings({ limit_mib: 100, min_gc_interval_when_soft_limited: '5s' }),
    clock,
    telemetry.log,
    () => used,
    () => {
      collections++;
      used -= freed;
    },
  );
  limiter.start();
  await clock.advance(1000);
  assert.deepEqual([limiter.refusing, collections], [false, 1]);
  used = 90 * MIB;
  freed = 0;
  await clock.advance(2000);
  assert.deepEqual([limiter.refusing, collections], [true, 1]);
  used = 120 * MIB; // Above the hard limit a collection is tried each time.
  await clock.advance(2000);
  assert.deepEqual([limiter.refusing, collections], [true, 3]);
  used = 10 * MIB;
  await clock.advance(1000);
  assert.equal(limiter.refusing, false);
  assert.deepEqual(
    telemetry.lines.map((line) => line.split(' ')[0]),
    ['warn', 'info'],
  );
  limiter.stop();
});
