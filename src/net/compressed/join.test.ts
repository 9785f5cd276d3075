/** Joined gzip members and zstd frames, compared with what zlib makes of them and with Go's and Python's habits of ending a stream. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import zlib from 'node:zlib';
import fc from 'fast-check';
import { joinChecksums, joinGzip } from './gzip_join.ts';
import { isSkippableFrame, zstdFrameEnd } from './zstd_frames.ts';

/** Text that compresses, with some noise in it. */
function text(seed: number, size: number): Buffer {
  const out = Buffer.alloc(size);
  for (let i = 0, state = seed | 1; i < size; i++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    out[i] = i % 64 < 40 && i >= 64 ? out[i - 64]! : state >>> 24;
  }
  return out;
}
const oneMember = (joined: Buffer | null): Buffer => {
  assert.ok(joined !== null);
  // Its size in the trailer is that of the whole, so it is one member and not several.
  const plain = zlib.gunzipSync(joined);
  assert.equal(joined.readUInt32LE(joined.length - 4), plain.length);
  // Deflate ends where the trailer begins: a decoder that stops at the end of the first member has read everything.
  const raw = zlib.inflateRawSync(joined.subarray(10, joined.length - 8), { info: true }) as unknown as { buffer: Buffer; engine: zlib.InflateRaw };
  assert.equal(raw.engine.bytesWritten, joined.length - 18);
  assert.ok(raw.buffer.equals(plain));
  return plain;
};

test('gzip members of every level and strategy join into one member of their content', () => {
  const { Z_DEFAULT_STRATEGY, Z_HUFFMAN_ONLY, Z_RLE, Z_FIXED, Z_FILTERED } = zlib.constants;
  const parts = [0, 1, 7, 100, 5000, 70_000, 300_000].map((size, i) => text(i + 1, size));
  for (const level of [0, 1, 3, 6, 9])
    for (const strategy of [Z_DEFAULT_STRATEGY, Z_HUFFMAN_ONLY, Z_RLE, Z_FIXED, Z_FILTERED]) {
      const joined = oneMember(joinGzip(parts.map((part) => zlib.gzipSync(part, { level, strategy }))));
      assert.ok(joined.equals(Buffer.concat(parts)), `level ${level}, strategy ${strategy}`);
    }
});

test('any sequence of members joins, whatever their content and the bit they end with', () => {
  const member = fc.tuple(fc.uint8Array({ maxLength: 400 }), fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 4 }), fc.integer({ min: 1, max: 9 }));
  fc.assert(
    fc.property(fc.array(member, { minLength: 1, maxLength: 12 }), (list) => {
      const members = list.map(([bytes, level, strategy, memLevel]) => zlib.gzipSync(bytes, { level, strategy, memLevel }));
      assert.ok(oneMember(joinGzip(members)).equals(Buffer.concat(list.map(([bytes]) => bytes))));
    }),
    { numRuns: 500 },
  );
});

test('streams that end as Go ends them, with an empty stored block, need no filler', () => {
  // What compress/gzip of Go writes: blocks that are not final, then 01 00 00 ff ff.
  const goMember = (bytes: Buffer): Buffer => {
    const body = zlib.deflateRawSync(bytes, { finishFlush: zlib.constants.Z_SYNC_FLUSH });
    const trailer = Buffer.alloc(8);
    trailer.writeUInt32LE(zlib.crc32(bytes));
    trailer.writeUInt32LE(bytes.length, 4);
    return Buffer.concat([Buffer.from('1f8b08000000000000ff', 'hex'), body, Buffer.from([1, 0, 0, 0xff, 0xff]), trailer]);
  };
  const parts = [text(1, 3000), text(2, 40_000), text(3, 10)];
  const members = parts.map(goMember);
  const joined = joinGzip(members)!;
  assert.ok(oneMember(joined).equals(Buffer.concat(parts)));
  assert.equal(
    joined.length,
    members.reduce((sum, member) => sum + member.length - 18, 18),
  );
});

