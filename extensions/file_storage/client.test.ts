import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { RecordedTelemetry } from '#src/core/testing/context.ts';
import { LogStore } from './client.ts';
import { UNFINISHED } from './files.ts';
import { folderName } from './index.ts';

const folder = (): string => fs.mkdtempSync(path.join(os.tmpdir(), 'file-storage-'));
const { log } = new RecordedTelemetry();
const text = async (store: LogStore, key: string): Promise<string | undefined> => {
  const value = await store.get(key);
  return value === undefined ? undefined : Buffer.from(value).toString();
};
const put = (key: string, value: string) => ({ key, value: Buffer.from(value) });
const files = (place: string): string[] => fs.readdirSync(place).sort();

test('what was applied is there again, in order of keys, and what was deleted is not', async () => {
  const place = folder(),
    store = LogStore.open(place, { fsync: true, log: log });
  await Promise.all([store.apply([put('b', '2'), put('a', '1')]), store.apply([put('ü', '3')]), store.apply([put('empty', '')])]);
  await store.apply([{ key: 'b', value: null }, put('a', 'one')]);
  await store.close();
  const again = LogStore.open(place, { fsync: true, log: log });
  assert.deepEqual(await again.keys(), ['a', 'empty', 'ü']);
  assert.deepEqual([await text(again, 'a'), await text(again, 'b'), await text(again, 'ü'), await text(again, 'empty')], ['one', undefined, '3', '']);
  await again.close();
  await assert.rejects(again.apply([put('x', 'y')]), /closed/);
});

test('a torn end is cut wherever it was torn, and the records before it stay', async () => {
  const place = folder(),
    store = LogStore.open(place, { fsync: false, log: log }),
    file = path.join(place, '0000000001.log');
  await store.apply([put('kept', 'value')]);
  const whole = fs.statSync(file).size;
  await store.apply([put('torn', 'x'.repeat(50)), put('also', 'y')]);
  await store.close();
  const bytes = fs.readFileSync(file);
  for (let size = whole; size < bytes.length; size += 7) {
    const copy = folder();
    fs.writeFileSync(path.join(copy, '0000000001.log'), bytes.subarray(0, size));
    const cut = LogStore.open(copy, { fsync: false, log: log });
    assert.deepEqual(await cut.keys(), ['kept'], `cut at ${size}`);
    await cut.apply([put('next', 'v')]);
    await cut.close();
    const again = LogStore.open(copy, { fsync: false, log: log });
    assert.deepEqual(await again.keys(), ['kept', 'next']);
    await again.close();
  }
});

test('damage sets a file or a value aside and does not keep the store from opening', async () => {
  const place = folder(),
    telemetry = new RecordedTelemetry();
  fs.writeFileSync(path.join(place, '0000000001.log'), 'not a storage file at all');
  const store = LogStore.open(place, { fsync: false, log: telemetry.log });
  assert.deepEqual(files(place), ['0000000001.log.corrupt', '0000000002.log']);
  await store.apply([put('a', 'value of a'), put('b', 'value of b')]);
  const file = path.join(place, '0000000002.log'),
    descriptor = fs.openSync(file, 'r+');
  fs.writeSync(descriptor, 'X', fs.statSync(file).size - 1);
  fs.closeSync(descriptor);
  assert.equal(await text(store, 'b'), undefined);
  assert.equal(await text(store, 'a'), 'value of a');
  assert.match(telemetry.lines.join('\n'), /set aside[\s\S]*damaged/);
  await store.close();
});

test('a queue that fills and drains gives its space back and never mixes values up', async () => {
  const place = folder(),
    store = LogStore.open(place, { fsync: false, log: log }),
    big = Buffer.alloc(200_000, 'q');
  await store.apply([put('constant', 'c')]);
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 60; i++) await store.apply([{ key: `b${i}`, value: Buffer.concat([Buffer.from(`${round}:${i}:`), big]) }]);
    for (let i = 0; i < 60; i++) {
      assert.ok((await text(store, `b${i}`))!.startsWith(`${round}:${i}:q`));
      await store.apply([{ key: `b${i}`, value: null }]);
    }
  }
  const size = files(place).reduce((sum, name) => sum + fs.statSync(path.join(place, name)).size, 0);
  assert.ok(size < 14_000_000, `${size} bytes are left of 36 MB`);
  await store.compact();
  assert.equal(await text(store, 'constant'), 'c');
  await store.close();
  const again = LogStore.open(place, { fsync: false, log: log });
  assert.deepEqual(await again.keys(), ['constant']);
  await again.close();
});

