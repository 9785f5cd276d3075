/**
 * `npm run bench [ROW...]`: what one item costs, row by row, with the load from processes of its own. CPU is user and system time of the program alone, over a
 * window after a warm-up; memory is the highest resident size. Figures of two machines, or of a busy one, do not compare: RESULTS.md has ratios to the real
 * programs, measured side by side. Linux only (/proc). SECONDS sets the window.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Signal } from '#src/core/batch.ts';
import { NODE } from '#test/run_collector.ts';
import { api, http, type Running, Stage, until } from '#test/stage.ts';
import { overload, thousandConnections } from './overload.ts';
import type { SendOptions, Sent } from './send_otlp.ts';
import { writeContainerLog } from './telemetry.ts';

const SECONDS = Number(process.env['SECONDS'] ?? 6);
const WARM_UP_SECONDS = 3;
const CONCURRENCY = 8;
const LOG_LINES = 300_000;
const HERE = fileURLToPath(new URL('.', import.meta.url));

interface Measured {
  readonly itemsPerSecond: number;
  /** CPU microseconds, or for a query milliseconds of the clock. */
  readonly cost: number;
  readonly unit: string;
  readonly peakMb: number;
  readonly note?: string;
}

/** /proc counts in ticks of 10 ms. */
function cpuMs({ child }: Running): number {
  const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
function memoryMb({ child }: Running, field: 'VmRSS' | 'VmHWM'): number {
  return Number(new RegExp(`${field}:\\s+(\\d+)`).exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))![1]) / 1024;
}
const load = (stage: Stage, script: string, ...args: readonly (string | number)[]): Running =>
  stage.start(NODE, ['--no-maglev', join(HERE, script), ...args.map(String)]);

async function finished(running: Running): Promise<Sent> {
  await new Promise<void>((resolve) => (running.child.exitCode === null ? void running.child.once('close', () => resolve()) : resolve()));
  const line = running.text().trim().split('\n').at(-1)!;
  if (!line.startsWith('{')) throw new Error(`the load failed: ${running.text().slice(-1000)}`);
  const sent = JSON.parse(line) as Sent;
  if (sent.failed > 0 || sent.ok === 0) throw new Error(`of ${sent.ok + sent.failed} requests ${sent.failed} failed: ${sent.reason}`);
  return sent;
}

/** The backend that everything is sent to: another Penstock, which drops it and counts. */
async function sink(stage: Stage): Promise<{ readonly port: number; arrived(signal: Signal): Promise<number> }> {
  const [port, metricsPort] = [await stage.port(), await stage.port()];
  const pipeline = '{receivers: [otlp], exporters: [nop]}';
  await stage.penstock(
    `
receivers: {otlp: {protocols: {grpc: {endpoint: "127.0.0.1:${port}", max_recv_msg_size_mib: 64}}}}
exporters: {nop: {}}
service:
  telemetry: {metrics: {readers: [{pull: {exporter: {prometheus: {host: 127.0.0.1, port: ${metricsPort}}}}}]}}
  pipelines: {traces: ${pipeline}, metrics: ${pipeline}, logs: ${pipeline}}`,
    { name: 'sink.yaml' },
  );
  const name = { traces: 'spans', metrics: 'metric_points', logs: 'log_records' };
  return {
    port,
    async arrived(signal) {
      const text = (await http(`http://127.0.0.1:${metricsPort}/metrics`)).body.toString();
      return Number(new RegExp(`^otelcol_receiver_accepted_${name[signal]}(?:_total)?\\{[^}]*\\} (\\S+)`, 'm').exec(text)?.[1] ?? 0);
    },
  };
}

const ENRICH = `
  memory_limiter: {check_interval: 1s, limit_mib: 2000}
  resource: {attributes: [{key: k8s.pod.name, value: p-1, action: upsert}, {key: k8s.node.name, value: n-1, action: upsert}, {key: k8s.deployment.name, value: d, action: insert}]}
  transform:
    error_mode: ignore
    trace_statements: [{context: span, statements: ['set(attributes["http.route"], "item") where IsMatch(attributes["url.path"], "^/api/v1/items/")', 'delete_key(attributes, "client.address")', 'set(status.code, 2) where attributes["http.response.status_code"] >= 500']}]
    log_statements: [{context: log, statements: ['set(attributes["http.route"], "item") where IsMatch(attributes["url.path"], "^/api/v1/items/")', 'delete_key(attributes, "client.address")', 'merge_maps(attributes, ExtractPatterns(body, "method=(?P<method>[A-Z]+) path=(?P<path>[^ ]+)"), "upsert") where body != nil']}]
  filter: {error_mode: ignore, traces: {span: ['attributes["thread.name"] == "worker-3"']}, logs: {log_record: ['attributes["thread.name"] == "worker-3"']}}`;

