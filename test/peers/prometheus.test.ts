/**
 * Debian's Prometheus (2.42) on both sides of the store, with node_exporter's data. An hour of samples is 240 scrapes, one in 15 s; to not wait an hour they
 * are made one in 150 ms (remote write sends only what is scraped after its start, so a backfilled hour would not be sent); SCRAPE_MS=15000 takes the real
 * hour. The second test has an hour of clock time: the same readings 15 s apart, written by promtool as a block, which the program then opens.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { api, http, type QueryResult, query, type Running, Stage, until } from '#test/stage.ts';
import { remoteRead, sampleCount, type Series } from './remote_read.ts';

const SCRAPES = 240;
const SCRAPE_MS = Number(process.env['SCRAPE_MS'] ?? 150);
const LONGER_MS = 2 * SCRAPES * SCRAPE_MS;
const RANGE = `${Math.ceil(LONGER_MS / 60_000) + 10}m`;
const NODE = [['=', 'job', 'node']] as const;

interface Peer {
  readonly base: string;
  readonly running: Running;
}

async function nodeExporter(stage: Stage): Promise<Peer> {
  const base = `http://127.0.0.1:${await stage.port()}`;
  const running = stage.start('prometheus-node-exporter', [`--web.listen-address=${new URL(base).host}`]);
  await until('node_exporter', async () => (await http(`${base}/metrics`)).status === 200, { program: running });
  return { base, running };
}

async function prometheus(stage: Stage, name: string, config: string, directory = join(stage.folder, name)): Promise<Peer> {
  const base = `http://127.0.0.1:${await stage.port()}`;
  const running = stage.start('prometheus', [
    `--config.file=${stage.file(`${name}.yml`, config)}`,
    `--storage.tsdb.path=${directory}`,
    `--web.listen-address=${new URL(base).host}`,
    '--web.enable-lifecycle',
    '--storage.tsdb.retention.time=30d',
  ]);
  await until('Prometheus', async () => (await http(`${base}/-/ready`)).status === 200, { program: running });
  return { base, running };
}

/** `from` is a data directory of Prometheus that the store takes over. */
async function penstock(stage: Stage, directory = join(stage.folder, 'penstock'), from?: string): Promise<Peer & { readonly tenant: string }> {
  const base = `http://127.0.0.1:${await stage.port()}`;
  if (from !== undefined) cpSync(from, join(directory, 'anonymous'), { recursive: true });
  const running = await stage.penstock(`
extensions: {store: {directory: "${directory}"}, store_api: {endpoint: "${new URL(base).host}"}}
receivers: {nop: {}}
exporters: {store: {}}
service: {telemetry: {metrics: {level: none}}, extensions: [store, store_api], pipelines: {metrics: {receivers: [nop], exporters: [store]}}}`);
  return { base, running, tenant: join(directory, 'anonymous') };
}

const readBack = (url: string): string => `remote_read: [{url: "${url}/api/v1/read", read_recent: true}]\n`;

/** Both modes of both programs give the same bits; returns them. */
async function equalReads(theirs: string, ours: string, startMs: number, endMs: number): Promise<Series> {
  const want = await remoteRead(theirs, 'samples', NODE, startMs, endMs);
  assert.ok(want.size > 300, `Prometheus has ${want.size} series`);
  for (const [who, base] of Object.entries({ theirs, ours }))
    for (const mode of ['samples', 'streamed'] as const) equalSeries(await remoteRead(base, mode, NODE, startMs, endMs), want, `${who}, ${mode}`);
  return want;
}

/** deepEqual of hundreds of thousands of samples would print them all. */
function equalSeries(got: Series, want: Series, what: string): void {
  assert.deepEqual([...got.keys()].sort(), [...want.keys()].sort(), what);
  for (const [labels, samples] of want) assert.deepEqual(got.get(labels), samples, `${what}: ${labels}`);
}

