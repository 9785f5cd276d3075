/** Chooses entries of a map by name. */
import { defineEditor, p } from '#ottl/function.ts';
import { ValueMap } from '#ottl/values.ts';

export default defineEditor({
  name: 'keep_keys',
  summary: 'Keeps the entries of a map with these keys, and no other.',
  params: { target: p.mapPath, keys: p.list(p.string) },
  examples: [
    { run: 'keep_keys(attributes, ["a", "x"])', given: { attributes: { a: 1n, b: 2n } }, want: { attributes: { a: 1n } } },
    { run: 'keep_keys(attributes, [])', given: { attributes: { a: 1n } }, want: { attributes: {} } },
  ],
  create({ target, keys }) {
    return (record) => {
      const wanted = new Set(keys.map((key) => key.get(record))),
        map = target.get(record),
        kept = map.keys.map((_, i) => i).filter((i) => wanted.has(map.keys[i]!));
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
