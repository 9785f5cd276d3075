/** A test of a type. */
import { defineConverter, p, typeTest } from '#ottl/function.ts';

export default defineConverter({
  name: 'IsInt',
  summary: 'Whether the value is an int.',
  params: { target: p.getter },
  examples: [
    { run: 'IsInt(1)', want: true },
    { run: 'IsInt(Coalesce([1.5]))', want: false },
    { run: 'IsInt(1.5)', error: 'expected int64 but got float64' },
    { run: 'IsInt(attributes["x"])', want: false },
  ],
  create: ({ target }) => typeTest(target, 'int64', (value) => typeof value === 'bigint'),
});
