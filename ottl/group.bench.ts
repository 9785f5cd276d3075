/**
 * What statements cost a record, in process: a usual enrichment on spans and logs, 50 statements whose condition is false, and statements in the
 * metric, data point and span event contexts.
 *   node_modules/.bin/node --no-maglev ottl/group.bench.ts [TRACES LOGS METRICS]     (bodies of 1,000 records, Export*ServiceRequest; else random ones)
 */
import { readFileSync } from 'node:fs';
import { functions } from '#ottl/functions/index.ts';
import { Batch, type Signal } from '#src/core/batch.ts';
import { systemClock } from '#src/core/clock.ts';
import { checkAndCount } from '#src/data/check.ts';
import { DROP, KEEP, type Pass } from '#src/data/contexts.ts';
import { BytesRewriter } from '#src/data/rewrite.ts';
import { randomRequest } from '#src/data/testing/random_otlp.ts';
import { Frame } from './contexts/context.ts';
import type { ContextName } from './function.ts';
import { anyCondition, candidatesOf, compileGroup, ErrorPolicy, isFaulty, statementPass } from './group.ts';

const ROUNDS = 400;
const policy = new ErrorPolicy('ignore', { debug() {}, info() {}, warn() {}, error() {} }, systemClock);

function passOf(signal: Signal, context: ContextName, statements: readonly string[], conditions: readonly string[] = []): Pass {
  const group = compileGroup({ context, statements, conditions }, candidatesOf(signal, functions), functions);
  if (isFaulty(group)) throw new Error(group.map(({ message }) => message).join('\n'));
  if (group.statements.length > 0) return statementPass(group, policy);
  const frame = new Frame(group.context);
  const drops = anyCondition(group.conditions, policy);
  return { level: group.level, reads: 0, writes: 0, visit: () => (drops(frame) ? DROP : KEEP), dropsEmpty: true };
}
/** Microseconds of CPU an item. What is written is given back at once, as exporters do. */
function time(signal: Signal, body: Buffer, passes: readonly Pass[]): number {
  const rewriter = new BytesRewriter(signal, passes);
  const bodies = Array.from({ length: 8 }, () => Buffer.from(body));
  const items = checkAndCount(signal, body);
  const run = (rounds: number): void => {
    for (let i = 0; i < rounds; i++) {
      const before = bodies[i % 8]!;
      const after = rewriter.rewrite(new Batch(signal, [before], items));
      const [bytes] = after?.parts ?? [];
      if (bytes && bytes !== before) (bytes.buffer as ArrayBuffer).transfer(0);
    }
  };
  run(ROUNDS);
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 4; round++) {
    const before = process.cpuUsage();
    run(ROUNDS);
    const used = process.cpuUsage(before);
    best = Math.min(best, (used.user + used.system) / ROUNDS / items);
  }
  return best;
}

const files = process.argv.slice(2);
const body = (signal: Signal, i: number): Buffer =>
  files[i] === undefined ? Buffer.concat(Array.from({ length: 60 }, (_, seed) => randomRequest(signal, seed).bytes)) : readFileSync(files[i]!);
const [traces, logs, metrics] = [body('traces', 0), body('logs', 1), body('metrics', 2)];
const say = (what: string, us: number): void => console.log(`${what.padEnd(60)} ${us.toFixed(3)} us an item`);

const route = 'set(attributes["http.route"], "item") where IsMatch(attributes["url.path"], "^/api/v1/items/")';
const cut = 'delete_key(attributes, "client.address")';
const worker = ['attributes["thread.name"] == "worker-3"'];
const failed = 'set(status.code, 2) where attributes["http.response.status_code"] >= 500';
say('spans: three statements and a filter', time('traces', traces, [passOf('traces', 'span', [route, cut, failed]), passOf('traces', 'span', [], worker)]));
const extract = 'merge_maps(attributes, ExtractPatterns(body, "method=(?P<method>[A-Z]+) path=(?P<path>[^ ]+)"), "upsert") where body != nil';
say(
  'logs: three statements, captures of a pattern, and a filter',
  time('logs', logs, [passOf('logs', 'log', [route, cut, extract]), passOf('logs', 'log', [], worker)]),
);
say('spans: keep_keys of two', time('traces', traces, [passOf('traces', 'span', ['keep_keys(attributes, ["http.route", "url.path"])'])]));
say('spans: limit to two', time('traces', traces, [passOf('traces', 'span', ['limit(attributes, 2, ["url.path"])'])]));
say('span events: set an attribute', time('traces', traces, [passOf('traces', 'spanevent', ['set(attributes["seen"], true)'])]));
say('metrics: set the unit where the name matches', time('metrics', metrics, [passOf('metrics', 'metric', ['set(unit, "By") where IsMatch(name, "bytes$")'])]));
say('data points: set an attribute', time('metrics', metrics, [passOf('metrics', 'datapoint', ['set(attributes["seen"], true)'])]));
say(
  'data points: a condition on the value and one on a key',
  time('metrics', metrics, [passOf('metrics', 'datapoint', [], ['value_double > 1.0e300', 'attributes["host"] == "none"'])]),
);

const many = (name: string, key: (i: number) => string): void => {
  const statements = Array.from({ length: 50 }, (_, i) => `set(attributes["x"], "y") where attributes["${key(i)}"] == "v${i}"`);
  const [one, all] = [1, 50].map((count) => time('traces', traces, [passOf('traces', 'span', statements.slice(0, count))])) as [number, number];
  console.log(`50 ${name}: each ${(((all - one) / 49) * 1000).toFixed(1)} ns a span (one alone: ${(one * 1000).toFixed(0)} ns)`);
};
const PRESENT = ['http.request.method', 'url.path', 'thread.name', 'client.address', 'user_agent.original'];
many('statements whose key is absent', (i) => `key-${i}`);
many('statements whose key has another value', (i) => PRESENT[i % PRESENT.length]!);
