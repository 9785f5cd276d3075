/** Case of letters. */
import { defineConverter, p } from '#ottl/function.ts';

export default defineConverter({
  name: 'ToUpperCase',
  summary: 'The text in upper case.',
  params: { target: p.string },
  examples: [{ run: 'ToUpperCase("aBc")', want: 'ABC' }],
  create({ target }) {
    return (record) => {
      const text = target.get(record);
      const upper = text.toUpperCase();
      return upper.length === text.length ? upper : [...text].map(upperLetter).join('');
    };
  },
});

/** A letter whose capital is several ("ß") stays, as in Go. */
function upperLetter(letter: string): string {
  const upper = letter.toUpperCase();
  return upper.length === letter.length ? upper : letter;
}
