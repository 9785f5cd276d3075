import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GoRegExp } from './regexp.ts';

test('patterns match what they match in Go', () => {
  const check = (pattern: string, text: string, want: string[] | null) =>
    assert.deepEqual(new GoRegExp(pattern).exec(text), want, `${pattern} on ${JSON.stringify(text)}`);
  check('^(?P<a>\\w+)(?: (?P<b>\\d+))?$', 'word', ['word', 'word', '']);
  check('(?i)login$', 'do LOGIN', ['LOGIN']);
  check('a(?i)b|c', 'aB', ['aB']);
  check('a(?i)b|c', 'C', ['C']);
  check('a(?i)b|c(?-i)d', 'xCD Cd', ['Cd']);
  check('(?is)^begin (?P<rest>.*)$', 'BEGIN x\ny', ['BEGIN x\ny', 'x\ny']);
  check('.+', 'a\rb\nc', ['a\rb']);
  check('(?m)^b$', 'a\nb\nc', ['b']);
  check('^[\\p{L}]+ \\w+', 'éclair naïve', ['éclair na']);
  check('[[:alpha:]]+', '12ab', ['ab']);
  check('[[:^alpha:]]+', 'ab12', ['12']);
  check('\\Qa.b\\E+', 'xa.bb', ['a.bb']);
  check('[^\\s]+', '\u00a0x y', ['\u00a0x']);
  check('\\x41\\x{42}\\103', 'ABC', ['ABC']);
  check('[a-z-]+', 'a-b', ['a-b']);
  check('[]a]+', ']a', [']a']);
  check('a{,2}', 'a{,2}', ['a{,2}']);
  check('(?U)a+', 'aaa', ['a']);
  check('(a+)+$', `${'a'.repeat(40)}b`, null); // Exponential for a backtracking engine.
  check('\\Aab\\z', 'ab', ['ab']);
});

test('what is not RE2 is refused in the words of Go', () => {
  const check = (pattern: string, message: RegExp) => assert.throws(() => new GoRegExp(pattern), message, pattern);
  check('(?<=a)(?P<b>b)', /invalid named capture: `\(\?<=a/);
  check('(?=a)', /unsupported Perl syntax: `\(\?=/);
  check('(?P<a>x', /missing closing \): `\(\?P<a>x`/);
  check('a**', /invalid nested repetition/);
  check('(a)\\1', /invalid escape sequence: `\\1`/);
  check('[b-a]', /invalid character class range/);
  check('*a', /missing argument/);
  check('a)', /unexpected \)/);
  check('x{1001}', /invalid repeat count/);
});

test('replaceAll() expands templates and treats empty matches as Go does', () => {
  const check = (pattern: string, text: string, template: string, want: string) => assert.equal(new GoRegExp(pattern).replaceAll(text, template), want);
  check('z*', 'abc', '-', '-a-b-c-');
  check('b*', 'abc', '-', '-a-c-');
  check('(\\d{2})(\\d{2})', '1234 5678', '${2}x${1}x', '34x12x 78x56x');
  check('(?P<user>\\w+):(?P<pw>\\w+)', 'bob:secret', '$user/$$/${nope}', 'bob/$/');
  check('x*', '🚀', '.', '.🚀.');
});
