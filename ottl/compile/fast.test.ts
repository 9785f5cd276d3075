/** What is compiled to work on bytes means what the general way means, on random statements and random records; and no text brings the parser down. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { contexts } from '#ottl/contexts/index.ts';
import { functions } from '#ottl/functions/index.ts';
import { parseCondition, parseStatement } from '#ottl/syntax/parser.ts';
import { SyntaxFault } from '#ottl/syntax/error.ts';
import { ErrorPolicy, statementPass } from '#ottl/group.ts';
import { Batch } from '#src/core/batch.ts';
import { systemClock } from '#src/core/clock.ts';
import { writeAnyValue, writeKeyValue } from '#src/data/any_value.ts';
import { RECORD_LEVEL } from '#src/data/contexts.ts';
import { formatBatchJson } from '#src/data/json_write.ts';
import { LOG } from '#src/data/message_types.ts';
import { BytesRewriter } from '#src/data/rewrite.ts';
import { type Value, ValueMap } from '#src/data/value.ts';
import { ProtoWriter } from '#src/wire/proto_writer.ts';
import { compileStatement, functionsOf, type Scope } from './index.ts';

const scope: Scope = {
  context: contexts.log,
  functions: functionsOf(contexts.log, functions),
  pathNames: 'optional',
  touched: { reads: 0, writes: 0, calls: new Set() },
};

const KEYS = ['a', 'b', 'http.status', '__proto__', 'x'];
const text = fc.oneof(fc.constantFrom('', 'ab', '5', 'é', 'ab cd', 'x'.repeat(200)), fc.string({ maxLength: 6 }));
const number = fc.constantFrom(0, -1, 5, 2.5, 1e300, Number.NaN, Number.POSITIVE_INFINITY);
const int = fc.constantFrom(0n, 5n, -1n, 300n, (1n << 53n) + 1n, -(1n << 63n), (1n << 63n) - 1n);
const scalar: fc.Arbitrary<Value> = fc.oneof(text, number, int, fc.boolean(), fc.constant(null), fc.uint8Array({ maxLength: 3 }));
const value: fc.Arbitrary<Value> = fc.oneof(
  { weight: 5, arbitrary: scalar },
  fc.array(scalar, { maxLength: 2 }),
  scalar.map((one) => new ValueMap(['k'], [one])),
);
const record = fc.record({
  attributes: fc.uniqueArray(fc.tuple(fc.constantFrom(...KEYS), value), { maxLength: 5, selector: ([key]) => key }),
  body: value,
  bodyFirst: fc.boolean(),
});

function encode({ attributes, body, bodyFirst }: { attributes: [string, Value][]; body: Value; bodyFirst: boolean }): Batch {
  const writer = new ProtoWriter(1024);
  const marks = [writer.open(1), writer.open(2), writer.open(2)];
  const writeBody = (): void => {
    const mark = writer.open(LOG.body);
    writeAnyValue(writer, body);
    writer.close(mark);
  };
  if (bodyFirst) writeBody();
  for (const [key, content] of attributes) writeKeyValue(writer, LOG.attributes, key, content);
  if (!bodyFirst) writeBody();
  for (const mark of marks.reverse()) writer.close(mark);
  return new Batch('logs', [writer.finish()], 1);
}

const quote = (of: string): string => JSON.stringify(of).replaceAll(/\\u00([0-9a-f]{2})/g, '\\x$1');
const path = fc.oneof(
  fc.constantFrom(...KEYS).map((key) => `attributes[${quote(key)}]`),
  fc.constantFrom('body', 'severity_text', 'severity_number'),
);
const literal = fc.oneof(
  text.filter((t) => !/[\n\u007f-\uffff]/.test(t)).map(quote),
  fc.constantFrom('0', '5', '-1', '300', '9007199254740993', '2.5', '100.25', 'true', 'false', 'nil', 'SEVERITY_NUMBER_INFO'),
);
const operator = fc.constantFrom('==', '!=', '<', '<=', '>', '>=');
const pattern = fc.constantFrom('^ab', 'b', '^a?b+$', '[0-9]+', 'x*y', '(a|b)', '^$', '.', ' ', '\\\\d', 'é', '^ab cd$', '[^a]+b');
/** The same condition twice: as the fast way takes it, and so that only the general way can. */
const condition = fc.oneof(
  fc
    .tuple(path, operator, literal, fc.boolean())
    .map(([left, op, right, turned]) => [
      turned ? `${right} ${op} ${left}` : `${left} ${op} ${right}`,
      `${turned ? `Coalesce([${right}])` : left} ${op} ${turned ? left : `Coalesce([${right}])`}`,
    ]),
  fc.tuple(path, pattern).map(([left, source]) => [`IsMatch(${left}, "${source}")`, `IsMatch(${left}, Concat(["${source}"], ""))`]),
);
const both = fc.tuple(condition, condition, fc.constantFrom('and', 'or')).map(([[a, slowA], [b, slowB], op]) => [`${a} ${op} ${b}`, `${slowA} ${op} ${slowB}`]);
const assignment = fc.oneof(
  fc
    .tuple(fc.constantFrom(...KEYS), literal)
    .map(([key, content]) => [`set(attributes[${quote(key)}], ${content})`, `set(attributes[${quote(key)}], Coalesce([${content}]))`]),
  fc
    .tuple(fc.constantFrom(...KEYS), path)
    .map(([key, from]) => [`set(attributes[${quote(key)}], ${from})`, `set(attributes[${quote(key)}], Coalesce([${from}]))`]),
  fc.constantFrom(...KEYS).map((key) => [`delete_key(attributes, ${quote(key)})`, `delete_key(attributes, Concat([${quote(key)}], ""))`]),
  fc
    .subarray(KEYS)
    .map((keys) => `[${keys.map(quote).join(', ')}]`)
    .map((list) => [`keep_keys(attributes, ${list})`, `keep_keys(target=attributes, keys=${list})`]),
  fc
    .tuple(fc.integer({ min: 2, max: 5 }), fc.subarray(KEYS, { maxLength: 2 }))
    .map(([most, keys]) => [most, `[${keys.map(quote).join(', ')}]`])
    .map(([most, list]) => [`limit(attributes, ${most}, ${list})`, `limit(target=attributes, limit=${most}, priority_keys=${list})`]),
  fc
    .tuple(fc.constantFrom('delete_matching_keys', 'keep_matching_keys'), fc.constantFrom('^a$', 'h', '^__', 'x|b', 'http.s'))
    .map(([editor, source]) => [`${editor}(attributes, "${source}")`, `${editor}(target=attributes, pattern="${source}")`]),
  text
    .filter((t) => !/[\n\u007f-\uffff]/.test(t))
    .map((content) => [`set(severity_text, ${quote(content)})`, `set(severity_text, Coalesce([${quote(content)}]))`]),
);

