/** The 32-bit MurmurHash3 of a text, in hex. */
import { murmur3Hash32 } from '#ottl/formats/murmur3.ts';
import { defineConverter, p } from '#ottl/function.ts';

export default defineConverter({
  name: 'Murmur3Hash',
  summary: 'The 32-bit MurmurHash3 of a text, in hex.',
  params: { target: p.string },
  examples: [
    { run: 'Murmur3Hash("")', want: '00000000' },
    { run: 'Murmur3Hash("Hello World")', want: 'ce837619' },
  ],
  create({ target }) {
    return (record) => murmur3Hash32(Buffer.from(target.get(record)));
  },
});
