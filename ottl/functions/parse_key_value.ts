/** Pairs of keys and values as a map. */
import { quoteGo } from '#src/core/go_quote.ts';
import { splitQuoted } from '#src/helper/text/split_quoted.ts';
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
        faults: string[] = [],
        pairs = splitQuoted(text, pairDelimiter) ?? fail(`splitting source ${quoteGo(text)} into pairs failed: never reached the end of a quoted value`);
      for (const pair of pairs) {
        const at = pair.indexOf(delimiter);
        if (at < 0) faults.push(`cannot split ${quoteGo(pair)} into 2 items, got 1 item(s)`);
        else map.set(pair.slice(0, at).trim(), pair.slice(at + delimiter.length).trim());
      }
      return faults.length > 0 ? fail(`failed to split pairs into key-values: ${faults.join('; ')}`) : map;
    };
  },
});
