import assert from 'node:assert';
import test from 'node:test';
import { Batch, SIGNALS, type Signal } from '#src/core/batch.ts';
import { PermanentError } from '#src/core/errors.ts';
import { checkAndCount } from './check.ts';
import type { Cursor } from './cursor.ts';
import { attributeLiteral } from './cursor.ts';
import { keyId } from './keys.ts';
import { LOG, METRIC, METRIC_DATA, SCOPE, SPAN, SPAN_EVENT, STATUS } from './message_types.ts';
import {
  appendRecord, BytesRewriter, currentRecord, dataPoint, DROP, INNER_LEVEL, KEEP, type Level, log, metric, metricData, type Pass, planWalks, RECORD_LEVEL, replaceRecord, RESOURCE_LEVEL, resource, resourceGroup, SCOPE_LEVEL, scope, span, spanEvent,
} from './rewrite.ts'; // biome-ignore format: names
import { literal } from './space.ts';
import { otlp } from './testing/otlp_descriptor.ts';
import { decodePlain, encodeInOrder, KEYS, type Plain, Random, REQUEST_TYPES, randomRequest } from './testing/random_otlp.ts';
import type { Value } from './value.ts';

const NAMES = {
  traces: ['resourceSpans', 'scopeSpans', 'spans'],
  logs: ['resourceLogs', 'scopeLogs', 'logRecords'],
  metrics: ['resourceMetrics', 'scopeMetrics', 'metrics'],
} as const;
const RECORDS: Readonly<Record<Signal, Cursor>> = { traces: span, logs: log, metrics: metric };
const DATA = ['gauge', 'sum', 'histogram', 'exponentialHistogram', 'summary'];

/** One random edit, twice: on the cursor, and on the object that protobufjs decoded. */
interface Edit {
  readonly onCursor: (cursor: Cursor) => void;
  readonly onObject: (object: Plain) => void;
}
const VALUES: readonly (readonly [Value, Plain])[] = [
  ['text', { stringValue: 'text' }],
  ['ü'.repeat(90), { stringValue: 'ü'.repeat(90) }],
  [7n, { intValue: '7' }],
  [-(2n ** 63n), { intValue: '-9223372036854775808' }],
  [1.5, { doubleValue: 1.5 }],
  [true, { boolValue: true }],
  [null, {}],
  [['a', 1n], { arrayValue: { values: [{ stringValue: 'a' }, { intValue: '1' }] } }],
];
type Entry = { key?: string; value?: Plain };
const keyOf = (entry: Entry): string => entry.key ?? '';
const listOf = (object: Plain, field: string): Entry[] => (object[field] ??= []) as Entry[];
function setEntry(list: Entry[], key: string, value: Plain): void {
  const found = list.find((entry) => keyOf(entry) === key);
  if (found !== undefined) found.value = value;
  else list.push({ key, value });
}
function randomEdit(random: Random, field: string): Edit {
  const key = random.pick([...KEYS, 'new', 'another']);
  const id = keyId(key);
  const [value, plain] = random.pick(VALUES);
  switch (random.below(6)) {
    case 0: {
      const made = attributeLiteral(key, value);
      return { onCursor: (cursor) => cursor.setLiteral(made), onObject: (object) => setEntry(listOf(object, field), key, plain) };
    }
    case 1:
      return { onCursor: (cursor) => cursor.setAttribute(key, value), onObject: (object) => setEntry(listOf(object, field), key, plain) };
    case 2:
      return { onCursor: (cursor) => cursor.setAttributeInt(id, 300000n), onObject: (object) => setEntry(listOf(object, field), key, { intValue: '300000' }) };
    case 3:
      return { onCursor: (cursor) => cursor.setAttributeText(id, 'é'), onObject: (object) => setEntry(listOf(object, field), key, { stringValue: 'é' }) };
    case 4: {
      const unknown = `never numbered ${random.below(3)}`;
      return { onCursor: (cursor) => cursor.setAttribute(unknown, value), onObject: (object) => setEntry(listOf(object, field), unknown, plain) };
    }
    default:
      return {
        onCursor: (cursor) => void cursor.deleteAttribute(id),
        onObject: (object) => {
          const list = listOf(object, field);
          const i = list.findIndex((entry) => keyOf(entry) === key);
          if (i >= 0) list.splice(i, 1);
        },
      };
  }
}

