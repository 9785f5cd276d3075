import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { decodeLabels, encodeLabels } from '#src/store/labels.ts';
import { temporaryDirectory } from '#src/store/testing/write_request.ts';
import { crc32c } from '#src/wire/crc32c.ts';
import { replayWal } from './reader.ts';
import { WalWriter } from './writer.ts';

interface Replayed {
  series: [number, string[]][];
  samples: number[][];
  repairs: string[];
  nextSegment: number;
}

function replay(directory: string): Replayed {
  const series: [number, string[]][] = [];
  const samples: number[][] = [];
  const report = replayWal(directory, {
    series: (ref, labels, start, end) => series.push([ref, decodeLabels(labels, start, end)]),
    sample: (ref, timeMs, low, high) => samples.push([ref, timeMs, low, high]),
    histogram() {},
    exemplar() {},
    metadata() {},
    tombstone() {},
    unknown() {},
  });
  return { series, samples, repairs: report.repairs, nextSegment: report.nextSegment };
}

const LABELS = ['__name__', 'up', 'job', 'node'];

function write(directory: string, options: { compress?: boolean; segmentBytes?: number } = {}): WalWriter {
  return new WalWriter(directory, 0, {
    compress: options.compress ?? false,
    fsync: false,
    ...(options.segmentBytes ? { segmentBytes: options.segmentBytes } : {}),
  });
}

test('a segment has the bytes that the format says', async () => {
  const directory = temporaryDirectory();
  const writer = write(directory);
  const labels = encodeLabels(LABELS);
  writer.series(7, labels, 0, labels.length);
  writer.sample(7, 1000, 0, 0x3ff00000);
  writer.sample(9, 990, 2, 0x7ff00000);
  await writer.commit();
  const series = Buffer.concat([
    Buffer.from('01000000000000000702', 'hex'),
    ...LABELS.map((text) => Buffer.concat([Buffer.from([text.length]), Buffer.from(text)])),
  ]);
  const samples = Buffer.from(`02${'0000000000000007'}${'00000000000003e8'}${'0000'}3ff0000000000000${'04'}${'13'}7ff0000000000002`, 'hex');
  const fragment = (record: Buffer): Buffer => {
    const head = Buffer.alloc(7);
    head[0] = 1;
    head.writeUInt16BE(record.length, 1);
    head.writeUInt32BE(crc32c(record), 3);
    return Buffer.concat([head, record]);
  };
  assert.equal(fs.readFileSync(path.join(directory, '00000000')).toString('hex'), Buffer.concat([fragment(series), fragment(samples)]).toString('hex'));
  writer.close();
});

test('what was written is read, over pages and segments, with and without compression', async () => {
  for (const compress of [false, true]) {
    const directory = temporaryDirectory();
    const writer = write(directory, { compress, segmentBytes: 1 << 18 });
    const labels = encodeLabels([...LABELS, 'long', 'x'.repeat(70_000)]);
    writer.series(1, labels, 0, labels.length);
    const want: number[][] = [];
    for (let i = 0; i < 60_000; i++) {
      const sample = [1 + (i % 300), 1.7e12 + i * 37, Math.imul(i, 0x9e3779b1), i] as const;
      want.push([...sample]);
      writer.sample(...sample);
      if (i % 997 === 0) await writer.commit();
    }
    writer.close();
    const got = replay(directory);
    assert.deepEqual(got.repairs, []);
    assert.deepEqual(got.samples, want);
    assert.equal(got.series[0]![1].at(-1)!.length, 70_000);
    if (!compress) assert.ok(got.nextSegment > 3, 'several segments');
  }
});

test('a tail torn at any byte of the last record is cut off, and everything before it stays', async () => {
  const directory = temporaryDirectory();
  const writer = write(directory);
  const labels = encodeLabels(LABELS);
  writer.series(1, labels, 0, labels.length);
  writer.sample(1, 1000, 1, 1);
  await writer.commit();
  const file = path.join(directory, '00000000');
  const whole = fs.statSync(file).size;
  writer.sample(1, 2000, 2, 2);
  await writer.commit();
  writer.close();
  const bytes = fs.readFileSync(file);
  for (let size = whole; size <= bytes.length; size++) {
    fs.writeFileSync(file, bytes.subarray(0, size));
    const { samples } = replay(directory);
    assert.deepEqual(
      samples,
      size === bytes.length
        ? [
            [1, 1000, 1, 1],
            [1, 2000, 2, 2],
          ]
        : [[1, 1000, 1, 1]],
      `cut at ${size}`,
    );
    assert.equal(fs.statSync(file).size, size === bytes.length ? size : whole, `file after the repair at ${size}`);
    assert.deepEqual(replay(directory).repairs, [], 'the second reading finds nothing to repair');
  }
});

test('damage in the middle sets the later segments aside', async () => {
  const directory = temporaryDirectory();
  const writer = write(directory);
  writer.sample(1, 1000, 1, 1);
  await writer.commit();
  writer.sample(1, 2000, 2, 2);
  writer.roll();
  writer.sample(1, 3000, 3, 3);
  writer.close();
  const file = path.join(directory, '00000000');
  const bytes = fs.readFileSync(file);
  bytes[45]! ^= 1; // In the second record.
  fs.writeFileSync(file, bytes);
  const got = replay(directory);
  assert.deepEqual(got.samples, [[1, 1000, 1, 1]]);
  assert.equal(got.repairs.length, 2);
  assert.ok(fs.existsSync(`${file}.corrupt`) && fs.existsSync(path.join(directory, '00000001.corrupt')));
});

test('a full disk fails every commit with RetryableError, and the process lives', async () => {
  const directory = temporaryDirectory();
  fs.symlinkSync('/dev/full', path.join(directory, '00000000'));
  const writer = write(directory);
  writer.sample(1, 1000, 1, 1);
  await assert.rejects(writer.commit(), { name: 'RetryableError' });
  writer.sample(1, 2000, 1, 1);
  await assert.rejects(writer.commit(), { name: 'RetryableError' });
});
