/** A test of a type. */
import { defineConverter, p } from '#ottl/function.ts';

export default defineConverter({
  name: 'IsBool',
  summary: 'Whether the value is a bool.',
  params: { target: p.getter },
  examples: [
    { run: 'IsBool(true)', want: true },
    { run: 'IsBool("true")', want: false },
    { run: 'IsBool(attributes["x"])', want: false },
  ],
  create({ target }) {
    return (record) => {
      const value = target.get(record);
      return typeof value === 'boolean';
    };
  },
});
