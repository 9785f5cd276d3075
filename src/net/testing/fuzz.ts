/**
 * Fuzzing of what reads bytes from the network: HTTP/2 frames (as server and as client), HPACK, gRPC messages, compressed bodies. Each case is made from a
 * seed of its own, so that a case that fails can be made again; cases are valid conversations with some of their bytes, lengths or order spoiled.
 * By hand: `node --no-maglev src/net/testing/fuzz.ts TARGET SECONDS [SEED]`; fuzz.test.ts does the same for some seconds.
 */
import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { argv, exit, stdout } from 'node:process';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { systemClock } from '#src/core/clock.ts';
import { CorruptError, PermanentError } from '#src/core/errors.ts';
import { Admission } from '#src/net/admission.ts';
import { type ContentCoding, decodeBody, encodeBody, TooLargeError } from '#src/net/compression.ts';
import { grpcServerShape } from '#src/net/config.ts';
import { GrpcServer } from '#src/net/grpc/server.ts';
import { Http2Service } from '#src/net/http2_service.ts';
import { HttpResponder } from '#src/net/http_responder.ts';
import { type CallRequest, ClientConnection } from '#src/net/http2/client_connection.ts';
import {
  CONTINUATION,
  DATA,
  frame,
  GOAWAY,
  HEADERS,
  INTERNAL_ERROR,
  PING,
  PREFACE,
  PRIORITY,
  RST_STREAM,
  SETTINGS_ACK,
  settingsFrame,
  WINDOW_UPDATE,
  windowUpdateFrame,
} from '#src/net/http2/frames.ts';
import { encodeStateless, type HeaderFields, HeaderListTooLarge, HpackDecoder, HpackEncoder } from '#src/net/http2/hpack.ts';
import { MessageStream } from '#src/net/http2/message.ts';
import { type ConnectionLimits, ServerConnection } from '#src/net/http2/server_connection.ts';
import { WIDE_LIMITS } from './wide_limits.ts';

/** Numbers from a seed (mulberry32). */
class Random {
  #state: number;
  constructor(seed: number) {
    this.#state = seed >>> 0;
  }
  /** An integer in [0, below). */
  int(below: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below);
  }
  chance(oneIn: number): boolean {
    return this.int(oneIn) === 0;
  }
  pick<T>(values: readonly T[]): T {
    return values[this.int(values.length)]!;
  }
  bytes(count: number): Buffer {
    const out = Buffer.allocUnsafe(count);
    for (let i = 0; i < count; i++) out[i] = this.int(256);
    return out;
  }
}

/** The bytes with up to `most` faults of the usual kinds. */
function spoil(random: Random, bytes: Buffer, most: number): Buffer {
  let out = Buffer.from(bytes);
  for (let i = random.int(most + 1); i > 0 && out.length > 0; i--) {
    const at = random.int(out.length);
    const to = Math.min(out.length, at + 1 + random.int(16));
    switch (random.int(6)) {
      case 0:
        out[at]! ^= 1 << random.int(8);
        break;
      case 1:
        out[at] = random.pick([0, 1, 0x7f, 0x80, 0xff]);
        break;
      case 2:
        out = Buffer.concat([out.subarray(0, at), out.subarray(to)]);
        break;
      case 3:
        out = Buffer.concat([out.subarray(0, at), random.bytes(random.int(12)), out.subarray(at)]);
        break;
      case 4:
        out = Buffer.concat([out.subarray(0, to), out.subarray(at)]);
        break;
      default:
        out = out.subarray(0, at + 1);
    }
  }
  return out;
}
/** Into reads of any size. */
function* cut(random: Random, bytes: Buffer): Generator<Buffer> {
  const most = random.pick(bytes.length < 2000 ? [1, 20, 1000] : [1000, 20_000, 100_000]);
  for (let at = 0; at < bytes.length; ) {
    const to = Math.min(bytes.length, at + 1 + random.int(most));
    yield Buffer.from(bytes.subarray(at, to));
    at = to;
  }
}

