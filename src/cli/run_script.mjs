#!/usr/bin/env node
// What `npm start`, `npm test`, `npm run check` and the others call: plain JavaScript, because it must run with any Node from 20 on, before anything
// is installed. It installs what is missing and runs the command with the Node version that the project pins (the npm package "node").
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const NODE = join(ROOT, 'node_modules/.bin/node');
const CODE_FOLDERS = ['src', 'receivers', 'processors', 'exporters', 'connectors', 'extensions', 'ottl', 'test'];
/** These have scripts of their own. */
const APART = ['test/peers', 'test/load'];

const FIRST_WORDS = `
Penstock, with configs/quickstart.yaml
  open   http://localhost:9090
  send   OTLP to localhost:4317 (gRPC) or http://localhost:4318 (HTTP), Prometheus remote write to http://localhost:9090/api/v1/write,
         log lines to data/quickstart.log; README.md has examples
`;

const [command = '', ...rest] = process.argv.slice(2);
const commands = {
  start: () => {
    console.error(FIRST_WORDS);
    run(NODE, ['src/main.ts', '--config', 'configs/quickstart.yaml', ...rest]);
  },
  test: () =>
    runTests(
      rest.length > 0 && !rest.every((argument) => argument.startsWith('-'))
        ? rest
        : [...testFiles(CODE_FOLDERS).filter((file) => !APART.some((folder) => file.startsWith(`${folder}/`))), ...rest],
    ),
  'test:peers': () => runTests([...testFiles(['test/peers']), ...rest]),
  check: () =>
    runAll([
      [NODE, ['node_modules/typescript/bin/tsc', '--noEmit', '-p', '.']],
      [NODE, ['node_modules/@biomejs/biome/bin/biome', 'check', '.']],
      [NODE, ['node_modules/knip/bin/knip.js']],
      [NODE, ['--no-maglev', '--test', 'test/layout.test.ts']],
    ]),
  bench: () => run(NODE, ['--no-maglev', 'test/load/bench.ts', ...rest]),
};

if (!Object.hasOwn(commands, command)) {
  console.error(`usage: run_script.mjs ${Object.keys(commands).join('|')} [arguments]`);
  process.exit(2);
}
install();
commands[command]();

/** npm writes .package-lock.json last, so it is as new as the packages are. */
function install() {
  const installed = join(ROOT, 'node_modules/.package-lock.json');
  if (existsSync(NODE) && existsSync(installed) && statSync(installed).mtimeMs >= statSync(join(ROOT, 'package-lock.json')).mtimeMs) return;
  const npm = process.env.npm_execpath === undefined ? ['npm'] : [process.execPath, process.env.npm_execpath];
  // "ci" refuses a lock file that lacks packages of other platforms (one written behind a mirror that has only some); "install" takes what this machine needs.
  for (const args of [['ci'], ['install', '--no-save']]) {
    console.error(`Installing packages (npm ${args.join(' ')})...`);
    const result = spawnSync(npm[0], [...npm.slice(1), ...args, '--loglevel=error'], {
      cwd: ROOT,
      stdio: ['ignore', 'inherit', args[0] === 'ci' ? 'ignore' : 'inherit'],
    });
    if (result.status === 0 && existsSync(NODE)) return;
  }
  console.error('Without node_modules/.bin/node nothing runs. Does npm allow the install script of the package "node" (allowScripts in package.json)?');
  process.exit(1);
}

function testFiles(folders) {
  const found = [];
  const walk = (folder) => {
    if (!existsSync(folder)) return;
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) {
        if (entry.name !== 'node_modules') walk(path);
      } else if (entry.name.endsWith('.test.ts')) found.push(relative(ROOT, path));
    }
  };
  for (const folder of folders) walk(join(ROOT, folder));
  return found.sort();
}

function runTests(files) {
  if (files.filter((file) => !file.startsWith('-')).length === 0) {
    console.error('There are no tests to run.');
    process.exit(1);
  }
  run(NODE, ['--no-maglev', '--test', ...files]);
}

/** Signals go to the child, and its end is ours. */
function run(program, args) {
  const child = spawn(program, args, { cwd: ROOT, stdio: 'inherit' });
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    console.error(`cannot run ${program}: ${error.message}`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => process.exit(code ?? (signal === null ? 1 : 128)));
}

/** All of them, so that one run shows everything; fails if one does. */
function runAll(steps) {
  let failed = 0;
  for (const [program, args] of steps) {
    console.error(`> ${args.join(' ')}`);
    if (spawnSync(program, args, { cwd: ROOT, stdio: 'inherit' }).status !== 0) failed++;
  }
  process.exit(failed === 0 ? 0 : 1);
}
