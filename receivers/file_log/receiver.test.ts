import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { LogStore } from '#extensions/file_storage/client.ts';
import type { Batch } from '#src/core/batch.ts';
import { PermanentError, RetryableError } from '#src/core/errors.ts';
import { RecordedTelemetry, testContext, testHost } from '#src/core/testing/context.ts';
import { formatBatchJson } from '#src/data/json_write.ts';
import { setFeatureGates } from '#src/core/feature_gates.ts';
import { configSchema } from './config.ts';
import { FileLogReceiver } from './receiver.ts';

const folder = (): string => fs.mkdtempSync(path.join(os.tmpdir(), 'file-log-'));
const { log } = new RecordedTelemetry();

/** A receiver over a folder, with what it delivered. `answer` may throw instead of taking a batch. */
function open(place: string, options: object = {}, answer: (bodies: string[]) => void = () => {}) {
  const bodies: string[] = [];
  const storage = { storageClient: async () => LogStore.open(storePath(place), { fsync: false, log }) };
  const config = configSchema.parse({ include: [`${place}/*.log*`], start_at: 'beginning', poll_interval: '10ms', force_flush_period: '60ms', ...options });
  const next = {
    async consume(batch: Batch): Promise<void> {
      const parsed = JSON.parse(formatBatchJson(batch)) as { resourceLogs: { scopeLogs: { logRecords: { body?: { stringValue: string } }[] }[] }[] };
      const got = parsed.resourceLogs.flatMap((resource) =>
        resource.scopeLogs.flatMap((scope) => scope.logRecords.map((record) => record.body?.stringValue ?? '')),
      );
      answer(got);
      bodies.push(...got);
    },
  };
  const receiver = new FileLogReceiver(testContext(config, { host: testHost(new Map([['file_storage', storage]])) }), next);
  const until = async (want: readonly string[]): Promise<void> => {
    for (const end = Date.now() + 20_000; bodies.length < want.length && Date.now() < end; ) await sleep(5);
    await sleep(40);
    assert.deepEqual(bodies, want);
  };
  return { receiver, bodies, until };
}
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
function storePath(place: string): string {
  const at = path.join(place, 'store');
  fs.mkdirSync(at, { recursive: true });
  return at;
}

test('lines appended, renamed and begun anew come once and in order', async () => {
  const place = folder(),
    file = path.join(place, 'a.log');
  fs.writeFileSync(file, 'one\ntwo\n');
  const { receiver, until } = open(place);
  await receiver.start();
  await until(['one', 'two']);
  fs.appendFileSync(file, 'three\n');
  fs.renameSync(file, `${file}.1`);
  fs.writeFileSync(file, 'four\n');
  fs.appendFileSync(`${file}.1`, 'late\n');
  await sleep(100);
  fs.appendFileSync(file, 'five\n');
  await sleep(100);
  await receiver.shutdown();
  await until(['one', 'two', 'three', 'late', 'four', 'five']);
});

test('a copied and truncated file is read on in both parts', async () => {
  const place = folder(),
    file = path.join(place, 'a.log');
  fs.writeFileSync(file, 'the first line of it\nsecond\n');
  const { receiver, until } = open(place);
  await receiver.start();
  await until(['the first line of it', 'second']);
  fs.copyFileSync(file, `${file}.1`);
  fs.truncateSync(file, 0);
  await sleep(50);
  fs.appendFileSync(file, 'third\n');
  await until(['the first line of it', 'second', 'third']);
  await receiver.shutdown();
});

test('a busy consumer gets the same batch again and no line is lost or doubled', async () => {
  const place = folder(),
    file = path.join(place, 'a.log');
  fs.writeFileSync(file, 'one\ntwo\n');
  let refusals = 2;
  const { receiver, until } = open(place, { retry_on_failure: { initial_interval: '5ms', enabled: true } }, () => {
    if (refusals-- > 0) throw new RetryableError('busy');
  });
  await receiver.start();
  await until(['one', 'two']);
  fs.appendFileSync(file, 'three\n');
  await until(['one', 'two', 'three']);
  await receiver.shutdown();
});

test('a batch that is refused for good is given up, and the file goes on', async () => {
  const place = folder(),
    file = path.join(place, 'a.log');
  fs.writeFileSync(file, 'bad\n');
  let wasRefused = false;
  const { receiver, until } = open(place, {}, (bodies) => {
    if (!bodies.includes('bad')) return;
    wasRefused = true;
    throw new PermanentError('no');
  });
  await receiver.start();
  for (const end = Date.now() + 10_000; !wasRefused && Date.now() < end; ) await sleep(5);
  fs.appendFileSync(file, 'good\n');
  await until(['good']);
  await receiver.shutdown();
});

