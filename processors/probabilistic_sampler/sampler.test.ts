import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Batch, type Signal } from '#src/core/batch.ts';
import { testContext } from '#src/core/testing/context.ts';
import { parseOtlpJson } from '#src/data/json_read.ts';
import { formatOtlpJson } from '#src/data/json_write.ts';
import { Bits56, thresholdOf } from './bits56.ts';
import { configSchema } from './config.ts';
import processor from './index.ts';
import { TraceState } from './trace_state.ts';

const rewriter = (signal: Signal, config: object) => processor.createRewriter!({ ...testContext(configSchema.parse(config)), signal })!;
const spans = (list: object[]): Batch =>
  new Batch('traces', [parseOtlpJson('traces', JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: list }] }] }))], list.length);
/** 128 bits that look like chance and are the same in every run. */
function traceId(i: number): string {
  let id = '';
  for (let word = 1; word <= 4; word++) {
    let x = Math.imul(i * 4 + word, 0x9e3779b1);
    x = Math.imul(x ^ (x >>> 15), 0x85ebca6b);
    x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
    id += ((x ^ (x >>> 16)) >>> 0).toString(16).padStart(8, '0');
  }
  return id;
}
const kept = (config: object, count = 20_000): Set<string> => {
  const result = rewriter('traces', config).rewrite(
    spans(Array.from({ length: count }, (_, i) => ({ traceId: traceId(i), spanId: '0000000000000001', name: 'x' }))),
  );
  if (result === null) return new Set();
  const read = JSON.parse(formatOtlpJson('traces', result.bytes)) as { resourceSpans: { scopeSpans: { spans: { traceId: string }[] }[] }[] };
  return new Set(read.resourceSpans[0]!.scopeSpans[0]!.spans.map((span) => span.traceId));
};

test('each mode keeps the share it was told, and a smaller share is part of a larger one', () => {
  for (const mode of ['hash_seed', 'equalizing', 'proportional']) {
    const tenth = kept({ mode, sampling_percentage: 10 }),
      half = kept({ mode, sampling_percentage: 50 });
    assert.ok(Math.abs(tenth.size - 2000) < 200, `${mode}: ${tenth.size} of 20000 for 10 %`);
    assert.ok(Math.abs(half.size - 10_000) < 300, `${mode}: ${half.size} of 20000 for 50 %`);
    assert.ok(
      [...tenth].every((id) => half.has(id)),
      mode,
    );
  }
  const seeded = kept({ hash_seed: 22, sampling_percentage: 50 }),
    plain = kept({ sampling_percentage: 50 });
  assert.ok(
    [...plain].some((id) => !seeded.has(id)),
    'another seed chooses others',
  );
});

test('thresholds have the digits that the specification gives', () => {
  const check = (probability: number, precision: number, want: string | undefined) =>
    assert.equal(thresholdOf(probability, precision)?.thresholdText(), want, `${probability} with ${precision} digits`);
  check(1, 4, '0');
  check(0.5, 4, '8');
  check(0.25, 4, 'c');
  check(1 / 3, 14, 'aaaaaaaaaaaaac');
  check(1 / 3, 3, 'aab');
  check(0.01, 4, 'fd70a');
  check(2 ** -56, 14, 'ffffffffffffff');
  check(2 ** -57, 14, undefined);
  check(1.1, 14, undefined);
});

test('a threshold has the share that it came from', () => {
  for (const share of [1, 0.5, 0.3, 0.001, 2 ** -40]) assert.ok(Math.abs(thresholdOf(share, 14)!.probability() / share - 1) < 1e-4, String(share));
  const bits = new Bits56();
  assert.equal(bits.parse('123456789abcdef'), false);
  assert.equal(bits.parse('12g'), false);
  assert.equal(bits.parse('00000010000000'), true);
  assert.equal(bits.digits(), '00000010000000');
});

test('a trace state keeps what others wrote, and one that breaks the rules is refused', () => {
  const state = new TraceState();
  assert.ok(state.parse('a=1, ot=th:80;x:y , t@s=2'));
  assert.ok(state.hasThreshold);
  assert.equal(state.text(), 'ot=th:80;x:y,a=1,t@s=2');
  state.setThreshold(thresholdOf(0.25, 4)!);
  assert.equal(state.text(), 'ot=th:c;x:y,a=1,t@s=2');
  for (const bad of [
    'a',
    '=1',
    'A=1',
    'ot=',
    'ot=th',
    'ot=th:',
    'ot=th:xyz',
    'ot=rv:12',
    'ot=th:1;',
    `a=${'1'.repeat(1024)}`,
    Array.from({ length: 32 }, (_, i) => `k${i}=1`).join(','),
  ])
    assert.equal(state.parse(bad), false, bad.slice(0, 40));
});

test('what is malformed is dropped or kept as fail_closed says', () => {
  const batch = spans([{ traceId: traceId(1), spanId: '0000000000000001', traceState: 'ot=th:zz' }]);
  assert.equal(rewriter('traces', { mode: 'proportional', sampling_percentage: 100 }).rewrite(batch), null);
  assert.equal(rewriter('traces', { mode: 'proportional', sampling_percentage: 1, fail_closed: false }).rewrite(batch), batch);
});
