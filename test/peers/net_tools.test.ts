/** HTTP/2 tools of Debian at the OTLP port: h2load with a thousand connections, nghttp's own parser of what we write, nginx as a reverse proxy in between. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { credentials, Client, Metadata, type ServiceError } from '@grpc/grpc-js';
import { http, type Running, Stage, until } from '#test/stage.ts';
import { grpcBody, TRACE_PATH, traceRequest } from './net_messages.ts';
import { type Certificates, makeCertificates, serverTlsYaml } from './net_peers.ts';

/** A collector that counts what it takes: `accepted()` is its own counter of spans. */
async function countingCollector(stage: Stage, grpc: string) {
  const metrics = await stage.port();
  const program = await stage.penstock(`
receivers: {otlp: {protocols: {grpc: {${grpc}}}}}
exporters: {nop: {}}
service:
  telemetry: {metrics: {readers: [{pull: {exporter: {prometheus: {host: 127.0.0.1, port: ${metrics}}}}}]}}
  pipelines: {traces: {receivers: [otlp], exporters: [nop]}}`);
  const accepted = async (): Promise<number> => {
    const page = (await http(`http://127.0.0.1:${metrics}/metrics`)).body.toString();
    return Number(/^otelcol_receiver_accepted_spans(?:_total|__spans__total)?\{[^}]*\} (\d+)/m.exec(page)?.[1] ?? 0);
  };
  return { program, accepted };
}
const residentMb = (program: Running): number => {
  const child = readFileSync(`/proc/${program.child.pid}/task/${program.child.pid}/children`, 'utf8').trim().split(' ')[0];
  const pids = [String(program.child.pid), ...(child ? [child] : [])];
  return Math.max(...pids.map((pid) => Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024));
};

for (const security of ['plain', 'tls'] as const) {
  test(`a thousand connections of h2load are all served, ${security}`, async (t) => {
    const stage = new Stage(t);
    const port = await stage.port();
    const { program, accepted } = await countingCollector(stage, `endpoint: "127.0.0.1:${port}"${serverTlsYaml(security, makeCertificates(stage.folder))}`);
    const body = stage.file('body', grpcBody(traceRequest('h2load', 10)));
    const headers = ['content-type: application/grpc', 'te: trailers'].flatMap((header) => ['-H', header]);
    const url = `${security === 'plain' ? 'http' : 'https'}://127.0.0.1:${port}${TRACE_PATH}`;
    const report = execFileSync('h2load', ['-n', '10000', '-c', '1000', '-m', '4', '-d', body, ...headers, url], { encoding: 'utf8' });
    assert.match(report, /requests: 10000 total, 10000 started, 10000 done, 10000 succeeded, 0 failed, 0 errored, 0 timeout/);
    assert.equal(await accepted(), 100_000);
    t.diagnostic(`peak memory ${residentMb(program).toFixed(0)} MB; ${/finished in .*/.exec(report)?.[0]}`);
    assert.ok(residentMb(program) < 400);
    assert.equal(await program.stop(), 0);
  });
}

test('nghttp reads the answers to what is gRPC and to what is not', async (t) => {
  const stage = new Stage(t);
  const port = await stage.port();
  const { program } = await countingCollector(stage, `endpoint: "127.0.0.1:${port}"`);
  const nghttp = (...args: string[]): string =>
    execFileSync('nghttp', ['-v', '--no-dep', ...args, `http://127.0.0.1:${port}${TRACE_PATH}`], { encoding: 'utf8' });
  const body = stage.file('body', grpcBody(traceRequest('nghttp', 1)));
  const answer = nghttp('-d', body, '-H', 'content-type: application/grpc', '-H', 'te: trailers', '--padding=100');
  assert.match(answer, /:status: 200/);
  assert.match(answer, /grpc-status: 0/);
  const refused = nghttp();
  assert.match(refused, /:status: 415/);
  assert.match(refused, /invalid gRPC request content-type ""/);
  assert.equal(await program.stop(), 0);
});

/** One call of grpc-js; settles with the error or null. */
function call(target: string, certificates: Certificates | null, message: Buffer, compress = false): Promise<ServiceError | null> {
  const secure = certificates === null ? credentials.createInsecure() : credentials.createSsl(readFileSync(certificates.ca));
  const options = { 'grpc.max_send_message_length': -1, ...(compress ? { 'grpc.default_compression_algorithm': 2 } : {}) };
  const client = new Client(target, secure, options);
  const asIs = (bytes: Buffer): Buffer => bytes;
  return new Promise((done) => {
    client.makeUnaryRequest(TRACE_PATH, asIs, asIs, message, new Metadata(), { deadline: Date.now() + 30_000 }, (error) => {
      client.close();
      done(error);
    });
  });
}

