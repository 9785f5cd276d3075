import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import zlib from 'node:zlib';
import type { Batch } from '#src/core/batch.ts';
import { systemClock } from '#src/core/clock.ts';
import type { Lifecycle, ReceiverDefinition } from '#src/core/component.ts';
import { PermanentError, RetryableError } from '#src/core/errors.ts';
import { type RecordedTelemetry, testContext } from '#src/core/testing/context.ts';
import { GrpcClient } from '#src/net/grpc/client.ts';
import { EXPORT_PATHS } from '#src/net/grpc/otlp_service.ts';
import { decodeStatus } from '#src/net/grpc/status.ts';
import { grpcClientShape } from '#src/net/config.ts';
import { z } from 'zod';
import { configSchema } from './config.ts';
import definition from './index.ts';

/** One span with an empty name: resource_spans { scope_spans { spans {} } }. */
const ONE_SPAN: Buffer<ArrayBuffer> = Buffer.from([0x0a, 4, 0x12, 2, 0x12, 0]);
const JSON_SPAN = '{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"a"}]}]}]}';

const got: Batch[] = [];
let answer: () => Promise<void> = () => Promise.resolve();
const next = {
  consume: async (batch: Batch) => {
    await answer();
    got.push(batch);
  },
};
const running: Lifecycle[] = [];
after(async () => {
  for (const each of running) await each.shutdown?.();
});

/** Starts a receiver for traces; the addresses come from its log. */
async function start(protocols: object): Promise<{ telemetry: RecordedTelemetry; grpc: string; http: string }> {
  const context = testContext(configSchema.parse({ protocols }), { id: 'otlp' });
  const receiver = (definition as ReceiverDefinition<typeof configSchema>).create({ ...context, next: { traces: next } });
  running.push(receiver);
  await receiver.start?.();
  const address = (kind: string): string => /"endpoint":"([^"]+)"/.exec(context.telemetry.lines.find((line) => line.includes(kind)) ?? '')?.[1] ?? '';
  return { telemetry: context.telemetry, grpc: address('GRPC'), http: `http://${address('HTTP')}` };
}
const both = await start({
  grpc: { endpoint: '127.0.0.1:0' },
  http: { endpoint: '127.0.0.1:0', max_request_body_size: 10_000, cors: { allowed_origins: ['https://*.example.com'] } },
});
const post = (body: string | Uint8Array<ArrayBuffer>, type: string, headers: Record<string, string> = {}, path = '/v1/traces'): Promise<Response> =>
  fetch(both.http + path, { method: 'POST', body, headers: { 'content-type': type, ...headers } });

test('an empty section is the defaults, no protocol at all is a fault, an unknown key too', () => {
  const parsed = configSchema.parse({ protocols: { grpc: null, http: null } });
  assert.equal(parsed.protocols.grpc?.endpoint, 'localhost:4317');
  assert.equal(parsed.protocols.http?.endpoint, 'localhost:4318');
  assert.equal(parsed.protocols.http?.traces_url_path, '/v1/traces');
  assert.equal(configSchema.parse({ protocols: { grpc: {} } }).protocols.http, undefined);
  const fault = (config: object): string => configSchema.safeParse(config).error?.issues[0]?.message ?? '';
  assert.match(fault({}), /must specify at least one protocol/);
  assert.match(fault({ protocols: { grpc: { end_point: 'x:1' } } }), /end_point/);
  assert.match(fault({ protocols: { grpc: { endpoint: 'localhost' } } }), /no port/);
  assert.match(fault({ protocols: { grpc: { read_buffer_size: 1024 } } }), /read_buffer_size is not supported yet, only its default 524288 is/);
  assert.match(fault({ protocols: { http: { dialer: { timeout: '1s' } } } }), /dialer::timeout is not supported/);
  assert.equal(fault({ protocols: { grpc: { read_buffer_size: 524288, dialer: { timeout: '0s' } } } }), '');
  assert.match(fault({ protocols: { grpc: { auth: { authentikator: 'a' } } } }), /authentikator/);
});

