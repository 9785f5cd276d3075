/** The one-pass matcher finds what a RegExp finds, with the same groups, and takes no longer on text that is made to take long. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BytePattern, groups } from './byte_pattern.ts';

/** Start and end of the match's groups in a text of ASCII, null where it does not match. */
function found(source: string, text: string): (string | undefined)[] | null {
  const pattern = BytePattern.of(source);
  if (pattern === null) return null;
  const bytes = Buffer.from(`before${text}after`);
  if (!pattern.exec(bytes, 6, 6 + text.length)) return [];
  return Array.from({ length: pattern.groupCount }, (_, i) => bytes.toString('latin1', groups[2 * i + 2], groups[2 * i + 3]));
}

test('what is compiled to bytes matches as the RegExp does, in a random text at the same place', () => {
  const atom = fc.constantFrom('a', 'b', 'ab', 'aab', 'abab', '[ab]', '[^a]', '[^ ]', '\\d', '\\s', '1', ' ', '.');
  const part = fc.tuple(atom, fc.constantFrom('', '', '', '+', '*', '?')).map(([of, times]) => (of.length > 1 && /^[a-z]/.test(of) ? of : of + times));
  const group = fc.tuple(part, fc.boolean()).map(([of, grouped]) => (grouped ? `(${of})` : of));
  const pattern = fc
    .tuple(fc.constantFrom('', '', '^'), fc.array(group, { minLength: 1, maxLength: 5 }), fc.constantFrom('', '', '$'))
    .map(([front, parts, back]) => front + parts.join('') + back);
  const text = fc.array(fc.constantFrom('a', 'b', 'ab', 'aab', '1', ' ', 'abababab'), { maxLength: 40 }).map((words) => words.join(''));
  let compiled = 0;
  fc.assert(
    fc.property(pattern, fc.array(text, { minLength: 5, maxLength: 5 }), (source, texts) => {
      for (const one of texts) {
        const got = found(source, one);
        if (got === null) return;
        compiled++;
        const want = new RegExp(source, 's').exec(one);
        assert.deepEqual(got, want === null ? [] : want.slice(1), `${source} on ${JSON.stringify(one)}`);
      }
    }),
    { numRuns: 3000 },
  );
  assert.ok(compiled > 1000, `only ${compiled} comparisons were of patterns that compile`);
});

test('a word is found wherever it begins, also behind a part of itself', () => {
  const check = (source: string, text: string, want: readonly string[] | null) => assert.deepEqual(found(source, text), want, `${source} on ${text}`);
  check('aab(.*)', 'aaaabx', ['x']);
  check('abcabd(c*)', 'abcabcabdc', ['c']);
  check('(aba)', 'ababab', ['aba']);
  check(`${'x'.repeat(300)}(y)`, `${'x'.repeat(900)}y`, ['y']);
  check('b(.*)', 'aaa', []);
  check('needle', 'needl', []);
  check('(a|b)', 'a', null);
  check('(?i)err(o)r: (?:x)', 'ERROR: X', ['O']);
  check('(\\d{4})-\\d{2}$', '2024-06', ['2024']);
  check('a(?s).*$', 'a\nb', []);
  check('a+?', 'a', null);
  check('(^a)', 'a', null);
  check('[\u00e9a]', 'a', null);
});

test('a text that makes every place begin anew takes time by its length', () => {
  // By the square of the length these would be minutes.
  const used = process.cpuUsage();
  for (const source of ['a[^=]+=', 'a[^=]*=', '[a-z]+=', 'a[^=]+=[^;]+;', 'aa?[^=a]*=']) {
    assert.deepEqual(found(source, 'a'.repeat(200_000)), [], source);
    assert.deepEqual(found(source, 'ab'.repeat(100_000)), [], source);
  }
  assert.deepEqual(found('a[^=]+=[^;]+;', 'ab='.repeat(60_000)), []);
  assert.deepEqual(found('a([^=]+)=', `${'a'.repeat(1000)}=`), ['a'.repeat(999)]);
  const { user } = process.cpuUsage(used);
  assert.ok(user < 20e6, `${user / 1e6} s`);
});

test('a letter of several bytes is a word of its bytes', () => {
  const pattern = BytePattern.of('caf\u00e9( .*)')!,
    bytes = Buffer.from('un caf\u00e9 noir');
  assert.ok(pattern.exec(bytes, 0, bytes.length));
  assert.equal(bytes.toString('utf8', groups[2], groups[3]), ' noir');
  assert.ok(!pattern.exec(bytes, 0, 7));
});
