/**
 * What statements cost a record, in process: the statements of a usual enrichment on spans and logs, and 50 whose condition is false.
 *   node_modules/.bin/node --no-maglev ottl/group.bench.ts TRACES LOGS     (bodies of 1,000 records: Export*ServiceRequest)
 */
import { readFileSync } from 'node:fs';
import { functions } from '#ottl/functions/index.ts';
import { Batch, type Signal } from '#src/core/batch.ts';
import { systemClock } from '#src/core/clock.ts';
import { DROP, KEEP } from '#src/data/contexts.ts';
import { BytesRewriter } from '#src/data/rewrite.ts';
import { Frame } from './contexts/context.ts';
import { anyCondition, candidatesOf, compileGroup, ErrorPolicy, type GroupSpec, isFaulty, statementPass } from './group.ts';

const RECORDS = 1000;
const silent = { debug() {}, info() {}, warn() {}, error() {} };
const policy = new ErrorPolicy('ignore', silent, systemClock);
function passOf(signal: Signal, spec: GroupSpec) {
  const group = compileGroup(spec, candidatesOf(signal, functions), functions);
  if (isFaulty(group)) throw new Error(group.map(({ message }) => message).join('\n'));
  if (group.statements.length > 0) return statementPass(group, policy);
  const frame = new Frame(group.context);
  const drops = anyCondition(group.conditions, policy);
  return { level: group.level, reads: 0, writes: 0, visit: () => (drops(frame) ? DROP : KEEP), dropsEmpty: true } as const;
}
function time(rewriter: BytesRewriter, signal: Signal, body: Buffer): number {
  const bodies = Array.from({ length: 8 }, () => Buffer.from(body));
  const run = (rounds: number): void => {
    for (let i = 0; i < rounds; i++) rewriter.rewrite(new Batch(signal, [bodies[i % 8]!], RECORDS));
  };
  run(400);
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 3; round++) {
    const before = process.cpuUsage();
    run(500);
    const used = process.cpuUsage(before);
    best = Math.min(best, (used.user + used.system) / 500 / RECORDS);
  }
  return best;
}

const [traces, logs] = process.argv.slice(2).map((file) => readFileSync(file));
const route = 'set(attributes["http.route"], "item") where IsMatch(attributes["url.path"], "^/api/v1/items/")';
const filter = { context: 'span', statements: [], conditions: ['attributes["thread.name"] == "worker-3"'] } as const;
const enrich = [
  passOf('traces', {
    context: 'span',
    conditions: [],
    statements: [route, 'delete_key(attributes, "client.address")', 'set(status.code, 2) where attributes["http.response.status_code"] >= 500'],
  }),
  passOf('traces', filter),
];
console.log(`spans, transform and filter: ${time(new BytesRewriter('traces', enrich), 'traces', traces!).toFixed(3)} us a span`);
if (functions.some(({ name }) => name === 'ExtractPatterns')) {
  const extract = 'merge_maps(attributes, ExtractPatterns(body, "method=(?P<method>[A-Z]+) path=(?P<path>[^ ]+)"), "upsert") where body != nil';
  const passes = [
    passOf('logs', { context: 'log', conditions: [], statements: [route, 'delete_key(attributes, "client.address")', extract] }),
    passOf('logs', { context: 'log', statements: [], conditions: filter.conditions }),
  ];
  console.log(`logs, transform and filter: ${time(new BytesRewriter('logs', passes), 'logs', logs!).toFixed(3)} us a record`);
}
const many = (name: string, key: (i: number) => string): void => {
  const statements = Array.from({ length: 50 }, (_, i) => `set(attributes["x"], "y") where attributes["${key(i)}"] == "v${i}"`);
  const one = time(new BytesRewriter('traces', [passOf('traces', { context: 'span', conditions: [], statements: statements.slice(0, 1) })]), 'traces', traces!);
  const all = time(new BytesRewriter('traces', [passOf('traces', { context: 'span', conditions: [], statements })]), 'traces', traces!);
  console.log(`${name}: one ${one.toFixed(3)} us a span, each further ${(((all - one) / 49) * 1000).toFixed(1)} ns`);
};
const PRESENT = ['http.request.method', 'url.path', 'thread.name', 'client.address', 'user_agent.original'];
many('statements whose key is absent', (i) => `key-${i}`);
many('statements whose key has another value', (i) => PRESENT[i % PRESENT.length]!);
