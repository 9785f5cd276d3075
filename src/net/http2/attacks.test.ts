/**
 * The known attacks on HTTP/2 servers, each over several connections, one opened as soon as the one before is thrown out: the
 * offender gets GOAWAY ENHANCE_YOUR_CALM, memory stays, and another client's calls go on. Each test says what it cost the server.
 */
import assert from 'node:assert/strict';
import http2 from 'node:http2';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { after, test } from 'node:test';
import type { TestContext } from 'node:test';
import { Worker } from 'node:worker_threads';
import { z } from 'zod';
import { systemClock } from '#src/core/clock.ts';
import type { TelemetryAttributes } from '#src/core/telemetry.ts';
import { RecordedTelemetry } from '#src/core/testing/context.ts';
import { grpcServerShape } from '#src/net/config.ts';
import { GrpcServer } from '#src/net/grpc/server.ts';
import type { Attack, AttackReport } from '#src/net/testing/attacker.ts';
import { CONTINUATION, DATA, frame, HEADERS, PING, PREFACE, PRIORITY, RST_STREAM, settingsFrame, WINDOW_UPDATE } from './frames.ts';
import { encodeStateless } from './hpack.ts';

const PATH = '/test.Service/Export';
const REQUEST = encodeStateless([':method', 'POST', ':scheme', 'http', ':path', PATH, ':authority', 'a', 'content-type', 'application/grpc', 'te', 'trailers']);
const NOTHING = Buffer.alloc(0);
const ENHANCE_YOUR_CALM = 11;
const CONNECTIONS = 5;
/** For a connection that is not thrown out. */
const PATIENCE_MS = 15_000;

const telemetry = new RecordedTelemetry();
/** The limits that were met. */
const hits = new Set<string>();
const server = new GrpcServer({
  settings: z.strictObject(grpcServerShape('127.0.0.1:0')).parse({}),
  methods: new Map([[PATH, () => undefined]]),
  log: telemetry.log,
  clock: systemClock,
  telemetry: Object.assign(telemetry, {
    counter: () => ({ add: (_: number, attributes?: TelemetryAttributes) => void hits.add(attributes?.['limit'] ?? '') }),
  }),
  stallMs: 300,
});
await server.listen();
after(() => server.close(0));

const hello = Buffer.concat([PREFACE, settingsFrame([])]);
const word = (value: number): Buffer => {
  const out = Buffer.alloc(4);
  out.writeUInt32BE(value);
  return out;
};
const repeat = (count: number, bytes: Buffer): Buffer => Buffer.concat(Array.from({ length: count }, () => bytes));

interface Strike {
  readonly opening?: Buffer;
  readonly frames: readonly Buffer[];
  /** Frames of the round whose stream id grows by `idStep` each round. */
  readonly idStep?: number;
  readonly rounds?: number;
  readonly connections?: number;
}

/** What another client sees meanwhile: the longest of its calls, one after the other. */
function bystander(): { stop(): Promise<number> } {
  const session = http2.connect(`http://${server.address}`);
  session.on('error', () => {});
  let running = true;
  let longestMs = 0;
  const call = (): Promise<void> =>
    new Promise((done, fail) => {
      const startMs = performance.now();
      const stream = session.request({ ':method': 'POST', ':path': PATH, 'content-type': 'application/grpc', te: 'trailers' });
      stream.on('trailers', (trailers) => {
        longestMs = Math.max(longestMs, performance.now() - startMs);
        if (trailers['grpc-status'] === '0') done();
        else fail(new Error(`status ${trailers['grpc-status']}`));
      });
      stream.on('error', fail);
      stream.resume();
      stream.end(Buffer.alloc(5));
    });
  const calls = (async () => {
    while (running) {
      await call();
      await new Promise((done) => setTimeout(done, 5));
    }
  })();
  return {
    async stop() {
      running = false;
      await calls;
      session.destroy();
      return longestMs;
    },
  };
}

