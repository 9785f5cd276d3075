/** Bytes as text. */
import { defineConverter, p } from '#ottl/function.ts';

export default defineConverter({
  name: 'Hex',
  summary: 'The bytes of a value in hex: text in UTF-8, numbers in eight bytes, big endian.',
  params: { target: p.bytesLike },
  examples: [
    { run: 'Hex("hello")', want: '68656c6c6f' },
    { run: 'Hex(15)', want: '000000000000000f' },
    { run: 'Hex(true)', want: '01' },
    { run: 'Hex(attributes["x"])', want: '' },
  ],
  create({ target }) {
    return (record) => Buffer.from(target.get(record) ?? []).toString('hex');
  },
});
