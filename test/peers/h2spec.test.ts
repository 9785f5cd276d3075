/** h2spec, which holds a server against RFC 9113 and RFC 7541, at the OTLP ports: every case passes, none is excepted. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import test from 'node:test';
import { Stage } from '#test/stage.ts';
import { h2spec, makeCertificates, serverTlsYaml } from './net_peers.ts';

for (const [protocol, security] of [
  ['grpc', 'plain'],
  ['grpc', 'tls'],
  ['http', 'tls'],
] as const) {
  test(`all cases of h2spec pass at the port of ${protocol}, ${security}`, async (t) => {
    const program = h2spec();
    const stage = new Stage(t);
    const port = await stage.port();
    const collector = await stage.penstock(`
receivers: {otlp: {protocols: {${protocol}: {endpoint: "127.0.0.1:${port}"${serverTlsYaml(security, makeCertificates(stage.folder))}}}}}
exporters: {nop: {}}
service:
  telemetry: {metrics: {level: none}}
  pipelines: {traces: {receivers: [otlp], exporters: [nop]}}`);
    const args = ['--host', '127.0.0.1', '--port', String(port), '--strict', '--timeout', '5', ...(security === 'tls' ? ['--tls', '--insecure'] : [])];
    let report: string;
    try {
      report = execFileSync(program, args, { encoding: 'utf8' });
    } catch (error) {
      report = (error as { stdout?: string }).stdout ?? String(error);
    }
    const [, all, passed, skipped, failed] = /(\d+) tests, (\d+) passed, (\d+) skipped, (\d+) failed/.exec(report) ?? [];
    assert.deepEqual({ skipped, failed }, { skipped: '0', failed: '0' }, report.slice(report.indexOf('Failures:')));
    assert.equal(all, passed);
    assert.ok(Number(all) >= 146, `${all} cases`);
    assert.equal(await collector.stop(), 0);
  });
}