for (const security of ['plain', 'tls'] as const) {
  test(`nginx may stand in between, ${security} on both of its sides`, async (t) => {
    const stage = new Stage(t);
    const files = makeCertificates(stage.folder);
    const [port, front] = [await stage.port(), await stage.port()];
    const { program, accepted } = await countingCollector(
      stage,
      `endpoint: "127.0.0.1:${port}", max_recv_msg_size_mib: 20${serverTlsYaml(security === 'tls' ? 'mtls' : 'plain', files)}`,
    );
    const listen =
      security === 'plain'
        ? `listen 127.0.0.1:${front} http2;`
        : `listen 127.0.0.1:${front} ssl http2; ssl_certificate ${files.serverCert}; ssl_certificate_key ${files.serverKey};`;
    const pass =
      security === 'plain'
        ? `grpc_pass grpc://127.0.0.1:${port};`
        : `grpc_pass grpcs://127.0.0.1:${port}; grpc_ssl_certificate ${files.clientCert}; grpc_ssl_certificate_key ${files.clientKey}; grpc_ssl_trusted_certificate ${files.ca}; grpc_ssl_verify on; grpc_ssl_name localhost;`;
    const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${join(stage.folder, name)};`).join(' ');
    const config = stage.file(
      'nginx.conf',
      `daemon off; master_process off; pid ${stage.folder}/nginx.pid; error_log stderr warn; events {}
http { access_log off; ${paths}
  server { ${listen} client_max_body_size 0; location / { ${pass} } } }`,
    );
    const nginx = stage.start('nginx', ['-p', stage.folder, '-c', config, '-e', 'stderr']);
    await until('nginx', () => call(`localhost:${front}`, security === 'tls' ? files : null, traceRequest('nginx', 0)).then((error) => error === null), {
      program: nginx,
    });
    const send = (message: Buffer, compress = false) => call(`localhost:${front}`, security === 'tls' ? files : null, message, compress);
    for (const compress of [false, true]) assert.equal(await send(traceRequest('nginx', 50, 3000), compress), null);
    assert.equal(await send(traceRequest('nginx', 16, 1 << 20)), null, '16 MB');
    assert.deepEqual(await Promise.all(Array.from({ length: 50 }, () => send(traceRequest('nginx', 2)))), Array(50).fill(null));
    assert.equal(await accepted(), 50 + 50 + 16 + 100);
    assert.equal((await send(traceRequest('nginx', 22, 1 << 20)))!.code, 8, 'what is too large is refused through it');
    assert.equal(await program.stop(), 0);
    await nginx.stop();
  });
}

for (const security of ['plain', 'tls'] as const) {
  test(`messages of 16 MB go through receiver and exporter, compressed and not, ${security}`, async (t) => {
    const stage = new Stage(t);
    const files = makeCertificates(stage.folder);
    const [port, next] = [await stage.port(), await stage.port()];
    const { program, accepted } = await countingCollector(stage, `endpoint: "127.0.0.1:${next}", max_recv_msg_size_mib: 20${serverTlsYaml(security, files)}`);
    const client = security === 'plain' ? 'insecure: true' : `ca_file: ${files.ca}`;
    const first = await stage.penstock(
      `
receivers: {otlp: {protocols: {grpc: {endpoint: "127.0.0.1:${port}", max_recv_msg_size_mib: 20}}}}
exporters: {otlp_grpc: {endpoint: "localhost:${next}", compression: ${security === 'plain' ? 'none' : 'gzip'}, tls: {${client}}, sending_queue: {enabled: false}}}
service:
  telemetry: {metrics: {level: none}}
  pipelines: {traces: {receivers: [otlp], exporters: [otlp_grpc]}}`,
      { name: 'first.yaml' },
    );
    const message = traceRequest('large', 16, 1 << 20);
    for (let i = 0; i < 4; i++) assert.equal(await call(`localhost:${port}`, null, message, i > 1), null);
    assert.deepEqual(await Promise.all(Array.from({ length: 4 }, () => call(`localhost:${port}`, null, message))), [null, null, null, null]);
    assert.equal(await accepted(), 8 * 16);
    for (const one of [first, program]) {
      t.diagnostic(`peak memory ${residentMb(one).toFixed(0)} MB`);
      assert.equal(await one.stop(), 0);
    }
  });
}
