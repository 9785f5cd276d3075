/**
 * Cost per sample of batches of 10,000 series into a tenant, log included: of a known layout, compared with the last batch, and new; memory of the
 * series in writer and head. node --no-maglev --expose-gc exporters/store/store.bench.ts
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Batch, EMPTY_CONTEXT } from '#src/core/batch.ts';
import { parseOtlpJson } from '#src/data/json_read.ts';
import { rulesOf } from '#src/helper/prometheus/names.ts';
import { RECEIVER_SCOPE } from '#src/helper/prometheus/translate.ts';
import { Tenant } from '#src/store/tenant.ts';
import { SeriesWriter } from './series_writer.ts';

const SERIES = 10_000;
const START_MS = 1_700_000_000_000;
const LOG = { debug() {}, info() {}, warn() {}, error() {} };
const text = (key: string, value: string) => ({ key, value: { stringValue: value } });

function messageAt(instance: number, round: number): Buffer {
  const metrics = Array.from({ length: SERIES / 100 }, (_, m) => ({
    name: `app_metric_${m}_total`,
    metadata: [text('prometheus.type', 'counter')],
    sum: {
      aggregationTemporality: 2,
      isMonotonic: true,
      dataPoints: Array.from({ length: 100 }, (__, i) => ({
        timeUnixNano: `${START_MS + round * 1000}000000`,
        asDouble: m * 1000 + i + round * 7,
        attributes: [
          text('method', i & 1 ? 'POST' : 'GET'),
          text('path', `/api/v1/items/${i}`),
          text('pod', `web-${i % 10}-abcdef`),
          text('zone', 'eu-west-1'),
        ],
      })),
    },
  }));
  const resource = { attributes: [text('service.name', 'bench'), text('service.instance.id', `127.0.0.1:${instance}`)] };
  return parseOtlpJson(
    'metrics',
    Buffer.from(JSON.stringify({ resourceMetrics: [{ resource, scopeMetrics: [{ scope: { name: RECEIVER_SCOPE }, metrics }] }] })),
  );
}

const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'store-bench-'));
const limits = { max_global_series_per_user: 0, max_label_names_per_series: 30, max_label_name_length: 1024, max_label_value_length: 2048 };
const tenants: Tenant[] = [];
function newWriter(): { writer: SeriesWriter; tenant: Tenant } {
  const options = { retentionMs: Infinity, retentionBytes: 0, compressWal: false, fsync: false, maxExemplars: 0, limits };
  const tenant = new Tenant('bench', path.join(directory, String(tenants.length)), options, LOG);
  tenants.push(tenant);
  const settings = { rules: rulesOf('UnderscoreEscapingWithSuffixes', ''), scopeInfo: true, externalLabels: [], keepScraped: true, targetInfo: true };
  return { writer: new SeriesWriter(tenant, settings), tenant };
}

const messages = Array.from({ length: 40 }, (_, round) => messageAt(1, round));
async function measure(name: string, layout: object | null): Promise<void> {
  const { writer, tenant } = newWriter(),
    times: number[] = [];
  for (const message of messages) {
    const started = performance.now();
    writer.write(new Batch('metrics', [message], SERIES, EMPTY_CONTEXT, false, { layout, release: null }));
    await tenant.commit();
    times.push(((performance.now() - started) * 1e6) / SERIES);
  }
  const first = times.shift()!;
  times.sort((a, b) => a - b);
  console.log(`${name}: ${times[times.length >> 1]!.toFixed(0)} ns a sample, the first time ${first.toFixed(0)}`);
}
const memory = (): number => {
  globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
};

await measure('compared', null);
await measure('known layout', {});
for (const [name, layout] of [
  ['compared', false],
  ['known layout', true],
] as const) {
  const before = memory(),
    { writer, tenant } = newWriter();
  for (let instance = 0; instance < 5; instance++) {
    const message = messageAt(instance, 0);
    writer.write(new Batch('metrics', [message], SERIES, EMPTY_CONTEXT, false, { layout: layout ? {} : null, release: null }));
    await tenant.commit();
  }
  console.log(`${name}: ${((memory() - before) / SERIES / 5).toFixed(0)} bytes a series in writer and head`);
}
for (const tenant of tenants) await tenant.close();
fs.rmSync(directory, { recursive: true });
