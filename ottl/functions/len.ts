/** How long something is. */
import { defineConverter, p } from '#ottl/function.ts';
import { fail, Opaque, typeName, ValueMap } from '#ottl/values.ts';

export default defineConverter({
  name: 'Len',
  summary: 'The bytes of a text, or the number of items of a list or map.',
  params: { target: p.getter },
  examples: [
    { run: 'Len("né")', want: 3n },
    { run: 'Len([1, 2])', want: 2n },
    { run: 'Len({"a": 1})', want: 1n },
    { run: 'Len(1)', error: 'unsupported target type int64' },
  ],
  create({ target }) {
    return (record) => {
      const value = target.get(record);
      if (typeof value === 'string') return BigInt(Buffer.byteLength(value));
      if (value instanceof Uint8Array || Array.isArray(value)) return BigInt(value.length);
      if (value instanceof ValueMap) return BigInt(value.size);
      if (value instanceof Opaque && Array.isArray(value.content)) return BigInt(value.content.length);
      return fail(
        `Len: unsupported target type ${typeName(value)}. target arg must be of type string, []any, map[string]any, pcommon.Map, pcommon.Slice, or pcommon.Value (of type String, Map, Slice)`,
      );
    };
  },
});
