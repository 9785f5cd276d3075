import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatBatchJson } from '#src/data/json_write.ts';
import { Chain } from './chain.ts';
import { buildSplitter, configSchema } from './config.ts';
import { EntryFactory } from './entries.ts';
import { LogBatch } from './log_batch.ts';
import { TailedFile } from './tail/tailed_file.ts';

const NOW_MS = Date.UTC(2026, 0, 2);

/** Attributes in the order of their keys: the two ways differ in it. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted).sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : keyOf(a) > keyOf(b) ? 1 : 0));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, sorted(item)]));
}
const keyOf = (value: unknown): string => (value as { key?: string } | null)?.key ?? '';

/** Records of the lines, by the fast path (where the chain has one) or by the chain alone. */
function run(options: object, text: Buffer, fast: boolean): { records: unknown[]; slow: number; isFast: boolean } {
  const config = configSchema.parse({ include: ['/x/*.log'], ...options }),
    stats = { slow: 0 };
  const context = { nowMs: () => NOW_MS, failed() {} },
    chain = new Chain(config.operators, context),
    batch = new LogBatch();
  const entries = new EntryFactory(config, chain, buildSplitter(config), context, batch, () => NOW_MS),
    file = new TailedFile('id', '/x/a.log', '1:1', Buffer.alloc(0));
  const process = chain.process.bind(chain);
  chain.process = (entry) => {
    stats.slow++;
    process(entry);
  };
  entries.openFile(file, NOW_MS);
  const bytes = Buffer.concat([text, Buffer.alloc(8)]),
    end = text.length,
    splitter = buildSplitter(config);
  for (let at = 0; at < end; ) {
    const next = fast ? entries.takeLines(file, bytes, at, end, at, 4096, 1 << 20) : at;
    if (next > at) {
      at = next;
      continue;
    }
    if (!splitter.next(bytes, at, end, true)) break;
    if (splitter.end > splitter.start) entries.take(file, bytes, splitter.start, splitter.end, at);
    at = splitter.advance;
  }
  chain.flush();
  entries.drain();
  const built = batch.take(),
    records: unknown[] = [];
  const json = built === null ? { resourceLogs: [] } : JSON.parse(formatBatchJson(built));
  for (const resource of json.resourceLogs)
    for (const scope of resource.scopeLogs) for (const record of scope.logRecords) records.push(sorted({ resource: resource.resource, record }));
  return { records, slow: stats.slow, isFast: entries.isFast };
}

const CHAINS: Record<string, object> = {
  'no operators': {},
  'container and json': {
    operators: [
      { type: 'container', add_metadata_from_filepath: false },
      { type: 'json_parser', severity: { parse_from: 'attributes.level' } },
    ],
  },
  'json with time and moves': {
    attributes: { env: 'prod' },
    resource: { svc: 'a' },
    operators: [
      { type: 'json_parser', timestamp: { parse_from: 'attributes.ts', layout_type: 'gotime', layout: '2006-01-02T15:04:05.999999999Z07:00' } },
      { type: 'severity_parser', parse_from: 'attributes.level', overwrite_text: true, on_error: 'send_quiet' },
      { type: 'move', from: 'attributes.msg', to: 'body', on_error: 'send_quiet' },
      { type: 'move', from: 'attributes.a', to: 'attributes.b', on_error: 'send_quiet' },
      { type: 'copy', from: 'attributes.b', to: 'attributes.c', on_error: 'send_quiet' },
      { type: 'remove', field: 'attributes.ts', on_error: 'send_quiet' },
      { type: 'add', field: 'attributes.n', value: 7 },
    ],
  },
  'a pattern with time and severity': {
    operators: [
      {
        type: 'regex_parser',
        regex: '^(?P<ts>\\S+) (?P<level>\\w+) (?P<tag>\\w*)(?P<rest> .*)?$',
        timestamp: { parse_from: 'attributes.ts', layout: '%Y-%m-%dT%H:%M:%S.%LZ' },
        severity: { parse_from: 'attributes.level', mapping: { warn: 'stderr', info: 'stdout' } },
      },
      { type: 'move', from: 'attributes.rest', to: 'body', on_error: 'send_quiet' },
    ],
  },
  'a pattern with a plain time': {
    operators: [
      {
        type: 'regex_parser',
        regex: '(?P<ts>\\d\\S+) (?P<level>.)(?P<text>(?s).*)',
        timestamp: { parse_from: 'attributes.ts', layout_type: 'gotime', layout: '2006-01-02T15:04:05Z07:00' },
      },
    ],
  },
  'conditions and filters': {
    operators: [
      { type: 'json_parser', if: 'body matches "^\\\\s*{"', on_error: 'send_quiet' },
      { type: 'filter', expr: 'attributes.a == 1 or attributes.msg startsWith "x" and not (body contains "é")' },
      { type: 'move', from: 'attributes.msg', to: 'body', if: 'attributes.msg != nil', on_error: 'send_quiet' },
      { type: 'add', field: 'attributes.small', value: 1, if: 'attributes.a < 5', on_error: 'send_quiet' },
      { type: 'add', field: 'attributes.named', value: 'x', if: 'attributes["log.file.name"] == "a.log" && "level" in attributes' },
      { type: 'add', field: 'attributes.level', value: 'none', if: 'attributes.level == nil or attributes.level != "info"' },
      { type: 'filter', expr: 'attributes.b endsWith "\\"" || attributes.a == -1.5 || attributes.level == "9"' },
    ],
  },
  'json with integers': { operators: [{ type: 'json_parser', parse_ints: true, on_error: 'drop' }] },
};

