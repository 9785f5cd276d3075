/**
 * The recorded behaviour of the real Collector against the program as a user starts it. Cases that are known to fail are listed in
 * known_gaps.json: any other failure fails. They take long (a configuration that is refused is a process of its own), so only CONFORMANCE=all
 * runs them too, and asks to shrink the list where one passes; UPDATE_GOLDEN=1 runs everything and writes the list. PromQL has its own test.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { NODE, ROOT, runToEnd } from '#test/run_collector.ts';

const HERE = join(ROOT, 'test/conformance'),
  GAPS = join(HERE, 'known_gaps.json');
const UPDATE = process.env['UPDATE_GOLDEN'] === '1',
  ALL = UPDATE || process.env['CONFORMANCE'] === 'all';
/** Suites of components that are not built: every case would be a program that refuses to start. */
const NOT_BUILT = ['spanmetrics'].map((name) => `processors/${name}.json`);
/** Groups of suites, each one run of a runner. */
const GROUPS: Readonly<Record<string, readonly string[]>> = {
  config: ['config/cases.json', 'config/field.json'],
  selfcheck: ['selfcheck.json'],
  ottl: suitesIn('ottl'),
  filelog: suitesIn('filelog'),
  prometheus: suitesIn('prometheus'),
  processors: suitesIn('processors'),
};

type Gaps = Record<string, readonly string[]>;
const gaps = JSON.parse(readFileSync(GAPS, 'utf8')) as Gaps;

for (const [group, suites] of Object.entries(GROUPS)) {
  test(`recorded cases of ${group} behave as in the Collector, but for the known gaps`, async () => {
    const known = new Set(gaps[group] ?? []);
    const failed = await failures(group, suites, ALL ? [] : [...known]);
    if (UPDATE) {
      const written = { ...(JSON.parse(readFileSync(GAPS, 'utf8')) as Gaps), [group]: failed.map(({ name }) => name).toSorted() };
      writeFileSync(GAPS, `${JSON.stringify(written, null, 2)}\n`);
      return;
    }
    const unexpected = failed.filter(({ name }) => !known.has(name));
    assert.deepEqual(unexpected, [], 'cases that must pass');
    const names = new Set(failed.map(({ name }) => name));
    if (ALL)
      assert.deepEqual(
        [...known].filter((name) => !names.has(name)),
        [],
        'known gaps that pass now: take them out of known_gaps.json',
      );
  });
}

function suitesIn(folder: string): string[] {
  return readdirSync(join(HERE, folder))
    .filter((file) => file.endsWith('.json'))
    .map((file) => `${folder}/${file}`)
    .filter((suite) => !NOT_BUILT.includes(suite));
}

/** What the two runners write: cases with problems, or suites of cases with a diff. */
interface Report {
  readonly cases?: readonly { readonly name: string; readonly ok: boolean; readonly problems?: readonly string[] }[];
  readonly suites?: readonly {
    readonly suite: string;
    readonly cases: readonly { readonly name: string; readonly ok: boolean; readonly diff?: readonly string[] }[];
  }[];
}
interface Failure {
  readonly name: string;
  readonly why: readonly string[];
}

/** The cases that fail, with what differs. */
async function failures(group: string, suites: readonly string[], skipped: readonly string[]): Promise<Failure[]> {
  const folder = mkdtempSync(join(tmpdir(), 'conformance-report-')),
    report = join(folder, 'report.json');
  try {
    const runner = join(HERE, group === 'config' ? 'config/run.mjs' : 'run.mjs');
    const quote = (name: string): string => name.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
    const only = skipped.length === 0 ? [] : ['--only', `^(?!(?:${skipped.map(quote).join('|')})$)`];
    const ended = await runToEnd(NODE, [
      runner,
      '--json',
      report,
      ...only,
      '--command',
      `${NODE} ${join(ROOT, 'src/main.ts')}`,
      ...suites.map((suite) => join(HERE, suite)),
    ]);
    assert.ok(ended.code <= 1, `the runner failed:\n${ended.stderr}`);
    const { cases = [], suites: ran = [] } = JSON.parse(readFileSync(report, 'utf8')) as Report;
    const named = ran.flatMap(({ suite, cases: own }) => own.map((one) => ({ name: `${suite}/${one.name}`, ok: one.ok, why: one.diff ?? [] })));
    return [...cases.map((one) => ({ name: one.name, ok: one.ok, why: one.problems ?? [] })), ...named]
      .filter(({ ok }) => !ok)
      .map(({ name, why }) => ({ name, why }));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
