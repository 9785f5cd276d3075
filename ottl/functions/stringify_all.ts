/** Makes text of all values. */
import { defineEditor, p } from '#ottl/function.ts';
import { ValueMap } from '#ottl/values.ts';
import { valueText } from '#src/data/value_text.ts';

export default defineEditor({
  name: 'stringify_all',
  summary: 'Makes text of all values of a map.',
  params: { target: p.mapPath },
  examples: [{ run: 'stringify_all(attributes)', given: { attributes: { a: 1n, b: [true], c: 'x' } }, want: { attributes: { a: '1', b: '[true]', c: 'x' } } }],
  create({ target }) {
    return (record) => {
      const map = target.get(record);
      target.set(record, new ValueMap([...map.keys], map.values.map(valueText)));
    };
  },
});
