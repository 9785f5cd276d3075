/** Named groups as a map. */
import { defineConverter, p } from '#ottl/function.ts';
import { dynamicPattern } from '#ottl/pattern.ts';
import { fail, ValueMap } from '#ottl/values.ts';

export default defineConverter({
  name: 'ExtractPatterns',
  summary: 'A map of the named groups of the first match of a regular expression; empty where nothing matches.',
  params: { target: p.string, pattern: p.string },
  examples: [
    { run: 'ExtractPatterns("k=v", "(?P<key>\\\\w+)=(?P<value>\\\\w+)")', want: { key: 'k', value: 'v' } },
    { run: 'ExtractPatterns("none", "(?P<n>\\\\d+)")', want: {} },
    { run: 'ExtractPatterns("a", "(a)|(?P<b>b)")', want: { b: '' }, note: 'A group that took no part is empty.' },
    { run: 'ExtractPatterns("a", "a")', error: 'at least 1 named capture group must be supplied in the given regex' },
  ],
  create({ target, pattern }) {
    const compiled = dynamicPattern('ExtractPatterns', pattern);
    return (record) => {
      const matcher = compiled(record),
        map = new ValueMap();
      if (!matcher.groupNames.some((name) => name !== '')) fail('at least 1 named capture group must be supplied in the given regex');
      const match = matcher.exec(target.get(record));
      if (match === null) return map;
      matcher.groupNames.forEach((name, i) => {
        if (name !== '') map.set(name, match.groups[i + 1] ?? '');
      });
      return map;
    };
  },
});
