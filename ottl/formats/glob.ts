/** Shell patterns: `*` and `**` any text, `?` one character, `[a-c]`, `[!abc]`, `{one,two}`, `\` before a character that means itself. */
import { compilePattern, type Pattern } from '#ottl/pattern.ts';
import { fail } from '#ottl/values.ts';

const quote = (text: string): string => text.replace(/[\\.+*?()|[\]{}^$]/g, '\\$&');

/** The regular expression of the same meaning, which runs in linear time. Throws OttlError where a bracket is not closed. */
export function compileGlob(glob: string): Pattern {
  const characters = [...glob];
  let source = '',
    depth = 0;
  for (let i = 0; i < characters.length; i++) {
    const c = characters[i]!;
    if (c === '\\') source += quote(characters[++i] ?? fail('unexpected end of input'));
    else if (c === '*') source += '.*';
    else if (c === '?') source += '.';
    else if (c === '[') {
      const close = characters.indexOf(']', i + 1);
      if (close < 0) fail('unexpected end of input');
      const inside = characters.slice(i + 1, close),
        negated = inside[0] === '!';
      const list = (negated ? inside.slice(1) : inside).map((one) => (/[\\\]^[]/.test(one) ? `\\${one}` : one)).join('');
      if (list === '') fail('unexpected range: nothing between [ and ]');
      source += `[${negated ? '^' : ''}${list}]`;
      i = close;
    } else if (c === '{') {
      depth++;
      source += '(?:';
    } else if (c === '}' && depth > 0) {
      depth--;
      source += ')';
    } else source += c === ',' && depth > 0 ? '|' : quote(c);
  }
  if (depth > 0) fail('unexpected end of input');
  return compilePattern(`(?s)^(?:${source})$`);
}
