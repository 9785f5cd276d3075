/** Bounds a map. */
import { defineEditor, p } from '#ottl/function.ts';
import { fail, ValueMap } from '#ottl/values.ts';

export default defineEditor({
  name: 'limit',
  summary: 'Takes entries out of a map until no more than `limit` are left; those of the priority keys stay.',
  params: { target: p.mapPath, limit: p.intLiteral, priorityKeys: p.list(p.stringLiteral) },
  examples: [
    { run: 'limit(attributes, 2, ["c"])', given: { attributes: { a: 1n, b: 2n, c: 3n } }, want: { attributes: { a: 1n, c: 3n } } },
    { run: 'limit(attributes, 5, [])', given: { attributes: { a: 1n } }, want: { attributes: { a: 1n } } },
    { run: 'limit(attributes, -1, [])', error: 'must be an int' },
    { run: 'limit(attributes, 1, ["a", "b"])', error: '1 cannot be less than number of priority attributes 2' },
  ],
  create({ target, limit, priorityKeys }) {
    if (limit < 0n) fail(`invalid limit for limit function, ${limit} cannot be negative`);
    if (limit < BigInt(priorityKeys.length))
      fail(`invalid limit for limit function, ${limit} cannot be less than number of priority attributes ${priorityKeys.length}`);
    const most = Number(limit),
      first = new Set(priorityKeys);
    return (record) => {
      const map = target.get(record);
      if (map.size <= most) return;
      let count = priorityKeys.filter((key) => map.has(key)).length;
      const kept = map.keys.map((_, i) => i).filter((i) => first.has(map.keys[i]!) || count++ < most);
      target.set(
        record,
        new ValueMap(
          kept.map((i) => map.keys[i]!),
          kept.map((i) => map.values[i]!),
        ),
      );
    };
  },
});
