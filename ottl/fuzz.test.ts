/**
 * What users and senders may throw at the language: soups of words, every function with arguments of any kind, telemetry with broken bytes. Each may be
 * refused, with the error that is meant for it; nothing may crash, hang or reach a prototype. FUZZ_MS=600000 runs for ten minutes from a seed of its own,
 * instead of the same few hundred each time.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import { functions } from '#ottl/functions/index.ts';
import { Batch, type Signal, SIGNALS } from '#src/core/batch.ts';
import { systemClock } from '#src/core/clock.ts';
import { PermanentError } from '#src/core/errors.ts';
import { BytesRewriter } from '#src/data/rewrite.ts';
import { Random, randomRequest } from '#src/data/testing/random_otlp.ts';
import { type CompiledGroup, candidatesOf, compileGroup, ErrorPolicy, isFaulty, SIGNAL_CONTEXTS, statementPass } from './group.ts';

const FUZZ_MS = Number(process.env['FUZZ_MS'] ?? 0);
const SEED = Number(process.env['FUZZ_SEED'] ?? (FUZZ_MS > 0 ? Date.now() : 20251));
const FEWEST = 500;
/** No statement may take more of the CPU than this on a small batch. Most that any takes is the first UserAgent, which compiles its library. */
const SLOW_MS = 5000;

const WORDS = [
  ...['set', 'delete_key', 'keep_keys', 'attributes', 'resource', 'body', 'name', 'cache', 'where', 'and', 'or', 'not', 'nil', 'true', 'false', 'é', '_'],
  ...['(', ')', '[', ']', '{', '}', ',', '.', ':', '=', '==', '!=', '<', '>=', '=>', '+', '-', '*', '/', '"', '"a"', '"__proto__"', '"\\', '0x', '0xff'],
  ...['5', '1.5', '9223372036854775808', '1e999', 'SPAN_KIND_SERVER', 'IsMatch', 'Concat', 'Int', ' ', '\n', '\u0000'],
];
const TEXTS = [
  ...['', 'a', '__proto__', 'constructor.prototype', 'é€😀', '\u0000', '%d %s %v %!', '2024-01-02T03:04:05Z', '%Y-%m-%d', '1h2m', '-1', '1e400', '0x10'],
  ...[
    '{"__proto__": {"polluted": 1}, "a": [1, {"b": null}]}',
    '<a b="c"><d>e</d><!-- f --></a>',
    '//a/@b',
    'a=1 b="2 3"',
    'a,b\n1,"2"',
    '^(a+)+$',
    '(?P<x>\\d+)',
    '[',
  ],
  ...[
    'a.*',
    '192.168.0.1',
    '::1/64',
    'http://u:p@h:80/p?q#f',
    'LEEF:2.0|a|b|c|d|^|e=f',
    '%{WORD:w}',
    'utf-16le',
    'upsert',
    'snake',
    'asc',
    'x'.repeat(3000),
    '$1$$',
    'Mozilla/5.0 (X11)',
  ],
];
const quote = (text: string): string => JSON.stringify(text).replaceAll('\\u0000', '\\x00');
const PATHS: Readonly<Record<Signal, readonly string[]>> = {
  traces: ['name', 'kind', 'status', 'status.message', 'start_time', 'trace_id', 'trace_state', 'events', 'links'],
  metrics: ['name', 'unit', 'type', 'data_points', 'aggregation_temporality', 'value_double', 'count', 'exemplars', 'quantile_values'],
  logs: ['body', 'body["a"]', 'body.string', 'severity_text', 'time', 'flags', 'span_id'],
};