interface TwicePass {
  readonly pass: Pass;
  readonly onObject: (request: Plain) => void;
}
const many = (object: Plain | undefined, field: string): Plain[] => ((object?.[field] as Plain[] | undefined) ?? []) as Plain[];

/** A random pass: edits at a level, perhaps a drop, perhaps a resource attribute that the last record wins. */
function randomPass(random: Random, signal: Signal): TwicePass {
  const levels: Level[] =
    signal === 'logs' ? [RESOURCE_LEVEL, SCOPE_LEVEL, RECORD_LEVEL, RECORD_LEVEL] : [RESOURCE_LEVEL, SCOPE_LEVEL, RECORD_LEVEL, INNER_LEVEL];
  const level = random.pick(levels);
  const field = level === RECORD_LEVEL && signal === 'metrics' ? 'metadata' : 'attributes';
  const edits = Array.from({ length: random.below(4) }, () => randomEdit(random, field));
  const cursor =
    level === RESOURCE_LEVEL
      ? resource
      : level === SCOPE_LEVEL
        ? scope
        : level === RECORD_LEVEL
          ? RECORDS[signal]
          : signal === 'traces'
            ? spanEvent
            : dataPoint;
  const dropKey = random.below(2) === 0 ? random.pick(KEYS) : null;
  const dropId = dropKey === null ? -1 : keyId(dropKey);
  const special = random.below(3);
  const outward = level !== RESOURCE_LEVEL && random.below(4) === 0;
  const outwardId = keyId('last');
  const seen = keyId('seen');
  const readsResource = random.below(4) === 0;
  const dropsEmpty = level >= RECORD_LEVEL && dropKey !== null;
  let count = 0;
  let plainCount = 0;
  const visit = (): number => {
    if (dropId >= 0 && cursor.row(dropId) >= 0) return DROP;
    for (const edit of edits) edit.onCursor(cursor);
    if (readsResource && level !== RESOURCE_LEVEL && resource.row(outwardId) >= 0) cursor.setAttributeBool(seen, true);
    if (outward) resource.setAttributeInt(outwardId, count++);
    if (special === 0) specialOnCursor(level, signal);
    return KEEP;
  };
  const apply = (object: Plain, group: Plain, parent: Plain = {}): boolean => {
    if (dropKey !== null && listOf(object, field).some((entry) => keyOf(entry) === dropKey)) return false;
    for (const edit of edits) edit.onObject(object);
    if (readsResource && level !== RESOURCE_LEVEL && listOf((group['resource'] ??= {}) as Plain, 'attributes').some((entry) => entry.key === 'last'))
      setEntry(listOf(object, field), 'seen', { boolValue: true });
    if (outward) setEntry(listOf((group['resource'] ??= {}) as Plain, 'attributes'), 'last', { intValue: String(plainCount++) });
    if (special === 0) specialOnObject(level, signal, object, group, parent);
    return true;
  };
  const [groupsName, scopesName, recordsName] = NAMES[signal];
  const onObject = (request: Plain): void => {
    request[groupsName] = many(request, groupsName).filter((group) => {
      if (level === RESOURCE_LEVEL) return apply((group['resource'] ??= {}) as Plain, group);
      group[scopesName] = many(group, scopesName).filter((scopes) => {
        if (level === SCOPE_LEVEL) return apply((scopes['scope'] ??= {}) as Plain, group);
        scopes[recordsName] = many(scopes, recordsName).filter((record) => {
          if (level === RECORD_LEVEL) return apply(record, group);
          if (signal === 'traces') {
            record['events'] = many(record, 'events').filter((event) => apply(event, group, record));
            return true;
          }
          const kind = DATA.find((name) => record[name] !== undefined);
          if (kind === undefined) return true;
          const data = record[kind] as Plain;
          data['dataPoints'] = many(data, 'dataPoints').filter((point) => apply(point, group, record));
          return !dropsEmpty || many(data, 'dataPoints').length > 0;
        });
        return !dropsEmpty || many(scopes, recordsName).length > 0;
      });
      return !dropsEmpty || many(group, scopesName).length > 0;
    });
  };
  return {
    pass: {
      level,
      visit,
      reads: readsResource ? RESOURCE_LEVEL : 0,
      writes: (outward ? RESOURCE_LEVEL : 0) | (special === 0 && level === INNER_LEVEL ? RECORD_LEVEL : 0),
      dropsEmpty,
    },
    onObject,
  };
}
function specialOnCursor(level: Level, signal: Signal): void {
  if (level === RESOURCE_LEVEL) resourceGroup.setText(3, 'http://schema');
  else if (level === SCOPE_LEVEL) scope.setText(SCOPE.name, 'renamed');
  else if (level === RECORD_LEVEL) {
    if (signal === 'traces') {
      span.setIntIn(SPAN.status, STATUS.code, 2);
      span.setText(SPAN.name, 'span!');
      span.setFixed64(SPAN.endTimeUnixNano, 2n ** 64n - 1n);
      span.clear(SPAN.traceState);
    } else if (signal === 'logs') {
      log.setAnyField(LOG.body, 'body!');
      log.setInt(LOG.severityNumber, 9);
    } else {
      metric.setText(METRIC.name, 'metric!');
      if (metricData.end > 0 && metric.has(METRIC.sum)) metricData.setInt(METRIC_DATA.isMonotonic, 1);
    }
  } else if (signal === 'traces') {
    spanEvent.setText(SPAN_EVENT.name, 'event!');
    span.setText(SPAN.name, 'by event');
  } else {
    dataPoint.setFixed64(3, 77n);
    metric.setText(METRIC.unit, 'by point');
  }
}
function specialOnObject(level: Level, signal: Signal, object: Plain, group: Plain, parent: Plain): void {
  if (level === RESOURCE_LEVEL) group['schemaUrl'] = 'http://schema';
  else if (level === SCOPE_LEVEL) object['name'] = 'renamed';
  else if (level === RECORD_LEVEL) {
    if (signal === 'traces') {
      const status = (object['status'] ??= {}) as Plain;
      status['code'] = 2;
      object['name'] = 'span!';
      object['endTimeUnixNano'] = '18446744073709551615';
      delete object['traceState'];
    } else if (signal === 'logs') {
      object['body'] = { stringValue: 'body!' };
      object['severityNumber'] = 9;
    } else {
      object['name'] = 'metric!';
      if (object['sum'] !== undefined) (object['sum'] as Plain)['isMonotonic'] = true;
    }
  } else if (signal === 'traces') {
    object['name'] = 'event!';
    parent['name'] = 'by event';
  } else {
    object['timeUnixNano'] = '77';
    parent['unit'] = 'by point';
  }
}

