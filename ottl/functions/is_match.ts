/** Whether a pattern occurs in a text. */
import { defineConverter, p } from '#ottl/function.ts';
import { dynamicPattern } from '#ottl/pattern.ts';

export default defineConverter({
  name: 'IsMatch',
  summary: 'True where the text of the target has a match of the regular expression (RE2 syntax); false for nil.',
  params: { target: p.stringLike, pattern: p.string },
  examples: [
    { run: 'IsMatch("operation: GET", "G.T$")', want: true },
    { run: 'IsMatch(attributes["x"], ".*")', want: false, note: 'nil matches nothing' },
    { run: 'IsMatch(200, "^2..$")', want: true },
    { run: 'IsMatch("x", "(")', error: 'is not a valid pattern' },
  ],
  create({ target, pattern }) {
    const compiled = dynamicPattern('IsMatch', pattern);
    return (record) => {
      const matcher = compiled(record);
      const text = target.get(record);
      return text !== null && matcher.test(text);
    };
  },
});
