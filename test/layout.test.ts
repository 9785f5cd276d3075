/**
 * Draws the import arrows from the code and holds them against the picture, which ARCHITECTURE.md shows too. Tests, benchmarks and what
 * serves only them (testing/) may reach further; no file climbs out of its folder.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path/posix';
import test from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const KINDS = ['receivers', 'processors', 'exporters', 'connectors', 'extensions'];

/** Who may import whom. src/config/schema.ts, the value types of options, counts as core. */
const PICTURE = `
main        -> components, cli
components  -> receivers, processors, exporters, connectors, extensions, core
receivers   -> ottl, config, helper, net, data, store, promql, ui, wire, core
processors  -> ottl, config, helper, net, data, store, promql, ui, wire, core
exporters   -> ottl, config, helper, net, data, store, promql, ui, wire, core
connectors  -> ottl, config, helper, net, data, store, promql, ui, wire, core
extensions  -> ottl, config, helper, net, data, store, promql, ui, wire, core
ottl        -> config, helper, data, wire, core
cli         -> pipeline, config, data, core
pipeline    -> config, helper, data, core
config      -> helper, core
helper      -> net, data, wire, core
net         -> data, wire, core
data        -> wire, core
promql      -> core
store       -> wire, core
ui          -> core
wire        -> core
`.trim();

/** Each package has one door. */
const DOORS: Readonly<Record<string, RegExp>> = {
  undici: /^src\/net\//,
  yaml: /^src\/config\//,
  protobufjs: /^src\/wire\//,
  snappyjs: /^src\/wire\//,
  chevrotain: /^ottl\//,
  '@opentelemetry/': /^src\/core\//,
  commander: /^src\/cli\//,
  bcryptjs: /^extensions\/basicauth\//,
  re2js: /^src\/core\/regexp\//,
  uplot: /^src\/ui\//,
  zod: /^(receivers|processors|exporters|connectors|extensions)\/|^src\/(config|core|helper|net)\//,
};

interface Import {
  readonly file: string;
  readonly specifier: string;
  readonly isTypeOnly: boolean;
}

function sourceFiles(): string[] {
  const found: string[] = [];
  for (const top of ['src', ...KINDS, 'ottl', 'test']) {
    for (const entry of readdirSync(join(ROOT, top), { recursive: true })) {
      const file = `${top}/${String(entry).replaceAll('\\', '/')}`;
      if (file.endsWith('.ts') && !file.endsWith('.d.ts') && !file.startsWith('src/ui/pages/') && !file.includes('node_modules')) found.push(file);
    }
  }
  return found;
}

function importsOf(file: string): Import[] {
  const text = readFileSync(join(ROOT, file), 'utf8');
  const found: Import[] = [];
  for (const match of text.matchAll(/^\s*(?:import|export)\s+(type\s+)?(?:[^'"`;]*?\sfrom\s+)?'([^'\n]+)'/gm))
    found.push({ file, specifier: match[2]!, isTypeOnly: match[1] !== undefined });
  for (const match of text.matchAll(/\bimport\('([^'\n]+)'\)/g)) found.push({ file, specifier: match[1]!, isTypeOnly: false });
  return found;
}

/** The area of the picture that a file belongs to. */
function areaOf(file: string): string {
  if (file === 'src/config/schema.ts') return 'core';
  const [top, second] = file.split('/');
  return top === 'src' ? second!.replace(/\.ts$/, '') : top!;
}

const isForTests = (file: string): boolean => /\.(test|bench)\.ts$|(^|\/)(testing|testdata)\/|^test\//.test(file);
const files = sourceFiles();
const imports = files.flatMap(importsOf);

test('every import points the way the picture says', () => {
  const allowed = new Map(
    PICTURE.split('\n').map((line) => {
      const [from, to] = line.split('->');
      return [from!.trim(), new Set(to!.split(',').map((area) => area.trim()))] as const;
    }),
  );
  const wrong = new Set<string>();
  for (const { file, specifier } of imports) {
    if (isForTests(file) || !/^[#.]/.test(specifier)) continue;
    const target = specifier.startsWith('#') ? specifier.slice(1) : normalize(join(dirname(file), specifier));
    const from = areaOf(file),
      to = areaOf(target);
    if (from === to) continue;
    if (!allowed.get(from)?.has(to)) wrong.add(`${from} -> ${to}: ${file} imports ${specifier}`);
  }
  assert.deepEqual([...wrong], []);
});

test('no import climbs out of its folder, and a component imports no other component', () => {
  const wrong: string[] = [];
  for (const { file, specifier } of imports) {
    if (specifier.startsWith('../') || specifier.includes('/../')) wrong.push(`${file}: ${specifier}`);
    const [kind, folder] = file.split('/'),
      target = specifier.split('/');
    const isComponent = KINDS.includes(kind!) && KINDS.some((one) => specifier.startsWith(`#${one}/`));
    if (isComponent && !isForTests(file) && (target[0] !== `#${kind}` || target[1] !== folder)) wrong.push(`${file}: ${specifier}`);
  }
  assert.deepEqual(wrong, []);
});

test('each package is imported through its one door', () => {
  const wrong: string[] = [];
  for (const { file, specifier, isTypeOnly } of imports) {
    if (isForTests(file) || isTypeOnly || /^[#.]|^node:/.test(specifier)) continue;
    const door = Object.entries(DOORS).find(([name]) => specifier === name || specifier.startsWith(name.endsWith('/') ? name : `${name}/`));
    if (door === undefined) wrong.push(`${file}: no door is known for "${specifier}"`);
    else if (!door[1].test(file)) wrong.push(`${file}: "${specifier}" does not come in here`);
  }
  assert.deepEqual(wrong, []);
});

test('imports name their file with its ending', () => {
  const wrong = imports
    .filter(({ specifier }) => /^[#.]/.test(specifier) && !/\.(ts|mjs|json)$/.test(specifier))
    .map(({ file, specifier }) => `${file}: ${specifier}`);
  assert.deepEqual(wrong, []);
});

test('ARCHITECTURE.md shows this picture', () => {
  assert.ok(readFileSync(join(ROOT, 'ARCHITECTURE.md'), 'utf8').includes(PICTURE), `ARCHITECTURE.md lacks:\n${PICTURE}`);
});