/** A socket whose other end is here. */
class NoSocket extends Duplex {
  readonly written: Buffer[] = [];
  readonly remoteAddress = '127.0.0.1';
  override _read(): void {}
  override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
    this.written.push(Buffer.from(chunk));
    done();
  }
  override _writev(chunks: { chunk: Buffer }[], done: () => void): void {
    for (const { chunk } of chunks) this.written.push(Buffer.from(chunk));
    done();
  }
  destroySoon(): void {
    this.destroy();
  }
  setNoDelay(): this {
    return this;
  }
}
/** What was written is whole frames, and no fault was one of ours. */
function checkWritten(socket: NoSocket, skip: number): void {
  const bytes = Buffer.concat(socket.written).subarray(skip);
  let at = 0;
  while (at < bytes.length) {
    const size = bytes.readUIntBE(at, 3);
    if (bytes[at + 3] === GOAWAY && bytes.readUInt32BE(at + 13) === INTERNAL_ERROR)
      throw new Error(`GOAWAY INTERNAL_ERROR: ${bytes.subarray(at + 17, at + 9 + size)}`);
    at += 9 + size;
  }
  assert.equal(at, bytes.length, 'what was written ends within a frame');
}

// ---- frames
const PATH = '/test.Service/Export';
const service = new GrpcServer({
  settings: z.strictObject(grpcServerShape('127.0.0.1:0')).parse({}),
  methods: new Map([[PATH, (message) => (message[0] === 1 ? turn() : message[0] === 2 ? Promise.reject(new PermanentError('no')) : undefined)]]),
  log: { debug() {}, info() {}, warn() {}, error() {} },
  clock: systemClock,
});
const httpService = new Http2Service(
  new HttpResponder({
    settings: { endpoint: '', transport: 'tcp', max_request_body_size: 100_000 },
    handler: async (request) => ({ status: 200, headers: { 'Content-Type': 'text/plain' }, body: `${(await request.body()).length} bytes` }),
    log: { debug() {}, info() {}, warn() {}, error() {} },
  }),
);
let reserved = 0;
class CountedAdmission extends Admission {
  override reserve(sizeBytes: number): boolean {
    reserved += sizeBytes;
    return true;
  }
  override release(sizeBytes: number, reservedBytes: number): void {
    reserved -= reservedBytes;
    super.release(sizeBytes, 0);
  }
}
const limits: ConnectionLimits = { ...WIDE_LIMITS, maxStreams: 20, maxMessageBytes: 100_000, admission: new CountedAdmission() };
const word = (value: number): Buffer => {
  const out = Buffer.alloc(4);
  out.writeUInt32BE(value);
  return out;
};
const VALUES = [
  '',
  'gzip',
  'identity',
  'application/grpc',
  'application/grpc+proto',
  'trailers',
  '1S',
  '99999999H',
  '-1',
  '5',
  '0',
  'x'.repeat(300),
  'é\u0000\n',
];
const NAMES = [
  ':method',
  ':path',
  ':scheme',
  ':authority',
  ':status',
  'content-type',
  'content-length',
  'te',
  'grpc-encoding',
  'grpc-timeout',
  'grpc-status',
  'grpc-message',
  'x',
  'Connection',
  'grpc-status-details-bin',
];
function requestFields(random: Random): HeaderFields {
  const fields = [':method', 'POST', ':scheme', 'http', ':path', PATH, 'content-type', 'application/grpc', 'te', 'trailers'];
  for (let i = random.int(4); i > 0; i--) fields.splice(random.int(fields.length / 2 + 1) * 2, random.int(2) * 2, random.pick(NAMES), random.pick(VALUES));
  return fields;
}
function grpcMessage(random: Random): Buffer {
  const size = random.pick([0, 1, 10, 500, 40_000]);
  const prefix = Buffer.from([random.chance(8) ? 1 : 0, 0, 0, 0, 0]);
  prefix.writeUInt32BE(random.chance(10) ? random.int(0x7fffffff) : size, 1);
  return Buffer.concat([prefix, Buffer.alloc(size, random.int(4))]);
}
/** Frames of one stream and others that may stand between them. */
function conversation(random: Random, headers: (id: number) => Buffer): Buffer {
  const frames: Buffer[] = [];
  for (let call = random.int(6); call >= 0; call--) {
    const id = random.chance(15) ? random.int(50) : 2 * (5 - call) + 1;
    const block = headers(id);
    const split = random.chance(4) ? random.int(block.length) : block.length;
    frames.push(frame(HEADERS, (split === block.length ? 4 : 0) | (random.chance(12) ? 1 : 0), id, block.subarray(0, split)));
    if (split < block.length) frames.push(frame(CONTINUATION, 4, id, block.subarray(split)));
    const message = grpcMessage(random);
    for (let at = 0; at < message.length; ) {
      const to = Math.min(message.length, at + 1 + random.int(16_000));
      const padding = random.chance(6) ? random.int(50) : -1;
      const data = message.subarray(at, to);
      const content = padding < 0 ? data : Buffer.concat([Buffer.from([padding]), data, Buffer.alloc(padding)]);
      frames.push(frame(DATA, (padding < 0 ? 0 : 8) | (to === message.length && !random.chance(6) ? 1 : 0), id, content));
      at = to;
    }
    if (random.chance(4)) frames.push(frame(HEADERS, 5, id, encodeStateless(['grpc-status', random.pick(VALUES), 'grpc-message', random.pick(VALUES)])));
    while (random.chance(3)) {
      const others = [
        () => frame(RST_STREAM, 0, id, word(random.int(20))),
        () => windowUpdateFrame(random.pick([0, id]), random.pick([0, 1, 1000, 0x7fffffff])),
        () => settingsFrame([[random.int(8), random.pick([0, 1, 100, 16384, 65535, 0x7fffffff, 0xffffffff])]]),
        () => SETTINGS_ACK,
        () => frame(PING, random.int(2), 0, Buffer.alloc(8)),
        () => frame(PRIORITY, 0, id, random.bytes(5)),
        () => frame(GOAWAY, 0, 0, Buffer.concat([word(random.int(100)), word(random.int(14)), random.bytes(random.int(20))])),
        () => frame(random.int(256), random.int(256), random.int(20), random.bytes(random.int(40))),
        () => frame(WINDOW_UPDATE, 0, id, random.bytes(random.int(6))),
      ];
      frames.push(random.pick(others)());
    }
  }
  if (random.chance(3)) frames.sort(() => random.int(3) - 1);
  return Buffer.concat(frames);
}

