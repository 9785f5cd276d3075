/** Takes one end of a text away. */
import { defineConverter, p } from '#ottl/function.ts';

export default defineConverter({
  name: 'TrimSuffix',
  summary: 'The text without the given suffix, once; unchanged where it has none.',
  params: { target: p.string, suffix: p.string },
  examples: [
    { run: 'TrimSuffix("foobarbar", "bar")', want: 'foobar' },
    { run: 'TrimSuffix("foobar", "x")', want: 'foobar' },
  ],
  create({ target, suffix }) {
    return (record) => {
      const text = target.get(record),
        cut = suffix.get(record);
      return text.endsWith(cut) ? text.slice(0, text.length - cut.length) : text;
    };
  },
});
