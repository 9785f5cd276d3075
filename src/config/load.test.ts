import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { ConfigError } from '#src/core/errors.ts';
import { loadConfig } from './load.ts';
import { configText } from './print.ts';
import { optionsConfig, testCatalog } from './testing/catalog.ts';

async function options(body: string, settings: string[] = []): Promise<Record<string, unknown>> {
  const config = await loadConfig({ uris: [optionsConfig(body)], settings }, testCatalog);
  return config.components.processors.get('options')!.config as Record<string, unknown>;
}
async function faults(...uris: string[]): Promise<string[]> {
  return await loadConfig({ uris, settings: [] }, testCatalog).then(
    () => [],
    (error: unknown) => {
      assert.ok(error instanceof ConfigError, String(error));
      return error.message.split('\n');
    },
  );
}

test('references alone take the type of their text, and are text where text is wanted', async () => {
  process.env['CFG_TEST_N'] = '42';
  const typed = await options('size: ${env:CFG_TEST_N}\nname: ${env:CFG_TEST_N}\nany: ${CFG_TEST_N}\nmap: {a: "${env:CFG_TEST_N}"}\neither: ${env:CFG_TEST_N}');
  assert.equal(typed['size'], 42);
  assert.equal(typed['name'], '42');
  assert.equal(typed['any'], 42);
  assert.deepEqual(typed['map'], { a: '42' });
  assert.equal(typed['either'], 42);
});

test('values that travel on keep apart what was written as a whole number and as a fraction', async () => {
  process.env['CFG_TEST_F'] = '2.0';
  const typed = await options('exact: [1, 1.0, 1e3, 0x1e, "${env:CFG_TEST_F}", {a: 5, b: "5"}]');
  assert.deepEqual(typed['exact'], [1n, 1, 1000, 30n, 2, { a: 5n, b: '5' }]);
});

test('text is a list where a list of text is wanted, split at commas', async () => {
  assert.deepEqual((await options('list: a,b'))['list'], ['a', 'b']);
  assert.deepEqual((await options('list: ""'))['list'], []);
});

test('a reference without its scheme, or with a dollar in it, is refused; of several documents the first counts', async () => {
  assert.match((await faults(optionsConfig('name: "${CFG_TEST_U:-x}"')))[0]!, /"\$\{CFG_TEST_U:-x\}" has no scheme; write \$\{env:CFG_TEST_U:-x\}/);
  assert.match((await faults(optionsConfig('name: "${env:CFG_TEST_U:-$$}"')))[0]!, /holds no dollar/);
  assert.deepEqual(await faults(`${optionsConfig('name: x')}\n---\nreceivers: [`), []);
});

test('references, defaults and dollars expand as in the Collector', async () => {
  process.env['CFG_TEST_B'] = 'given';
  process.env['CFG_TEST_W'] = 'B';
  delete process.env['CFG_TEST_U'];
  const check = async (text: string, want: unknown) => assert.deepEqual((await options(`any: "${text}"`))['any'], want, text);
  await check('${env:CFG_TEST_U:-fallback}', 'fallback');
  await check('${env:CFG_TEST_B:-unused}', 'given');
  await check('${CFG_TEST_B}', 'given');
  await check('n-${env:CFG_TEST_B}-${env:CFG_TEST_U}!', 'n-given-!');
  await check('$${env:CFG_TEST_B}', '${env:CFG_TEST_B}');
  await check('$$${env:CFG_TEST_B}', '$given');
  await check('$$$$', '$$');
  await check('costs $$5', 'costs $5');
  await check('${env:CFG_TEST_${env:CFG_TEST_W}}', 'given');
  await check('${env:CFG_TEST_U:-http://h:1/x-y}', 'http://h:1/x-y');
  await check('${env:CFG_TEST_U:-}', null);
  await check('x${env:CFG_TEST_U:-}y', 'xy');
  await check('${env:CFG_TEST_B', '${env:CFG_TEST_B');
  await check('${yaml:13}', 13);
  await check('${yaml:[1, a]}', [1, 'a']);
  await check('$${A} ${env:CFG_TEST_B}', '${A} ${env:CFG_TEST_B}'); // What is escaped first ends the search.
});

test('a reference that leads to itself is refused', async () => {
  process.env['CFG_TEST_LOOP'] = 'x${env:CFG_TEST_LOOP}';
  assert.match((await faults(optionsConfig('name: ${env:CFG_TEST_LOOP}'))).join('\n'), /processors::options::name: .*refers to itself.*yaml::5:11/);
  process.env['CFG_TEST_LOOP'] = '${env:CFG_TEST_LOOP}';
  assert.match((await faults(optionsConfig('name: ${env:CFG_TEST_LOOP}'))).join('\n'), /refers to itself/);
});

