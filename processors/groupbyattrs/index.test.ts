import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Batch, type Signal } from '#src/core/batch.ts';
import { testContext } from '#src/core/testing/context.ts';
import { parseOtlpJson } from '#src/data/json_read.ts';
import { formatOtlpJson } from '#src/data/json_write.ts';
import { configSchema } from './config.ts';
import processor from './index.ts';

const text = (key: string, stringValue: string) => ({ key, value: { stringValue } });
function run(signal: Signal, keys: string[], input: object, items: number) {
  const context = testContext(configSchema.parse({ keys }));
  const result = processor.createRewriter!({ ...context, signal })!.rewrite(new Batch(signal, [parseOtlpJson(signal, JSON.stringify(input))], items));
  return result === null ? null : { items: result.itemCount, json: JSON.parse(formatOtlpJson(signal, result.bytes)) };
}

test('spans of two resources meet by the value of an attribute, and the rest of each stays', () => {
  const span = (name: string, ...attributes: object[]) => ({ name, attributes });
  const result = run(
    'traces',
    ['host'],
    {
      resourceSpans: [
        {
          resource: { attributes: [text('a', '1'), text('b', '2')] },
          scopeSpans: [{ scope: { name: 's' }, spans: [span('one', text('x', 'y'), text('host', 'h'), text('z', 'z'))] }],
        },
        {
          resource: { attributes: [text('b', '2'), text('a', '1')] },
          scopeSpans: [{ scope: { name: 's' }, spans: [span('two', text('host', 'h')), span('three')] }],
        },
      ],
    },
    3,
  )!;
  assert.equal(result.items, 3);
  const groups = result.json.resourceSpans as {
    resource: { attributes: { key: string }[] };
    scopeSpans: { spans: { name: string; attributes?: { key: string }[] }[] }[];
  }[];
  assert.deepEqual(
    groups.map(({ resource, scopeSpans }) => [resource.attributes.map(({ key }) => key), scopeSpans.map(({ spans }) => spans.map(({ name }) => name))]),
    [
      [['a', 'b', 'host'], [['one', 'two']]],
      [['b', 'a'], [['three']]],
    ],
  );
  assert.deepEqual(groups[0]!.scopeSpans[0]!.spans[0]!.attributes, [text('x', 'y'), text('z', 'z')]);
});

test('the points of a metric go different ways and keep what the metric is', () => {
  const point = (host: string, asInt: string) => ({ attributes: [text('host', host)], asInt });
  const metrics = [
    { name: 'm', unit: 'By', sum: { aggregationTemporality: 2, isMonotonic: true, dataPoints: [point('a', '1'), point('b', '2'), point('a', '3')] } },
    { name: 'empty' },
  ];
  const result = run('metrics', ['host'], { resourceMetrics: [{ scopeMetrics: [{ metrics }] }] }, 3)!;
  const sums = (
    result.json.resourceMetrics as {
      scopeMetrics: { metrics: { name: string; unit: string; sum: { isMonotonic: boolean; dataPoints: { asInt: string }[] } }[] }[];
    }[]
  ).map(({ scopeMetrics }) => scopeMetrics[0]!.metrics.map(({ name, unit, sum }) => [name, unit, sum.isMonotonic, sum.dataPoints.map(({ asInt }) => asInt)]));
  assert.deepEqual(sums, [[['m', 'By', true, ['1', '3']]], [['m', 'By', true, ['2']]]]);
});

test('a batch without items leaves nothing', () => {
  assert.equal(run('logs', [], { resourceLogs: [{ scopeLogs: [{}] }] }, 0), null);
});
