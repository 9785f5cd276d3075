import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Batch } from '#src/core/batch.ts';
import type { Consumer } from '#src/core/component.ts';
import { RetryableError } from '#src/core/errors.ts';
import { testContext } from '#src/core/testing/context.ts';
import { ManualClock } from '#src/core/testing/manual_clock.ts';
import { configSchema } from './config.ts';
import definition from './index.ts';

/** This test's process is larger than a MiB and smaller than a TiB. */
async function running(limitMib: number, next: Consumer) {
  const clock = new ManualClock(),
    context = testContext(configSchema.parse({ check_interval: '1s', limit_mib: limitMib }), { clock });
  const processor = definition.create!({ ...context, signal: 'logs', next });
  await processor.start?.();
  await clock.advance(1000);
  return { processor, counts: context.telemetry.counts };
}

test('a refusal is retryable, counted, and reaches nobody behind', async () => {
  const { processor, counts } = await running(1, { consume: () => assert.fail('must not be reached') });
  await assert.rejects(processor.consume(new Batch('logs', [], 3)), (error) => error instanceof RetryableError && error.retryAfterMs === 1000);
  assert.equal(counts.get('processor_memory_limiter_refused_log_records'), 3);
  await processor.shutdown?.();
});

test('who asks before it reads a request hears of the refusal, and else what the next stage says', async () => {
  const full = new RetryableError('the queue is full');
  const refusing = await running(1, { consume: () => assert.fail('must not be reached') });
  assert.match(String(refusing.processor.refusal!()), /high memory usage/);
  const open = await running(1 << 20, { consume: async () => {}, refusal: () => full });
  assert.equal(open.processor.refusal!(), full);
  await refusing.processor.shutdown?.();
  await open.processor.shutdown?.();
});
