/** Takes one entry out of a map. */
import { defineEditor, p } from '#ottl/function.ts';

export default defineEditor({
  name: 'delete_key',
  summary: 'Takes the entry with this key out of a map.',
  params: { target: p.mapPath, key: p.string },
  examples: [
    { run: 'delete_key(attributes, "a")', given: { attributes: { a: 1n, b: 2n } }, want: { attributes: { b: 2n } } },
    { run: 'delete_key(attributes, "x")', given: { attributes: { a: 1n } }, want: { attributes: { a: 1n } } },
  ],
  create({ target, key }) {
    return (record) => {
      const map = target.get(record);
      map.delete(key.get(record));
      target.set(record, map);
    };
  },
});
