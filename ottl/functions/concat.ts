/** Joins values as text. */
import { defineConverter, p } from '#ottl/function.ts';

export default defineConverter({
  name: 'Concat',
  summary: 'Joins the text of all values with a delimiter; nil becomes "<nil>".',
  params: { vals: p.list(p.stringLike), delimiter: p.string },
  examples: [
    { run: 'Concat(["a", 1, true], "-")', want: 'a-1-true' },
    { run: 'Concat([attributes["x"], attributes["y"]], ": ")', given: { attributes: { x: 'k' } }, want: 'k: <nil>' },
    { run: 'Concat([], "-")', want: '' },
    { run: 'Concat(["a"], attributes["x"])', error: 'expected string but got nil' },
  ],
  create({ vals, delimiter }) {
    return (record) => {
      const between = delimiter.get(record);
      let text = '';
      for (let i = 0; i < vals.length; i++) {
        if (i > 0) text += between;
        text += vals[i]!.get(record) ?? '<nil>';
      }
      return text;
    };
  },
});