test('a gRPC request becomes a batch of the same bytes and is counted', async () => {
  const client = new GrpcClient({
    settings: z.strictObject(grpcClientShape()).parse({ endpoint: both.grpc, tls: { insecure: true } }),
    log: both.telemetry.log,
    clock: systemClock,
    userAgent: 't',
  });
  client.start();
  await client.call(EXPORT_PATHS.traces, [ONE_SPAN, ONE_SPAN], 12);
  const batch = got.pop()!;
  assert.deepEqual([batch.context.clientAddress, batch.context.metadata], ['127.0.0.1', undefined]);
  assert.deepEqual(batch.context.grpcMetadata?.get('user-agent'), ['t']);
  assert.deepEqual(batch.context.grpcMetadata?.get(':authority'), [both.grpc]);
  assert.deepEqual([...batch.context.grpcMetadata!.keys()].toSorted(), [':authority', 'content-type', 'grpc-accept-encoding', 'user-agent']);
  assert.equal(batch.itemCount, 2);
  assert.ok(Buffer.concat([ONE_SPAN, ONE_SPAN]).equals(batch.bytes));
  assert.equal(both.telemetry.counts.get('receiver_accepted_spans'), 2);
  await client.call(EXPORT_PATHS.traces, [], 0);
  assert.equal(got.length, 0, 'nothing in it, nothing handed on');
  await assert.rejects(client.call(EXPORT_PATHS.logs, [ONE_SPAN], 6), /Unimplemented/);
  await assert.rejects(client.call(EXPORT_PATHS.traces, [ONE_SPAN.subarray(0, 5)], 5), /InvalidArgument/);
  answer = () => Promise.reject(new RetryableError('full', { reason: 'exhausted', retryAfterMs: 20 }));
  await assert.rejects(client.call(EXPORT_PATHS.traces, [ONE_SPAN], 6), (error) => error instanceof RetryableError && error.retryAfterMs === 20);
  assert.equal(both.telemetry.counts.get('receiver_refused_spans'), 1);
  answer = () => Promise.resolve();
  await client.close();
});

test('protobuf and JSON over HTTP are taken, plain and compressed, and answered in kind', async () => {
  const check = async (body: Uint8Array<ArrayBuffer> | string, type: string, headers: Record<string, string>, want: string): Promise<void> => {
    const reply = await post(body, type, headers);
    assert.equal(reply.status, 200);
    assert.equal(reply.headers.get('content-type'), type.split(';')[0]);
    assert.equal(await reply.text(), want);
    assert.equal(got.pop()?.itemCount, 1);
  };
  await check(ONE_SPAN, 'application/x-protobuf', {}, '');
  await check(JSON_SPAN, 'application/json; charset=utf-8', {}, '{"partialSuccess":{}}');
  await check(zlib.gzipSync(ONE_SPAN), 'application/x-protobuf', { 'content-encoding': 'gzip' }, '');
  await check(zlib.zstdCompressSync(JSON_SPAN), 'application/json', { 'content-encoding': 'zstd' }, '{"partialSuccess":{}}');
  await check(zlib.deflateSync(ONE_SPAN), 'application/x-protobuf', { 'content-encoding': 'deflate' }, '');
});

