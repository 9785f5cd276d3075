/** A test of one end of a text. */
import { defineConverter, p } from '#ottl/function.ts';

export default defineConverter({
  name: 'HasSuffix',
  summary: 'Whether a text ends with another.',
  params: { target: p.string, suffix: p.string },
  examples: [
    { run: 'HasSuffix("foobar", "bar")', want: true },
    { run: 'HasSuffix("foobar", "x")', want: false },
    { run: 'HasSuffix(attributes["x"], "x")', error: 'expected string but got nil' },
  ],
  create({ target, suffix }) {
    return (record) => target.get(record).endsWith(suffix.get(record));
  },
});
