/** The functions page says what the definitions say. `UPDATE_GOLDEN=1` writes it anew. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { functions } from './index.ts';
import { functionsPage } from './page.ts';

const INTRO =
  'Editors change the record at hand, converters return a value. A parameter with ? may be left out; any may be given by its name (`delimiter=";"`).\n' +
  'Generated from the definitions; the examples run as tests on a log record.';

test('README.md lists every function as it is defined', () => {
  const file = new URL('./README.md', import.meta.url),
    page = functionsPage('OTTL functions', INTRO, functions);
  if (process.env.UPDATE_GOLDEN) writeFileSync(file, page);
  assert.equal(readFileSync(file, 'utf8'), page, 'run UPDATE_GOLDEN=1 npm test');
});

test('names follow the convention: editors begin with a small letter, converters with a capital, and no name is there twice', () => {
  for (const { name, kind } of functions) assert.match(name, kind === 'editor' ? /^[a-z_]+$/ : /^[A-Z]\w*$/, name);
  assert.equal(new Set(functions.map(({ name }) => name)).size, functions.length);
});
