/** The first value there is. */
import { defineConverter, p } from '#ottl/function.ts';
import { fail } from '#ottl/values.ts';

export default defineConverter({
  name: 'Coalesce',
  summary: 'The first of the values that is not nil.',
  params: { values: p.list(p.getter) },
  examples: [
    { run: 'Coalesce([attributes["a"], attributes["b"], "none"])', given: { attributes: { b: 2n } }, want: 2n },
    { run: 'Coalesce([attributes["a"]])', want: null },
    { run: 'Coalesce([])', error: 'Coalesce requires at least one argument' },
  ],
  create({ values }) {
    if (values.length === 0) fail('Coalesce requires at least one argument');
    return (record) => {
      for (const value of values) {
        const found = value.get(record);
        if (found !== null) return found;
      }
      return null;
    };
  },
});
