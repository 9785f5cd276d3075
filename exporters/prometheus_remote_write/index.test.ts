import assert from 'node:assert/strict';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import { Batch } from '#src/core/batch.ts';
import type { ExporterDefinition } from '#src/core/component.ts';
import { PermanentError, RetryableError } from '#src/core/errors.ts';
import { testContext } from '#src/core/testing/context.ts';
import { parseOtlpJson } from '#src/data/json_read.ts';
import { snappyDecode } from '#src/wire/snappy.ts';
import { configSchema } from './config.ts';
import definition from './index.ts';

const requests: { headers: IncomingHttpHeaders; names: string[] }[] = [];
/** Which status the request with these metric names gets. */
let statusOf = (_names: string[]): number => 204;
const server = createServer((incoming, outgoing) => {
  const chunks: Buffer[] = [];
  incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
  incoming.on('end', () => {
    const names = namesOf(snappyDecode(Buffer.concat(chunks), 1 << 20));
    requests.push({ headers: incoming.headers, names });
    outgoing.writeHead(statusOf(names), { 'retry-after': '3' }).end('what is wrong');
  });
});
await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v1/write`;
after(() => server.close());

/** The values of all labels __name__ in a request of version 1. */
function namesOf(body: Buffer): string[] {
  const names: string[] = [],
    text = body.toString('latin1');
  for (const match of text.matchAll(/\x0a\x08__name__\x12([\s\S])/g)) names.push(text.substr(match.index + match[0].length, match[1]!.charCodeAt(0)));
  return names;
}

const gauges = (...names: string[]): Batch => {
  const metrics = names.map((name) => ({ name, gauge: { dataPoints: [{ timeUnixNano: '1700000000000000000', asDouble: 1 }] } }));
  return new Batch('metrics', [parseOtlpJson('metrics', JSON.stringify({ resourceMetrics: [{ scopeMetrics: [{ metrics }] }] }))], names.length);
};

function start(config: object = {}) {
  const parsed = configSchema.parse({ endpoint, remote_write_queue: { enabled: false }, retry_on_failure: { enabled: false }, ...config });
  const context = testContext(parsed, { id: 'prometheus_remote_write' });
  const exporter = (definition as ExporterDefinition<typeof configSchema>).create({ ...context, signals: ['metrics'] });
  requests.length = 0;
  return { exporter, context };
}
async function withExporter(
  config: object,
  work: (exporter: ReturnType<typeof start>['exporter'], context: ReturnType<typeof start>['context']) => Promise<void>,
): Promise<void> {
  const { exporter, context } = start(config);
  await exporter.start?.();
  try {
    await work(exporter, context);
  } finally {
    await exporter.shutdown?.();
  }
}

test('a batch is one request with the headers of remote write 1.0', () =>
  withExporter({ headers: { 'X-Scope-OrgID': 'team' } }, async (exporter, { telemetry }) => {
    statusOf = () => 204;
    await exporter.consume(gauges('a', 'b'));
    const { headers, names } = requests[0]!;
    assert.deepEqual(names, ['a', 'b']);
    assert.deepEqual(
      [headers['content-type'], headers['content-encoding'], headers['x-prometheus-remote-write-version'], headers['x-scope-orgid']],
      ['application/x-protobuf', 'snappy', '0.1.0', 'team'],
    );
    assert.equal(telemetry.counts.get('exporter_prometheusremotewrite_translated_time_series'), 2);
    assert.equal(telemetry.counts.get('exporter_sent_metric_points'), 2);
  }));

test('only those requests of a batch are sent again that were not taken', () =>
  withExporter({ max_batch_size_bytes: 60, max_batch_request_parallelism: 1 }, async (exporter) => {
    statusOf = (names) => (names.includes('b') ? 503 : 204);
    const batch = gauges('a', 'b', 'c');
    await assert.rejects(exporter.consume(batch), (error) => error instanceof RetryableError && error.retryAfterMs === 3000);
    statusOf = () => 204;
    await exporter.consume(batch);
    assert.deepEqual(
      requests.map(({ names }) => names.join()),
      ['a', 'b', 'c', 'b'],
    );
  }));

test('busy servers are asked again, other answers of 4xx are final', () =>
  withExporter({}, async (exporter) => {
    statusOf = () => 429;
    await assert.rejects(exporter.consume(gauges('a')), RetryableError);
    statusOf = () => 400;
    await assert.rejects(exporter.consume(gauges('a')), (error) => error instanceof PermanentError && /status 400: what is wrong/.test(error.message));
  }));

test('a server that cannot be reached is asked again', () =>
  withExporter({ endpoint: 'http://127.0.0.1:1/' }, async (exporter) => {
    await assert.rejects(exporter.consume(gauges('a')), RetryableError);
  }));

test('a batch of which nothing can be translated sends nothing and is counted', () =>
  withExporter({}, async (exporter, { telemetry }) => {
    await exporter.consume(gauges('...'));
    assert.equal(requests.length, 0);
    assert.equal(telemetry.counts.get('exporter_prometheusremotewrite_failed_translations'), 1);
  }));

test('what is not supported or makes no sense is refused', () => {
  const fault = (value: object): string => configSchema.safeParse({ endpoint, ...value }).error?.issues[0]?.message ?? '';
  assert.match(fault({ wal: { directory: '/tmp' } }), /wal is not supported yet/);
  assert.match(fault({ compression: 'gzip' }), /compression type must be snappy/);
  assert.match(fault({ endpoint: 'localhost' }), /invalid endpoint/);
  assert.match(fault({ remote_write_queue: { queue_size: 0 } }), /a 0 size queue will drop all the data/);
  assert.match(fault({ translation_strategy: 'NoTranslation' }), /requires Prometheus Remote Write 2.0/);
  assert.equal(configSchema.parse({ endpoint }).retry_on_failure.initial_interval, 50);
});
