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

const START = 1_700_000_000;
const at = (seconds: number): string => `${START + seconds}000000000`;
const counter = (name: string, from: number, to: number, asDouble: number) => ({
  name,
  sum: { aggregationTemporality: 2, isMonotonic: true, dataPoints: [{ startTimeUnixNano: at(from), timeUnixNano: at(to), asDouble }] },
});
/** The clock of the processor stands at second 0. */
function build(config: object): { rewriter: Rewriter; clock: ManualClock } {
  const clock = new ManualClock(START * 1000);
  return { rewriter: processor.createRewriter!({ ...testContext(configSchema.parse(config)), clock, signal: 'metrics' })!, clock };
}
function feed(rewriter: Rewriter, ...metrics: object[]): [string, number, number][] {
  const result = rewriter.rewrite(
    new Batch('metrics', [parseOtlpJson('metrics', JSON.stringify({ resourceMetrics: [{ scopeMetrics: [{ metrics }] }] }))], metrics.length),
  );
  if (result === null) return [];
  const list = JSON.parse(formatOtlpJson('metrics', result.bytes)).resourceMetrics[0].scopeMetrics[0].metrics as {
    name: string;
    sum: { aggregationTemporality: number; dataPoints: { asDouble: number }[] };
  }[];
  return list.map(({ name, sum }) => [name, sum.aggregationTemporality, sum.dataPoints[0]!.asDouble]);
}

test('auto keeps the first point of what began after the program, and drops that of what ran before', () => {
  const { rewriter } = build({});
  assert.deepEqual(feed(rewriter, counter('old', -100, 10, 500), counter('new', 5, 10, 3)), [['new', 1, 3]]);
  assert.deepEqual(feed(rewriter, counter('old', -100, 20, 501), counter('new', 5, 20, 4)), [
    ['old', 1, 1],
    ['new', 1, 1],
  ]);
});

test('a counter that goes back is dropped once and counted on from there; one with another start time is another stream', () => {
  const { rewriter } = build({ initial_value: 'drop' });
  assert.deepEqual(feed(rewriter, counter('c', 0, 10, 5)), []);
  assert.deepEqual(feed(rewriter, counter('c', 0, 20, 2)), []);
  assert.deepEqual(feed(rewriter, counter('c', 0, 30, 6)), [['c', 1, 4]]);
  assert.deepEqual(feed(rewriter, counter('c', 35, 40, 7)), []);
});

test('metrics that are not included, or are excluded, pass as they are', () => {
  const { rewriter } = build({
    initial_value: 'keep',
    include: { match_type: 'regexp', metrics: ['^a', 'z$'] },
    exclude: { match_type: 'strict', metrics: ['ab'] },
  });
  assert.deepEqual(feed(rewriter, counter('aa', 0, 10, 1), counter('ab', 0, 10, 1), counter('b', 0, 10, 1)), [
    ['aa', 1, 1],
    ['ab', 2, 1],
    ['b', 2, 1],
  ]);
  assert.deepEqual(feed(build({ exclude: { metric_types: ['Sum'] } }).rewriter, counter('aa', 0, 10, 1)), [['aa', 2, 1]]);
});

test('a stream that is silent for max_staleness is forgotten', async () => {
  const { rewriter, clock } = build({ initial_value: 'drop', max_staleness: '1m' });
  feed(rewriter, counter('c', 0, 1, 5));
  await clock.advance(130_000);
  assert.deepEqual(feed(rewriter, counter('c', 0, 130, 9)), []);
  assert.deepEqual(feed(rewriter, counter('c', 0, 140, 10)), [['c', 1, 1]]);
});

test('options that contradict each other are refused', () => {
  const faults = (config: object): string | undefined => configSchema.safeParse(config).error?.issues[0]?.message;
  assert.match(faults({ include: { metrics: ['a'] } })!, /match_type must be set/);
  assert.match(faults({ exclude: { match_type: 'strict' } })!, /metrics must be supplied/);
  assert.match(faults({ include: { metric_types: ['gauge'] } })!, /invalid metric type: gauge/);
  assert.match(faults({ include: { match_type: 'regexp', metrics: ['('] } })!, /missing closing \)/);
});
