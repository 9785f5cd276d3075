/** A test of a type. */
import { defineConverter, p } from '#ottl/function.ts';

export default defineConverter({
  name: 'IsInt',
  summary: 'Whether the value is an int.',
  params: { target: p.getter },
  examples: [
    { run: 'IsInt(1)', want: true },
    { run: 'IsInt(1.5)', want: false },
    { run: 'IsInt(attributes["x"])', want: false },
  ],
  create({ target }) {
    return (record) => {
      const value = target.get(record);
      return typeof value === 'bigint';
    };
  },
});
