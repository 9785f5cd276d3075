import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { Batch, type BatchContext, EMPTY_CONTEXT, type Signal } from '#src/core/batch.ts';
import { PermanentError, RetryableError } from '#src/core/errors.ts';
import type { StorageClient } from '#src/core/storage.ts';
import { testContext, testHost } from '#src/core/testing/context.ts';
import { ManualClock, settled } from '#src/core/testing/manual_clock.ts';
import { exporterSettings } from './config.ts';
import { exporterHelper } from './exporter.ts';

const schema = z.strictObject(exporterSettings());
const signals: readonly Signal[] = ['logs'];
// One ResourceLogs with `size` bytes of an unknown field: batching must not look inside.
const batchOf = (items: number, size = 4): Batch => new Batch('logs', [Buffer.from([0x0a, size + 2, 0x7a, size, ...Buffer.alloc(size, items)])], items);

/** A storage client in memory, which a second "run" of the program opens again. */
class Disk {
  readonly values = new Map<string, Uint8Array>();
  full = false;
  storageClient = async (): Promise<StorageClient> => ({
    get: async (key) => this.values.get(key),
    apply: async (changes) => {
      if (this.full) throw new Error('no space left on device');
      for (const { key, value } of changes) value === null ? this.values.delete(key) : this.values.set(key, value);
    },
    keys: async () => [...this.values.keys()].sort(),
    close: async () => {},
  });
}

function setUp(settings: unknown, send: (batch: Batch) => Promise<void>, disk?: Disk) {
  const clock = new ManualClock(),
    host = testHost(new Map(disk ? [['file_storage', disk]] : []));
  const context = { ...testContext({}, { clock, host, id: 'otlp_http' }), signals };
  return { clock, telemetry: context.telemetry, exporter: exporterHelper({ context, settings: schema.parse(settings), send }) };
}
const count = (telemetry: { counts: Map<string, number> }, name: string) => telemetry.counts.get(name) ?? 0;

test('what the backend takes is counted as sent, what it refuses for good as failed and logged', async () => {
  let calls = 0;
  const { exporter, telemetry } = setUp({}, async () => {
    if (++calls === 2) throw new PermanentError('bad request');
  });
  await exporter.start?.();
  await exporter.consume(batchOf(3));
  await exporter.consume(batchOf(5));
  await settled();
  assert.equal(count(telemetry, 'exporter_sent_log_records'), 3);
  assert.equal(count(telemetry, 'exporter_send_failed_log_records'), 5);
  assert.match(telemetry.lines.join('\n'), /error Exporting failed. Dropping data.*bad request.*"dropped_items":5/);
  await exporter.shutdown?.();
});

test('a failure that may pass is tried again after growing waits, or after the longer wait the server asks for', async () => {
  const times: number[] = [];
  const failures = [new RetryableError('down'), new RetryableError('down'), new RetryableError('busy', { retryAfterMs: 20_000 })];
  const set = setUp({ retry_on_failure: { initial_interval: '1s', randomization_factor: 0, multiplier: 2 } }, async () => {
    times.push(set.clock.nowMs());
    const failure = failures.shift();
    if (failure) throw failure;
  });
  await set.exporter.start?.();
  await set.exporter.consume(batchOf(1));
  await set.clock.advance(60_000);
  assert.deepEqual(
    times.slice(1).map((t, i) => t - times[i]!),
    [1000, 2000, 20_000],
  );
  assert.equal(count(set.telemetry, 'exporter_sent_log_records'), 1);
  await set.exporter.shutdown?.();
});

test('after max_elapsed_time the batch is dropped and counted', async () => {
  const { exporter, clock, telemetry } = setUp({ retry_on_failure: { initial_interval: '1s', max_interval: '10s', max_elapsed_time: '10s' } }, async () => {
    throw new RetryableError('down');
  });
  await exporter.start?.();
  await exporter.consume(batchOf(2));
  await clock.advance(11_000);
  assert.equal(count(telemetry, 'exporter_send_failed_log_records'), 2);
  assert.match(telemetry.lines.at(-1)!, /no more retries left.*down/);
  await exporter.shutdown?.();
});

test('a full queue refuses with a retryable error, and a blocking one lets the sender wait', async () => {
  let release = (): void => {};
  const stuck = () =>
    new Promise<void>((resolve) => {
      release = resolve;
    });
  const refusing = setUp({ sending_queue: { queue_size: 2, num_consumers: 1 } }, stuck);
  await refusing.exporter.start?.();
  for (let i = 0; i < 3; i++) await refusing.exporter.consume(batchOf(1)).then(settled); // One is being sent, two wait.
  await assert.rejects(refusing.exporter.consume(batchOf(7)), (error) => error instanceof RetryableError && error.reason === 'exhausted');
  assert.equal(count(refusing.telemetry, 'exporter_enqueue_failed_log_records'), 7);
  assert.equal(refusing.telemetry.gauges.get('exporter_queue_size')?.(), 2);

  const blocking = setUp({ sending_queue: { queue_size: 1, num_consumers: 1, block_on_overflow: true } }, stuck);
  await blocking.exporter.start?.();
  await blocking.exporter.consume(batchOf(1)).then(settled);
  await blocking.exporter.consume(batchOf(1));
  let taken = false;
  const waiting = blocking.exporter.consume(batchOf(1)).then(() => {
    taken = true;
  });
  await settled();
  assert.equal(taken, false);
  release();
  await waiting;
});

