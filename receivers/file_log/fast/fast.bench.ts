/** Lines of a container with a JSON body through the fast path and through the chain, in ns a line. Run: node fast.bench.ts */
import { testContext } from '#src/core/testing/context.ts';
import { Chain } from '#receivers/file_log/chain.ts';
import { configSchema } from '#receivers/file_log/config.ts';
import { buildSplitter } from '#receivers/file_log/config.ts';
import { EntryFactory } from '#receivers/file_log/entries.ts';
import { LogBatch } from '#receivers/file_log/log_batch.ts';
import { TailedFile } from '#receivers/file_log/tail/tailed_file.ts';

const LINES = 20_000;
const config = configSchema.parse({
  include: ['/x/*.log'],
  operators: [
    { type: 'container', add_metadata_from_filepath: false },
    {
      type: 'json_parser',
      timestamp: { parse_from: 'attributes.ts', layout_type: 'gotime', layout: '2006-01-02T15:04:05.999999999Z07:00' },
      severity: { parse_from: 'attributes.level' },
    },
  ],
});
const text = Array.from({ length: LINES }, (_, i) => {
  const at = new Date(1795000000000 + i).toISOString().replace('Z', '123456Z');
  return `${at} ${i % 9 ? 'stdout' : 'stderr'} F {"level":"${i % 5 ? 'info' : 'error'}","ts":"${at}","msg":"request handled","method":"GET","path":"/api/v1/items/${i % 97}","status":${200 + (i % 5) * 100},"took_ms":${(i % 500) / 4},"user":"u${i}"}\n`;
}).join('');
const bytes = Buffer.alloc(Buffer.byteLength(text) + 8);
bytes.write(text);
const end = bytes.length - 8,
  context = { nowMs: Date.now, failed() {} },
  chain = new Chain(config.operators, context),
  batch = new LogBatch();
const entries = new EntryFactory(config, chain, buildSplitter(config), context, batch, Date.now),
  file = new TailedFile('a', '/x/a.log', '1:1', Buffer.alloc(0));
testContext(config);
entries.openFile(file, Date.now());

const measure = (name: string, pass: () => void): void => {
  for (let i = 0; i < 5; i++) pass();
  const start = process.hrtime.bigint(),
    passes = 20;
  for (let i = 0; i < passes; i++) pass();
  console.log(`${name}: ${(Number(process.hrtime.bigint() - start) / passes / LINES).toFixed(0)} ns a line`);
};
measure('bytes', () => {
  for (let at = 0; at < end; ) {
    at = entries.takeLines(file, bytes, at, end, at, 4096, 1 << 20);
    batch.take();
  }
});
measure('chain', () => {
  for (let at = 0; at < end; ) {
    const feed = bytes.indexOf(10, at);
    entries.take(file, bytes, at, feed, at);
    at = feed + 1;
    if (batch.count >= 4096) batch.take();
  }
  batch.take();
});
