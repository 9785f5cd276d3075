/**
 * The recorded answers of Prometheus's HTTP API (promql/README.md) against the program as a user starts it: api.json, and more.json of cases in which
 * the two once differed. Texts of errors, warnings and infos count too.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import { NODE, ROOT, runToEnd } from '#test/run_collector.ts';
import { Stage } from '#test/stage.ts';

const HERE = join(ROOT, 'test/conformance/promql');

test('queries, series, labels, metadata, exemplars and remote read are answered as by Prometheus', async (t) => {
  const stage = new Stage(t),
    endpoint = `127.0.0.1:${await stage.port()}`;
  await stage.penstock(`
extensions: {store: {directory: "${stage.folder}/data"}, store_api: {endpoint: "${endpoint}"}}
receivers: {nop: {}}
exporters: {store: {}}
service: {telemetry: {metrics: {level: none}}, extensions: [store, store_api], pipelines: {metrics: {receivers: [nop], exporters: [store]}}}`);
  const suites = ['api.json', 'more.json'].map((suite) => join(HERE, suite)),
    ended = await runToEnd(NODE, [join(HERE, 'run.mjs'), '--url', `http://${endpoint}`, '--load', 'remote-write', '--strict', ...suites]);
  assert.equal(ended.code, 0, `${ended.stdout}\n${ended.stderr}`);
  assert.match(ended.stdout, /^3\d\d passed, 0 failed$/m);
});
