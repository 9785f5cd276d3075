/** What is refused by its headers: nothing of the body is read, the sender hears when to come again, and the request is counted. */
import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { after, test } from 'node:test';
import { systemClock } from '#src/core/clock.ts';
import type { Consumer, Lifecycle, ReceiverDefinition } from '#src/core/component.ts';
import { RetryableError } from '#src/core/errors.ts';
import { testContext, testHost } from '#src/core/testing/context.ts';
import { grpcClientShape } from '#src/net/config.ts';
import { GrpcClient } from '#src/net/grpc/client.ts';
import { EXPORT_PATHS } from '#src/net/grpc/otlp_service.ts';
import { decodeStatus } from '#src/net/grpc/status.ts';
import { z } from 'zod';
import { configSchema } from './config.ts';
import definition from './index.ts';

const ONE_SPAN: Buffer<ArrayBuffer> = Buffer.from([0x0a, 4, 0x12, 2, 0x12, 0]);
const running: Lifecycle[] = [];
after(async () => {
  for (const each of running) await each.shutdown?.();
});

async function start(next: Consumer, middlewares: object[] = [], extensions = new Map<string, unknown>()) {
  const protocols = { grpc: { endpoint: '127.0.0.1:0', middlewares }, http: { endpoint: '127.0.0.1:0', middlewares } };
  const context = testContext(configSchema.parse({ protocols }), { id: 'otlp', host: testHost(extensions) });
  const receiver = (definition as ReceiverDefinition<typeof configSchema>).create({ ...context, next: { traces: next } });
  running.push(receiver);
  await receiver.start?.();
  const address = (kind: string): string => /"endpoint":"([^"]+)"/.exec(context.telemetry.lines.find((line) => line.includes(kind)) ?? '')![1]!;
  const settings = z.strictObject(grpcClientShape()).parse({ endpoint: address('GRPC'), tls: { insecure: true } });
  const client = new GrpcClient({ settings, log: context.telemetry.log, clock: systemClock, userAgent: 't' });
  client.start();
  running.push({ shutdown: () => client.close() });
  return { counts: context.telemetry.counts, client, http: `http://${address('HTTP')}` };
}
const never = (): never => assert.fail('was reached');
const post = (http: string, body: Uint8Array<ArrayBuffer> | string, type: string): Promise<Response> =>
  fetch(`${http}/v1/traces`, { method: 'POST', body, headers: { 'content-type': type } });

test('while the pipeline refuses, so does the receiver, and it takes again what comes afterwards', async () => {
  let refusal: RetryableError | null = new RetryableError('no memory', { reason: 'exhausted', retryAfterMs: 2000 });
  let taken = 0;
  const { counts, client, http } = await start({ consume: async () => void taken++, refusal: () => refusal });
  const isRefused = (error: unknown): boolean => error instanceof RetryableError && error.retryAfterMs === 2000 && /no memory/.test(error.message);
  await assert.rejects(client.call(EXPORT_PATHS.traces, [ONE_SPAN], 6), isRefused);
  const large = Buffer.alloc(3 << 20);
  for (let i = 0; i < 20; i++) await assert.rejects(client.call(EXPORT_PATHS.traces, [large], large.length), isRefused);
  const json = await post(http, 'this is not even JSON', 'application/json');
  assert.deepEqual([json.status, json.headers.get('retry-after'), ((await json.json()) as { code: number }).code], [429, '2', 8]);
  const protobuf = await post(http, ONE_SPAN, 'application/x-protobuf');
  assert.equal(protobuf.status, 429);
  const status = decodeStatus(Buffer.from(await protobuf.arrayBuffer()));
  assert.deepEqual([status.code, status.retryAfterMs], [8, 2000]);
  assert.equal((await post(http, large, 'application/x-protobuf')).status, 429);
  assert.deepEqual([counts.get('receiver_refused_requests'), counts.get('receiver_refused_spans'), taken], [24, undefined, 0]);
  assert.equal(counts.get('grpc_server_limit_hits'), 21);
  refusal = null;
  await client.call(EXPORT_PATHS.traces, [ONE_SPAN], 6);
  assert.equal((await post(http, ONE_SPAN, 'application/x-protobuf')).status, 200);
  assert.deepEqual([counts.get('receiver_accepted_spans'), taken], [2, 2]);
});

test('an unavailable pipeline is UNAVAILABLE and 503', async () => {
  const refusal = new RetryableError('not now', { retryAfterMs: 1000 });
  const { client, http } = await start({ consume: never, refusal: () => refusal });
  await assert.rejects(client.call(EXPORT_PATHS.traces, [ONE_SPAN], 6), /Unavailable/);
  assert.equal((await post(http, ONE_SPAN, 'application/x-protobuf')).status, 503);
});

test('middlewares are asked before the pipeline, over both transports', async () => {
  const limiter = { requestRefusal: () => new RetryableError('data refused due to high memory usage', { reason: 'exhausted', retryAfterMs: 1000 }) };
  const { counts, client, http } = await start({ consume: never, refusal: never }, [{ id: 'memory_limiter' }], new Map([['memory_limiter', limiter]]));
  await assert.rejects(client.call(EXPORT_PATHS.traces, [ONE_SPAN], 6), /ResourceExhausted.*high memory usage/);
  assert.equal((await post(http, ONE_SPAN, 'application/x-protobuf')).status, 429);
  assert.equal(counts.get('receiver_refused_requests'), 2);
});

test('the connection of a small refused request goes on, a client that asks first (100-continue) need not send its body', async () => {
  let refusal: RetryableError | null = new RetryableError('no memory', { reason: 'exhausted', retryAfterMs: 1000 });
  const { http } = await start({ consume: async () => {}, refusal: () => refusal });
  const { hostname, port } = new URL(http);
  const socket = connect(Number(port), hostname);
  let text = '';
  socket.on('data', (chunk) => (text += chunk.toString('latin1')));
  const head = (length: number): string => `POST /v1/traces HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-protobuf\r\nContent-Length: ${length}\r\n\r\n`;
  const answers = async (count: number): Promise<void> => {
    while ((text.match(/HTTP\/1.1 \d/g) ?? []).length < count) await new Promise((done) => socket.once('data', done));
  };
  socket.write(head(100_000));
  await answers(1);
  assert.match(text, /^HTTP\/1.1 429 /);
  socket.write(Buffer.alloc(100_000));
  refusal = null;
  socket.write(Buffer.concat([Buffer.from(head(6)), ONE_SPAN]));
  await answers(2);
  assert.match(text, /HTTP\/1.1 200 OK/);
  socket.destroy();

  const asks = (): Promise<{ status: number; continued: boolean }> =>
    new Promise((done, fail) => {
      const headers = { expect: '100-continue', 'content-type': 'application/x-protobuf', 'content-length': ONE_SPAN.length };
      let continued = false;
      const outgoing = httpRequest(`${http}/v1/traces`, { method: 'POST', headers }, (incoming) => {
        incoming.resume();
        done({ status: incoming.statusCode!, continued });
        outgoing.destroy();
      });
      outgoing.on('continue', () => {
        continued = true;
        outgoing.end(ONE_SPAN);
      });
      outgoing.on('error', fail);
      outgoing.flushHeaders();
    });
  assert.deepEqual(await asks(), { status: 200, continued: true });
  refusal = new RetryableError('no memory');
  assert.deepEqual(await asks(), { status: 503, continued: false });
});
