import assert from 'node:assert';
import test from 'node:test';
import { PermanentError } from '#src/core/errors.ts';
import { parseOtlpJson } from './json_read.ts';
import { formatOtlpJson } from './json_write.ts';
import { decodePlain, type Plain } from './testing/random_otlp.ts';

const inSpan = (span: string): string => `{"resourceSpans":[{"scopeSpans":[{"spans":[${span}]}]}]}`;
const again = (json: string): string => formatOtlpJson('traces', parseOtlpJson('traces', json));

test('names in either spelling, enums by name, 64-bit integers as text or number are read exactly; unknown names are passed over', () => {
  const json =
    '{"resource_spans":[{"scope_spans":[{"spans":[{"trace_id":"0102030405060708090A0b0c0d0e0f10","span_id":"0102030405060708","name":"x","kind":"SPAN_KIND_SERVER","start_time_unix_nano":1700000000123456789,"endTimeUnixNano":"18446744073709551615","status":{"code":"STATUS_CODE_ERROR"},"foo":{"a":1},"attributes":[{"key":"k","value":{"int_value":-5}}]}]}]}]}';
  // As otelcol 0.155 wrote it with its file exporter.
  const want =
    '{"resourceSpans":[{"resource":{},"scopeSpans":[{"scope":{},"spans":[{"traceId":"0102030405060708090a0b0c0d0e0f10","spanId":"0102030405060708","name":"x","kind":2,"startTimeUnixNano":"1700000000123456789","endTimeUnixNano":"18446744073709551615","attributes":[{"key":"k","value":{"intValue":"-5"}}],"status":{"code":2}}]}]}]}';
  assert.equal(again(json), want);
});
test('null is nothing, for the request, a list, a message in a list and a field', () => {
  assert.equal(again('null'), '{}');
  assert.equal(again('{"resourceSpans":null}'), '{}');
  assert.equal(again('{"resourceSpans":[null]}'), '{"resourceSpans":[{"resource":{}}]}');
  assert.equal(again(inSpan('{"name":null,"events":null}')), '{"resourceSpans":[{"resource":{},"scopeSpans":[{"scope":{},"spans":[{"status":{}}]}]}]}');
});
test('what is not OTLP JSON is refused with its place', () => {
  const check = (json: string, want: RegExp): void =>
    assert.throws(
      () => parseOtlpJson('traces', json),
      (error: unknown) => error instanceof PermanentError && want.test(error.message),
    );
  check(inSpan('{"traceId":"zz"}'), /resourceSpans\[0\]\.scopeSpans\[0\]\.spans\[0\]\.traceId: an id of 32 hex digits was wanted, not "zz"/);
  check(inSpan('{"traceId":"0102"}'), /32 hex digits/);
  check(inSpan('{"name":5}'), /a string was wanted, not 5/);
  check(inSpan('{"kind":"NOPE"}'), /enum/);
  check(inSpan('{"kind":"2"}'), /enum/);
  check(inSpan('{"startTimeUnixNano":1.5}'), /an integer/);
  check(inSpan('{"startTimeUnixNano":-1}'), /from 0 to/);
  check(inSpan('{"attributes":[{"key":"b","value":{"boolValue":"true"}}]}'), /true or false/);
  check(inSpan('{"attributes":[{"key":"b","value":{"bytesValue":"!!"}}]}'), /base64/);
  check('{"resourceSpans":{}}', /resourceSpans: an array/);
  check('[]', /the request: an object/);
  check('', /Unexpected end/);
  check(
    `{"resourceSpans":[{"resource":{"attributes":[{"key":"k","value":${'{"arrayValue":{"values":['.repeat(2000)}${']}}'.repeat(2000)}}]}}]}`,
    /nested too deep/,
  );
});
test('doubles that JSON has no word for, and small ones, are written as the Collector does', () => {
  const values = ['"NaN"', '"Infinity"', '"-Infinity"', '1e-07', '1.5', '1e+30', '0', '-0'];
  const json = inSpan(`{"attributes":[${values.map((v) => `{"key":"d","value":{"doubleValue":${v}}}`).join(',')}],"status":{}}`);
  assert.equal(again(json), json.replace('{"scopeSpans"', '{"resource":{},"scopeSpans"').replace('{"spans"', '{"scope":{},"spans"'));
});
test('metrics of all kinds are read as protobufjs reads what was written', () => {
  const json = `{"resourceMetrics":[{"scopeMetrics":[{"metrics":[
    {"name":"h","histogram":{"aggregationTemporality":2,"dataPoints":[{"count":"3","sum":1.5,"bucketCounts":["1","2"],"explicitBounds":[0.5],"min":0,"exemplars":[{"asInt":"-5","traceId":"3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d"}]}]}},
    {"name":"e","exponentialHistogram":{"dataPoints":[{"scale":-3,"zeroCount":7,"positive":{"offset":-2,"bucketCounts":[1,"18446744073709551615"]}}]}},
    {"name":"s","summary":{"dataPoints":[{"quantileValues":[{"quantile":0.5,"value":2}]}]}},
    {"name":"g","gauge":{"dataPoints":[{"asDouble":0},{"asInt":"9007199254740993"}]}},
    {"name":"t","sum":{"isMonotonic":true,"dataPoints":[]}}]}]}]}`;
  const decoded = decodePlain('MetricsData', parseOtlpJson('metrics', json)) as { resourceMetrics: { scopeMetrics: { metrics: Plain[] }[] }[] };
  assert.deepEqual(decoded.resourceMetrics[0]!.scopeMetrics[0]!.metrics, [
    {
      name: 'h',
      histogram: {
        aggregationTemporality: 2,
        dataPoints: [
          {
            count: '3',
            sum: 1.5,
            bucketCounts: ['1', '2'],
            explicitBounds: [0.5],
            min: 0,
            exemplars: [{ asInt: '-5', traceId: Buffer.alloc(16, 0x3d).toString('base64') }],
          },
        ],
      },
    },
    { name: 'e', exponentialHistogram: { dataPoints: [{ scale: -3, zeroCount: '7', positive: { offset: -2, bucketCounts: ['1', '18446744073709551615'] } }] } },
    { name: 's', summary: { dataPoints: [{ quantileValues: [{ quantile: 0.5, value: 2 }] }] } },
    { name: 'g', gauge: { dataPoints: [{ asDouble: 0 }, { asInt: '9007199254740993' }] } },
    { name: 't', sum: { isMonotonic: true } },
  ]);
});
