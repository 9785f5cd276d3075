/** Takes a text apart. */
import { defineConverter, p } from '#ottl/function.ts';
import { stringList } from '#ottl/values.ts';

export default defineConverter({
  name: 'Split',
  summary: 'The parts of a text between the delimiters; an empty delimiter gives the single characters.',
  params: { target: p.string, delimiter: p.string },
  examples: [
    { run: 'Split("a|b||c", "|")', want: ['a', 'b', '', 'c'] },
    { run: 'Split("ab", "")', want: ['a', 'b'] },
  ],
  create({ target, delimiter }) {
    return (record) => {
      const text = target.get(record),
        between = delimiter.get(record);
      return stringList(between === '' ? text : text.split(between));
    };
  },
});
