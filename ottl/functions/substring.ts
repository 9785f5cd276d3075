/** A part of a text, counted in bytes as Go does. */
import { defineConverter, p } from '#ottl/function.ts';
import { fail } from '#ottl/values.ts';

/** Whether no character begins at this byte of UTF-8. */
const isInside = (byte: number | undefined): boolean => byte !== undefined && (byte & 0xc0) === 0x80;

export default defineConverter({
  name: 'Substring',
  summary: 'The bytes of a text from `start`, `length` of them; with utf8_safe no character is cut in two.',
  params: { target: p.string, start: p.int, length: p.int, utf8Safe: p.optional(p.boolLiteral) },
  examples: [
    { run: 'Substring("123456789", 3, 3)', want: '456' },
    { run: 'Substring("aéb", 0, 2, true)', want: 'a' },
    { run: 'Substring("abc", 2, 5)', error: 'start(2)+length(5) cannot be greater than the length of target string(3)' },
    { run: 'Substring("abc", -1, 1)', error: 'invalid start for substring function, -1 cannot be negative' },
  ],
  create({ target, start, length, utf8Safe }) {
    return (record) => {
      const from = start.get(record);
      if (from < 0n) fail(`invalid start for substring function, ${from} cannot be negative`);
      const count = length.get(record);
      if (count <= 0n) fail(`invalid length for substring function, ${count} cannot be negative or zero`);
      const bytes = Buffer.from(target.get(record));
      if (from + count > BigInt(bytes.length))
        fail(`invalid range for substring function, start(${from})+length(${count}) cannot be greater than the length of target string(${bytes.length})`);
      let begin = Number(from),
        end = Number(from + count);
      if (utf8Safe) {
        while (isInside(bytes[begin])) begin++;
        while (begin < end && isInside(bytes[end])) end--;
        end = Math.max(begin, end);
      }
      return bytes.toString('utf8', begin, end);
    };
  },
});