/** For callbacks of one expression. */
const keep = (..._done: unknown[]): number => KEEP;

/** Empty lists and empty resources say nothing: both sides without them. */
function normal(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(normal);
  if (typeof value !== 'object' || value === null) return value;
  const out: Plain = {};
  for (const [key, one] of Object.entries(value)) {
    if ((Array.isArray(one) && one.length === 0) || (key === 'key' && one === '')) continue;
    const cleaned = normal(one);
    if ((key === 'resource' || key === 'scope') && Object.keys(cleaned as Plain).length === 0) continue;
    out[key] = cleaned;
  }
  return out;
}

test('random passes of random edits give what the same edits of decoded objects give, for all signals and orders of fields', () => {
  let changed = 0;
  let shared = 0;
  for (const signal of SIGNALS) {
    for (let seed = 1; seed <= 500; seed++) {
      const random = new Random(seed * 7919);
      const { bytes } = randomRequest(signal, seed);
      const passes = Array.from({ length: 1 + random.below(4) }, () => randomPass(random, signal));
      const rewriter = new BytesRewriter(
        signal,
        passes.map((one) => one.pass),
      );
      if (planWalks(rewriter.passes).length < passes.length) shared++;
      const batch = new Batch(signal, [bytes], checkAndCount(signal, bytes));
      const want = decodePlain(REQUEST_TYPES[signal], bytes);
      for (const one of passes) one.onObject(want);
      const got = rewriter.rewrite(batch);
      const decoded = got === null ? {} : decodePlain(REQUEST_TYPES[signal], got.bytes);
      const where = `${signal} ${seed}, passes ${passes.map((one) => one.pass.level)}`;
      assert.deepEqual(normal(decoded), normal(want), where);
      if (got !== null) assert.equal(got.itemCount, checkAndCount(signal, got.bytes), where);
      if (got !== batch) changed++;
      // A second time over the result, for what the first left behind in the cursors.
      assert.deepEqual(rewriter.rewrite(new Batch(signal, [bytes, bytes], batch.itemCount * 2))?.parts[0]?.length, got?.parts[0]?.length, where);
    }
  }
  assert.ok(changed > 1000 && shared > 300, `${changed} ${shared}`);
});
test('a batch that nothing changed comes back as the same object', () => {
  const { bytes } = randomRequest('traces', 3);
  const batch = new Batch('traces', [bytes], checkAndCount('traces', bytes));
  const id = keyId('not there');
  const rewriter = new BytesRewriter('traces', [{ level: RECORD_LEVEL, reads: 0, writes: 0, visit: () => (span.deleteAttribute(id) ? DROP : KEEP) }]);
  assert.equal(rewriter.rewrite(batch), batch);
});
test('unknown fields and the order of fields survive where nothing is edited', () => {
  const type = otlp.lookupType('TracesData');
  const object = { resourceSpans: [{ scopeSpans: [{ spans: [{ name: 'a', attributes: [{ key: 'k', value: { stringValue: 'v' } }] }, { name: 'b' }] }] }] };
  const bytes = encodeInOrder(type, object, 'descending', new Random(1), false);
  const extra = Buffer.concat([bytes, Buffer.from([0xa2, 0x06, 2, 1, 2])]);
  const rewriter = new BytesRewriter('traces', [
    { level: RECORD_LEVEL, reads: 0, writes: 0, visit: () => (span.text(SPAN.name) === 'b' ? DROP : KEEP), dropsEmpty: true },
  ]);
  const got = rewriter.rewrite(new Batch('traces', [extra], 2))!;
  assert.deepEqual([...got.bytes.subarray(-5)], [0xa2, 0x06, 2, 1, 2]);
  assert.equal(got.itemCount, 1);
});
test('everything dropped with dropsEmpty leaves null', () => {
  const { bytes } = randomRequest('logs', 5);
  const rewriter = new BytesRewriter('logs', [{ level: RECORD_LEVEL, reads: 0, writes: 0, visit: () => DROP, dropsEmpty: true }]);
  const unknownOnly = rewriter.rewrite(new Batch('logs', [bytes], checkAndCount('logs', bytes)));
  assert.ok(unknownOnly === null || unknownOnly.itemCount === 0);
});
test('attributes are compared, read and deleted in place, duplicates first one first', () => {
  const type = otlp.lookupType('LogsData');
  const attributes = [
    { key: 'k', value: { stringValue: 'one' } },
    { key: 'k', value: { stringValue: 'two' } },
    { key: 'n', value: { intValue: '9007199254740993' } },
    { key: 'd', value: { doubleValue: 2.5 } },
  ];
  const bytes = Buffer.from(
    type.encode(type.fromObject({ resourceLogs: [{ scopeLogs: [{ logRecords: [{ attributes, body: { stringValue: 'GET /x 200' } }] }] }] })).finish(),
  );
  const [k, n, d] = ['k', 'n', 'd'].map(keyId) as [number, number, number];
  const [one, o, get] = [literal('one'), literal('o'), literal('GET')];
  const seen: unknown[] = [];
  const rewriter = new BytesRewriter('logs', [
    {
      level: RECORD_LEVEL,
      reads: 0,
      writes: 0,
      visit() {
        seen.push(log.attributeEquals(k, one), log.attributeStartsWith(k, o), log.attributeNumber(d), log.attributeIsNil(keyId('zzz')));
        log.readAttribute(n);
        seen.push(log.valueInt());
        log.readAnyField(LOG.body);
        seen.push(log.valueText(), get.size);
        log.setAttributeSlice(keyId('method'), log.valueAt, 3);
        log.deleteAttribute(k);
        seen.push(log.attribute('k'), log.attribute('method'), log.attributeCount());
        log.setAttribute('k', 'three');
        log.setAttribute('k', 'four');
        return KEEP;
      },
    },
  ]);
  const got = rewriter.rewrite(new Batch('logs', [bytes], 1))!;
  assert.deepEqual(seen, [true, true, 2.5, true, 9007199254740993n, 'GET /x 200', 3, 'two', 'GET', 4]);
  const logs = decodePlain('LogsData', got.bytes) as { resourceLogs: { scopeLogs: { logRecords: { attributes: unknown[] }[] }[] }[] };
  assert.deepEqual(logs.resourceLogs[0]!.scopeLogs[0]!.logRecords[0]!.attributes, [
    { key: 'k', value: { stringValue: 'four' } },
    { key: 'n', value: { intValue: '9007199254740993' } },
    { key: 'd', value: { doubleValue: 2.5 } },
    { key: 'method', value: { stringValue: 'GET' } },
  ]);
});
test('a metric is read with its edits, replaced, edited on, and others are added behind it', () => {
  const type = otlp.lookupType('MetricsData');
  const metricType = otlp.lookupType('Metric');
  const object = {
    resourceMetrics: [{ scopeMetrics: [{ metrics: [{ name: 'm', sum: { dataPoints: [{ asInt: '1' }, { asInt: '2' }] } }, { name: 'other' }] }] }],
  };
  const bytes = Buffer.from(type.encode(type.fromObject(object)).finish());
  const rewriter = new BytesRewriter('metrics', [
    {
      level: RECORD_LEVEL,
      reads: INNER_LEVEL,
      writes: INNER_LEVEL,
      visit() {
        if (metric.text(METRIC.name) !== 'm') return KEEP;
        metric.setText(METRIC.unit, 's');
        metricData.setInt(METRIC_DATA.aggregationTemporality, 2);
        const now = metricType.toObject(metricType.decode(currentRecord()), { longs: String }) as {
          name: string;
          unit: string;
          sum: { dataPoints: unknown[] };
        };
        assert.deepEqual(now, { name: 'm', unit: 's', sum: { dataPoints: [{ asInt: '1' }, { asInt: '2' }], aggregationTemporality: 2 } });
        replaceRecord(
          Buffer.from(metricType.encode(metricType.fromObject({ name: now.name, gauge: { dataPoints: [...now.sum.dataPoints, { asInt: '3' }] } })).finish()),
        );
        metric.setText(METRIC.description, 'later');
        appendRecord(Buffer.from(metricType.encode(metricType.fromObject({ name: 'copy', gauge: { dataPoints: [{ asInt: '4' }] } })).finish()));
        return KEEP;
      },
    },
    { level: INNER_LEVEL, reads: 0, writes: 0, visit: () => (dataPoint.sfixed64(6) === 2n ? DROP : keep(dataPoint.setAttributeText(keyId('p'), 'q'))) },
  ]);
  const got = rewriter.rewrite(new Batch('metrics', [bytes], 2))!;
  const point = (value: string): Plain => ({ attributes: [{ key: 'p', value: { stringValue: 'q' } }], asInt: value });
  assert.deepEqual(decodePlain('MetricsData', got.bytes), {
    resourceMetrics: [
      {
        scopeMetrics: [
          {
            metrics: [
              { name: 'm', description: 'later', gauge: { dataPoints: [point('1'), point('3')] } },
              { name: 'other' },
              { name: 'copy', gauge: { dataPoints: [{ asInt: '4' }] } },
            ],
          },
        ],
      },
    ],
  });
  assert.equal(got.itemCount, 3);
});
test('what a pass appends it visits in turn, and a pass that would never end is refused', () => {
  const metricType = otlp.lookupType('Metric');
  const encode = (object: Plain, type = metricType): Buffer => Buffer.from(type.encode(type.fromObject(object)).finish());
  const point = (value: string): Plain => ({ asInt: value });
  const metrics = [{ name: 'a', gauge: { dataPoints: [point('1'), point('2')] } }];
  const bytes = encode({ resourceMetrics: [{ scopeMetrics: [{ metrics }] }] }, otlp.lookupType('MetricsData'));
  const visited: string[] = [];
  let endless = false;
  const pass: Pass = {
    level: INNER_LEVEL,
    reads: RECORD_LEVEL,
    writes: RECORD_LEVEL,
    appends: true,
    visit() {
      const name = metric.text(METRIC.name);
      dataPoint.setAttributeText(keyId('k'), name);
      const now = metricType.toObject(metricType.decode(currentRecord()), { longs: String }) as { gauge: { dataPoints: Plain[] } };
      visited.push(`${name} ${now.gauge.dataPoints.map((one) => `${one['asInt']}${one['attributes'] ? '!' : ''}`).join(' ')}`);
      if (endless || (name.length < 3 && dataPoint.sfixed64(6) === 1n))
        appendRecord(encode({ name: `${name}${name[0]}`, gauge: { dataPoints: [point('1')] } }));
      return KEEP;
    },
  };
  const batch = new Batch('metrics', [bytes], 2);
  const before: Pass = { level: RECORD_LEVEL, reads: 0, writes: 0, visit: () => keep(metric.setText(METRIC.unit, 's')) };
  const got = new BytesRewriter('metrics', [before, pass]).rewrite(batch)!;
  assert.deepEqual(visited, ['a 1! 2', 'a 1! 2!', 'aa 1!', 'aaa 1!']);
  const marked = (value: string, text: string): Plain => ({ attributes: [{ key: 'k', value: { stringValue: text } }], asInt: value });
  assert.deepEqual(decodePlain('MetricsData', got.bytes), {
    resourceMetrics: [
      {
        scopeMetrics: [
          {
            metrics: [
              { name: 'a', unit: 's', gauge: { dataPoints: [marked('1', 'a'), marked('2', 'a')] } },
              { name: 'aa', gauge: { dataPoints: [marked('1', 'aa')] } },
              { name: 'aaa', gauge: { dataPoints: [marked('1', 'aaa')] } },
            ],
          },
        ],
      },
    ],
  });
  assert.equal(got.itemCount, 4);
  endless = true;
  assert.throws(() => new BytesRewriter('metrics', [pass]).rewrite(batch), PermanentError);
  endless = false;
  assert.deepEqual(new BytesRewriter('metrics', [before, pass]).rewrite(batch)!.bytes, got.bytes, 'what the refused batch left behind is gone');
});
test('a resource that came in two pieces is joined and then edited', () => {
  const piece = (key: string): Buffer => Buffer.from([0x0a, 5 + 0, 0x0a, 3, 0x0a, 1, key.charCodeAt(0)]);
  const inner = Buffer.concat([piece('a'), Buffer.from([0x12, 2, 0x12, 0]), piece('b')]);
  const bytes = Buffer.concat([Buffer.from([0x0a, inner.length]), inner]);
  const rewriter = new BytesRewriter('logs', [{ level: RESOURCE_LEVEL, reads: 0, writes: 0, visit: () => keep(resource.setAttribute('b', 1n)) }]);
  const got = rewriter.rewrite(new Batch('logs', [bytes], 1))!;
  assert.deepEqual(decodePlain('LogsData', got.bytes), {
    resourceLogs: [{ resource: { attributes: [{ key: 'a' }, { key: 'b', value: { intValue: '1' } }] }, scopeLogs: [{ logRecords: [{}] }] }],
  });
});
test('damaged bytes end in PermanentError or an answer, and the next batch is rewritten as ever', () => {
  const set = attributeLiteral('x', 'y');
  for (const signal of SIGNALS) {
    const cursor = RECORDS[signal];
    const passes: Pass[] = [
      { level: RESOURCE_LEVEL, reads: 0, writes: 0, visit: () => keep(resource.setLiteral(set)) },
      { level: RECORD_LEVEL, reads: 0, writes: 0, visit: () => keep(cursor.setLiteral(set), cursor.attributes()) },
    ];
    if (signal !== 'logs')
      passes.push({ level: INNER_LEVEL, reads: 0, writes: 0, visit: () => keep((signal === 'traces' ? spanEvent : dataPoint).setLiteral(set)) });
    const rewriter = new BytesRewriter(signal, passes);
    for (let seed = 1; seed <= 300; seed++) {
      const random = new Random(seed);
      const { bytes } = randomRequest(signal, seed);
      const good = new Batch(signal, [bytes], checkAndCount(signal, bytes));
      const before = rewriter.rewrite(good)?.bytes;
      const damaged = Buffer.from(bytes.subarray(0, random.below(2) === 0 ? bytes.length : random.below(bytes.length + 1)));
      for (let i = 0; i < 2 && damaged.length > 0; i++) damaged[random.below(damaged.length)] = random.below(256);
      try {
        rewriter.rewrite(new Batch(signal, [damaged], 1));
      } catch (error) {
        assert.ok(error instanceof PermanentError, `${signal} ${seed}: ${(error as Error).stack}`);
      }
      assert.deepEqual(rewriter.rewrite(good)?.bytes, before);
    }
  }
});
test('a record with very many attributes and edits at both ends is rewritten in reasonable time, and a large batch grows the space', () => {
  const type = otlp.lookupType('LogsData');
  const attributes = Array.from({ length: 30_000 }, (_, i) => ({ key: `k${i}`, value: { intValue: String(i) } }));
  const bytes = Buffer.from(type.encode(type.fromObject({ resourceLogs: [{ scopeLogs: [{ logRecords: [{ attributes }] }] }] })).finish());
  const rewriter = new BytesRewriter('logs', [
    {
      level: RECORD_LEVEL,
      reads: 0,
      writes: 0,
      visit() {
        const rows: number[] = [];
        for (let row = log.firstRow(); row >= 0; row = log.nextRow(row)) rows.push(row);
        for (let i = 0; i < 30_000; i++) log.setAttributeAny(keyId('same'), log.valueStart(rows[i]!), log.valueEnd(rows[i]!));
        for (const row of rows.reverse()) log.deleteRow(row);
        return KEEP;
      },
    },
  ]);
  const from = performance.now();
  const got = rewriter.rewrite(new Batch('logs', [bytes], 1))!;
  assert.deepEqual(decodePlain('LogsData', got.bytes), {
    resourceLogs: [{ scopeLogs: [{ logRecords: [{ attributes: [{ key: 'same', value: { intValue: '29999' } }] }] }] }],
  });
  assert.ok(performance.now() - from < 3000);
});
