/** A test of a type. */
import { defineConverter, p } from '#ottl/function.ts';
import { Opaque } from '#ottl/values.ts';

export default defineConverter({
  name: 'IsList',
  summary: 'Whether the value is a list.',
  params: { target: p.getter },
  examples: [
    { run: 'IsList([1])', want: true },
    { run: 'IsList("x")', want: false },
    { run: 'IsList(attributes["x"])', want: false },
  ],
  create({ target }) {
    return (record) => {
      const value = target.get(record);
      return Array.isArray(value) || (value instanceof Opaque && value.type.endsWith('Slice'));
    };
  },
});
