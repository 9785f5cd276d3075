import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { newColumns } from '#src/core/series.ts';
import type { NativeHistogram } from '#src/core/series.ts';
import { ByteReader, ByteWriter } from '#src/store/bytes.ts';
import { putHistogram, readHistogram } from '#src/store/histogram_codec.ts';
import { HistogramChunk, decodeHistograms } from './histogram.ts';
import type { HistogramSample } from './histogram.ts';

const bits = (value: number): { sumLow: number; sumHigh: number } => {
  const words = new Int32Array(new Float64Array([value]).buffer);
  return { sumLow: words[0]!, sumHigh: words[1]! };
};
const STALE = { sumLow: 2, sumHigh: 0x7ff00000 };

const count = fc.integer({ min: 0, max: 2 ** 40 });
/** Chains of histograms of one layout whose buckets only grow. */
const chain = fc
  .record({
    integer: fc.boolean(),
    schema: fc.constantFrom(-4, 0, 3, 8, -53),
    zeroThreshold: fc.constantFrom(0, 2 ** -128, 0.001, 1),
    positives: fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 3 }),
    negatives: fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 2 }),
    steps: fc.array(
      fc.record({ step: fc.integer({ min: 1, max: 2 ** 36 }), add: fc.array(count, { minLength: 21, maxLength: 21 }), sum: fc.double({ noNaN: true }) }),
      { minLength: 1, maxLength: 30 },
    ),
  })
  .map(({ integer, schema, zeroThreshold, positives, negatives, steps }) => {
    const isCustom = schema === -53;
    const spans = (lengths: number[]): NativeHistogram['positiveSpans'] => lengths.map((length, i) => ({ offset: i === 0 && !isCustom ? -7 : i, length }));
    const positiveSpans = spans(positives);
    const negativeSpans = isCustom ? [] : spans(negatives);
    const size = (list: { length: number }[]): number => list.reduce((sum, { length }) => sum + length, 0);
    const scale = integer ? 1 : 0.25;
    const totals = new Array<number>(21).fill(0);
    let timeMs = -1000;
    return steps.map(({ step, add, sum }): HistogramSample => {
      timeMs += step;
      for (let i = 0; i < 21; i++) totals[i]! += add[i]! * scale;
      const histogram: NativeHistogram = {
        schema,
        zeroThreshold: isCustom ? 0 : zeroThreshold,
        zeroCount: isCustom ? 0 : totals[20]!,
        count: totals.reduce((a, b) => a + b, 0),
        sum,
        counterResetHint: 0,
        positiveSpans,
        positiveBuckets: totals.slice(0, size(positiveSpans)),
        negativeSpans,
        negativeBuckets: totals.slice(12, 12 + size(negativeSpans)),
        customValues: isCustom ? [-1.5, 0.25, 10, 33554.5] : [],
        integer,
      };
      return { timeMs, ...bits(sum), histogram };
    });
  });

function decode(chunk: HistogramChunk): HistogramSample[] {
  const columns = newColumns(1);
  decodeHistograms(chunk.encoding, chunk.bytes(), -Infinity, Infinity, columns);
  return Array.from({ length: columns.count }, (_, i) => ({
    timeMs: columns.times[i]!,
    sumLow: columns.valueBits[2 * i]! | 0,
    sumHigh: columns.valueBits[2 * i + 1]! | 0,
    histogram: columns.histograms![i]!,
  }));
}
const plain = (samples: HistogramSample[]): HistogramSample[] =>
  samples.map((sample) => ({ ...sample, histogram: { ...sample.histogram, counterResetHint: 0 } }));

test('integer and float histograms come back from a chunk as they were', () => {
  fc.assert(
    fc.property(chain, (samples) => {
      const chunk = new HistogramChunk(samples[0]!, false);
      for (const sample of samples.slice(1)) {
        assert.equal(chunk.accepts(sample), 'yes');
        chunk.append(sample);
      }
      assert.deepEqual(plain(decode(chunk)), samples);
    }),
    { numRuns: 200 },
  );
});

test('a log record gives back what was put into it', () => {
  fc.assert(
    fc.property(chain, (samples) => {
      for (const sample of samples) {
        const writer = new ByteWriter();
        putHistogram(writer, sample);
        assert.deepEqual(readHistogram(new ByteReader(writer.written()), sample.timeMs, sample.histogram.integer), sample);
      }
    }),
    { numRuns: 50 },
  );
});

test('a reset, another layout and a staleness marker end a chunk', () => {
  const make = (timeMs: number, buckets: number[], hint = 0): HistogramSample => ({
    timeMs,
    ...bits(1),
    histogram: {
      schema: 0,
      zeroThreshold: 0,
      zeroCount: 0,
      count: buckets.reduce((a, b) => a + b, 0),
      sum: 1,
      counterResetHint: hint,
      positiveSpans: [{ offset: 0, length: buckets.length }],
      positiveBuckets: buckets,
      negativeSpans: [],
      negativeBuckets: [],
      customValues: [],
      integer: true,
    },
  });
  const chunk = new HistogramChunk(make(1, [1, 5]), false);
  assert.equal(chunk.accepts(make(2, [2, 4])), 'reset', 'a bucket fell');
  assert.equal(chunk.accepts(make(2, [1, 5, 1])), 'no', 'another bucket');
  assert.equal(chunk.accepts(make(2, [1, 5], 3)), 'no', 'a gauge');
  assert.equal(chunk.accepts(make(2, [1, 5], 1)), 'reset', 'the sender says so');
  const stale = { ...make(2, []), ...STALE };
  assert.equal(chunk.accepts(stale), 'yes');
  chunk.append(stale);
  assert.equal(chunk.accepts(make(3, [1, 6])), 'no', 'behind a staleness marker');
  const got = decode(chunk);
  assert.deepEqual([got[1]!.sumLow, got[1]!.sumHigh], [2, 0x7ff00000]);
  assert.deepEqual(got[0]!.histogram.positiveBuckets, [1, 5]);
  assert.equal(decode(new HistogramChunk(make(1, [1]), true))[0]!.histogram.counterResetHint, 1);
  assert.equal(got[1]!.histogram.counterResetHint, 2, 'within a chunk there is no reset');
});

test('decoding damaged histogram chunks ends, with some samples or a CorruptError', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 3, maxLength: 120 }), fc.constantFrom(2, 3), (bytes, encoding) => {
      try {
        decodeHistograms(encoding, bytes, -Infinity, Infinity, newColumns(1));
      } catch (error) {
        assert.equal((error as Error).name, 'CorruptError', (error as Error).stack);
      }
    }),
    { numRuns: 300 },
  );
});
