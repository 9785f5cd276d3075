/** Puts the entries of one map into another. */
import { defineEditor, p } from '#ottl/function.ts';
import { copyValue, fail, type Stored } from '#ottl/values.ts';

export default defineEditor({
  name: 'merge_maps',
  summary: 'Puts the entries of `source` into `target`: insert adds keys that are missing, update changes those that are there, upsert does both.',
  params: { target: p.mapPath, source: p.map, strategy: p.stringLiteral },
  examples: [
    { run: 'merge_maps(attributes, {"a": 9, "c": 3}, "insert")', given: { attributes: { a: 1n } }, want: { attributes: { a: 1n, c: 3n } } },
    { run: 'merge_maps(attributes, {"a": 9, "c": 3}, "update")', given: { attributes: { a: 1n } }, want: { attributes: { a: 9n } } },
    { run: 'merge_maps(attributes, {"a": 9, "c": 3}, "upsert")', given: { attributes: { a: 1n } }, want: { attributes: { a: 9n, c: 3n } } },
    { run: 'merge_maps(attributes, {}, "replace")', error: "invalid value for strategy, replace, must be 'insert', 'update' or 'upsert'" },
  ],
  create({ target, source, strategy }) {
    if (!['insert', 'update', 'upsert'].includes(strategy)) fail(`invalid value for strategy, ${strategy}, must be 'insert', 'update' or 'upsert'`);
    const adds = strategy !== 'update',
      changes = strategy !== 'insert';
    return (record) => {
      const map = target.get(record),
        from = source.get(record);
      from.keys.forEach((key, i) => {
        if (map.has(key) ? changes : adds) map.set(key, copyValue(from.values[i]!) as Stored);
      });
      target.set(record, map);
    };
  },
});
