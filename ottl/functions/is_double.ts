/** A test of a type. */
import { defineConverter, p, typeTest } from '#ottl/function.ts';

export default defineConverter({
  name: 'IsDouble',
  summary: 'Whether the value is a float.',
  params: { target: p.getter },
  examples: [
    { run: 'IsDouble(1.5)', want: true },
    { run: 'IsDouble(Coalesce([1]))', want: false },
    { run: 'IsDouble(1)', error: 'expected float64 but got int64' },
    { run: 'IsDouble(attributes["x"])', want: false },
  ],
  create: ({ target }) => typeTest(target, 'float64', (value) => typeof value === 'number'),
});
