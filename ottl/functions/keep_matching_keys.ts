/** Chooses entries of a map by a pattern over their keys. */
import { defineEditor, p } from '#ottl/function.ts';
import { dynamicPattern } from '#ottl/pattern.ts';
import { ValueMap } from '#ottl/values.ts';

export default defineEditor({
  name: 'keep_matching_keys',
  summary: 'Keeps the entries of a map whose key matches, and no other.',
  params: { target: p.mapPath, pattern: p.string },
  examples: [
    { run: 'keep_matching_keys(attributes, "^http\\\\.")', given: { attributes: { 'http.a': 1n, b: 2n } }, want: { attributes: { 'http.a': 1n } } },
    { run: 'keep_matching_keys(attributes, "(")', error: 'is not a valid pattern' },
  ],
  create({ target, pattern }) {
    const compiled = dynamicPattern('keep_matching_keys', pattern);
    return (record) => {
      const matcher = compiled(record),
        map = target.get(record),
        kept = map.keys.map((_, i) => i).filter((i) => matcher.test(map.keys[i]!));
      target.set(
        record,
        new ValueMap(
          kept.map((i) => map.keys[i]!),
          kept.map((i) => map.values[i]!),
        ),
      );
    };
  },
});
