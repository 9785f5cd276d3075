import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { newColumns } from '#src/core/series.ts';
import { viewOf } from '#src/store/bytes.ts';
import * as xor from './xor.ts';

/** Encodes samples of [time, low, high] as one chunk's bytes. */
function encode(samples: readonly (readonly [number, number, number])[]): Uint8Array {
  const words = new Int32Array(xor.MAX_CHUNK_WORDS);
  const state = new Int32Array(xor.STATE_WORDS);
  const times = new Float64Array(state.buffer);
  xor.resetXor(state, 0);
  for (const [time, low, high] of samples) xor.appendXor(words, 0, state, times, 0, time, low, high);
  xor.sealXor(words, 0, samples.length);
  const size = (state[xor.BIT]! + 7) >> 3;
  const bytes = new Uint8Array(size + 4);
  xor.wordsToBytes(words, 0, size, viewOf(bytes), 0);
  return bytes.slice(0, size);
}

function decode(bytes: Uint8Array, min = -Infinity, max = Infinity): number[][] {
  const words = new Int32Array(xor.MAX_CHUNK_WORDS);
  xor.bytesToWords(viewOf(bytes), 0, bytes.length, words, 0);
  const columns = newColumns(1);
  xor.decodeXor(words, 0, (bytes.length + 3) >> 2, words[0]! >>> 16, min, max, columns);
  return Array.from({ length: columns.count }, (_, i) => [columns.times[i]!, columns.valueBits[2 * i]! | 0, columns.valueBits[2 * i + 1]! | 0]);
}

const bitsOf = (value: number): [number, number] => {
  const words = new Int32Array(new Float64Array([value]).buffer);
  return [words[0]!, words[1]!];
};

test('a chunk has the bytes that the format says', () => {
  const at = (time: number, value: number): [number, number, number] => [time, ...bitsOf(value)];
  const hex = (...samples: [number, number, number][]): string => Buffer.from(encode(samples)).toString('hex');
  // Count, varint of the time, the float.
  assert.equal(hex(at(1, 1)), '0001023ff0000000000000');
  assert.equal(hex(at(-1, 0)), '0001010000000000000000');
  // A second sample: delta 300 as uvarint (ac02), then one bit 0 for the same value.
  assert.equal(hex(at(1, 1), at(301, 1)), '0002023ff0000000000000ac0200');
  // A third at the same distance with the value 2: bit 0; 1 ^ 2 = 7ff0... has 1 leading and 52 trailing zeros, 11 bits: 11 00001 001011 11111111111.
  assert.equal(hex(at(1, 1), at(301, 1), at(601, 2)), `0003023ff0000000000000ac02${bitHex('0' + '0' + '11' + '00001' + '001011' + '11111111111')}`);
  // Delta of delta 60: 10 and 14 bits.
  assert.equal(hex(at(1, 1), at(301, 1), at(661, 1)), `0003023ff0000000000000ac02${bitHex('0' + '10' + '00000000111100' + '0')}`);
});
const bitHex = (bits: string): string =>
  BigInt(`0b1${bits.padEnd(Math.ceil(bits.length / 8) * 8, '0')}`)
    .toString(16)
    .slice(1);

const word = fc.oneof(fc.integer(), fc.constantFrom(0, -1, 1, 0x7ff00000, 2, 0x7ff80000, -2147483648));
const delta = fc.oneof(fc.constantFrom(15_000, 15_000, 15_001, 60_000), fc.integer({ min: 1, max: 100_000 }), fc.integer({ min: 1, max: 2 ** 30 }));

test('every bit of value and time comes back, NaN payloads and staleness markers too', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: -1e12, max: 4e12 }),
      fc.array(fc.tuple(delta, word, word), { minLength: 1, maxLength: xor.SAMPLES_PER_CHUNK }),
      (start, steps) => {
        let time = start;
        const samples = steps.map(([step, low, high]): [number, number, number] => [(time += step), low, high]);
        const bytes = encode(samples);
        assert.deepEqual(decode(bytes), samples);
        const middle = samples[samples.length >> 1]![0];
        assert.deepEqual(decode(bytes, middle, middle), [samples[samples.length >> 1]]);
      },
    ),
    { numRuns: 300 },
  );
});

test('fitsXor() refuses a change of delta that 32 bits do not hold', () => {
  const state = new Int32Array(xor.STATE_WORDS);
  xor.resetXor(state, 0);
  assert.ok(xor.fitsXor(state, 0, 2 ** 40));
  state[xor.COUNT] = 1;
  assert.ok(!xor.fitsXor(state, 0, 2 ** 31));
  state[xor.COUNT] = 2;
  assert.ok(!xor.fitsXor(state, 0, 2 ** 33));
  assert.ok(xor.fitsXor(state, 0, 2 ** 31 - 1));
  state[xor.COUNT] = xor.SAMPLES_PER_CHUNK;
  assert.ok(!xor.fitsXor(state, 0, 1));
});

test('decoding damaged bytes ends, with some samples or a CorruptError', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 4, maxLength: 200 }), (bytes) => {
      try {
        assert.ok(decode(bytes).length <= 65535);
      } catch (error) {
        assert.equal((error as Error).name, 'CorruptError');
      }
    }),
    { numRuns: 300 },
  );
});