test('wait_for_result and a queue that is off tell the sender what the backend said', async () => {
  for (const settings of [{ sending_queue: { wait_for_result: true } }, { sending_queue: { enabled: false } }]) {
    const { exporter } = setUp(settings, async () => {
      throw new PermanentError('not this');
    });
    await exporter.start?.();
    await assert.rejects(exporter.consume(batchOf(1)), /not this/);
    await exporter.shutdown?.();
  }
});

test('the batcher joins requests up to min_size, cuts none below max_size, and sends the rest after flush_timeout', async () => {
  const sizes: number[] = [];
  const { exporter, clock } = setUp({ sending_queue: { batch: { min_size: 5, flush_timeout: '1s' } } }, async (batch) => void sizes.push(batch.itemCount));
  await exporter.start?.();
  for (const items of [2, 2, 2, 1]) await exporter.consume(batchOf(items));
  await settled();
  assert.deepEqual(sizes, [6]);
  await clock.advance(1000);
  assert.deepEqual(sizes, [6, 1]);
  await exporter.shutdown?.();
});

test('shutdown sends what waits in memory', async () => {
  let sent = 0;
  const { exporter } = setUp({ sending_queue: { num_consumers: 1, batch: { min_size: 1000, flush_timeout: '1h' } } }, async (batch) => {
    await settled();
    sent += batch.itemCount;
  });
  await exporter.start?.();
  for (let i = 0; i < 20; i++) await exporter.consume(batchOf(1));
  await exporter.shutdown?.();
  assert.equal(sent, 20);
});

test('shutdown gives what was refused one attempt that begins after it, and tells what is lost then', async () => {
  const refused = (): never => {
    throw new RetryableError('down');
  };
  const underWay = Promise.withResolvers<void>();
  const attempts: Record<number, (() => Promise<void> | void)[]> = {
    1: [refused, () => {}], // waits for its next attempt
    2: [() => underWay.promise, () => {}], // is refused during the stop
    3: [refused, refused],
  };
  const { exporter, telemetry } = setUp({ sending_queue: { num_consumers: 3 } }, async (batch) => attempts[batch.itemCount]!.shift()!());
  await exporter.start?.();
  for (const items of [1, 2, 3]) await exporter.consume(batchOf(items));
  await settled();
  const stopped = exporter.shutdown?.();
  underWay.reject(new RetryableError('down'));
  await stopped;
  assert.deepEqual(attempts, { 1: [], 2: [], 3: [] });
  assert.equal(count(telemetry, 'exporter_sent_log_records'), 3);
  assert.match(telemetry.lines.join('\n'), /Dropping data.*the program stops before.*"dropped_items":3/);
});

test('the queue on disk keeps order and context over a restart, and forgets only what was sent', async () => {
  const disk = new Disk(),
    settings = { sending_queue: { storage: 'file_storage', num_consumers: 1 } };
  const first = setUp(
    settings,
    async () => {
      throw new RetryableError('down');
    },
    disk,
  );
  await first.exporter.start?.();
  const contextOf = (i: number): BatchContext => ({
    tenant: `t${i}`,
    clientAddress: '10.0.0.1',
    metadata: new Map([['k', ['v']]]),
    grpcMetadata: new Map([['user-agent', ['a', 'ü']]]),
    authAttributes: new Map<string, string | string[]>([
      ['subject', 'me'],
      ['groups', ['a', 'b']],
    ]),
  });
  for (let i = 1; i <= 5; i++) await first.exporter.consume(new Batch('logs', batchOf(i).parts, i, contextOf(i)));
  await first.exporter.shutdown?.();
  assert.equal(disk.values.size, 5);

  const seen: [number, BatchContext, string][] = [];
  const second = setUp(settings, async (batch) => void seen.push([batch.itemCount, batch.context, Buffer.from(batch.bytes).toString('hex')]), disk);
  await second.exporter.start?.();
  await settled();
  for (let i = 0; i < 20 && disk.values.size > 0; i++) await settled();
  assert.deepEqual(
    seen,
    [1, 2, 3, 4, 5].map((i) => [i, contextOf(i), Buffer.from(batchOf(i).bytes).toString('hex')]),
  );
  assert.equal(disk.values.size, 0);
  await second.exporter.shutdown?.();
});

