/** Whether a list has an item. */
import { defineConverter, p } from '#ottl/function.ts';
import { compareValues } from '#ottl/values.ts';

export default defineConverter({
  name: 'ContainsValue',
  summary: 'Whether an item of the list equals the value, by the rules of ==.',
  params: { target: p.slice, item: p.getter },
  examples: [
    { run: 'ContainsValue(attributes["tags"], "a")', given: { attributes: { tags: ['b', 'a'] } }, want: true },
    { run: 'ContainsValue([1, 2], 3)', want: false },
    { run: 'ContainsValue("a", "a")', error: 'expected pcommon.Slice but got string' },
  ],
  create({ target, item }) {
    return (record) => {
      const list = target.get(record),
        wanted = item.get(record);
      return list.some((one) => compareValues(one, wanted, '=='));
    };
  },
});
