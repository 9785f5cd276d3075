/** Upper, lower, snake and camel case. */
import { lowerCase, upperCase } from '#ottl/formats/letter_case.ts';
import { camelCase, snakeCase } from '#ottl/formats/words.ts';
import { defineConverter, p } from '#ottl/function.ts';
import { fail } from '#ottl/values.ts';

const CASES: Readonly<Record<string, (text: string) => string>> = {
  lower: lowerCase,
  upper: upperCase,
  snake: snakeCase,
  camel: camelCase,
};

export default defineConverter({
  name: 'ConvertCase',
  summary: 'The text in "lower", "upper", "snake" or "camel" case.',
  params: { target: p.string, toCase: p.stringLiteral },
  examples: [
    { run: 'ConvertCase("someName", "snake")', want: 'some_name' },
    { run: 'ConvertCase("some_name", "camel")', want: 'SomeName' },
    { run: 'ConvertCase("Ab", "upper")', want: 'AB' },
    { run: 'ConvertCase("a", "kebab")', error: 'invalid case: kebab, allowed cases are: lower, upper, snake, camel' },
  ],
  create({ target, toCase }) {
    const convert = Object.hasOwn(CASES, toCase) ? CASES[toCase]! : fail(`invalid case: ${toCase}, allowed cases are: lower, upper, snake, camel`);
    return (record) => convert(target.get(record));
  },
});
