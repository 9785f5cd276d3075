/** Nanoseconds a sample of a batch whose series are known, compression included: gauges and counters of hosts, and histograms. */
import { Batch } from '#src/core/batch.ts';
import { parseOtlpJson } from '#src/data/json_read.ts';
import { rulesOf } from '#src/helper/prometheus/names.ts';
import { BatchTranslator } from './batch_translator.ts';
import type { Version } from './write_request.ts';

const POINTS = 5000;
const ROUNDS = 200;
const attribute = (key: string, text: string) => ({ key, value: { stringValue: text } });
const labels = (i: number) => [attribute('device', `disk${i % 40}`), attribute('state', `state-${i % 7}`), attribute('http.route', `/api/v1/items/${i}`)];
const numbers = (round: number) => Array.from({ length: 50 }, (_, metric) => {
  const dataPoints = Array.from({ length: POINTS / 50 }, (_, i) => ({ attributes: labels(i), timeUnixNano: String(1_700_000_000_000_000_000n + BigInt(round) * 10n ** 10n), asDouble: i + round * 1.37 }));
  return metric % 2 ? { name: `system.disk.metric_${metric}`, unit: 'By', gauge: { dataPoints } } : { name: `system.disk.count_${metric}`, unit: 's', sum: { dataPoints, isMonotonic: true, aggregationTemporality: 2 } };
}); // biome-ignore format: a table
const histograms = (round: number) => Array.from({ length: 10 }, (_, metric) => {
  const dataPoints = Array.from({ length: 36 }, (_, i) => ({ attributes: labels(i), timeUnixNano: String(1_700_000_000_000_000_000n + BigInt(round) * 10n ** 10n), count: String(55 + round), sum: 10.5 + round, explicitBounds: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], bucketCounts: [5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5 + round].map(String) }));
  return { name: `http.duration_${metric}`, unit: 's', histogram: { dataPoints, aggregationTemporality: 2 } };
}); // biome-ignore format: a table
const batchOf = (metrics: object[], items: number): Batch =>
  new Batch(
    'metrics',
    [
      parseOtlpJson(
        'metrics',
        JSON.stringify({
          resourceMetrics: [
            {
              resource: { attributes: [attribute('service.name', 'bench'), attribute('service.instance.id', 'host-1'), attribute('os', 'linux')] },
              scopeMetrics: [{ scope: { name: 'hostmetrics' }, metrics }],
            },
          ],
        }),
      ),
    ],
    items,
  );

for (const version of [1, 2] as Version[]) {
  for (const [name, make, samples] of [
    ['numbers', numbers, POINTS],
    ['histograms', histograms, 10 * 36 * 13],
  ] as const) {
    const translator = new BatchTranslator({
      rules: rulesOf('UnderscoreEscapingWithSuffixes'),
      scopeInfo: true,
      externalLabels: [['cluster', 'c1']],
      keepScraped: false,
      version,
      targetInfo: true,
      sendMetadata: false,
      maxBatchBytes: 3_000_000,
    });
    const batches = [0, 1, 2, 3].map((round) => batchOf(make(round), samples));
    for (let i = 0; i < 20; i++) translator.translate(batches[i % 4]!);
    const start = process.cpuUsage();
    let bytes = 0;
    for (let i = 0; i < ROUNDS; i++) for (const body of translator.translate(batches[i % 4]!)) bytes += body.length;
    const { user, system } = process.cpuUsage(start);
    console.log(
      `version ${version}, ${name}: ${(((user + system) * 1000) / ROUNDS / samples).toFixed(0)} ns a sample, ${(bytes / ROUNDS / samples).toFixed(1)} bytes compressed`,
    );
  }
}
