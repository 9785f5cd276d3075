import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import http2 from 'node:http2';
import zlib from 'node:zlib';
import { z } from 'zod';
import { PermanentError, RetryableError } from '#src/core/errors.ts';
import { systemClock } from '#src/core/clock.ts';
import { closedPort } from '#src/core/testing/ports.ts';
import { grpcClientShape, grpcServerShape } from '#src/net/config.ts';
import { GrpcClient } from './client.ts';
import { GrpcServer, type UnaryMethod } from './server.ts';
import { decodeStatus } from './status.ts';

const log = { debug() {}, info() {}, warn() {}, error() {} };
const PATH = '/test.Service/Export';
const cleanup: (() => Promise<void> | void)[] = [];
after(async () => {
  for (const step of cleanup.reverse()) await step();
});

async function startServer(method: UnaryMethod, settings: object = {}): Promise<GrpcServer> {
  const server = new GrpcServer({
    settings: z.strictObject(grpcServerShape('127.0.0.1:0')).parse(settings),
    methods: new Map([[PATH, method]]),
    log,
    clock: systemClock,
  });
  await server.listen();
  cleanup.push(() => server.close(0));
  return server;
}
function startClient(endpoint: string, settings: object = {}): GrpcClient {
  const client = new GrpcClient({
    settings: z.strictObject(grpcClientShape()).parse({ endpoint, tls: { insecure: true }, ...settings }),
    log,
    clock: systemClock,
    userAgent: 'test/1',
  });
  client.start();
  cleanup.push(() => client.close());
  return client;
}
interface Reply {
  headers: Record<string, unknown>;
  trailers: Record<string, unknown>;
  body: Buffer;
  resetCode: number;
}
function send(session: http2.ClientHttp2Session, body: Buffer | null, headers: Record<string, string> = {}): Promise<Reply> {
  return new Promise((done) => {
    const reply: Reply = { headers: {}, trailers: {}, body: Buffer.alloc(0), resetCode: 0 };
    const stream = session.request(
      { ':method': 'POST', ':path': PATH, 'content-type': 'application/grpc', te: 'trailers', ...headers },
      { endStream: body === null },
    );
    stream.on('response', (got) => Object.assign(reply.headers, got));
    stream.on('trailers', (got) => Object.assign(reply.trailers, got));
    stream.on('data', (chunk: Buffer) => (reply.body = Buffer.concat([reply.body, chunk])));
    stream.on('error', () => {});
    stream.on('close', () => {
      reply.resetCode = stream.rstCode;
      done(reply);
    });
    if (body) stream.end(body);
  });
}
function session(server: GrpcServer): http2.ClientHttp2Session {
  const opened = http2.connect(`http://${server.address}`);
  opened.on('error', () => {});
  cleanup.push(() => opened.destroy());
  return opened;
}
function framed(message: Uint8Array, compressed = false): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = compressed ? 1 : 0;
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

test('a node:http2 client gets an empty message and status 0, for bodies from nothing to several frames', async () => {
  const got: Buffer[] = [];
  const server = await startServer((message) => void got.push(Buffer.from(message)));
  const peer = session(server);
  for (const size of [0, 1, 16379, 16380, 70_000, 1_000_000]) {
    const body = Buffer.alloc(size, size & 255);
    const reply = await send(peer, framed(body));
    assert.equal(reply.headers[':status'], 200);
    assert.equal(reply.headers['content-type'], 'application/grpc');
    assert.equal(reply.trailers['grpc-status'], '0');
    assert.deepEqual(reply.body, Buffer.alloc(5));
    assert.ok(got.pop()!.equals(body), `${size} bytes`);
  }
});

test('requests compressed with gzip, zstd and deflate are decompressed, others are refused by name', async () => {
  let got: Buffer = Buffer.alloc(0);
  const server = await startServer(async (message) => void (got = message));
  const peer = session(server);
  const body = Buffer.from('abc'.repeat(50_000));
  for (const [coding, bytes] of [
    ['gzip', zlib.gzipSync(body)],
    ['zstd', zlib.zstdCompressSync(body)],
    ['deflate', zlib.deflateSync(body)],
  ] as const) {
    assert.equal((await send(peer, framed(bytes, true), { 'grpc-encoding': coding })).trailers['grpc-status'], '0', coding);
    assert.ok(got.equals(body), coding);
  }
  const refused = await send(peer, framed(body, true), { 'grpc-encoding': 'br' });
  assert.equal(refused.headers['grpc-status'], '12');
  assert.equal((await send(peer, framed(body, true))).headers['grpc-status'], '13', 'the flag without an encoding');
  assert.equal((await send(peer, framed(Buffer.from('no gzip'), true), { 'grpc-encoding': 'gzip' })).headers['grpc-status'], '3');
});

