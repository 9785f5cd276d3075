/** What senders hear when the backend is away, what happens to the data that nobody takes, and what SIGTERM does with what is under way. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { call, frame, openSession, SERVICES } from '#test/grpc_client.ts';
import { type Answer, http, Stage, until } from '#test/stage.ts';

const RESOURCE_EXHAUSTED = 8,
  UNAVAILABLE = 14;
const RECORDS = 10;

function logs(first: number, count = RECORDS): string {
  const logRecords = Array.from({ length: count }, (_, i) => ({ body: { stringValue: `line ${first + i}` } }));
  return JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords }] }] });
}

const post = (port: number, body: string): Promise<Answer> =>
  http(`http://127.0.0.1:${port}/v1/logs`, { headers: { 'Content-Type': 'application/json' }, body });

async function counter(port: number, name: string): Promise<number> {
  const text = (await http(`http://127.0.0.1:${port}/metrics`)).body.toString();
  let sum = 0;
  for (const line of text.split('\n')) if (new RegExp(`^${name}(_total)?\\{`).test(line)) sum += Number(line.slice(line.lastIndexOf(' ') + 1));
  return sum;
}

test('with its backend away an exporter retries, the full queue is heard by senders, and what is given up is counted and logged', async (t) => {
  const stage = new Stage(t);
  const [httpPort, grpcPort, metricsPort, nowhere] = [await stage.port(), await stage.port(), await stage.port(), await stage.port()];
  const program = await stage.penstock(`
receivers: {otlp: {protocols: {grpc: {endpoint: "127.0.0.1:${grpcPort}"}, http: {endpoint: "127.0.0.1:${httpPort}"}}}}
exporters:
  otlp_grpc:
    endpoint: 127.0.0.1:${nowhere}
    tls: {insecure: true}
    timeout: 200ms
    retry_on_failure: {initial_interval: 100ms, max_interval: 300ms, max_elapsed_time: 1500ms}
    sending_queue: {queue_size: 3, num_consumers: 1}
service:
  telemetry: {metrics: {readers: [{pull: {exporter: {prometheus: {host: 127.0.0.1, port: ${metricsPort}}}}}]}}
  pipelines: {logs: {receivers: [otlp], exporters: [otlp_grpc]}}`);
  let accepted = 0;
  const refused: Answer[] = [];
  for (let i = 0; i < 12; i++) {
    const answer = await post(httpPort, logs(i * RECORDS));
    if (answer.status === 200) accepted++;
    else refused.push(answer);
  }
  assert.ok(accepted >= 3 && accepted <= 5, `${accepted} requests found room in a queue of three with one under way`);
  for (const answer of refused) assert.ok([429, 503].includes(answer.status), `${answer.status} ${answer.body.toString()}`);
  const session = await openSession(grpcPort);
  const { code, message } = await call(session, SERVICES.logs, frame(Buffer.from([0x0a, 0x06, 0x12, 0x04, 0x12, 0x02, 0x10, 0x09])));
  session.destroy();
  assert.ok([RESOURCE_EXHAUSTED, UNAVAILABLE].includes(code), `${code} ${message}`);
  assert.ok((await counter(metricsPort, 'otelcol_receiver_refused_log_records')) >= refused.length * RECORDS);

  await until('everything to be given up', async () => (await counter(metricsPort, 'otelcol_exporter_send_failed_log_records')) === accepted * RECORDS, {
    program,
  });
  const dropped = [...program.text().matchAll(/Dropping data.*"dropped_items":(\d+)/g)].map(([, count]) => Number(count));
  assert.equal(
    dropped.reduce((sum, count) => sum + count, 0),
    accepted * RECORDS,
    program.text(),
  );
  assert.equal((await post(httpPort, logs(0))).status, 200, 'there is room again');
  await program.stop();
  assert.doesNotMatch(program.text(), /A defect/);
});

test('SIGTERM under load loses nothing: every record that was answered with success reaches the backend', async (t) => {
  const stage = new Stage(t);
  const [inPort, outPort] = [await stage.port(), await stage.port()];
  const file = join(stage.folder, 'out.json');
  const backend = await stage.penstock(
    `
receivers: {otlp: {protocols: {grpc: {endpoint: "127.0.0.1:${outPort}"}}}}
exporters: {file: {path: "${file}"}}
service: {telemetry: {metrics: {level: none}}, pipelines: {logs: {receivers: [otlp], exporters: [file]}}}`,
    { name: 'backend.yaml' },
  );
  const program = await stage.penstock(`
receivers: {otlp: {protocols: {http: {endpoint: "127.0.0.1:${inPort}"}}}}
processors: {batch: {timeout: 60s, send_batch_size: 1000000}}
exporters: {otlp_grpc: {endpoint: "127.0.0.1:${outPort}", tls: {insecure: true}}}
service: {telemetry: {metrics: {level: none}}, pipelines: {logs: {receivers: [otlp], processors: [batch], exporters: [otlp_grpc]}}}`);
  const answered: number[] = [];
  let next = 0,
    running = true;
  const senders = Array.from({ length: 4 }, async () => {
    while (running) {
      const first = next;
      next += RECORDS;
      try {
        if ((await post(inPort, logs(first))).status === 200) answered.push(first);
      } catch {
        return; // The listener is closed.
      }
    }
  });
  await until('some load', () => answered.length > 100);
  assert.equal(await program.stop(), 0, program.text());
  running = false;
  await Promise.all(senders);
  assert.match(program.text(), /"drained":true/);
  assert.equal(await backend.stop(), 0);
  const arrived = new Set([...readFileSync(file, 'utf8').matchAll(/"line (\d+)"/g)].map(([, line]) => Number(line)));
  for (const first of answered)
    for (let i = 0; i < RECORDS; i++) assert.ok(arrived.has(first + i), `line ${first + i} of ${answered.length} requests is missing`);
});
