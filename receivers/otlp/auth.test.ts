/** Who may send: both transports with an authenticator, asked by our own clients with their credentials. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { z } from 'zod';
import { type ClientAuthenticator, type ServerAuthenticator, UnauthenticatedError } from '#src/core/auth.ts';
import type { Batch } from '#src/core/batch.ts';
import { systemClock } from '#src/core/clock.ts';
import type { ReceiverDefinition } from '#src/core/component.ts';
import { RetryableError } from '#src/core/errors.ts';
import { testContext, testHost } from '#src/core/testing/context.ts';
import { grpcClientShape, httpClientShape } from '#src/net/config.ts';
import { GrpcClient } from '#src/net/grpc/client.ts';
import { EXPORT_PATHS } from '#src/net/grpc/otlp_service.ts';
import { HttpClient } from '#src/net/http_client.ts';
import { configSchema } from './config.ts';
import definition from './index.ts';

const ONE_SPAN = Buffer.from([0x0a, 4, 0x12, 2, 0x12, 0]);

/** Takes "key" at once and "slow key" later. */
const server: ServerAuthenticator = {
  authenticate(headers) {
    const key = headers('x-key');
    const ada = new Map([['username', 'ada']]);
    if (key === 'key') return ada;
    if (key === 'slow key') return new Promise((done) => setTimeout(() => done(ada), 5));
    if (key === 'slow') return Promise.reject(new UnauthenticatedError('not at all'));
    if (key === 'busy') throw new RetryableError('later', { reason: 'exhausted', retryAfterMs: 1500 });
    if (key === 'broken') throw new Error('a defect');
    throw new UnauthenticatedError('not you');
  },
  challenge: 'Key',
};
const sent = { key: 'key' };
const client: ClientAuthenticator = { requestHeaders: () => [['x-key', sent.key]], requiresTls: false };
const host = testHost(
  new Map<string, unknown>([
    ['key', server],
    ['ours', client],
    ['strict', { ...client, requiresTls: true }],
  ]),
);

const got: Batch[] = [];
const create = (protocols: object) => {
  const context = testContext(configSchema.parse({ protocols }), { id: 'otlp', host });
  const consume = async (batch: Batch): Promise<void> => void got.push(batch);
  return {
    telemetry: context.telemetry,
    receiver: (definition as ReceiverDefinition<typeof configSchema>).create({ ...context, next: { traces: { consume } } }),
  };
};
const auth = { authenticator: 'key' };
const { telemetry, receiver } = create({
  grpc: { endpoint: '127.0.0.1:0', auth },
  http: { endpoint: '127.0.0.1:0', auth: { ...auth, request_params: ['x-key'] } },
});
await receiver.start?.();
const address = (kind: string): string => /"endpoint":"([^"]+)"/.exec(telemetry.lines.find((line) => line.includes(kind)) ?? '')![1]!;
const grpcSettings = (authenticator: string) =>
  z.strictObject(grpcClientShape()).parse({ endpoint: address('GRPC'), tls: { insecure: true }, auth: { authenticator } });
const grpcClient = (authenticator: string) =>
  new GrpcClient({ settings: grpcSettings(authenticator), log: telemetry.log, clock: systemClock, userAgent: 't', host });
const grpc = grpcClient('ours');
grpc.start();
const http = new HttpClient({ settings: z.strictObject(httpClientShape()).parse({ auth: { authenticator: 'ours' } }), userAgent: 't', host });
after(async () => {
  await Promise.all([grpc.close(), http.close()]);
  await receiver.shutdown?.();
});

const callWith = (key: string): Promise<Uint8Array> => {
  sent.key = key;
  return grpc.call(EXPORT_PATHS.traces, [ONE_SPAN], ONE_SPAN.length, { timeoutMs: 5000 });
};
const postWith = (key: string, query = '') => {
  sent.key = key;
  return http.send({ url: `http://${address('HTTP')}/v1/traces${query}`, parts: [ONE_SPAN], headers: { 'content-type': 'application/x-protobuf' } });
};

test('who is known may send, and the batch says who it was', async () => {
  for (const send of [callWith, postWith])
    for (const key of ['key', 'slow key', 'key']) {
      await send(key);
      const { context } = got.pop()!;
      assert.deepEqual([context.clientAddress, context.authAttributes], ['127.0.0.1', new Map([['username', 'ada']])]);
    }
});

test('who is not gets UNAUTHENTICATED or 401, also on a connection that was good before', async () => {
  for (const [key, message] of [
    ['other', 'not you'],
    ['slow', 'not at all'],
  ] as const) {
    await callWith('key');
    await assert.rejects(callWith(key), new RegExp(`code = Unauthenticated desc = ${message}`));
    await postWith('key');
    const answer = await postWith(key);
    assert.equal(answer.status, 401);
    assert.match(answer.body.toString('latin1'), new RegExp(message));
    assert.equal(answer.headers['www-authenticate'], undefined, 'no browser shall ask its user');
  }
  assert.equal(got.splice(0).length, 4);
});

test('an authenticator that cannot say now, or fails, lets nobody pass', async () => {
  await assert.rejects(callWith('busy'), (error) => error instanceof RetryableError && error.retryAfterMs === 1500);
  const busy = await postWith('busy');
  assert.deepEqual([busy.status, busy.headers['retry-after']], [429, '2']);
  await assert.rejects(callWith('broken'), /Internal/);
  assert.equal((await postWith('broken')).status, 500);
  assert.equal(got.length, 0);
});

test('a parameter of the URL counts as a header where it is listed and the header is absent', async () => {
  const plain = (query: string, headers: Record<string, string> = {}) =>
    fetch(`http://${address('HTTP')}/v1/traces${query}`, { method: 'POST', body: '{}', headers: { 'content-type': 'application/json', ...headers } });
  assert.equal((await plain('?x-key=key')).status, 200);
  assert.equal((await plain('?y-key=key')).status, 401);
  assert.equal((await plain('?x-key=key', { 'x-key': 'other' })).status, 401);
});

test('an authenticator that does not run, or is of the other side, or needs TLS, is told at the start', async () => {
  const start = async (authenticator: string): Promise<void> => create({ http: { endpoint: '127.0.0.1:0', auth: { authenticator } } }).receiver.start?.();
  await assert.rejects(start('basicauth/none'), /auth::authenticator: "basicauth\/none" is not running/);
  await assert.rejects(start('ours'), /"ours" .* not a server authenticator/);
  assert.throws(() => grpcClient('none'), /"none" is not running/);
  assert.throws(() => grpcClient('key'), /"key" .* not a client authenticator/);
  assert.throws(() => grpcClient('strict'), /require transport level security/);
});
