import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compilePattern } from './pattern.ts';

test('replaceAll() replaces as Go does, with numbered and named groups, empty matches and code points', () => {
  const check = (source: string, text: string, replacement: string, want: string) =>
    assert.equal(compilePattern(source).replaceAll(text, replacement), want, `${source} on ${text}`);
  check('a', 'banana', 'x', 'bxnxnx');
  check('a*', 'baaac', 'x', 'xbxcx');
  check('', 'ab', '-', '-a-b-');
  check('', 'é😀', '-', '-é-😀-');
  check('(\\w+) (\\w+)', 'hello world', '$2 $1', 'world hello');
  check('(\\w+) (\\w+)', 'hello world', '${2}_$1x', 'world_');
  check('(?P<first>\\w+) (\\w+)', 'hello world', '$first', 'hello');
  check('(a|ab)(c|bcd)', 'abcd', '[$1,$2]', '[a,bcd]');
  check('\\d{2}', '12345', '$$', '$$5');
  check('.', 'a\r\u2028\n', 'x', 'xxx\n');
});

test('a pattern that RE2 does not know is refused with its name for the fault', () => {
  assert.throws(() => compilePattern('('), /error parsing regexp: missing closing \): `\(`/);
  assert.throws(() => compilePattern('(a)\\1'), /error parsing regexp: invalid escape sequence: `\\1`/);
  assert.throws(() => compilePattern('(?=a)'), /error parsing regexp/);
});

test('a pattern with nested repetition takes linear time', () => {
  const start = performance.now();
  assert.equal(compilePattern('^(a+)+$').test(`${'a'.repeat(5000)}b`), false);
  assert.ok(performance.now() - start < 1000);
});
