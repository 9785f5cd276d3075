/**
 * The OTLP receiver and exporter among the gRPC libraries that others are built on: JS (@grpc/grpc-js), Python (grpcio), Java (grpc-java), each under its
 * OpenTelemetry SDK, and Go (the real Collector, where it lies in the cache folder; building it takes too long for a test). Each way, plain, TLS and with
 * certificates on both sides, with gzip and without.
 */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { gzipSync } from 'node:zlib';
import { credentials, Server, ServerCredentials } from '@grpc/grpc-js';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-grpc';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { call, frame, openSession, SERVICES } from '#test/grpc_client.ts';
import { ROOT } from '#test/run_collector.ts';
import { Stage, until } from '#test/stage.ts';
import { traceRequest } from './net_messages.ts';
import { CACHE, type Certificates, clientTlsYaml, javaClassPath, makeCertificates, python, SECURITIES, type Security, serverTlsYaml } from './net_peers.ts';

const OTELCOL = join(CACHE, 'bin/otelcol');
const COMPRESSIONS = ['gzip', 'none'] as const;
type Compression = (typeof COMPRESSIONS)[number];
const SPANS = 40;
/** Bytes of an attribute: a request of 40 spans is some 100 KB, several frames and more than the first window of 64 KB. */
const PAYLOAD = 2500;

type Send = (port: number, security: Security, compression: Compression) => Promise<void>;

const scriptPath = (name: string): string => join(ROOT, 'test/peers', name);
interface Program {
  readonly command: string;
  readonly args: readonly string[];
}
const pythonPeer = (): Program => ({ command: python(), args: [scriptPath('net_python.py')] });
const javaPeer = (): Program => ({ command: 'java', args: ['-cp', javaClassPath(), scriptPath('net_java/NetPeer.java')] });

function sendFromProgram(stage: Stage, peer: Program): Send {
  return async (port, security, compression) => {
    const args = [...peer.args, 'client', String(port), security, compression, String(SPANS), String(PAYLOAD)];
    const program = stage.start(peer.command, args, { CERTIFICATES: stage.folder });
    await until('the end of the client', () => program.child.exitCode !== null, { ms: 60_000 });
    assert.equal(program.child.exitCode, 0, program.text());
  };
}

function sendFromJs(files: Certificates): Send {
  return async (port, security, compression) => {
    const own = security === 'mtls' ? [readFileSync(files.clientKey), readFileSync(files.clientCert)] : [];
    const exporter = new OTLPTraceExporter({
      url: `${security === 'plain' ? 'http' : 'https'}://localhost:${port}`,
      credentials: security === 'plain' ? credentials.createInsecure() : credentials.createSsl(readFileSync(files.ca), own[0], own[1]),
      compression: compression as never, // The enum is not exported by the exporter's own package.
    });
    const processor = new BatchSpanProcessor({ exporter, maxExportBatchSize: SPANS, maxQueueSize: SPANS });
    const tracers = new TracerProvider({ resource: resourceFromAttributes({ 'service.name': `js ${security} ${compression}` }), spanProcessors: [processor] });
    for (let i = 0; i < SPANS; i++)
      tracers
        .getTracer('peer')
        .startSpan(`span ${i}`, { attributes: { payload: 'x'.repeat(PAYLOAD) } })
        .end();
    await tracers.forceFlush();
    await tracers.shutdown();
  };
}

/** Spans in the lines of a file exporter, by service.name; a line that is being written is left out. */
function spansByService(file: string): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  interface Line {
    readonly resourceSpans: readonly {
      readonly resource: { readonly attributes: readonly { readonly key: string; readonly value: { readonly stringValue: string } }[] };
      readonly scopeSpans: readonly { readonly spans: readonly { readonly spanId: string }[] }[];
    }[];
  }
  for (const line of readFileSync(file, 'utf8').split('\n').slice(0, -1)) {
    for (const { resource, scopeSpans } of (JSON.parse(line) as Line).resourceSpans) {
      const service = resource.attributes.find(({ key }) => key === 'service.name')!.value.stringValue;
      const ids = found.get(service) ?? new Set();
      for (const { spans } of scopeSpans) for (const { spanId } of spans) ids.add(spanId);
      found.set(service, ids);
    }
  }
  return found;
}

