/** Every function's examples run as tests, each on a log record of its own. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileStatement, compileValue, functionsOf, type Scope } from '#ottl/compile/index.ts';
import { Frame } from '#ottl/contexts/context.ts';
import { contexts } from '#ottl/contexts/index.ts';
import type { Example, ExampleRecord, ExampleValue, FunctionDefinition } from '#ottl/function.ts';
import { deepEqual, Duration, type Stored, Time, type Value, ValueMap } from '#ottl/values.ts';
import { Batch } from '#src/core/batch.ts';
import { writeAnyValue, writeKeyValues } from '#src/data/any_value.ts';
import { KEEP, log, RECORD_LEVEL } from '#src/data/contexts.ts';
import { LOG } from '#src/data/message_types.ts';
import { BytesRewriter } from '#src/data/rewrite.ts';
import { ProtoWriter } from '#src/wire/proto_writer.ts';
import { functions } from './index.ts';

function valueOf(example: ExampleValue): Value {
  if (example === null || typeof example !== 'object' || example instanceof Uint8Array || example instanceof Time || example instanceof Duration)
    return example;
  if (Array.isArray(example)) return example.map(valueOf);
  const entries = Object.entries(example as Record<string, ExampleValue>);
  return new ValueMap(
    entries.map(([key]) => key),
    entries.map(([, value]) => valueOf(value) as Stored),
  );
}
/** A batch with one log record. */
function logBatch({ attributes = {}, body = null }: ExampleRecord): Batch {
  const writer = new ProtoWriter(1024);
  const marks = [writer.open(1), writer.open(2), writer.open(2)];
  const any = writer.open(LOG.body);
  writeAnyValue(writer, valueOf(body) as Stored);
  writer.close(any);
  writeKeyValues(writer, LOG.attributes, valueOf(attributes) as ValueMap);
  for (const mark of marks.reverse()) writer.close(mark);
  return new Batch('logs', [writer.finish()], 1);
}
/** Calls `look` with the cursor on the record. */
function visit(batch: Batch, look: () => void): Batch {
  const pass = {
    level: RECORD_LEVEL,
    reads: 0,
    writes: 0,
    visit: () => {
      look();
      return KEEP;
    },
  } as const;
  return new BytesRewriter('logs', [pass]).rewrite(batch)!;
}

const scope: Scope = {
  context: contexts.log,
  functions: functionsOf(contexts.log, functions),
  pathNames: 'optional',
  touched: { reads: 0, writes: 0, calls: new Set() },
};

function runExample(definition: FunctionDefinition, example: Example): void {
  const batch = logBatch(example.given ?? {});
  const frame = new Frame('log');
  if (definition.kind === 'converter') {
    const compiled = compileValue(example.run, scope);
    visit(batch, () => {
      const value = compiled.get(frame);
      const want = valueOf(example.want as ExampleValue);
      assert.ok(
        deepEqual(Array.isArray(value) ? [...(value as Value[])] : value, want) || Object.is(value, want),
        `${example.run} gives ${show(value)}, want ${show(want)}`,
      );
    });
    return;
  }
  const compiled = compileStatement(example.run, scope);
  const changed = visit(batch, () => compiled.run(frame));
  visit(changed, () => {
    const want = (example.want ?? example.given ?? {}) as ExampleRecord;
    const check = (got: Value, wanted: Value) => assert.ok(deepEqual(got, wanted), `${example.run} leaves ${show(got)}, want ${show(wanted)}`);
    if (want.attributes !== undefined) check(log.attributes(), valueOf(want.attributes));
    if (want.body !== undefined) check(log.anyField(LOG.body), valueOf(want.body));
  });
}
const show = (value: Value): string =>
  JSON.stringify(value, (_key, part) =>
    typeof part === 'bigint' ? `${part}n` : part instanceof ValueMap ? Object.fromEntries(part.keys.map((key, i) => [key, part.values[i]])) : part,
  );

const inLogs = functions.filter(({ contexts: only }) => only === undefined || only.includes('log'));
for (const definition of inLogs) {
  test(`${definition.name} does what its examples say`, () => {
    assert.ok(definition.examples.length > 0, 'a function has examples');
    for (const example of definition.examples) {
      if (example.error === undefined) runExample(definition, example);
      else
        assert.throws(
          () => runExample(definition, example),
          (error: Error) => error.message.includes(example.error!) || assert.fail(`${example.run}: got "${error.message}", want "${example.error}"`),
        );
    }
  });
}
