/** Replaces what a pattern matches within a text. */
import { patternReplacer } from '#ottl/formats/replacement.ts';
import { defineEditor, p } from '#ottl/function.ts';
import { dynamicPattern } from '#ottl/pattern.ts';

export default defineEditor({
  name: 'replace_pattern',
  summary: 'Replaces every match of a regular expression in the text; $1 and ${name} in the replacement are its groups.',
  params: { target: p.path, regexPattern: p.string, replacement: p.string, function: p.optional(p.function), replacementFormat: p.optional(p.string) },
  examples: [
    { run: 'replace_pattern(body, "password=\\\\S+", "password=***")', given: { body: 'user=a password=b' }, want: { body: 'user=a password=***' } },
    { run: 'replace_pattern(body, "(\\\\d)(\\\\d)", "$2$1")', given: { body: '12 34' }, want: { body: '21 43' } },
    { run: 'replace_pattern(body, "b+", "$0", ToUpperCase, "<%s>")', given: { body: 'abba' }, want: { body: 'a<BB>a' } },
  ],
  create({ target, regexPattern, replacement, function: apply, replacementFormat }) {
    const compiled = dynamicPattern('replace_pattern', regexPattern);
    const make = patternReplacer(apply, replacementFormat);
    return (record) => {
      const text = target.get(record);
      if (text === null) return;
      const put = replacement.get(record);
      if (typeof text !== 'string') return;
      const pattern = compiled(record);
      if (pattern.test(text)) target.set(record, make(pattern, text, put, record));
    };
  },
});
