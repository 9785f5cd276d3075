/** OTLP over HTTP/2: what a client that agrees on it over TLS is answered is what one with HTTP/1.1 is. */
import assert from 'node:assert/strict';
import http2 from 'node:http2';
import { request as httpsRequest } from 'node:https';
import { after, test } from 'node:test';
import zlib from 'node:zlib';
import type { Batch } from '#src/core/batch.ts';
import type { Lifecycle, ReceiverDefinition } from '#src/core/component.ts';
import { RetryableError } from '#src/core/errors.ts';
import { testContext } from '#src/core/testing/context.ts';
import { decodeStatus } from '#src/net/grpc/status.ts';
import { CERTIFICATE, PRIVATE_KEY } from '#src/net/testing/certificate.ts';
import { configSchema } from './config.ts';
import definition from './index.ts';

const ONE_SPAN = Buffer.from([0x0a, 4, 0x12, 2, 0x12, 0]);
const JSON_SPAN = '{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"a"}]}]}]}';
const PROTOBUF = 'application/x-protobuf';
const JSON_TYPE = 'application/json';

const got: Batch[] = [];
let refusal: RetryableError | null = null;
let answer: () => Promise<void> = () => Promise.resolve();
const next = {
  consume: async (batch: Batch) => {
    await answer();
    got.push(batch);
  },
  refusal: () => refusal,
};
const http = {
  endpoint: '127.0.0.1:0',
  tls: { cert_pem: CERTIFICATE, key_pem: PRIVATE_KEY },
  max_request_body_size: 100_000,
  include_metadata: true,
  response_headers: { 'X-Server': 'penstock' },
  cors: { allowed_origins: ['https://*.example.com'] },
};
const context = testContext(configSchema.parse({ protocols: { http } }), { id: 'otlp' });
const receiver: Lifecycle = (definition as ReceiverDefinition<typeof configSchema>).create({ ...context, next: { traces: next } });
await receiver.start?.();
const origin = `https://${/"endpoint":"([^"]+)"/.exec(context.telemetry.lines.find((line) => line.includes('HTTP'))!)![1]!}`;
const session = http2.connect(origin, { ca: CERTIFICATE, servername: 'localhost' });
await new Promise((done) => session.once('connect', done));
after(async () => {
  session.destroy();
  await receiver.shutdown?.();
});

interface Reply {
  readonly status: number;
  readonly headers: http2.IncomingHttpHeaders;
  readonly body: Buffer;
}
function send(body: Uint8Array | string, headers: http2.OutgoingHttpHeaders, path = '/v1/traces', method = 'POST'): Promise<Reply> {
  return new Promise((done, fail) => {
    const stream = session.request({ ':method': method, ':path': path, ...headers });
    const chunks: Buffer[] = [];
    let received: http2.IncomingHttpHeaders = {};
    stream.on('response', (given) => (received = given));
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => done({ status: Number(received[':status']), headers: received, body: Buffer.concat(chunks) }));
    stream.on('error', fail);
    if (!stream.writableEnded) stream.end(body);
  });
}

test('protobuf and JSON are taken, plain and compressed, with and without an announced length', async () => {
  const check = async (body: Uint8Array | string, headers: http2.OutgoingHttpHeaders, want: string): Promise<void> => {
    const reply = await send(body, headers);
    assert.equal(reply.status, 200, reply.body.toString());
    assert.equal(reply.headers['content-type'], headers['content-type']);
    assert.equal(reply.headers['x-server'], 'penstock');
    assert.equal(reply.body.toString(), want);
    assert.equal(got.pop()?.itemCount, 1);
  };
  assert.equal(session.alpnProtocol, 'h2');
  await check(ONE_SPAN, { 'content-type': PROTOBUF }, '');
  await check(ONE_SPAN, { 'content-type': PROTOBUF, 'content-length': 6 }, '');
  await check(JSON_SPAN, { 'content-type': JSON_TYPE }, '{"partialSuccess":{}}');
  await check(zlib.gzipSync(ONE_SPAN), { 'content-type': PROTOBUF, 'content-encoding': 'gzip' }, '');
  await check(zlib.zstdCompressSync(JSON_SPAN), { 'content-type': JSON_TYPE, 'content-encoding': 'zstd' }, '{"partialSuccess":{}}');
});

