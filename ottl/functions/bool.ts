/** Conversion to another type. */
import { defineConverter, p } from '#ottl/function.ts';

export default defineConverter({
  name: 'Bool',
  summary: 'The value as a bool; nil stays nil.',
  params: { target: p.boolLike },
  examples: [
    { run: 'Bool("t")', want: true },
    { run: 'Bool(0)', want: false },
    { run: 'Bool(attributes["x"])', want: null },
    { run: 'Bool("yes")', error: 'invalid syntax' },
  ],
  create({ target }) {
    return (record) => target.get(record);
  },
});
