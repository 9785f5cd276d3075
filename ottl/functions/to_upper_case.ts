/** Case of letters. */
import { upperCase } from '#ottl/formats/letter_case.ts';
import { defineConverter, p } from '#ottl/function.ts';

export default defineConverter({
  name: 'ToUpperCase',
  summary: 'The text in upper case.',
  params: { target: p.string },
  examples: [
    { run: 'ToUpperCase("aBc")', want: 'ABC' },
    { run: 'ToUpperCase("Großer")', want: 'GROßER' },
  ],
  create({ target }) {
    return (record) => upperCase(target.get(record));
  },
});