async function strike(t: TestContext, what: Strike): Promise<AttackReport> {
  const round = Buffer.concat(what.frames);
  const idOffsets: number[] = [];
  if (what.idStep !== undefined) for (let at = 0; at < round.length; at += 9 + round.readUIntBE(at, 3)) idOffsets.push(at);
  const attack: Attack = {
    port: server.port,
    opening: what.opening ?? hello,
    round,
    idOffsets,
    idStep: what.idStep ?? 0,
    rounds: what.rounds ?? 100_000,
    connections: what.connections ?? CONNECTIONS,
    patienceMs: PATIENCE_MS,
  };
  const other = bystander();
  const before = process.memoryUsage();
  const cpuBefore = process.threadCpuUsage();
  const worker = new Worker(new URL('../testing/attacker.ts', import.meta.url), { workerData: attack });
  const report = await new Promise<AttackReport>((done, fail) => {
    worker.once('message', done);
    worker.once('error', fail);
  });
  const cpu = process.threadCpuUsage(cpuBefore);
  const longestMs = await other.stop();
  await worker.terminate();
  const cpuMs = (cpu.user + cpu.system) / 1000;
  const grownMb = (process.memoryUsage().arrayBuffers - before.arrayBuffers) / 1e6;
  t.diagnostic(
    `${report.connections} connections, ${(report.sentBytes / 1e6).toFixed(1)} MB; server ${(cpuMs / report.connections).toFixed(2)} ms a connection, ${((cpuMs * 1e6) / report.sentBytes).toFixed(1)} ns a byte; longest call of another client ${longestMs.toFixed(0)} ms; buffers ${grownMb.toFixed(1)} MB more`,
  );
  assert.ok(longestMs < 5000, `another client waited ${longestMs} ms`);
  assert.ok(grownMb < 32, `${grownMb} MB`);
  return report;
}
/** The offender is thrown out with ENHANCE_YOUR_CALM, each time. */
async function thrownOut(t: TestContext, what: Strike): Promise<void> {
  const { goAways } = await strike(t, what);
  assert.deepEqual(goAways, { [ENHANCE_YOUR_CALM]: CONNECTIONS });
}
const call = (id: number): Buffer => frame(HEADERS, 4, id, REQUEST);
/** Frames of fifty calls, since a write for each of two frames is slow for the attacker, too. */
const fifty = (make: (id: number) => Buffer[]): Buffer[] => Array.from({ length: 50 }, (_, i) => make(2 * i + 1)).flat();
const ping = frame(PING, 0, 0, Buffer.alloc(8));

test('rapid reset (CVE-2023-44487)', (t) => thrownOut(t, { frames: fifty((id) => [call(id), frame(RST_STREAM, 0, id, word(8))]), idStep: 100 }));
test('rapid reset, made by the server (CVE-2025-8671)', (t) =>
  thrownOut(t, { frames: fifty((id) => [call(id), frame(WINDOW_UPDATE, 0, id, word(0))]), idStep: 100 }));
test('CONTINUATION without end (CVE-2024-27316)', (t) =>
  thrownOut(t, { opening: Buffer.concat([hello, frame(HEADERS, 0, 1, REQUEST)]), frames: [frame(CONTINUATION, 0, 1, Buffer.alloc(16000))] }));
test('empty CONTINUATION without end', (t) =>
  thrownOut(t, { opening: Buffer.concat([hello, frame(HEADERS, 0, 1, REQUEST)]), frames: [repeat(100, frame(CONTINUATION, 0, 1, NOTHING))] }));
test('an HPACK bomb: 16 KB that stand for 60 MB of headers', (t) => {
  const field = Buffer.concat([Buffer.from([0x40, 1, 0x78, 0x7f, ((3900 - 127) & 127) | 128, (3900 - 127) >> 7]), Buffer.alloc(3900, 0x76)]);
  const opening = Buffer.concat([hello, frame(HEADERS, 5, 1, Buffer.concat([REQUEST, field]))]);
  return thrownOut(t, { opening, frames: [frame(HEADERS, 5, 3, Buffer.concat([REQUEST, Buffer.alloc(16000, 0xbe)]))], idStep: 2 });
});
test('SETTINGS without end (CVE-2019-9515)', (t) => thrownOut(t, { frames: [repeat(50, settingsFrame([[4, 65535]]))] }));
test('PING without end (CVE-2019-9512)', (t) => thrownOut(t, { frames: [repeat(50, ping)] }));
test('PRIORITY without end (CVE-2019-9513)', (t) => thrownOut(t, { frames: [repeat(50, frame(PRIORITY, 0, 1, Buffer.from([0, 0, 0, 0, 1])))] }));
test('WINDOW_UPDATE without end', (t) => thrownOut(t, { frames: [repeat(50, frame(WINDOW_UPDATE, 0, 0, word(1)))] }));
test('empty DATA without end (CVE-2019-9518)', (t) =>
  thrownOut(t, { opening: Buffer.concat([hello, call(1)]), frames: [repeat(50, frame(DATA, 0, 1, NOTHING))] }));
