/** A row of CSV as a map. */
import { defineConverter, p } from '#ottl/function.ts';
import { fail, orFail, ValueMap } from '#ottl/values.ts';
import { readCsvRow } from '#src/helper/text/csv.ts';

export default defineConverter({
  name: 'ParseCSV',
  summary: 'A map of the fields of one CSV row by the names in `header`. Mode "strict" (the default), "lazyQuotes" or "ignoreQuotes" says how quotes are read.',
  params: {
    target: p.string,
    header: p.string,
    delimiter: p.optional(p.stringLiteral),
    headerDelimiter: p.optional(p.stringLiteral),
    mode: p.optional(p.stringLiteral),
  },
  examples: [
    { run: 'ParseCSV("999,\\"a, b\\"", "status,text")', want: { status: '999', text: 'a, b' } },
    { run: 'ParseCSV("1|2", "a b", delimiter="|", header_delimiter=" ")', want: { a: '1', b: '2' } },
    { run: 'ParseCSV("a \\"b\\" c,d", "x,y", mode="lazyQuotes")', want: { x: 'a "b" c', y: 'd' } },
    { run: 'ParseCSV("\\"a,b", "x,y", mode="ignoreQuotes")', want: { x: '"a', y: 'b' } },
    { run: 'ParseCSV("1,2,3", "a,b")', error: 'wrong number of fields: expected 2, found 3' },
    { run: 'ParseCSV("a \\"b\\",c", "x,y")', error: 'bare " in non-quoted-field' },
  ],
  create({ target, header, delimiter = ',', headerDelimiter = delimiter, mode = 'strict' }) {
    if ([...delimiter].length !== 1) fail('invalid arguments: delimiter must be a single character');
    if ([...headerDelimiter].length !== 1) fail('invalid arguments: header_delimiter must be a single character');
    if (!['strict', 'lazyQuotes', 'ignoreQuotes'].includes(mode)) fail(`unknown mode: ${mode}`);
    return (record) => {
      const text = target.get(record),
        names = header.get(record);
      if (names === '') fail('headers must not be an empty string');
      const keys = names.split(headerDelimiter);
      const fields = mode === 'ignoreQuotes' ? text.split(delimiter) : orFail(() => readCsvRow(text, delimiter, mode === 'lazyQuotes'));
      if (fields.length !== keys.length) fail(`map csv headers: wrong number of fields: expected ${keys.length}, found ${fields.length}`);
      const map = new ValueMap();
      for (const [i, field] of fields.entries()) map.set(keys[i]!, field);
      return map;
    };
  },
});
