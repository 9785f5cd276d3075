/** The 128-bit MurmurHash3 of a text, in hex. */
import { murmur3Hash128 } from '#ottl/formats/murmur3.ts';
import { defineConverter, p } from '#ottl/function.ts';

export default defineConverter({
  name: 'Murmur3Hash128',
  summary: 'The 128-bit MurmurHash3 of a text, in hex.',
  params: { target: p.string },
  examples: [{ run: 'Murmur3Hash128("name")', want: 'ebda08fcdf95ce673ac70be02c22e003' }],
  create({ target }) {
    return (record) => murmur3Hash128(Buffer.from(target.get(record)));
  },
});