test('DATA that is padding only, without end', (t) =>
  thrownOut(t, { opening: Buffer.concat([hello, call(1)]), frames: [repeat(50, frame(DATA, 8, 1, Buffer.from([0])))] }));
test('frames of unknown kinds without end', (t) => thrownOut(t, { frames: [repeat(50, frame(99, 0, 0, Buffer.alloc(20)))] }));
test('calls of unknown methods without end are answered, at what they cost', async (t) => {
  const unknown = frame(HEADERS, 5, 1, encodeStateless([':method', 'POST', ':scheme', 'http', ':path', '/no', 'content-type', 'application/grpc']));
  assert.deepEqual((await strike(t, { frames: [unknown], idStep: 2, rounds: 20_000, connections: 1 })).goAways, {});
});

/** A connection that is left to itself: what came, and how it ended. */
function quiet(bytes: Buffer, read = true): { socket: Socket; frames: { type: number; id: number; payload: Buffer }[]; closed: Promise<void> } {
  const frames: { type: number; id: number; payload: Buffer }[] = [];
  const socket = connect(server.port, '127.0.0.1');
  socket.on('error', () => {});
  let rest = NOTHING as Buffer;
  socket.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 9 && rest.length >= 9 + rest.readUIntBE(0, 3)) {
      frames.push({ type: rest[3]!, id: rest.readUInt32BE(5), payload: rest.subarray(9, 9 + rest.readUIntBE(0, 3)) });
      rest = rest.subarray(9 + rest.readUIntBE(0, 3));
    }
  });
  if (!read) socket.pause();
  socket.write(bytes);
  after(() => socket.destroy());
  return { socket, frames, closed: new Promise((done) => socket.on('close', () => done())) };
}
async function until(what: string, fits: () => boolean): Promise<void> {
  for (const end = Date.now() + 30_000; Date.now() < end; await new Promise((done) => setTimeout(done, 10))) if (fits()) return;
  throw new Error(`waited for ${what} in vain`);
}

test('a call whose answer finds no window is given up (CVE-2019-9511, CVE-2019-9517)', async () => {
  const { frames } = quiet(Buffer.concat([PREFACE, settingsFrame([[4, 0]]), call(1), frame(DATA, 1, 1, Buffer.alloc(5))]));
  await until('the reset', () => frames.some(({ type, id }) => type === RST_STREAM && id === 1));
});
test('a call whose message does not come is given up, and the memory that was set aside with it', async () => {
  const announced = frame(DATA, 0, 1, Buffer.from([0, 0, 0x3f, 0, 0, 1]));
  const { frames } = quiet(Buffer.concat([hello, call(1), announced]));
  await until('the answer', () =>
    frames.some(({ type, id, payload }) => (type === HEADERS && id === 1 && payload.includes('did%20not')) || payload.includes('did not')),
  );
});
test('a client that does not read its answers is not read either, and closed', async () => {
  const path = `/${'x'.repeat(8000)}`;
  const many = Array.from({ length: 3000 }, (_, i) =>
    frame(HEADERS, 5, 2 * i + 1, encodeStateless([':method', 'POST', ':scheme', 'http', ':path', path, 'content-type', 'application/grpc'])),
  );
  const peer = quiet(Buffer.concat([hello, ...many]), false);
  hits.delete('slow_reader');
  await until('the end', () => hits.has('slow_reader'));
  peer.socket.resume();
  await peer.closed;
  const answers = peer.frames.filter(({ type }) => type === HEADERS).length;
  assert.ok(answers < 3000, `${answers} answers`);
});
