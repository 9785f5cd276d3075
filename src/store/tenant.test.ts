import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import fc from 'fast-check';
import { APPENDED, DUPLICATE, DUPLICATE_OTHER_VALUE, OUT_OF_ORDER, TOO_OLD } from './appender.ts';
import { encodeLabels } from './labels.ts';
import { STALE, dump, openTenant, temporaryDirectory } from './testing/write_request.ts';

const HOUR = 3_600_000;
const START = Math.floor(1_700_000_000_000 / (6 * HOUR)) * 6 * HOUR; // Where a block of the second level begins.

const seriesOf = (name: string, ...labels: string[]): Uint8Array => encodeLabels(['__name__', name, ...labels]);

test('append() tells duplicates, other values, late and too old samples apart', () => {
  const tenant = openTenant(temporaryDirectory());
  const labels = seriesOf('up');
  const ref = tenant.series(labels, 0, labels.length);
  assert.equal(tenant.series(labels, 0, labels.length), ref, 'the same series has the same ref');
  assert.equal(tenant.append(ref, START, 0, 1), APPENDED);
  assert.equal(tenant.append(ref, START, 0, 1), DUPLICATE);
  assert.equal(tenant.append(ref, START, 0, 2), DUPLICATE_OTHER_VALUE);
  assert.equal(tenant.append(ref, START - 1, 0, 1), OUT_OF_ORDER);
  assert.equal(tenant.append(ref, START + 3 * HOUR, 0, 1), APPENDED);
  tenant.head.settle();
  assert.equal(tenant.append(ref, START + HOUR, 0, 1), TOO_OLD);
  tenant.close();
});

test('labels in another order are the same series, and what cannot be stored is refused with its reason', () => {
  const tenant = openTenant(temporaryDirectory(), {
    limits: { max_global_series_per_user: 2, max_label_names_per_series: 3, max_label_name_length: 10, max_label_value_length: 12 },
  });
  const ref = (...labels: string[]): number => {
    const bytes = encodeLabels(labels);
    return tenant.series(bytes, 0, bytes.length);
  };
  const a = ref('__name__', 'up', 'a', '1', 'b', '2');
  assert.equal(ref('b', '2', 'a', '1', '__name__', 'up', 'empty', ''), a);
  assert.throws(() => ref('a', '1'), /missing metric name/);
  assert.throws(() => ref('__name__', 'up', 'a', '1', 'a', '2'), /duplicate label name: "a"/);
  assert.throws(() => ref('__name__', 'up', 'a', '1', 'b', '2', 'c', '3'), /too many labels \(actual: 4, limit: 3\)/);
  assert.throws(() => ref('__name__', 'up', 'a', 'x'.repeat(13)), /label value too long/);
  ref('__name__', 'down');
  assert.throws(() => ref('__name__', 'third'), /per-user series limit of 2 exceeded/);
  tenant.close();
});

test('labels of any length are kept, with characters of any size; bytes that are no text are refused', async () => {
  const tenant = openTenant(temporaryDirectory());
  const sizes = [1, 100, 110, 120, 127, 128, 200, 255, 256, 1000, 2000];
  for (const size of sizes) {
    for (const value of ['x'.repeat(size), 'ß☃'.repeat(size / 5 + 1).slice(0, size / 3 + 1)]) {
      const labels = seriesOf('long', 'n'.repeat(Math.min(size, 1000)), value);
      tenant.append(tenant.series(labels, 0, labels.length), START, 0, 1);
    }
  }
  await tenant.commit();
  tenant.head.settle();
  const querier = tenant.querier(START, START);
  const set = await querier.select([{ name: '__name__', op: '=', value: 'long' }], START, START);
  assert.equal(set.length, 2 * sizes.length);
  querier.close();
  for (const bad of [[0xc3], [0x61, 0xff], [0xed, 0xa0, 0x80]]) {
    const labels = Buffer.from(seriesOf('long', 'a', '?'.repeat(150 + bad.length)));
    Buffer.from(bad).copy(labels, labels.length - bad.length);
    assert.throws(() => tenant.series(labels, 0, labels.length), /must be UTF-8/);
  }
  await tenant.close();
});

