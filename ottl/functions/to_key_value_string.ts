/** A map as one line of text. */
import { defineConverter, p } from '#ottl/function.ts';
import { fail } from '#ottl/values.ts';
import { quoteGo } from '#src/core/go_quote.ts';
import { valueText } from '#src/data/value_text.ts';

export default defineConverter({
  name: 'ToKeyValueString',
  summary: 'The entries of a map as key=value pairs; what holds a delimiter is quoted.',
  params: { target: p.map, delimiter: p.optional(p.stringLiteral), pairDelimiter: p.optional(p.stringLiteral), sortOutput: p.optional(p.boolLiteral) },
  examples: [
    { run: 'ToKeyValueString({"b": 1, "a": "x y"}, sort_output = true)', want: 'a="x y" b=1' },
    { run: 'ToKeyValueString({"a": "1", "b": true}, ":", ",")', want: 'a:1,b:true' },
    { run: 'ToKeyValueString({}, " ")', error: 'pair delimiter " " cannot be equal to delimiter " "' },
  ],
  create({ target, delimiter = '=', pairDelimiter = ' ', sortOutput = false }) {
    if (delimiter === '') fail('delimiter cannot be set to an empty string');
    if (pairDelimiter === '') fail('pair delimiter cannot be set to an empty string');
    if (pairDelimiter === delimiter) fail(`pair delimiter ${quoteGo(pairDelimiter)} cannot be equal to delimiter ${quoteGo(delimiter)}`);
    const quoted = (text: string): string => {
      const escaped = text.replaceAll('"', '\\"');
      return escaped.includes(pairDelimiter) || escaped.includes(delimiter) ? `"${escaped}"` : escaped;
    };
    return (record) => {
      const map = target.get(record),
        order = map.keys.map((_, i) => i);
      if (sortOutput) order.sort((a, b) => Buffer.compare(Buffer.from(map.keys[a]!), Buffer.from(map.keys[b]!)));
      return order.map((i) => quoted(map.keys[i]!) + delimiter + quoted(valueText(map.values[i]!))).join(pairDelimiter);
    };
  },
});
