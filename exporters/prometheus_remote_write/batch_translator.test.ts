/** The labels of series are kept from batch to batch: what comes out must be what a translator without any memory makes. Wire forms are held against recorded cases. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Batch } from '#src/core/batch.ts';
import { PermanentError } from '#src/core/errors.ts';
import { parseOtlpJson } from '#src/data/json_read.ts';
import { encodeInOrder, type Order, type Plain, Random, randomRequest } from '#src/data/testing/random_otlp.ts';
import { otlp } from '#src/data/testing/otlp_descriptor.ts';
import { rulesOf } from '#src/helper/prometheus/names.ts';
import { ProtoReader } from '#src/wire/proto_reader.ts';
import { ProtoWriter } from '#src/wire/proto_writer.ts';
import { snappyDecode } from '#src/wire/snappy.ts';
import { BatchTranslator, type RemoteWriteSettings } from './batch_translator.ts';
import { writeSample } from './write_request.ts';

const SETTINGS: RemoteWriteSettings = {
  rules: rulesOf('UnderscoreEscapingWithSuffixes'), scopeInfo: true, externalLabels: [['zone', 'z1']], keepScraped: false, version: 1, targetInfo: true, sendMetadata: true, maxBatchBytes: 3_000_000,
}; // biome-ignore format: a table
const decode = (bodies: readonly Buffer[]): string[] => bodies.map((body) => snappyDecode(body, 1 << 26).toString('latin1'));

/** A metric of each kind with random values, bounds, labels and flags, some of them twice. */
function randomMetrics(random: Random): Plain {
  const text = (list: readonly string[]) => ({ stringValue: random.pick(list) });
  const attributes = () =>
    Array.from({ length: random.below(3) }, () => ({ key: random.pick(['a', 'a.b', 'a_b', 'x']), value: text(['1', '2', '', 'long'.repeat(40)]) }));
  const common = () => ({
    attributes: attributes(),
    timeUnixNano: String(1_700_000_000_000_000_000n + BigInt(random.below(4)) * 1_000_000n),
    flags: random.below(8) === 0 ? 1 : 0,
  });
  const number = () => ({ ...common(), ...(random.below(2) ? { asInt: String(random.below(9) - 4) } : { asDouble: random.next() }) });
  const histogram = () => {
    const bounds = [0.5, 1, 2].slice(random.below(4));
    return {
      ...common(),
      count: '9',
      ...(random.below(3) ? { sum: 2 } : {}),
      explicitBounds: bounds,
      bucketCounts: Array.from({ length: bounds.length + random.below(2) }, () => String(random.below(5))),
      exemplars: random.below(3) ? [] : [{ timeUnixNano: '5', asDouble: random.next() * 3 }],
    };
  };
  const exponential = () => ({
    ...common(),
    count: '3',
    sum: 1,
    scale: random.below(12) - 3,
    positive: { offset: random.below(9) - 4, bucketCounts: ['1', '0', '2'] },
  });
  const summary = () => ({ ...common(), count: '3', sum: 1, quantileValues: [{ quantile: random.pick([0.5, 0.9]), value: random.next() }] });
  const points = (make: () => Plain) => Array.from({ length: 1 + random.below(4) }, make);
  const metrics = Array.from({ length: 1 + random.below(5) }, () => {
    const named = { name: random.pick(['m', 'm.x', 'n']), unit: random.pick(['', 's']), description: random.pick(['', 'd']) };
    const kind = random.below(5),
      aggregationTemporality = random.below(6) ? 2 : 1;
    if (kind === 0) return { ...named, gauge: { dataPoints: points(number) } };
    if (kind === 1) return { ...named, sum: { dataPoints: points(number), aggregationTemporality, isMonotonic: random.below(2) === 1 } };
    if (kind === 2) return { ...named, histogram: { dataPoints: points(histogram), aggregationTemporality } };
    if (kind === 3) return { ...named, exponentialHistogram: { dataPoints: points(exponential), aggregationTemporality } };
    return { ...named, summary: { dataPoints: points(summary) } };
  });
  const resource = { attributes: [{ key: 'service.name', value: text(['s', 't']) }, ...(random.below(2) ? [{ key: 'env', value: text(['p', 'q']) }] : [])] };
  return { resourceMetrics: [{ resource, scopeMetrics: [{ scope: { name: random.pick(['', 'lib']) }, metrics }] }] };
}

