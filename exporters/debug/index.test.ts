import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Batch, type Signal } from '#src/core/batch.ts';
import { testContext } from '#src/core/testing/context.ts';
import { ManualClock, settled } from '#src/core/testing/manual_clock.ts';
import { checkAndCount } from '#src/data/check.ts';
import { parseOtlpJson } from '#src/data/json_read.ts';
import { configSchema } from './config.ts';
import definition from './index.ts';

async function shown(signal: Signal, json: object, config: object = {}, times = 1): Promise<string[]> {
  const bytes = parseOtlpJson(signal, JSON.stringify(json)),
    batch = new Batch(signal, [bytes], checkAndCount(signal, bytes));
  const context = { ...testContext(configSchema.parse(config), { clock: new ManualClock() }), signals: [signal] };
  const exporter = definition.create(context as Parameters<typeof definition.create>[0]);
  await exporter.start?.();
  for (let i = 0; i < times; i++) await exporter.consume(batch);
  await settled();
  await exporter.shutdown?.();
  return context.telemetry.lines;
}
const gauge = {
  resourceMetrics: [
    {
      resource: { attributes: [{ key: 'r', value: { stringValue: 'x' } }] },
      scopeMetrics: [
        {
          scope: { name: 's', version: '1' },
          metrics: [
            {
              name: 'g',
              unit: '1',
              gauge: { dataPoints: [{ timeUnixNano: '1581452773000000789', asDouble: 1.5, attributes: [{ key: 'a', value: { intValue: '2' } }] }] },
            },
          ],
        },
      ],
    },
  ],
};

test('basic is one line with counts', async () => {
  assert.deepEqual(await shown('metrics', gauge), ['info Metrics {"resource metrics":1,"data points":1,"metrics":1}']);
  assert.deepEqual(await shown('logs', { resourceLogs: [{ scopeLogs: [{ logRecords: [{}, {}] }] }] }), ['info Logs {"resource logs":1,"log records":2}']);
});

test('normal is a line a record', async () => {
  const [, text] = await shown('metrics', gauge, { verbosity: 'Normal' });
  assert.equal(text, 'info ResourceMetrics #0 r=x\nScopeMetrics #0 s@1\ng{a=2} 1.5');
});

test('detailed shows every field as the Collector does', async () => {
  const span = {
    traceId: '0102030405060708090a0b0c0d0e0f10',
    spanId: '1112131415161718',
    name: 'pay',
    kind: 2,
    startTimeUnixNano: '1581452772000000321',
    endTimeUnixNano: '1581452773000000789',
    status: { code: 2, message: 'no' },
    attributes: [{ key: 'm', value: { kvlistValue: { values: [{ key: 'k', value: { arrayValue: { values: [{ intValue: '1' }] } } }] } } }],
    events: [{ name: 'e', timeUnixNano: '1581452773000000123' }],
  };
  const [, text] = await shown('traces', { resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] }, { verbosity: 'detailed' });
  assert.equal(
    text,
    `info ResourceSpans #0
Resource SchemaURL: 
ScopeSpans #0
ScopeSpans SchemaURL: 
InstrumentationScope  
Span #0
    Trace ID       : 0102030405060708090a0b0c0d0e0f10
    Parent ID      : 
    ID             : 1112131415161718
    Name           : pay
    Kind           : Server
    Start time     : 2020-02-11 20:26:12.000000321 +0000 UTC
    End time       : 2020-02-11 20:26:13.000000789 +0000 UTC
    Status code    : Error
    Status message : no
    DroppedAttributesCount: 0
    DroppedEventsCount: 0
    DroppedLinksCount: 0
Attributes:
     -> m: Map({"k":[1]})
Events:
SpanEvent #0
     -> Name: e
     -> Timestamp: 2020-02-11 20:26:13.000000123 +0000 UTC
     -> DroppedAttributesCount: 0`,
  );
});

test('sampling shows the first of a second and then every Nth', async () => {
  assert.equal((await shown('metrics', gauge, { sampling_initial: 2, sampling_thereafter: 3 }, 11)).length, 5);
});

test('output_paths needs the own log off', () => {
  assert.match(configSchema.safeParse({ output_paths: ['stdout'] }).error!.message, /output_paths is not supported when use_internal_logger is true/);
  assert.ok(configSchema.safeParse({ use_internal_logger: false, output_paths: ['stderr'] }).success);
});
