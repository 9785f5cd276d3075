import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Batch } from '#src/core/batch.ts';
import type { Rewriter } from '#src/core/component.ts';
import { testContext } from '#src/core/testing/context.ts';
import { ManualClock } from '#src/core/testing/manual_clock.ts';
import { parseOtlpJson } from '#src/data/json_read.ts';
import { formatOtlpJson } from '#src/data/json_write.ts';
import { configSchema } from './config.ts';
import processor from './index.ts';

const at = (seconds: number): string => `${1_700_000_000 + seconds}000000000`;
const text = (key: string, stringValue: string) => ({ key, value: { stringValue } });
const point = (from: number, to: number, asInt: number, ...attributes: object[]) => ({
  startTimeUnixNano: at(from),
  timeUnixNano: at(to),
  asInt: String(asInt),
  attributes,
});
function build(config: object): { rewriter: Rewriter; clock: ManualClock } {
  const clock = new ManualClock();
  return { rewriter: processor.createRewriter!({ ...testContext(configSchema.parse(config)), clock, signal: 'metrics' })!, clock };
}
/** Values of the points that come out, and their start times in seconds. */
function feed(rewriter: Rewriter, ...dataPoints: object[]): [number, number][] {
  const metrics = [{ name: 'c', sum: { aggregationTemporality: 1, isMonotonic: true, dataPoints } }];
  const result = rewriter.rewrite(
    new Batch('metrics', [parseOtlpJson('metrics', JSON.stringify({ resourceMetrics: [{ scopeMetrics: [{ metrics }] }] }))], dataPoints.length),
  );
  if (result === null) return [];
  const sum = JSON.parse(formatOtlpJson('metrics', result.bytes)).resourceMetrics[0].scopeMetrics[0].metrics[0].sum;
  assert.equal(sum.aggregationTemporality, 2);
  assert.equal(result.itemCount, sum.dataPoints.length);
  return (sum.dataPoints as { asInt: string; startTimeUnixNano: string }[]).map(({ asInt, startTimeUnixNano }) => [
    Number(asInt),
    Number(startTimeUnixNano.slice(0, 10)) - 1_700_000_000,
  ]);
}

test('attributes in another order are the same stream, other values another', () => {
  const { rewriter } = build({});
  assert.deepEqual(feed(rewriter, point(0, 10, 1, text('a', '1'), text('b', '2')), point(0, 10, 5, text('a', '1'))), [
    [1, 0],
    [5, 0],
  ]);
  assert.deepEqual(feed(rewriter, point(10, 20, 2, text('b', '2'), text('a', '1')), point(10, 20, 5, text('a', '1'))), [
    [3, 0],
    [10, 0],
  ]);
});

test('what comes late, twice, or began before its stream is dropped and changes nothing', () => {
  const { rewriter } = build({});
  assert.deepEqual(feed(rewriter, point(10, 20, 1)), [[1, 10]]);
  assert.deepEqual(feed(rewriter, point(10, 20, 1), point(10, 15, 1), point(0, 30, 1)), []);
  assert.deepEqual(feed(rewriter, point(20, 30, 1)), [[2, 10]]);
});

test('a stream that is silent for max_stale begins anew, and gives its place to another', async () => {
  const { rewriter, clock } = build({ max_stale: '2m', max_streams: 1 });
  assert.deepEqual(feed(rewriter, point(0, 10, 1)), [[1, 0]]);
  assert.deepEqual(feed(rewriter, point(0, 10, 1, text('a', 'b'))), []);
  await clock.advance(119_000);
  assert.deepEqual(feed(rewriter, point(10, 20, 1)), [[2, 0]]);
  await clock.advance(181_000);
  assert.deepEqual(feed(rewriter, point(20, 30, 7, text('a', 'b'))), [[7, 20]]);
});
