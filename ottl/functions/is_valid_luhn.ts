/** The check digit of cards and other numbers. */
import { defineConverter, p } from '#ottl/function.ts';
import { fail } from '#ottl/values.ts';
import { quoteGo } from '#src/core/go_quote.ts';

export default defineConverter({
  name: 'IsValidLuhn',
  summary: 'Whether the last digit of a number is its Luhn check digit; spaces are skipped.',
  params: { target: p.stringLike },
  examples: [
    { run: 'IsValidLuhn("17893729974")', want: true },
    { run: 'IsValidLuhn(17893729975)', want: false },
    { run: 'IsValidLuhn("12a")', error: 'strconv.Atoi: parsing "a": invalid syntax' },
  ],
  create({ target }) {
    return (record) => {
      const digits = (target.get(record) ?? fail('invalid input: <nil>')).replaceAll(' ', '');
      if (digits === '') return false;
      const digit = (at: number): number =>
        /[0-9]/.test(digits[at]!) ? Number(digits[at]) : fail(`strconv.Atoi: parsing ${quoteGo(digits[at]!)}: invalid syntax`);
      const check = digit(digits.length - 1);
      let sum = 0;
      for (let at = digits.length - 2, twice = true; at >= 0; at--, twice = !twice) {
        const value = twice ? digit(at) * 2 : digit(at);
        sum += value > 9 ? value - 9 : value;
      }
      return (10 - (sum % 10)) % 10 === check;
    };
  },
});
