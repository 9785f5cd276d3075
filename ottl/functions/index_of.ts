/** The place of a part. */
import { defineConverter, p } from '#ottl/function.ts';
import { convert } from '#ottl/function.ts';
import { compareValues, fail } from '#ottl/values.ts';

export default defineConverter({
  name: 'Index',
  summary: 'The place of the first occurrence of a value in a list, or of a text (in bytes) in a text; -1 where there is none.',
  params: { target: p.getter, value: p.getter },
  examples: [
    { run: 'Index("hello", "l")', want: 2n },
    { run: 'Index([1, 2, 3], 3)', want: 2n },
    { run: 'Index([1], 9)', want: -1n },
    { run: 'Index("a", 1)', error: 'value must be a string' },
  ],
  create({ target, value }) {
    return (record) => {
      const within = target.get(record),
        wanted = value.get(record);
      if (typeof within !== 'string') return BigInt(convert.slice(within).findIndex((one) => compareValues(one, wanted, '==')));
      if (typeof wanted !== 'string') return fail('invalid value type for Index function, value must be a string');
      return BigInt(Buffer.from(within).indexOf(wanted));
    };
  },
});
