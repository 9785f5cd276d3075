/** The 64-bit XXH3 hash of a text, in hex. */
import { xxh3Hash64 } from '#ottl/formats/xxh3.ts';
import { defineConverter, p } from '#ottl/function.ts';

export default defineConverter({
  name: 'XXH3',
  summary: 'The 64-bit XXH3 hash of a text, in hex.',
  params: { target: p.string },
  examples: [{ run: 'XXH3("")', want: '2d06800538d394c2' }],
  create({ target }) {
    return (record) => xxh3Hash64(Buffer.from(target.get(record)));
  },
});