test('headers with names, comments, extra fields and checksums are left behind', () => {
  const plain = zlib.gzipSync('hello');
  const extra = Buffer.concat([Buffer.from([0x1f, 0x8b, 8, 4 | 8 | 16 | 2, 0, 0, 0, 0, 0, 3, 3, 0]), Buffer.from('abcname\0comment\0xx'), plain.subarray(10)]);
  assert.equal(oneMember(joinGzip([extra, plain])).toString(), 'hellohello');
});

test('what is not exactly one member is not joined', () => {
  const whole = zlib.gzipSync(text(5, 2000));
  const check = (bytes: Buffer): void => assert.equal(joinGzip([whole, bytes]), null);
  check(Buffer.concat([whole, whole]));
  check(Buffer.concat([whole, Buffer.alloc(8)]));
  check(whole.subarray(0, whole.length - 1));
  check(whole.subarray(0, 17));
  check(Buffer.alloc(0));
  check(zlib.deflateSync('x'.repeat(40)));
  check(Buffer.concat([Buffer.from([0x1f, 0x8b, 8, 8]), Buffer.alloc(30, 65)]));
});

test('bytes changed anywhere end the walk or give what zlib reads too, and never leave the bytes', () => {
  const whole = zlib.gzipSync(text(9, 3000), { level: 6 });
  fc.assert(
    fc.property(fc.nat(whole.length - 19), fc.integer({ min: 1, max: 255 }), (at, mask) => {
      const bytes = Buffer.from(whole);
      bytes[10 + at]! ^= mask;
      const joined = joinGzip([bytes]);
      if (joined === null) return;
      const body = bytes.subarray(10, -8);
      let content: Buffer | null = null;
      try {
        content = zlib.inflateRawSync(body);
      } catch {
        return; // A distance that reaches too far is for zlib to find.
      }
      assert.ok(zlib.inflateRawSync(joined.subarray(10, -8)).equals(content));
    }),
    { numRuns: 500 },
  );
});

test('the checksum of two pieces follows from theirs', () => {
  for (const size of [0, 1, 2, 255, 65_536, 100_001]) {
    const first = text(3, 777);
    const second = text(4, size);
    assert.equal(joinChecksums(zlib.crc32(first), zlib.crc32(second), size), zlib.crc32(Buffer.concat([first, second])));
  }
});

test('zstd frames end where zlib ends them, with and without sizes and checksums, and skippable ones too', () => {
  const { ZSTD_c_checksumFlag, ZSTD_c_contentSizeFlag, ZSTD_c_compressionLevel } = zlib.constants;
  const frames: Buffer[] = [];
  for (const size of [0, 1, 300, 70_000, 400_000])
    for (const flags of [0, 1, 2, 3])
      frames.push(
        zlib.zstdCompressSync(text(size + 1, size), {
          params: { [ZSTD_c_checksumFlag]: flags & 1, [ZSTD_c_contentSizeFlag]: flags >> 1, [ZSTD_c_compressionLevel]: 3 },
        }),
      );
  frames.push(zlib.zstdCompressSync(Buffer.alloc(500_000, 7)), Buffer.from('532a4d1803000000616263', 'hex'));
  for (const frame of frames) {
    assert.equal(zstdFrameEnd(frame, 0), frame.length);
    assert.equal(zstdFrameEnd(Buffer.concat([frame, frame]), frame.length), frame.length * 2);
    for (const cut of [1, frame.length >> 1, frame.length - 4]) assert.equal(zstdFrameEnd(frame.subarray(0, frame.length - cut), 0), -1);
  }
  assert.ok(isSkippableFrame(frames.at(-1)!, 0) && !isSkippableFrame(frames[0]!, 0));
  assert.equal(zstdFrameEnd(Buffer.from('hello world'), 0), -1);
});
