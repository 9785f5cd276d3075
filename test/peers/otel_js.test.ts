/**
 * The exporters of the OpenTelemetry JS SDK into the otlp receiver, as an instrumented program has them: metrics come out of the store by PromQL, spans and
 * log records come out of the file exporter as OTLP JSON, the same by each protocol.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { OTLPLogExporter as LogsGrpc } from '@opentelemetry/exporter-logs-otlp-grpc';
import { OTLPLogExporter as LogsJson } from '@opentelemetry/exporter-logs-otlp-http';
import { OTLPLogExporter as LogsProto } from '@opentelemetry/exporter-logs-otlp-proto';
import { OTLPMetricExporter as MetricsGrpc } from '@opentelemetry/exporter-metrics-otlp-grpc';
import { OTLPMetricExporter as MetricsJson } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPMetricExporter as MetricsProto } from '@opentelemetry/exporter-metrics-otlp-proto';
import { OTLPTraceExporter as TracesGrpc } from '@opentelemetry/exporter-trace-otlp-grpc';
import { OTLPTraceExporter as TracesJson } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as TracesProto } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { LoggerProvider, SimpleLogRecordProcessor } from '@opentelemetry/sdk-logs';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { query, Stage, until } from '#test/stage.ts';

const SPANS = 25;
const PROTOCOLS = {
  grpc: { Traces: TracesGrpc, Metrics: MetricsGrpc, Logs: LogsGrpc },
  'HTTP with protobuf': { Traces: TracesProto, Metrics: MetricsProto, Logs: LogsProto },
  'HTTP with JSON': { Traces: TracesJson, Metrics: MetricsJson, Logs: LogsJson },
} as const;

interface Attributes {
  readonly attributes: readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[];
}
interface Span extends Attributes {
  readonly traceId: string;
  readonly name: string;
  readonly events: readonly Attributes[];
}
interface LogRecord extends Attributes {
  readonly body: { readonly stringValue: string };
  readonly severityNumber: number;
}

for (const [protocol, { Traces, Metrics, Logs }] of Object.entries(PROTOCOLS)) {
  test(`the SDK's exporters over ${protocol} are understood for all signals`, async (t) => {
    const stage = new Stage(t);
    const [grpc, http, endpoint] = [await stage.port(), await stage.port(), `127.0.0.1:${await stage.port()}`];
    const [traceFile, logFile] = [join(stage.folder, 'traces.json'), join(stage.folder, 'logs.json')];
    const program = await stage.penstock(`
extensions: {store: {directory: "${stage.folder}/data"}, store_api: {endpoint: "${endpoint}"}}
receivers: {otlp: {protocols: {grpc: {endpoint: "127.0.0.1:${grpc}"}, http: {endpoint: "127.0.0.1:${http}"}}}}
exporters: {store: {}, file/traces: {path: "${traceFile}"}, file/logs: {path: "${logFile}"}}
service:
  telemetry: {metrics: {level: none}}
  extensions: [store, store_api]
  pipelines:
    metrics: {receivers: [otlp], exporters: [store]}
    traces: {receivers: [otlp], exporters: [file/traces]}
    logs: {receivers: [otlp], exporters: [file/logs]}`);
    const options = (path: string) => ({ url: protocol === 'grpc' ? `http://127.0.0.1:${grpc}` : `http://127.0.0.1:${http}/v1/${path}` });
    const resource = resourceFromAttributes({ 'service.name': 'shop', 'service.instance.id': 'shop-1', 'deployment.environment.name': 'test' });

    const meters = new MeterProvider({
      resource,
      readers: [new PeriodicExportingMetricReader({ exporter: new Metrics(options('metrics')), exportIntervalMillis: 3_600_000 })],
    });
    const meter = meters.getMeter('checkout', '1.2.3');
    meter.createCounter('orders', { unit: '{order}', description: 'Orders taken.' }).add(7, { kind: 'book', é: 'ü' });
    const durations = meter.createHistogram('order.duration', { unit: 's', advice: { explicitBucketBoundaries: [0.1, 1, 10] } });
    for (const seconds of [0.05, 0.5, 0.5, 5, 50]) durations.record(seconds);
    meter.createObservableGauge('stock').addCallback((result) => result.observe(-2.5, { warehouse: 'north' }));
    await meters.forceFlush();
    await meters.shutdown();

    const tracers = new TracerProvider({ resource, spanProcessors: [new SimpleSpanProcessor({ exporter: new Traces(options('traces')) })] });
    const tracer = tracers.getTracer('checkout');
    const traceIds: string[] = [];
    for (let i = 0; i < SPANS; i++) {
      const span = tracer.startSpan(`order ${i}`, { attributes: { 'order.id': i, vip: i % 2 === 0, tags: ['a', 'b'] } });
      span.addEvent('paid', { amount: 12.5 });
      span.end();
      traceIds.push(span.spanContext().traceId);
    }
    await tracers.forceFlush();
    await tracers.shutdown();

    const loggers = new LoggerProvider({ resource, processors: [new SimpleLogRecordProcessor({ exporter: new Logs(options('logs')) })] });
    loggers.getLogger('checkout').emit({ body: 'order 0 paid', severityNumber: 9, severityText: 'INFO', attributes: { 'order.id': 0 } });
    await loggers.forceFlush();
    await loggers.shutdown();

    const base = `http://${endpoint}`;
    const orders = await until('the counter', async () => (await query(base, 'orders_total'))[0]);
    const scope = { job: 'shop', instance: 'shop-1', otel_scope_name: 'checkout', otel_scope_version: '1.2.3' };
    const { otel_scope_schema_url: _url, ...labels } = orders.metric;
    assert.deepEqual(labels, { __name__: 'orders_total', kind: 'book', key_: 'ü', ...scope });
    assert.equal(orders.value![1], '7');
    assert.equal((await query(base, 'stock{warehouse="north"}'))[0]!.value![1], '-2.5');
    assert.equal((await query(base, 'order_duration_seconds_count'))[0]!.value![1], '5');
    const buckets = await query(base, 'order_duration_seconds_bucket');
    assert.deepEqual(Object.fromEntries(buckets.map(({ metric, value }) => [metric['le'], value![1]])), { '0.1': '1', '1': '3', '10': '4', '+Inf': '5' });
    assert.equal((await query(base, 'target_info'))[0]!.metric['deployment_environment_name'], 'test');

    assert.equal(await program.stop(), 0);
    const spans = lines(traceFile).flatMap((line) => line.resourceSpans!.flatMap((group) => group.scopeSpans.flatMap((scoped) => scoped.spans)));
    assert.deepEqual(spans.map((span) => span.traceId).sort(), traceIds.sort());
    const span = spans.find(({ name }) => name === 'order 3')!;
    assert.deepEqual(span.attributes, [
      { key: 'order.id', value: { intValue: '3' } },
      { key: 'vip', value: { boolValue: false } },
      { key: 'tags', value: { arrayValue: { values: [{ stringValue: 'a' }, { stringValue: 'b' }] } } },
    ]);
    assert.deepEqual(span.events[0]!.attributes, [{ key: 'amount', value: { doubleValue: 12.5 } }]);
    const records = lines(logFile).flatMap((line) => line.resourceLogs!.flatMap((group) => group.scopeLogs.flatMap((scoped) => scoped.logRecords)));
    assert.deepEqual(
      records.map(({ body, severityNumber, attributes }) => ({ body, severityNumber, attributes })),
      [{ body: { stringValue: 'order 0 paid' }, severityNumber: 9, attributes: [{ key: 'order.id', value: { intValue: '0' } }] }],
    );
  });
}

interface Line {
  readonly resourceSpans?: readonly { readonly scopeSpans: readonly { readonly spans: readonly Span[] }[] }[];
  readonly resourceLogs?: readonly { readonly scopeLogs: readonly { readonly logRecords: readonly LogRecord[] }[] }[];
}
function lines(file: string): Line[] {
  return readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
}
