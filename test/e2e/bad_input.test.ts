/** Input that no program should send: each is answered properly, the process and the connections beside it live, and good data still comes through. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import test from 'node:test';
import { gzipSync } from 'node:zlib';
import { writeRequest } from '#src/store/testing/write_request.ts';
import { snappyEncode } from '#src/wire/snappy.ts';
import { call, frame, openSession, SERVICES } from '#test/grpc_client.ts';
import { NODE, ROOT, runToEnd } from '#test/run_collector.ts';
import { type Answer, http, query, Stage, until } from '#test/stage.ts';

const INVALID_ARGUMENT = 3,
  RESOURCE_EXHAUSTED = 8,
  UNIMPLEMENTED = 12,
  INTERNAL = 13;

const GAUGE = (name: string): string =>
  JSON.stringify({
    resourceMetrics: [{ scopeMetrics: [{ metrics: [{ name, gauge: { dataPoints: [{ timeUnixNano: `${Date.now()}000000`, asInt: '1' }] } }] }] }],
  });
/** ResourceMetrics that says it is longer than it is; a field of wire type 7; a varint without end. */
const BAD_PROTOBUF = [Buffer.from([0x0a, 0x7f, 1]), Buffer.from([0x0f]), Buffer.from([0x08, ...new Array<number>(12).fill(0xff)])];

async function startAll(stage: Stage) {
  const [grpc, httpPort, apiPort] = [await stage.port(), await stage.port(), await stage.port()];
  const program = await stage.penstock(`
extensions: {store: {directory: "${stage.folder}/data"}, store_api: {endpoint: "127.0.0.1:${apiPort}", max_request_body_size: 1048576}}
receivers:
  otlp:
    protocols:
      grpc: {endpoint: "127.0.0.1:${grpc}", max_recv_msg_size_mib: 1}
      http: {endpoint: "127.0.0.1:${httpPort}", max_request_body_size: 1048576}
exporters: {store: {}}
service: {telemetry: {metrics: {level: none}}, extensions: [store, store_api], pipelines: {metrics: {receivers: [otlp], exporters: [store]}}}`);
  return { program, grpc, otlp: `http://127.0.0.1:${httpPort}/v1/metrics`, base: `http://127.0.0.1:${apiPort}` };
}

test('bad OTLP over HTTP is answered with 400, 405, 413 and 415, and the next request is taken', async (t) => {
  const stage = new Stage(t),
    { program, otlp, base } = await startAll(stage);
  const send = (body: Uint8Array | string, headers: Record<string, string>): Promise<Answer> => http(otlp, { body, headers });
  const protobuf = { 'Content-Type': 'application/x-protobuf' },
    json = { 'Content-Type': 'application/json' };
  const check = async (want: number, what: string, answer: Promise<Answer>): Promise<void> => {
    const { status, body } = await answer;
    assert.equal(status, want, `${what}: ${body.toString()}`);
  };
  for (const bytes of BAD_PROTOBUF) await check(400, `protobuf ${bytes.toString('hex')}`, send(bytes, protobuf));
  for (const text of ['{', '[]', '{"resourceMetrics": 1}', '{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"gauge":{"dataPoints":[{"asInt":"x"}]}}]}]}]}'])
    await check(400, text, send(text, json));
  await check(400, 'nested too deep', send(`${'{"resourceMetrics":['.repeat(20_000)}`, json));
  const bytes = gzipSync(GAUGE('never'));
  await check(400, 'no gzip', send('hello', { ...json, 'Content-Encoding': 'gzip' }));
  await check(400, 'half a gzip', send(bytes.subarray(0, bytes.length / 2), { ...json, 'Content-Encoding': 'gzip' }));
  await check(415, 'a type that is none', send('x', { 'Content-Type': 'text/plain' }));
  await check(405, 'GET', http(otlp));
  await check(404, 'a path that is none', http(`${otlp}x`, { body: '{}', headers: json }));
  await check(413, 'too large', send(Buffer.alloc(2 << 20), protobuf));
  await check(413, 'too large when unpacked', send(gzipSync(Buffer.alloc(64 << 20)), { ...protobuf, 'Content-Encoding': 'gzip' }));
  await check(200, 'a good one', send(GAUGE('good'), json));
  assert.equal((await query(base, 'good'))[0]?.value?.[1], '1');
  assert.doesNotMatch(program.text(), /A defect/);
  assert.equal(await program.stop(), 0);
});

