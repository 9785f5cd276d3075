/** Takes items out of a list. */
import { defineEditor, p } from '#ottl/function.ts';
import { fail } from '#ottl/values.ts';

export default defineEditor({
  name: 'delete_index',
  summary: 'Takes the item at `start_index`, or those up to `end_index` (not included), out of a list.',
  params: { target: p.slicePath, startIndex: p.int, endIndex: p.optional(p.int) },
  examples: [
    { run: 'delete_index(attributes["l"], 1)', given: { attributes: { l: ['a', 'b', 'c'] } }, want: { attributes: { l: ['a', 'c'] } } },
    { run: 'delete_index(attributes["l"], 0, 2)', given: { attributes: { l: ['a', 'b', 'c'] } }, want: { attributes: { l: ['c'] } } },
    { run: 'delete_index(attributes["l"], 3)', given: { attributes: { l: ['a'] } }, error: 'startIndex 3 out of bounds for slice of length 1' },
  ],
  create({ target, startIndex, endIndex }) {
    return (record) => {
      const list = target.get(record),
        start = startIndex.get(record),
        end = endIndex ? endIndex.get(record) : start + 1n,
        length = BigInt(list.length);
      if (start === 0n && end === length) {
        target.set(record, []);
        return;
      }
      if (start < 0n || start >= length) fail(`startIndex ${start} out of bounds for slice of length ${length}`);
      if (end < start) fail(`endIndex ${end} cannot be less than startIndex ${start}`);
      if (end > length) fail(`deletion range [${start}:${end}] out of bounds for slice of length ${length}`);
      target.set(
        record,
        list.filter((_, i) => i < start || i >= end),
      );
    };
  },
});