test('numbers are those of the YAML dialect of the Collector', async () => {
  const check = async (text: string, want: unknown) => assert.deepEqual((await options(`any: ${text}`))['any'], want, text);
  await check('yes', 'yes');
  await check('on', 'on');
  await check('~', null);
  await check('0x1f', 31);
  await check('1_000', 1000);
  await check('1e3', 1000);
  await check('0o17', 15);
  await check('017', 15);
  await check('0b101', 5);
  await check('-12', -12);
  await check('.5', 0.5);
  await check('1.0', 1);
  await check('9223372036854775807', 9223372036854775807n);
  await check('.inf', Infinity);
  await check('"12"', '12');
  await check('1.2.3', '1.2.3');
  await check('2001-12-15', '2001-12-15');
});

test('nothing after a key is the zero value of a scalar and the defaults of a map', async () => {
  const typed = await options('timeout:\nsize: ~\nname:\non:\nlist:\nmap:\nnested:');
  assert.deepEqual(
    [typed['timeout'], typed['size'], typed['name'], typed['on'], typed['list'], typed['map'], typed['nested']],
    [0, 0, '', false, [], {}, { wait: 1000 }],
  );
});

test('a fraction is cut where a whole number is wanted, and only there', async () => {
  const typed = await options('size: 1.9\nratio: 1.9');
  assert.deepEqual([typed['size'], typed['ratio']], [1, 1.9]);
});

test('all faults come together, each with its place', async () => {
  const body = ['timeoutt: 1s', 'timeout: 3d', 'size: "10"', 'mode: quick', 'name: [a]', 'later: 1', 'nested: {deep: 5, wat: 1}', 'either: [1]'].join('\n');
  assert.deepEqual(await faults(optionsConfig(body)), [
    'processors::options::timeout: "3d" is not a duration; write a number with a unit, for example 30s, 200ms or 1h30m (yaml::6:14)',
    'processors::options::size: "10" is text; expected a number (yaml::7:11)',
    'processors::options::name: is a list; expected text (yaml::9:5)',
    'processors::options::mode: "quick" is not allowed; expected one of: fast, slow (yaml::8:11)',
    'processors::options::either: is a list; expected auto or a number (yaml::12:5)',
    'processors::options::nested::deep: 5 is a number; expected text (yaml::11:20)',
    'processors::options::nested::wat: unknown key "wat"; did you mean "wait"? (yaml::11:28)',
    'processors::options::later: is not supported yet; use timeout (yaml::10:12)',
    'processors::options::timeoutt: unknown key "timeoutt"; did you mean "timeout"? (yaml::5:15)',
  ]);
});

test('ids and references are checked', async () => {
  const text = `yaml:receivers: {nop: , "nop / a": , "nop/a": , no-op: , nop/: , kafka: }
exporters: {nop: , old_nop/x: }
exporter: {}
service: {extensions: [idle], pipelines: {logs: {receivers: [nop, nop, npo], processors: [b, b], exporters: []}, trace: {receivers: [nop], exporters: [old_nop/x]}, profiles: }}`;
  assert.deepEqual(await faults(text), [
    'exporter: unknown section; did you mean "exporters"? (yaml::3:1)',
    'receivers::nop/a: "nop/a" is configured twice (yaml::1:33)',
    'receivers::no-op: "no-op": a type begins with a letter and goes on with letters, digits and "_" (yaml::1:44)',
    'receivers::nop/: "nop/" has nothing after the "/" (yaml::1:53)',
    'receivers::kafka: unknown receiver type "kafka"; there are: nop (yaml::1:61)',
    'service::pipelines::logs::exporters: a pipeline must have at least one exporter (yaml::4:98)',
    'service::pipelines::logs::receivers::2: "npo" is not configured; did you mean "nop"? (yaml::4:72)',
    'service::pipelines::logs::processors::0: "b" is not configured; add it under processors (yaml::4:91)',
    'service::pipelines::logs::processors::1: "b" is named twice (yaml::4:94)',
    'service::pipelines::logs::processors::1: "b" is not configured; add it under processors (yaml::4:94)',
    'service::pipelines::trace: "trace" is no signal; did you mean "traces"? (yaml::4:114)',
    'service::pipelines::profiles: the signal "profiles" is not supported yet (yaml::4:165)',
    'service::pipelines::profiles::receivers: a pipeline must have at least one receiver (yaml::4:165)',
    'service::pipelines::profiles::exporters: a pipeline must have at least one exporter (yaml::4:165)',
    'service::extensions::0: "idle" is not configured; add it under extensions (yaml::4:24)',
  ]);
});