/** A range of everything through the query API, in the order of the labels. */
async function everything(base: string, timeS: number, range: string): Promise<QueryResult[]> {
  const series = await query(base, `{job="node"}[${range}]`, { time: timeS });
  return series.sort((a, b) => (JSON.stringify(Object.entries(a.metric).sort()) < JSON.stringify(Object.entries(b.metric).sort()) ? -1 : 1));
}

/** What `promtool tsdb dump` finds, in the form of a remote read; numbers instead of bits. */
function promtoolDump(directory: string): Map<string, number[][]> {
  const found = new Map<string, number[][]>();
  for (const line of execFileSync('promtool', ['tsdb', 'dump', directory], { encoding: 'utf8', maxBuffer: 1 << 29 })
    .trim()
    .split('\n')) {
    const [, labels, value, time] = /^(\{.*\}) (\S+) (-?\d+)$/.exec(line)!;
    const pairs = [...labels!.matchAll(/([\w:]+)=("(?:[^"\\]|\\.)*")/g)].map(([, name, text]) => [name!, JSON.parse(text!) as string]);
    const key = JSON.stringify(pairs.sort(([a], [b]) => (a! < b! ? -1 : 1)));
    found.set(key, [...(found.get(key) ?? []), [Number(time), value === '+Inf' ? Infinity : value === '-Inf' ? -Infinity : Number(value)]]);
  }
  return found;
}

function asNumbers(series: Series): Map<string, number[][]> {
  const value = (bits: string): number => new Float64Array(BigUint64Array.of(BigInt(`0x${bits}`)).buffer)[0]!;
  return new Map(
    [...series].map(([labels, samples]) => [labels, samples.map((sample) => sample.split(' ')).map(([time, bits]) => [Number(time), value(bits!)])]),
  );
}

test('Prometheus remote-writes an hour of node_exporter samples and reads them back through both modes, and promtool reads our log', async (t) => {
  const stage = new Stage(t);
  const [exporter, ours] = [await nodeExporter(stage), await penstock(stage)];
  const startMs = Date.now();
  const writer = await prometheus(
    stage,
    'writer',
    `
global: {scrape_interval: ${SCRAPE_MS}ms, scrape_timeout: ${Math.min(SCRAPE_MS, 10_000)}ms}
scrape_configs: [{job_name: node, static_configs: [{targets: ["${new URL(exporter.base).host}"]}]}]
remote_write: [{url: "${ours.base}/api/v1/write", queue_config: {batch_send_deadline: 1s}}]
`,
  );
  await until(`${SCRAPES} scrapes`, async () => Number((await query(writer.base, `count_over_time(up{job="node"}[${RANGE}])`))[0]?.value?.[1]) >= SCRAPES, {
    ms: 60_000 + LONGER_MS,
  });
  // The exporter goes away: staleness markers are written, and up is 0. Then scraping ends too.
  await exporter.running.stop();
  await until('up to be 0', async () => (await query(writer.base, 'up{job="node"}'))[0]?.value?.[1] === '0', { ms: 30_000 + 2 * SCRAPE_MS });
  stage.file('writer.yml', `remote_write: [{url: "${ours.base}/api/v1/write", queue_config: {batch_send_deadline: 1s}}]\n`);
  assert.equal((await http(`${writer.base}/-/reload`, { method: 'POST' })).status, 200);
  await sleep(500); // A scrape that was under way.
  const endMs = Date.now();
  const counted = async (base: string): Promise<number> => sampleCount(await remoteRead(base, 'samples', NODE, startMs, endMs));
  const written = await counted(writer.base);
  await until('the last sample', async () => (await counted(ours.base)) === written);

  const want = await equalReads(writer.base, ours.base, startMs, endMs);
  const count = sampleCount(want);
  t.diagnostic(`${want.size} series, ${count} samples, ${want.get([...want.keys()].find((labels) => labels.includes('"up"'))!)!.length} scrapes`);
  assert.ok(count > 300 * SCRAPES, `${count} samples`);
  assert.ok(
    [...want.values()].some((samples) => samples.at(-1)!.endsWith(' 7ff0000000000002')),
    'staleness markers were sent',
  );

  const reader = await prometheus(stage, 'reader', readBack(ours.base));
  const endS = endMs / 1000;
  assert.deepEqual(await everything(reader.base, endS, RANGE), await everything(writer.base, endS, RANGE));
  const metadata = await api<Record<string, unknown>>(ours.base, 'metadata', { metric: 'node_load1' });
  assert.deepEqual(
    metadata,
    await api(writer.base, 'metadata', { metric: 'node_load1' }).then((theirs) => (Object.keys(theirs).length > 0 ? theirs : metadata)),
  );

  assert.equal(await ours.running.stop(), 0);
  const dumped = promtoolDump(ours.tenant);
  assert.deepEqual([...dumped.keys()].sort(), [...want.keys()].sort());
  for (const [labels, samples] of asNumbers(want)) assert.deepEqual(dumped.get(labels), samples, labels);

  // The folders change hands: each program goes on with what the other one wrote.
  assert.equal(await writer.running.stop(), 0);
  const [heir, successor] = [
    await prometheus(stage, 'heir', '{}', ours.tenant),
    await penstock(stage, join(stage.folder, 'taken'), join(stage.folder, 'writer')),
  ];
  for (const { base } of [heir, successor]) equalSeries(await remoteRead(base, 'samples', NODE, startMs, endMs), want, 'after the folders changed hands');
});

test('A block of an hour that promtool wrote is read back through both modes and goes on to be one that promtool analyzes', async (t) => {
  const stage = new Stage(t);
  const exporter = await nodeExporter(stage);
  const startS = Math.floor(Date.now() / 7_200_000) * 7200 - 6 * 3600;
  const families = new Map<string, string[]>();
  for (let i = 0; i < SCRAPES; i++) {
    for (const line of (await http(`${exporter.base}/metrics`)).body.toString().split('\n')) {
      if (line === '' || line.startsWith('#')) continue;
      const [series, value] = [line.slice(0, line.lastIndexOf(' ')), line.slice(line.lastIndexOf(' ') + 1)];
      const named = series.includes('{') ? series.replace('{', '{job="node",') : `${series}{job="node"}`;
      families.set(named, [...(families.get(named) ?? []), `${named} ${value} ${startS + 15 * i}`]);
    }
    await sleep(20);
  }
  const text = stage.file('hour.om', `${[...families.values()].map((lines) => lines.join('\n')).join('\n')}\n# EOF\n`);
  const theirDirectory = join(stage.folder, 'theirs'),
    ourDirectory = join(stage.folder, 'penstock');
  execFileSync('promtool', ['tsdb', 'create-blocks-from', 'openmetrics', text, theirDirectory], { stdio: 'ignore' });

  const ours = await penstock(stage, ourDirectory, theirDirectory);
  const theirs = await prometheus(stage, 'theirs_config', '{}', theirDirectory);
  const endS = startS + 15 * SCRAPES;
  const want = await equalReads(theirs.base, ours.base, startS * 1000, endS * 1000);
  assert.equal(
    sampleCount(want),
    [...families.values()].reduce((sum, lines) => sum + lines.length, 0),
  );
  const reader = await prometheus(stage, 'reader', readBack(ours.base));
  assert.deepEqual(await everything(reader.base, endS, '61m'), await everything(theirs.base, endS, '61m'));
  const range = { query: 'sum by (mode) (rate(node_cpu_seconds_total[5m]))', start: startS, end: endS, step: 15 };
  assert.deepEqual(await api(reader.base, 'query_range', range), await api(theirs.base, 'query_range', range));

  assert.equal(await ours.running.stop(), 0);
  const dumped = promtoolDump(ours.tenant);
  for (const [labels, samples] of asNumbers(want)) assert.deepEqual(dumped.get(labels), samples, labels);
  const analysis = execFileSync('promtool', ['tsdb', 'analyze', ours.tenant], { encoding: 'utf8' });
  assert.match(analysis, new RegExp(`Series: ${want.size}\\b`));
});
