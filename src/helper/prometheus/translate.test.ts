import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Batch } from '#src/core/batch.ts';
import { parseOtlpJson } from '#src/data/json_read.ts';
import { BatchReader } from '#src/data/read.ts';
import { ProtoWriter } from '#src/wire/proto_writer.ts';
import { addTargetInfo, compareNames, type Labels, sortedLabels, writeLabels } from './labels.ts';
import { rulesOf } from './names.ts';
import { BUCKET, bucketLayout, COUNT, DOUBLE, familyOf, FIRST_BUCKET, INT, pointSeries, STALE, type TranslationSettings, ZERO } from './translate.ts';

const SETTINGS: TranslationSettings = { rules: rulesOf('UnderscoreEscapingWithSuffixes'), scopeInfo: true, externalLabels: [], keepScraped: true };
const attribute = (key: string, stringValue: string) => ({ key, value: { stringValue } });

function readerOn(metric: object, resource: object[] = [], scope: object = {}): BatchReader {
  const request = { resourceMetrics: [{ resource: { attributes: resource }, scopeMetrics: [{ scope, metrics: [metric] }] }] };
  const reader = new BatchReader(new Batch('metrics', [parseOtlpJson('metrics', JSON.stringify(request))], 1));
  assert.ok(reader.nextResource() && reader.nextScope() && reader.nextRecord() && reader.nextPoint());
  return reader;
}
/** "name{label=value}" and source of each series of the first point. */
function seriesOf(reader: BatchReader, settings = SETTINGS): [string, number][] {
  const found: [string, number][] = [];
  pointSeries(reader, familyOf(reader, settings), settings, (labels, source) => {
    const map = new Map(Array.from({ length: labels.length / 2 }, (_, i) => [labels[2 * i]!, labels[2 * i + 1]!]));
    const name = map.get('__name__');
    map.delete('__name__');
    found.push([`${name}{${[...map].map(([key, value]) => `${key}=${value}`).join(',')}}`, source]);
  });
  return found;
}

test('a number becomes one series, whose value is read as it was written', () => {
  const check = (point: object, source: number) => assert.deepEqual(seriesOf(readerOn({ name: 'g', gauge: { dataPoints: [point] } })), [['g{}', source]]);
  check({ asDouble: 1.5 }, DOUBLE);
  check({ asInt: '7' }, INT);
  check({}, ZERO);
  check({ asInt: '7', flags: 1 }, STALE);
});

test('a histogram becomes sum, count and buckets that are summed up', () => {
  const point = { count: '6', sum: 4.5, bucketCounts: ['2', '3', '1'], explicitBounds: [0.1, 1] };
  const histogram = (own: object) => ({ name: 'h', unit: 's', histogram: { aggregationTemporality: 2, dataPoints: [{ ...point, ...own }] } });
  const wanted = (sum: number, count: number, first: number, bucket: number) => [
    ['h_seconds_sum{}', sum], ['h_seconds_count{}', count], ['h_seconds_bucket{le=0.1}', first], ['h_seconds_bucket{le=1}', bucket], ['h_seconds_bucket{le=+Inf}', count],
  ]; // biome-ignore format: a table
  assert.deepEqual(seriesOf(readerOn(histogram({}))), wanted(DOUBLE, COUNT, FIRST_BUCKET, BUCKET));
  assert.deepEqual(seriesOf(readerOn(histogram({ flags: 1 }))), wanted(STALE, STALE, STALE, STALE));
});

