/** Batches through a real tenant: what each kind of metric becomes, and the fast ways against a writer that never saw anything. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { Batch, type BatchOrigin, EMPTY_CONTEXT } from '#src/core/batch.ts';
import { newColumns } from '#src/core/series.ts';
import { parseOtlpJson } from '#src/data/json_read.ts';
import { rulesOf } from '#src/helper/prometheus/names.ts';
import { RECEIVER_SCOPE } from '#src/helper/prometheus/translate.ts';
import { Tenant } from '#src/store/tenant.ts';
import { SeriesWriter, type SeriesWriterSettings } from './series_writer.ts';

const LOG = { debug() {}, info() {}, warn() {}, error() {} };
const LIMITS = { max_global_series_per_user: 0, max_label_names_per_series: 30, max_label_name_length: 1024, max_label_value_length: 2048 };
const SETTINGS: SeriesWriterSettings = {
  rules: rulesOf('UnderscoreEscapingWithSuffixes', ''),
  scopeInfo: true,
  externalLabels: [['region', 'eu']],
  keepScraped: true,
  targetInfo: true,
};
const T0 = 1_700_000_000_000;
const STALE = '7ff0000000000002';

function openTenant(t: TestContext): Tenant {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'store-'));
  const tenant = new Tenant(
    't',
    directory,
    { retentionMs: Infinity, retentionBytes: 0, compressWal: false, fsync: false, maxExemplars: 100, limits: LIMITS },
    LOG,
  );
  t.after(async () => {
    await tenant.close();
    fs.rmSync(directory, { recursive: true });
  });
  return tenant;
}

type Json = Record<string, unknown>;
const attributes = (labels: Record<string, string>): Json[] => Object.entries(labels).map(([key, value]) => ({ key, value: { stringValue: value } }));
const nanos = (timeMs: number): string => `${timeMs}000000`;

function batchOf(metrics: readonly Json[], origin: BatchOrigin | null = null, scope = ''): Batch {
  const resource = { attributes: attributes({ 'service.name': 'shop', 'service.instance.id': 'a:1', zone: 'z' }) };
  const json = JSON.stringify({ resourceMetrics: [{ resource, scopeMetrics: [{ scope: { name: scope }, metrics }] }] });
  return new Batch('metrics', [parseOtlpJson('metrics', Buffer.from(json))], metrics.length, EMPTY_CONTEXT, false, origin);
}

/** All samples as "labels time value", values by their bits where they are no numbers. */
async function contentOf(tenant: Tenant): Promise<string[]> {
  const querier = tenant.querier(0, Number.MAX_SAFE_INTEGER);
  const set = await querier.select([{ name: '__name__', op: '!=', value: '' }], 0, Number.MAX_SAFE_INTEGER),
    lines: string[] = [];
  for (let i = 0; i < set.length; i++) {
    const columns = newColumns(),
      labels = set.labels(i),
      pairs: string[] = [];
    for (let k = 0; k < labels.length; k += 2) if (labels[k] !== '__name__' && labels[k] !== 'region') pairs.push(`${labels[k]}=${labels[k + 1]}`);
    assert.equal(labels[labels.indexOf('region') + 1], 'eu');
    set.read(i, 0, Number.MAX_SAFE_INTEGER, columns);
    for (let k = 0; k < columns.count; k++) {
      const native = columns.histograms?.[k],
        bits = (columns.valueBits[2 * k + 1]! >>> 0).toString(16).padStart(8, '0') + (columns.valueBits[2 * k]! >>> 0).toString(16).padStart(8, '0');
      const value = native ? 'native' : Number.isNaN(columns.values[k]!) ? bits : String(columns.values[k]);
      lines.push(`${labels[labels.indexOf('__name__') + 1]}{${pairs.join(',')}} ${columns.times[k]! - T0} ${value}`);
    }
  }
  querier.close();
  return lines.sort();
}

const point = (timeMs: number, rest: Json, labels: Record<string, string> = {}): Json => ({
  timeUnixNano: nanos(timeMs),
  attributes: attributes(labels),
  ...rest,
});
const gauge = (name: string, dataPoints: Json[]): Json => ({ name, gauge: { dataPoints } });
const sum = (name: string, dataPoints: Json[]): Json => ({ name, sum: { dataPoints, aggregationTemporality: 2, isMonotonic: true } });
const OWN = 'instance=a:1,job=shop';

