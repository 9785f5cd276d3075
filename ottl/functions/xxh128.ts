/** The 128-bit XXH3 hash of a text, in hex. */
import { xxh3Hash128 } from '#ottl/formats/xxh3.ts';
import { defineConverter, p } from '#ottl/function.ts';

export default defineConverter({
  name: 'XXH128',
  summary: 'The 128-bit XXH3 hash of a text, in hex.',
  params: { target: p.string },
  examples: [{ run: 'XXH128("")', want: '99aa06d3014798d86001c324468d497f' }],
  create({ target }) {
    return (record) => xxh3Hash128(Buffer.from(target.get(record)));
  },
});