const time = fc.constantFrom(
  '2026-01-02T03:04:05.123456789Z',
  '2026-01-02T03:04:05Z',
  '2026-01-02T03:04:05.5+02:00',
  '2024-02-29T23:59:59,25-09:30',
  '2023-02-29T00:00:00Z',
  'noon',
  '1969-12-31T23:59:59Z',
);
const piece = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 12 }), fc.constantFrom('', 'x"y', 'back\\slash', 'tab\t', '😀', 'é', 'a'.repeat(300)));
const json = fc
  .oneof(
    {
      weight: 4,
      arbitrary: fc.record(
        {
          level: fc.constantFrom('info', 'WARNING', 'error2', 'none of these', '9'),
          ts: time,
          msg: piece,
          a: fc.oneof(piece, fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer(), fc.constant(null), fc.boolean()),
        },
        { requiredKeys: [] },
      ),
    },
    {
      weight: 3,
      arbitrary: fc.dictionary(fc.constantFrom('level', 'ts', 'msg', 'a', 'b', 'log.file.name', 'ключ', 'x y'), fc.jsonValue({ maxDepth: 3 }), { maxKeys: 6 }),
    },
  )
  .map((value) => JSON.stringify(value));
const odd = fc.constantFrom(
  '{"a":1,"a":2}',
  '{"a":{"x":1,"x":2}}',
  '{"a":01}',
  '{"a":1.}',
  '{"a":-0}',
  '{"a":1e400}',
  '{"a":12345678901234567890}',
  '{"a":"\\ud83d"}',
  '{"a":"\\u00e9\\ud83d\\ude80"}',
  '{"\\u0061":1}',
  '{}',
  ' { "a" : [ 1 , 2 ] } ',
  '{"a":1} tail',
  '[1]',
  '{"a":tru}',
  '{"a":"open',
  '{',
  'plain',
  '{"msg":{"k":1}}',
  '{"a":{"k":1},"b":{"j":2}}',
  '{"msg":null}',
  `{"a":${'['.repeat(150)}${']'.repeat(150)}}`,
);
const body = fc.oneof({ weight: 6, arbitrary: json }, { weight: 2, arbitrary: odd }, { weight: 1, arbitrary: piece });
const cri = fc
  .tuple(time, fc.constantFrom('stdout', 'stderr', 'stdin'), fc.constantFrom('F', 'F', 'F', 'P', 'F:x'), body)
  .map(([at, stream, tag, text]) => `${at} ${stream} ${tag} ${text}`);
const line = fc.oneof({ weight: 3, arbitrary: cri }, { weight: 3, arbitrary: body }, { weight: 1, arbitrary: fc.constantFrom('', '  ', '\r', 'x\r') });
const text = fc
  .array(
    fc.oneof(
      { weight: 12, arbitrary: line.map((value) => Buffer.from(`${value}\n`)) },
      { weight: 1, arbitrary: fc.uint8Array({ maxLength: 8 }).map((bytes) => Buffer.concat([bytes, Buffer.from('\n')])) },
    ),
    { maxLength: 30 },
  )
  .map((parts) => Buffer.concat(parts));

for (const [name, options] of Object.entries(CHAINS)) {
  test(`the byte path gives the records of the chain: ${name}`, () => {
    fc.assert(
      fc.property(text, (bytes) => {
        assert.deepEqual(run(options, bytes, true).records, run(options, bytes, false).records);
      }),
      { numRuns: 300 },
    );
  });
}

test('plain lines do not leave the byte path', () => {
  const lines = Buffer.from(
    '2026-01-02T03:04:05.1Z stdout F {"level":"info","ts":"2026-01-02T03:04:05Z","msg":"a \\"b\\"","n":1.5,"o":{"k":[1,true,null]}}\n'.repeat(10),
  );
  const { slow, records, isFast } = run(CHAINS['container and json']!, lines, true);
  assert.deepEqual([isFast, slow, records.length], [true, 0, 10]);
});

test('chains with other operators have no byte path', () => {
  const check = (operators: object[], want: boolean) => assert.equal(run({ operators }, Buffer.from('x\n'), false).isFast, want);
  check([{ type: 'regex_parser', regex: '(?P<a>.)', parse_to: 'body' }], false);
  check([{ type: 'regex_parser', regex: '(?P<a>.)' }], true);
  check([{ type: 'json_parser', if: 'len(body) > 3' }], false);
  check([{ type: 'json_parser', if: 'attributes.a == 1' }], true);
  check(
    [
      { type: 'noop', output: 'b' },
      { type: 'noop', id: 'a' },
      { type: 'noop', id: 'b' },
    ],
    false,
  );
  check([{ type: 'noop' }], true);
});
