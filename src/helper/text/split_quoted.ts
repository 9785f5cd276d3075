/**
 * The parts of a text between delimiters that are outside of quotes, without the quotes; empty parts do not count. A backslash keeps the quote behind
 * it. Null where a quoted part does not end.
 */
export function splitQuoted(text: string, delimiter: string): string[] | null {
  const parts: string[] = [];
  let part = '',
    quote = '',
    escaped = false;
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!;
    if (quote === '' && text.startsWith(delimiter, i)) {
      if (part !== '') parts.push(part);
      part = '';
      i += delimiter.length - 1;
      continue;
    }
    if (escaped) escaped = false;
    else if (quote === '' && (c === '"' || c === "'")) {
      quote = c;
      continue;
    } else if (c === quote) {
      quote = '';
      continue;
    } else escaped = c === '\\';
    part += c;
  }
  if (quote !== '') return null;
  if (part !== '') parts.push(part);
  return parts;
}
