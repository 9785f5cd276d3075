/** Names, labels and text are held against recorded cases (test/conformance/prometheus/scrape_endpoint.json); here is what depends on time and on the request. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { request } from 'node:http';
import { Batch } from '#src/core/batch.ts';
import type { ExporterDefinition } from '#src/core/component.ts';
import { testContext } from '#src/core/testing/context.ts';
import { ManualClock } from '#src/core/testing/manual_clock.ts';
import { closedPort } from '#src/core/testing/ports.ts';
import { parseOtlpJson } from '#src/data/json_read.ts';
import { configSchema } from './config.ts';
import { negotiate } from './exposition.ts';
import definition from './index.ts';

const attribute = (key: string, stringValue: string) => ({ key, value: { stringValue } });
const batchOf = (...metrics: object[]): Batch =>
  new Batch('metrics', [parseOtlpJson('metrics', JSON.stringify({ resourceMetrics: [{ scopeMetrics: [{ metrics }] }] }))], metrics.length);
const gauge = (name: string, point: object = {}) => ({ name, gauge: { dataPoints: [{ timeUnixNano: '1700000000123456789', asDouble: 1, ...point }] } });

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}
async function withExporter(
  config: object,
  work: (
    consume: (batch: Batch) => Promise<void>,
    scrape: (headers?: Record<string, string>, path?: string) => Promise<Answer>,
    clock: ManualClock,
  ) => Promise<void>,
): Promise<void> {
  const port = await closedPort(),
    clock = new ManualClock();
  const parsed = configSchema.parse({ endpoint: `127.0.0.1:${port}`, without_scope_info: true, ...config });
  const exporter = (definition as ExporterDefinition<typeof configSchema>).create({
    ...testContext(parsed, { id: 'prometheus', clock }),
    signals: ['metrics'],
  });
  const scrape = (headers: Record<string, string> = {}, path = '/metrics'): Promise<Answer> =>
    new Promise((resolve, reject) => {
      request({ host: '127.0.0.1', port, path, headers, agent: false }, (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('end', () => {
          const body = Buffer.concat(chunks),
            packed = incoming.headers['content-encoding'] === 'gzip';
          resolve({ status: incoming.statusCode ?? 0, type: incoming.headers['content-type'] ?? '', text: (packed ? gunzipSync(body) : body).toString() });
        });
      })
        .on('error', reject)
        .end();
    });
  await exporter.start?.();
  try {
    await work((batch) => exporter.consume(batch), scrape, clock);
  } finally {
    await exporter.shutdown?.();
  }
}
const samples = ({ text }: Answer): string[] => text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));

test('a series is shown until it expires, with or without somebody who scrapes', () =>
  withExporter({ metric_expiration: '1m' }, async (consume, scrape, clock) => {
    await consume(batchOf(gauge('a'), gauge('b')));
    await clock.advance(40_000);
    await consume(batchOf(gauge('b', { asDouble: 2 })));
    assert.deepEqual(samples(await scrape()), ['a 1', 'b 2']);
    await clock.advance(30_000);
    assert.deepEqual(samples(await scrape()), ['b 2']);
    await clock.advance(120_000);
    await consume(batchOf(gauge('a', { asDouble: 3 })));
    assert.deepEqual(samples(await scrape()), ['a 3']);
  }));

test('a series that a stale point took away comes back with its next value', () =>
  withExporter({}, async (consume, scrape) => {
    const series = (point: object) => batchOf(gauge('a', { attributes: [attribute('k', 'v')], ...point }));
    await consume(series({}));
    await consume(series({ flags: 1 }));
    assert.deepEqual(samples(await scrape()), []);
    await consume(series({ asDouble: 5 }));
    await consume(series({ asDouble: 6 }));
    assert.deepEqual(samples(await scrape()), ['a{k="v"} 6']);
  }));

test('attributes in another order are the same series', () =>
  withExporter({}, async (consume, scrape) => {
    await consume(batchOf(gauge('a', { attributes: [attribute('x', '1'), attribute('y', '2')] })));
    await consume(batchOf(gauge('a', { attributes: [attribute('y', '2'), attribute('x', '1')], asDouble: 4 })));
    assert.deepEqual(samples(await scrape()), ['a{x="1",y="2"} 4']);
  }));

test('OpenMetrics comes with exemplars, only where it is allowed and asked for', async () => {
  const counter = {
    name: 'c',
    sum: {
      aggregationTemporality: 2,
      isMonotonic: true,
      dataPoints: [
        {
          timeUnixNano: '1700000000000000000',
          asInt: '3',
          exemplars: [{ timeUnixNano: '1700000000500000000', asDouble: 0.5, traceId: '0af7651916cd43dd8448eb211c80319c' }],
        },
      ],
    },
  };
  const accept = { accept: 'application/openmetrics-text;version=1.0.0,text/plain;q=0.5' };
  await withExporter({ enable_open_metrics: true }, async (consume, scrape) => {
    await consume(batchOf(counter));
    const { type, text } = await scrape(accept);
    assert.equal(type, 'application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores');
    assert.equal(text, '# HELP c \n# TYPE c counter\nc_total 3.0 # {trace_id="0af7651916cd43dd8448eb211c80319c"} 0.5 1.7000000005e+09\n# EOF\n');
  });
  await withExporter({}, async (consume, scrape) => {
    await consume(batchOf(counter));
    assert.equal((await scrape(accept)).text, '# HELP c_total \n# TYPE c_total counter\nc_total 3\n');
  });
});

test('names in UTF-8 are quoted for those who understand it and escaped for others', () =>
  withExporter({ translation_strategy: 'NoTranslation' }, async (consume, scrape) => {
    await consume(batchOf(gauge('größe.x', { attributes: [attribute('a.b', 'v')] })));
    assert.deepEqual(samples(await scrape({ accept: 'text/plain;escaping=allow-utf-8' })), ['{"größe.x","a.b"="v"} 1']);
    assert.deepEqual(samples(await scrape()), ['gr__e_x{a_b="v"} 1']);
  }));

test('a large answer is compressed for those who take gzip; other paths are not there', () =>
  withExporter({}, async (consume, scrape) => {
    await consume(batchOf(...Array.from({ length: 100 }, (_, i) => gauge(`metric_${i}`))));
    const plain = await scrape();
    assert.equal(samples(plain).length, 100);
    assert.equal((await scrape({ 'accept-encoding': 'gzip' })).text, plain.text);
    assert.equal((await scrape({}, '/other')).status, 404);
  }));

test('the format is what the best clause that we can serve asks for', () => {
  assert.deepEqual(negotiate('text/plain;q=0.3, application/openmetrics-text;q=0.9;escaping=allow-utf-8', true), { openMetrics: true, utf8: true });
  assert.deepEqual(negotiate('text/plain;q=0.9, application/openmetrics-text;q=0.3', true), { openMetrics: false, utf8: false });
  assert.deepEqual(negotiate('', true), { openMetrics: false, utf8: false });
});

test('an address is needed, and what nobody knows is refused', () => {
  assert.match(configSchema.safeParse({}).error?.issues[0]?.message ?? '', /expecting a non-blank address/);
  assert.match(configSchema.safeParse({ endpoint: 'localhost' }).error?.issues[0]?.message ?? '', /has no port/);
  assert.equal(configSchema.safeParse({ endpoint: ':1', no_such: 1 }).success, false);
});
