import assert from 'node:assert/strict';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { after, test } from 'node:test';
import { z } from 'zod';
import { systemClock } from '#src/core/clock.ts';
import { RecordedTelemetry } from '#src/core/testing/context.ts';
import { grpcServerShape } from '#src/net/config.ts';
import { GrpcServer } from '#src/net/grpc/server.ts';
import { CONTINUATION, DATA, frame, GOAWAY, HEADERS, PING, PREFACE, RST_STREAM, SETTINGS, settingsFrame, WINDOW_UPDATE } from './frames.ts';
import { encodeStateless } from './hpack.ts';

const PATH = '/test.Service/Export';
const NOTHING = Buffer.alloc(0);
const REQUEST = encodeStateless([':method', 'POST', ':scheme', 'http', ':path', PATH, ':authority', 'a', 'content-type', 'application/grpc', 'te', 'trailers']);
const PROTOCOL_ERROR = 1,
  FLOW_CONTROL_ERROR = 3,
  STREAM_CLOSED = 5,
  FRAME_SIZE_ERROR = 6,
  REFUSED_STREAM = 7,
  COMPRESSION_ERROR = 9,
  ENHANCE_YOUR_CALM = 11;

const telemetry = new RecordedTelemetry();
const server = new GrpcServer({
  settings: z.strictObject(grpcServerShape('127.0.0.1:0')).parse({ max_concurrent_streams: 5, max_recv_msg_size_mib: 1 }),
  methods: new Map([[PATH, (message) => (message.length > 0 && message[0] === 0xee ? new Promise(() => {}) : undefined)]]),
  log: telemetry.log,
  clock: systemClock,
  telemetry,
});
await server.listen();
const peers: Peer[] = [];
after(async () => {
  for (const peer of peers) peer.socket.destroy();
  await server.close(0);
});