async function receivers(stage: Stage, files: Certificates): Promise<{ ports: Record<Security, number>; yaml: string }> {
  const ports = { plain: await stage.port(), tls: await stage.port(), mtls: await stage.port() };
  const yaml = SECURITIES.map(
    (security) => `  otlp/${security}: {protocols: {grpc: {endpoint: "127.0.0.1:${ports[security]}"${serverTlsYaml(security, files)}}}}`,
  ).join('\n');
  return { ports, yaml };
}
function exporters(ports: Record<Security, number>, files: Certificates): { names: string[]; yaml: string } {
  const all = SECURITIES.flatMap((security) => COMPRESSIONS.map((compression) => [security, compression] as const));
  const names = all.map(([security, compression]) => `otlp_grpc/${security}_${compression}`);
  const yaml = all.map(
    ([security, compression], i) =>
      `  ${names[i]}: {endpoint: "localhost:${ports[security]}", compression: ${compression}${clientTlsYaml(security, files)}, sending_queue: {enabled: false}}`,
  );
  return { names, yaml: yaml.join('\n') };
}

for (const [language, sender] of [
  ['JS', (_: Stage, files: Certificates): Send => sendFromJs(files)],
  ['Python', (stage: Stage): Send => sendFromProgram(stage, pythonPeer())],
  ['Java', (stage: Stage): Send => sendFromProgram(stage, javaPeer())],
] as const) {
  test(`the gRPC exporter of the ${language} SDK is understood plain, with TLS and mutual TLS, with gzip and without`, async (t) => {
    const stage = new Stage(t);
    const files = makeCertificates(stage.folder);
    const { ports, yaml } = await receivers(stage, files);
    const out = join(stage.folder, 'spans.json');
    const collector = await stage.penstock(`
receivers:
${yaml}
exporters: {file: {path: "${out}", flush_interval: 50ms}}
service:
  telemetry: {metrics: {level: none}}
  pipelines: {traces: {receivers: [otlp/plain, otlp/tls, otlp/mtls], exporters: [file]}}`);
    const send = sender(stage, files);
    for (const security of SECURITIES) for (const compression of COMPRESSIONS) await send(ports[security], security, compression);
    assert.equal(await collector.stop(), 0);
    const want = SECURITIES.flatMap((security) => COMPRESSIONS.map((compression) => [`${language.toLowerCase()} ${security} ${compression}`, SPANS]));
    assert.deepEqual(Object.fromEntries([...spansByService(out)].map(([service, ids]) => [service, ids.size])), Object.fromEntries(want));
  });
}

/** Starts a server for each way to secure it; `calls` grows by "SECURITY ENCODING SIZE SHA256 TIMEOUT" with each call. */
type Serve = (stage: Stage, files: Certificates) => Promise<{ ports: Record<Security, number>; calls(): string[]; stop(): Promise<unknown> }>;

function serveByProgram(peer: () => Program): Serve {
  return async (stage) => {
    const { command, args } = peer();
    const program = stage.start(command, [...args, 'server', ...SECURITIES], { CERTIFICATES: stage.folder });
    const port = (security: Security): number | undefined => {
      const found = new RegExp(`^${security} (\\d+)$`, 'm').exec(program.text());
      return found === null ? undefined : Number(found[1]);
    };
    await until('the ports of the server', () => SECURITIES.every((security) => port(security) !== undefined), { program, ms: 60_000 });
    return {
      ports: { plain: port('plain')!, tls: port('tls')!, mtls: port('mtls')! },
      calls: () => program.text().match(/^\S+ \S+ \d+ \S{64} \S+$/gm) ?? [],
      stop: () => program.stop('SIGKILL'),
    };
  };
}

