import assert from 'node:assert';
import test from 'node:test';
import fc from 'fast-check';
import snappyjs from 'snappyjs';
import { PermanentError } from '#src/core/errors.ts';
import { crc32c } from './crc32c.ts';
import { snappyDecode, snappyDecodeInto, snappyEncode } from './snappy.ts';

const blocks = fc
  .array(fc.tuple(fc.uint8Array({ maxLength: 40 }), fc.integer({ min: 1, max: 200 })), { maxLength: 40 })
  .map((list) => Buffer.concat(list.flatMap(([bytes, times]) => Array.from({ length: times % 7 === 0 ? times * 20 : times % 5 }, () => Buffer.from(bytes)))));

test('snappyEncode() writes what snappyjs reads, and snappyDecode() reads both', () => {
  fc.assert(
    fc.property(blocks, (bytes) => {
      const encoded = snappyEncode(bytes);
      assert.ok(Buffer.from(snappyjs.uncompress(encoded)).equals(bytes));
      assert.ok(snappyDecode(encoded, bytes.length).equals(bytes));
      assert.ok(snappyDecode(Buffer.from(snappyjs.compress(bytes)), bytes.length).equals(bytes));
    }),
    { numRuns: 200 },
  );
});
test('snappyEncode() spans blocks and makes repetitive input small', () => {
  const bytes = Buffer.from('http_requests_total{code="200",method="GET"} '.repeat(5000));
  const encoded = snappyEncode(bytes);
  assert.ok(snappyDecode(encoded, bytes.length).equals(bytes));
  assert.ok(encoded.length < bytes.length / 15, `${encoded.length} of ${bytes.length}`);
});
test('snappyDecode() refuses truncated, lying and damaged input without reading or writing elsewhere', () => {
  const good = snappyEncode(Buffer.from('abcdefgh'.repeat(100)));
  for (let n = 0; n < good.length; n++) assert.throws(() => snappyDecode(good.subarray(0, n), 1e6), PermanentError);
  assert.throws(() => snappyDecode(good, 799), /limit/);
  assert.throws(() => snappyDecode(Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f, 0]), 1e10), /cannot hold/);
  assert.throws(() => snappyDecode(Buffer.from([4, 0x01, 0x05]), 100), /corrupt/); // A copy from before the beginning.
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      const out = Buffer.alloc(400, 0xaa);
      try {
        snappyDecodeInto(bytes, out.subarray(0, 300));
      } catch (error) {
        assert.ok(error instanceof PermanentError);
      }
      assert.ok(out.subarray(300).every((b) => b === 0xaa));
    }),
    { numRuns: 1000 },
  );
});
test('crc32c() gives the check values of RFC 3720, whole and in pieces', () => {
  assert.equal(crc32c(Buffer.from('123456789')), 0xe3069283);
  assert.equal(crc32c(Buffer.alloc(32)), 0x8a9136aa);
  assert.equal(crc32c(Buffer.alloc(32, 0xff)), 0x62a8ab43);
  assert.equal(crc32c(Buffer.from(Array.from({ length: 32 }, (_, i) => i))), 0x46dd794e);
  assert.equal(crc32c(Buffer.from('xx123456789'), 5, 11, crc32c(Buffer.from('123'))), 0xe3069283);
});