async function serverFrames(random: Random): Promise<void> {
  const socket = new NoSocket();
  const connection = random.chance(3)
    ? new ServerConnection(socket as unknown as Socket, httpService, limits)
    : new ServerConnection(socket as unknown as Socket, service, limits);
  const encoder = new HpackEncoder();
  const block = random.chance(2) ? () => encodeStateless(requestFields(random)) : () => Buffer.from(encoder.encode(requestFields(random)));
  const bytes = Buffer.concat([PREFACE, settingsFrame([[4, random.pick([0, 3, 65535])]]), conversation(random, block)]);
  for (const read of cut(random, spoil(random, bytes, random.pick([0, 1, 1, 8])))) {
    socket.emit('data', read);
    if (random.chance(20)) await turn();
  }
  await turn();
  connection.tick(performance.now());
  if (random.chance(4)) connection.drain(10);
  await turn();
  connection.end(new Error('over'));
  await turn();
  checkWritten(socket, 0);
  socket.destroy();
  assert.equal(reserved, 0, 'bytes that are still reserved');
}

async function clientFrames(random: Random): Promise<void> {
  const socket = new NoSocket();
  const connection = new ClientConnection(socket as unknown as Socket, { onReady() {}, onDraining() {}, onClose() {} });
  const request: CallRequest = {
    head: requestFields(new Random(1)),
    extra: [],
    parts: [Buffer.alloc(random.pick([0, 100, 200_000]))],
    sizeBytes: 0,
    compressed: false,
    timeoutMs: 0,
    signal: undefined,
  };
  const sized = { ...request, sizeBytes: request.parts[0]!.length };
  const calls = Promise.allSettled(Array.from({ length: 4 }, () => connection.call(sized)));
  const status = (): Buffer =>
    encodeStateless(
      random.chance(3)
        ? requestFields(random)
        : [':status', random.pick(['200', '200', '503', 'x']), 'content-type', 'application/grpc', 'grpc-status', random.pick(['0', '14', ''])],
    );
  const bytes = Buffer.concat([settingsFrame([[random.int(7), random.pick([0, 1, 100, 65535])]]), conversation(random, status)]);
  for (const read of cut(random, spoil(random, bytes, random.pick([0, 1, 1, 8])))) {
    socket.emit('data', read);
    if (random.chance(20)) await turn();
  }
  await turn();
  connection.end(new Error('over'));
  await calls; // Each call ends when its connection does: a hang here is a fault.
  checkWritten(socket, PREFACE.length);
  socket.destroy();
}

