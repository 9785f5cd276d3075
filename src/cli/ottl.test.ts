import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { NODE, ROOT, runToEnd } from '#test/run_collector.ts';

const penstock = (...args: string[]) => runToEnd(NODE, [join(ROOT, 'src/main.ts'), 'ottl', ...args]);

test('ottl run shows what statements change, and refuses what is no statement with a caret', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ottl-run-'));
  try {
    const input = join(folder, 'logs.json');
    const statements = join(folder, 'statements.ottl');
    const record = { body: { stringValue: 'GET /' }, attributes: [{ key: 'a', value: { intValue: '1' } }] };
    writeFileSync(input, JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords: [record] }] }] }));
    writeFileSync(statements, '# a comment\nset(log.attributes["a"], 2) where IsMatch(log.body, "^GET ")\n');
    const ran = await penstock('run', '--statements', statements, '--input', input);
    assert.equal(ran.code, 0, ran.stderr);
    assert.match(ran.stdout, /^- +"intValue": "1"\n\+ +"intValue": "2"$/m);
    writeFileSync(statements, 'sett(log.attributes["a"], 2)\n');
    const refused = await penstock('run', '--statements', statements, '--input', input);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /did you mean "set"\?\n +sett\(log\.attributes\["a"\], 2\)\n +\^/);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('ottl functions lists what statements may call', async () => {
  const all = await penstock('functions');
  assert.match(all.stdout, /^IsMatch\(target, pattern\) {2,}\S/m);
  assert.match(all.stdout, /^copy_metric\(.* \(metric\)$/m);
  const some = await penstock('functions', 'sha512');
  assert.deepEqual(some.stdout.trim().split('\n').length, 1);
});
