/** Upper and lower case as Go has them: letter by letter, without regard to neighbours or language. JavaScript's differ where a letter becomes several. */

export function upperCase(text: string): string {
  const upper = text.toUpperCase();
  return upper.length === text.length ? upper : Array.from(text, (letter) => one(letter, letter.toUpperCase(), letter)).join('');
}
export function lowerCase(text: string): string {
  const lower = text.toLowerCase();
  // A sigma at the end of a word, and the dotted capital I, which Go makes a plain i.
  return lower.length === text.length && !text.includes('\u03a3') ? lower : Array.from(text, (letter) => one(letter, letter.toLowerCase(), 'i')).join('');
}
/** "ß" has no capital letter of its own. */
const one = (letter: string, changed: string, instead: string): string => (changed.length === letter.length ? changed : instead);
