/** configs/quickstart.yaml in an empty folder, as after a fresh clone: everything that the README tells to send is answered by a query. */
import assert from 'node:assert/strict';
import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { writeRequest } from '#src/store/testing/write_request.ts';
import { snappyEncode } from '#src/wire/snappy.ts';
import { ROOT } from '#test/run_collector.ts';
import { http, query, Stage, until } from '#test/stage.ts';

test('the quickstart takes OTLP, remote write, scrapes and log lines, and answers a query over them within a minute', async (t) => {
  const began = Date.now(),
    stage = new Stage(t);
  let config = readFileSync(join(ROOT, 'configs/quickstart.yaml'), 'utf8');
  const ports: Record<string, number> = {};
  for (const port of ['4317', '4318', '9090', '8888']) {
    ports[port] = await stage.port();
    config = config.replaceAll(`localhost:${port}`, `127.0.0.1:${ports[port]}`);
  }
  const readers = `service.telemetry.metrics.readers=[{pull: {exporter: {prometheus: {host: 127.0.0.1, port: ${ports[8888]}}}}}]`;
  const program = await stage.penstock(config, { args: ['--set', readers] });
  const [otlp, base] = [`http://127.0.0.1:${ports[4318]}/v1`, `http://127.0.0.1:${ports[9090]}`];
  const nowMs = Date.now(),
    timeUnixNano = `${nowMs}000000`;
  const json = (path: string, body: unknown) => http(`${otlp}/${path}`, { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
  const resource = { attributes: [{ key: 'service.name', value: { stringValue: 'shop' } }] };

  const metrics = {
    resourceMetrics: [
      {
        resource,
        scopeMetrics: [
          {
            metrics: [
              { name: 'cart.items', gauge: { dataPoints: [{ timeUnixNano, asInt: '3' }] } },
              { name: 'orders', sum: { aggregationTemporality: 1, isMonotonic: true, dataPoints: [{ timeUnixNano, asInt: '7' }] } },
            ],
          },
        ],
      },
    ],
  };
  const logs = { resourceLogs: [{ resource, scopeLogs: [{ logRecords: [{ timeUnixNano, body: { stringValue: 'hello from curl' } }] }] }] };
  const traces = {
    resourceSpans: [
      {
        resource,
        scopeSpans: [
          {
            spans: [
              {
                traceId: '5b8efff798038103d269b633813fc60c',
                spanId: 'eee19b7ec3c1b174',
                name: 'checkout',
                startTimeUnixNano: timeUnixNano,
                endTimeUnixNano: timeUnixNano,
              },
            ],
          },
        ],
      },
    ],
  };
  for (const [path, body] of Object.entries({ metrics, logs, traces })) {
    const answer = await json(path, body);
    assert.equal(answer.status, 200, `${path}: ${answer.body.toString()}`);
    assert.deepEqual(JSON.parse(answer.body.toString()), { partialSuccess: {} });
  }
  const written = await http(`${base}/api/v1/write`, {
    headers: { 'Content-Type': 'application/x-protobuf', 'Content-Encoding': 'snappy', 'X-Prometheus-Remote-Write-Version': '0.1.0' },
    body: snappyEncode(writeRequest([{ labels: ['__name__', 'pushed', 'job', 'pusher'], samples: [[nowMs, 42]] }])),
  });
  assert.equal(Math.floor(written.status / 100), 2, written.body.toString());
  appendFileSync(join(stage.folder, 'data/quickstart.log'), 'a first line\na second line\n');

  const found = await until('data from everywhere', async () => {
    const series = await query(base, '{__name__=~"cart_items|orders_total|pushed|up|otelcol_receiver_accepted_log_records|otelcol_receiver_accepted_spans"}');
    const names = new Set(series.map(({ metric }) => metric['__name__']));
    return names.size === 6 && series;
  });
  const value = (name: string): string => found.find(({ metric }) => metric['__name__'] === name)!.value![1];
  assert.equal(value('cart_items'), '3');
  assert.equal(value('orders_total'), '7');
  assert.equal(value('pushed'), '42');
  assert.equal(value('up'), '1');
  await until('the lines of the file', async () => {
    const lines = await query(base, 'sum by (receiver) (otelcol_receiver_accepted_log_records)');
    return lines.find(({ metric }) => metric['receiver'] === 'file_log')?.value?.[1] === '2';
  });
  assert.ok(Date.now() - began < 60_000, `it took ${Date.now() - began} ms`);

  const page = await http(`${base}/`);
  assert.equal(page.status, 200);
  assert.match(String(page.headers['content-type']), /^text\/html/);
  assert.match(program.text(), /localhost|127\.0\.0\.1/);
  assert.equal(await program.stop(), 0);
});