test('hashes without the name are those of the other labels, and none where more goes with the name', async () => {
  const tenant = openTenant(temporaryDirectory());
  const add = (...labels: string[]): void => {
    const bytes = encodeLabels(labels);
    tenant.append(tenant.series(bytes, 0, bytes.length), START, 0, 1);
  };
  add('__name__', 'first', 'job', 'a');
  add('__name__', 'second', 'job', 'a');
  add('__name__', 'second', 'job', 'b');
  add('__name__', 'alone');
  add('A', 'before', '__name__', 'third');
  add('__name__', 'fourth', '__type__', 'gauge');
  add('__name__', 'n'.repeat(200), 'job', 'a');
  tenant.head.settle();
  const querier = tenant.querier(START, START);
  const set = await querier.select([{ name: '__name__', op: '!=', value: '' }], START, START, true);
  const hashes = Array.from({ length: set.length }, (_, i) => set.hashWithoutName!(i));
  querier.close();
  assert.equal(hashes[0], hashes[1]);
  assert.equal(new Set(hashes.slice(1, 4)).size, 3);
  assert.ok(hashes.slice(0, 4).every((hash) => hash >= 0));
  assert.deepEqual(hashes.slice(4), [-1, -1, -1]);
  tenant.close();
});

test('random appends come back after a restart, bit by bit', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.integer({ min: 0, max: 5 }), fc.integer({ min: -500, max: 40_000 }), fc.integer(), fc.integer()), { maxLength: 400 }),
      fc.boolean(),
      async (steps, compressWal) => {
        const directory = temporaryDirectory();
        let tenant = openTenant(directory, { compressWal });
        let time = START;
        for (const [series, step, low, high] of steps) {
          const labels = seriesOf('m', 's', String(series));
          tenant.append(tenant.series(labels, 0, labels.length), (time += step), low, high);
        }
        await tenant.commit();
        const before = await dump(tenant);
        await tenant.close();
        tenant = openTenant(directory, { compressWal });
        assert.deepEqual(await dump(tenant), before);
        await tenant.close();
        fs.rmSync(directory, { recursive: true });
      },
    ),
    { numRuns: 25 },
  );
});

/** Values whose size takes more than a byte, of some of the series. */
const LONG: Readonly<Record<number, string>> = { 5: '5'.repeat(128), 6: 'ü'.repeat(900) };
/** 12 hours of samples, some of them stale markers, of series that come and go. */
async function fill(tenant: ReturnType<typeof openTenant>, hours = 12): Promise<Map<string, number[][]>> {
  const want = new Map<string, number[][]>();
  for (let minute = 0; minute < hours * 60; minute++) {
    for (let s = 0; s < 20; s++) {
      if (s >= 10 && Math.floor(minute / 60) % 10 !== s - 10) continue;
      const labels = ['__name__', 'm', 's', LONG[s] ?? String(s)];
      const bytes = encodeLabels(labels);
      const [low, high] = minute % 50 === 49 ? STALE : [Math.imul(minute, s), 0x40000000 + minute];
      const time = START + minute * 60_000;
      assert.equal(tenant.append(tenant.series(bytes, 0, bytes.length), time, low!, high!), APPENDED);
      const key = labels.join(' ');
      if (!want.has(key)) want.set(key, []);
      want.get(key)!.push([time, low!, high!]);
    }
    if (minute % 10 === 0) await tenant.commit();
  }
  await tenant.commit();
  return new Map([...want].sort(([a], [b]) => (a < b ? -1 : 1)));
}
const sorted = (all: Map<string, number[][]>): Map<string, number[][]> => new Map([...all].sort(([a], [b]) => (a < b ? -1 : 1)));

test('cutting and merging blocks, checkpoint and restart leave every sample as it was', async () => {
  const directory = temporaryDirectory();
  let tenant = openTenant(directory);
  const want = await fill(tenant);
  assert.deepEqual(sorted(await dump(tenant)), want, 'in the head');
  await tenant.maintain(START + 12 * HOUR);
  const { blocks, minTimeMs } = tenant.status();
  assert.ok(blocks.length >= 2 && blocks.some((block) => block.level === 2), 'some were merged');
  assert.ok(minTimeMs! >= blocks.at(-1)!.maxTime, 'the head gave away what is in blocks');
  assert.deepEqual(sorted(await dump(tenant)), want, 'in blocks and head');
  assert.ok(fs.readdirSync(path.join(directory, 'wal')).some((name) => name.startsWith('checkpoint.')));
  await tenant.close();
  tenant = openTenant(directory);
  assert.deepEqual(sorted(await dump(tenant)), want, 'after a restart');
  const min = START + 3 * HOUR;
  const inside = new Map(
    [...want]
      .map(([key, samples]) => [key, samples.filter(([time]) => time! >= min && time! <= min + HOUR)] as const)
      .filter(([, samples]) => samples.length > 0),
  );
  assert.deepEqual(sorted(await dump(tenant, min, min + HOUR)), inside, 'a part of the time');
  await tenant.close();
});

