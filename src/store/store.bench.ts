/** Remote write into head and log, reading back, replay. Run: node --no-maglev src/store/store.bench.ts */
import fs from 'node:fs';
import { newColumns } from '#src/core/series.ts';
import { snappyEncode } from '#src/wire/snappy.ts';
import { RemoteWriteReader } from './remote_write.ts';
import { openTenant, temporaryDirectory, writeRequest } from './testing/write_request.ts';

const SERIES = 5000;
const ROUNDS = 100;
const START = 1_700_000_000_000;
const directory = temporaryDirectory();
let tenant = openTenant(directory);
const reader = new RemoteWriteReader(tenant);
const labels = Array.from({ length: SERIES }, (_, i) => [
  '__name__',
  `metric_${i % 20}`,
  'instance',
  `10.0.${i % 50}.1:9100`,
  'job',
  'node',
  'pod',
  `pod-${i}`,
]);
const bodies = Array.from({ length: ROUNDS }, (_, k) =>
  snappyEncode(
    writeRequest(
      labels.map((list, i) => ({
        labels: list,
        samples: [[START + k * 15_000, i % 3 === 0 ? 5 : i % 3 === 1 ? k * i : 1e6 + k * 15 + ((k * 7919) % 31)]] as const,
      })),
    ),
  ),
);
const show = (what: string, ms: number, items: number): void => console.log(`${what}: ${((ms / items) * 1e6).toFixed(0)} ns a sample`);
let since = performance.now();
for (let k = 0; k < ROUNDS; k++) {
  reader.write(bodies[k]!, 1 << 25, START + 1e9);
  await tenant.commit();
  const now = performance.now();
  if (k === 0) show('first request, all series new, nothing compiled', now - since, SERIES);
  if (k === 0 || k === ROUNDS / 2 - 1) since = now;
}
show('remote write, warm', performance.now() - since, (SERIES * ROUNDS) / 2);
const querier = tenant.querier(0, 1e15);
const columns = newColumns();
for (let run = 0; run < 3; run++) {
  since = performance.now();
  const set = await querier.select([{ name: 'job', op: '=', value: 'node' }], 0, 1e15);
  for (let i = 0; i < set.length; i++) {
    columns.count = 0;
    set.read(i, 0, 1e15, columns);
  }
  show(`select and read, run ${run + 1}`, performance.now() - since, SERIES * ROUNDS);
}
querier.close();
await tenant.close();
since = performance.now();
tenant = openTenant(directory);
show('replay of the log', performance.now() - since, SERIES * ROUNDS);
const { head } = tenant;
const words = head.full.usedWords + head.labels.usedWords + head.seriesCount * 16;
console.log(
  `full chunks, labels and state: ${((words * 4) / SERIES).toFixed(0)} bytes a series; process ${(process.memoryUsage.rss() / 2 ** 20).toFixed(0)} MiB`,
);
await tenant.close();
fs.rmSync(directory, { recursive: true });
