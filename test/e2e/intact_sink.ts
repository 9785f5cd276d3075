/**
 * Senders and backends for tests of the data path: log records that carry a number and a checksum, backends (gRPC and HTTP) that are slow, refuse or
 * stop reading as a test asks, and the reckoning of what arrived. On node:http2 and node:http, independent of the program's own code.
 */
import { createServer, type Http2Server, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import { createServer as createHttpServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { crc32, gunzipSync } from 'node:zlib';
import { LOG } from '#src/data/message_types.ts';
import { BatchBuilder } from '#src/data/builders.ts';
import { ValueMap } from '#src/data/value.ts';
import { frame } from '#test/grpc_client.ts';

export type Mood = 'takes' | 'refuses' | 'slow' | 'stalls';

/** Letters that do not compress well, so that a request of some records is some KB of gzip, too. */
function lettersOf(number: number, count: number): string {
  const out = Buffer.allocUnsafe(count);
  for (let i = 0, state = number; i < count; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    out[i] = 97 + ((state >>> 16) % 26);
  }
  return out.latin1Slice();
}

/** A request with these numbers, each record padded to about `padding` bytes. */
export function requestOf(numbers: readonly number[], padding: number): Uint8Array {
  const builder = new BatchBuilder('logs');
  for (const [i, number] of numbers.entries()) {
    if (i % 7 === 0) {
      const resource = new ValueMap();
      resource.set('service.name', `service ${number % 5}`);
      builder.resource(resource);
    }
    const mark = builder.open();
    builder.writer.fixed64Value(LOG.timeUnixNano, 1_700_000_000_000_000_000n);
    const text = `#${number} ${lettersOf(number, padding)}`;
    builder.any(LOG.body, `${text} ${crc32(text).toString(16).padStart(8, '0')};`);
    builder.attribute(LOG.attributes, 'group', BigInt(number % 3));
    builder.close(mark);
  }
  return builder.finish().parts[0]!;
}

/** What one backend took: how often each number came, and what was not as it was sent. */
export class Reckoning {
  readonly counts = new Map<number, number>();
  readonly damaged: string[] = [];
  /** Gzip bodies that were joined of others, which say that they come from an unknown system: zlib says which. */
  joined = 0;
  takeGzip(body: Buffer): void {
    if (body[9] === 0xff) this.joined++;
    this.take(gunzipSync(body));
  }
  take(body: Buffer): void {
    const text = body.latin1Slice();
    const marks = text.match(/#\d/g)?.length ?? 0; // A length may be "#", too.
    let whole = 0;
    for (const [, record, sum] of text.matchAll(/(#\d+ [a-z]+) ([0-9a-f]{8});/g)) {
      if (crc32(record!) !== Number.parseInt(sum!, 16)) continue;
      whole++;
      const number = Number.parseInt(record!.slice(1), 10);
      this.counts.set(number, (this.counts.get(number) ?? 0) + 1);
    }
    if (whole !== marks) this.damaged.push(`${marks - whole} of ${marks} records of a request of ${body.length} bytes`);
  }
  missing(numbers: Iterable<number>): number[] {
    return [...numbers].filter((number) => !this.counts.has(number));
  }
  repeated(): number[] {
    return [...this.counts].filter(([, count]) => count > 1).map(([number]) => number);
  }
}

export interface Sink {
  readonly port: number;
  readonly took: Reckoning;
  mood: Mood;
  close(): Promise<void>;
}

const SLOW_MS = 40,
  STALL_MS = 400;

/** OTLP/gRPC, gzip or plain. */
export async function grpcSink(): Promise<Sink> {
  const sessions = new Set<ServerHttp2Session>();
  const server: Http2Server = createServer();
  const sink = { port: 0, took: new Reckoning(), mood: 'takes' as Mood, close: async () => endSessions(server, sessions) };
  server.on('session', (session) => {
    sessions.add(session);
    session.on('error', () => {});
    session.on('close', () => sessions.delete(session));
  });
  server.on('stream', (stream, headers) => void answerCall(stream, headers['grpc-encoding'] === 'gzip', sink));
  sink.port = await listen(server);
  return sink;
}
async function answerCall(stream: ServerHttp2Stream, isGzip: boolean, sink: Sink): Promise<void> {
  stream.on('error', () => {});
  const { mood } = sink;
  const answer = (code: number): void => {
    if (stream.destroyed) return;
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': String(code) }));
    stream.end(code === 0 ? frame(Buffer.alloc(0)) : undefined);
  };
  // Every other refusal comes before the body was read.
  if (mood === 'refuses' && Math.random() < 0.5) {
    answer(14);
    stream.resume();
    return;
  }
  if (mood === 'stalls') await sleep(STALL_MS);
  const chunks: Buffer[] = [];
  let ended = false;
  stream.on('end', () => {
    ended = true;
  });
  try {
    for await (const chunk of stream) {
      chunks.push(chunk as Buffer);
      if (mood === 'slow') await sleep(2);
    }
  } catch {
    return; // The sender gave up.
  }
  if (!ended) return;
  if (mood === 'slow') await sleep(SLOW_MS);
  if (mood === 'refuses') return answer(14);
  const body = Buffer.concat(chunks);
  if (body.length < 5 || body.readUInt32BE(1) !== body.length - 5) return answer(13);
  if (isGzip && body[0] === 1) sink.took.takeGzip(body.subarray(5));
  else sink.took.take(body.subarray(5));
  answer(0);
}

/** OTLP/HTTP, gzip or plain. */
export async function httpSink(): Promise<Sink> {
  const server: Server = createHttpServer(async (request, response) => {
    const { mood } = sink;
    if (mood === 'refuses' && Math.random() < 0.5) {
      response.writeHead(503).end();
      request.resume();
      return;
    }
    if (mood === 'stalls') await sleep(STALL_MS);
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) {
        chunks.push(chunk as Buffer);
        if (mood === 'slow') await sleep(2);
      }
    } catch {
      return;
    }
    if (mood === 'slow') await sleep(SLOW_MS);
    if (mood === 'refuses') {
      response.writeHead(503).end();
      return;
    }
    const body = Buffer.concat(chunks);
    if (request.headers['content-encoding'] === 'gzip') sink.took.takeGzip(body);
    else sink.took.take(body);
    response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
  });
  const sink = {
    port: 0,
    took: new Reckoning(),
    mood: 'takes' as Mood,
    close: async () => {
      server.closeAllConnections();
      server.close();
    },
  };
  sink.port = await listen(server);
  return sink;
}

function listen(server: Server | Http2Server): Promise<number> {
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)));
}
function endSessions(server: Http2Server, sessions: Iterable<ServerHttp2Session>): void {
  for (const session of sessions) session.destroy();
  server.close();
}
