/**
 * Sends OTLP requests over gRPC at a given rate whether or not they are answered, as many independent senders do: node send_open_loop.ts '{"port":4317,…}'.
 * A request that is not answered within its deadline is lost, and one that finds too many on their way is not even sent. The last line it prints is what
 * became of them, as JSON.
 */
import { z } from 'zod';
import { systemClock } from '#src/core/clock.ts';
import { errorText } from '#src/core/errors.ts';
import { grpcClientShape } from '#src/net/config.ts';
import { GrpcClient } from '#src/net/grpc/client.ts';
import { SERVICES } from '#test/grpc_client.ts';
import { telemetryRequest } from './telemetry.ts';

export interface OpenLoopOptions {
  readonly port: number;
  readonly connections: number;
  readonly recordsEach: number;
  /** Requests a second; 0: as many as are answered, four at a time on each connection. */
  readonly rate: number;
  readonly seconds: number;
}
export interface OpenLoopSent {
  readonly offered: number;
  readonly ok: number;
  readonly refused: number;
  readonly late: number;
  readonly p99Ms: number;
}

const DEADLINE_MS = 2000;
/** On their way at most, of all connections: what this process can hold. */
const MAX_ON_THEIR_WAY = 2000;

const options = JSON.parse(process.argv[2]!) as OpenLoopOptions;
const body = telemetryRequest('traces', 1, options.recordsEach);
const settings = z
  .strictObject(grpcClientShape())
  .parse({ endpoint: `127.0.0.1:${options.port}`, compression: 'none', tls: { insecure: true }, wait_for_ready: true });
const log = { debug() {}, info() {}, warn() {}, error() {} };
const clients = Array.from({ length: options.connections }, () => new GrpcClient({ settings, log, clock: systemClock, userAgent: 'load/1' }));
for (const client of clients) client.start();

let offered = 0,
  ok = 0,
  refused = 0,
  late = 0,
  onTheirWay = 0;
const tookMs: number[] = [];
async function send(client: GrpcClient): Promise<void> {
  offered++;
  if (onTheirWay >= MAX_ON_THEIR_WAY) {
    late++;
    return;
  }
  onTheirWay++;
  const began = performance.now();
  try {
    await client.call(SERVICES.traces, [body], body.length, { timeoutMs: DEADLINE_MS });
    ok++;
    tookMs.push(performance.now() - began);
  } catch (error) {
    if (errorText(error).includes('DeadlineExceeded')) late++;
    else refused++;
  }
  onTheirWay--;
}

await Promise.all(clients.map((client) => client.call(SERVICES.traces, [body], body.length)));
const startMs = performance.now(),
  endMs = startMs + options.seconds * 1000;
if (options.rate === 0) {
  const lane = async (client: GrpcClient): Promise<void> => {
    while (performance.now() < endMs) await send(client);
  };
  await Promise.all(clients.flatMap((client) => Array.from({ length: 4 }, () => lane(client))));
} else {
  for (let now = startMs; now < endMs; now = performance.now()) {
    const due = Math.floor(((now - startMs) / 1000) * options.rate);
    while (offered < due) void send(clients[offered % clients.length]!);
    await new Promise<void>((resolve) => void setTimeout(resolve, 2));
  }
}
const seconds = (performance.now() - startMs) / 1000;
tookMs.sort((a, b) => a - b);
const perSecond = (count: number): number => Math.round(count / seconds);
console.log(
  JSON.stringify({
    offered: perSecond(offered),
    ok: perSecond(ok),
    refused: perSecond(refused),
    late: perSecond(late),
    p99Ms: Math.round(tookMs[Math.floor(tookMs.length * 0.99)] ?? 0),
  } satisfies OpenLoopSent),
);
process.exit(0);