const serveByJs: Serve = async (_, files) => {
  const calls: string[] = [];
  const servers: Server[] = [];
  const asIs = (bytes: Buffer): Buffer => bytes;
  const ports = { plain: 0, tls: 0, mtls: 0 };
  for (const security of SECURITIES) {
    const server = new Server({ 'grpc.max_receive_message_length': 64 << 20 });
    const path = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';
    const codec = { requestSerialize: asIs, requestDeserialize: asIs, responseSerialize: asIs, responseDeserialize: asIs };
    server.addService(
      { Export: { path, requestStream: false, responseStream: false, ...codec } },
      {
        Export: (call: { request: Buffer; metadata: { get(key: string): unknown[] } }, done: (error: null, answer: Buffer) => void) => {
          const { request, metadata } = call;
          const timeout = metadata.get('grpc-timeout').length > 0 ? 'some' : 'none';
          const encoding = String(metadata.get('grpc-encoding')[0] ?? '?');
          calls.push(`${security} ${encoding} ${request.length} ${createHash('sha256').update(request).digest('hex')} ${timeout}`);
          done(null, Buffer.alloc(0));
        },
      },
    );
    const pair = [{ private_key: readFileSync(files.serverKey), cert_chain: readFileSync(files.serverCert) }];
    const secure = security === 'plain' ? ServerCredentials.createInsecure() : ServerCredentials.createSsl(readFileSync(files.ca), pair, security === 'mtls');
    ports[security] = await new Promise<number>((done, fail) =>
      server.bindAsync('127.0.0.1:0', secure, (error, port) => (error === null ? done(port) : fail(error))),
    );
    servers.push(server);
  }
  return {
    ports,
    calls: () => calls,
    stop: async () => {
      for (const server of servers) server.forceShutdown();
    },
  };
};

for (const [language, serve] of [
  ['JS', serveByJs],
  ['Python', serveByProgram(pythonPeer)],
  ['Java', serveByProgram(javaPeer)],
] as const) {
  test(`a gRPC server in ${language} understands the exporter plain, with TLS and mutual TLS, with gzip and without`, async (t) => {
    const stage = new Stage(t);
    const files = makeCertificates(stage.folder);
    const server = await serve(stage, files);
    t.after(() => server.stop());
    const port = await stage.port();
    const { names, yaml } = exporters(server.ports, files);
    const collector = await stage.penstock(`
receivers: {otlp: {protocols: {grpc: {endpoint: "127.0.0.1:${port}"}}}}
exporters:
${yaml}
service:
  telemetry: {metrics: {level: none}}
  pipelines: {traces: {receivers: [otlp], exporters: [${names.join(', ')}]}}`);
    await sendFromJs(files)(port, 'plain', 'gzip');
    await until('six calls', () => server.calls().length >= 6, { program: collector });
    const calls = server.calls().map((line) => line.split(' '));
    assert.equal(new Set(calls.map(([, , size, hash]) => `${size} ${hash}`)).size, 1, 'each call has the same message');
    assert.ok(Number(calls[0]![2]) > SPANS * PAYLOAD);
    // A library may keep the header of the encoding to itself; then it is "?".
    const seen = calls.map(([security, encoding]) => `${security} ${encoding === 'gzip' ? 'gzip' : 'none'}`).sort();
    const hidden = calls.every(([, encoding]) => encoding === '?');
    if (!hidden) assert.deepEqual(seen, SECURITIES.flatMap((security) => COMPRESSIONS.map((compression) => `${security} ${compression}`)).sort());
    assert.deepEqual(
      SECURITIES.map((security) => calls.filter((call) => call[0] === security).length),
      [2, 2, 2],
    );
    assert.equal(await collector.stop(), 0);
  });
}

