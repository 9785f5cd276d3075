/** Replaces a whole text that a glob matches. */
import { dynamicGlob } from '#ottl/formats/dynamic_glob.ts';
import { wholeReplacement } from '#ottl/formats/replacement.ts';
import { defineEditor, p } from '#ottl/function.ts';

export default defineEditor({
  name: 'replace_match',
  summary: 'Replaces the text where the glob matches all of it.',
  params: { target: p.path, pattern: p.string, replacement: p.string, function: p.optional(p.function), replacementFormat: p.optional(p.string) },
  examples: [
    {
      run: 'replace_match(attributes["a"], "/user/*/list/*", "/user/{id}")',
      given: { attributes: { a: '/user/5/list/x' } },
      want: { attributes: { a: '/user/{id}' } },
    },
    { run: 'replace_match(attributes["a"], "x*", "y")', given: { attributes: { a: 'ax' } }, want: { attributes: { a: 'ax' } } },
  ],
  create({ target, pattern, replacement, function: apply, replacementFormat }) {
    const glob = dynamicGlob('replace_match', pattern);
    const make = wholeReplacement(replacement, apply, replacementFormat);
    return (record) => {
      const matcher = glob(record);
      const text = target.get(record);
      const made = make(record);
      if (typeof text === 'string' && matcher.test(text)) target.set(record, made);
    };
  },
});
