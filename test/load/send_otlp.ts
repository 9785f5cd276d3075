/**
 * Sends the same OTLP request again and again, closed loop: node send_otlp.ts '{"protocol":"grpc","port":4317,...}'. The last line it prints is what became of
 * the requests, as JSON.
 */
import { Agent, request } from 'node:http';
import { gzipSync } from 'node:zlib';
import { z } from 'zod';
import type { Signal } from '#src/core/batch.ts';
import { systemClock } from '#src/core/clock.ts';
import { grpcClientShape } from '#src/net/config.ts';
import { GrpcClient } from '#src/net/grpc/client.ts';
import { SERVICES } from '#test/grpc_client.ts';
import { telemetryRequest } from './telemetry.ts';

export interface SendOptions {
  readonly protocol: 'grpc' | 'http';
  readonly port: number;
  readonly signal: Signal;
  readonly resources: number;
  readonly recordsEach: number;
  readonly seconds: number;
  readonly concurrency: number;
  readonly gzip: boolean;
}
export interface Sent {
  readonly ok: number;
  readonly failed: number;
  readonly bytes: number;
  readonly reason: string;
}

const options = JSON.parse(process.argv[2]!) as SendOptions;
const plain = telemetryRequest(options.signal, options.resources, options.recordsEach),
  body = options.gzip ? gzipSync(plain) : plain;

const send = options.protocol === 'grpc' ? grpcSender() : httpSender();
const end = performance.now() + options.seconds * 1000;
let ok = 0,
  failed = 0,
  reason = '';
await Promise.all(
  Array.from({ length: options.concurrency }, async () => {
    while (performance.now() < end) {
      try {
        await send();
        ok++;
      } catch (error) {
        failed++;
        reason = String(error);
        await new Promise<void>((resolve) => void setTimeout(resolve, 5));
      }
    }
  }),
);
console.log(JSON.stringify({ ok, failed, bytes: body.length, reason } satisfies Sent));
process.exit(0);

function grpcSender(): () => Promise<unknown> {
  const settings = z
    .strictObject(grpcClientShape())
    .parse({ endpoint: `127.0.0.1:${options.port}`, compression: options.gzip ? 'gzip' : 'none', tls: { insecure: true } });
  const client = new GrpcClient({ settings, log: { debug() {}, info() {}, warn() {}, error() {} }, clock: systemClock, userAgent: 'load/1' });
  client.start();
  const path = SERVICES[options.signal];
  return () => client.call(path, [plain], plain.length);
}

function httpSender(): () => Promise<unknown> {
  const agent = new Agent({ keepAlive: true, maxSockets: options.concurrency });
  const headers: Record<string, string | number> = { 'Content-Type': 'application/x-protobuf', 'Content-Length': body.length };
  if (options.gzip) headers['Content-Encoding'] = 'gzip';
  return () =>
    new Promise<void>((resolve, reject) => {
      const sent = request({ port: options.port, host: '127.0.0.1', path: `/v1/${options.signal}`, method: 'POST', agent, headers }, (response) => {
        response.resume();
        response.on('end', () => (response.statusCode === 200 ? resolve() : reject(new Error(`status ${response.statusCode}`))));
      });
      sent.on('error', reject);
      sent.end(body);
    });
}
