/** What a client does when servers come, go and move: every call ends, and finds a server where there is one. */
import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { after, test } from 'node:test';
import { z } from 'zod';
import { systemClock } from '#src/core/clock.ts';
import { RetryableError } from '#src/core/errors.ts';
import { ManualClock } from '#src/core/testing/manual_clock.ts';
import { closedPort } from '#src/core/testing/ports.ts';
import { grpcClientShape, grpcServerShape } from '#src/net/config.ts';
import { DATA, FLAG_END_HEADERS, FLAG_END_STREAM, GOAWAY, HEADERS, SETTINGS, SETTINGS_MAX_CONCURRENT_STREAMS, settingsFrame } from '#src/net/http2/frames.ts';
import { HpackEncoder } from '#src/net/http2/hpack.ts';
import { clientFrames } from '#src/net/testing/client_frames.ts';
import { GrpcClient, type GrpcClientOptions } from './client.ts';
import { GrpcServer } from './server.ts';

const PATH = '/test.Service/Export';
const log = { debug() {}, info() {}, warn() {}, error() {} };
const MESSAGE = Buffer.from('hello');

function newClient(endpoint: string, settings: object = {}, options: Partial<GrpcClientOptions> = {}): GrpcClient {
  const parsed = z.strictObject(grpcClientShape()).parse({ endpoint, tls: { insecure: true }, ...settings });
  const client = new GrpcClient({ settings: parsed, log, clock: systemClock, userAgent: 'test/1', ...options });
  after(() => client.close());
  client.start();
  return client;
}
const call = (client: GrpcClient): Promise<Uint8Array> => client.call(PATH, [MESSAGE], MESSAGE.length, { timeoutMs: 30_000 });

/** Waits for what other sockets do, while the client's clock goes on; generous, since machines differ. */
async function until(what: string, done: () => boolean, clock?: ManualClock, stepMs = 0): Promise<void> {
  for (const end = performance.now() + 20_000; !done(); await new Promise((resolve) => setTimeout(resolve, 5))) {
    if (performance.now() > end) assert.fail(`${what} did not happen`);
    await clock?.advance(stepMs);
  }
}

async function listening(server: Server): Promise<number> {
  await new Promise<void>((done, fail) => server.on('error', fail).listen(0, '127.0.0.1', done));
  after(() => server.close());
  return (server.address() as AddressInfo).port;
}

