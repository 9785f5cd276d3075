/** Pairs of keys and values as a map. */
import { quoteGo } from '#src/core/go_quote.ts';
import { defineConverter, p } from '#ottl/function.ts';
import { fail, ValueMap } from '#ottl/values.ts';

export default defineConverter({
  name: 'ParseKeyValue',
  summary: 'A map of text like `a=1 b="two words"`; the delimiters can be others.',
  params: { target: p.string, delimiter: p.optional(p.stringLiteral), pairDelimiter: p.optional(p.stringLiteral) },
  examples: [
    { run: 'ParseKeyValue("k1=v1 k2=\\"two words\\" k3=\'x\'")', want: { k1: 'v1', k2: 'two words', k3: 'x' } },
    { run: 'ParseKeyValue("a:1;b:2", ":", ";")', want: { a: '1', b: '2' } },
    { run: 'ParseKeyValue("a=1 b")', error: 'cannot split "b" into 2 items, got 1 item(s)' },
    { run: 'ParseKeyValue("")', error: 'cannot parse from empty target' },
    { run: 'ParseKeyValue("a=\\"b")', error: 'never reached the end of a quoted value' },
  ],
  create({ target, delimiter = '=', pairDelimiter = ' ' }) {
    if (delimiter === '') fail('delimiter cannot be set to an empty string');
    if (pairDelimiter === '') fail('pair delimiter cannot be set to an empty string');
    if (pairDelimiter === delimiter) fail(`pair delimiter ${quoteGo(pairDelimiter)} cannot be equal to delimiter ${quoteGo(delimiter)}`);
    return (record) => {
      const text = target.get(record);
      if (text === '') fail('cannot parse from empty target');
      const map = new ValueMap(),
        faults: string[] = [];
      for (const pair of splitQuoted(text, pairDelimiter)) {
        const at = pair.indexOf(delimiter);
        if (at < 0) faults.push(`cannot split ${quoteGo(pair)} into 2 items, got 1 item(s)`);
        else map.set(pair.slice(0, at).trim(), pair.slice(at + delimiter.length).trim());
      }
      return faults.length > 0 ? fail(`failed to split pairs into key-values: ${faults.join('; ')}`) : map;
    };
  },
});

/** The parts between delimiters outside of quotes, without the quotes; empty parts do not count. A backslash before a quote keeps it. */
function splitQuoted(text: string, delimiter: string): string[] {
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
  if (quote !== '') fail(`splitting source ${quoteGo(text)} into pairs failed: never reached the end of a quoted value`);
  if (part !== '') parts.push(part);
  return parts;
}
