/** What a map is made of. */
import { defineConverter, p } from '#ottl/function.ts';
import { copyValue, type Value } from '#ottl/values.ts';

export default defineConverter({
  name: 'Values',
  summary: 'The values of a map, as a list.',
  params: { target: p.map },
  examples: [{ run: 'Values({"a": 1, "b": "x"})', want: [1n, 'x'] }],
  create({ target }) {
    return (record): Value[] => target.get(record).values.map(copyValue);
  },
});
