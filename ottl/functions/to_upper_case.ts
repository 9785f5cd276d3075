/** Case of letters. */
import { defineConverter, p } from '#ottl/function.ts';

export default defineConverter({
  name: 'ToUpperCase',
  summary: 'The text in upper case.',
  params: { target: p.string },
  examples: [{ run: 'ToUpperCase("aBc")', want: 'ABC' }],
  create({ target }) {
    return (record) => target.get(record).toUpperCase();
  },
});