test('bodies that are too large are refused, before and after decompression, and the connection lives', async () => {
  const server = await startServer(() => undefined, { max_recv_msg_size_mib: 1 });
  const peer = session(server);
  const big = Buffer.alloc(1_100_000);
  const plain = await send(peer, framed(big));
  assert.equal(plain.headers['grpc-status'], '8');
  assert.match(String(plain.headers['grpc-message']), /larger than max \(1100000 vs\. 1048576\)/);
  assert.equal((await send(peer, framed(zlib.gzipSync(big), true), { 'grpc-encoding': 'gzip' })).headers['grpc-status'], '8');
  assert.equal((await send(peer, framed(zlib.zstdCompressSync(big), true), { 'grpc-encoding': 'zstd' })).headers['grpc-status'], '8');
  assert.equal((await send(peer, framed(Buffer.alloc(10)))).trailers['grpc-status'], '0');
});

test('wrong paths, methods, content types, timeouts and message counts are answered as gRPC servers do', async () => {
  const server = await startServer(() => undefined);
  const peer = session(server);
  const check = async (body: Buffer | null, headers: Record<string, string>, status: string, message: RegExp): Promise<void> => {
    const reply = await send(peer, body, headers);
    assert.equal(reply.headers['grpc-status'], status, String(message));
    assert.match(decodeURIComponent(String(reply.headers['grpc-message'])), message);
  };
  const one = framed(Buffer.from('x'));
  await check(one, { ':path': '/test.Service/Other' }, '12', /unknown method Other for service test\.Service/);
  await check(one, { ':path': '/no.Service/Export' }, '12', /unknown service no\.Service/);
  await check(one, { 'grpc-timeout': 'soon' }, '13', /malformed grpc-timeout/);
  await check(null, {}, '13', /no request message/);
  await check(one.subarray(0, 3), {}, '13', /unexpected EOF/);
  await check(framed(Buffer.alloc(100)).subarray(0, 50), {}, '13', /unexpected EOF/);
  await check(Buffer.concat([one, one]), {}, '13', /multiple request messages/);
  assert.equal((await send(peer, one, { 'content-type': 'application/json' })).headers[':status'], 415);
  assert.equal((await send(peer, null, { ':method': 'GET' })).headers[':status'], 405);
});

test('errors of the pipeline become statuses, with RetryInfo where the sender shall come again', async () => {
  let error: Error = new PermanentError('no good: ü %');
  const server = await startServer(() => Promise.reject(error));
  const peer = session(server);
  const body = framed(Buffer.from('x'));
  const permanent = await send(peer, body);
  assert.equal(permanent.headers['grpc-status'], '3');
  assert.equal(decodeURIComponent(String(permanent.headers['grpc-message'])), 'no good: ü %');
  error = new RetryableError('full', { reason: 'exhausted', retryAfterMs: 1500 });
  const exhausted = await send(peer, body);
  assert.equal(exhausted.headers['grpc-status'], '8');
  assert.deepEqual(decodeStatus(Buffer.from(String(exhausted.headers['grpc-status-details-bin']), 'base64')), { code: 8, message: 'full', retryAfterMs: 1500 });
  error = new RetryableError('down');
  assert.equal((await send(peer, body)).headers['grpc-status'], '14');
});