test('places outlive the process: also when the file was renamed while nobody looked, and never beyond what was accepted', async () => {
  const place = folder(),
    file = path.join(place, 'a.log');
  fs.writeFileSync(file, 'one\ntwo\n');
  const first = open(place, { storage: 'file_storage' });
  await first.receiver.start();
  await first.until(['one', 'two']);
  await first.receiver.shutdown();
  fs.appendFileSync(file, 'three\n');
  fs.renameSync(file, `${file}.1`);
  fs.writeFileSync(file, 'new\n');
  const second = open(place, { storage: 'file_storage' }, () => {
    throw new RetryableError('down');
  });
  await second.receiver.start();
  await sleep(80);
  await second.receiver.shutdown();
  assert.deepEqual(second.bodies, []);
  const third = open(place, { storage: 'file_storage', start_at: 'end' });
  await third.receiver.start();
  for (const end = Date.now() + 20_000; third.bodies.length < 2 && Date.now() < end; ) await sleep(5);
  await third.receiver.shutdown();
  assert.deepEqual(third.bodies.sort(), ['new', 'three']);
});

test('entries that wait to be joined are read again after a crash', async () => {
  const place = folder(),
    file = path.join(place, 'a.log'),
    operators = (flush: string) => [{ type: 'recombine', combine_field: 'body', is_first_entry: "body startsWith '#'", force_flush_period: flush }];
  fs.writeFileSync(file, '#1\nx\n#2\ny\n');
  const first = open(place, { storage: 'file_storage', operators: operators('1h') });
  await first.receiver.start();
  await first.until(['#1\nx']);
  // No shutdown, as in a crash: what storage says now is what a new process finds.
  fs.cpSync(storePath(place), path.join(place, 'copy'), { recursive: true });
  await first.receiver.shutdown();
  fs.rmSync(storePath(place), { recursive: true });
  fs.renameSync(path.join(place, 'copy'), path.join(place, 'store'));
  const second = open(place, { storage: 'file_storage', operators: operators('50ms') });
  await second.receiver.start();
  await second.until(['#2\ny']);
  await second.receiver.shutdown();
});

test('a file larger than one turn comes whole, and a line cut at its end waits for its rest', async () => {
  const place = folder(),
    file = path.join(place, 'a.log'),
    line = 'x'.repeat(999),
    count = 20_000;
  fs.writeFileSync(file, `${line}\n`.repeat(count));
  const { receiver, bodies, until } = open(place, { force_flush_period: '10s' });
  await receiver.start();
  for (const end = Date.now() + 60_000; bodies.length < count && Date.now() < end; ) await sleep(10);
  assert.equal(bodies.length, count);
  bodies.length = 0;
  fs.appendFileSync(file, 'half');
  await sleep(60);
  fs.appendFileSync(file, ' and half\n');
  await until(['half and half']);
  await receiver.shutdown();
});

test('a file is deleted once all of it was accepted, and another one with the same lines is read', async (t) => {
  assert.throws(() => open(folder(), { delete_after_read: true }), /requires feature gate 'filelog.allowFileDeletion'/);
  setFeatureGates('filelog.allowFileDeletion');
  t.after(() => setFeatureGates('-filelog.allowFileDeletion'));
  assert.throws(() => open(folder(), { delete_after_read: true, start_at: 'end' }), /cannot be used with 'start_at: end'/);
  const place = folder(),
    file = path.join(place, 'a.log');
  fs.writeFileSync(file, 'one\ntwo');
  let isDown = true;
  const { receiver, bodies, until } = open(place, { delete_after_read: true, retry_on_failure: { initial_interval: '5ms', enabled: true } }, () => {
    if (isDown) throw new RetryableError('down');
  });
  await receiver.start();
  await sleep(80);
  assert.ok(fs.existsSync(file));
  isDown = false;
  const gone = async (): Promise<void> => {
    for (const end = Date.now() + 20_000; fs.existsSync(file) && Date.now() < end; ) await sleep(5);
    assert.ok(!fs.existsSync(file));
  };
  await gone();
  await until(['one', 'two']);
  fs.writeFileSync(file, 'one\ntwo\n');
  await gone();
  await until(['one', 'two', 'one', 'two']);
  await receiver.shutdown();
  assert.equal(bodies.length, 4);
});
