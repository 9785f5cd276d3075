/**
 * telemetrygen, the Collector's own load generator on grpc-go and Go's HTTP client, as a sender of all signals, plain and with TLS. It is used where it lies
 * in the cache folder: it needs a newer Go than Debian's, and a minute to build.
 *   GOBIN=~/.cache/penstock-peers/bin go install github.com/open-telemetry/opentelemetry-collector-contrib/cmd/telemetrygen@v0.155.0
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { Stage, until } from '#test/stage.ts';
import { CACHE, makeCertificates, serverTlsYaml } from './net_peers.ts';

const TELEMETRYGEN = join(CACHE, 'bin/telemetrygen');
const RECORDS = { traces: '"spanId"', metrics: '"asInt"', logs: '"body"' } as const;
const COUNT = 500;

for (const security of ['plain', 'tls'] as const) {
  test(`telemetrygen is understood over gRPC and HTTP, ${security}`, { skip: existsSync(TELEMETRYGEN) ? false : `${TELEMETRYGEN} is not there` }, async (t) => {
    const stage = new Stage(t);
    const files = makeCertificates(stage.folder);
    const ports = { grpc: await stage.port(), http: await stage.port() };
    const tls = serverTlsYaml(security, files);
    const signals = Object.keys(RECORDS) as (keyof typeof RECORDS)[];
    const program = await stage.penstock(`
receivers: {otlp: {protocols: {grpc: {endpoint: "127.0.0.1:${ports.grpc}"${tls}}, http: {endpoint: "127.0.0.1:${ports.http}"${tls}}}}}
exporters:
${signals.map((signal) => `  file/${signal}: {path: "${join(stage.folder, signal)}", flush_interval: 50ms}`).join('\n')}
service:
  telemetry: {metrics: {level: none}}
  pipelines:
${signals.map((signal) => `    ${signal}: {receivers: [otlp], exporters: [file/${signal}]}`).join('\n')}`);
    const senders = signals.flatMap((signal) =>
      (['grpc', 'http'] as const).map((transport) => {
        const secure = security === 'plain' ? ['--otlp-insecure'] : ['--ca-cert', files.ca];
        const amount = signal === 'traces' ? ['--traces', String(COUNT / 2), '--child-spans', '1'] : [`--${signal}`, String(COUNT)];
        const args = [signal, '--otlp-endpoint', `localhost:${ports[transport]}`, '--rate', '0', '--workers', '1', ...secure, ...amount];
        return stage.start(TELEMETRYGEN, transport === 'http' ? [...args, '--otlp-http'] : args);
      }),
    );
    for (const sender of senders) {
      await until('the end of telemetrygen', () => sender.child.exitCode !== null, { program, ms: 60_000 });
      assert.equal(sender.child.exitCode, 0, sender.text());
    }
    assert.equal(await program.stop(), 0);
    for (const signal of signals) {
      const text = readFileSync(join(stage.folder, signal), 'utf8');
      assert.equal(text.split(RECORDS[signal]).length - 1, 2 * COUNT, signal);
    }
  });
}