test('a translator that remembers makes the same requests as a new one, in every order of fields', () => {
  const type = otlp.lookupType('MetricsData');
  for (const version of [1, 2] as const) {
    const warm = new BatchTranslator({ ...SETTINGS, version });
    for (let seed = 1; seed <= 300; seed++) {
      const random = new Random(seed),
        json = parseOtlpJson('metrics', JSON.stringify(randomMetrics(random)));
      const bytes = encodeInOrder(
        type,
        type.toObject(type.decode(json)) as Plain,
        random.pick(['ascending', 'descending', 'random'] as Order[]),
        random,
        random.below(2) === 1,
      );
      const batch = new Batch('metrics', [bytes], 1),
        fresh = new BatchTranslator({ ...SETTINGS, version });
      assert.deepEqual(decode(warm.translate(batch)), decode(fresh.translate(batch)), `seed ${seed}`);
      assert.equal(warm.untranslated, fresh.untranslated);
    }
  }
});

test('any valid OTLP is translated and any broken one refused, and the translator goes on', () => {
  const translator = new BatchTranslator(SETTINGS);
  for (let seed = 1; seed <= 100; seed++) {
    const { bytes } = randomRequest('metrics', seed),
      random = new Random(seed);
    translator.translate(new Batch('metrics', [bytes], 1));
    const broken = Buffer.from(bytes.subarray(0, random.below(bytes.length)));
    try {
      translator.translate(new Batch('metrics', [broken], 1));
    } catch (error) {
      assert.ok(error instanceof PermanentError, `seed ${seed}: ${String(error)}`);
    }
  }
});

test('requests keep to the size, and nothing is lost where they are cut', () => {
  const dataPoints = Array.from({ length: 300 }, (_, i) => ({
    attributes: [{ key: 'i', value: { stringValue: `value ${i}` } }],
    timeUnixNano: '1700000000000000000',
    asInt: String(i),
  }));
  const batch = new Batch(
    'metrics',
    [parseOtlpJson('metrics', JSON.stringify({ resourceMetrics: [{ scopeMetrics: [{ metrics: [{ name: 'g', gauge: { dataPoints } }] }] }] }))],
    300,
  );
  for (const version of [1, 2] as const) {
    const bodies = decode(new BatchTranslator({ ...SETTINGS, version, sendMetadata: false, maxBatchBytes: 1000 }).translate(batch));
    assert.ok(bodies.length > 10 && bodies.every((body) => body.length <= 1000), `${bodies.length} requests`);
    const found = bodies.join('').match(/value \d+/g)!;
    assert.deepEqual(
      found,
      Array.from({ length: 300 }, (_, i) => `value ${i}`),
    );
  }
});

test('times of samples are varints of any size', () => {
  for (const timeMs of [0, 1, 127, 128, 4294967295, 4294967296, 1_700_000_000_123, 18_446_744_073_709]) {
    const writer = new ProtoWriter();
    writeSample(writer, timeMs, 2, 0x7ff00000);
    const reader = new ProtoReader(writer.finish());
    assert.equal(reader.tag(), 0x12);
    assert.equal(reader.uint32(), writer.length - 2);
    assert.equal(reader.tag(), 0x09);
    assert.equal(reader.fixed64(), 0x7ff0000000000002n);
    assert.equal(reader.tag(), 0x10);
    assert.equal(reader.int64Number(), timeMs);
  }
});
