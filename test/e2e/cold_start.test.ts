/** The first start, without compiled code in the cache, ends in the same state as every later one: without the type stripper in memory. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { Stage } from '#test/stage.ts';

const CONFIG = `
receivers: {nop: {}}
exporters: {nop: {}}
service: {telemetry: {metrics: {level: none}}, pipelines: {metrics: {receivers: [nop], exporters: [nop]}}}`;

test('a start without compiled code fills the cache and begins once more from it, as the same process', { skip: process.platform !== 'linux' }, async (t) => {
  const stage = new Stage(t),
    env = { XDG_CACHE_HOME: `${stage.folder}/cache`, NODE_COMPILE_CACHE: undefined, PENSTOCK_ENGINE: undefined };
  const startsOf = async (): Promise<string | undefined> => {
    const program = await stage.penstock(CONFIG, { env }),
      [, starts] = /(?:^|\0)PENSTOCK_ENGINE=(\d)/.exec(readFileSync(`/proc/${program.child.pid}/environ`, 'latin1')) ?? [];
    assert.equal(program.text().match(/Starting\./g)?.length, 1, program.text());
    assert.equal(await program.stop(), 0);
    return starts;
  };
  assert.equal(await startsOf(), '2', 'the first start');
  assert.equal(await startsOf(), '1', 'the second one finds all code in the cache');
});
