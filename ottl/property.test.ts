/**
 * Random programs on random telemetry: the compiled passes against the reference of testing/reference.ts on the objects that protobufjs decodes.
 * Fields come in ascending, descending and random order, with unknown ones between; keys may be there twice, and `__proto__` is one of them.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import { functions } from '#ottl/functions/index.ts';
import { Batch, type Signal } from '#src/core/batch.ts';
import { systemClock } from '#src/core/clock.ts';
import { DROP, KEEP, type Pass } from '#src/data/contexts.ts';
import { BytesRewriter } from '#src/data/rewrite.ts';
import { decodePlain, KEYS, type Plain, Random, REQUEST_TYPES, randomRequest } from '#src/data/testing/random_otlp.ts';
import { Frame } from './contexts/context.ts';
import type { ContextName } from './function.ts';
import { anyCondition, candidatesOf, compileGroup, ErrorPolicy, isFaulty, statementPass } from './group.ts';
import { type Env, type Field, intField, type MapPlace, mapPlace, nanoField, Programs, type Part, Refused, textField, Unknown } from './testing/reference.ts';

const PROGRAMS = Number(process.env['PROPERTY_PROGRAMS'] ?? 600);
const FIRST_SEED = Number(process.env['PROPERTY_SEED'] ?? 1);

const int32 = (value: bigint): bigint => BigInt.asIntN(32, value);
const uint32 = (value: bigint): bigint => BigInt.asUintN(32, value);
const dropped = intField('dropped_attributes_count', 'droppedAttributesCount', uint32);
const resourceAttributes = mapPlace('resource.attributes', ({ resource }) => resource);
const scopeAttributes = mapPlace('scope.attributes', ({ scope }) => scope);
const own = mapPlace('attributes', ({ record }) => record);

interface ContextCase {
  readonly context: ContextName;
  readonly signal: Signal;
  readonly fields: readonly Field[];
  readonly maps: readonly MapPlace[];
  /** Repeated messages: setting them to themselves changes nothing but where they stand. */
  readonly lists?: readonly string[];
}
const CASES: readonly ContextCase[] = [
  { context: 'resource', signal: 'logs', fields: [dropped], maps: [own] },
  { context: 'scope', signal: 'traces', fields: [textField('name', 'name'), textField('version', 'version')], maps: [own, own, resourceAttributes] },
  {
    context: 'log',
    signal: 'logs',
    fields: [
      textField('severity_text', 'severityText'),
      intField('severity_number', 'severityNumber', int32),
      nanoField('time_unix_nano', 'timeUnixNano'),
      textField('event_name', 'eventName'),
    ],
    maps: [own, own, own, resourceAttributes, scopeAttributes],
  },
  {
    context: 'span',
    signal: 'traces',
    lists: ['events', 'links'],
    fields: [textField('name', 'name'), intField('kind', 'kind', int32), nanoField('end_time_unix_nano', 'endTimeUnixNano'), dropped, statusCode()],
    maps: [own, own, own, resourceAttributes, scopeAttributes],
  },
  {
    context: 'spanevent',
    signal: 'traces',
    fields: [textField('name', 'name'), nanoField('time_unix_nano', 'timeUnixNano'), dropped],
    maps: [own, own, mapPlace('span.attributes', ({ holder }) => holder), resourceAttributes],
  },
  {
    context: 'metric',
    signal: 'metrics',
    lists: ['data_points'],
    fields: [textField('name', 'name'), textField('description', 'description'), textField('unit', 'unit')],
    maps: [mapPlace('metadata', ({ record }) => record, 'metadata'), resourceAttributes, scopeAttributes],
  },
  {
    context: 'datapoint',
    signal: 'metrics',
    lists: ['exemplars'],
    fields: [nanoField('time_unix_nano', 'timeUnixNano'), intField('flags', 'flags', uint32)],
    maps: [own, own, mapPlace('metric.metadata', ({ holder }) => holder, 'metadata'), resourceAttributes],
  },
];
function statusCode(): Field {
  const inner = intField('status.code', 'code', int32);
  return {
    path: inner.path,
    get: (record) => inner.get((record['status'] ?? {}) as Plain),
    set: (record, value) => {
      const status = { ...((record['status'] ?? {}) as Plain) };
      inner.set(status, value);
      record['status'] = status;
    },
  };
}

