/**
 * Random pipelines under load against backends that are slow, refuse and stop reading: what was answered with success arrives, as it was sent, and once
 * wherever no answer was lost. Each round says its seed; STRESS_ROUNDS=50 STRESS_SEED=7 runs more of them.
 */
import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { call, frame, openSession, SERVICES } from '#test/grpc_client.ts';
import { http, Stage, until } from '#test/stage.ts';
import { grpcSink, httpSink, type Mood, requestOf, type Sink } from './intact_sink.ts';

const ROUNDS = Number(process.env['STRESS_ROUNDS'] ?? 4);
const SEED = Number(process.env['STRESS_SEED'] ?? 23);
const LOAD_MS = 1500;
const SENDERS = 6;
const PADDINGS = [10, 10, 200, 3000];
const MOODS: readonly Mood[] = ['takes', 'takes', 'refuses', 'slow', 'stalls'];

/** mulberry32 */
function randomOf(seed: number): () => number {
  let state = seed * 0x9e3779b9;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

interface Plan {
  readonly yaml: string;
  /** Whether somebody between the senders and a fan-out takes the data over, so that a refusal of one branch is not the senders' business. */
  readonly isExact: boolean;
  /** The share of requests that are sent as gzip. */
  readonly packedShare: number;
}

function planOf(random: () => number, ports: { grpc: number; http: number }, sinks: readonly [Sink, Sink], folder: string): Plan {
  const pick = <Value>(values: readonly Value[]): Value => values[Math.floor(random() * values.length)]!;
  const usesDisk = random() < 0.2;
  const queue = (): string => {
    const batch = pick(['', '', ', batch: {min_size: 500, flush_timeout: 20ms}', ', batch: {min_size: 300, max_size: 400, flush_timeout: 20ms}']);
    if (usesDisk) return `{queue_size: 50, storage: file_storage, num_consumers: 3${batch}}`;
    return pick([
      '{enabled: false}',
      `{queue_size: 3, num_consumers: 2${batch}}`,
      `{queue_size: 500, num_consumers: 4${batch}}`,
      `{queue_size: 4, block_on_overflow: true${batch}}`,
      `{wait_for_result: true${batch}}`,
    ]);
  };
  let losesAnswers = false;
  const common = (): string => {
    const chosen = queue();
    // Where the outcome is told, whoever is in front may do the repeating; a batch that was cut is repeated whole.
    const retries = !/enabled: false|wait_for_result/.test(chosen) || random() < 0.5;
    const timeout = pick(['30s', '30s', '150ms']);
    losesAnswers ||= timeout !== '30s' || (!retries && chosen.includes('max_size'));
    return `compression: ${pick(['none', 'gzip'])}, timeout: ${timeout}, retry_on_failure: {enabled: ${retries}, initial_interval: 20ms, max_interval: 100ms, max_elapsed_time: 0s}, sending_queue: ${chosen}`;
  };
  const steps = (): string => {
    const chosen = ['transform', 'filter', 'resource', 'transform/some'].filter(() => random() < 0.4);
    if (random() < 0.4) chosen.splice(Math.floor(random() * (chosen.length + 1)), 0, 'batch/second');
    return chosen.join(', ');
  };
  const branches = pick([['otlp_grpc'], ['otlp_http'], ['otlp_grpc', 'otlp_http'], ['otlp_grpc', 'otlp_http']]);
  const batchesFirst = random() < 0.6;
  const first = batchesFirst ? `batch, ${steps()}` : steps();
  const isChained = random() < 0.4;
  const list = (names: string): string => `[${names.replace(/, $/, '')}]`;
  const pipelines = isChained
    ? `    logs/in: {receivers: [otlp], processors: ${list(first)}, exporters: [forward, count]}
${branches.map((exporter) => `    logs/${exporter}: {receivers: [forward], processors: ${list(steps())}, exporters: [${exporter}]}`).join('\n')}
    metrics: {receivers: [count], exporters: [nop]}`
    : `    logs: {receivers: [otlp], processors: ${list(first)}, exporters: [${branches.join(', ')}, nop]}`;
  const yaml = `
receivers: {otlp: {protocols: {grpc: {endpoint: "127.0.0.1:${ports.grpc}", max_recv_msg_size_mib: 32}, http: {endpoint: "127.0.0.1:${ports.http}"}}}}
extensions: {file_storage: {directory: "${folder}"}}
processors:
  batch: {timeout: ${pick([10, 50, 200])}ms, send_batch_size: ${pick([50, 500, 2000])}${pick(['', ', send_batch_max_size: 2000'])}}
  batch/second: {timeout: 20ms, send_batch_size: 700}
  transform: {log_statements: ['set(log.attributes["changed"], log.attributes["group"]) where log.attributes["group"] == 1']}
  transform/some: {log_statements: ['set(log.severity_text, "INFO") where resource.attributes["service.name"] == "service 3"']}
  filter: {logs: {log_record: ['body == "nothing is so"']}}
  resource: {attributes: [{key: added, value: here, action: upsert}]}
connectors: {forward: {}, count: {}}
exporters:
  nop: {}
  otlp_grpc: {endpoint: "127.0.0.1:${sinks[0].port}", tls: {insecure: true}, ${common()}}
  otlp_http: {endpoint: "http://127.0.0.1:${sinks[1].port}", ${common()}}
service:
  telemetry: {metrics: {level: none}}
  extensions: [file_storage]
  pipelines:
${pipelines}`;
  return { yaml, isExact: !losesAnswers && (batchesFirst || branches.length === 1), packedShare: 0.4 };
}

/** Batches of gzip bodies and some plain ones, which nothing changes on their way. */
function joiningPlan(random: () => number, ports: { grpc: number; http: number }, sinks: readonly [Sink, Sink]): Plan {
  const common = `timeout: 30s, retry_on_failure: {initial_interval: 20ms, max_interval: 100ms, max_elapsed_time: 0s}, sending_queue: {queue_size: ${random() < 0.5 ? 5 : 500}}`;
  const yaml = `
receivers: {otlp: {protocols: {grpc: {endpoint: "127.0.0.1:${ports.grpc}", max_recv_msg_size_mib: 32}, http: {endpoint: "127.0.0.1:${ports.http}"}}}}
processors: {batch: {timeout: 200ms, send_batch_size: 300}}
exporters:
  otlp_grpc: {endpoint: "127.0.0.1:${sinks[0].port}", tls: {insecure: true}, ${common}}
  otlp_http: {endpoint: "http://127.0.0.1:${sinks[1].port}", ${common}}
service:
  telemetry: {metrics: {level: none}}
  pipelines:
    logs: {receivers: [otlp], processors: [batch], exporters: [otlp_grpc]}
    logs/second: {receivers: [otlp], processors: [batch], exporters: [otlp_http]}`;
  return { yaml, isExact: false, packedShare: 0.8 };
}

for (let seed = SEED; seed < SEED + ROUNDS; seed++)
  test(`random pipelines lose, damage and repeat nothing (seed ${seed})`, async (t) => {
    await round(t, seed, planOf);
  });

test('what is put together of gzip bodies and others loses and damages nothing', async (t) => {
  const sinks = await round(t, SEED, joiningPlan);
  for (const { took } of sinks) assert.ok(took.joined > 0, 'none was joined');
});

async function round(t: TestContext, seed: number, plan: typeof planOf): Promise<readonly Sink[]> {
  const stage = new Stage(t);
  const random = randomOf(seed);
  const sinks = [await grpcSink(), await httpSink()] as const;
  t.after(async () => {
    for (const sink of sinks) await sink.close();
  });
  const ports = { grpc: await stage.port(), http: await stage.port() };
  const { yaml, isExact, packedShare } = plan(random, ports, sinks, stage.folder);
  const program = await stage.penstock(yaml);
  const answered = new Set<number>();
  let next = 1,
    running = true;
  const sender = async (i: number): Promise<void> => {
    const session = i % 2 === 0 ? await openSession(ports.grpc) : null;
    while (running) {
      const padding = PADDINGS[Math.floor(random() * PADDINGS.length)]!;
      const numbers = Array.from({ length: 1 + Math.floor(random() * (random() < 0.2 ? 200 : 8)) }, () => next++);
      const plain = requestOf(numbers, padding);
      const isPacked = random() < packedShare;
      const body = isPacked ? gzipSync(plain) : plain;
      // A refused request comes again, as senders do.
      for (let taken = false; !taken && running; ) {
        if (session) taken = (await call(session, SERVICES.logs, frame(body, isPacked ? 1 : 0), isPacked ? { 'grpc-encoding': 'gzip' } : {})).code === 0;
        else {
          const headers = { 'Content-Type': 'application/x-protobuf', ...(isPacked && { 'Content-Encoding': 'gzip' }) };
          const answer = await http(`http://127.0.0.1:${ports.http}/v1/logs`, { headers, body }).catch(() => null);
          taken = answer?.status === 200;
        }
        if (taken) for (const number of numbers) answered.add(number);
        else await sleep(10);
      }
    }
    session?.destroy();
  };
  const senders = Array.from({ length: SENDERS }, (_, i) => sender(i));
  for (const end = Date.now() + LOAD_MS; Date.now() < end; await sleep(150)) for (const sink of sinks) sink.mood = MOODS[Math.floor(random() * MOODS.length)]!;
  for (const sink of sinks) sink.mood = 'takes';
  await until('some answers', () => answered.size > 20, { program });
  running = false;
  // Half of the rounds stop in the middle of it, what waits is drained then.
  if (seed % 2 === 0) await Promise.all(senders);
  const usesDisk = yaml.includes('storage: file_storage');
  const used = sinks.filter(
    (_, i) => yaml.includes(i === 0 ? ', otlp_grpc]' : ', otlp_http]') || new RegExp(`exporters: \\[[^\\]]*${i === 0 ? 'otlp_grpc' : 'otlp_http'}`).test(yaml),
  );
  if (usesDisk) await until('the queue on disk to drain', () => used.every((sink) => sink.took.missing(answered).length === 0), { ms: 8000 }).catch(() => {});
  const code = await program.stop();
  await Promise.all(senders);
  const context = `${yaml}\n${program.text().slice(-3000)}`;
  assert.equal(code, 0, context);
  assert.doesNotMatch(program.text(), /A defect/, context);
  for (const { took, port } of used) {
    const which = port === sinks[0].port ? 'grpc' : 'http';
    assert.deepEqual(took.damaged, [], `${which}: damaged\n${context}`);
    const missing = took.missing(answered);
    assert.equal(missing.length, 0, `${which}: ${missing.length} of ${answered.size} are missing, the first ${missing[0]}\n${context}`);
    const repeated = took.repeated();
    if (isExact) assert.equal(repeated.length, 0, `${which}: ${repeated.length} of ${answered.size} came more than once, the first ${repeated[0]}\n${context}`);
  }
  t.diagnostic(`${answered.size} records, ${isExact ? 'each once' : 'each at least once'}`);
  return sinks;
}