test('bad gRPC is answered with a status, wrong bytes with a closed connection, and a call beside them goes on', async (t) => {
  const stage = new Stage(t),
    { program, grpc } = await startAll(stage);
  const session = await openSession(grpc);
  t.after(() => session.destroy());
  const check = async (want: readonly number[], what: string, body: Uint8Array, path: string = SERVICES.metrics, headers = {}): Promise<void> => {
    const { code, message } = await call(session, path, body, headers);
    assert.ok(want.includes(code), `${what}: ${code} ${message}, want ${want}`);
  };
  for (const bytes of BAD_PROTOBUF) await check([INVALID_ARGUMENT], `protobuf ${bytes.toString('hex')}`, frame(bytes));
  await check([INTERNAL, INVALID_ARGUMENT], 'a frame shorter than it says', frame(Buffer.alloc(4), 0, 100));
  await check([INTERNAL, INVALID_ARGUMENT, UNIMPLEMENTED], 'compressed without a grpc-encoding', frame(Buffer.alloc(4), 1));
  await check([INTERNAL, INVALID_ARGUMENT], 'gzip that is none', frame(Buffer.from('hello'), 1), SERVICES.metrics, { 'grpc-encoding': 'gzip' });
  await check([UNIMPLEMENTED], 'an encoding that is none', frame(Buffer.from('hello'), 1), SERVICES.metrics, { 'grpc-encoding': 'best' });
  await check([UNIMPLEMENTED], 'a method that is none', frame(Buffer.alloc(0)), '/opentelemetry.proto.collector.metrics.v1.MetricsService/Import');
  await check([RESOURCE_EXHAUSTED], 'too large', frame(Buffer.alloc(2 << 20)));
  await check([RESOURCE_EXHAUSTED], 'too large when unpacked', frame(gzipSync(Buffer.alloc(64 << 20)), 1), SERVICES.metrics, { 'grpc-encoding': 'gzip' });
  for (const bytes of [
    'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff\xff\xff\xff\xff\xff\xff\xff\xff',
    '\x16\x03\x01\x02\x00\x01',
  ]) {
    await new Promise<void>((resolve) => {
      const socket = connect(grpc, '127.0.0.1', () => socket.write(bytes, 'latin1'));
      socket.on('error', () => {});
      socket.on('close', () => resolve());
      socket.resume();
      socket.setTimeout(2000, () => socket.destroy()); // A server may also wait for more.
    });
  }
  await check([0], 'a good one on the same connection', frame(Buffer.alloc(0)));
  assert.doesNotMatch(program.text(), /A defect/);
  assert.equal(await program.stop(), 0);
});

test('bad remote write and bad queries are answered with 400, 413 and 415', async (t) => {
  const stage = new Stage(t),
    { program, base } = await startAll(stage);
  const headers = { 'Content-Type': 'application/x-protobuf', 'Content-Encoding': 'snappy' };
  const check = async (want: number, what: string, body: Uint8Array): Promise<void> => {
    const answer = await http(`${base}/api/v1/write`, { headers, body });
    assert.equal(answer.status, want, `${what}: ${answer.body.toString()}`);
  };
  const good = snappyEncode(writeRequest([{ labels: ['__name__', 'good'], samples: [[Date.now(), 1]] }]));
  await check(400, 'no snappy', Buffer.from('hello'));
  await check(400, 'snappy that promises 4 GB', Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f, 0]));
  await check(400, 'half a snappy', good.subarray(0, good.length / 2));
  for (const bytes of BAD_PROTOBUF) await check(400, `protobuf ${bytes.toString('hex')}`, snappyEncode(bytes));
  await check(400, 'a label twice', snappyEncode(writeRequest([{ labels: ['__name__', 'a', 'b', '1', 'b', '2'], samples: [[Date.now(), 1]] }])));
  await check(413, 'too large', Buffer.alloc(2 << 20));
  for (const expression of ['sum(', 'rate(x)', 'x[5m', '{}', '(((('.repeat(5000)]) {
    const answer = await http(`${base}/api/v1/query?query=${encodeURIComponent(expression.slice(0, 8000))}`);
    assert.equal(answer.status, 400, expression.slice(0, 20));
    assert.equal(JSON.parse(answer.body.toString()).errorType, 'bad_data');
  }
  const read = await http(`${base}/api/v1/read`, { headers, body: 'hello' });
  assert.equal(read.status, 400);
  const written = await http(`${base}/api/v1/write`, { headers, body: good });
  assert.equal(Math.floor(written.status / 100), 2);
  assert.equal((await query(base, 'good'))[0]?.value?.[1], '1');
  assert.doesNotMatch(program.text(), /A defect/);
  assert.equal(await program.stop(), 0);
});

