/** What a map is made of. */
import { defineConverter, p } from '#ottl/function.ts';

export default defineConverter({
  name: 'Keys',
  summary: 'The keys of a map, as a list.',
  params: { target: p.map },
  examples: [{ run: 'Keys({"a": 1, "b": 2})', want: ['a', 'b'] }],
  create({ target }) {
    return (record) => [...target.get(record).keys];
  },
});
