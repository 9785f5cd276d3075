import assert from 'node:assert/strict';
import test from 'node:test';
import { hashFraction, xxHash64 } from './label_hash.ts';

test('xxHash64() gives the hashes of the reference implementation for every length of rest', () => {
  const check = (text: string, want: bigint) => assert.equal(xxHash64(Buffer.from(text)), want, JSON.stringify(text));
  check('', 0xef46db3751d8e999n);
  check('a', 0xd24ec4f1a98c6e5bn);
  check('abc', 0x44bc2cf5ad770999n);
  check('Nobody inspects the spammish repetition', 0xfbcea83c8a378bf1n);
});

test('hashFraction() leads each text with its size, in four bytes from 255 on', () => {
  const encoded = (...parts: (number[] | string)[]): number =>
    Number(xxHash64(Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from(part)))))) / 2 ** 64;
  assert.equal(hashFraction(['a', 'bc']), encoded([1], 'a', [2], 'bc'));
  assert.equal(hashFraction(['a', 'x'.repeat(300)]), encoded([1], 'a', [255, 44, 1, 0], 'x'.repeat(300)));
  assert.equal(hashFraction(['größe', '']), encoded([7], 'größe', [0]));
});