test('each kind of metric becomes the series that Prometheus has of it', async (t) => {
  const check = async (metric: Json, want: string[]): Promise<void> => {
    const tenant = openTenant(t),
      writer = new SeriesWriter(tenant, SETTINGS);
    writer.write(batchOf([metric]));
    assert.equal(writer.fault, '');
    const target = `target_info{${OWN},zone=z} 0 1`;
    assert.deepEqual(await contentOf(tenant), [...want, target].sort());
  };
  await check(gauge('queue.size', [point(T0, { asDouble: 1.5 }, { q: 'x' }), point(T0, { asInt: '-7' }, { q: 'y' })]), [
    `queue_size{${OWN},q=x} 0 1.5`,
    `queue_size{${OWN},q=y} 0 -7`,
  ]);
  await check(sum('hits', [point(T0, { asInt: '9007199254740991' })]), [`hits_total{${OWN}} 0 9007199254740991`]);
  await check(gauge('gone', [point(T0, { flags: 1 })]), [`gone{${OWN}} 0 ${STALE}`]);
  const histogram = (rest: Json): Json => ({
    name: 'd',
    histogram: { aggregationTemporality: 2, dataPoints: [point(T0, { count: '6', explicitBounds: [0.5, 1], bucketCounts: ['1', '2', '3'], ...rest })] },
  });
  const buckets = (a: string, b: string, all: string): string[] => [
    `d_bucket{${OWN},le=+Inf} 0 ${all}`,
    `d_bucket{${OWN},le=0.5} 0 ${a}`,
    `d_bucket{${OWN},le=1} 0 ${b}`,
    `d_count{${OWN}} 0 ${all}`,
  ];
  await check(histogram({ sum: 4.5 }), [...buckets('1', '3', '6'), `d_sum{${OWN}} 0 4.5`]);
  await check(histogram({}), buckets('1', '3', '6'));
  await check(histogram({ flags: 1 }), buckets(STALE, STALE, STALE));
  const quantiles = [
    { quantile: 0.5, value: 2 },
    { quantile: 0.99, value: 7 },
  ];
  await check({ name: 's', summary: { dataPoints: [point(T0, { count: '3', sum: 8, quantileValues: quantiles })] } }, [
    `s_count{${OWN}} 0 3`,
    `s_sum{${OWN}} 0 8`,
    `s{${OWN},quantile=0.5} 0 2`,
    `s{${OWN},quantile=0.99} 0 7`,
  ]);
  await check(
    {
      name: 'e',
      exponentialHistogram: {
        aggregationTemporality: 2,
        dataPoints: [point(T0, { count: '2', sum: 3, scale: 1, positive: { offset: 0, bucketCounts: ['1', '1'] } })],
      },
    },
    [`e{${OWN}} 0 native`],
  );
});

test('an exemplar goes to the first bucket that its value falls into', async (t) => {
  const tenant = openTenant(t),
    writer = new SeriesWriter(tenant, SETTINGS);
  const exemplars = [{ timeUnixNano: nanos(T0), asDouble: 0.7, traceId: '0102030405060708090a0b0c0d0e0f10' }];
  writer.write(
    batchOf([
      {
        name: 'd',
        histogram: { aggregationTemporality: 2, dataPoints: [point(T0, { count: '3', explicitBounds: [0.5, 1], bucketCounts: ['1', '1', '1'], exemplars })] },
      },
    ]),
  );
  const found = tenant.exemplars([[{ name: '__name__', op: '=', value: 'd_bucket' }]], 0, Number.MAX_SAFE_INTEGER);
  assert.equal(found.length, 1);
  assert.equal(found[0]!.labels[found[0]!.labels.indexOf('le') + 1], '1');
  assert.deepEqual(found[0]!.exemplars, [{ labels: ['trace_id', '0102030405060708090a0b0c0d0e0f10'], timeMs: T0, value: 0.7 }]);
});

test('what cannot be translated is counted, and the rest of the batch is taken', async (t) => {
  const tenant = openTenant(t),
    writer = new SeriesWriter(tenant, { ...SETTINGS, targetInfo: false });
  const delta = { name: 'delta', sum: { aggregationTemporality: 1, isMonotonic: true, dataPoints: [point(T0, { asInt: '1' })] } };
  for (let i = 0; i < 3; i++) {
    writer.write(batchOf([delta, gauge('good', [point(T0 + i, { asInt: String(i) })])]));
    assert.equal(writer.untranslated, 1);
    assert.match(writer.fault, /temporality.*"delta"/);
  }
  assert.deepEqual(
    await contentOf(tenant),
    [0, 1, 2].map((i) => `good{${OWN}} ${i} ${i}`),
  );
});

