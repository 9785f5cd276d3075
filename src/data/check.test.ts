import assert from 'node:assert';
import test from 'node:test';
import { Batch, SIGNALS, type Signal } from '#src/core/batch.ts';
import { PermanentError } from '#src/core/errors.ts';
import { concatBatches, splitBatch } from './batching.ts';
import { checkAndCount } from './check.ts';
import { parseOtlpJson } from './json_read.ts';
import { formatOtlpJson } from './json_write.ts';
import { BatchReader } from './read.ts';
import { decodePlain, type Plain, Random, REQUEST_TYPES, randomRequest } from './testing/random_otlp.ts';

const RUNS = 150;
const each = (check: (signal: Signal, seed: number, bytes: Buffer) => void): void => {
  for (const signal of SIGNALS) for (let seed = 1; seed <= RUNS; seed++) check(signal, seed, randomRequest(signal, seed).bytes);
};
const many = (value: unknown): Plain[] => (value as Plain[] | undefined) ?? [];
function records(signal: Signal, bytes: Uint8Array): Plain[] {
  const name = {
    traces: ['resourceSpans', 'scopeSpans', 'spans'],
    logs: ['resourceLogs', 'scopeLogs', 'logRecords'],
    metrics: ['resourceMetrics', 'scopeMetrics', 'metrics'],
  }[signal];
  return many(decodePlain(REQUEST_TYPES[signal], bytes)[name[0]!]).flatMap((group) => many(group[name[1]!]).flatMap((scope) => many(scope[name[2]!])));
}
function items(signal: Signal, bytes: Uint8Array): number {
  if (signal !== 'metrics') return records(signal, bytes).length;
  return records(signal, bytes).reduce((sum, metric) => {
    const data = (metric['gauge'] ?? metric['sum'] ?? metric['histogram'] ?? metric['exponentialHistogram'] ?? metric['summary']) as Plain | undefined;
    return sum + many(data?.['dataPoints']).length;
  }, 0);
}

test('checkAndCount() counts what protobufjs decodes, in any order of fields and with unknown ones', () => {
  each((signal, seed, bytes) => assert.equal(checkAndCount(signal, bytes), items(signal, bytes), `${signal} ${seed}`));
});
test('checkAndCount() refuses every message that is cut inside a record, and nothing else than PermanentError leaves it', () => {
  let refused = 0;
  each((signal, seed, bytes) => {
    if (seed > 30) return;
    for (let n = 0; n < bytes.length; n += 1 + (bytes.length >> 7)) {
      try {
        checkAndCount(signal, bytes.subarray(0, n));
      } catch (error) {
        assert.ok(error instanceof PermanentError, String(error));
        refused++;
      }
    }
  });
  assert.ok(refused > 1000, `${refused}`);
});
test('checkAndCount() refuses lengths that lie, wrong wire types, groups and endless varints', () => {
  const refuse = (...bytes: number[]): unknown => assert.throws(() => checkAndCount('traces', Buffer.from(bytes)), PermanentError);
  refuse(0x0a, 5, 0); // A resource longer than the request.
  refuse(0x0a, 4, 0x12, 9, 0x12, 0); // A scope longer than its resource.
  refuse(0x0a, 6, 0x12, 4, 0x12, 2, 0x2a, 5); // A name longer than its span.
  refuse(0x0a, 6, 0x12, 4, 0x12, 2, 0x28, 5); // A name that is a number.
  refuse(0x0a, 6, 0x12, 4, 0x12, 2, 0x33, 0x34); // A group.
  const span = (...bytes: number[]): number[] => [0x0a, bytes.length + 4, 0x12, bytes.length + 2, 0x12, bytes.length, ...bytes];
  for (const last of [0x00, 0x03, 0x33, 0x06, 0x2a, 0x30, 0x39, 0x8a, 0x85]) {
    refuse(...span(last)); // Nothing may be read behind the request, nor taken for its end.
    refuse(...span(0x2a, 1, 0x61, last));
    refuse(...span(last), 0x0a, 0);
  }
  refuse(...span(0x2a, 0x80)); // Lengths that are not whole.
  refuse(...span(0x2a, 0x80, 0x80));
  refuse(...span(0x30, ...Array.from({ length: 10 }, () => 0x80), 1)); // A varint of eleven bytes.
  refuse(0x08, 1);
  refuse(0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01);
  refuse(0x0a, 0x80);
  refuse(0x02, 0); // Field 0.
});
test('random damage never leaves a reader, writer of JSON or the check with anything but an answer or PermanentError', () => {
  each((signal, seed, bytes) => {
    const random = new Random(seed);
    const damaged = Buffer.from(bytes);
    for (let i = 0; i < 3 && damaged.length > 0; i++) damaged[random.below(damaged.length)] = random.below(256);
    for (const work of [() => checkAndCount(signal, damaged), () => formatOtlpJson(signal, damaged), () => readAll(signal, damaged)]) {
      try {
        work();
      } catch (error) {
        assert.ok(error instanceof PermanentError, `${signal} ${seed}: ${(error as Error).stack}`);
      }
    }
  });
});
function readAll(signal: Signal, bytes: Buffer): number {
  const reader = new BatchReader(new Batch(signal, [bytes], 0));
  let count = 0;
  while (reader.nextResource()) {
    reader.resource.attributes();
    while (reader.nextScope()) {
      while (reader.nextRecord()) {
        reader.record.attributes();
        if (signal === 'metrics') {
          while (reader.nextPoint()) {
            reader.point.attributes();
            count++;
          }
        } else count++;
      }
    }
  }
  return count;
}
test('BatchReader reaches every item', () => {
  each((signal, seed, bytes) => assert.equal(readAll(signal, bytes), items(signal, bytes), `${signal} ${seed}`));
});

test('OTLP JSON that is read and written again is the same JSON, with as many items', () => {
  each((signal, seed, bytes) => {
    const json = formatOtlpJson(signal, bytes);
    const back = parseOtlpJson(signal, json);
    const again = formatOtlpJson(signal, back);
    assert.equal(again, json, `${signal} ${seed}`);
    assert.equal(items(signal, back), items(signal, bytes));
    JSON.parse(json);
  });
});
test('splitBatch() cuts into pieces of exactly the size and loses no record; concatBatches() puts them together', () => {
  each((signal, seed, bytes) => {
    const count = checkAndCount(signal, bytes);
    const whole = new Batch(signal, [bytes, bytes], count * 2);
    const max = 1 + (seed % 5);
    const pieces = splitBatch(whole, max);
    pieces.forEach((piece, i) => {
      assert.equal(checkAndCount(signal, piece.bytes), piece.itemCount);
      if (i < pieces.length - 1 && whole.itemCount > max) assert.equal(piece.itemCount, max, `${signal} ${seed}`);
    });
    const together = concatBatches(pieces);
    assert.equal(together.itemCount, whole.itemCount);
    if (signal !== 'metrics') assert.deepEqual(records(signal, together.bytes), records(signal, whole.bytes));
    if (count * 2 <= max) assert.equal(pieces[0], whole);
  });
});
