/** What the replace editors share: the function that makes the replacement of a match, and the format that it is put into. */
import type { FunctionGetter, Getter, RecordContext } from '#ottl/function.ts';
import { expand, type Pattern } from '#ottl/pattern.ts';
import { fail, type Value } from '#ottl/values.ts';
import { sprintf } from './sprintf.ts';

type Format = Getter<string> | undefined;

function formatted(format: Format, text: string, record: RecordContext): string {
  if (format === undefined) return text;
  const template = format.get(record);
  if (!/^.*%s.*$/.test(template) || /%[^s]/s.test(template))
    fail('replacementFormat must be format string containing a single %s and no other format specifiers');
  return sprintf(template, [text]);
}

/** The replacement of a whole value: `replacement`, or what the function makes of it. */
export function wholeReplacement(replacement: Getter<string>, fn: FunctionGetter | undefined, format: Format): (record: RecordContext) => string {
  if (fn === undefined) return replacement.get;
  const call = fn.call([replacement]);
  return (record) => {
    const text = call(record);
    return typeof text === 'string' ? formatted(format, text, record) : fail('replacement value is not a string');
  };
}

/** Replaces the matches of a pattern; a function gets each expanded replacement and gives what stands for the match. */
export function patternReplacer(
  fn: FunctionGetter | undefined,
  format: Format,
): (pattern: Pattern, text: string, replacement: string, record: RecordContext) => string {
  if (fn === undefined) return (pattern, text, replacement) => pattern.replaceAll(text, replacement);
  const input: { text: Value } = { text: '' };
  const call = fn.call([{ get: () => input.text }]);
  return (pattern, text, replacement, record) => {
    let out = '',
      copied = 0;
    for (let match = pattern.exec(text); match !== null; match = pattern.after(match, text)) {
      input.text = expand(replacement, match.groups, pattern.groupNames);
      const made = call(record);
      if (typeof made !== 'string') return fail('the replacement value must be a string');
      out += text.slice(copied, match.index) + formatted(format, made, record);
      copied = match.end;
    }
    return out + text.slice(copied);
  };
}