interface OtlpRow {
  readonly protocol?: 'grpc' | 'http';
  readonly small?: boolean;
  readonly gzip?: boolean;
  readonly enrich?: boolean;
}
const otlp =
  (signal: Signal, { protocol = 'grpc', small = false, gzip = false, enrich = false }: OtlpRow = {}) =>
  async (stage: Stage): Promise<Measured> => {
    const backend = await sink(stage);
    const [grpcPort, httpPort] = [await stage.port(), await stage.port()];
    const program = await stage.penstock(`
receivers: {otlp: {protocols: {grpc: {endpoint: "127.0.0.1:${grpcPort}", max_recv_msg_size_mib: 64}, http: {endpoint: "127.0.0.1:${httpPort}"}}}}
processors:
  batch: {}${enrich ? ENRICH : ''}
exporters: {otlp_grpc: {endpoint: "127.0.0.1:${backend.port}", compression: ${gzip ? 'gzip' : 'none'}, tls: {insecure: true}}}
service:
  telemetry: {metrics: {level: none}}
  pipelines: {${signal}: {receivers: [otlp], processors: [${enrich ? 'memory_limiter, resource, transform, filter, ' : ''}batch], exporters: [otlp_grpc]}}`);
    await sleep(1000);
    const idleMb = memoryMb(program, 'VmRSS');
    const [resources, recordsEach] = small ? [1, 10] : [10, 100];
    const send = (seconds: number): Promise<Sent> => {
      const options: SendOptions = {
        protocol,
        port: protocol === 'grpc' ? grpcPort : httpPort,
        signal,
        resources,
        recordsEach,
        seconds,
        concurrency: CONCURRENCY,
        gzip,
      };
      return finished(load(stage, 'send_otlp.ts', JSON.stringify(options)));
    };
    const warm = await send(WARM_UP_SECONDS);
    const before = cpuMs(program),
      sent = await send(SECONDS);
    await sleep(1000);
    const items = sent.ok * resources * recordsEach,
      arrived = await backend.arrived(signal),
      wanted = (sent.ok + warm.ok) * resources * recordsEach;
    if (arrived < wanted * (enrich ? 0.9 : 1)) throw new Error(`of ${wanted} items ${arrived} arrived`);
    return {
      itemsPerSecond: items / SECONDS,
      cost: ((cpuMs(program) - before) * 1000) / (small ? sent.ok : items),
      unit: small ? 'us a request' : 'us an item',
      peakMb: memoryMb(program, 'VmHWM'),
      note: `idle ${idleMb.toFixed(0)} MB`,
    };
  };

const SERIES = 10_000,
  TARGETS = 5;
const scrape =
  (toStore: boolean) =>
  async (stage: Stage): Promise<Measured> => {
    const ports = await Promise.all(Array.from({ length: TARGETS }, () => stage.port()));
    const targets = ports.map((port) => load(stage, 'scrape_target.ts', port, SERIES));
    const served = (): number => targets.reduce((sum, target) => sum + Number(target.text().trim().split('\n').at(-1) || 0), 0);
    const program = await stage.penstock(`
extensions: {store: {directory: "${stage.folder}/data"}}
receivers: {prometheus: {config: {scrape_configs: [{job_name: bench, scrape_interval: 1s, static_configs: [{targets: [${ports.map((port) => `"127.0.0.1:${port}"`)}]}]}]}}}
exporters: {store: {}, nop: {}}
service: {telemetry: {metrics: {level: none}}, extensions: [store], pipelines: {metrics: {receivers: [prometheus], exporters: [${toStore ? 'store' : 'nop'}]}}}`);
    await until('the first scrapes', () => served() >= TARGETS);
    await sleep(5000);
    const before = cpuMs(program),
      from = served();
    await sleep(SECONDS * 1000);
    const samples = (served() - from) * SERIES;
    return { itemsPerSecond: samples / SECONDS, cost: ((cpuMs(program) - before) * 1000) / samples, unit: 'us a sample', peakMb: memoryMb(program, 'VmHWM') };
  };

const WRITES = 100,
  WRITE_SERIES = 5000;
