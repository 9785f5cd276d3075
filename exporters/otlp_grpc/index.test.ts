import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { z } from 'zod';
import { Batch } from '#src/core/batch.ts';
import { systemClock } from '#src/core/clock.ts';
import type { ExporterDefinition } from '#src/core/component.ts';
import { PermanentError, RetryableError } from '#src/core/errors.ts';
import { testContext } from '#src/core/testing/context.ts';
import { grpcServerShape } from '#src/net/config.ts';
import { EXPORT_PATHS } from '#src/net/grpc/otlp_service.ts';
import { GrpcServer } from '#src/net/grpc/server.ts';
import { configSchema } from './config.ts';
import definition from './index.ts';

const BATCH = new Batch('traces', [Buffer.from([0x0a, 4, 0x12, 2, 0x12, 0]), Buffer.from([0x0a, 0])], 1);
let answer: (message: Buffer) => Promise<void> = () => Promise.resolve();
const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const server = new GrpcServer({
  settings: z.strictObject(grpcServerShape('127.0.0.1:0')).parse({}),
  methods: new Map([[EXPORT_PATHS.traces, (message) => answer(message)]]),
  log: quiet,
  clock: systemClock,
});
await server.listen();
after(() => server.close(0));

async function send(config: object = {}): Promise<void> {
  const parsed = configSchema.parse({
    endpoint: server.address,
    tls: { insecure: true },
    retry_on_failure: { enabled: false },
    sending_queue: { enabled: false },
    ...config,
  });
  const exporter = (definition as ExporterDefinition<typeof configSchema>).create({ ...testContext(parsed), signals: ['traces'] });
  await exporter.start?.();
  try {
    await exporter.consume(BATCH);
  } finally {
    await exporter.shutdown?.();
  }
}

test('the defaults are those of the Collector; an endpoint is needed and has a port', () => {
  const config = configSchema.parse({ endpoint: 'a:4317' });
  assert.deepEqual(
    [config.compression, config.timeout, config.balancer_name, config.retry_on_failure.enabled, config.keepalive],
    ['gzip', 5000, 'round_robin', true, undefined],
  );
  const fault = (value: object): string => configSchema.safeParse(value).error?.issues[0]?.message ?? '';
  assert.match(fault({}), /requires a non-empty "endpoint"/);
  assert.match(fault({ endpoint: 'dns:///' }), /endpoint|port/);
  assert.match(fault({ endpoint: 'localhost' }), /has no port/);
  assert.match(fault({ endpoint: 'a:1', compression: 'lz4' }), /not supported yet/);
  assert.match(fault({ endpoint: 'a:1', balancer_name: 'x' }), /invalid balancer_name: x/);
});

test('the parts of a batch arrive as one message with each compression', async () => {
  for (const compression of ['gzip', 'zstd', 'snappy', 'none']) {
    let got: Buffer = Buffer.alloc(0);
    answer = async (message) => void (got = Buffer.from(message));
    await send({ compression });
    assert.ok(got.equals(BATCH.bytes), compression);
  }
});

test('statuses are final or not as the OTLP protocol has them', async () => {
  answer = () => Promise.reject(new PermanentError('bad'));
  await assert.rejects(send(), PermanentError);
  answer = () => Promise.reject(new RetryableError('down'));
  await assert.rejects(send(), RetryableError);
  answer = () => Promise.reject(new RetryableError('full', { reason: 'exhausted', retryAfterMs: 1234 }));
  await assert.rejects(send(), (error) => error instanceof RetryableError && error.retryAfterMs === 1234);
  answer = () => new Promise(() => {});
  await assert.rejects(send({ timeout: '50ms' }), (error) => error instanceof RetryableError && /DeadlineExceeded/.test(error.message));
});