interface Frame {
  type: number;
  flags: number;
  id: number;
  payload: Buffer;
}
/** A client that writes what it likes. */
class Peer {
  readonly socket: Socket = connect(server.port, '127.0.0.1');
  readonly frames: Frame[] = [];
  readonly gone: Promise<void>;
  #rest = NOTHING;
  constructor(settings = true) {
    peers.push(this);
    this.socket.on('error', () => {});
    this.gone = new Promise((done) => this.socket.on('close', () => done()));
    this.socket.on('data', (chunk: Buffer) => {
      let bytes = Buffer.concat([this.#rest, chunk]);
      while (bytes.length >= 9 && bytes.length >= 9 + bytes.readUIntBE(0, 3)) {
        const size = bytes.readUIntBE(0, 3);
        this.frames.push({ type: bytes[3]!, flags: bytes[4]!, id: bytes.readUInt32BE(5), payload: bytes.subarray(9, 9 + size) });
        bytes = bytes.subarray(9 + size);
      }
      this.#rest = bytes;
    });
    if (settings) this.send(PREFACE, settingsFrame([]));
  }
  send(...parts: Buffer[]): this {
    this.socket.write(Buffer.concat(parts));
    return this;
  }
  /** The first frame that fits; waits at most twenty seconds. */
  async until(fits: (frame: Frame) => boolean, what: string): Promise<Frame> {
    for (const end = Date.now() + 20_000; Date.now() < end; await new Promise((done) => setTimeout(done, 2))) {
      const found = this.frames.find(fits);
      if (found) return found;
    }
    throw new Error(`no ${what} came; got ${this.frames.map((each) => `${each.type}/${each.id}`).join(' ')}`);
  }
  async goAway(code: number, what: string): Promise<void> {
    const { payload } = await this.until((each) => each.type === GOAWAY, `GOAWAY (${what})`);
    assert.equal(payload.readUInt32BE(4), code, `${what}: ${payload.subarray(8).toString()}`);
    await this.gone;
  }
  async reset(id: number, code: number, what: string): Promise<void> {
    const { payload } = await this.until((each) => each.type === RST_STREAM && each.id === id, `RST_STREAM (${what})`);
    assert.equal(payload.readUInt32BE(0), code, what);
  }
  /** A whole call is still answered. */
  async answers(id: number): Promise<void> {
    this.send(frame(HEADERS, 4, id, REQUEST), frame(DATA, 1, id, Buffer.alloc(5)));
    await this.until((each) => each.type === HEADERS && each.id === id && (each.flags & 1) === 1, `answer on ${id}`);
  }
}
const word = (value: number): Buffer => {
  const out = Buffer.alloc(4);
  out.writeUInt32BE(value);
  return out;
};

test('frames that break RFC 9113 end the connection with the code it names', async () => {
  const open = frame(HEADERS, 4, 1, REQUEST);
  const check = (code: number, what: string, ...frames: Buffer[]): Promise<void> => new Peer().send(...frames).goAway(code, what);
  await check(PROTOCOL_ERROR, 'DATA on stream 0', frame(DATA, 0, 0, NOTHING));
  await check(PROTOCOL_ERROR, 'DATA on an idle stream', frame(DATA, 0, 1, NOTHING));
  await check(PROTOCOL_ERROR, 'padding that is too long', open, frame(DATA, 8, 1, Buffer.from([9, 0])));
  await check(PROTOCOL_ERROR, 'an even stream', frame(HEADERS, 4, 2, REQUEST));
  await check(PROTOCOL_ERROR, 'a stream below the last', frame(HEADERS, 4, 5, REQUEST), frame(HEADERS, 4, 3, REQUEST));
  await check(PROTOCOL_ERROR, 'HEADERS in a header block', frame(HEADERS, 0, 1, REQUEST), frame(HEADERS, 4, 3, REQUEST));
  await check(PROTOCOL_ERROR, 'CONTINUATION alone', frame(CONTINUATION, 4, 1, REQUEST));
  await check(PROTOCOL_ERROR, 'PUSH_PROMISE', frame(5, 4, 1, word(2)));
  await check(PROTOCOL_ERROR, 'RST_STREAM on an idle stream', frame(RST_STREAM, 0, 1, word(8)));
  await check(PROTOCOL_ERROR, 'WINDOW_UPDATE of 0', frame(WINDOW_UPDATE, 0, 0, word(0)));
  await check(PROTOCOL_ERROR, 'ENABLE_PUSH of 2', settingsFrame([[2, 2]]));
  await check(PROTOCOL_ERROR, 'MAX_FRAME_SIZE of 1', settingsFrame([[5, 1]]));
  await check(PROTOCOL_ERROR, 'PING on a stream', frame(PING, 0, 1, Buffer.alloc(8)));
  await check(FLOW_CONTROL_ERROR, 'an initial window of 2^31', settingsFrame([[4, 0x80000000]]));
  await check(FLOW_CONTROL_ERROR, 'a window beyond 2^31', frame(WINDOW_UPDATE, 0, 0, word(0x7fffffff)));
  await check(FRAME_SIZE_ERROR, 'a frame of 16385 bytes', open, frame(DATA, 0, 1, Buffer.alloc(16385)));
  await check(FRAME_SIZE_ERROR, 'PING of 7 bytes', frame(PING, 0, 0, Buffer.alloc(7)));
  await check(FRAME_SIZE_ERROR, 'SETTINGS of 5 bytes', frame(SETTINGS, 0, 0, Buffer.alloc(5)));
  await check(FRAME_SIZE_ERROR, 'SETTINGS ACK with content', frame(SETTINGS, 1, 0, Buffer.alloc(6)));
  await check(COMPRESSION_ERROR, 'a header block that cannot be decoded', frame(HEADERS, 4, 1, Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff])));
  await check(
    STREAM_CLOSED,
    'DATA behind the end',
    frame(HEADERS, 4, 1, REQUEST),
    frame(DATA, 1, 1, Buffer.from([0, 0, 0, 0, 1, 0xee])),
    frame(DATA, 1, 1, Buffer.alloc(5)),
  );
  const noSettings = new Peer(false);
  await noSettings.send(PREFACE, frame(PING, 0, 0, Buffer.alloc(8))).goAway(PROTOCOL_ERROR, 'a first frame that is not SETTINGS');
  const noPreface = new Peer(false);
  noPreface.socket.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
  await noPreface.gone;
});

