/** A list in order. */
import { defineConverter, p } from '#ottl/function.ts';
import { compareValues, fail, type Stored, stringList, StringList, toStored, typeName, ValueMap } from '#ottl/values.ts';
import { valueText } from '#src/data/value_text.ts';

export default defineConverter({
  name: 'Sort',
  summary: 'The list in ascending ("asc") or descending ("desc") order: numbers by value, anything mixed by its text; lists with maps or lists in them stay.',
  params: { target: p.getter, order: p.optional(p.stringLiteral) },
  returnsList: true,
  examples: [
    { run: 'Sort([3, 1, 2])', want: [1n, 2n, 3n] },
    { run: 'Sort([1.5, 3, 2], "desc")', want: [3n, 2n, 1.5] },
    { run: 'Sort(["b", true, 1])', want: [1n, 'b', true] },
    { run: 'Sort([1], "up")', error: 'invalid arguments: up. Order should be either "asc" or "desc"' },
  ],
  create({ target, order = 'asc' }) {
    if (order !== 'asc' && order !== 'desc') fail(`invalid arguments: ${order}. Order should be either "asc" or "desc"`);
    const direction = order === 'asc' ? 1 : -1;
    return (record) => {
      const value = target.get(record);
      if (!Array.isArray(value)) return fail(`sort with unsupported type: '${typeName(value)}'. Target is not a list`);
      if (value instanceof StringList) return stringList([...value].sort((a, b) => direction * textOrder(a, b)));
      const list = value.map(toStored);
      if (list.some((item) => Array.isArray(item) || item instanceof ValueMap || item instanceof Uint8Array)) return list;
      const numeric = list.every((item) => typeof item === 'bigint' || typeof item === 'number');
      const keyed = list.map((item) => ({ item, key: numeric ? item : valueText(item) }));
      return keyed.sort((a, b) => direction * (numeric ? numberOrder(a.key, b.key) : textOrder(a.key as string, b.key as string))).map(({ item }) => item);
    };
  },
});
const numberOrder = (a: Stored, b: Stored): number => (compareValues(a, b, '<') ? -1 : compareValues(a, b, '>') ? 1 : 0);
const textOrder = (a: string, b: string): number => (compareValues(a, b, '<') ? -1 : a === b ? 0 : 1);
