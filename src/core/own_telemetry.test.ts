import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { setFeatureGates, gateEnabled } from './feature_gates.ts';
import { DEFAULT_LOG_OPTIONS, LogSink } from './log.ts';
import { metricsText } from './metrics_text.ts';
import { MetricsServer } from './metrics_server.ts';
import { OwnTelemetry, ownResource } from './own_telemetry.ts';

const quiet = new LogSink({ ...DEFAULT_LOG_OPTIONS, outputPaths: [] });

test('metrics read as the Collector shows its own', () => {
  const own = new OwnTelemetry(quiet, { 'service.name': 'x"y' }),
    telemetry = own.component({});
  const attributes = { receiver: 'otlp', transport: 'grpc' };
  telemetry.counter('receiver_accepted_spans', '{span}', 'Number of spans.').add(2, attributes);
  telemetry.counter('receiver_accepted_spans', '{span}').add(3, { transport: 'grpc', receiver: 'otlp' });
  telemetry.counter('receiver_accepted_spans', '{span}').add(1);
  const histogram = telemetry.histogram('send_size', 'By', [1, 10]);
  for (const value of [1, 2, 10, 11]) histogram.record(value);
  const takeDown = telemetry.gauge('queue_size', '{batch}', () => 7, { exporter: 'a' }, 'In the queue.');
  telemetry.gauge('queue_size', '{batch}', () => Infinity, { exporter: 'b' });
  takeDown();
  telemetry.counter('unused', '{x}');
  assert.equal(
    metricsText(own.registry, own.resource, { typeSuffix: false, units: false }),
    `# HELP otelcol_queue_size In the queue.
# TYPE otelcol_queue_size gauge
otelcol_queue_size{exporter="b"} +Inf
# HELP otelcol_receiver_accepted_spans Number of spans.
# TYPE otelcol_receiver_accepted_spans counter
otelcol_receiver_accepted_spans{receiver="otlp",transport="grpc"} 5
otelcol_receiver_accepted_spans 1
# TYPE otelcol_send_size histogram
otelcol_send_size_bucket{le="1"} 1
otelcol_send_size_bucket{le="10"} 3
otelcol_send_size_bucket{le="+Inf"} 4
otelcol_send_size_sum 24
otelcol_send_size_count 4
# HELP target_info Target metadata
# TYPE target_info gauge
target_info{service_name="x\\"y"} 1
`,
  );
  const suffixed = metricsText(own.registry, {}, { typeSuffix: true, units: true });
  assert.match(suffixed, /^otelcol_receiver_accepted_spans_total 1$/m);
  assert.match(suffixed, /^otelcol_send_size_bytes_count 4$/m);
});

test('an instrument with too many sets of attributes counts the rest together', () => {
  const own = new OwnTelemetry(quiet, {}),
    counter = own.component({}).counter('hits', '{hit}');
  for (let i = 0; i < 5000; i++) counter.add(1, { path: `/${i}` });
  const lines = metricsText(own.registry, {}, { typeSuffix: false, units: false })
    .split('\n')
    .filter((line) => line.startsWith('otelcol_hits{'));
  assert.equal(lines.length, 2001);
  assert.equal(lines.at(-1), 'otelcol_hits{otel_metric_overflow="true"} 3000');
});

test('one name for two kinds of instruments is a mistake of ours', () => {
  const telemetry = new OwnTelemetry(quiet, {}).component({});
  telemetry.counter('twice', '1');
  assert.throws(() => telemetry.histogram('twice', '1', []), /"twice" is a counter already/);
});

test('the resource takes additions, changes and removals, in both forms', () => {
  const resource = ownResource(
    { 'service.name': 'renamed', 'service.instance.id': null, site: 's1', attributes: [{ name: 'zone', value: 3 }], schema_url: 'x' },
    '1.2.3',
  );
  assert.deepEqual(resource, { 'service.name': 'renamed', 'service.version': '1.2.3', site: 's1', zone: '3' });
});

test('the metrics are served at /metrics only, and a taken port is told', async () => {
  const own = new OwnTelemetry(quiet, {});
  own.observeProcess();
  const server = new MetricsServer(own, { typeSuffix: false, units: false });
  const port = await server.start('127.0.0.1', 0);
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics?x=1`)).text();
  for (const name of ['process_uptime', 'process_cpu_seconds', 'process_memory_rss', 'process_runtime_heap_alloc_bytes'])
    assert.match(text, new RegExp(`^otelcol_${name} [0-9.]+`, 'm'));
  assert.equal((await fetch(`http://127.0.0.1:${port}/`)).status, 404);
  await assert.rejects(new MetricsServer(own, { typeSuffix: false, units: false }).start('127.0.0.1', port), /EADDRINUSE: address already in use/);
  await server.stop();
});

test('log lines have their level, fields and form, and repeated ones are thinned out', () => {
  const folder = mkdtempSync(join(tmpdir(), 'log-'));
  try {
    const lines = (name: string) => readFileSync(join(folder, name), 'utf8').trimEnd().split('\n');
    const sink = new LogSink({ ...DEFAULT_LOG_OPTIONS, outputPaths: [join(folder, 'text')], fields: { site: 's1' } });
    const log = sink.child({ 'otelcol.component.id': 'otlp' });
    log.debug('hidden');
    log.warn('seen', { error: new Error('outer', { cause: new Error('inner') }), big: 1n });
    assert.deepEqual(
      lines('text').map((line) => line.slice(line.indexOf('\t') + 1)),
      ['warn\tseen\t{"site":"s1","otelcol.component.id":"otlp","error":"outer: inner","big":"1"}'],
    );
    const json = new LogSink({
      ...DEFAULT_LOG_OPTIONS,
      level: 'debug',
      encoding: 'json',
      outputPaths: [join(folder, 'json')],
      sampling: { tickMs: 1e6, initial: 2, thereafter: 10 },
    }).child({});
    for (let i = 1; i <= 30; i++) json.debug('again', { i });
    json.debug('other');
    const written = lines('json').map((line) => JSON.parse(line) as { msg: string; i?: number; level: string });
    assert.deepEqual(
      written.map((line) => line.i ?? line.msg),
      [1, 2, 12, 22, 'other'],
    );
    assert.equal(written[0]!.level, 'debug');
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('feature gates are those of the Collector', () => {
  assert.deepEqual(setFeatureGates('-logs.assignKeys,+transform.flatten.logs, nonsense'), ['nonsense']);
  assert.deepEqual([gateEnabled('logs.assignKeys'), gateEnabled('transform.flatten.logs'), gateEnabled('logs.jsonParserArray')], [false, true, true]);
});
