/** A test of a type. */
import { defineConverter, p } from '#ottl/function.ts';

export default defineConverter({
  name: 'IsString',
  summary: 'Whether the value is a string.',
  params: { target: p.getter },
  examples: [
    { run: 'IsString("x")', want: true },
    { run: 'IsString(1)', want: false },
    { run: 'IsString(attributes["x"])', want: false },
  ],
  create({ target }) {
    return (record) => {
      const value = target.get(record);
      return typeof value === 'string';
    };
  },
});
