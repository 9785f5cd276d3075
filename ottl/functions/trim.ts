/** Takes characters away at both ends. */
import { defineConverter, p } from '#ottl/function.ts';

export default defineConverter({
  name: 'Trim',
  summary: 'The text without the given characters (default: the space) at both ends.',
  params: { target: p.string, replacement: p.optional(p.stringLiteral) },
  examples: [
    { run: 'Trim("  a b ")', want: 'a b' },
    { run: 'Trim("xyaxy", "yx")', want: 'a' },
  ],
  create({ target, replacement }) {
    const characters = new Set(replacement ?? ' ');
    return (record) => {
      const all = [...target.get(record)]; // Whole characters: half of a pair must not be cut off.
      let from = 0,
        to = all.length;
      while (from < to && characters.has(all[from]!)) from++;
      while (to > from && characters.has(all[to - 1]!)) to--;
      return all.slice(from, to).join('');
    };
  },
});
