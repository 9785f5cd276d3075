/** The natural logarithm. */
import { defineConverter, p } from '#ottl/function.ts';
import { fail } from '#ottl/values.ts';
import { formatFloat } from '#src/data/value_text.ts';

export default defineConverter({
  name: 'Log',
  summary: 'The natural logarithm of a number above zero.',
  params: { target: p.floatLike },
  examples: [
    { run: 'Log(1)', want: 0 },
    { run: 'Log("2")', want: Math.log(2) },
    { run: 'Log(0)', error: 'expected number greater than zero but got 0' },
    { run: 'Log(attributes["x"])', error: 'invalid input: <nil>' },
  ],
  create({ target }) {
    return (record) => {
      const value = target.get(record) ?? fail('invalid input: <nil>');
      if (value <= 0) fail(`invalid input: expected number greater than zero but got ${formatFloat(value)}`);
      return Math.log(value);
    };
  },
});
