import assert from 'node:assert/strict';
import { test } from 'node:test';
import zlib from 'node:zlib';
import type { PackedUse } from '#src/core/batch.ts';
import { PermanentError } from '#src/core/errors.ts';
import { decodeBody, decodeOwned } from '#src/net/compression.ts';
import { packedOf } from './packed.ts';

const PLAIN = Buffer.alloc(100_000, 'some text, ');
const GZIP = zlib.gzipSync(PLAIN, { level: 1, strategy: zlib.constants.Z_HUFFMAN_ONLY });
const ZSTD = zlib.zstdCompressSync(PLAIN);

test('a body is kept where it is one member or frame, and somebody can use it', () => {
  const check = (bytes: Buffer, coding: string, use: PackedUse, wanted: boolean): void =>
    assert.equal(packedOf(bytes, coding, PLAIN.length, use) !== null, wanted, `${coding} ${use} ${bytes.length}`);
  check(GZIP, 'gzip', 'alone', true);
  check(ZSTD, 'zstd', 'joined', true);
  check(GZIP, 'gzip', 'none', false);
  check(zlib.deflateSync(PLAIN), 'zlib', 'joined', false);
  const half = zlib.gzipSync(PLAIN.subarray(50_000));
  check(Buffer.concat([half, half]), 'gzip', 'joined', false);
  check(Buffer.concat([GZIP, Buffer.alloc(4)]), 'gzip', 'joined', false);
  const halfFrame = zlib.zstdCompressSync(PLAIN.subarray(50_000));
  check(Buffer.concat([halfFrame, halfFrame]), 'zstd', 'joined', false);
  assert.equal(packedOf(GZIP, 'gzip', PLAIN.length, 'joined')?.joinable, true);
  assert.equal(packedOf(GZIP, 'gzip', PLAIN.length, 'alone')?.joinable, false);
  assert.equal(packedOf(ZSTD, 'zstd', PLAIN.length, 'joined')?.joinable, false, 'too small to be worth it');
});

test('what is not kept of a body is given back at once', async () => {
  const own = (): Buffer => Buffer.from(GZIP.buffer.slice(GZIP.byteOffset, GZIP.byteOffset + GZIP.length));
  const [kept, gone] = [own(), own()];
  const first = await decodeOwned(kept, 'gzip', 1 << 20, 'alone');
  const second = await decodeOwned(gone, 'gzip', 1 << 20, 'none');
  assert.ok(first.plain.equals(PLAIN) && second.plain.equals(PLAIN));
  assert.deepEqual([first.packed?.pieces[0]?.member, second.packed, gone.length], [kept, null, 0]);
  assert.ok(zlib.gunzipSync(kept).equals(PLAIN));
});

test('all frames of zstd are read, as RFC 8878 has it', async () => {
  const skippable = Buffer.from('532a4d1803000000616263', 'hex');
  const large = zlib.zstdCompressSync(Buffer.from(Array.from({ length: 200_000 }, (_, i) => (Math.imul(i, 2654435761) >>> 13) & 255)));
  for (const frames of [
    [ZSTD, ZSTD],
    [skippable, ZSTD, skippable, ZSTD],
    [large, ZSTD],
  ]) {
    const wanted = Buffer.concat(frames.map((frame) => (frame === skippable ? Buffer.alloc(0) : zlib.zstdDecompressSync(frame))));
    assert.ok((await decodeBody(Buffer.concat(frames), 'zstd', 1 << 20)).equals(wanted));
  }
  const check = (bytes: Buffer, limit: number, wanted: RegExp): void =>
    assert.throws(
      () => decodeBody(bytes, 'zstd', limit),
      (error) => error instanceof PermanentError && wanted.test(error.message),
    );
  check(Buffer.concat([ZSTD, ZSTD]), 150_000, /larger than/);
  check(Buffer.concat([ZSTD, ZSTD.subarray(0, 10)]), 1 << 20, /broken or cut off/);
  check(Buffer.concat([ZSTD, Buffer.from('garbage!')]), 1 << 20, /broken or cut off/);
});
