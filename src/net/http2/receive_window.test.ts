import assert from 'node:assert/strict';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { after, test } from 'node:test';
import { z } from 'zod';
import { systemClock } from '#src/core/clock.ts';
import { grpcServerShape } from '#src/net/config.ts';
import { GrpcServer } from '#src/net/grpc/server.ts';
import { DATA, frame, HEADERS, PING, pingFrame, PREFACE, SETTINGS, SETTINGS_ACK, settingsFrame, WINDOW_UPDATE } from './frames.ts';
import { encodeStateless } from './hpack.ts';
import { MAX_RECEIVE_WINDOW, MIN_WINDOW, ReceiveWindow } from './receive_window.ts';

const MB = 1 << 20;

/** A sender that uses up its window on a way of `rttMs` and at most `mbPerSecond`, for so many measurements. */
function follow(window: ReceiveWindow, rttMs: number, mbPerSecond: number, rounds: number): number {
  let now = 1000;
  let total = 0;
  for (let i = 0; i < rounds; i++) {
    if (!window.wantsPing(now, total)) {
      now += 1000;
      continue;
    }
    // What does not fit through the way waits in front of it: the answer takes as much longer.
    const tookMs = Math.max(rttMs, window.sizeBytes / MB / (mbPerSecond / 1000));
    now += tookMs;
    total += Math.min(window.sizeBytes, (tookMs / 1000) * mbPerSecond * MB);
    window.sawAnswer(now, total);
  }
  return window.sizeBytes / MB;
}

test('the window grows to twice what the way holds, and stays there', () => {
  const far = new ReceiveWindow();
  assert.ok(Math.abs(follow(far, 100, 40, 50) - 8) < 0.1, '40 MB/s at 100 ms hold 4 MB');
  assert.equal(follow(new ReceiveWindow(), 100, 1000, 50), MAX_RECEIVE_WINDOW / MB);
  assert.equal(follow(new ReceiveWindow(), 1, 5000, 50), 1, 'a short way');
  const slow = new ReceiveWindow();
  slow.sawRoundTrip(20); // Before anything was on its way.
  assert.equal(follow(slow, 20, 10, 50), 1, 'a slow way, which 1 MB fills five times');
});

test('a sender that does not use its window up changes nothing, a round trip known from before counts', () => {
  const idle = new ReceiveWindow();
  assert.ok(idle.wantsPing(0, 0));
  assert.ok(!idle.wantsPing(1, 0), 'one measurement at a time');
  assert.ok(!idle.sawAnswer(100, MB / 2));
  const busy = new ReceiveWindow();
  busy.sawRoundTrip(5);
  assert.ok(busy.wantsPing(0, 0));
  assert.ok(!busy.sawAnswer(200, MB), 'the bytes waited here, not on the way');
});

test('over a way of 60 ms a client is given more than a megabyte, and can send more at a time', { timeout: 120_000 }, async () => {
  const server = new GrpcServer({
    settings: z.strictObject(grpcServerShape('127.0.0.1:0')).parse({ max_recv_msg_size_mib: 64 }),
    methods: new Map([['/s/m', () => undefined]]),
    log: { debug() {}, info() {}, warn() {}, error() {} },
    clock: systemClock,
  });
  await server.listen();
  after(() => server.close(0));
  const sockets: Socket[] = [];
  /** Bytes come out in their order, each 30 ms after they went in. */
  const late = (from: Socket, to: Socket): void => {
    sockets.push(from);
    from.on('error', () => {});
    from.on('data', (chunk) => void setTimeout(() => to.destroyed || to.write(chunk), 30));
  };
  const proxy = createServer((inner) => {
    const outer = connect(server.port, '127.0.0.1');
    late(inner, outer);
    late(outer, inner);
  }).listen(0, '127.0.0.1');
  await new Promise((done) => proxy.once('listening', done));
  after(() => {
    for (const socket of sockets) socket.destroy();
    proxy.close();
  });

  const client = connect((proxy.address() as AddressInfo).port, '127.0.0.1');
  sockets.push(client);
  const message = Buffer.alloc(MB);
  message.writeUInt32BE(message.length - 5, 1);
  let window = 65_535; // What may be sent on the connection.
  let at = message.length;
  let id = -1;
  const send = (): void => {
    while (window >= 16_384) {
      if (at === message.length) {
        at = 0;
        id += 2;
        client.write(frame(HEADERS, 4, id, encodeStateless([':method', 'POST', ':scheme', 'http', ':path', '/s/m', 'content-type', 'application/grpc'])));
      }
      const part = message.subarray(at, at + 16_384);
      at += part.length;
      client.write(frame(DATA, at === message.length ? 1 : 0, id, part));
      window -= part.length;
    }
  };
  let rest = Buffer.alloc(0);
  const grown = new Promise<void>((done, fail) => {
    client.on('error', fail);
    client.on('close', () => fail(new Error('the connection was closed')));
    client.on('data', (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk]);
      for (let size = 0; rest.length >= 9 && rest.length >= 9 + (size = rest.readUIntBE(0, 3)); rest = rest.subarray(9 + size)) {
        const payload = rest.subarray(9, 9 + size);
        if (rest[3] === WINDOW_UPDATE && rest.readUInt32BE(5) === 0) {
          window += payload.readUInt32BE(0);
          // More than a quarter of a megabyte is given at once only when the window grows, or has grown.
          if (payload.readUInt32BE(0) > MIN_WINDOW / 2) done();
        } else if (rest[3] === PING && (rest[4]! & 1) === 0) client.write(pingFrame(true, payload));
        else if (rest[3] === SETTINGS && (rest[4]! & 1) === 0) client.write(SETTINGS_ACK);
      }
      send();
    });
  });
  client.write(Buffer.concat([PREFACE, settingsFrame([])]));
  send();
  await grown;
});