test('a compaction moves what is current into one file, by way of another folder, in records of the size asked for', async () => {
  const place = folder(),
    scratch = folder(),
    store = LogStore.open(place, { fsync: true, log, compactionFolder: scratch, maxTransactionSize: 7 });
  for (let i = 0; i < 100; i++) await store.apply([put(`k${String(i).padStart(3, '0')}`, `${i}:${'v'.repeat(20_000)}`)]);
  for (let i = 0; i < 80; i++) await store.apply([{ key: `k${String(i).padStart(3, '0')}`, value: null }]);
  const reads = Array.from({ length: 20 }, (_, i) => text(store, `k0${80 + i}`));
  const late = store.apply([put('late', 'comes while it runs')]);
  await store.compact();
  await late;
  assert.ok((await Promise.all(reads)).every((value, i) => value?.startsWith(`${80 + i}:v`)));
  assert.deepEqual(files(scratch), []);
  assert.equal(files(place).length, 1);
  assert.ok(store.usage.totalBytes < 450_000, `${store.usage.totalBytes} bytes`);
  await store.close();
  const again = LogStore.open(place, { fsync: false, log });
  assert.equal((await again.keys()).length, 21);
  assert.ok((await text(again, 'k099'))?.startsWith('99:v'));
  await again.close();
});

test('what a compaction that was cut off has left is removed, and a failed one changes nothing', async () => {
  const place = folder();
  fs.writeFileSync(path.join(place, `${UNFINISHED}123`), 'half');
  const store = LogStore.open(place, { fsync: false, log, compactionFolder: path.join(place, 'missing') });
  assert.deepEqual(files(place), ['0000000001.log']);
  for (let i = 0; i < 10; i++) await store.apply([put('same', `${i}`.repeat(1000))]);
  await assert.rejects(store.compact(), /ENOENT/);
  assert.equal((await text(store, 'same'))?.length, 1000);
  await store.apply([put('more', 'm')]);
  await store.close();
});

test('small values that are read in order come from one read of many, right to the last byte written', async () => {
  const place = folder(),
    store = LogStore.open(place, { fsync: false, log });
  const value = (i: number): string => `${i}:${'x'.repeat(i % 700)}`;
  const check = async (from: number, to: number): Promise<void> => {
    for (let i = from; i < to; i++) assert.equal(await text(store, `k${i}`), value(i));
  };
  await store.apply(Array.from({ length: 300 }, (_, i) => put(`k${i}`, value(i))));
  await check(0, 300);
  for (let i = 300; i < 600; i++) await store.apply([put(`k${i}`, value(i))]);
  await check(250, 600);
  await Promise.all([check(0, 600), check(100, 200), check(599, 600)]);
  await store.close();
});

test('what apply() confirmed survives kill -9', async () => {
  const place = folder(),
    script = path.join(place, 'writer.ts');
  fs.mkdirSync(path.join(place, 'store'));
  fs.writeFileSync(
    script,
    `
    import { LogStore } from ${JSON.stringify(new URL('./client.ts', import.meta.url).href)};
    const silent = { debug() {}, info() {}, warn() {}, error() {} };
    const store = LogStore.open(${JSON.stringify(path.join(place, 'store'))}, { fsync: true, log: silent });
    for (let i = 0; ; i++) { await store.apply([{ key: 'n', value: Buffer.from(String(i)) }]); process.send(i); }
  `,
  );
  const child = fork(script, { execArgv: ['--no-maglev'] });
  const last = await new Promise<number>((resolve) => {
    let seen = -1;
    child.on('message', (i: number) => {
      seen = i;
      if (i === 40) child.kill('SIGKILL');
    });
    child.on('exit', () => resolve(seen));
  });
  const store = LogStore.open(path.join(place, 'store'), { fsync: true, log: log });
  assert.ok(Number(await text(store, 'n')) >= last, `confirmed ${last}`);
  await store.close();
});

test('folderName() keeps names apart and fit for a path', () => {
  assert.equal(folderName('receiver:file_log/app', ''), 'receiver_file_log_app_');
  assert.equal(folderName('exporter:otlp/a/b', 'traces'), 'exporter_otlp_a~002Fb_traces');
});
