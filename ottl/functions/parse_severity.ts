/** The level of a log from whatever says it. */
import { defineConverter, p } from '#ottl/function.ts';
import { fail, type Stored, typeName, type Value, ValueMap } from '#ottl/values.ts';

interface Level {
  readonly name: string;
  readonly texts: ReadonlySet<string>;
  readonly ranges: readonly (readonly [bigint, bigint])[];
}
const CLASSES: Readonly<Record<string, readonly [bigint, bigint]>> = { '2xx': [200n, 299n], '3xx': [300n, 399n], '4xx': [400n, 499n], '5xx': [500n, 599n] };

function rangeOf(range: Stored): readonly [bigint, bigint] {
  if (typeof range === 'string') return CLASSES[range] ?? fail(`invalid severity mapping criteria: unknown range placeholder: ${range}`);
  if (!(range instanceof ValueMap)) return fail('invalid severity mapping criteria: range must be a map or a known placeholder string');
  const bound = (name: string): bigint => {
    const value = range.get(name);
    if (value === undefined) return fail(`invalid severity mapping criteria: range must have a ${name} value`);
    return typeof value === 'bigint' ? value : fail(`invalid severity mapping criteria: ${name} must be an int64`);
  };
  return [bound('min'), bound('max')];
}

function levelOf(name: string, criteria: Stored): Level {
  if (!Array.isArray(criteria)) return fail('severity mapping criteria must be []any');
  const texts = new Set<string>(),
    ranges: (readonly [bigint, bigint])[] = [];
  for (const item of criteria) {
    if (!(item instanceof ValueMap)) return fail('severity mapping criteria items must be map[string]any');
    const equals = item.get('equals'),
      range = item.get('range');
    if (equals !== undefined) {
      if (!Array.isArray(equals)) return fail('invalid severity mapping criteria: equals must be a list');
      for (const text of equals) texts.add(typeof text === 'string' ? text : fail('invalid severity mapping criteria: equals values must be strings'));
    }
    if (range !== undefined) ranges.push(rangeOf(range));
  }
  return { name, texts, ranges };
}

export default defineConverter({
  name: 'ParseSeverity',
  summary: 'The name of the level whose criteria the target meets: texts it equals, or a range ({"min", "max"}, "2xx" to "5xx") an int is in.',
  params: { target: p.getter, mapping: p.map },
  examples: [
    { run: 'ParseSeverity("err", {"error": [{"equals": ["err", "fatal"]}], "info": [{"range": "2xx"}]})', want: 'error' },
    { run: 'ParseSeverity(204, {"error": [{"range": {"min": 500, "max": 599}}], "info": [{"range": "2xx"}]})', want: 'info' },
    { run: 'ParseSeverity("x", {"error": [{"equals": ["err"]}]})', error: "no matching log level found for value 'x'" },
    { run: 'ParseSeverity(1.5, {"error": [{"equals": ["err"]}]})', error: 'unsupported value type: float64' },
    { run: 'ParseSeverity("x", {"error": [{"range": "6xx"}]})', error: 'unknown range placeholder: 6xx' },
  ],
  create({ target, mapping }) {
    // As in the Collector, faults of the mapping show where it is used and not at start.
    let levels: readonly Level[] | null = null;
    const prepare = (): readonly Level[] => {
      const map = mapping.literal?.value ?? fail('severity mapping must be a literal PMap');
      return map.keys.map((name, i) => levelOf(name, map.values[i]!));
    };
    return (record) => {
      levels ??= prepare();
      return evaluate(target.get(record), levels);
    };
  },
});

function evaluate(value: Value, levels: readonly Level[]): string {
  if (typeof value !== 'string' && typeof value !== 'bigint')
    return fail(`could not map log level: could not evaluate log level of value '${String(value)}': unsupported value type: ${typeName(value)}`);
  const found = levels.find(({ texts, ranges }) =>
    typeof value === 'string' ? texts.has(value) : ranges.some(([least, most]) => value >= least && value <= most),
  );
  return found?.name ?? fail(`could not map log level: no matching log level found for value '${value}'`);
}
