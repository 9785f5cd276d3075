import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import zlib from 'node:zlib';
import { Batch } from '#src/core/batch.ts';
import type { Consumer, Lifecycle } from '#src/core/component.ts';
import { testContext } from '#src/core/testing/context.ts';
import { parseOtlpJson } from '#src/data/json_read.ts';
import { configSchema } from './config.ts';
import { FileWriter } from './file_writer.ts';
import exporter from './index.ts';

const JSON_LOGS =
  '{"resourceLogs":[{"resource":{"attributes":[{"key":"a","value":{"stringValue":"b"}}]},"scopeLogs":[{"logRecords":[{"timeUnixNano":"5","body":{"stringValue":"hello"}}]}]}]}';
const folder = (): string => fs.mkdtempSync(path.join(os.tmpdir(), 'file-exporter-'));
const build = (config: object): Consumer & Lifecycle => exporter.create({ ...testContext(configSchema.parse(config)), signals: ['logs'] });
const batch = (): Batch => new Batch('logs', [parseOtlpJson('logs', JSON_LOGS)], 1);

test('JSON is written one message a line, and anew with every start unless it appends', async () => {
  const file = path.join(folder(), 'out.json');
  for (const append of [false, true]) {
    const instance = build({ path: file, append });
    await instance.start!();
    await instance.consume(batch());
    await instance.shutdown!();
  }
  const lines = fs.readFileSync(file, 'utf8').split('\n');
  assert.equal(lines.length, 3);
  assert.deepEqual(JSON.parse(lines[1]!).resourceLogs[0].scopeLogs[0].logRecords[0].body, { stringValue: 'hello' });
  const again = build({ path: file });
  await again.start!();
  await again.shutdown!();
  assert.equal(fs.readFileSync(file, 'utf8'), '');
});

test('protobuf and zstd messages stand behind their size', async () => {
  const file = path.join(folder(), 'deep', 'out.bin'),
    instance = build({ path: file, format: 'proto', compression: 'zstd', create_directory: true });
  await instance.start!();
  await instance.consume(batch());
  await instance.shutdown!();
  const bytes = fs.readFileSync(file);
  assert.equal(bytes.readUInt32BE(0), bytes.length - 4);
  assert.deepEqual(zlib.zstdDecompressSync(bytes.subarray(4)), Buffer.from(batch().bytes));
});

test('a full file is renamed, and only so many are kept', () => {
  const place = folder(),
    file = path.join(place, 'out.json'),
    piece = Buffer.alloc(700_000, 'x');
  let nowMs = Date.UTC(2022, 8, 14, 5, 2, 14, 173);
  const writer = new FileWriter(configSchema.parse({ path: file, rotation: { max_megabytes: 1, max_backups: 2 } }), () => nowMs);
  for (let i = 0; i < 5; i++) {
    writer.write([piece]);
    nowMs += 1000;
  }
  writer.close();
  assert.deepEqual(fs.readdirSync(place).sort(), ['out-2022-09-14T05-02-17.173.json', 'out-2022-09-14T05-02-18.173.json', 'out.json']);
  assert.equal(fs.statSync(file).size, piece.length);
});

test('options that contradict each other or are not built are refused', () => {
  const check = (config: object, message: RegExp) =>
    assert.match(configSchema.safeParse({ path: '/x', ...config }).error?.issues[0]?.message ?? 'accepted', message);
  check({ path: '' }, /path must be non-empty/);
  check({ group_by: { enabled: true } }, /not supported yet/);
  check({ encoding: 'otlp' }, /not supported yet/);
  check({ flush_interval: '-1s' }, /flush_interval must be larger than zero/);
  check({ directory_permissions: '0700' }, /requires create_directory/);
  check({ append: true, rotation: {} }, /append and rotation/);
});