function run(texts: readonly string[], batch: Batch): string {
  const statements = texts.map((text) => compileStatement(text, scope));
  let told = '';
  const log = {
    debug() {},
    info() {},
    warn: (_message: string, fields?: Readonly<Record<string, unknown>>) => {
      told += `${String(fields?.['error'])} `;
    },
    error() {},
  };
  const group = { context: 'log', level: RECORD_LEVEL, reads: 0, writes: 0, calls: new Set<string>(), statements, conditions: [] } as const;
  const after = new BytesRewriter('logs', [statementPass(group, new ErrorPolicy('ignore', log, systemClock))]).rewrite(batch);
  return `${told} ${after === null ? '' : formatBatchJson(after)}`;
}

test('statements on bytes do what the same statements do on decoded values', () => {
  fc.assert(
    fc.property(record, fc.array(fc.tuple(assignment, fc.oneof(fc.constant(['', '']), condition, both)), { minLength: 1, maxLength: 4 }), (of, statements) => {
      const fast = statements.map(([[quick], [when]]) => (when === '' ? quick! : `${quick} where ${when}`));
      const general = statements.map(([[, slow], [, when]]) => (when === '' ? slow! : `${slow} where ${when}`));
      assert.equal(run(fast, encode(of)), run(general, encode(of)));
    }),
    { numRuns: 1500 },
  );
});

test('no text brings the parser down, and what it refuses has a place', () => {
  const words = fc.constantFrom(
    'set',
    '(',
    ')',
    '[',
    ']',
    '{',
    '}',
    ',',
    '.',
    'attributes',
    '"a"',
    '"\\',
    '5',
    '1.5',
    '0xff',
    'nil',
    'not',
    'and',
    'or',
    'where',
    '==',
    '=',
    '=>',
    '-',
    '*',
    'Concat',
    'IsMatch',
    'SPAN_KIND',
    '_',
    ' ',
    '\n',
    ':',
    'é',
  );
  const statements = fc.oneof(
    fc.string({ maxLength: 40 }),
    fc.array(words, { maxLength: 30 }).map((list) => list.join('')),
    fc.array(words, { maxLength: 30 }).map((list) => list.join(' ')),
  );
  fc.assert(
    fc.property(statements, (statement) => {
      for (const parse of [parseStatement, parseCondition]) {
        try {
          parse(statement);
        } catch (error) {
          assert.ok(error instanceof SyntaxFault && error.offset <= statement.length, `${statement}: ${error}`);
        }
      }
    }),
    { numRuns: 3000 },
  );
});

test('nesting without end is refused', () => {
  assert.throws(() => parseCondition(`${'('.repeat(100_000)}true`), SyntaxFault);
  assert.throws(() => parseStatement(`set(a, ${'['.repeat(5000)}`), /nested more than/);
});
