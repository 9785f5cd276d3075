/** Case of letters. */
import { defineConverter, p } from '#ottl/function.ts';

export default defineConverter({
  name: 'ToLowerCase',
  summary: 'The text in lower case.',
  params: { target: p.string },
  examples: [{ run: 'ToLowerCase("aBc")', want: 'abc' }],
  create({ target }) {
    return (record) => target.get(record).toLowerCase();
  },
});
