/** A list as a map. */
import { defineConverter, p } from '#ottl/function.ts';
import { fail, pdataTypeName, type Stored, toStored, ValueMap } from '#ottl/values.ts';

export default defineConverter({
  name: 'SliceToMap',
  summary:
    'A map with the items of a list, under what lies at key_path in each item or under their index; the values are the items, or what lies at value_path.',
  params: { target: p.slice, keyPath: p.optional(p.list(p.stringLiteral)), valuePath: p.optional(p.list(p.stringLiteral)) },
  examples: [
    { run: 'SliceToMap(["a", "b"])', want: { 0: 'a', 1: 'b' } },
    { run: 'SliceToMap(attributes["l"], ["n"], ["v"])', given: { attributes: { l: [{ n: 'x', v: 1n }] } }, want: { x: 1n } },
    { run: 'SliceToMap(["a"], ["n"])', error: 'slice elements must be maps when using `key_path` or `value_path`' },
  ],
  create({ target, keyPath, valuePath }) {
    return (record) => {
      const map = new ValueMap();
      target.get(record).forEach((item, i) => {
        const element = toStored(item);
        let key = String(i);
        let value = element;
        if (keyPath || valuePath) {
          if (!(element instanceof ValueMap))
            fail(
              `slice elements must be maps when using \`key_path\` or \`value_path\`, but could not cast element of type \`${pdataTypeName(element)}\` to a map`,
            );
          if (keyPath) {
            const found = extract(element, keyPath, `could not extract key from element ${i}`);
            key = typeof found === 'string' ? found : fail(`element ${i}: extracted key attribute is not of type string, got "${pdataTypeName(found)}"`);
          }
          if (valuePath) value = extract(element, valuePath, `could not extract value from element ${i}`);
        }
        map.set(key, value);
      });
      return map;
    };
  },
});

function extract(map: ValueMap, path: readonly string[], what: string): Stored {
  if (path.length === 0) fail(`${what}: must provide at least one path item`);
  let current: Stored | undefined = map;
  for (let i = 0; i < path.length; i++) {
    current = current instanceof ValueMap ? current.get(path[i]!) : undefined;
    if (current === undefined) return fail(`${what}: provided object does not contain the path [${path.slice(i).join(' ')}]`);
  }
  return current as Stored;
}