test('a broken exposition fails that scrape only: its up is 0, that of its neighbour 1', async (t) => {
  const stage = new Stage(t),
    apiPort = await stage.port();
  const bodies: Record<string, string> = { '/good': 'a 1\n', '/broken': 'a 1\nb{c="d" 2\n', '/error': '' };
  const target = createServer((request, response) => {
    response.writeHead(request.url === '/error' ? 500 : 200, { 'Content-Type': 'text/plain; version=0.0.4' }).end(bodies[request.url!]);
  });
  await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve));
  t.after(() => target.close());
  const job = (name: string): string =>
    `{job_name: ${name}, scrape_interval: 200ms, metrics_path: /${name}, static_configs: [{targets: ["127.0.0.1:${(target.address() as { port: number }).port}"]}]}`;
  const program = await stage.penstock(`
extensions: {store: {directory: "${stage.folder}/data"}, store_api: {endpoint: "127.0.0.1:${apiPort}"}}
receivers: {prometheus: {config: {scrape_configs: [${['good', 'broken', 'error'].map(job).join(', ')}]}}}
exporters: {store: {}}
service: {telemetry: {metrics: {level: none}}, extensions: [store, store_api], pipelines: {metrics: {receivers: [prometheus], exporters: [store]}}}`);
  const base = `http://127.0.0.1:${apiPort}`;
  const up = await until('up of three jobs', async () => {
    const series = await query(base, 'up');
    return series.length === 3 && Object.fromEntries(series.map(({ metric, value }) => [metric['job'], value![1]]));
  });
  assert.deepEqual(up, { good: '1', broken: '0', error: '0' });
  assert.deepEqual(
    (await query(base, 'a')).map(({ metric }) => metric['job']),
    ['good'],
    'nothing of a broken exposition is kept',
  );
  assert.equal(await program.stop(), 0);
});

test('ten faults of a configuration are reported together, each with its place', async (t) => {
  const stage = new Stage(t);
  const file = stage.file(
    'faulty.yaml',
    `receivers:
  otlp:
    protocols:
      grpc: {endpoint: localhost}
      htp: {}
  otpl: {}
  prometheus:
    config:
      scrape_configs:
        - job_name: a
          scrape_interval: soon
processors:
  batch:
    send_batch_size: many
    timout: 1s
  filter:
    error_mode: sometimes
exporters:
  otlp_grpc:
    tls: {insecure: perhaps}
  debug:
    verbosity: loud
service:
  pipelines:
    traces:
      receivers: [otlp]
      processors: [batch, resource]
      exporters: [debug]
    metrics:
      receivers: [nothing]
      exporters: [debug]
`,
  );
  const ended = await runToEnd(NODE, [`${ROOT}/src/main.ts`, 'validate', '--config', file]);
  assert.notEqual(ended.code, 0);
  const faults = [
    ['receivers::otlp::protocols::grpc::endpoint', 4],
    ['receivers::otlp::protocols', 5],
    ['receivers', 6],
    ['scrape_interval', 11],
    ['processors::batch::send_batch_size', 14],
    ['processors::batch', 15],
    ['processors::filter::error_mode', 17],
    ['exporters::otlp_grpc::tls::insecure', 20],
    ['exporters::debug::verbosity', 22],
    ['service::pipelines::traces::processors', 27],
    ['service::pipelines::metrics::receivers', 30],
  ] as const;
  const lines = `${ended.stdout}${ended.stderr}`.split('\n');
  for (const [path, line] of faults)
    assert.ok(
      lines.some((text) => text.includes(path) && text.includes(`faulty.yaml:${line}:`)),
      `${path} at line ${line} is missing in:\n${lines.join('\n')}`,
    );
});
