import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Batch } from '#src/core/batch.ts';
import { PermanentError, RetryableError } from '#src/core/errors.ts';
import { testContext } from '#src/core/testing/context.ts';
import { ManualClock, settled } from '#src/core/testing/manual_clock.ts';
import { configSchema } from './config.ts';
import definition from './index.ts';

/** ResourceLogs { ScopeLogs { one LogRecord of 4 bytes, `items` times } }: small enough for one-byte lengths. */
function logs(items: number, context = {}): Batch {
  const records = Buffer.concat(Array.from({ length: items }, () => Buffer.from([0x12, 2, 0x10, 9])));
  return new Batch('logs', [Buffer.concat([Buffer.from([0x0a, records.length + 2, 0x12, records.length]), records])], items, context);
}

function setUp(config: object, consume: (batch: Batch) => Promise<void>) {
  const clock = new ManualClock(),
    context = testContext(configSchema.parse(config), { clock });
  return { clock, telemetry: context.telemetry, processor: definition.create!({ ...context, signal: 'logs', next: { consume } }) };
}

test('a full batch goes at once, what is left after the timeout, and empty requests never', async () => {
  const sizes: number[] = [];
  const { processor, clock } = setUp({ send_batch_size: 4, timeout: '1s' }, async (batch) => void sizes.push(batch.itemCount));
  for (const items of [3, 0, 2, 1]) await processor.consume(logs(items));
  assert.deepEqual(sizes, [5]);
  await clock.advance(999);
  assert.deepEqual(sizes, [5]);
  await clock.advance(1);
  assert.deepEqual(sizes, [5, 1]);
});

test('send_batch_max_size cuts, and what is below send_batch_size waits for more', async () => {
  const sizes: number[] = [];
  const { processor, clock } = setUp({ send_batch_size: 4, send_batch_max_size: 5, timeout: '1s' }, async (batch) => void sizes.push(batch.itemCount));
  await processor.consume(logs(12));
  assert.deepEqual(sizes, [5, 5]);
  await clock.advance(1000);
  assert.deepEqual(sizes, [5, 5, 2]);
});

test('batching copies no bytes: the parts are those that came in', async () => {
  const out: Batch[] = [],
    a = logs(2),
    b = logs(3);
  const { processor } = setUp({ send_batch_size: 5 }, async (batch) => void out.push(batch));
  await processor.consume(a);
  await processor.consume(b);
  assert.deepEqual(
    out[0]!.parts.map((part, i) => part === [a, b][i]!.parts[0]),
    [true, true],
  );
});

test('nothing is lost while the next stage is full: the batch waits in front and senders are refused', async () => {
  let full = true;
  const sizes: number[] = [];
  const { processor, clock, telemetry } = setUp({ send_batch_size: 2, timeout: '1s' }, async (batch) => {
    if (full) throw new RetryableError('queue is full', { reason: 'exhausted' });
    sizes.push(batch.itemCount);
  });
  await processor.consume(logs(2)); // Accepted: it is ours from here on.
  await assert.rejects(processor.consume(logs(9)), /queue is full/);
  full = false;
  await clock.advance(1000);
  assert.deepEqual(sizes, [2]);
  await processor.consume(logs(3));
  assert.deepEqual(sizes, [2, 3]);
  assert.ok(!telemetry.lines.some((line) => line.includes('Dropping')));
});

test('what is refused for good is dropped with a log line, and the pipeline goes on', async () => {
  let calls = 0;
  const { processor, telemetry } = setUp({ send_batch_size: 1 }, async () => {
    if (++calls === 1) throw new PermanentError('malformed');
  });
  await processor.consume(logs(1));
  await processor.consume(logs(1));
  assert.equal(calls, 2);
  assert.match(telemetry.lines.join('\n'), /Dropping data.*malformed/);
});

test('tenants and the values of metadata_keys are kept apart, and too many of them are refused', async () => {
  const out: Batch[] = [];
  const { processor, clock } = setUp({ metadata_keys: ['X-Team'], metadata_cardinality_limit: 3 }, async (batch) => void out.push(batch));
  const of = (tenant: string | undefined, team: string) =>
    logs(1, {
      ...(tenant && { tenant }),
      metadata: new Map([
        ['x-team', [team]],
        ['other', ['y']],
      ]),
    });
  for (const batch of [of(undefined, 'a'), of('t', 'a'), of('t', 'b'), of('t', 'b')]) await processor.consume(batch);
  await assert.rejects(processor.consume(of('u', 'c')), PermanentError);
  await clock.advance(200);
  assert.deepEqual(
    out.map((batch) => [batch.context.tenant, batch.context.metadata?.get('x-team'), batch.itemCount]),
    [
      [undefined, ['a'], 1],
      ['t', ['a'], 1],
      ['t', ['b'], 2],
    ],
  );
  assert.deepEqual([...out[0]!.context.metadata!.keys()], ['x-team']);
});

test('senders wait while a request is under way, and shutdown sends the rest', async () => {
  let release = (): void => {};
  const sizes: number[] = [];
  const { processor } = setUp({ send_batch_size: 2 }, (batch) => {
    sizes.push(batch.itemCount);
    return new Promise<void>((resolve) => {
      release = resolve;
    });
  });
  let second = false;
  void processor.consume(logs(2));
  void processor.consume(logs(3)).then(() => {
    second = true;
  });
  await settled();
  assert.deepEqual([sizes, second], [[2], false]);
  release();
  await settled();
  release();
  await settled();
  assert.deepEqual([sizes, second], [[2, 3], true]);
  await processor.consume(logs(1));
  const closing = processor.shutdown?.();
  await settled();
  release();
  await closing;
  assert.deepEqual(sizes, [2, 3, 1]);
});