// ---- HPACK
function hpack(random: Random): void {
  const encoder = new HpackEncoder();
  const decoder = new HpackDecoder(5000);
  for (let i = random.int(8); i >= 0; i--) {
    if (random.chance(6)) encoder.setMaxTableBytes(random.pick([0, 50, 500, 4096, 100_000]));
    const fields = requestFields(random).map((each) => Buffer.from(each, 'latin1').latin1Slice());
    const block = Buffer.from(encoder.encode(fields, random.chance(3) ? ['x-extra', String(random.int(100))] : []));
    const spoiled = random.chance(2) ? spoil(random, block, 3) : block;
    let got: HeaderFields;
    try {
      got = decoder.decode(spoiled, 0, spoiled.length);
    } catch (error) {
      if (error instanceof HeaderListTooLarge) continue;
      assert.ok(error instanceof CorruptError, String(error));
      return; // The connection would be over.
    }
    if (spoiled !== block && !spoiled.equals(block)) return; // The tables may differ by now.
    assert.deepEqual(got.slice(0, fields.length), fields);
  }
}
function hpackBytes(random: Random): void {
  const decoder = new HpackDecoder(5000, random.pick([0, 100, 4096]));
  for (let i = 0; i < 5; i++) {
    const block = random.bytes(random.int(random.pick([4, 40, 400])));
    try {
      decoder.decode(block, 0, block.length);
    } catch (error) {
      if (error instanceof CorruptError) return;
      assert.ok(error instanceof HeaderListTooLarge, String(error));
    }
  }
}

// ---- gRPC messages
function grpcFraming(random: Random): void {
  const body = spoil(random, random.chance(5) ? Buffer.concat([grpcMessage(random), grpcMessage(random)]) : grpcMessage(random), 2);
  const stream = new MessageStream();
  const limit = random.pick([0, 100, 50_000, 1 << 30]);
  let held = 0;
  const admission = { reserve: (sizeBytes: number) => sizeBytes < 1 << 20 && (held += sizeBytes) >= 0 };
  let result = 'ok';
  for (const read of cut(random, body)) {
    result = stream.take(read, 0, read.length, limit, admission);
    if (result !== 'ok') break;
  }
  const size = body.length >= 5 ? body.readUInt32BE(1) : 0;
  if (body.length > 0 && body[0]! > 1) return assert.equal(result, 'bad flag');
  if (body.length < 5) return assert.ok(!stream.isComplete && result === 'ok');
  if (size > limit) return assert.equal(result, 'too large');
  if (result === 'no room') return assert.ok(size >= 1 << 20);
  if (body.length - 5 > size) return assert.equal(result, 'too many');
  assert.equal(result, 'ok');
  assert.equal(stream.isComplete, body.length - 5 === size);
  if (stream.isComplete) assert.ok(stream.message!.equals(body.subarray(5)));
}

