/** Every example in configs/ starts and stops in order, in a folder of its own and on ports of its own. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { closedPort } from '#src/core/testing/ports.ts';
import { ROOT, startProgram } from './run_collector.ts';

for (const name of readdirSync(join(ROOT, 'configs')).filter((file) => file.endsWith('.yaml'))) {
  test(`configs/${name} starts, says so and stops with everything drained`, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'configs-'));
    try {
      let text = readFileSync(join(ROOT, 'configs', name), 'utf8');
      for (const [listen] of new Set([...text.matchAll(/(?:localhost|127\.0\.0\.1|0\.0\.0\.0):\d{4,5}\b/g)].map((match) => [match[0]])))
        text = text.replaceAll(listen!, `127.0.0.1:${await closedPort()}`);
      writeFileSync(join(folder, name), text);
      const metrics = 'service.telemetry.metrics.readers=[{pull: {exporter: {prometheus: {host: 127.0.0.1, port: 0}}}}]';
      const program = startProgram(['--config', name, '--set', metrics], { cwd: folder });
      const ready = await program.ready;
      if (ready) program.child.kill('SIGTERM');
      const ended = await program.ended;
      assert.ok(ready, `it did not start:\n${ended.stderr}`);
      assert.equal(ended.code, 0, ended.stderr);
      assert.match(ended.stderr, /"drained":true/);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
}
