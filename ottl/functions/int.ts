/** Conversion to another type. */
import { defineConverter, p } from '#ottl/function.ts';

export default defineConverter({
  name: 'Int',
  summary: 'The value as an int; nil stays nil.',
  params: { target: p.intLike },
  examples: [
    { run: 'Int("-7")', want: -7n },
    { run: 'Int(2.9)', want: 2n },
    { run: 'Int("x")', want: null, note: 'text that is no number becomes nil' },
  ],
  create({ target }) {
    return (record) => target.get(record);
  },
});
