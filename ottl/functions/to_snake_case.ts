/** snake_case. */
import { snakeCase } from '#ottl/formats/words.ts';
import { defineConverter, p } from '#ottl/function.ts';

export default defineConverter({
  name: 'ToSnakeCase',
  summary: 'The text in snake_case.',
  params: { target: p.string },
  examples: [
    { run: 'ToSnakeCase("someName")', want: 'some_name' },
    { run: 'ToSnakeCase("JSONData v2")', want: 'json_data_v_2' },
  ],
  create:
    ({ target }) =>
    (record) =>
      snakeCase(target.get(record)),
});
