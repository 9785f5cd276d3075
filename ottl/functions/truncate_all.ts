/** Cuts long texts. */
import { defineEditor, p } from '#ottl/function.ts';
import { fail, type Stored, ValueMap } from '#ottl/values.ts';

export default defineEditor({
  name: 'truncate_all',
  summary: 'Cuts the texts of a map that have more bytes than the limit, at the end of a character.',
  params: { target: p.mapPath, limit: p.intLiteral, utf8Safe: p.optional(p.boolLiteral) },
  examples: [
    { run: 'truncate_all(attributes, 3)', given: { attributes: { a: 'abcdef', b: 'aéé', n: 12345n } }, want: { attributes: { a: 'abc', b: 'aé', n: 12345n } } },
    { run: 'truncate_all(attributes, 2)', given: { attributes: { b: 'aé' } }, want: { attributes: { b: 'a' } } },
  ],
  create({ target, limit, utf8Safe = true }) {
    if (limit < 0n) fail(`invalid limit for truncate_all function, ${limit} cannot be negative`);
    const most = Number(limit);
    const cut = (value: Stored): Stored => {
      if (typeof value !== 'string' || value.length * 3 <= most) return value;
      const bytes = Buffer.from(value);
      if (bytes.length <= most) return value;
      let end = most;
      if (utf8Safe) while (end > 0 && (bytes[end]! & 0xc0) === 0x80) end--;
      return bytes.toString('utf8', 0, end);
    };
    return (record) => {
      const map = target.get(record);
      target.set(record, new ValueMap([...map.keys], map.values.map(cut)));
    };
  },
});