// ---- going through decoded objects

const FIELDS = {
  traces: ['resourceSpans', 'scopeSpans', 'spans'],
  logs: ['resourceLogs', 'scopeLogs', 'logRecords'],
  metrics: ['resourceMetrics', 'scopeMetrics', 'metrics'],
} as const;
const DATA = ['gauge', 'sum', 'histogram', 'exponentialHistogram', 'summary'];
const list = (object: Plain, field: string): Plain[] => (object[field] ?? []) as Plain[];
const message = (object: Plain, field: string): Plain => {
  object[field] ??= {};
  return object[field] as Plain;
};

/** Calls `visit` for the records of the context; those it answers false for are taken out. */
function forEach(request: Plain, { signal, context }: ContextCase, visit: (env: Env) => boolean): void {
  const [groups, scopes, records] = FIELDS[signal];
  const nothing: Plain = {};
  keep(request, groups, (group) => {
    const resource = message(group, 'resource');
    if (context === 'resource') return visit({ record: resource, resource, scope: nothing, holder: resource });
    keep(group, scopes, (scoped) => {
      const scope = message(scoped, 'scope');
      if (context === 'scope') return visit({ record: scope, resource, scope, holder: scope });
      keep(scoped, records, (record) => {
        if (context === 'spanevent') keep(record, 'events', (event) => visit({ record: event, resource, scope, holder: record }));
        else if (context === 'datapoint')
          for (const kind of DATA.filter((name) => record[name] !== undefined))
            keep(record[kind] as Plain, 'dataPoints', (point) => visit({ record: point, resource, scope, holder: record }));
        else return visit({ record, resource, scope, holder: record });
        return true;
      });
      return true;
    });
    return true;
  });
}
function keep(object: Plain, field: string, visit: (item: Plain) => boolean): void {
  if (object[field] !== undefined) object[field] = list(object, field).filter(visit);
}
/** What a drop leaves empty goes too, also what came empty. A metric that has no data at all stays. */
function dropEmpty(request: Plain, { signal, context }: ContextCase): void {
  const [groups, scopes, records] = FIELDS[signal];
  keep(request, groups, (group) => {
    keep(group, scopes, (scoped) => {
      if (context === 'datapoint')
        keep(scoped, records, (metric) => {
          const kind = DATA.find((name) => metric[name] !== undefined);
          return kind === undefined || list(metric[kind] as Plain, 'dataPoints').length > 0;
        });
      return list(scoped, records).length > 0;
    });
    return list(group, scopes).length > 0;
  });
}

/** Defaults out, attributes in the order of their keys: what protobuf cannot tell apart, and what pdata does not keep. */
function clean(value: unknown, name = ''): unknown {
  if (Array.isArray(value)) {
    const items = value.map((item) => clean(item) ?? {});
    if (name === 'attributes' || name === 'metadata' || name === 'values') items.sort((a, b) => compareKeys(a as Plain, b as Plain));
    return items.length > 0 ? items : undefined;
  }
  if (value === '' || value === 0 || value === '0' || value === false) return undefined;
  if (value === null || typeof value !== 'object' || Buffer.isBuffer(value)) return value;
  const out: [string, unknown][] = [];
  for (const [key, item] of Object.entries(value)) {
    const kept = /Value$|^as[ID]|^sum$|^min$|^max$/.test(key) && (typeof item !== 'object' || item === null);
    const cleaned = kept ? item : clean(item, key);
    if (cleaned !== undefined) out.push([key, cleaned]);
    else if (/^(arrayValue|kvlistValue|gauge|sum|histogram|exponentialHistogram|summary)$/.test(key)) out.push([key, {}]);
  }
  return out.length > 0 ? Object.fromEntries(out.sort(([a], [b]) => (a < b ? -1 : 1))) : undefined;
}
const compareKeys = (a: Plain, b: Plain): number => {
  const [x, y] = [String(a['key'] ?? ''), String(b['key'] ?? '')];
  return x < y ? -1 : x > y ? 1 : 0;
};