// One member is one member to every library; grpc's C core is the one that takes no more.
for (const [language, serve] of [
  ['JS', serveByJs],
  ['Python', serveByProgram(pythonPeer)],
] as const) {
  test(`a gRPC server in ${language} understands gzip bodies that were put together without compressing them again`, async (t) => {
    const stage = new Stage(t);
    const server = await serve(stage, makeCertificates(stage.folder));
    t.after(() => server.stop());
    const port = await stage.port();
    const collector = await stage.penstock(`
receivers: {otlp: {protocols: {grpc: {endpoint: "127.0.0.1:${port}"}}}}
processors: {batch: {timeout: 60s, send_batch_size: 30}}
exporters: {otlp_grpc: {endpoint: "localhost:${server.ports.plain}", tls: {insecure: true}}}
service:
  telemetry: {metrics: {level: none}}
  pipelines: {traces: {receivers: [otlp], processors: [batch], exporters: [otlp_grpc]}}`);
    // Each is some 4 KB compressed: small ones would be compressed anew.
    const requests = [1, 2, 3].map((i) => traceRequest(`${language} ${randomBytes(3000).toString('hex')}`, 10, 10, i * 100));
    const session = await openSession(port);
    for (const [i, request] of requests.entries()) {
      const answer = await call(session, SERVICES.traces, frame(gzipSync(request, { level: [9, 1, 6][i]! }), 1), { 'grpc-encoding': 'gzip' });
      assert.equal(answer.code, 0, answer.message);
    }
    session.close();
    await until('the call', () => server.calls().length === 1, { program: collector });
    const whole = Buffer.concat(requests);
    assert.deepEqual(server.calls()[0]!.split(' ').slice(2, 4), [String(whole.length), createHash('sha256').update(whole).digest('hex')]);
    assert.equal(await collector.stop(), 0);
  });
}

test('the real Collector takes what we send and we take what it sends, each way secured and compressed', {
  skip: existsSync(OTELCOL) ? false : `${OTELCOL} is not there`,
}, async (t) => {
  const stage = new Stage(t);
  const files = makeCertificates(stage.folder);
  const last = await receivers(stage, files);
  const out = join(stage.folder, 'spans.json');
  const end = await stage.penstock(
    `
receivers:
${last.yaml}
exporters: {file: {path: "${out}", flush_interval: 50ms}}
service:
  telemetry: {metrics: {level: none}}
  pipelines: {traces: {receivers: [otlp/plain, otlp/tls, otlp/mtls], exporters: [file]}}`,
    { name: 'end.yaml' },
  );
  const middle = await receivers(stage, files);
  const toEnd = exporters(last.ports, files);
  const config = `
receivers:
${middle.yaml}
exporters:
${toEnd.yaml}
service:
  telemetry: {metrics: {level: none}}
  pipelines: {traces: {receivers: [otlp/plain, otlp/tls, otlp/mtls], exporters: [${toEnd.names.join(', ')}]}}`;
  const otelcol = stage.start(OTELCOL, ['--config', stage.file('otelcol.yaml', config)]);
  await until('the Collector', () => otelcol.text().includes('Everything is ready.'), { program: otelcol });
  const port = await stage.port();
  const toMiddle = exporters(middle.ports, files);
  const start = await stage.penstock(
    `
receivers: {otlp: {protocols: {grpc: {endpoint: "127.0.0.1:${port}"}}}}
exporters:
${toMiddle.yaml}
service:
  telemetry: {metrics: {level: none}}
  pipelines: {traces: {receivers: [otlp], exporters: [${toMiddle.names.join(', ')}]}}`,
    { name: 'start.yaml' },
  );
  await sendFromJs(files)(port, 'plain', 'gzip');
  // Six ways to the Collector, and six from there: each span 36 times.
  await until('all spans', () => readFileSync(out, 'utf8').split('"spanId"').length - 1 >= SPANS * 36);
  for (const program of [start, otelcol, end]) assert.equal(await program.stop(), 0);
  assert.equal(readFileSync(out, 'utf8').split('"spanId"').length - 1, SPANS * 36);
  assert.equal(spansByService(out).get('js plain gzip')!.size, SPANS);
});