function argument(random: Random, signal: Signal, depth: number): string {
  switch (random.below(depth > 2 ? 6 : 10)) {
    case 0:
    case 1:
      return quote(random.pick(TEXTS));
    case 2:
      return random.pick(['0', '1', '-1', '3', '100000', '9223372036854775807', '1.5', '-0.0', '1.7976931348623157e308', 'true', 'nil', '0xff00']);
    case 3:
      return `attributes[${quote(random.pick(['a', '__proto__', 'k', 'url.path']))}]`;
    case 4:
      return random.pick(['attributes', 'cache', 'resource.attributes']);
    case 5:
      return random.pick(PATHS[signal]);
    case 6:
      return `[${Array.from({ length: random.below(3) }, () => argument(random, signal, depth + 1)).join(', ')}]`;
    case 7:
      return `{${Array.from({ length: random.below(3) }, () => `${quote(random.pick(TEXTS))}: ${argument(random, signal, depth + 1)}`).join(', ')}}`;
    default:
      return call(random, signal, depth + 1, 'converter');
  }
}
function call(random: Random, signal: Signal, depth: number, kind: 'converter' | 'editor'): string {
  const chosen = random.pick(functions.filter((one) => one.kind === kind));
  const params = Object.values(chosen.params);
  const count = random.below(6) === 0 ? random.below(6) : params.filter(({ optional }) => !optional || random.below(2) === 0).length;
  const args = Array.from({ length: count }, (_, i) => {
    const param = params[i];
    // Mostly of the kind that is asked for, so that many get beyond the check of types.
    if (random.below(4) === 0 || !param) return argument(random, signal, depth);
    const one = ofKind(random, signal, depth, param.kind);
    return param.list ? `[${one}, ${ofKind(random, signal, depth, param.kind)}]` : one;
  });
  return `${chosen.name}(${args.join(', ')})`;
}
function ofKind(random: Random, signal: Signal, depth: number, kind: string): string {
  if (/^string(Literal|Like)?$/.test(kind)) return quote(random.pick(TEXTS));
  if (/^(int|intLike|intLiteral)$/.test(kind)) return random.pick(['0', '1', '2', '7', '64', '1000', '-1']);
  if (/^bool/.test(kind)) return random.pick(['true', 'false']);
  if (/Path$|^map$|^path$/.test(kind)) return random.pick(['attributes', 'attributes["a"]', 'cache', 'attributes["k"]', 'cache["__proto__"]']);
  if (kind === 'time') return random.pick(['Now()', 'UnixNano(5)', 'Time("2024-01-02", "%Y-%m-%d")']);
  if (kind === 'duration') return 'Duration("1h3s")';
  if (kind === 'function') return random.pick(['SHA256', 'Hex', 'ToUpperCase', 'IsMatch']);
  return argument(random, signal, depth);
}

function text(random: Random, signal: Signal): string {
  if (random.below(3) === 0) return Array.from({ length: random.below(25) }, () => random.pick(WORDS)).join(random.pick(['', ' ']));
  const statement =
    random.below(2) === 0
      ? call(random, signal, 0, 'editor')
      : `set(${random.pick(['attributes["a"]', 'cache["x"]', ...PATHS[signal]])}, ${argument(random, signal, 0)})`;
  return random.below(2) === 0
    ? statement
    : `${statement} where ${argument(random, signal, 1)} ${random.pick(['==', '<', '!='])} ${argument(random, signal, 1)}`;
}

function breakBytes(random: Random, bytes: Buffer): Buffer {
  const broken = Buffer.from(bytes);
  for (let n = random.below(4); n > 0 && broken.length > 0; n--) broken[random.below(broken.length)] = random.below(256);
  return random.below(4) === 0 ? broken.subarray(0, random.below(broken.length + 1)) : broken;
}

test(`nothing that is written or sent brings the language down (seed ${SEED})`, () => {
  const random = new Random(SEED);
  const policy = new ErrorPolicy('silent', { debug() {}, info() {}, warn() {}, error() {} }, systemClock);
  const until = performance.now() + FUZZ_MS;
  let ran = 0;
  for (let n = 0; n < FEWEST || performance.now() < until; n++) {
    const signal = random.pick(SIGNALS);
    const spec = { context: random.pick(SIGNAL_CONTEXTS[signal]), statements: [text(random, signal), text(random, signal)], conditions: [] };
    const began = process.cpuUsage().user;
    const groups: CompiledGroup[] = [];
    // Each alone, since one refused would hide the other.
    for (const statement of spec.statements) {
      const group = compileGroup({ ...spec, statements: [statement] }, candidatesOf(signal, functions), functions);
      if (!isFaulty(group)) groups.push(group);
      // An error of our own is no answer to a user.
      else
        for (const { message } of group)
          assert.doesNotMatch(message, /cannot read prop|is not a function|is not iterable|Invalid regular|call stack/i, `${statement}\n${message}`);
    }
    if (groups.length > 0) {
      const { bytes } = randomRequest(signal, random.below(1 << 30));
      const sent = random.below(3) === 0 ? breakBytes(random, bytes) : bytes;
      try {
        ran++;
        new BytesRewriter(
          signal,
          groups.map((group) => statementPass(group, policy)),
        ).rewrite(new Batch(signal, [sent], 1));
      } catch (error) {
        assert.ok(error instanceof PermanentError, `${groups.flatMap((group) => group.statements.map((s) => s.text)).join('\n')}\n${(error as Error).stack}`);
      }
    }
    const took = (process.cpuUsage().user - began) / 1000;
    assert.ok(took < SLOW_MS, `${took} ms: ${spec.statements.join('\n')}`);
  }
  assert.ok(ran > 0);
  assert.equal(Object.keys(Object.prototype).length, 0);
  assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
});
