/** CamelCase. */
import { camelCase } from '#ottl/formats/words.ts';
import { defineConverter, p } from '#ottl/function.ts';

export default defineConverter({
  name: 'ToCamelCase',
  summary: 'The text in CamelCase.',
  params: { target: p.string },
  examples: [
    { run: 'ToCamelCase("some_name of-a.thing")', want: 'SomeNameOfAThing' },
    { run: 'ToCamelCase("")', want: '' },
  ],
  create:
    ({ target }) =>
    (record) =>
      camelCase(target.get(record)),
});