test('overlapping blocks answer as one and are merged into one, sample by sample', async () => {
  const [one, two] = [temporaryDirectory(), temporaryDirectory()];
  const write = async (directory: string, name: string, offset: number): Promise<void> => {
    const tenant = openTenant(directory);
    for (let minute = 0; minute < 240; minute++) {
      for (const series of ['shared', name]) {
        const labels = seriesOf(series);
        tenant.append(
          tenant.series(labels, 0, labels.length),
          START + minute * 60_000 + (series === 'shared' && minute % 3 === 0 ? offset : 0),
          minute,
          minute,
        );
      }
    }
    await tenant.commit();
    await tenant.maintain(START + 4 * HOUR);
    await tenant.close();
  };
  await write(one, 'a', 0);
  await write(two, 'b', 1000);
  for (const name of fs.readdirSync(two)) if (name !== 'wal') fs.cpSync(path.join(two, name), path.join(one, name), { recursive: true });
  const tenant = openTenant(one);
  assert.equal(tenant.status().blocks.length, 2);
  const before = await dump(tenant, START, START + 2 * HOUR - 1);
  assert.deepEqual(
    [...before].map(([key, samples]) => [key, samples.length]),
    [
      ['__name__ a', 120],
      ['__name__ b', 120],
      ['__name__ shared', 160],
    ],
  );
  await tenant.maintain(START + 4 * HOUR);
  assert.equal(tenant.status().blocks.length, 1);
  assert.deepEqual(await dump(tenant, START, START + 2 * HOUR - 1), before);
  await tenant.close();
});

test('labels, values and matchers are answered over blocks and head alike', async () => {
  const tenant = openTenant(temporaryDirectory());
  await fill(tenant);
  const check = async (): Promise<void> => {
    const querier = tenant.querier(0, 1e15);
    const count = async (op: '=' | '!=' | '=~' | '!~', value: string, name = 's'): Promise<number> =>
      (await querier.select([{ name, op, value }], 0, 1e15)).length;
    assert.deepEqual(await querier.labelNames([], 0, 1e15), ['__name__', 's']);
    assert.deepEqual(await querier.labelValues('s', [[{ name: 's', op: '=~', value: '1.' }]], 0, 1e15), [
      '10',
      '11',
      '12',
      '13',
      '14',
      '15',
      '16',
      '17',
      '18',
      '19',
    ]);
    assert.equal(await count('=', '3'), 1);
    assert.equal(await count('!=', '3'), 19);
    assert.equal(await count('=~', '1|2|99'), 2);
    assert.equal(await count('=~', '1[0-4]+'), 5);
    assert.equal(await count('!~', '1.*'), 9);
    assert.equal(await count('=~', '(1|2)+'), 4);
    assert.equal(await count('=', '', 'absent'), 20);
    assert.equal(await count('!=', '', 'absent'), 0);
    assert.equal(await count('=~', '.*', 'absent'), 20);
    const set = await querier.select([{ name: '__name__', op: '=', value: 'm' }], 0, 1e15);
    const order = Array.from({ length: set.length }, (_, i) => set.labels(i)[3]!);
    assert.deepEqual(order, [...order].sort(), 'in the order of labels');
    querier.close();
  };
  await check();
  await tenant.maintain(START + 12 * HOUR);
  await check();
  await tenant.close();
});

test('a damaged block is set aside and the rest is served', async () => {
  const directory = temporaryDirectory();
  let tenant = openTenant(directory);
  await fill(tenant);
  await tenant.maintain(START + 12 * HOUR);
  const [first, second] = tenant.status().blocks;
  await tenant.close();
  fs.writeFileSync(path.join(directory, first!.ulid, 'meta.json'), '{');
  const index = path.join(directory, second!.ulid, 'index');
  const bytes = fs.readFileSync(index);
  bytes[bytes.length - 10]! ^= 255; // In the table of contents.
  fs.writeFileSync(index, bytes);
  const messages: string[] = [];
  tenant = openTenant(directory, {}, { debug() {}, info() {}, warn() {}, error: (message) => messages.push(message) });
  assert.ok((await dump(tenant)).size > 0);
  assert.deepEqual(messages, ['Block cannot be read and was set aside.', 'Block is damaged and was set aside.']);
  assert.ok(fs.existsSync(path.join(directory, `${second!.ulid}.corrupt`)));
  await tenant.close();
});