// ---- the two sides

interface Program {
  readonly where: ContextCase;
  readonly statements: readonly Part<void>[];
  readonly conditions: readonly Part<boolean>[];
}
function randomProgram(random: Random, signal: Signal): Program {
  const where = random.pick(CASES.filter((one) => one.signal === signal));
  const make = new Programs(random, where.fields, where.maps, [...KEYS.slice(0, 7), '__proto__', 'new']);
  const filters = random.below(4) === 0;
  return {
    where,
    statements: filters
      ? []
      : Array.from({ length: 1 + random.below(5) }, () => (where.lists && random.below(4) === 0 ? copied(random.pick(where.lists)) : make.statement())),
    conditions: filters ? Array.from({ length: 1 + random.below(3) }, () => make.condition()) : [],
  };
}
const copied = (list: string): Part<void> => ({ text: `set(${list}, ${list})`, run: () => {} });
/** Null where a part is refused at start. */
function compile({ where, statements, conditions }: Program): Pass | null {
  const policy = new ErrorPolicy('silent', { debug() {}, info() {}, warn() {}, error() {} }, systemClock);
  const spec = { context: where.context, statements: statements.map(({ text }) => text), conditions: conditions.map(({ text }) => text) };
  const group = compileGroup(spec, candidatesOf(where.signal, functions), functions);
  if (isFaulty(group)) {
    for (const { message } of group) assert.match(message, /expected|must be|argument|unsupported|limit/, message);
    return null;
  }
  if (statements.length > 0) return statementPass(group, policy);
  const frame = new Frame(group.context);
  const drops = anyCondition(group.conditions, policy);
  const visit = (): number => (drops(frame) ? DROP : KEEP);
  return { level: group.level, visit, reads: group.reads, writes: group.writes, dropsEmpty: true };
}
function runReference({ where, statements, conditions }: Program, request: Plain): void {
  const attempt = <T>(part: Part<T>, env: Env): T | undefined => {
    try {
      return part.run(env);
    } catch (error) {
      if (error instanceof Refused) return undefined;
      throw error;
    }
  };
  forEach(request, where, (env) => {
    for (const statement of statements) attempt(statement, env);
    return !conditions.some((condition) => attempt(condition, env) === true);
  });
  if (conditions.length > 0) dropEmpty(request, where);
}

test('random programs on random telemetry come out as the reference says', () => {
  let compared = 0;
  for (let seed = FIRST_SEED; seed < FIRST_SEED + PROGRAMS; seed++) {
    const random = new Random(seed * 7919);
    const signal = random.pick(['traces', 'metrics', 'logs'] as const);
    const programs = Array.from({ length: 1 + random.below(3) }, () => randomProgram(random, signal));
    const passes = programs.flatMap((program) => {
      const pass = compile(program);
      return pass ? [{ program, pass }] : [];
    });
    const { bytes } = randomRequest(signal, seed);
    const want = decodePlain(REQUEST_TYPES[signal], bytes);
    try {
      for (const { program } of passes) runReference(program, want);
    } catch (error) {
      if (error instanceof Unknown) continue;
      throw error;
    }
    const after = new BytesRewriter(
      signal,
      passes.map(({ pass }) => pass),
    ).rewrite(new Batch(signal, [bytes], 1));
    const got = after === null ? {} : decodePlain(REQUEST_TYPES[signal], after.bytes);
    const texts = passes.map(({ program }) => [program.where.context, ...[...program.statements, ...program.conditions].map(({ text }) => text)].join('\n  '));
    assert.deepEqual(clean(got), clean(want), `seed ${seed}, ${signal}:\n${texts.join('\n')}`);
    compared += passes.length;
  }
  assert.ok(compared > PROGRAMS, `only ${compared} programs were compared`);
  assert.equal(({} as Plain)['polluted'] ?? Object.keys(Object.prototype).length, 0, 'no key of telemetry reached a prototype');
});
