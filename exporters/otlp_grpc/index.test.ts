import assert from 'node:assert/strict';
import { createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import { constants, gzipSync, zstdCompressSync } from 'node:zlib';
import { z } from 'zod';
import { Batch, EMPTY_CONTEXT, type Packed, type PackedCoding } from '#src/core/batch.ts';
import { systemClock } from '#src/core/clock.ts';
import type { ExporterDefinition } from '#src/core/component.ts';
import { PermanentError, RetryableError } from '#src/core/errors.ts';
import { type RecordedTelemetry, testContext } from '#src/core/testing/context.ts';
import { concatBatches } from '#src/data/batching.ts';
import { joinGzip } from '#src/net/compressed/gzip_join.ts';
import { grpcServerShape } from '#src/net/config.ts';
import { EXPORT_PATHS } from '#src/net/grpc/otlp_service.ts';
import { GrpcServer } from '#src/net/grpc/server.ts';
import { configSchema } from './config.ts';
import definition from './index.ts';

const BATCH = new Batch('traces', [Buffer.from([0x0a, 4, 0x12, 2, 0x12, 0]), Buffer.from([0x0a, 0])], 1);
let answer: (message: Buffer, packed: Packed | null) => Promise<void> = () => Promise.resolve();
const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const server = new GrpcServer({
  settings: z.strictObject(grpcServerShape('127.0.0.1:0')).parse({}),
  methods: new Map([[EXPORT_PATHS.traces, (message, _call, _peer, _auth, packed) => answer(message, packed)]]),
  packedUse: () => 'joined',
  log: quiet,
  clock: systemClock,
});
await server.listen();
after(() => server.close(0));

async function send(config: object = {}, batch = BATCH): Promise<RecordedTelemetry> {
  const parsed = configSchema.parse({
    endpoint: server.address,
    tls: { insecure: true },
    retry_on_failure: { enabled: false },
    sending_queue: { enabled: false },
    ...config,
  });
  const context = testContext(parsed);
  const exporter = (definition as ExporterDefinition<typeof configSchema>).create({ ...context, signals: ['traces'] });
  await exporter.start?.();
  try {
    await exporter.consume(batch);
  } finally {
    await exporter.shutdown?.();
  }
  return context.telemetry;
}

test('what the server did not take of a batch is logged', async () => {
  const partial = createServer();
  partial.on('stream', (stream) => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.resume();
    stream.on('end', () => stream.end(Buffer.from([0, 0, 0, 0, 8, 0x0a, 6, 0x08, 3, 0x12, 2, 0x68, 0x69])));
  });
  await new Promise<void>((done) => partial.listen(0, '127.0.0.1', done));
  const { lines } = await send({ endpoint: `127.0.0.1:${(partial.address() as AddressInfo).port}` });
  assert.ok(
    lines.some((line) => line.includes('Partial success response') && line.includes('"message":"hi","dropped_spans":3')),
    lines.join('\n'),
  );
  partial.close();
});

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
  assert.match(fault({ endpoint: 'a:1', compression: 'lz4' }), /lz4.*for HTTP only/);
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

test('what came in compressed as it goes out is not compressed again; put together it is still one gzip member', async () => {
  const request = Buffer.concat(Array.from({ length: 900 }, (_, i) => Buffer.from([0x0a, 7, 0x12, 5, 0x12, 3, 0x2a, 1, i & 127])));
  const cameAs = (coding: PackedCoding, bytes: Uint8Array): Batch =>
    new Batch('traces', [request], 900, EMPTY_CONTEXT, false, null, { coding, pieces: [{ member: bytes, plainBytes: request.length }], joinable: true });
  let got: { message: Buffer; packed: Packed | null } = { message: Buffer.alloc(0), packed: null };
  answer = async (message, packed) => void (got = { message: Buffer.from(message), packed });
  const check = async (config: object, batch: Batch, wanted: Uint8Array | null): Promise<void> => {
    await send(config, batch);
    assert.ok(got.message.equals(batch.bytes), JSON.stringify(config));
    const sent = got.packed?.pieces[0]?.member;
    assert.equal(Boolean(sent && wanted && Buffer.from(wanted).equals(sent)), wanted !== null, JSON.stringify(config));
  };
  const gzip = cameAs('gzip', gzipSync(request, { level: 9 }));
  const zstd = cameAs('zstd', zstdCompressSync(request, { params: { [constants.ZSTD_c_compressionLevel]: 19, [constants.ZSTD_c_checksumFlag]: 1 } }));
  await check({}, gzip, gzip.packed!.pieces[0]!.member);
  await check({ compression: 'zstd' }, zstd, zstd.packed!.pieces[0]!.member);
  await check({ compression: 'zstd' }, gzip, null);
  await check({ compression: 'none' }, gzip, null);
  await check({ compressed_pass_through: 'off' }, gzip, null);
  await check({}, concatBatches([gzip, gzip, gzip]), joinGzip([gzip, gzip, gzip].map((each) => each.packed!.pieces[0]!.member!)));
  // What came in otherwise is a member of its own.
  const plain = new Batch('traces', [request.subarray(0, 450), request.subarray(450)], 900);
  const own = gzipSync(request, { level: 3 });
  await check({}, concatBatches([plain, gzip, gzip]), joinGzip([own, ...[gzip, gzip].map((each) => each.packed!.pieces[0]!.member!)]));
  await check({ compression: 'zstd' }, concatBatches([zstd, zstd]), null);
  assert.ok(got.packed !== null, 'one frame, compressed anew');
  await check({ compression: 'zstd', compressed_pass_through: 'multiple' }, concatBatches([zstd, zstd]), null);
  assert.equal(got.packed, null, 'two frames, which the server here does not keep');
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
