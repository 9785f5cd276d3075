/** Case of letters. */
import { lowerCase } from '#ottl/formats/letter_case.ts';
import { defineConverter, p } from '#ottl/function.ts';

export default defineConverter({
  name: 'ToLowerCase',
  summary: 'The text in lower case.',
  params: { target: p.string },
  examples: [
    { run: 'ToLowerCase("aBc")', want: 'abc' },
    { run: 'ToLowerCase("ΟΔΟΣ")', want: 'οδοσ' },
  ],
  create({ target }) {
    return (record) => lowerCase(target.get(record));
  },
});
