/** A connection that is cut after any number of bytes, in either direction: calls end, what was acknowledged is there, and the next connection works. */
import assert from 'node:assert/strict';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { after, test } from 'node:test';
import { z } from 'zod';
import { systemClock } from '#src/core/clock.ts';
import { RetryableError } from '#src/core/errors.ts';
import { grpcClientShape, grpcServerShape } from '#src/net/config.ts';
import { GrpcClient } from './client.ts';
import { GrpcServer } from './server.ts';

const PATH = '/test.Service/Export';
const log = { debug() {}, info() {}, warn() {}, error() {} };
const received = new Set<string>();
const server = new GrpcServer({
  settings: z.strictObject(grpcServerShape('127.0.0.1:0')).parse({}),
  methods: new Map([
    [
      PATH,
      async (message) => {
        received.add(message.toString('latin1', 0, 40).trim());
      },
    ],
  ]),
  log,
  clock: systemClock,
});
await server.listen();
after(() => server.close(0));

type Cut = (socket: Socket, other: Socket) => void;
const CUTS: Readonly<Record<string, Cut>> = {
  'by a reset': (socket, other) => {
    socket.resetAndDestroy();
    other.resetAndDestroy();
  },
  'by an end': (socket, other) => {
    socket.end();
    other.end();
    setTimeout(() => [socket, other].map((each) => each.destroy()), 20);
  },
};

/** A proxy whose first connection is cut once so many bytes have gone up, or down. */
async function cutter(upBytes: number, downBytes: number, cut: Cut): Promise<{ port: number; close(): void }> {
  const sockets = new Set<Socket>();
  let first = true;
  const proxy = createServer((client) => {
    const upstream = connect(server.port, '127.0.0.1');
    const cuts = first;
    first = false;
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => {});
    }
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.destroy());
    const pass = (from: Socket, to: Socket, limit: number): void => {
      let left = cuts ? limit : Number.POSITIVE_INFINITY;
      from.on('data', (chunk: Buffer) => {
        if (left <= 0) return;
        to.write(chunk.subarray(0, Math.min(left, chunk.length)));
        left -= chunk.length;
        // What has gone before may arrive first.
        if (left <= 0) setTimeout(() => cut(client, upstream), 3);
      });
    };
    pass(client, upstream, upBytes);
    pass(upstream, client, downBytes);
  });
  await new Promise<void>((done) => proxy.listen(0, '127.0.0.1', done));
  return {
    port: (proxy.address() as AddressInfo).port,
    close() {
      proxy.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

for (const [how, cut] of Object.entries(CUTS)) {
  test(`cut ${how} after any number of bytes, no call hangs and nothing that was acknowledged is lost`, async () => {
    let acknowledged = 0;
    let refused = 0;
    const attempt = async (name: string, upBytes: number, downBytes: number): Promise<void> => {
      const proxy = await cutter(upBytes, downBytes, cut);
      const client = new GrpcClient({
        settings: z
          .strictObject(grpcClientShape())
          .parse({ endpoint: `127.0.0.1:${proxy.port}`, tls: { insecure: true }, compression: 'none', wait_for_ready: true }),
        log,
        clock: systemClock,
        userAgent: 'test/1',
      });
      client.start();
      /** Null, or why it was refused. */
      const call = async (id: string): Promise<string | null> => {
        const message = Buffer.alloc(3000, ' ');
        message.write(id);
        const began = performance.now();
        try {
          await client.call(PATH, [message], message.length, { timeoutMs: 30_000 });
          acknowledged++;
          assert.ok(received.has(id), `${id} was acknowledged and is not there`);
          return null;
        } catch (error) {
          assert.ok(error instanceof RetryableError, `${id}: ${String(error)}`);
          assert.ok(performance.now() - began < 25_000, `${id} waited for its deadline`);
          refused++;
          return String(error);
        }
      };
      await Promise.all(Array.from({ length: 3 }, (_, i) => call(`${name} ${i}`)));
      // The loss may come after the answers, in the first of these.
      const next = (await call(`${name} next`)) && (await call(`${name} last`));
      await client.close();
      proxy.close();
      assert.equal(next, null, `${name}: the call after the loss was refused`);
    };
    const cuts: (readonly [up: number, down: number])[] = [];
    for (let bytes = 1; bytes < 9600; bytes += bytes < 350 ? 9 : 431) cuts.push([bytes, 1e9]);
    for (let bytes = 1; bytes < 260; bytes += 4) cuts.push([1e9, bytes]);
    // One after the other in six lanes: the backoff after a failed connection is a second.
    const lanes = Array.from({ length: 6 }, async (_, lane) => {
      for (let i = lane; i < cuts.length; i += 6) await attempt(`${how} ${cuts[i]!.join(' ')}`, ...cuts[i]!);
    });
    await Promise.all(lanes);
    assert.ok(acknowledged > cuts.length && refused > 0, `${acknowledged} acknowledged, ${refused} refused`);
  });
}
