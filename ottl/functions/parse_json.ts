/** JSON text as values. */
import { defineConverter, p } from '#ottl/function.ts';
import { fail, type Stored, ValueMap } from '#ottl/values.ts';

/** Deeper nesting than telemetry can hold is refused. */
const MAX_DEPTH = 128;

export default defineConverter({
  name: 'ParseJSON',
  summary: 'The map or list that a JSON text spells; numbers become floats.',
  params: { target: p.string },
  examples: [
    { run: 'ParseJSON("{\\"a\\": 1, \\"b\\": [true, null]}")', want: { a: 1, b: [true, null] } },
    { run: 'ParseJSON("[1.5]")', want: [1.5] },
    { run: 'ParseJSON("{\\"__proto__\\": {\\"x\\": 1}}")["__proto__"]["x"]', want: 1, note: 'a key like any other' },
    { run: 'ParseJSON("1")', error: 'could not convert parsed value of type float64 to JSON object' },
    { run: 'ParseJSON("{")', error: 'JSON' },
  ],
  create({ target }) {
    return (record) => {
      let parsed: unknown;
      try {
        parsed = JSON.parse(target.get(record));
      } catch (error) {
        return fail(`invalid JSON: ${(error as Error).message}`);
      }
      if (parsed === null || typeof parsed !== 'object') fail(`could not convert parsed value of type ${goType(parsed)} to JSON object`);
      return valueOf(parsed, 0);
    };
  },
});

const goType = (value: unknown): string => (value === null ? '<nil>' : typeof value === 'number' ? 'float64' : typeof value === 'boolean' ? 'bool' : 'string');

function valueOf(parsed: unknown, depth: number): Stored {
  if (depth > MAX_DEPTH) fail(`JSON is nested more than ${MAX_DEPTH} levels deep`);
  if (Array.isArray(parsed)) return parsed.map((item) => valueOf(item, depth + 1));
  if (parsed === null || typeof parsed !== 'object')
    return typeof parsed === 'number' && !Number.isFinite(parsed) ? fail('json: number is out of range') : (parsed as Stored);
  const keys = Object.keys(parsed);
  return new ValueMap(
    keys,
    keys.map((key) => valueOf((parsed as Record<string, unknown>)[key], depth + 1)),
  );
}
