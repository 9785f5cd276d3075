/** A test of a type. */
import { defineConverter, p } from '#ottl/function.ts';
import { ValueMap } from '#ottl/values.ts';

export default defineConverter({
  name: 'IsMap',
  summary: 'Whether the value is a map.',
  params: { target: p.getter },
  examples: [
    { run: 'IsMap({"a": 1})', want: true },
    { run: 'IsMap("x")', want: false },
    { run: 'IsMap(attributes["x"])', want: false },
  ],
  create({ target }) {
    return (record) => {
      const value = target.get(record);
      return value instanceof ValueMap;
    };
  },
});
