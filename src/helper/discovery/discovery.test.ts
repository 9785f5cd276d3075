import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import type { Clock } from '#src/core/clock.ts';
import { FileDiscovery, HttpDiscovery, parseGroups, type TargetGroup } from './discovery.ts';

/** Rounds happen when the test says so. */
class ManualClock implements Clock {
  readonly #work: (() => void)[] = [];
  nowMs(): number {
    return 0;
  }
  every(_periodMs: number, work: () => void): () => void {
    this.#work.push(work);
    return () => {};
  }
  after(): () => void {
    return () => {};
  }
  tick(): void {
    for (const work of this.#work) work();
  }
}

const warnings: string[] = [];
const nothing = (): void => {};
const log = { debug: nothing, info: nothing, warn: (message: string) => void warnings.push(message), error: nothing };
const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 60));

test('parseGroups() takes the lists of file and HTTP discovery and refuses others', () => {
  assert.deepEqual(parseGroups([{ targets: ['a:1'], labels: { x: 1 } }], 's', { __meta_url: 'u' }), [
    { source: 's:0', targets: ['a:1'], labels: { x: '1', __meta_url: 'u' } },
  ]);
  assert.deepEqual(parseGroups(null, 's', {}), []);
  for (const bad of [
    {},
    'x',
    [{ targets: 'a' }],
    [{ targets: [1] }],
    [{ targets: [], other: 1 }],
    [{ targets: [], labels: [] }],
    [{ targets: [], labels: { a: {} } }],
    [null],
  ]) {
    assert.throws(() => parseGroups(bad, 's', {}), Error, JSON.stringify(bad));
  }
});

test('files are read when they change, and a broken one keeps what it said last', async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'discovery-'));
  context.after(() => rm(folder, { recursive: true }));
  const clock = new ManualClock();
  const updates: string[][] = [];
  const discovery = new FileDiscovery([join(folder, '*.json')], 1000, (text) => JSON.parse(text), clock, log);
  await writeFile(join(folder, 'a.json'), '[{"targets":["a:1"]}]');
  discovery.start((groups: readonly TargetGroup[]) => void updates.push(groups.flatMap((group) => group.targets)));
  await settle();
  const round = async (): Promise<void> => {
    clock.tick();
    await settle();
  };
  await round();
  await writeFile(join(folder, 'b.json'), '[{"targets":["b:1"]}]');
  await round();
  await writeFile(join(folder, 'a.json'), '[{"targets":');
  await round();
  await writeFile(join(folder, 'a.json'), '[{"targets":["a:1","a:22"]}]');
  await round();
  discovery.stop();
  assert.deepEqual(updates, [['a:1'], ['a:1', 'b:1'], ['a:1', 'a:22', 'b:1']]);
  assert.equal(warnings.length, 1);
});

test('an HTTP endpoint that fails keeps what it said last', async () => {
  const clock = new ManualClock();
  const answers = ['[{"targets":["a:1"]}]', 'no JSON', '[]'];
  const updates: number[] = [];
  const discovery = new HttpDiscovery('http://x/', 1000, async () => answers.shift()!, clock, log);
  discovery.start((groups) => void updates.push(groups.length));
  for (let i = 0; i < 2; i++) {
    await settle();
    clock.tick();
  }
  await settle();
  discovery.stop();
  assert.deepEqual(updates, [1, 0]);
});
