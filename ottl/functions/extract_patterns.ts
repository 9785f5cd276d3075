/** Named groups of a pattern as a map. */
import { defineConverter, p } from '#ottl/function.ts';
import { dynamicPattern } from '#ottl/pattern.ts';
import { fail, ValueMap } from '#ottl/values.ts';

export default defineConverter({
  name: 'ExtractPatterns',
  summary: 'What the named groups of a regular expression caught in the text, by their names; an empty map where it does not match.',
  params: { target: p.string, pattern: p.string },
  examples: [
    { run: 'ExtractPatterns("GET /cart", "^(?P<method>\\\\w+) (?P<path>.*)$")', want: { method: 'GET', path: '/cart' } },
    { run: 'ExtractPatterns("GET", "(?P<n>\\\\d+)")', want: {} },
    { run: 'ExtractPatterns("GET", "(\\\\d+)")', error: 'at least 1 named capture group must be supplied in the given regex' },
  ],
  create({ target, pattern }) {
    const compiled = dynamicPattern('ExtractPatterns', pattern);
    const check = (names: readonly string[]): void => {
      if (!names.some((name) => name !== '')) fail('at least 1 named capture group must be supplied in the given regex');
    };
    if (pattern.literal) check(compiled({ kind: '' }).groupNames);
    return (record) => {
      const matcher = compiled(record);
      check(matcher.groupNames);
      const map = new ValueMap();
      const match = matcher.exec(target.get(record));
      if (match) {
        matcher.groupNames.forEach((name, i) => {
          if (name !== '') map.set(name, match.groups[i + 1] ?? '');
        });
      }
      return map;
    };
  },
});
