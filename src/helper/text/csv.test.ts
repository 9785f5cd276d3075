import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readCsvRow } from './csv.ts';

test("a row is read as Go's encoding/csv reads it, its lines joined", () => {
  const check = (text: string, isLazy: boolean, want: string[]) => assert.deepEqual(readCsvRow(text, ',', isLazy), want, JSON.stringify(text));
  check('a,b,', false, ['a', 'b', '']);
  check('"a, b","c ""d"""', false, ['a, b', 'c "d"']);
  check('a "b" c,d', true, ['a "b" c', 'd']);
  check('"a"b",c', true, ['a"b', 'c']);
  check('aa,b\nb,cc,d\nd,ee', false, ['aa', 'b\nb', 'cc', 'd\nd', 'ee']);
  check('a,"b\r\nc"\r\n\r\nd', false, ['a', 'b\nc\nd']);
  check('a\r,b', false, ['a\r', 'b']);
  check('a,b\r', false, ['a', 'b']);
  check(',"x', true, ['', 'x']);
  check('a,"b', false, ['a']); // What stands before a fault is a row.
});

test('what is no row is refused in the words of Go', () => {
  const check = (text: string, fault: string, comma = ',') => assert.throws(() => readCsvRow(text, comma, false), { message: fault });
  check('', 'no csv lines found');
  check('\n\r', 'no csv lines found');
  check('a"b,c', 'read csv line: parse error on line 1: bare " in non-quoted-field');
  check('"a"b,c', 'read csv line: parse error on line 1: extraneous or missing " in quoted-field');
  check('a', 'read csv line: csv: invalid field or comment delimiter', '"');
});
