/** node_exporter as the target of the prometheus receiver: everything it exposes is in the store, under the names, labels and values it gave. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { http, query, Stage, until } from '#test/stage.ts';

test('what node_exporter exposes is in the store, with up, the scrape metrics and nothing else; up is 0 when it is gone', async (t) => {
  const stage = new Stage(t);
  const [target, endpoint] = [`127.0.0.1:${await stage.port()}`, `127.0.0.1:${await stage.port()}`];
  const base = `http://${endpoint}`;
  const exporter = stage.start('prometheus-node-exporter', [`--web.listen-address=${target}`]);
  await until('node_exporter', async () => (await http(`http://${target}/metrics`)).status === 200, { program: exporter });
  await stage.penstock(`
extensions: {store: {directory: "${stage.folder}/data"}, store_api: {endpoint: "${endpoint}"}}
receivers: {prometheus: {config: {scrape_configs: [{job_name: node, scrape_interval: 500ms, static_configs: [{targets: ["${target}"]}]}]}}}
processors: {batch: {}}
exporters: {store: {}}
service:
  telemetry: {metrics: {level: none}}
  extensions: [store, store_api]
  pipelines: {metrics: {receivers: [prometheus], processors: [batch], exporters: [store]}}`);
  await until('three scrapes', async () => Number((await query(base, 'count_over_time(up{job="node"}[1m])'))[0]?.value?.[1]) >= 3);

  const exposed = new Map<string, string>();
  for (const line of (await http(`http://${target}/metrics`)).body.toString().split('\n')) {
    const [, name, labels, value] = /^([^\s{#]+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    if (name === undefined) continue;
    const pairs = [...(labels ?? '').matchAll(/(\w+)=("(?:[^"\\]|\\.)*")/g)].map(([, key, text]) => [key!, JSON.parse(text!) as string]);
    exposed.set(JSON.stringify([['__name__', name], ...pairs.filter(([, text]) => text !== '')].sort()), value!);
  }
  const stored = new Map<string, string>();
  for (const { metric, value } of await query(base, '{job="node"}')) {
    const { job, instance, ...rest } = metric;
    assert.deepEqual([job, instance], ['node', target]);
    stored.set(JSON.stringify(Object.entries(rest).sort()), value![1]);
  }
  const own = ['scrape_duration_seconds', 'scrape_samples_post_metric_relabeling', 'scrape_samples_scraped', 'scrape_series_added', 'up'].map((name) =>
    JSON.stringify([['__name__', name]]),
  );
  assert.ok(exposed.size > 300, `${exposed.size} series`);
  assert.deepEqual([...stored.keys()].sort(), [...exposed.keys(), ...own].sort());
  for (const name of [
    'node_memory_MemTotal_bytes',
    'node_boot_time_seconds',
    'node_filesystem_size_bytes',
    'node_uname_info',
    'node_time_zone_offset_seconds',
  ]) {
    const keys = [...exposed.keys()].filter((key) => key.includes(`"${name}"`));
    for (const key of keys) assert.equal(Number(stored.get(key)), Number(exposed.get(key)), key); // These do not change while the test runs.
  }
  assert.equal(stored.get(JSON.stringify([['__name__', 'up']])), '1');
  assert.equal(stored.get(JSON.stringify([['__name__', 'scrape_samples_scraped']])), String(exposed.size));

  await exporter.stop();
  await until('up to be 0', async () => (await query(base, 'up{job="node"}'))[0]?.value?.[1] === '0');
  assert.deepEqual(await query(base, 'node_boot_time_seconds'), [], 'stale at once, not five minutes later');
});