test('labels come from point, resource and scope; what meets after escaping is joined', () => {
  const metric = {
    name: 'g',
    gauge: { dataPoints: [{ asInt: '1', attributes: [attribute('a_b', '2'), attribute('a.b', '1'), attribute('empty', ''), attribute('job', 'own')] }] },
  };
  const resource = [
    attribute('service.name', 'shop'),
    attribute('service.namespace', 'store'),
    attribute('service.instance.id', 'i'),
    attribute('env', 'prod'),
    attribute('a.b', 'r'),
  ];
  const scope = { name: 'lib', version: '1', attributes: [attribute('k.x', 'v'), attribute('name', 'z')] };
  const names = (settings: TranslationSettings) => seriesOf(readerOn(metric, resource, scope), settings)[0]![0];
  assert.equal(
    names({
      ...SETTINGS,
      scopeInfo: false,
      externalLabels: [
        ['job', 'ext'],
        ['zone', 'z1'],
      ],
    }),
    'g{a_b=1;2,instance=i,job=store/shop,zone=z1}',
  );
  assert.equal(names(SETTINGS), 'g{a_b=1;2,instance=i,job=store/shop,otel_scope_k_x=v,otel_scope_name=lib,otel_scope_version=1}');
  assert.equal(names({ ...SETTINGS, scopeInfo: false, resourceLabels: 'without_service' }), 'g{a_b=r;2,env=prod,instance=i,job=store/shop}');
  assert.match(names({ ...SETTINGS, scopeInfo: false, resourceLabels: 'all' }), /service_name=shop,service_namespace=store/);
});

test('what was scraped keeps its name', () => {
  const metric = {
    name: 'a_total',
    unit: 's',
    metadata: [attribute('prometheus.type', 'counter')],
    sum: { aggregationTemporality: 2, isMonotonic: true, dataPoints: [{ asInt: '1' }] },
  };
  assert.equal(seriesOf(readerOn(metric))[0]![0], 'a_total{}');
  assert.equal(seriesOf(readerOn(metric), { ...SETTINGS, keepScraped: false })[0]![0], 'a_seconds_total{}');
});

test('deltas are refused with a hint', () => {
  const metric = { name: 'd', sum: { aggregationTemporality: 1, isMonotonic: true, dataPoints: [{ asInt: '1' }] } };
  assert.throws(() => familyOf(readerOn(metric), SETTINGS), /"d"; convert it with the deltatocumulative processor/);
});

test('target_info has the other attributes of a resource that is told from others', () => {
  const metric = { name: 'g', gauge: { dataPoints: [{ asInt: '1' }] } };
  const labelsOf = (resource: object[]): string[] | null => {
    const labels: Labels = new Map();
    return addTargetInfo(labels, readerOn(metric, resource).resource, SETTINGS.rules, []) ? sortedLabels(labels) : null;
  };
  assert.deepEqual(labelsOf([attribute('service.name', 's'), attribute('k8s..pod', 'p')]), ['job', 's', 'k8s__pod', 'p']);
  assert.equal(labelsOf([attribute('service.name', 's')]), null);
  assert.equal(labelsOf([attribute('env', 'prod')]), null);
});

test('labels are sorted by their bytes and written as remote write has them', () => {
  assert.ok(compareNames('\u{1f600}', '\uff5e') > 0, 'UTF-16 would order the surrogates first');
  const writer = new ProtoWriter();
  writeLabels(writer, ['a', 'ü', 'b', 'x'.repeat(130)]);
  assert.equal(writer.finish().toString('latin1'), `\x0a\x07\x0a\x01a\x12\x02\xc3\xbc\x0a\x88\x01\x0a\x01b\x12\x82\x01${'x'.repeat(130)}`);
});

test('buckets of an exponential histogram become spans and deltas; a gap of up to two is filled', () => {
  const check = (offset: number, counts: bigint[], scaleDown: number, spans: [number, number][], deltas: bigint[]) => {
    const got = bucketLayout(offset, counts, scaleDown);
    assert.deepEqual([got.spans.map((span) => [span.offset, span.length]), got.deltas], [spans, deltas]);
  };
  check(-1, [3n, 4n, 0n, 3n], 0, [[0, 4]], [3n, 1n, -4n, 3n]);
  check(
    0,
    [1n, 0n, 0n, 0n, 2n],
    0,
    [
      [1, 1],
      [3, 1],
    ],
    [1n, 1n],
  );
  check(-7, [1n, 2n, 3n, 4n, 5n, 6n, 7n], 3, [[0, 1]], [28n]);
  check(4, [], 0, [], []);
});