test('retention deletes whole blocks by time and by size', async () => {
  const directory = temporaryDirectory();
  let tenant = openTenant(directory);
  await fill(tenant);
  await tenant.maintain(START + 12 * HOUR);
  const before = tenant.status().blocks;
  await tenant.close();
  tenant = openTenant(directory, { retentionMs: 3 * HOUR });
  await tenant.maintain(START + 100 * HOUR);
  const newest = before.at(-1)!.maxTime;
  assert.deepEqual(
    tenant.status().blocks.map((block) => block.ulid),
    before.filter((block) => newest - block.maxTime < 3 * HOUR).map((block) => block.ulid),
  );
  await tenant.close();
  tenant = openTenant(directory, { retentionBytes: 1 });
  await tenant.maintain(START + 100 * HOUR);
  assert.deepEqual(tenant.status().blocks, []);
  await tenant.close();
});

test('what was committed survives kill -9', async () => {
  const directory = temporaryDirectory();
  const code = `
    const { openTenant } = await import('#src/store/testing/write_request.ts');
    const { encodeLabels } = await import('#src/store/labels.ts');
    const tenant = openTenant(${JSON.stringify(directory)});
    const labels = encodeLabels(['__name__', 'm']);
    for (let i = 1; ; i++) {
      tenant.append(tenant.series(labels, 0, labels.length), ${START} + i, i, i);
      await tenant.commit();
      process.stdout.write(i + '\\n');
      await new Promise((resolve) => setImmediate(resolve));
    }`;
  const child = spawn(process.execPath, ['--no-maglev', '--input-type=module', '-e', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
    cwd: path.join(import.meta.dirname, '..', '..'),
  });
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString();
    if (said.length > 2000) child.kill('SIGKILL');
  });
  await once(child, 'close');
  const acknowledged = Number(said.slice(0, said.lastIndexOf('\n')).split('\n').at(-1));
  const tenant = openTenant(directory);
  const samples = (await dump(tenant)).get('__name__ m')!;
  assert.ok(acknowledged > 100 && samples.length >= acknowledged, `${samples.length} samples, ${acknowledged} acknowledged`);
  await tenant.close();
});

test('exemplars and metadata are kept in bounds and found by matchers', async () => {
  const directory = temporaryDirectory();
  let tenant = openTenant(directory, { maxExemplars: 3 });
  const labels = seriesOf('m', 's', '1');
  const ref = tenant.series(labels, 0, labels.length);
  const trace = encodeLabels(['trace_id', 'abc']);
  for (let i = 0; i < 5; i++) tenant.exemplar(ref, trace, 0, trace.length, START + i, i);
  tenant.exemplar(ref, trace, 0, trace.length, START, 9); // Late: not kept.
  for (const [characters, timeMs] of [
    [121, START + 5], // One too many, with the eight of the name.
    [120, START + 4], // Late.
  ] as const) {
    const long = encodeLabels(['trace_id', 'ü'.repeat(characters)]);
    tenant.exemplar(ref, long, 0, long.length, timeMs, 9);
  }
  tenant.metadata('m', 'counter', 'Ms.', 's');
  await tenant.commit();
  const ask = () => tenant.exemplars([[{ name: 's', op: '=', value: '1' }]], 0, 1e15);
  assert.deepEqual(ask(), [
    { labels: ['__name__', 'm', 's', '1'], exemplars: [2, 3, 4].map((i) => ({ labels: ['trace_id', 'abc'], timeMs: START + i, value: i })) },
  ]);
  assert.deepEqual([...tenant.metadataOf('m')], [['m', { type: 'counter', help: 'Ms.', unit: 's' }]]);
  const before = ask();
  await tenant.close();
  tenant = openTenant(directory, { maxExemplars: 3 });
  assert.deepEqual(ask(), before, 'after a restart');
  await tenant.close();
});