test('the bytes of a large body arrive as they are', async () => {
  // An unknown field of 90 KB behind the span.
  const body = Buffer.concat([ONE_SPAN, Buffer.from([0x7a, 0xf0, 0xbf, 5]), Buffer.alloc(90_096, 7)]);
  for (const headers of [{ 'content-type': PROTOBUF }, { 'content-type': PROTOBUF, 'content-length': body.length }]) {
    assert.equal((await send(body, headers)).status, 200);
    assert.ok(body.equals(got.pop()!.bytes));
  }
});

test('headers and address of the client go with the batch', async () => {
  await send(ONE_SPAN, { 'content-type': PROTOBUF, 'x-tenant': ['a', 'b'] });
  const { metadata, clientAddress } = got.pop()!.context;
  assert.deepEqual([metadata?.get('x-tenant'), clientAddress], [['a', 'b'], '127.0.0.1']);
});

test('what is wrong is said with the same statuses', async () => {
  const check = async (reply: Promise<Reply>, status: number, text: RegExp): Promise<void> => {
    const { status: given, body } = await reply;
    assert.equal(given, status, body.toString());
    assert.match(body.toString(), text);
  };
  await check(send('x', { 'content-type': 'text/plain' }), 415, /^415 unsupported media type/);
  await check(send('', {}, '/v1/traces', 'GET'), 405, /^405 method not allowed/);
  await check(send('{}', { 'content-type': JSON_TYPE }, '/v1/logs'), 404, /404 page not found/);
  await check(send('{"resourceSpans":[', { 'content-type': JSON_TYPE }), 400, /^\{"code":3,"message":/);
  await check(send(' '.repeat(100_001), { 'content-type': JSON_TYPE }), 413, /request body too large/);
  await check(send(' '.repeat(100_001), { 'content-type': JSON_TYPE, 'content-length': 100_001 }), 413, /request body too large/);
  await check(send('{}', { 'content-type': JSON_TYPE, 'content-encoding': 'br' }), 400, /unsupported Content-Encoding: br/);
  answer = () => Promise.reject(new RetryableError('why', { reason: 'exhausted', retryAfterMs: 2000 }));
  const full = await send(ONE_SPAN, { 'content-type': PROTOBUF });
  answer = () => Promise.resolve();
  assert.deepEqual([full.status, full.headers['retry-after'], decodeStatus(full.body).message], [429, '2', 'why']);
});

test('while the pipeline refuses, a request is answered by its headers', async () => {
  refusal = new RetryableError('no memory', { reason: 'exhausted', retryAfterMs: 1000 });
  const stream = session.request({ ':method': 'POST', ':path': '/v1/traces', 'content-type': PROTOBUF });
  stream.resume();
  const headers = await new Promise<http2.IncomingHttpHeaders>((done) => stream.on('response', done));
  assert.deepEqual([headers[':status'], headers['retry-after']], [429, '1']); // Its body was never sent.
  stream.destroy();
  refusal = null;
  assert.equal((await send(ONE_SPAN, { 'content-type': PROTOBUF })).status, 200);
  got.pop();
  assert.equal(context.telemetry.counts.get('receiver_refused_requests'), 1);
});

test('a browser of an allowed origin may send', async () => {
  const preflight = await send('', { origin: 'https://shop.example.com', 'access-control-request-method': 'POST' }, '/v1/traces', 'OPTIONS');
  assert.deepEqual([preflight.status, preflight.headers['access-control-allow-origin']], [204, 'https://shop.example.com']);
  const reply = await send(ONE_SPAN, { 'content-type': PROTOBUF, origin: 'https://shop.example.com' });
  assert.deepEqual([reply.status, reply.headers['access-control-allow-origin']], [200, 'https://shop.example.com']);
  got.pop();
});

test('a hundred requests at a time are all answered', async () => {
  const replies = await Promise.all(Array.from({ length: 100 }, () => send(ONE_SPAN, { 'content-type': PROTOBUF })));
  assert.deepEqual([...new Set(replies.map((reply) => reply.status))], [200]);
  assert.equal(got.splice(0).length, 100);
});

test('a client with HTTP/1.1 is served on the same port', async () => {
  const status = await new Promise<number | undefined>((done, fail) => {
    const options = { method: 'POST', ca: CERTIFICATE, servername: 'localhost', agent: false, headers: { 'content-type': PROTOBUF } };
    const outgoing = httpsRequest(`${origin}/v1/traces`, options, (incoming) => {
      incoming.resume();
      done(incoming.statusCode);
    });
    outgoing.on('error', fail);
    outgoing.end(ONE_SPAN);
  });
  assert.equal(status, 200);
  assert.equal(got.pop()?.itemCount, 1);
});