test('faults of one call end that call only', async () => {
  const peer = new Peer();
  const check = async (id: number, code: number, what: string, fields: string[]): Promise<void> => {
    peer.send(frame(HEADERS, 5, id, encodeStateless(fields)));
    await peer.reset(id, code, what);
  };
  const base = [':method', 'POST', ':scheme', 'http', ':path', PATH];
  await check(1, PROTOCOL_ERROR, 'upper case', [...base, 'Content-Type', 'a']);
  await check(3, PROTOCOL_ERROR, 'no :path', [':method', 'POST', ':scheme', 'http']);
  await check(5, PROTOCOL_ERROR, ':path twice', [...base, ':path', '/']);
  await check(7, PROTOCOL_ERROR, 'a pseudo header behind others', [':method', 'POST', 'te', 'trailers', ':scheme', 'http', ':path', '/']);
  await check(9, PROTOCOL_ERROR, 'a response pseudo header', [...base, ':status', '200']);
  await check(11, PROTOCOL_ERROR, 'a connection header', [...base, 'connection', 'close']);
  await check(13, PROTOCOL_ERROR, 'te other than trailers', [...base, 'te', 'gzip']);
  peer.send(frame(HEADERS, 4, 15, REQUEST), frame(WINDOW_UPDATE, 0, 15, word(0)));
  await peer.reset(15, PROTOCOL_ERROR, 'a window update of 0 on a stream');
  await peer.answers(17);
});

test('calls beyond the limit on concurrent streams are refused, those that were reset but still run count', async () => {
  const peer = new Peer();
  const stuck = Buffer.from([0, 0, 0, 0, 1, 0xee]);
  for (let id = 1; id <= 9; id += 2) peer.send(frame(HEADERS, 4, id, REQUEST), frame(DATA, 1, id, stuck), frame(RST_STREAM, 0, id, word(8)));
  peer.send(frame(HEADERS, 4, 11, REQUEST));
  await peer.reset(11, REFUSED_STREAM, 'the sixth');
  assert.ok((telemetry.counts.get('grpc_server_limit_hits') ?? 0) > 0);
});

test('floods end the connection with ENHANCE_YOUR_CALM and other clients notice nothing', async () => {
  const calm = new Peer();
  await calm.answers(1);
  const many = (count: number, make: (i: number) => Buffer): Buffer => Buffer.concat(Array.from({ length: count }, (_, i) => make(i)));
  await new Peer().send(many(2500, () => settingsFrame([]))).goAway(ENHANCE_YOUR_CALM, 'SETTINGS');
  await new Peer().send(many(2500, () => frame(PING, 0, 0, Buffer.alloc(8)))).goAway(ENHANCE_YOUR_CALM, 'PING');
  await new Peer().send(many(2500, (i) => frame(HEADERS, 4, 2 * i + 1, REQUEST))).goAway(ENHANCE_YOUR_CALM, 'calls beyond the limit');
  await new Peer()
    .send(many(1200, (i) => Buffer.concat([frame(HEADERS, 4, 2 * i + 1, REQUEST), frame(RST_STREAM, 0, 2 * i + 1, word(8))])))
    .goAway(ENHANCE_YOUR_CALM, 'rapid reset');
  await new Peer()
    .send(
      frame(HEADERS, 0, 1, REQUEST),
      many(100, () => frame(CONTINUATION, 0, 1, NOTHING)),
    )
    .goAway(ENHANCE_YOUR_CALM, 'CONTINUATION');
  await new Peer()
    .send(
      frame(HEADERS, 0, 1, REQUEST),
      many(6, () => frame(CONTINUATION, 0, 1, Buffer.alloc(16000))),
    )
    .goAway(ENHANCE_YOUR_CALM, 'a header block of 96 KB');
  await new Peer()
    .send(
      frame(HEADERS, 4, 1, REQUEST),
      many(2500, () => frame(DATA, 0, 1, NOTHING)),
    )
    .goAway(ENHANCE_YOUR_CALM, 'empty DATA');
  await new Peer()
    .send(frame(PING, 0, 0, Buffer.alloc(8)), frame(PING, 0, 0, Buffer.alloc(8)), frame(PING, 0, 0, Buffer.alloc(8)), frame(PING, 0, 0, Buffer.alloc(8)))
    .goAway(ENHANCE_YOUR_CALM, 'too_many_pings');
  await calm.answers(3);
});

