/** The editor that most statements are. */
import { defineEditor, p } from '#ottl/function.ts';

export default defineEditor({
  name: 'set',
  summary: 'Writes a value to a path; nil leaves the path alone.',
  params: { target: p.path, value: p.getter },
  examples: [
    { run: 'set(attributes["a"], 1)', given: { attributes: { b: true } }, want: { attributes: { b: true, a: 1n } } },
    { run: 'set(attributes["a"], nil)', given: { attributes: { a: 'x' } }, want: { attributes: { a: 'x' } } },
    { run: 'set(attributes["a"]["b"][0], "x")', want: { attributes: { a: { b: ['x'] } } } },
    { run: 'set(body, {"k": [1, 2.5]})', want: { body: { k: [1n, 2.5] } } },
  ],
  create({ target, value }) {
    return (record) => {
      const found = value.get(record);
      if (found !== null) target.set(record, found);
    };
  },
});
