import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CorruptError } from '#src/core/errors.ts';
import { encodeStateless, HeaderListTooLarge, HpackDecoder, HpackEncoder } from './hpack.ts';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
const decodeAll = (decoder: HpackDecoder, block: Buffer): readonly string[] => decoder.decode(block, 0, block.length);

test('the request examples of RFC 7541 C.4 decode, Huffman and dynamic table', () => {
  const decoder = new HpackDecoder(65536);
  const check = (block: string, want: string[]): void => assert.deepEqual(decodeAll(decoder, hex(block)), want);
  check('828684418cf1e3c2e5f23a6ba0ab90f4ff', [':method', 'GET', ':scheme', 'http', ':path', '/', ':authority', 'www.example.com']);
  check('828684be5886a8eb10649cbf', [':method', 'GET', ':scheme', 'http', ':path', '/', ':authority', 'www.example.com', 'cache-control', 'no-cache']);
  check('828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf', [
    ':method',
    'GET',
    ':scheme',
    'https',
    ':path',
    '/index.html',
    ':authority',
    'www.example.com',
    'custom-key',
    'custom-value',
  ]);
});

test('the response examples of RFC 7541 C.6 decode with evictions from a table of 256 bytes', () => {
  const decoder = new HpackDecoder(65536);
  const rest = ['cache-control', 'private', 'date', 'Mon, 21 Oct 2013 20:13:21 GMT', 'location', 'https://www.example.com'];
  const block = hex('3fe101 488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae43d3');
  assert.deepEqual(decodeAll(decoder, block), [':status', '302', ...rest]);
  assert.deepEqual(decodeAll(decoder, hex('4883640effc1c0bf')), [':status', '307', ...rest]);
  const last = decodeAll(
    decoder,
    hex(
      '88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335dfdfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007',
    ),
  );
  assert.deepEqual(last.slice(0, 10), [
    ':status',
    '200',
    'cache-control',
    'private',
    'date',
    'Mon, 21 Oct 2013 20:13:22 GMT',
    'location',
    'https://www.example.com',
    'content-encoding',
    'gzip',
  ]);
  assert.equal(last[11], 'foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1');
});

test('a block that only has indices gives the same list object as long as the table does not change', () => {
  const decoder = new HpackDecoder(65536);
  decodeAll(decoder, hex('400161 0162'));
  const first = decodeAll(decoder, hex('82be'));
  assert.equal(decodeAll(decoder, hex('82be')), first);
  decodeAll(decoder, hex('400163 0164'));
  assert.deepEqual(decodeAll(decoder, hex('82be')), [':method', 'GET', 'c', 'd'], 'index 62 means another field now');
});

test('blocks that break the format are refused and never read past their end', () => {
  const check = (block: string): void => assert.throws(() => decodeAll(new HpackDecoder(65536), hex(block)), CorruptError, block);
  check('80'); // Index 0.
  check('be'); // The dynamic table is empty.
  check('ffffffffff0f'); // An integer beyond 2^28.
  check('7f'); // An integer that is cut off.
  check('0003616263'); // No value.
  check('00036162'); // A name that is cut off.
  check('82 3fe11f'); // A size update behind a field.
  check('3fe21f'); // A table larger than allowed.
  check('00821fff 00'); // Eleven bits of padding.
  check('0081fe 00'); // Padding that is not all ones.
  check('0084ffffffff 00'); // The end-of-string code.
});

test('a header bomb is refused by the size of its list and leaves the table usable', () => {
  const decoder = new HpackDecoder(8192);
  const big = encodeLiteralIndexed('x', 'v'.repeat(3000));
  decodeAll(decoder, big);
  assert.throws(() => decodeAll(decoder, Buffer.alloc(16000, 0xbe)), HeaderListTooLarge);
  assert.equal(decodeAll(decoder, hex('be'))[0], 'x');
});
function encodeLiteralIndexed(name: string, value: string): Buffer {
  return Buffer.concat([
    Buffer.from([0x40, name.length]),
    Buffer.from(name),
    Buffer.from([0x7f, ((value.length - 127) & 127) | 128, (value.length - 127) >> 7]),
    Buffer.from(value),
  ]);
}

test('what the encoder writes the decoder reads, with the second block shorter than the first', () => {
  const encoder = new HpackEncoder();
  const decoder = new HpackDecoder(65536);
  const list = [':method', 'POST', ':path', '/a.B/C', 'te', 'trailers', 'authorization', 'secret', 'x-long', 'y'.repeat(3000)];
  const first = Buffer.from(encoder.encode(list));
  assert.deepEqual(decodeAll(decoder, first), list);
  const second = Buffer.from(encoder.encode(list, ['grpc-timeout', '5S']));
  assert.deepEqual(decodeAll(decoder, second), [...list, 'grpc-timeout', '5S']);
  encoder.setMaxTableBytes(0);
  assert.deepEqual(decodeAll(decoder, Buffer.from(encoder.encode(list))), list);
  assert.deepEqual(decodeAll(decoder, encodeStateless(list)), list);
});
