/** Attributes of every form are found by key and by going through them, wherever the message ends. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Cursor } from './cursor.ts';
import { keyId } from './keys.ts';
import { RESOURCE_TYPE } from './message_types.ts';
import { Space } from './space.ts';

/** A Resource whose attributes are these contents, in a buffer that ends with it. */
function resourceOf(...contents: (readonly number[])[]): Cursor {
  const bytes = Buffer.from(
    contents.flatMap((content) => [0x0a, ...(content.length < 128 ? [content.length] : [(content.length & 127) | 128, content.length >> 7]), ...content]),
  );
  const space = new Space();
  space.look(bytes);
  const cursor = new Cursor(RESOURCE_TYPE, space);
  cursor.scan(0, bytes.length);
  return cursor;
}
const ascii = (text: string): number[] => [...Buffer.from(text)];
const list = (cursor: Cursor): [string, unknown][] => {
  const all: [string, unknown][] = [];
  for (let row = cursor.firstRow(); row >= 0; row = cursor.nextRow(row)) all.push([cursor.keyText(row), cursor.value(row)]);
  return all;
};
const named = keyId('cursor.test.named');
const NAMED = ascii('cursor.test.named');
const LONG = 'x'.repeat(200);

test('attributes of any form are found by key and in their order', () => {
  const cases: [content: readonly number[], key: string, value: unknown][] = [
    [[0x0a, 17, ...NAMED, 0x12, 3, 0x0a, 1, 0x76], 'cursor.test.named', 'v'],
    [[0x12, 3, 0x0a, 1, 0x76, 0x0a, 17, ...NAMED], 'cursor.test.named', 'v'],
    [[0x12, 2, 0x18, 5, 0x0a, 1, 0x6b], 'k', 5n],
    [[0x0a, 1, 0x6b, 0x12, 2, 0x10, 1], 'k', true],
    [[0x0a, 1, 0x6b], 'k', null],
    [[0x0a, 17, ...NAMED], 'cursor.test.named', null],
    [[0x12, 2, 0x18, 5], '', 5n],
    [[0x0a, 0, 0x12, 2, 0x18, 5], '', 5n],
    [[], '', null],
    [[0x0a, 0x91, 0, ...NAMED, 0x12, 0x82, 0, 0x18, 5], 'cursor.test.named', 5n], // Lengths that are longer than they need be.
    [[0x0a, 200, 1, ...ascii(LONG), 0x12, 2, 0x18, 5], LONG, 5n],
    [[0x0a, 1, 0x6b, 0x12, 2, 0x18, 5, 0x18, 9], 'k', 5n], // A field that nobody knows.
    [[0x0a, 1, 0x6b, 0x12, 2, 0x18, 5, 0x0a, 1, 0x6c], 'l', 5n], // The last of a field counts.
  ];
  for (const [content, key, value] of cases) {
    for (const others of [[], [[0x0a, 1, 0x61, 0x12, 2, 0x18, 1]]]) {
      for (const contents of [
        [content, ...others],
        [...others, content],
      ]) {
        const cursor = resourceOf(...contents);
        const row = cursor.row(named);
        assert.equal(row >= 0, key === 'cursor.test.named', key);
        if (row >= 0) assert.deepEqual(cursor.value(row), value);
        assert.deepEqual(
          list(cursor),
          contents.map((one) => (one === content ? [key, value] : ['a', 1n])),
        );
        assert.deepEqual(cursor.attribute(key), value);
      }
    }
  }
});

test('an attribute that ends before it should is malformed, not read beyond its end', () => {
  for (const content of [[0x0a], [0x0a, 5, 0x6b], [0x12, 3, 0x0a], [0x0a, 1, 0x6b, 0x12], [0x0a, 1, 0x6b, 0x12, 3, 0x0a], [0x0b, 1], [0x0a, 0x80]])
    assert.throws(() => resourceOf(content).row(named), /malformed|truncated|protobuf/, String(content));
});
