/** Conversion to another type. */
import { defineConverter, p } from '#ottl/function.ts';

export default defineConverter({
  name: 'Double',
  summary: 'The value as a float; nil stays nil.',
  params: { target: p.floatLike },
  examples: [
    { run: 'Double("2.5")', want: 2.5 },
    { run: 'Double(true)', want: 1 },
    { run: 'Double(attributes["x"])', want: null },
    { run: 'Double("x")', error: 'invalid syntax' },
  ],
  create({ target }) {
    return (record) => target.get(record);
  },
});