test('later sources win: maps join, lists and scalars are replaced, --set wins over all', async () => {
  const first = optionsConfig('size: 5\nname: a\nlist: [x, y]\nnested: {deep: d}');
  const config = await loadConfig(
    {
      uris: [first, 'yaml:processors: {options: {name: b, list: [z], nested: {wait: 2s}}}'],
      settings: ['processors.options.on=false', 'processors.options.nested.deep=e'],
    },
    testCatalog,
  );
  const typed = config.components.processors.get('options')!.config as Record<string, unknown>;
  assert.deepEqual([typed['size'], typed['name'], typed['list'], typed['on'], typed['nested']], [5, 'b', ['z'], false, { deep: 'e', wait: 2000 }]);
});

test('anchors, aliases and merge keys are followed; a bomb of aliases is refused', async () => {
  const config = await loadConfig(
    {
      uris: [
        'yaml:exporters: {nop: }\nreceivers: {nop: }\nprocessors:\n  options: &base {name: a, size: 1}\n  options/b: {<<: *base, size: 2}\nservice: {pipelines: {logs: {receivers: [nop], exporters: [nop]}}}',
      ],
      settings: [],
    },
    testCatalog,
  );
  const typed = config.components.processors.get('options/b')!.config as Record<string, unknown>;
  assert.deepEqual([typed['name'], typed['size']], ['a', 2]);
  const bomb = ['yaml:a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
  for (let i = 1; i < 9; i++)
    bomb.push(
      `a${i}: &a${i} [${Array(10)
        .fill(`*a${i - 1}`)
        .join(', ')}]`,
    );
  assert.match((await faults(bomb.join('\n'))).join(), /values; check its anchors and aliases/);
});

test('broken and missing sources are named', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'config-'));
  try {
    writeFileSync(join(folder, 'broken.yaml'), 'receivers: {nop: }\nexporters:\n  nop: [unclosed\nservice:\n');
    writeFileSync(join(folder, 'twice.yaml'), 'receivers:\n  nop:\n  nop:\n');
    writeFileSync(join(folder, 'list.yaml'), '- a\n');
    assert.match((await faults(join(folder, 'broken.yaml'))).join(), /not valid YAML: .* at line \d+ \(.*broken\.yaml:\d+:\d+\)/);
    assert.match((await faults(join(folder, 'twice.yaml'))).join(), /the key "nop" is there already at line 2 \(.*twice\.yaml:3:3\)/);
    assert.match((await faults(join(folder, 'list.yaml'))).join(), /must be a map of sections, not a list \(.*list\.yaml:1:1\)/);
    assert.match((await faults(folder)).join(), /cannot read the configuration file ".*": EISDIR/);
    assert.match((await faults(`file:${folder}/none.yaml`)).join(), /none\.yaml": ENOENT/);
    assert.match((await faults('vault:x')).join(), /scheme "vault" of "vault:x" is not supported/);
    assert.match((await faults('env:1BAD')).join(), /"1BAD" is not the name/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('what is printed has all defaults, durations in nanoseconds and hidden secrets', async () => {
  const config = await loadConfig({ uris: [optionsConfig('timeout: 1.5s\nheaders: {X-Key: s3cret}\nnested: {}')], settings: [] }, testCatalog);
  const shown = (mode: 'redacted' | 'unredacted') =>
    JSON.parse(configText(config, 'json', mode)) as { processors: Record<string, Record<string, unknown>>; receivers: unknown; connectors: unknown };
  assert.deepEqual(shown('redacted').processors['options'], {
    any: null,
    either: 'auto',
    exact: null,
    headers: [{ name: 'X-Key', value: '[REDACTED]' }],
    list: null,
    map: {},
    mode: 'fast',
    name: 'none',
    nested: { deep: null, wait: 1e9 },
    on: true,
    ratio: 0.5,
    size: 8192,
    timeout: 1.5e9,
  });
  assert.deepEqual(shown('unredacted').processors['options']!['headers'], [{ name: 'X-Key', value: 's3cret' }]);
  assert.deepEqual(shown('redacted').receivers, { nop: {} });
  assert.equal(shown('redacted').connectors, null);
});
