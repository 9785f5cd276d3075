import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PermanentError } from '#src/core/errors.ts';
import { decodeLz4, encodeLz4 } from './lz4.ts';
import { xxh32 } from './xxh32.ts';

const FOX = Buffer.from('The quick brown fox. '.repeat(20));
/** FOX as github.com/pierrec/lz4 writes it, which the Collector uses. */
const GO_FRAMES = {
  'its defaults': 'BCJNGGRwuS0AAAD/BlRoZSBxdWljayBicm93biBmb3guIBUA/2oAjwEAjwGwYnJvd24gZm94LiAAAAAAIz2jKw==',
  'a size and checksums of blocks': 'BCJNGHxwpAEAAAAAAAANLQAAAP8GVGhlIHF1aWNrIGJyb3duIGZveC4gFQD/agCPAQCPAbBicm93biBmb3guIJl7XEoAAAAAIz2jKw==',
  'no checksum, blocks of 64 KB': 'BCJNGGBAgi0AAAD/BlRoZSBxdWljayBicm93biBmb3guIBUA/2oAjwEAjwGwYnJvd24gZm94LiAAAAAA',
};

test('xxh32() gives the values of its specification', () => {
  const check = (text: string, want: number): void => assert.equal(xxh32(Buffer.from(text), 0, text.length), want, text);
  check('', 0x02cc5d05);
  check('a', 0x550d7456);
  check('abc', 0x32d153ff);
  check('Nobody inspects the spammish repetition', 0xe2293b2f);
});

test('frames that Go wrote are read, one or several, with what may be skipped between them', () => {
  for (const [name, frame] of Object.entries(GO_FRAMES)) assert.ok(decodeLz4(Buffer.from(frame, 'base64'), 1000).equals(FOX), name);
  const all = Object.values(GO_FRAMES).map((frame) => Buffer.from(frame, 'base64'));
  const skippable = Buffer.from('532a4d1803000000616263', 'hex');
  assert.equal(decodeLz4(Buffer.concat([all[0]!, skippable, all[1]!, all[2]!]), 2000).length, 3 * FOX.length);
});

test('a block may refer to the one before where its frame says so, and only then', () => {
  // A block of "abcdefgh" as it is, then one with a match of eight bytes that reaches back into it, and an "i".
  const frame = (flags: number): Buffer => {
    const head = Buffer.from([0x04, 0x22, 0x4d, 0x18, flags, 0x40, 0]);
    head[6] = (xxh32(head, 4, 6) >>> 8) & 255;
    return Buffer.concat([head, Buffer.from('08000080', 'hex'), Buffer.from('abcdefgh'), Buffer.from('05000000' + '0408001069' + '00000000', 'hex')]);
  };
  assert.equal(decodeLz4(frame(0x40), 100).toString(), 'abcdefghabcdefghi');
  assert.throws(() => decodeLz4(frame(0x60), 100), /reaches too far back/);
});

test('whatever is encoded is decoded to the same', () => {
  const check = (bytes: Uint8Array): void => assert.ok(decodeLz4(encodeLz4(bytes), bytes.length).equals(bytes), `${bytes.length} bytes`);
  for (const size of [0, 1, 4, 12, 13, 14, 300, 70_000]) {
    check(Buffer.alloc(size, 'ab'));
    check(Buffer.from(Array.from({ length: size }, (_, i) => Math.imul(i + size, 2654435761) >>> 24)));
  }
  check(Buffer.alloc((4 << 20) + 100, 'four megabytes are a block, '));
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.uint8Array({ maxLength: 40 }), fc.integer({ min: 1, max: 400 })), { maxLength: 20 }), (runs) =>
      check(Buffer.concat(runs.flatMap(([bytes, times]) => Array.from({ length: times }, () => bytes)))),
    ),
    { numRuns: 300 },
  );
  assert.ok(encodeLz4(FOX).length < 80);
});

test('broken frames are refused, and no more is decoded than allowed', () => {
  const whole = encodeLz4(FOX);
  assert.throws(() => decodeLz4(whole, FOX.length - 1), RangeError);
  assert.throws(() => decodeLz4(Buffer.from('hello world'), 100), /bad magic number/);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: whole.length - 1 }), fc.integer({ min: 1, max: 255 }), fc.boolean(), (at, mask, cut) => {
      const bytes = Buffer.from(whole);
      bytes[at]! ^= mask;
      let content: Buffer;
      try {
        content = decodeLz4(cut ? whole.subarray(0, at) : bytes, 1 << 20);
      } catch (error) {
        assert.ok(error instanceof PermanentError || error instanceof RangeError, String(error));
        return;
      }
      // An offset of two foxes is as good as one of one.
      assert.ok(!cut && content.equals(FOX));
    }),
    { numRuns: 400 },
  );
});
