/** Conversion to another type. */
import { defineConverter, p } from '#ottl/function.ts';

export default defineConverter({
  name: 'String',
  summary: 'The value as text; nil stays nil.',
  params: { target: p.stringLike },
  examples: [
    { run: 'String(5)', want: '5' },
    { run: 'String([1, "a"])', want: '[1,"a"]' },
    { run: 'String(attributes["x"])', want: null },
  ],
  create({ target }) {
    return (record) => target.get(record);
  },
});
