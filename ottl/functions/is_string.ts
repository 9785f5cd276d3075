/** A test of a type. */
import { defineConverter, p, typeTest } from '#ottl/function.ts';

export default defineConverter({
  name: 'IsString',
  summary: 'Whether the value is a string.',
  params: { target: p.getter },
  examples: [
    { run: 'IsString("x")', want: true },
    { run: 'IsString(Coalesce([1]))', want: false },
    { run: 'IsString(1)', error: 'expected string but got int64' },
    { run: 'IsString(attributes["x"])', want: false },
  ],
  create: ({ target }) => typeTest(target, 'string', (value) => typeof value === 'string'),
});