test("a full disk is the sender's to know: the batch is refused, and taken once there is room", async () => {
  const disk = new Disk();
  const { exporter, telemetry } = setUp({ sending_queue: { storage: 'file_storage' } }, async () => {}, disk);
  await exporter.start?.();
  disk.full = true;
  await assert.rejects(exporter.consume(batchOf(4)), (error) => error instanceof RetryableError && /no space left/.test(error.message));
  disk.full = false;
  await exporter.consume(batchOf(4));
  for (let i = 0; i < 5; i++) await settled();
  assert.equal(count(telemetry, 'exporter_sent_log_records'), 4);
  await exporter.shutdown?.();
});

test('settings that contradict each other are refused with their path', () => {
  const issues = schema
    .safeParse({ retry_on_failure: { max_elapsed_time: '1s' }, sending_queue: { storage: 'x', wait_for_result: true, batch: { min_size: 10, max_size: 5 } } })
    .error?.issues.map((issue) => issue.path.join('::'));
  assert.deepEqual(issues?.sort(), ['retry_on_failure::max_elapsed_time', 'sending_queue::batch::max_size']);
  assert.deepEqual(
    schema.safeParse({ sending_queue: { storage: 'x', wait_for_result: true } }).error?.issues.map((issue) => issue.path.join('::')),
    ['sending_queue::wait_for_result'],
  );
});

test('what a failed attempt may still read is not freed when the same batch comes again and is taken', async () => {
  const failures = [new RetryableError('timed out')];
  const { exporter } = setUp({ sending_queue: { enabled: false }, retry_on_failure: { enabled: false } }, async () => {
    const failure = failures.shift();
    if (failure) throw failure;
  });
  await exporter.start?.();
  const again = new Batch('logs', [Buffer.allocUnsafeSlow(50_000)], 1, EMPTY_CONTEXT, true),
    once = new Batch('logs', [Buffer.allocUnsafeSlow(50_000)], 1, EMPTY_CONTEXT, true);
  await assert.rejects(exporter.consume(again), /timed out/);
  await exporter.consume(again);
  await exporter.consume(once);
  assert.deepEqual([again.parts[0]!.length, once.parts[0]!.length], [50_000, 0]);
  await exporter.shutdown?.();
});

test('the parts of a batched request that failed are kept when their senders come again', async () => {
  const failures = [new RetryableError('timed out')];
  const { exporter, clock } = setUp({ sending_queue: { wait_for_result: true, batch: { min_size: 2 } }, retry_on_failure: { enabled: false } }, async () => {
    const failure = failures.shift();
    if (failure) throw failure;
  });
  await exporter.start?.();
  const batches = [1, 2].map(() => new Batch('logs', [Buffer.allocUnsafeSlow(50_000)], 1, EMPTY_CONTEXT, true));
  const offer = () => Promise.allSettled(batches.map((batch) => exporter.consume(batch))).then((all) => all.map(({ status }) => status));
  const first = offer();
  await clock.advance(1000);
  assert.deepEqual(await first, ['rejected', 'rejected']);
  const second = offer();
  await clock.advance(1000);
  assert.deepEqual(await second, ['fulfilled', 'fulfilled']);
  assert.deepEqual(
    batches.map(({ parts }) => parts[0]!.length),
    [50_000, 50_000],
  );
  await exporter.shutdown?.();
});

test('with a dead backend a batching queue fills up instead of emptying itself into requests under way', async () => {
  const { exporter, clock } = setUp(
    {
      sending_queue: { queue_size: 5, num_consumers: 2, batch: { min_size: 1000, flush_timeout: '10ms' } },
      retry_on_failure: { initial_interval: '1s', max_elapsed_time: '0s' },
    },
    async () => {
      throw new RetryableError('down');
    },
  );
  await exporter.start?.();
  let taken = 0;
  for (let i = 0; i < 60; i++) {
    await exporter.consume(batchOf(1)).then(
      () => taken++,
      () => {},
    );
    await clock.advance(20);
  }
  assert.ok(taken >= 5 && taken <= 12, `${taken} were taken by a queue of five with two under way`);
  await exporter.shutdown?.();
});

test('a batch that cannot be read from the disk stays there, and the queue goes on with the next one', async () => {
  const disk = new Disk(),
    sent: number[] = [];
  let failing = true;
  const open = disk.storageClient;
  disk.storageClient = async () => {
    const client = await open();
    return {
      ...client,
      get: async (key) => {
        if (failing) {
          failing = false;
          throw new Error('EIO');
        }
        return await client.get(key);
      },
    };
  };
  const { exporter } = setUp({ sending_queue: { storage: 'file_storage', num_consumers: 1 } }, async (batch) => void sent.push(batch.itemCount), disk);
  await exporter.start?.();
  await exporter.consume(batchOf(1));
  await exporter.consume(batchOf(2));
  await settled();
  assert.deepEqual(sent, [2]);
  await exporter.shutdown?.();
  assert.equal(disk.values.size, 1);
});
