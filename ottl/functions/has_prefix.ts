/** A test of one end of a text. */
import { defineConverter, p } from '#ottl/function.ts';

export default defineConverter({
  name: 'HasPrefix',
  summary: 'Whether a text begins with another.',
  params: { target: p.string, prefix: p.string },
  examples: [
    { run: 'HasPrefix("foobar", "foo")', want: true },
    { run: 'HasPrefix("foobar", "x")', want: false },
    { run: 'HasPrefix(attributes["x"], "x")', error: 'expected string but got nil' },
  ],
  create({ target, prefix }) {
    return (record) => target.get(record).startsWith(prefix.get(record));
  },
});