test('a header bomb is refused for its call', async () => {
  const peer = new Peer();
  const block = Buffer.concat([
    REQUEST,
    Buffer.from([0x40, 1, 0x78, 0x7f, ((2900 - 127) & 127) | 128, (2900 - 127) >> 7]),
    Buffer.alloc(2900, 0x76),
    Buffer.alloc(100, 0xbe),
  ]);
  peer.send(frame(HEADERS, 5, 1, block));
  await peer.reset(1, ENHANCE_YOUR_CALM, 'a list of 290 KB');
  await peer.answers(3);
});

test('an answer goes out as far as the windows let it, whatever opens them', async () => {
  const peer = new Peer(false);
  const sizes = (): number[] => peer.frames.filter((each) => each.id === 1 && each.type === DATA).map((each) => each.payload.length);
  peer.send(PREFACE, settingsFrame([[4, 0]]), frame(HEADERS, 4, 1, REQUEST), frame(DATA, 1, 1, Buffer.alloc(5)));
  await peer.until((each) => each.type === HEADERS && each.id === 1, 'headers');
  peer.send(frame(WINDOW_UPDATE, 0, 1, word(1)), frame(PING, 0, 0, Buffer.alloc(8)));
  await peer.until((each) => each.type === PING, 'the answer to PING');
  assert.deepEqual(sizes(), [1]);
  peer.send(settingsFrame([[4, 2]]));
  await peer.until(() => sizes().length === 2, 'more by a larger initial window');
  peer.send(settingsFrame([[4, 0]]), frame(WINDOW_UPDATE, 0, 1, word(2)), frame(WINDOW_UPDATE, 0, 1, word(2)));
  await peer.until((each) => each.type === HEADERS && each.id === 1 && (each.flags & 1) === 1, 'the end');
  assert.deepEqual(sizes(), [1, 2, 2]);
});

test('frames that come byte by byte, padded and with priority, are read like others', async () => {
  const peer = new Peer(false);
  const message = Buffer.from('some bytes');
  const prefixed = Buffer.concat([Buffer.from([0, 0, 0, 0, message.length]), message]);
  const bytes = Buffer.concat([
    PREFACE,
    settingsFrame([]),
    frame(HEADERS, 4 | 8 | 32, 1, Buffer.concat([Buffer.from([3, 0, 0, 0, 0, 16]), REQUEST, Buffer.alloc(3)])),
    frame(2, 0, 1, Buffer.from([0, 0, 0, 0, 1])),
    frame(DATA, 8, 1, Buffer.concat([Buffer.from([2]), prefixed.subarray(0, 3), Buffer.alloc(2)])),
    frame(DATA, 8, 1, Buffer.concat([Buffer.from([1]), prefixed.subarray(3), Buffer.alloc(1)])),
    frame(0x77, 0, 1, Buffer.from('unknown')),
    frame(DATA, 9, 1, Buffer.from([0])),
  ]);
  for (const byte of bytes) {
    peer.socket.write(Buffer.from([byte]));
    await new Promise((done) => setImmediate(done));
  }
  await peer.until((each) => each.type === HEADERS && each.id === 1 && (each.flags & 1) === 1, 'the answer');
});
