/**
 * Runs a folder of Prometheus's own test scripts against the engine: `node test/promql/upstream.ts FOLDER [NAME...]`. The scripts are another
 * project's text and are not part of this one.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runScript } from '#src/promql/testing/script.ts';

const [folder, ...names] = process.argv.slice(2);
if (folder === undefined) throw new Error('usage: upstream.ts FOLDER [NAME...]');
let passed = 0;
let failed = 0;
for (const file of readdirSync(folder).sort()) {
  if (!file.endsWith('.test') || (names.length > 0 && !names.some((name) => file.includes(name)))) continue;
  const report = await runScript(readFileSync(join(folder, file), 'utf8'));
  passed += report.passed;
  failed += report.failures.length;
  for (const { line, query, message } of report.failures) console.log(`${file}:${line}: ${query}\n    ${message}`);
  console.log(`${file}: ${report.passed} passed, ${report.failures.length} failed`);
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
