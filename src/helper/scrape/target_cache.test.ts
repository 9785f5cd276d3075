/** The fast path against reading everything anew: whatever lines change, come or go, both give the same points. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { CACHE_OPTIONS as OPTIONS } from './testing/options.ts';
import { plainPoints } from './testing/points.ts';
import type { Exposition } from './reading.ts';
import { TargetCache } from './target_cache.ts';

const REPORTED = /^(?:up|scrape_)/;

function exposition(text: string, format: Exposition['format'] = 'text'): Exposition {
  const bytes = Buffer.from(`garbage${text}garbage`);
  return { bytes, from: 7, to: bytes.length - 7, format, histograms: [] };
}
function scrape(cache: TargetCache, text: string, timeMs: number, format: Exposition['format'] = 'text') {
  const { message, pointCount, error } = cache.scrape(exposition(text, format), { timeMs, durationSeconds: 0.5, bodyBytes: text.length });
  const points = message === null ? [] : plainPoints(message);
  assert.equal(points.length, pointCount);
  return { points, error };
}

/** A deterministic generator of numbers below 1. */
function random(seed: number): () => number {
  const state = { value: seed };
  return () => {
    state.value = (Math.imul(state.value, 1664525) + 1013904223) >>> 0;
    return state.value / 4294967296;
  };
}

const VALUES = ['0', '1', '12', '123456789', '1234567890', '0.25', '-3.5', '1e-7', '1e+300', 'NaN', '+Inf', '-Inf', '9007199254740993', '4.'];
function number(next: () => number): string {
  return next() < 0.5 ? String(Math.floor(next() * 1e6)) : VALUES[Math.floor(next() * VALUES.length)]!;
}

interface Model {
  gauges: number[];
  counters: number[];
  histograms: number[];
  summaries: number[];
  timed: number[];
  typed: boolean;
}
function mutate(model: Model, next: () => number): void {
  for (const list of [model.gauges, model.counters, model.histograms, model.summaries, model.timed]) {
    if (next() < 0.15 && list.length > 0) list.splice(Math.floor(next() * list.length), 1);
    if (next() < 0.15) list.splice(Math.floor(next() * (list.length + 1)), 0, Math.floor(next() * 40));
  }
  if (next() < 0.05) model.typed = !model.typed;
}
function write(model: Model, next: () => number): string {
  const lines: string[] = [];
  if (model.typed) lines.push('# HELP g A gauge.', '# TYPE g gauge');
  for (const id of model.gauges) lines.push(`g{id="${id}",path="/a/b"} ${number(next)}`);
  lines.push('# TYPE c_total counter');
  for (const id of model.counters) lines.push(`c_total{id="${id}"} ${number(next)}`);
  lines.push('# TYPE h histogram');
  for (const id of new Set(model.histograms)) {
    const counts = [next(), next(), next()].map((x) => Math.floor(x * 100));
    lines.push(
      `h_bucket{id="${id}",le="0.1"} ${counts[0]}`,
      `h_bucket{id="${id}",le="1"} ${counts[0]! + counts[1]!}`,
      `h_bucket{id="${id}",le="+Inf"} ${counts[0]! + counts[1]! + counts[2]!}`,
    );
    lines.push(`h_sum{id="${id}"} ${next()}`, `h_count{id="${id}"} ${counts[0]! + counts[1]! + counts[2]!}`);
  }
  lines.push('# TYPE s summary');
  for (const id of new Set(model.summaries))
    lines.push(`s{id="${id}",quantile="0.5"} ${number(next)}`, `s_sum{id="${id}"} ${next()}`, `s_count{id="${id}"} ${Math.floor(next() * 100)}`);
  for (const id of model.timed) lines.push(`t{id="${id}"} ${number(next)} ${1_700_000_000_000 + Math.floor(next() * 1e6)}`);
  return `${lines.join('\n')}\n`;
}

