/**
 * The store's directory in the hands of Prometheus's own tool (promtool of Debian's prometheus package; PROMTOOL names another): what it reads
 * from our log, checkpoint and blocks is what we read.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import test from 'node:test';
import { encodeLabels } from '#src/store/labels.ts';
import { dump, openTenant, STALE, temporaryDirectory } from '#src/store/testing/write_request.ts';

const PROMTOOL = process.env.PROMTOOL ?? 'promtool';
const MINUTE = 60_000;
const START = Math.floor(1_700_000_000_000 / (360 * MINUTE)) * 360 * MINUTE;

const floatOf = (low: number, high: number): number => new Float64Array(Int32Array.of(low, high).buffer)[0]!;

/** Lines of `promtool tsdb dump` as "labels time" to the value. Prometheus 3 quotes names that are no identifiers, 2 does not. */
function promtoolDump(directory: string): Map<string, number> {
  const text = execFileSync(PROMTOOL, ['tsdb', 'dump', directory], { encoding: 'utf8', maxBuffer: 1 << 28 });
  const all = new Map<string, number>();
  for (const line of text.trim().split('\n')) {
    const [, labels, value, time] = /^(\{.*\}) (\S+) (-?\d+)$/.exec(line)!;
    all.set(`${labels!.replace(/(?<=[{ ])"([^"\\]+)"=/g, '$1=')} ${time}`, value === '+Inf' ? Infinity : value === '-Inf' ? -Infinity : Number(value));
  }
  return all;
}

test('promtool reads from log, checkpoint and blocks what was written', async () => {
  const directory = temporaryDirectory();
  const tenant = openTenant(directory, { compressWal: true });
  for (let minute = 0; minute < 600; minute++) {
    for (let s = 0; s < 30; s++) {
      const labels = encodeLabels(['__name__', 'm', 'é', `"${s}"`]);
      const odd = [0, -0, Infinity, 5e-324, -1e308, minute * 15 + ((minute * 7919) % 31)][s % 6]!;
      const words = new Int32Array(Float64Array.of(odd).buffer);
      const [low, high] = minute % 77 === 76 ? STALE : [words[0]!, words[1]!];
      tenant.append(tenant.series(labels, 0, labels.length), START + minute * MINUTE + (s % 7 === 0 ? (minute * s) % 1000 : 0), low, high);
    }
    if (minute % 5 === 0) await tenant.commit();
  }
  await tenant.commit();
  const compare = async (what: string): Promise<void> => {
    const ours = new Map<string, number>();
    for (const [key, samples] of await dump(tenant)) {
      const [, name, label, value] = key.split(' ');
      for (const [time, low, high] of samples) ours.set(`{__name__="${name}", ${label}=${JSON.stringify(value)}} ${time}`, floatOf(low!, high!));
    }
    const theirs = promtoolDump(directory);
    assert.equal(theirs.size, 600 * 30, what);
    for (const [key, value] of theirs) assert.ok(Object.is(ours.get(key), value), `${what}: ${key} is ${value}, ours ${ours.get(key)}`);
  };
  await compare('log');
  await tenant.maintain(START + 600 * MINUTE);
  assert.ok(tenant.status().blocks.length > 1);
  await compare('blocks and checkpoint');
  execFileSync(PROMTOOL, ['tsdb', 'analyze', directory], { stdio: 'ignore' });
  await tenant.close();
});
