/** A number out of text, in any base. */
import { defineConverter, p } from '#ottl/function.ts';
import { fail } from '#ottl/values.ts';
import { quoteGo } from '#src/core/go_quote.ts';

/** strconv.ParseInt(text, base, 64). */
function parseInteger(text: string, base: number): bigint {
  const syntax = (): never => fail(`strconv.ParseInt: parsing ${quoteGo(text)}: invalid syntax`);
  const sign = text.startsWith('-') ? -1n : 1n;
  let digits = text.replace(/^[+-]/, '').toLowerCase();
  if (base === 0) {
    const prefix = /^0([xob])/.exec(digits)?.[1];
    base = prefix === 'x' ? 16 : prefix === 'o' ? 8 : prefix === 'b' ? 2 : /^0./.test(digits) ? 8 : 10;
    if (prefix) digits = digits.slice(2);
    if (/^[0-9a-z]+(?:_[0-9a-z]+)*$/.test(digits)) digits = digits.replaceAll('_', '');
  } else if (base === 1 || base > 36) fail(`strconv.ParseInt: parsing ${quoteGo(text)}: invalid base ${base}`);
  if (digits === '' || digits.length > 4096) syntax();
  let value = 0n;
  for (const digit of digits) {
    const at = '0123456789abcdefghijklmnopqrstuvwxyz'.indexOf(digit);
    if (at < 0 || at >= base) syntax();
    value = value * BigInt(base) + BigInt(at);
  }
  value *= sign;
  return value === BigInt.asIntN(64, value) ? value : fail(`strconv.ParseInt: parsing ${quoteGo(text)}: value out of range`);
}

export default defineConverter({
  name: 'ParseInt',
  summary: 'The int that a text stands for in a base of 2 to 36; base 0 takes it from a prefix (0x, 0o, 0b).',
  params: { target: p.string, base: p.int },
  examples: [
    { run: 'ParseInt("-ff", 16)', want: -255n },
    { run: 'ParseInt("0x1f", 0)', want: 31n },
    { run: 'ParseInt("12", 2)', error: 'invalid syntax' },
    { run: 'ParseInt("", 10)', error: 'target cannot be empty' },
    { run: 'ParseInt("1", -1)', error: 'base cannot be negative' },
  ],
  create({ target, base }) {
    return (record) => {
      const text = target.get(record);
      if (text === '') fail('invalid target value for ParseInt function, target cannot be empty');
      const given = base.get(record);
      if (given < 0n) fail(`invalid base value: ${given} for ParseInt function, base cannot be negative`);
      return parseInteger(text, Number(given));
    };
  },
});
