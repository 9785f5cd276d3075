/** What a call with a message of 200 bytes costs the connection, taken and refused by its headers: `node --no-maglev src/net/http2/server.bench.ts`. */
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { z } from 'zod';
import { systemClock } from '#src/core/clock.ts';
import { RetryableError } from '#src/core/errors.ts';
import { grpcServerShape } from '#src/net/config.ts';
import { GrpcServer } from '#src/net/grpc/server.ts';
import { WIDE_LIMITS } from '#src/net/testing/wide_limits.ts';
import { DATA, frame, HEADERS, PREFACE, settingsFrame, windowUpdateFrame } from './frames.ts';
import { HpackEncoder } from './hpack.ts';
import { ServerConnection } from './server_connection.ts';

/** A socket that takes everything; the system call that a real one makes for a hundred answers is not measured. */
class NoSocket extends Duplex {
  written = 0;
  override _read(): void {}
  override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
    this.written += chunk.length;
    done();
  }
}

const PATH = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';
const refusal = new RetryableError('data refused due to high memory usage', { reason: 'exhausted', retryAfterMs: 1000 });
let refuses = false;
const service = new GrpcServer({
  settings: z.strictObject(grpcServerShape('127.0.0.1:0')).parse({}),
  methods: new Map([[PATH, () => undefined]]),
  refusal: () => (refuses ? refusal : null),
  log: { debug() {}, info() {}, warn() {}, error() {} },
  clock: systemClock,
});
const message = Buffer.concat([Buffer.from([0, 0, 0, 0, 200]), Buffer.alloc(200)]);
/** In a read of a hundred calls. */
function reads(count: number, varying: boolean): Buffer[] {
  const encoder = new HpackEncoder();
  let id = -1;
  return Array.from({ length: count }, () =>
    Buffer.concat(
      Array.from({ length: 100 }, () => {
        id += 2;
        const timeout = varying ? `${4_000_000 + id}u` : '5S';
        const fields = [':method', 'POST', ':scheme', 'http', ':path', PATH, ':authority', 'a', 'content-type', 'application/grpc', 'te', 'trailers'];
        const block = encoder.encode([...fields, 'grpc-timeout', timeout]);
        return Buffer.concat([frame(HEADERS, 4, id, block), frame(DATA, 1, id, message)]);
      }),
    ),
  );
}
for (const [what, varying, refusing] of [
  ['taken', false, false],
  ['taken, another grpc-timeout each', true, false],
  ['refused', false, true],
  ['refused, another grpc-timeout each', true, true],
] as const) {
  refuses = refusing;
  for (const round of ['warm-up', 'measured']) {
    const socket = new NoSocket();
    new ServerConnection(socket as unknown as Socket, service, WIDE_LIMITS);
    socket.emit('data', Buffer.concat([PREFACE, settingsFrame([]), windowUpdateFrame(0, 1 << 30)]));
    const input = reads(2000, varying);
    const before = process.cpuUsage();
    for (const read of input) {
      socket.emit('data', read);
      await new Promise((done) => setImmediate(done));
    }
    const { user, system } = process.cpuUsage(before);
    const each = (user + system) / 200_000;
    if (socket.written < 200_000 * 30) throw new Error(`only ${socket.written} bytes of answers`);
    if (round === 'measured') console.log(`${what}: ${each.toFixed(2)} us a call`);
  }
}
process.exit(0);
