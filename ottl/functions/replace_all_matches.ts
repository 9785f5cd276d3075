/** Replaces whole texts in a map that a glob matches. */
import { dynamicGlob } from '#ottl/formats/dynamic_glob.ts';
import { wholeReplacement } from '#ottl/formats/replacement.ts';
import { defineEditor, p } from '#ottl/function.ts';

export default defineEditor({
  name: 'replace_all_matches',
  summary: 'Replaces every text of a map that the glob matches whole.',
  params: { target: p.mapPath, pattern: p.string, replacement: p.string, function: p.optional(p.function), replacementFormat: p.optional(p.string) },
  examples: [
    { run: 'replace_all_matches(attributes, "x*", "y")', given: { attributes: { a: 'x1', b: 'ax', c: 5n } }, want: { attributes: { a: 'y', b: 'ax', c: 5n } } },
  ],
  create({ target, pattern, replacement, function: apply, replacementFormat }) {
    const glob = dynamicGlob('replace_all_matches', pattern);
    const make = wholeReplacement(replacement, apply, replacementFormat);
    return (record) => {
      const matcher = glob(record);
      const map = target.get(record);
      const made = make(record);
      map.values.forEach((value, i) => {
        if (typeof value === 'string' && matcher.test(value)) map.values[i] = made;
      });
      target.set(record, map);
    };
  },
});
