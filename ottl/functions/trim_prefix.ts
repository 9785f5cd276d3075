/** Takes one end of a text away. */
import { defineConverter, p } from '#ottl/function.ts';

export default defineConverter({
  name: 'TrimPrefix',
  summary: 'The text without the given prefix, once; unchanged where it has none.',
  params: { target: p.string, prefix: p.string },
  examples: [
    { run: 'TrimPrefix("foofoobar", "foo")', want: 'foobar' },
    { run: 'TrimPrefix("foobar", "x")', want: 'foobar' },
  ],
  create({ target, prefix }) {
    return (record) => {
      const text = target.get(record),
        cut = prefix.get(record);
      return text.startsWith(cut) ? text.slice(cut.length) : text;
    };
  },
});
