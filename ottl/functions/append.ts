/** Adds items to a list. */
import { defineEditor, p } from '#ottl/function.ts';
import { fail, toStored, typeName, type Value, ValueMap } from '#ottl/values.ts';

export default defineEditor({
  name: 'append',
  summary: 'Adds a value, or several, to a list; a single value that is there becomes the first item, nil an empty list.',
  params: { target: p.path, value: p.optional(p.getter), values: p.optional(p.list(p.getter)) },
  examples: [
    { run: 'append(attributes["l"], "b")', given: { attributes: { l: ['a'] } }, want: { attributes: { l: ['a', 'b'] } } },
    { run: 'append(attributes["l"], values = [1, 2])', given: { attributes: { l: 'a' } }, want: { attributes: { l: ['a', 1n, 2n] } } },
    { run: 'append(attributes["l"], "a")', want: { attributes: { l: ['a'] } } },
    { run: 'append(attributes["l"])', error: "at least one of the optional arguments ('value' or 'values') must be provided" },
  ],
  create({ target, value, values }) {
    if (!value && !values) fail("at least one of the optional arguments ('value' or 'values') must be provided");
    const added = [...(value ? [value] : []), ...(values ?? [])];
    return (record) => {
      const there = target.get(record),
        list: Value[] = there === null ? [] : Array.isArray(there) ? [...there] : [there];
      if (there instanceof ValueMap) fail('<Invalid value type pcommon.Map>');
      // Only a list that is written out can become an item: what comes from telemetry or from a converter is refused, as is a map.
      for (const one of added) {
        const item = one.get(record);
        if (item instanceof ValueMap || (Array.isArray(item) && one.isList !== true)) fail(`<Invalid value type ${typeName(item)}>`);
        list.push(item);
      }
      target.set(record, list.map(toStored));
    };
  },
});