/** A deterministic generator of numbers below 1. */
function random(seed: number): () => number {
  const state = { value: seed };
  return () => {
    state.value = (Math.imul(state.value, 1664525) + 1013904223) >>> 0;
    return state.value / 4294967296;
  };
}

interface Row {
  readonly metric: string;
  readonly id: string;
}
const VALUES: readonly Json[] = [{ asDouble: 0 }, { asDouble: 'NaN' }, { asDouble: '-Infinity' }, { asInt: '-1' }, { asDouble: 1e300 }, { flags: 1 }];

function metricsOf(rows: readonly Row[], timeMs: number, next: () => number, plain: boolean): Json[] {
  const byName = Map.groupBy(rows, ({ metric }) => metric);
  return [...byName].map(([name, list]) => {
    if (name.startsWith('h')) {
      const dataPoints = list.map(({ id }) =>
        point(timeMs, { count: '6', sum: next(), explicitBounds: [1, 2], bucketCounts: [String(Math.floor(next() * 9)), '2', '3'] }, { id }),
      );
      return { name, histogram: { aggregationTemporality: 2, dataPoints } };
    }
    const value = (): Json => (plain || next() < 0.7 ? { asDouble: next() * 100 } : VALUES[Math.floor(next() * VALUES.length)]!);
    const dataPoints = list.map(({ id }) => point(timeMs, value(), { id }));
    return name.startsWith('c') ? sum(name, dataPoints) : gauge(name, dataPoints);
  });
}

test('a writer that remembers and one that never saw anything store the same, over random changes of the batches', async (t) => {
  for (let seed = 1; seed <= 12; seed++) {
    const next = random(seed),
      warm = openTenant(t),
      cold = openTenant(t),
      remembers = new SeriesWriter(warm, SETTINGS);
    let rows: Row[] = Array.from({ length: 24 }, (_, i) => ({ metric: 'gch'[i % 3]! + (i % 4), id: String(i) })),
      named = 100;
    for (let round = 0; round < 25; round++) {
      if (next() < 0.3) rows = rows.filter(() => next() > 0.1);
      if (next() < 0.3) rows.splice(Math.floor(next() * rows.length), 0, { metric: 'gch'[named % 3]! + (named % 4), id: String(named++) });
      if (next() < 0.15) rows.reverse();
      const batch = batchOf(metricsOf(rows, T0 + round * 1000, next, next() < 0.5));
      const fresh = new SeriesWriter(cold, SETTINGS);
      remembers.write(batch);
      fresh.write(batch);
      assert.equal(remembers.appending.samples, fresh.appending.samples);
    }
    assert.deepEqual(await contentOf(warm), await contentOf(cold));
  }
});

test('batches of a known layout store what the same batches without one do, also after series were forgotten', async (t) => {
  const next = random(7),
    warm = openTenant(t),
    cold = openTenant(t),
    plans = new SeriesWriter(warm, SETTINGS);
  const rows: Row[] = Array.from({ length: 30 }, (_, i) => ({ metric: 'gch'[i % 3]! + (i % 4), id: String(i) }));
  let layout = {};
  for (let round = 0; round < 30; round++) {
    if (round % 10 === 0) {
      layout = {};
      rows.push({ metric: 'g9', id: String(round) });
    }
    // 3 h later all series have been forgotten, and the plan names refs that nobody knows.
    if (round === 25) for (const tenant of [warm, cold]) tenant.head.truncate(T0 + 3 * 3_600_000);
    const timeMs = T0 + round * 1000 + (round < 25 ? 0 : 3 * 3_600_000),
      metrics = metricsOf(rows, timeMs, next, true);
    plans.write(batchOf(metrics, { layout, release: null }, RECEIVER_SCOPE));
    new SeriesWriter(cold, SETTINGS).write(batchOf(metrics, null, RECEIVER_SCOPE));
  }
  // That the plan was used shows where the promise is broken: the label has another value, which nobody reads.
  const planned = openTenant(t),
    trusting = new SeriesWriter(planned, SETTINGS);
  for (const id of ['a', 'b', 'c'])
    trusting.write(batchOf([gauge('g', [point(T0 + id.charCodeAt(0), { asDouble: 1 }, { id })])], { layout, release: null }, RECEIVER_SCOPE));
  assert.equal(planned.head.seriesCount, 1);
  const content = await contentOf(warm);
  assert.ok(content.length > 300);
  assert.deepEqual(content, await contentOf(cold));
});