test('a cache that saw the target before gives the same points as a new one, over random changes of the lines', () => {
  for (let seed = 1; seed <= 12; seed++) {
    const next = random(seed);
    const model: Model = { gauges: [1, 2, 3], counters: [1, 2], histograms: [1, 2], summaries: [1], timed: [1], typed: true };
    const cache = new TargetCache(OPTIONS);
    let before = new Set<string>();
    for (let round = 0; round < 60; round++) {
      if (round % 4 === 3) mutate(model, next);
      const text = write(model, next);
      const timeMs = 1_800_000_000_000 + round * 1000;
      const { points } = scrape(cache, text, timeMs);
      const fresh = new TargetCache(OPTIONS);
      scrape(fresh, text, timeMs - 1); // Twice: types are known before the first line then, as in the old cache.
      const want = scrape(fresh, text, timeMs).points;
      const live = points.filter((point) => !point.stale && !REPORTED.test(point.name));
      assert.deepEqual(sorted(live), sorted(want.filter((point) => !point.stale && !REPORTED.test(point.name))), `seed ${seed}, round ${round}`);
      const keys = new Set(live.filter((point) => point.timeMs === timeMs).map((point) => point.key));
      const stale = points.filter((point) => point.stale).map((point) => point.key);
      assert.deepEqual(new Set(stale), new Set([...before].filter((key) => !keys.has(key))), `markers, seed ${seed}, round ${round}`);
      before = keys;
    }
  }
});

test('unchanged lines are patched: the new message has the same bytes but for times and values', () => {
  const cache = new TargetCache(OPTIONS);
  const text = (x: number): string =>
    `# TYPE g gauge\ng{a="1"} ${x}\n# TYPE h histogram\nh_bucket{le="1"} ${x}\nh_bucket{le="+Inf"} ${2 * x}\nh_sum 1\nh_count ${2 * x}\n`;
  const messages = [1, 2, 3, 400].map((x) => cache.scrape(exposition(text(x)), { timeMs: 1_800_000_000_000 + x, durationSeconds: 1, bodyBytes: 1 }).message!);
  const sizes = new Set(messages.slice(1).map((message) => message.length));
  assert.equal(sizes.size, 1);
  const points = plainPoints(messages[3]!);
  assert.equal(points.find((point) => point.name === 'g')!.value, '400');
  assert.equal(points.find((point) => point.name === 'h')!.value, '800 [400,400] 1');
});

function sorted<T extends { key: string }>(points: T[]): T[] {
  return points.toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
}

test('a broken exposition marks stale what it did not repeat before the fault, once, and what it repaired later is no new series', () => {
  const cache = new TargetCache(OPTIONS);
  const stale = (points: { name: string; stale: boolean }[]) => points.filter((point) => point.stale).map((point) => point.name);
  scrape(cache, 'a 1\nb 2\n', 1000);
  const broken = scrape(cache, 'a 1\nb {\n', 2000);
  assert.ok(broken.error !== null);
  assert.deepEqual(stale(broken.points), ['b']);
  assert.equal(broken.points.find((point) => point.name === 'up')!.value, '0');
  assert.deepEqual(stale(scrape(cache, 'b {\n', 3000).points), ['a']);
  assert.deepEqual(stale(scrape(cache, 'b {\n', 4000).points), []);
  const good = scrape(cache, 'a 1\nb 2\n', 5000);
  assert.equal(good.points.find((point) => point.name === 'scrape_series_added')!.value, '0');
});

test('a histogram whose buckets change is there still, with those it has', () => {
  const cache = new TargetCache(OPTIONS);
  const text = (buckets: string, count: number): string => `# TYPE h histogram\n${buckets}h_sum 1\nh_count ${count}\n`;
  scrape(cache, text('h_bucket{le="1"} 1\nh_bucket{le="+Inf"} 3\n', 3), 1000);
  const changed = scrape(cache, text('h_bucket{le="2"} 2\nh_bucket{le="+Inf"} 4\n', 4), 2000).points.filter((point) => point.name === 'h');
  assert.deepEqual(
    changed.map(({ stale, value }) => [stale, value]),
    [[false, '4 [2,2] 2']],
  );
  const gone = scrape(cache, 'x 1\n', 3000).points.filter((point) => point.name === 'h');
  assert.deepEqual(
    gone.map(({ stale }) => stale),
    [true],
  );
});

test('a repeated line counts as scraped, but only its first value is kept, in every scrape', () => {
  const cache = new TargetCache(OPTIONS);
  for (let round = 0; round < 4; round++) {
    const { points } = scrape(cache, `x 1\ng{a="1"} ${round}\ny 1\ng{a="1"} 99\n`, 1000 * round + 1000);
    assert.equal(points.find((point) => point.name === 'g')!.value, String(round));
    assert.equal(points.find((point) => point.name === 'scrape_samples_scraped')!.value, '4');
    assert.equal(points.find((point) => point.name === 'scrape_samples_post_metric_relabeling')!.value, '4');
  }
});
