/** Replaces what a pattern matches in the keys or texts of a map. */
import { patternReplacer } from '#ottl/formats/replacement.ts';
import { defineEditor, p } from '#ottl/function.ts';
import { dynamicPattern } from '#ottl/pattern.ts';
import { fail, OttlError, type Stored, ValueMap } from '#ottl/values.ts';

export default defineEditor({
  name: 'replace_all_patterns',
  summary: 'Replaces every match of a regular expression in the texts of a map (mode "value") or in its keys ("key").',
  params: {
    target: p.mapPath,
    mode: p.stringLiteral,
    regexPattern: p.string,
    replacement: p.string,
    function: p.optional(p.function),
    replacementFormat: p.optional(p.string),
  },
  examples: [
    { run: 'replace_all_patterns(attributes, "value", "x", "y")', given: { attributes: { a: 'xx', n: 1n } }, want: { attributes: { a: 'yy', n: 1n } } },
    { run: 'replace_all_patterns(attributes, "key", "^k8s_", "k8s.")', given: { attributes: { k8s_pod: 1n } }, want: { attributes: { 'k8s.pod': 1n } } },
    { run: 'replace_all_patterns(attributes, "both", "x", "y")', error: "invalid mode both, must be either 'key' or 'value'" },
  ],
  create({ target, mode, regexPattern, replacement, function: apply, replacementFormat }) {
    const compiled = dynamicPattern('replace_all_patterns', regexPattern);
    if (mode !== 'key' && mode !== 'value') fail(`invalid mode ${mode}, must be either 'key' or 'value'`);
    const make = patternReplacer(apply, replacementFormat);
    return (record) => {
      const map = target.get(record);
      const put = replacement.get(record);
      const pattern = compiled(record);
      /** Null where the function fails: a value then stays, an entry whose key it was is lost, as in the Collector. */
      const replaced = (text: string): string | null => {
        try {
          return make(pattern, text, put, record);
        } catch (error) {
          if (error instanceof OttlError) return null;
          throw error;
        }
      };
      if (mode === 'value') {
        target.set(
          record,
          new ValueMap(
            [...map.keys],
            map.values.map((value): Stored => (typeof value === 'string' && pattern.test(value) ? (replaced(value) ?? value) : value)),
          ),
        );
        return;
      }
      const changed = new ValueMap();
      map.keys.forEach((key, i) => {
        const name = pattern.test(key) ? replaced(key) : key;
        if (name !== null) changed.set(name, map.values[i]!);
      });
      target.set(record, changed);
    };
  },
});
