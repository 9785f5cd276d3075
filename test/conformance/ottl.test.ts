/**
 * The recorded cases of OTTL in process, in seconds: the definitions of transform and filter on the input of each case, and what comes out against
 * what the Collector made of it. What needs the whole program (headers, logins, command line) is left to conformance.test.ts, which starts it.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import test from 'node:test';
import { parse } from 'yaml';
import filter from '#processors/filter/index.ts';
import transform from '#processors/transform/index.ts';
import { Batch, type Signal } from '#src/core/batch.ts';
import { systemClock } from '#src/core/clock.ts';
import type { ProcessorDefinition, Rewriter } from '#src/core/component.ts';
import { PermanentError, RetryableError } from '#src/core/errors.ts';
import { checkAndCount } from '#src/data/check.ts';
import { parseOtlpJson } from '#src/data/json_read.ts';
import { formatOtlpJson } from '#src/data/json_write.ts';
import { type Json, normalise, sortLists } from './normalise.ts';
import { ROOT } from '#test/run_collector.ts';

interface Case {
  readonly name: string;
  readonly signal: Signal;
  readonly processors: string | readonly string[];
  readonly pipeline?: readonly string[];
  readonly input?: Json | readonly Json[];
  readonly expect?: Json;
  readonly expect_http?: readonly number[];
  readonly expect_startup_error?: string;
  readonly error_mentions?: readonly string[];
  readonly ignore?: readonly string[];
  readonly sort?: boolean;
  readonly receiver?: unknown;
  readonly args?: unknown;
  readonly connectors?: unknown;
}

const HERE = join(ROOT, 'test/conformance');
const DEFINITIONS: Readonly<Record<string, ProcessorDefinition>> = { transform: transform as ProcessorDefinition, filter: filter as ProcessorDefinition };
/** OTTL_SUITES=a.json,b.json: other suites, for example of programs that property.test.ts made up, recorded from the Collector. */
const SUITES = process.env['OTTL_SUITES']?.split(',') ?? [
  ...['ottl', 'ottl_random'].flatMap((folder) =>
    readdirSync(join(HERE, folder))
      .filter((file) => file.endsWith('.json'))
      .map((file) => `${folder}/${file}`),
  ),
  'processors/filter_match.json',
];

for (const file of SUITES) {
  const { suite, cases } = JSON.parse(readFileSync(resolve(HERE, file), 'utf8')) as { suite: string; cases: Case[] };
  test(`${suite}: what comes out is what the Collector makes of it`, async (t) => {
    for (const one of cases) {
      if (one.receiver !== undefined || one.args !== undefined || one.connectors !== undefined) continue;
      await t.test(one.name, () => check(one));
    }
  });
}

function check(one: Case): void {
  const text = typeof one.processors === 'string' ? one.processors : one.processors.join('\n');
  const configs = parse(text.replaceAll('$$', '$')) as Record<string, unknown>;
  let rewriters: Rewriter[];
  try {
    rewriters = (one.pipeline ?? Object.keys(configs)).flatMap((id) => build(id, configs[id], one.signal));
  } catch (error) {
    assert.ok(one.expect_startup_error !== undefined, `refused: ${(error as Error).message}`);
    const said = (error as Error).message.toLowerCase();
    for (const word of one.error_mentions ?? []) assert.ok(said.includes(word.toLowerCase()), `"${word}" is not said in: ${said}`);
    return;
  }
  assert.ok(one.expect_startup_error === undefined, `taken, but the Collector says: ${one.expect_startup_error}`);
  const fused: Rewriter[] = [];
  for (const next of rewriters) {
    const joined = fused.at(-1)?.fuse?.(next);
    if (joined) fused.pop();
    fused.push(joined ?? next);
  }
  const out: Json[] = [];
  const statuses: number[] = [];
  for (const payload of (Array.isArray(one.input) ? one.input : [one.input]) as Json[]) {
    statuses.push(200);
    try {
      const bytes = parseOtlpJson(one.signal, JSON.stringify(payload));
      if (checkAndCount(one.signal, bytes) === 0) continue; // A receiver passes on nothing of these.
      let batch: Batch | null = new Batch(one.signal, [bytes], 1);
      for (const rewriter of fused) batch = batch && rewriter.rewrite(batch);
      if (batch) out.push(...(Object.values(JSON.parse(formatOtlpJson(one.signal, batch.bytes).toString()) as object)[0] as Json[]));
    } catch (error) {
      if (!(error instanceof RetryableError || error instanceof PermanentError)) throw error;
      statuses[statuses.length - 1] = error instanceof RetryableError ? 503 : 400;
    }
  }
  const classes = (list: readonly number[]): number[] => list.map((status) => Math.floor(status / 100));
  assert.deepEqual(classes(statuses), one.expect_http ? classes(one.expect_http) : statuses.map(() => 2));
  const shaped = (list: Json): Json => (one.sort ? sortLists(normalise(list, one.ignore)) : normalise(list, one.ignore));
  assert.deepEqual(shaped(out), shaped(one.expect ?? []));
}

function build(id: string, config: unknown, signal: Signal): Rewriter[] {
  const definition = DEFINITIONS[id.split('/')[0]!]!;
  const parsed = definition.configSchema.safeParse(config ?? {});
  if (!parsed.success) throw new Error(parsed.error.issues.map(({ path, message }) => `${path.join('::')}: ${message}`).join('\n'));
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  const rewriter = definition.createRewriter!({
    id,
    config: parsed.data,
    signal,
    telemetry: { log, counter: () => ({ add() {} }) } as never,
    clock: systemClock,
    host: {} as never,
  });
  return rewriter ? [rewriter] : [];
}
