/** A test of a type. */
import { defineConverter, p, typeTest } from '#ottl/function.ts';
import { ValueMap } from '#ottl/values.ts';

export default defineConverter({
  name: 'IsMap',
  summary: 'Whether the value is a map.',
  params: { target: p.getter },
  examples: [
    { run: 'IsMap({"a": 1})', want: true },
    { run: 'IsMap(Coalesce(["x"]))', want: false },
    { run: 'IsMap("x")', error: 'expected pcommon.Map but got string' },
    { run: 'IsMap(attributes["x"])', want: false },
  ],
  create: ({ target }) => typeTest(target, 'pcommon.Map', (value) => value instanceof ValueMap),
});