// ---- compressed bodies
const CODINGS: readonly ContentCoding[] = ['gzip', 'zlib', 'deflate', 'zstd', 'snappy', 'x-snappy-framed'];
async function compressed(random: Random): Promise<void> {
  const coding = random.pick(CODINGS);
  const plain = random.chance(2) ? random.bytes(random.int(3000)) : Buffer.alloc(random.int(random.pick([100, 200_000])), 'abcdefgh');
  const whole = await encodeBody([plain], plain.length, coding, 0);
  const spoiled = spoil(random, Buffer.from(whole), random.pick([0, 1, 4]));
  const limit = random.pick([0, 10, 5000, 1 << 20]);
  let got: Buffer;
  try {
    got = await decodeBody(random.chance(30) ? random.bytes(random.int(200)) : spoiled, random.chance(10) ? random.pick(CODINGS) : coding, limit);
  } catch (error) {
    assert.ok(error instanceof PermanentError, String(error));
    if (spoiled.equals(whole) && !(error instanceof TooLargeError)) return; // Another coding was named, or random bytes.
    return;
  }
  assert.ok(got.length <= limit, `${got.length} bytes, ${limit} are allowed`);
  // Small results may share a slab of 64 KB with others.
  assert.ok(got.buffer.byteLength <= Math.max(65_536, got.length * 2 + 2048), `${got.length} bytes hold ${got.buffer.byteLength}`);
}

export const TARGETS = {
  frames: (random: Random) => (random.chance(3) ? clientFrames(random) : serverFrames(random)),
  hpack: (random: Random) => (random.chance(2) ? hpack(random) : hpackBytes(random)),
  grpc: grpcFraming,
  compression: compressed,
} as const;
export type Target = keyof typeof TARGETS;

export interface FuzzReport {
  readonly cases: number;
  readonly slowestMs: number;
  /** Heap and buffers after a fifth of the time and at the end, MB. */
  readonly earlyMb: number;
  readonly lateMb: number;
}
/** With --expose-gc; what waits for a timer (a connection that lingers) is over by then. */
const memoryMb = async (): Promise<number> => {
  await sleep(700);
  globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return (heapUsed + arrayBuffers) / 1e6;
};

/** Runs cases of `target` for a time; an error names the seed that makes its case again. */
export async function fuzz(target: Target, ms: number, firstSeed: number): Promise<FuzzReport> {
  const run = TARGETS[target];
  const startMs = performance.now();
  let cases = 0;
  let slowestMs = 0;
  let earlyMb = 0;
  for (; performance.now() - startMs < ms; cases++) {
    const seed = firstSeed + cases;
    const beganMs = performance.now();
    try {
      await run(new Random(seed));
    } catch (error) {
      throw new Error(`${target}: the case of seed ${seed} failed`, { cause: error });
    }
    slowestMs = Math.max(slowestMs, performance.now() - beganMs);
    if (earlyMb === 0 && performance.now() - startMs > ms / 5) earlyMb = await memoryMb();
  }
  return { cases, slowestMs, earlyMb, lateMb: await memoryMb() };
}

if (import.meta.main) {
  const [, , target = '', seconds = '10', seed = String(Date.now() % 1e9)] = argv;
  if (!Object.hasOwn(TARGETS, target)) {
    stdout.write(`usage: fuzz.ts ${Object.keys(TARGETS).join('|')} SECONDS [SEED]\n`);
    exit(2);
  }
  stdout.write(`${target} from seed ${seed}\n${JSON.stringify(await fuzz(target as Target, Number(seconds) * 1000, Number(seed)))}\n`);
}
