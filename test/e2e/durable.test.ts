/** What the disk queue keeps through kill -9, what a dead backend costs in memory, and signals that must not end the program. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { http, type Running, Stage, until } from '#test/stage.ts';
import { grpcSink, type Mood, requestOf } from './intact_sink.ts';

const ROUNDS = 2;
const MOODS: readonly Mood[] = ['takes', 'refuses', 'stalls'];

const post = async (port: number, body: Uint8Array): Promise<number> =>
  (await http(`http://127.0.0.1:${port}/v1/logs`, { headers: { 'Content-Type': 'application/x-protobuf' }, body })).status;

const range = (first: number, count: number): number[] => Array.from({ length: count }, (_, i) => first + i);

for (const batch of ['', ', batch: {min_size: 300, max_size: 400, flush_timeout: 50ms}'])
  test(`every record that was answered with success survives kill -9 in the queue on disk${batch === '' ? '' : ', batched and cut'}`, async (t) => {
    const stage = new Stage(t);
    const sink = await grpcSink();
    t.after(() => sink.close());
    const port = await stage.port();
    const config = `
extensions: {file_storage: {directory: "${stage.folder}"}}
receivers: {otlp: {protocols: {http: {endpoint: "127.0.0.1:${port}"}}}}
processors: {transform: {log_statements: ['set(log.severity_text, "INFO") where log.attributes["group"] == 1']}}
exporters:
  otlp_grpc:
    endpoint: 127.0.0.1:${sink.port}
    tls: {insecure: true}
    retry_on_failure: {initial_interval: 20ms, max_interval: 100ms, max_elapsed_time: 0s}
    sending_queue: {storage: file_storage, queue_size: 100000${batch}}
service:
  telemetry: {metrics: {level: none}}
  extensions: [file_storage]
  pipelines: {logs: {receivers: [otlp], processors: [transform], exporters: [otlp_grpc]}}`;
    const answered = new Set<number>();
    let next = 1;
    const send = async (program: Running): Promise<void> => {
      while (program.child.exitCode === null && program.child.signalCode === null) {
        const numbers = range(next, 20);
        next += numbers.length;
        try {
          if ((await post(port, requestOf(numbers, next % 3 === 0 ? 2000 : 20))) !== 200) continue;
        } catch {
          return; // It was killed: not answered.
        }
        for (const number of numbers) answered.add(number);
      }
    };
    for (let round = 0; round < ROUNDS; round++) {
      sink.mood = MOODS[round % MOODS.length]!;
      const program = await stage.penstock(config);
      const senders = range(0, 4).map(() => send(program));
      const { size } = answered;
      await until('answers', () => answered.size > size + 100, { program });
      await sleep(Math.random() * 200);
      await program.stop('SIGKILL');
      await Promise.all(senders);
    }
    sink.mood = 'takes';
    const program = await stage.penstock(config);
    await until('all that was answered', () => sink.took.missing(answered).length === 0, { program });
    assert.deepEqual(sink.took.damaged, []);
    assert.ok(answered.size > 200, `${answered.size} were answered`);
    t.diagnostic(`${answered.size} records answered, ${sink.took.repeated().length} came twice`);
    assert.equal(await program.stop(), 0, program.text());
  });

test('with a dead backend memory is bound by the queue, behind a batch processor and with batching in the queue', async (t) => {
  const stage = new Stage(t);
  const [port, nowhere] = [await stage.port(), await stage.port()];
  const program = await stage.penstock(`
receivers: {otlp: {protocols: {http: {endpoint: "127.0.0.1:${port}"}}}}
processors: {batch: {timeout: 10ms, send_batch_size: 100}}
exporters:
  otlp_grpc:
    endpoint: 127.0.0.1:${nowhere}
    tls: {insecure: true}
    retry_on_failure: {initial_interval: 100ms, max_elapsed_time: 0s}
    sending_queue: {queue_size: 20, num_consumers: 2}
  otlp_grpc/batched:
    endpoint: 127.0.0.1:${nowhere}
    tls: {insecure: true}
    retry_on_failure: {initial_interval: 100ms, max_elapsed_time: 0s}
    sending_queue: {queue_size: 20, num_consumers: 2, batch: {min_size: 100000, flush_timeout: 10ms}}
service:
  telemetry: {metrics: {level: none}}
  pipelines:
    logs: {receivers: [otlp], processors: [batch], exporters: [otlp_grpc]}
    logs/batched: {receivers: [otlp], exporters: [otlp_grpc/batched]}`);
  const residentMb = (): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${program.child.pid}/status`, 'utf8'))![1]) / 1024;
  const body = requestOf(range(1, 100), 5000);
  const before = residentMb();
  let accepted = 0;
  for (let i = 0; i < 400; i++) if ((await post(port, body)) === 200) accepted++;
  const grown = residentMb() - before;
  t.diagnostic(`${accepted} of 400 requests of ${Math.round(body.length / 1024)} KB accepted, ${Math.round(grown)} MB more memory`);
  assert.ok(accepted >= 15 && accepted <= 40, `${accepted} were accepted`);
  assert.ok(grown < 120, `${grown} MB more for 400 requests of ${body.length} bytes`);
  assert.equal(await program.stop('SIGKILL'), 'SIGKILL');
});

test('SIGHUP does not end the program: it says that it cannot reload, and goes on', async (t) => {
  const stage = new Stage(t);
  const port = await stage.port();
  const program = await stage.penstock(`
receivers: {otlp: {protocols: {http: {endpoint: "127.0.0.1:${port}"}}}}
exporters: {nop: {}}
service: {telemetry: {metrics: {level: none}}, pipelines: {logs: {receivers: [otlp], exporters: [nop]}}}`);
  program.child.kill('SIGHUP');
  await until('the warning', () => program.text().includes('not supported yet'), { program });
  assert.equal(await post(port, requestOf([1], 10)), 200);
  assert.equal(await program.stop(), 0);
});