test('our client sends parts of any size to a node:http2 server and reads its statuses', async () => {
  const bodies: Buffer[] = [];
  const heads: http2.IncomingHttpHeaders[] = [];
  let trailers: Record<string, string> = { 'grpc-status': '0' };
  const server = http2.createServer({ settings: { initialWindowSize: 20_000 } });
  server.on('stream', (stream, headers) => {
    const chunks: Buffer[] = [];
    heads.push(headers);
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => {
      bodies.push(Buffer.concat(chunks));
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers(trailers));
      stream.end(Buffer.alloc(5));
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  cleanup.push(() => void server.close());
  const client = startClient(`127.0.0.1:${(server.address() as { port: number }).port}`, { headers: { 'X-Key': 'v' } });
  for (const sizes of [[0], [3], [16_000, 16_000], [100_000, 1, 0, 300_000], [16379]]) {
    const parts = sizes.map((size, i) => Buffer.alloc(size, i + 1));
    const whole = Buffer.concat(parts);
    const answer = await client.call(PATH, parts, whole.length, { timeoutMs: 5000 });
    assert.equal(answer.length, 0);
    assert.ok(bodies.pop()!.equals(framed(whole)), String(sizes));
    const head = heads.pop()!;
    assert.equal(head['x-key'], 'v');
    assert.equal(head['grpc-timeout'], '5000m');
    assert.equal(head['user-agent'], 'test/1');
  }
  const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => client.call(PATH, [Buffer.alloc(i * 1000)], i * 1000)));
  assert.equal(answers.length, 50);
  trailers = { 'grpc-status': '8', 'grpc-message': 'too%20much' };
  await assert.rejects(
    client.call(PATH, [Buffer.alloc(1)], 1),
    (error) => error instanceof PermanentError && /ResourceExhausted desc = too much/.test(error.message),
  );
  trailers = { 'grpc-status': '14', 'grpc-message': 'later' };
  await assert.rejects(client.call(PATH, [Buffer.alloc(1)], 1), RetryableError);
});

test('our client and our server understand each other with every compression, over TCP and over a unix socket', async () => {
  let got: Buffer = Buffer.alloc(0);
  const path = `/tmp/penstock-grpc-test-${process.pid}.sock`;
  const method: UnaryMethod = async (message) => void (got = message);
  const tcp = await startServer(method);
  await startServer(method, { endpoint: path, transport: 'unix' });
  const body = Buffer.from('0123456789'.repeat(20_000));
  for (const endpoint of [tcp.address, `unix://${path}`, `dns:///${tcp.address}`, `http://${tcp.address}`]) {
    for (const compression of ['none', 'gzip', 'zstd', 'snappy']) {
      const client = startClient(endpoint, { compression });
      await client.call(PATH, [body.subarray(0, 777), body.subarray(777)], body.length);
      assert.ok(got.equals(body), `${endpoint} ${compression}`);
      await client.close();
    }
  }
});

test('a deadline ends a call that is not answered, an aborted one ends at once, and both are retryable', async () => {
  const server = await startServer(() => new Promise(() => {}));
  const client = startClient(server.address);
  await assert.rejects(
    client.call(PATH, [Buffer.alloc(1)], 1, { timeoutMs: 50 }),
    (error) => error instanceof RetryableError && /DeadlineExceeded/.test(error.message),
  );
  const abort = new AbortController();
  const call = client.call(PATH, [Buffer.alloc(1)], 1, { signal: abort.signal });
  setTimeout(() => abort.abort(), 20);
  await assert.rejects(call, (error) => error instanceof RetryableError && /Canceled/.test(error.message));
});

test('a server that stops answers what it has begun and takes nothing new; the client finds the next one', async () => {
  let release = (): void => {};
  let begin = (): void => {};
  const begun = new Promise<void>((done) => {
    begin = done;
  });
  const server = await startServer(() => {
    begin();
    return new Promise<void>((done) => {
      release = done;
    });
  });
  const client = startClient(server.address);
  const running = client.call(PATH, [Buffer.alloc(1)], 1);
  await begun;
  const closing = server.close(20_000);
  setTimeout(() => release(), 50);
  assert.equal((await running).length, 0);
  await closing;
  await assert.rejects(client.call(PATH, [Buffer.alloc(1)], 1, { timeoutMs: 300 }), RetryableError);
});

test('a connection that cannot be made is Unavailable, and is made once the server is there', async () => {
  const address = `127.0.0.1:${await closedPort()}`;
  const client = startClient(address);
  await assert.rejects(client.call(PATH, [Buffer.alloc(1)], 1), (error) => error instanceof RetryableError && /Unavailable/.test(error.message));
  await startServer(() => undefined, { endpoint: address });
  const waiting = startClient(address, { wait_for_ready: true });
  assert.equal((await waiting.call(PATH, [Buffer.alloc(1)], 1, { timeoutMs: 20_000 })).length, 0);
});
