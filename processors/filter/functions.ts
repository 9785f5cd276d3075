/** Functions that only filter has: a metric is chosen by what its data points carry. */
import { defineConverter, type FunctionDefinition, p } from '#ottl/function.ts';
import { functions } from '#ottl/functions/index.ts';
import { fail } from '#ottl/values.ts';
import { metricData, position } from '#src/data/contexts.ts';
import { Cursor } from '#src/data/cursor.ts';
import { METRIC_DATA, NUMBER_POINT_TYPE, pointTypeOf } from '#src/data/message_types.ts';

const point = new Cursor(NUMBER_POINT_TYPE, metricData.space);

/** The attribute of the first data point that has it; undefined where none has. */
function firstWith(key: string) {
  if (position.metricKind === 0) fail('unknown metric type');
  const type = pointTypeOf(position.metricKind);
  for (let there = metricData.firstChild(METRIC_DATA.dataPoints, point, type); there; there = metricData.nextChild(METRIC_DATA.dataPoints, point, type)) {
    const value = point.attribute(key);
    if (value !== undefined) return value;
  }
  return undefined;
}

const hasAttrKeyOnDatapoint = defineConverter({
  name: 'HasAttrKeyOnDatapoint',
  summary: 'Whether a data point of the metric has the attribute.',
  params: { key: p.stringLiteral },
  contexts: ['metric'],
  examples: [],
  create:
    ({ key }) =>
    () =>
      firstWith(key) !== undefined,
});
const hasAttrOnDatapoint = defineConverter({
  name: 'HasAttrOnDatapoint',
  summary: 'Whether the first data point that has the attribute has it with this text.',
  params: { key: p.stringLiteral, expectedVal: p.stringLiteral },
  contexts: ['metric'],
  examples: [],
  create:
    ({ key, expectedVal }) =>
    () => {
      const value = firstWith(key);
      return value !== undefined && (typeof value === 'string' ? value : '') === expectedVal;
    },
});

/** What conditions of filter may call: converters, and these two. */
export const filterFunctions: readonly FunctionDefinition[] = [
  ...functions.filter(({ kind }) => kind === 'converter'),
  hasAttrKeyOnDatapoint,
  hasAttrOnDatapoint,
];
