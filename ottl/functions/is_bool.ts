/** A test of a type. */
import { defineConverter, p, typeTest } from '#ottl/function.ts';

export default defineConverter({
  name: 'IsBool',
  summary: 'Whether the value is a bool.',
  params: { target: p.getter },
  examples: [
    { run: 'IsBool(true)', want: true },
    { run: 'IsBool(Coalesce(["true"]))', want: false },
    { run: 'IsBool("true")', error: 'expected bool but got string' },
    { run: 'IsBool(attributes["x"])', want: false },
  ],
  create: ({ target }) => typeTest(target, 'bool', (value) => typeof value === 'boolean'),
});
