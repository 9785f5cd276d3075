/** A test of a type. */
import { defineConverter, p } from '#ottl/function.ts';

export default defineConverter({
  name: 'IsDouble',
  summary: 'Whether the value is a float.',
  params: { target: p.getter },
  examples: [
    { run: 'IsDouble(1.5)', want: true },
    { run: 'IsDouble(1)', want: false },
    { run: 'IsDouble(attributes["x"])', want: false },
  ],
  create({ target }) {
    return (record) => {
      const value = target.get(record);
      return typeof value === 'number';
    };
  },
});
