import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import test from 'node:test';
import { Engine } from './engine.ts';
import { MemoryStore } from './testing/memory_querier.ts';
import { runScript } from './testing/script.ts';

const scripts = new URL('./testdata/', import.meta.url);
for (const name of readdirSync(scripts)) {
  test(`the script ${name} holds`, async () => {
    const report = await runScript(readFileSync(new URL(name, scripts), 'utf8'));
    assert.deepEqual(report.failures, []);
    assert.ok(report.passed > 0);
  });
}

function storeOf(series: number, samples: number): MemoryStore {
  const store = new MemoryStore();
  for (let i = 0; i < series; i++) {
    for (let n = 0; n < samples; n++) store.append(['__name__', 'm_total', 'i', String(i)], { timeMs: n * 15_000, value: n * i, startMs: 0 });
  }
  return store;
}

test('the limit on samples ends a query that would load too many', async () => {
  const store = storeOf(20, 100);
  const query = { query: 'rate(m_total[10m])', startMs: 0, endMs: 1_485_000, stepMs: 15_000 };
  await assert.rejects(
    new Engine({ maxSamples: 500 }).query(query, () => store.querier()),
    /too many samples into memory/,
  );
  const { stats } = await new Engine({ maxSamples: 5000 }).query(query, () => store.querier());
  assert.ok(stats.peakSamples > 500 && stats.peakSamples <= 5000, String(stats.peakSamples));
});

test('a query ends when its client is gone, and when its time is over', async () => {
  const store = storeOf(200, 200);
  const query = { query: 'sum_over_time(m_total[50m:15s])', startMs: 0, endMs: 3_000_000, stepMs: 1000 };
  const abort = new AbortController();
  const running = new Engine().query({ ...query, signal: abort.signal }, () => store.querier());
  setImmediate(() => abort.abort());
  await assert.rejects(running, { name: 'QueryError', kind: 'canceled' });
  await assert.rejects(
    new Engine({ timeoutMs: 1 }).query(query, () => store.querier()),
    { name: 'QueryError', kind: 'timeout' },
  );
});

test('more queries than may run at once wait for their turn, and none gets lost', async () => {
  const store = storeOf(50, 100);
  const engine = new Engine({ maxConcurrent: 2 });
  const query = { query: 'sum(rate(m_total[5m]))', startMs: 0, endMs: 1_485_000, stepMs: 1000 };
  const results = await Promise.all(Array.from({ length: 10 }, () => engine.query(query, () => store.querier())));
  assert.equal(results.length, 10);
});

test('names that fall away may not make two series the same', async () => {
  const store = new MemoryStore();
  for (const name of ['a', 'b']) store.append(['__name__', name, 'x', '1'], { timeMs: 0, value: 1, startMs: 0 });
  const at = { startMs: 0, endMs: 0, stepMs: 0 };
  await assert.rejects(
    new Engine().query({ query: 'abs({x="1"})', ...at }, () => store.querier()),
    /same labelset/,
  );
  await assert.rejects(
    new Engine().query({ query: 'count_over_time({x="1"}[5m])', ...at }, () => store.querier()),
    /same labelset/,
  );
});

test('a subquery of too many steps is refused before it takes memory', async () => {
  const query = { query: 'count_over_time(vector(1)[10y:1ms])', startMs: 0, endMs: 0, stepMs: 0 };
  await assert.rejects(
    new Engine().query(query, () => new MemoryStore().querier()),
    /too many samples into memory/,
  );
});

test('series that differ by their names alone are refused by rate(), also where its rows are summed up at once', async () => {
  const store = new MemoryStore();
  const ask = (query: string) => new Engine().query({ query, startMs: 60_000, endMs: 60_000, stepMs: 0 }, () => store.querier());
  for (const labels of [
    ['__name__', 'first_total', 'job', 'a'],
    ['__name__', 'second_total', 'job', 'a'],
    ['__name__', 'second_total', 'job', 'b'],
  ])
    for (let n = 0; n < 5; n++) store.append(labels, { timeMs: n * 15_000, value: n, startMs: 0 });
  const both = '{__name__=~"first_total|second_total"}[5m]';
  for (const query of [`rate(${both})`, `sum(rate(${both}))`, `max_over_time(rate(${both})[1m:15s])`]) await assert.rejects(ask(query), /same labelset/, query);
  await ask(`sum(last_over_time(${both}))`);
  await ask('sum by (__name__) (rate(second_total[5m]))');
  await ask('sum(rate({job="b"}[5m])) + sum(rate(first_total[5m]))');
});