/** A server of which a test decides each word: `onCall` gets the id of each call whose message is there. */
class Script {
  readonly socket: Socket;
  readonly #encoder = new HpackEncoder();
  constructor(socket: Socket, onCall: (id: number, script: Script) => void, maxStreams = 100) {
    this.socket = socket;
    socket.on('error', () => {});
    socket.write(settingsFrame([[SETTINGS_MAX_CONCURRENT_STREAMS, maxStreams]]));
    socket.on(
      'data',
      clientFrames((frame) => {
        const [type, flags, id] = [frame[3]!, frame[4]!, frame.readUInt32BE(5)];
        if (type === SETTINGS && (flags & 1) === 0) this.frame(SETTINGS, 1, 0);
        if (type === DATA && (flags & FLAG_END_STREAM) !== 0) onCall(id, this);
      }),
    );
  }
  frame(type: number, flags: number, id: number, body: Uint8Array = Buffer.alloc(0)): void {
    const head = Buffer.alloc(9);
    head.writeUIntBE(body.length, 0, 3);
    head[3] = type;
    head[4] = flags;
    head.writeUInt32BE(id, 5);
    this.socket.write(Buffer.concat([head, body]));
  }
  answer(id: number): void {
    this.frame(HEADERS, FLAG_END_HEADERS, id, this.#encoder.encode([':status', '200', 'content-type', 'application/grpc']));
    this.frame(DATA, 0, id, Buffer.alloc(5));
    this.frame(HEADERS, FLAG_END_HEADERS | FLAG_END_STREAM, id, this.#encoder.encode(['grpc-status', '0']));
  }
  goAway(lastId: number): void {
    const body = Buffer.alloc(8);
    body.writeUInt32BE(lastId);
    this.frame(GOAWAY, 0, 0, body);
  }
}

test('after GOAWAY, what the server has begun is answered, what it has not and what waited for a stream goes to the next connection', async () => {
  let connections = 0;
  const calls: string[] = [];
  const port = await listening(
    createServer((socket) => {
      const number = ++connections;
      new Script(
        socket,
        (id, script) => {
          calls.push(`${number}.${id}`);
          if (number > 1) return script.answer(id);
          // The second of two calls under way is not begun; two more wait for a stream.
          if (id !== 3) return;
          script.goAway(1);
          setTimeout(() => script.answer(1), 50);
        },
        2,
      );
    }),
  );
  const client = newClient(`127.0.0.1:${port}`);
  await Promise.all([call(client), call(client), call(client), call(client)]);
  assert.deepEqual(calls.slice(0, 2), ['1.1', '1.3']);
  assert.deepEqual([connections, calls.length], [2, 5]);
});

test('calls whose connection goes before they have a stream find the next one; those that were sent are told to come again', async () => {
  let connections = 0;
  const port = await listening(
    createServer((socket) => {
      const number = ++connections;
      new Script(socket, (id, script) => (number === 1 ? void socket.destroy() : script.answer(id)), 1);
    }),
  );
  const client = newClient(`127.0.0.1:${port}`);
  const outcomes = await Promise.allSettled([call(client), call(client), call(client)]);
  assert.deepEqual(
    outcomes.map((outcome) => outcome.status),
    ['rejected', 'fulfilled', 'fulfilled'],
  );
  assert.ok((outcomes[0] as PromiseRejectedResult).reason instanceof RetryableError);
});

test('a server that cannot be reached is tried again after 1 s, 1.6 s, 2.56 s, less a fifth at most', async () => {
  const clock = new ManualClock();
  const attempts: number[] = [];
  const port = await listening(
    createServer((socket) => {
      attempts.push(clock.nowMs());
      socket.destroy();
    }),
  );
  const client = newClient(`127.0.0.1:${port}`, {}, { clock });
  await until('the first attempt', () => attempts.length === 1);
  await assert.rejects(call(client), (error) => error instanceof RetryableError && /code = Unavailable/.test(error.message));
  await until('the fourth attempt', () => attempts.length === 4, clock, 50);
  for (const [i, backoffMs] of [1000, 1600, 2560].entries()) {
    const waited = attempts[i + 1]! - attempts[i]!;
    assert.ok(waited >= 0.8 * backoffMs, `${waited} ms before attempt ${i + 2}`);
  }
});

const serve = async (host: string, port: number, calls: string[]): Promise<GrpcServer> => {
  const server = new GrpcServer({
    settings: z.strictObject(grpcServerShape(`${host}:${port}`)).parse({}),
    methods: new Map([[PATH, async () => void calls.push(host)]]),
    log,
    clock: systemClock,
  });
  await server.listen();
  after(() => server.close(0));
  return server;
};

test('wait_for_ready waits for a server that is not there yet', async () => {
  const port = await closedPort();
  const clock = new ManualClock();
  const client = newClient(`127.0.0.1:${port}`, { wait_for_ready: true }, { clock });
  let settled = false;
  const answered = call(client).finally(() => {
    settled = true;
  });
  await clock.advance(5000);
  assert.equal(settled, false);
  const calls: string[] = [];
  await serve('127.0.0.1', port, calls);
  await until('the answer', () => settled, clock, 500);
  await answered;
  assert.deepEqual(calls, ['127.0.0.1']);
});

test('round_robin uses all addresses of a name in turn, and those that it has after a connection went', async () => {
  const clock = new ManualClock();
  const calls: string[] = [];
  const first = await serve('127.0.0.1', 0, calls);
  const { port } = first;
  const second = await serve('127.0.0.2', port, calls);
  let addresses = ['127.0.0.1', '127.0.0.2'];
  let lookUps = 0;
  const lookUp = async (): Promise<string[]> => {
    lookUps++;
    return addresses;
  };
  const client = newClient(`collectors.test:${port}`, {}, { clock, lookUp });
  /** Twenty calls in turn; a connection that is just going may take one with it. */
  const twenty = async (): Promise<Record<string, number>> => {
    calls.length = 0;
    for (let i = 0; i < 20; i++) await call(client).catch((error) => assert.ok(error instanceof RetryableError));
    return Object.fromEntries([...new Set(calls)].sort().map((host) => [host, calls.filter((each) => each === host).length]));
  };
  const shared = async (hosts: readonly string[]): Promise<void> => {
    const wanted = JSON.stringify(Object.fromEntries(hosts.map((host) => [host, 20 / hosts.length])));
    let seen = '';
    for (const end = performance.now() + 20_000; seen !== wanted && performance.now() < end; seen = JSON.stringify(await twenty())) await clock.advance(1000);
    assert.equal(seen, wanted);
  };
  await shared(['127.0.0.1', '127.0.0.2']);
  // A third comes, and one of the two ends its connections, as servers do that shall be left now and then.
  await serve('127.0.0.3', port, calls);
  addresses = ['127.0.0.1', '127.0.0.3'];
  await second.close(0);
  await shared(['127.0.0.1', '127.0.0.3']);
  assert.ok(lookUps > 1);
});

test('a name that cannot be looked up for a while does not keep the client from its old addresses', async () => {
  const clock = new ManualClock();
  let connections = 0;
  let fails = false;
  const port = await listening(
    createServer((socket) => {
      connections++;
      // The second is refused, so that the client has to back off.
      if (connections === 2) socket.destroy();
      else new Script(socket, (id, script) => (connections === 1 ? void socket.destroy() : script.answer(id)));
    }),
  );
  const lookUp = async (): Promise<string[]> => {
    if (fails) throw new Error('EAI_AGAIN');
    return ['127.0.0.1'];
  };
  const client = newClient(`collector.test:${port}`, { wait_for_ready: true }, { clock, lookUp });
  await until('a first connection', () => connections === 1);
  fails = true;
  await assert.rejects(call(client), RetryableError);
  await until('a second connection', () => connections === 2);
  await until('a third connection', () => connections === 3, clock, 500);
  await call(client);
});
