/** Brings nested entries of a map to its top. */
import { defineEditor, p } from '#ottl/function.ts';
import { fail, type Stored, ValueMap } from '#ottl/values.ts';

export default defineEditor({
  name: 'flatten',
  summary: 'Brings nested maps and lists up to the top of a map, their keys joined with dots.',
  params: { target: p.mapPath, prefix: p.optional(p.stringLiteral), depth: p.optional(p.intLiteral), resolveConflicts: p.optional(p.boolLiteral) },
  examples: [
    {
      run: 'flatten(attributes)',
      given: { attributes: { a: { b: 1n, c: [2n, { d: 3n }] } } },
      want: { attributes: { 'a.b': 1n, 'a.c.0': 2n, 'a.c.1.d': 3n } },
    },
    { run: 'flatten(attributes, "p", 1)', given: { attributes: { a: { b: { c: 1n } } } }, want: { attributes: { 'p.a.b': { c: 1n } } } },
    { run: 'flatten(attributes, depth=0)', error: "invalid depth '0' for flatten function, must be greater than 0" },
  ],
  create({ target, prefix = '', depth = 1n << 62n, resolveConflicts = false }) {
    if (depth < 1n) fail(`invalid depth '${depth}' for flatten function, must be greater than 0`);
    return (record) => target.set(record, new Flattening(Number(depth), resolveConflicts).run(target.get(record), prefix));
  },
});

class Flattening {
  readonly #result = new ValueMap();
  readonly #seen = new Map<string, number>();
  readonly #depth: number;
  readonly #resolve: boolean;
  constructor(depth: number, resolve: boolean) {
    this.#depth = depth;
    this.#resolve = resolve;
  }
  run(map: ValueMap, prefix: string): ValueMap {
    this.#map(map, prefix, 0);
    return this.#result;
  }
  #map(map: ValueMap, prefix: string, depth: number): void {
    const before = prefix === '' ? '' : `${prefix}.`;
    for (const [i, key] of map.keys.entries()) this.#value(key, map.values[i]!, depth, before);
  }
  #value(key: string, value: Stored, depth: number, prefix: string): void {
    const name = prefix + key;
    if (value instanceof ValueMap && depth < this.#depth) this.#map(value, name, depth + 1);
    else if (Array.isArray(value) && depth < this.#depth) {
      value.forEach((item, i) => {
        if (item instanceof ValueMap && depth + 1 < this.#depth) this.#map(item, `${name}.${i}`, depth + 2);
        // Items of a list in a list get their index behind the prefix without a dot, as in the Collector.
        else if (Array.isArray(item) && depth + 1 < this.#depth)
          for (const [k, inner] of item.entries()) this.#value(String(k), inner, depth + 3, `${name}.${i}`);
        else if (this.#resolve) this.#put(name, item);
        else this.#result.set(`${name}.${i}`, item);
      });
    } else if (this.#resolve) this.#put(name, value);
    else this.#result.set(name, value);
  }
  /** A key that is there already gets a number. */
  #put(name: string, value: Stored): void {
    if (!this.#result.has(name)) {
      this.#seen.set(name, 0);
      this.#result.set(name, value);
      return;
    }
    const count = this.#seen.get(name) ?? 0;
    this.#seen.set(name, count + 1);
    this.#result.set(`${name}.${count}`, value);
  }
}
