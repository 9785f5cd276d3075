import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { Cursor } from '#src/data/cursor.ts';
import { SPAN_TYPE } from '#src/data/message_types.ts';
import { type Value, ValueMap } from '#src/data/value.ts';
import { encodeAnyValue } from '#src/data/any_value.ts';
import { ProtoWriter } from '#src/wire/proto_writer.ts';
import { compileActions, hashOf } from './actions.ts';
import { actionList } from './config.ts';

const schema = z.strictObject({ actions: actionList('actions') });

/** The attributes after the actions. */
function after(actions: object[], attributes: Record<string, Value>): Record<string, Value> {
  const apply = compileActions(schema.parse({ actions }).actions, ['processors', 'attributes']); // Before anything is in the space: literals live there too.
  const writer = new ProtoWriter();
  for (const [key, value] of Object.entries(attributes)) {
    const mark = writer.open(9);
    writer.text(1, key);
    writer.bytes(2, encodeAnyValue(value));
    writer.close(mark);
  }
  const bytes = writer.finish(),
    cursor = new Cursor(SPAN_TYPE),
    at = cursor.space.room(bytes.length);
  cursor.space.bytes.set(bytes, at);
  cursor.scan(at, at + bytes.length);
  apply(cursor);
  const map = cursor.attributes();
  return Object.fromEntries(map.keys.map((key, i) => [key, map.values[i]!]));
}

test('insert adds, update changes, upsert does both, each with the type of its value', () => {
  const set = (action: string) => [
    { key: 'a', value: 'new', action },
    { key: 'b', value: 2.5, action },
  ];
  assert.deepEqual(after(set('insert'), { a: 1n }), { a: 1n, b: 2.5 });
  assert.deepEqual(after(set('update'), { a: 1n }), { a: 'new' });
  assert.deepEqual(after(set('UPSERT'), { a: 1n }), { a: 'new', b: 2.5 });
  assert.deepEqual(after([{ key: 'm', value: { x: [1n, 1, true] }, action: 'insert' }], {}), { m: new ValueMap(['x'], [[1n, 1, true]]) });
});

test('a value may come from an attribute, and the default stands in where that is missing', () => {
  const copy = { key: 'to', from_attribute: 'from', default_value: 'none', action: 'upsert' };
  assert.deepEqual(after([copy], { from: [1n] }), { from: [1n], to: [1n] });
  assert.deepEqual(after([copy], {}), { to: 'none' });
  assert.deepEqual(after([{ ...copy, default_value: undefined }], { to: 1n }), { to: 1n });
});

test('delete takes a key and all that match a pattern', () => {
  assert.deepEqual(after([{ key: 'x', pattern: '^http\\.', action: 'delete' }], { x: 1n, 'http.a': 1n, 'a.http.': 2n, 'http.b': 1n }), { 'a.http.': 2n });
});

test('hash is SHA-256 over the bytes of the value', () => {
  assert.equal(hashOf('foo'), '2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae');
  assert.equal(hashOf(true), '4bf5122f344554c53bde2ebb8cd2b7e3d1600ad631c385a5d7cce23c7785459a');
  assert.equal(hashOf([1n]), '');
  assert.equal(after([{ key: 'a', action: 'hash' }], { a: 'foo' }).a, hashOf('foo'));
});

test('extract writes the named groups of a match and nothing without one', () => {
  const action = { key: 'url', pattern: '^(?P<scheme>[a-z]+)://(?P<host>[^/]+)', action: 'extract' };
  assert.deepEqual(after([action], { url: 'http://a.example/x', host: 'old' }), { url: 'http://a.example/x', host: 'a.example', scheme: 'http' });
  assert.deepEqual(after([action], { url: 5n }), { url: 5n });
});

test('convert leaves alone what it cannot convert', () => {
  const check = (value: Value, converted_type: string, want: Value) =>
    assert.deepEqual(after([{ key: 'v', action: 'convert', converted_type }], { v: value }).v, want);
  check('-7', 'int', -7n);
  check('9223372036854775808', 'int', '9223372036854775808');
  check(2.9, 'int', 2n);
  check(true, 'int', 1n);
  check('x', 'int', 'x');
  check('1e3', 'double', 1000);
  check('-Inf', 'double', -Infinity);
  check(3n, 'double', 3);
  check([1n, 'a'], 'string', '[1,"a"]');
  check(1e21, 'string', '1e+21');
});

test('faults of the list are all reported, each with its place', () => {
  const { error } = schema.safeParse({
    actions: [
      { value: 1, action: 'insert' },
      { key: 'a', value: 1, from_attribute: 'b', action: 'insert' },
      { key: 'a', action: 'extract', pattern: '(' },
      { key: 'a', action: 'drop' },
    ],
  });
  assert.deepEqual(
    error?.issues.map((issue) => issue.path.join('.')),
    ['actions.0.key', 'actions.1.value', 'actions.2.pattern', 'actions.3.action'],
  );
  assert.throws(() => after([{ key: 'a', value: null, action: 'insert' }], {}), /processors::attributes::0::value: error with key "a"/);
});
