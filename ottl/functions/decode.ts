/** Text of bytes in some encoding. */
import { lookUpDecoder } from '#ottl/formats/text_encoding.ts';
import { defineConverter, p } from '#ottl/function.ts';
import { fail, typeName, type Value } from '#ottl/values.ts';

export default defineConverter({
  name: 'Decode',
  summary: 'The text of bytes (or of a text) in an encoding: base64, base64-raw, base64-url, base64-raw-url, or a character set of the IANA index.',
  params: { target: p.getter, encoding: p.string },
  examples: [
    { run: 'Decode("aGVsbG8=", "base64")', want: 'hello' },
    { run: 'Decode("fn4-Pj8_", "base64-raw-url")', want: '~~>>??' },
    { run: 'Decode(0x50006900, "utf-16le")', want: 'Pi' },
    { run: 'Decode(0xc6, "iso-8859-1")', want: 'Æ' },
    { run: 'Decode("a", "klingon")', error: "unsupported encoding 'klingon'" },
    { run: 'Decode("%%", "base64")', error: 'could not decode: illegal base64 data' },
  ],
  create({ target, encoding }) {
    const fixed = encoding.literal ? lookUpDecoder(encoding.literal.value) : null;
    return (record) => {
      const value = target.get(record);
      return (fixed ?? lookUpDecoder(encoding.get(record)))(bytesOf(value));
    };
  },
});

function bytesOf(value: Value): Uint8Array {
  if (value instanceof Uint8Array) return value;
  if (typeof value === 'string') return Buffer.from(value);
  return fail(`unsupported type provided to Decode function: ${typeName(value)}`);
}