test('what is wrong with a request over HTTP is said as the Collector says it', async () => {
  const check = async (reply: Response, status: number, text: RegExp): Promise<void> => {
    assert.equal(reply.status, status);
    assert.match(await reply.text(), text);
  };
  const json = 'application/json';
  await check(await post('x', 'text/plain'), 415, /^415 unsupported media type, supported: \[application\/json, application\/x-protobuf\]$/);
  await check(await fetch(`${both.http}/v1/traces`), 405, /^405 method not allowed, supported: \[POST\]$/);
  await check(await post('{}', json, {}, '/v1/logs'), 404, /404 page not found/);
  await check(await post('{"resourceSpans":[', json), 400, /^\{"code":3,"message":/);
  await check(await post('{}', json, { 'content-encoding': 'br' }), 400, /"code":3,"message":"unsupported Content-Encoding: br"/);
  await check(await post('{}', json, { 'content-encoding': 'gzip' }), 400, /"code":3/);
  await check(await post(' '.repeat(10_001), json), 413, /request body too large/);
  await check(await post(zlib.gzipSync(Buffer.alloc(20_000)), json, { 'content-encoding': 'gzip' }), 413, /larger than 10000 bytes/);
  const damaged = await post(ONE_SPAN.subarray(0, 5), 'application/x-protobuf');
  assert.equal(damaged.status, 400);
  assert.equal(decodeStatus(Buffer.from(await damaged.arrayBuffer())).code, 3);
});

test('errors of the pipeline are 400, 429 and 503 with Retry-After', async () => {
  const check = async (error: Error, status: number, retryAfter: string | null): Promise<void> => {
    answer = () => Promise.reject(error);
    const reply = await post(ONE_SPAN, 'application/x-protobuf');
    assert.equal(reply.status, status);
    assert.equal(reply.headers.get('retry-after'), retryAfter);
    assert.match(decodeStatus(Buffer.from(await reply.arrayBuffer())).message, /why/);
  };
  await check(new PermanentError('why'), 400, null);
  await check(new RetryableError('why', { reason: 'exhausted' }), 429, '1');
  await check(new RetryableError('why', { retryAfterMs: 2500 }), 503, '3');
  await check(new RetryableError('why'), 503, null);
  await check(new Error('why'), 500, null);
  answer = () => Promise.resolve();
});

test('browsers of allowed origins may send, others get no permission', async () => {
  const preflight = (origin: string): Promise<Response> =>
    fetch(`${both.http}/v1/traces`, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type' },
    });
  const allowed = await preflight('https://shop.example.com');
  assert.equal(allowed.status, 204);
  assert.equal(allowed.headers.get('access-control-allow-origin'), 'https://shop.example.com');
  assert.equal((await preflight('https://example.org')).headers.get('access-control-allow-origin'), null);
});

test('with include_metadata the headers of a gRPC call are metadata, with the name we were called by as "host"; calls alike share their context', async () => {
  const { grpc } = await start({ grpc: { endpoint: '127.0.0.1:0', include_metadata: true } });
  const settings = z.strictObject(grpcClientShape()).parse({ endpoint: grpc, tls: { insecure: true }, headers: { 'X-Tenant': 'a', 'x-key-bin': 'hi' } });
  const client = new GrpcClient({ settings, log: both.telemetry.log, clock: systemClock, userAgent: 't' });
  client.start();
  // The headers of the first go into the table of HPACK, from the second on they are the same few bytes.
  for (let i = 0; i < 3; i++) await client.call(EXPORT_PATHS.traces, [ONE_SPAN], 6);
  const [first, second, third] = got.splice(0);
  const { metadata, grpcMetadata } = first!.context;
  assert.deepEqual([metadata?.get('x-tenant'), metadata?.get('host'), metadata?.get('x-key-bin')], [['a'], [grpc], ['hi']]);
  assert.deepEqual([grpcMetadata?.get('x-tenant'), grpcMetadata?.get('host')], [['a'], undefined]);
  assert.equal(third!.context, second!.context);
  await client.close();
});

test('headers go into the context with include_metadata only', async () => {
  const { http } = await start({ http: { endpoint: '127.0.0.1:0', include_metadata: true, traces_url_path: 'in' } });
  await fetch(`${http}/in`, { method: 'POST', body: ONE_SPAN, headers: { 'content-type': 'application/x-protobuf', 'X-Tenant': 'a' } });
  assert.deepEqual(got.pop()?.context.metadata?.get('x-tenant'), ['a']);
  await post(ONE_SPAN, 'application/x-protobuf', { 'X-Tenant': 'a' });
  assert.deepEqual(got.pop()?.context, { clientAddress: '127.0.0.1' });
});