const store =
  (what: 'write' | 'query') =>
  async (stage: Stage): Promise<Measured> => {
    const endpoint = `127.0.0.1:${await stage.port()}`,
      base = `http://${endpoint}`;
    const program = await stage.penstock(`
extensions: {store: {directory: "${stage.folder}/data"}, store_api: {endpoint: "${endpoint}"}}
receivers: {nop: {}}
exporters: {store: {}}
service: {telemetry: {metrics: {level: none}}, extensions: [store, store_api], pipelines: {metrics: {receivers: [nop], exporters: [store]}}}`);
    const before = cpuMs(program),
      began = performance.now();
    await finished(load(stage, 'remote_write.ts', `${base}/api/v1/write`, WRITES, WRITE_SERIES));
    const samples = WRITES * WRITE_SERIES;
    if (what === 'write') {
      const seconds = (performance.now() - began) / 1000;
      return {
        itemsPerSecond: samples / seconds,
        cost: ((cpuMs(program) - before) * 1000) / samples,
        unit: 'us a sample',
        peakMb: memoryMb(program, 'VmHWM'),
        note: 'one sender; its start-up is in the rate, not in the CPU',
      };
    }
    const end = Math.floor(Date.now() / 1000) - 30,
      times: number[] = [];
    for (let i = 0; i < 15; i++) {
      const at = performance.now(),
        shift = i * 1.37; // Another start each time: a result cache would not help.
      await api(base, 'query_range', { query: 'sum by (pod) (rate({job="node"}[1m]))', start: end - 1485 - shift, end: end - shift, step: 15 });
      if (i >= 3) times.push(performance.now() - at);
    }
    const median = times.sort((a, b) => a - b)[times.length >> 1]!;
    return {
      itemsPerSecond: (samples / median) * 1000,
      cost: median,
      unit: 'ms a query',
      peakMb: memoryMb(program, 'VmHWM'),
      note: '5,000 series x 100 points, 100 steps',
    };
  };

async function containerLog(stage: Stage): Promise<Measured> {
  const file = join(stage.folder, 'container.log');
  await writeContainerLog(file, LOG_LINES);
  const backend = await sink(stage),
    began = performance.now();
  const program = await stage.penstock(`
receivers:
  file_log:
    include: ["${file}"]
    start_at: beginning
    operators:
      - {type: container, add_metadata_from_filepath: false}
      - {type: json_parser, parse_from: body, timestamp: {parse_from: attributes.ts, layout_type: gotime, layout: "2006-01-02T15:04:05.999999999Z07:00"}, severity: {parse_from: attributes.level}}
processors: {batch: {}}
exporters: {otlp_grpc: {endpoint: "127.0.0.1:${backend.port}", compression: none, tls: {insecure: true}}}
service: {telemetry: {metrics: {level: none}}, pipelines: {logs: {receivers: [file_log], processors: [batch], exporters: [otlp_grpc]}}}`);
  await until('all lines', async () => (await backend.arrived('logs')) >= LOG_LINES, { ms: 120_000, program });
  const seconds = (performance.now() - began) / 1000;
  return {
    itemsPerSecond: LOG_LINES / seconds,
    cost: (cpuMs(program) * 1000) / LOG_LINES,
    unit: 'us a line',
    peakMb: memoryMb(program, 'VmHWM'),
    note: 'start-up included',
  };
}

const HELPERS = { load, cpuMs, memoryMb, seconds: SECONDS };
const ROWS: Readonly<Record<string, (stage: Stage) => Promise<Measured>>> = {
  'otlp-traces': otlp('traces'),
  'otlp-logs': otlp('logs'),
  'otlp-metrics': otlp('metrics'),
  'otlp-small': otlp('traces', { small: true }),
  'otlp-http-small': otlp('traces', { protocol: 'http', small: true }),
  'otlp-gzip': otlp('traces', { protocol: 'http', gzip: true }),
  'transform-traces': otlp('traces', { enrich: true }),
  'transform-logs': otlp('logs', { enrich: true }),
  'scrape-nop': scrape(false),
  'scrape-store': scrape(true),
  'remote-write': store('write'),
  'range-query': store('query'),
  'file-log': containerLog,
  overload: (stage) => overload(stage, HELPERS),
  'connections-1000': (stage) => thousandConnections(stage, HELPERS),
};

const wanted = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(ROWS);
const unknown = wanted.filter((row) => ROWS[row] === undefined);
if (unknown.length > 0) {
  console.error(`no such row: ${unknown.join(', ')}; rows are ${Object.keys(ROWS).join(', ')}`);
  process.exit(2);
}
console.log(`${'row'.padEnd(18)}${'items/s'.padStart(12)}${'CPU'.padStart(10)}  ${'unit'.padEnd(14)}${'peak MB'.padStart(8)}  notes`);
for (const row of wanted) {
  const cleanup: (() => Promise<void>)[] = [];
  try {
    const measured = await ROWS[row]!(new Stage({ after: (work) => void cleanup.push(work) }));
    const { itemsPerSecond, cost, unit, peakMb, note = '' } = measured;
    console.log(
      `${row.padEnd(18)}${Math.round(itemsPerSecond).toString().padStart(12)}${cost.toFixed(2).padStart(10)}  ${unit.padEnd(14)}${peakMb.toFixed(0).padStart(8)}  ${note}`,
    );
  } catch (error) {
    process.exitCode = 1;
    console.log(`${row.padEnd(18)} failed: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    for (const work of cleanup) await work();
  }
}
