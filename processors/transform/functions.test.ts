/** The page of the functions that only transform has. `UPDATE_GOLDEN=1` writes it anew. What they do is tested with the recorded cases. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { functionsPage } from '#ottl/functions/page.ts';
import { transformFunctions } from './functions.ts';

const INTRO = 'These come on top of the [functions of OTTL](../../ottl/functions/README.md), in the contexts that are named. Generated from the definitions.';

test('FUNCTIONS.md lists every function of transform as it is defined', () => {
  const file = new URL('./FUNCTIONS.md', import.meta.url),
    page = functionsPage('Functions of transform', INTRO, transformFunctions);
  if (process.env.UPDATE_GOLDEN) writeFileSync(file, page);
  assert.equal(readFileSync(file, 'utf8'), page, 'run UPDATE_GOLDEN=1 npm test');
});
