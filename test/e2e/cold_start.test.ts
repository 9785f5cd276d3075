/** The first start, without compiled code in the cache, ends in the same state as every later one: without the type stripper in memory. Nor is a cache needed. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { NODE, ROOT } from '#test/run_collector.ts';
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

test('a user without a home, as containers have them, starts it without a cache', (t) => {
  const as = { uid: 54321, gid: 54321, env: {}, encoding: 'utf8' } as const,
    main = join(ROOT, 'src/main.ts');
  const probe = 'try { require("os").homedir() } catch { require("fs").accessSync(process.argv[1]); console.log("without a home") }';
  if (!spawnSync(NODE, ['-e', probe, main], as).stdout?.includes('without')) return t.skip('needs root, and a checkout that others can read');
  const { status, stdout, stderr } = spawnSync(NODE, [main, 'components'], as);
  assert.equal(status, 0, stderr);
  assert.match(stdout, /receivers:/);
});
