/** What the server does in time: connections that are idle or old end in an orderly way, and clients are not read while too much is under way. */
import assert from 'node:assert/strict';
import http2 from 'node:http2';
import { after, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { systemClock } from '#src/core/clock.ts';
import { Admission } from '#src/net/admission.ts';
import { grpcServerShape } from '#src/net/config.ts';
import { GrpcServer, type GrpcServerOptions, type UnaryMethod } from './server.ts';

const PATH = '/test.Service/Export';
const log = { debug() {}, info() {}, warn() {}, error() {} };
const cleanup: (() => Promise<void> | void)[] = [];
after(async () => {
  for (const step of cleanup.reverse()) await step();
});

async function startServer(method: UnaryMethod, settings: object, more: Partial<GrpcServerOptions> = {}): Promise<GrpcServer> {
  const server = new GrpcServer({
    settings: z.strictObject(grpcServerShape('127.0.0.1:0')).parse(settings),
    methods: new Map([[PATH, method]]),
    log,
    clock: systemClock,
    ...more,
  });
  await server.listen();
  cleanup.push(() => server.close(0));
  return server;
}
function open(server: GrpcServer): { session: http2.ClientHttp2Session; goAways: number[]; closed: Promise<void> } {
  const session = http2.connect(`http://${server.address}`);
  const goAways: number[] = [];
  session.on('error', () => {});
  session.on('goaway', (code) => goAways.push(code));
  cleanup.push(() => session.destroy());
  return { session, goAways, closed: new Promise((done) => session.on('close', () => done())) };
}
const call = (session: http2.ClientHttp2Session, message: Buffer): Promise<string> => begin(session)(message);
/** A call with its headers; what sends its message gives its status. */
function begin(session: http2.ClientHttp2Session): (message: Buffer) => Promise<string> {
  const stream = session.request({ ':method': 'POST', ':path': PATH, 'content-type': 'application/grpc', te: 'trailers' });
  const status = new Promise<string>((done, fail) => {
    stream.on('response', (headers) => headers['grpc-status'] !== undefined && done(String(headers['grpc-status'])));
    stream.on('trailers', (trailers) => done(String(trailers['grpc-status'])));
    stream.on('error', fail);
    stream.on('close', () => done('cut'));
  });
  stream.resume();
  return (message) => {
    const prefix = Buffer.alloc(5);
    prefix.writeUInt32BE(message.length, 1);
    stream.end(Buffer.concat([prefix, message]));
    return status;
  };
}

// What is looked at once a second runs side by side.
describe('a connection in time', { concurrency: true }, () => {
  test('one that is idle for max_connection_idle is ended with GOAWAY and no error', async () => {
    const server = await startServer(() => undefined, { keepalive: { server_parameters: { max_connection_idle: '1s' } } });
    const { session, goAways, closed } = open(server);
    assert.equal(await call(session, Buffer.alloc(1)), '0');
    const began = performance.now();
    await closed;
    assert.ok(performance.now() - began >= 900);
    assert.deepEqual([...new Set(goAways)], [0]);
  });

  test('one that is older than max_connection_age ends when its calls do', async () => {
    let release = (): void => {};
    const server = await startServer(() => new Promise((done) => (release = done)), {
      keepalive: { server_parameters: { max_connection_age: '1s', max_connection_age_grace: '30s' } },
    });
    const { session, goAways, closed } = open(server);
    const answer = call(session, Buffer.alloc(1));
    for (const end = Date.now() + 8000; goAways.length === 0 && Date.now() < end; ) await sleep(20);
    assert.deepEqual([...new Set(goAways)], [0]);
    await sleep(100);
    assert.equal(session.destroyed, false, 'a call is still under way');
    release();
    assert.equal(await answer, '0');
    await closed;
  });

  test('one whose calls do not end is cut after max_connection_age_grace', async () => {
    const server = await startServer(() => new Promise(() => {}), {
      keepalive: { server_parameters: { max_connection_age: '1s', max_connection_age_grace: '1s' } },
    });
    const { session, closed } = open(server);
    const answer = call(session, Buffer.alloc(1));
    await closed;
    assert.equal(await answer, 'cut');
  });
});

/** A method that keeps its messages until they are let go. */
function keeper() {
  const waiting: (() => void)[] = [];
  const letGo = (): void => {
    for (const done of waiting.splice(0)) done();
  };
  const state = { taken: 0, letGo };
  const method: UnaryMethod = () => {
    state.taken++;
    return new Promise((done) => waiting.push(done));
  };
  return { method, state };
}
const MIB = Buffer.alloc(1 << 20);

test('above a bound on the bytes under way a call is refused by its headers, with a hint when to come again', async () => {
  const { method, state } = keeper();
  const refused: string[] = [];
  const server = await startServer(method, {}, { admission: new Admission(4 << 20), refused: (path) => refused.push(path) });
  const { session } = open(server);
  const answers = Array.from({ length: 5 }, () => call(session, MIB));
  while (state.taken < 5) await sleep(5);
  assert.equal(await call(open(server).session, MIB), '8');
  assert.deepEqual(refused, [PATH]);
  state.letGo();
  assert.deepEqual(await Promise.all(answers), ['0', '0', '0', '0', '0']);
  const last = call(session, MIB);
  while (state.taken < 6) await sleep(5);
  state.letGo();
  assert.equal(await last, '0');
});

test('calls that were let in before are not read while too many bytes are under way, and all of them afterwards', async () => {
  const { method, state } = keeper();
  let begun = 0;
  const refusal = (): null => {
    begun++;
    return null;
  };
  const server = await startServer(method, {}, { admission: new Admission(4 << 20), refusal });
  const finishes = Array.from({ length: 8 }, () => begin(open(server).session));
  while (begun < 8) await sleep(5);
  const answers = finishes.map((finish) => finish(MIB));
  for (let last = -1; last !== state.taken || last < 6; await sleep(300)) last = state.taken;
  assert.ok(state.taken < 8, `${state.taken} messages of 1 MB were taken at once`);
  while (state.taken < 8) {
    state.letGo();
    await sleep(5);
  }
  state.letGo();
  assert.deepEqual([...new Set(await Promise.all(answers))], ['0']);
});
