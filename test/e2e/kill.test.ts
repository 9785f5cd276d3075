/** kill -9 at any moment of remote write: what was answered with success is there after the restart, with its value, and the store goes on. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { writeRequest } from '#src/store/testing/write_request.ts';
import { snappyEncode } from '#src/wire/snappy.ts';
import { http, query, Stage } from '#test/stage.ts';

const ROUNDS = 6;
const SENDERS = 4;
const SERIES = 40;

test('every sample that was answered with success survives kill -9 during remote write', async (t) => {
  const stage = new Stage(t),
    endpoint = `127.0.0.1:${await stage.port()}`,
    base = `http://${endpoint}`;
  const config = `
extensions: {store: {directory: "${stage.folder}/data"}, store_api: {endpoint: "${endpoint}"}}
receivers: {nop: {}}
exporters: {store: {}}
service: {telemetry: {metrics: {level: none}}, extensions: [store, store_api], pipelines: {metrics: {receivers: [nop], exporters: [store]}}}`;
  /** Times that were answered with success; the value of a sample is its time modulo a prime. */
  const answered = Array.from({ length: SENDERS }, () => new Set<number>());
  const startMs = Date.now();
  let nextMs = startMs;
  const send = async (sender: number): Promise<boolean> => {
    const timeMs = nextMs++;
    const series = Array.from({ length: SERIES }, (_, i) => ({
      labels: ['__name__', 'kept', 'sender', `s${sender}`, 'series', `${i}`],
      samples: [[timeMs, (timeMs + i) % 99991] as const],
    }));
    try {
      const answer = await http(`${base}/api/v1/write`, {
        headers: { 'Content-Type': 'application/x-protobuf', 'Content-Encoding': 'snappy' },
        body: snappyEncode(writeRequest(series)),
      });
      if (answer.status >= 300) throw new Error(`${answer.status} ${answer.body.toString()}`);
      answered[sender]!.add(timeMs);
      return true;
    } catch (error) {
      if (!/ECONN|socket hang up|EPIPE|aborted/.test(String(error))) throw error;
      return false; // It was killed: not answered.
    }
  };
  for (let round = 0; round < ROUNDS; round++) {
    const program = await stage.penstock(config);
    const senders = answered.map(async (_, sender) => {
      while (await send(sender));
    });
    await sleep(20 + Math.random() * 500);
    assert.equal(await program.stop('SIGKILL'), 'SIGKILL');
    await Promise.all(senders);
  }
  await stage.penstock(config);
  const found = await query(base, 'kept[1h]', { time: (nextMs + 1000) / 1000 });
  assert.equal(found.length, SENDERS * SERIES);
  for (const { metric, values } of found) {
    const times = answered[Number(metric['sender']!.slice(1))]!;
    const stored = new Map(values!.map(([timeS, value]) => [Math.round(timeS * 1000), Number(value)]));
    for (const timeMs of times) assert.equal(stored.get(timeMs), (timeMs + Number(metric['series'])) % 99991, `${JSON.stringify(metric)} at ${timeMs}`);
  }
  const count = answered.reduce((sum, times) => sum + times.size, 0);
  t.diagnostic(`${count} requests answered with success, ${nextMs - startMs - count} not`);
  assert.ok(count > ROUNDS * SENDERS, `${count} requests were answered`);
});
