/** Cost per sample: steady lines, one line replaced in each scrape, and the first scrape. node --no-maglev src/helper/scrape/target_cache.bench.ts */
import { CACHE_OPTIONS } from './testing/options.ts';
import { TargetCache } from './target_cache.ts';

const SERIES = 10_000;
function body(round: number, replaced: boolean): Buffer {
  const lines: string[] = [];
  for (let metric = 0; metric < SERIES / 100; metric++) {
    lines.push(`# HELP app_metric_${metric}_total A counter.`, `# TYPE app_metric_${metric}_total counter`);
    for (let i = 0; i < 100; i++) {
      const pod = replaced && metric === 50 && i === 50 ? `new-${round}` : `web-${i % 10}-abcdef`;
      lines.push(
        `app_metric_${metric}_total{method="${i & 1 ? 'POST' : 'GET'}",path="/api/v1/items/${i}",pod="${pod}",zone="eu-west-1"} ${metric * 1000 + i + round * 7}`,
      );
    }
  }
  return Buffer.from(`${lines.join('\n')}\n`);
}
const newCache = (): TargetCache => new TargetCache(CACHE_OPTIONS);
function measure(name: string, bodies: readonly Buffer[], scrapes: number, cacheFor: (round: number) => TargetCache): void {
  const times: number[] = [];
  for (let round = 0; round < scrapes; round++) {
    const bytes = bodies[round % bodies.length]!;
    const cache = cacheFor(round);
    const start = performance.now();
    cache.scrape(
      { bytes, from: 0, to: bytes.length, format: 'text', histograms: [] },
      { timeMs: 1_800_000_000_000 + round * 1000, durationSeconds: 0.1, bodyBytes: bytes.length },
    );
    times.push(performance.now() - start);
  }
  times.sort((a, b) => a - b);
  console.log(
    `${name}: ${((times[times.length >> 1]! * 1e6) / SERIES).toFixed(0)} ns a sample (median of ${scrapes}), slowest ${((times.at(-1)! * 1e6) / SERIES).toFixed(0)}`,
  );
}

const steady = Array.from({ length: 8 }, (_, round) => body(round, false));
const replaced = Array.from({ length: 40 }, (_, round) => body(round, true));
const kept = newCache();
measure('steady', steady, 300, () => kept);
const churning = newCache();
measure('one series replaced in each scrape', replaced, 120, () => churning);
measure('first scrape', steady, 20, newCache);
const before = process.memoryUsage();
const held = Array.from({ length: 10 }, () => newCache());
for (const [i, cache] of held.entries()) measure(`cache ${i}`, steady, 2, () => cache);
globalThis.gc?.();
const after = process.memoryUsage();
console.log(`about ${((after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers) / SERIES / held.length).toFixed(0)} bytes a series`);
