#!/usr/bin/env node
// The `penstock` command: starts src/main.ts with the Node version that the project pins, or with the running one where that is a Node 24. Plain JavaScript,
// because it must run with any Node from 20 on to say what is wrong.
import { spawn } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(dirname(dirname(realpathSync(fileURLToPath(import.meta.url)))));

// Node strips types only outside node_modules: an installed package would stop at its first file with a message about syntax.
if (ROOT.split(/[\\/]/).includes('node_modules')) {
  console.error(`penstock runs from its own checkout; it cannot run from ${ROOT}, because Node does not run TypeScript inside node_modules.`);
  console.error('Clone the repository, run "npm ci" there and then "npm link", or start it as node_modules/.bin/node src/main.ts.');
  process.exit(1);
}

const program = pinnedNode() ?? (process.versions.node.startsWith('24.') ? process.execPath : undefined);
if (program === undefined) {
  console.error(`penstock needs Node 24 and this is ${process.versions.node}; run "npm ci" in ${ROOT}, which installs it beside the program.`);
  process.exit(1);
}
const child = spawn(program, [join(ROOT, 'src/main.ts'), ...process.argv.slice(2)], { stdio: 'inherit' });
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('error', (error) => {
  console.error(`cannot run ${program}: ${error.message}`);
  process.exit(1);
});
child.on('exit', (code, signal) => process.exit(code ?? (signal === null ? 1 : 128)));

function pinnedNode() {
  try {
    const path = join(dirname(createRequire(join(ROOT, 'package.json')).resolve('node/package.json')), 'bin/node');
    return existsSync(path) ? path : undefined;
  } catch {
    return undefined;
  }
}
