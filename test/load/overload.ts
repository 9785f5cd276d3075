/**
 * Rows of the bench that are about the limits of the OTLP receiver: twice the load that it can take, and a thousand connections. What is measured is not the
 * cost but what still gets through, and the memory meanwhile.
 */
import { once } from 'node:events';
import type { Running, Stage } from '#test/stage.ts';
import type { OpenLoopOptions, OpenLoopSent } from './send_open_loop.ts';

export interface Helpers {
  load(stage: Stage, script: string, ...args: readonly (string | number)[]): Running;
  cpuMs(running: Running): number;
  memoryMb(running: Running, field: 'VmRSS' | 'VmHWM'): number;
  readonly seconds: number;
}

const RECORDS = 200;

async function start(stage: Stage): Promise<{ program: Running; port: number }> {
  const port = await stage.port();
  // Enough work for each span that the sender is the faster one.
  const program = await stage.penstock(`
receivers: {otlp: {protocols: {grpc: {endpoint: "127.0.0.1:${port}"}}}}
processors:
  memory_limiter: {check_interval: 1s, limit_mib: 400}
  transform: {trace_statements: [{context: span, statements: ['set(attributes["a"], Concat([name, "x"], "-"))', 'set(attributes["b"], SHA256(name))', 'replace_pattern(name, "[aeiou]+", "_")']}]}
exporters: {nop: {}}
service: {telemetry: {metrics: {level: none}}, pipelines: {traces: {receivers: [otlp], processors: [memory_limiter, transform], exporters: [nop]}}}`);
  return { program, port };
}
async function run(stage: Stage, helpers: Helpers, options: OpenLoopOptions): Promise<OpenLoopSent> {
  const running = helpers.load(stage, 'send_open_loop.ts', JSON.stringify(options));
  if (running.child.exitCode === null) await once(running.child, 'close');
  const line = running.text().trim().split('\n').at(-1)!;
  if (!line.startsWith('{')) throw new Error(`the load failed: ${running.text().slice(-1000)}`);
  return JSON.parse(line) as OpenLoopSent;
}

/** At twice the rate that saturates it, what is still answered in time. */
export async function overload(stage: Stage, helpers: Helpers) {
  const { program, port } = await start(stage);
  const common = { port, connections: 20, recordsEach: RECORDS };
  await run(stage, helpers, { ...common, rate: 0, seconds: 3 });
  const peak = await run(stage, helpers, { ...common, rate: 0, seconds: helpers.seconds });
  const peakMb = helpers.memoryMb(program, 'VmHWM');
  const before = helpers.cpuMs(program);
  const twice = await run(stage, helpers, { ...common, rate: peak.ok * 2, seconds: helpers.seconds });
  const note = `peak ${peak.ok} requests/s; offered ${twice.offered}: ${twice.ok} in time (${Math.round((twice.ok / peak.ok) * 100)} %), ${twice.refused} refused, ${twice.late} late; p99 ${twice.p99Ms} ms (${peak.p99Ms} at peak); ${peakMb.toFixed(0)} MB at peak`;
  const cost = ((helpers.cpuMs(program) - before) * 1000) / (twice.ok * helpers.seconds * RECORDS);
  return { itemsPerSecond: twice.ok * RECORDS, cost, unit: 'us an item', peakMb: helpers.memoryMb(program, 'VmHWM'), note };
}

/** A thousand connections that each send now and then. */
export async function thousandConnections(stage: Stage, helpers: Helpers) {
  const { program, port } = await start(stage);
  await run(stage, helpers, { port, connections: 20, recordsEach: 10, rate: 0, seconds: 3 });
  const before = helpers.cpuMs(program);
  const sent = await run(stage, helpers, { port, connections: 1000, recordsEach: 10, rate: 2000, seconds: helpers.seconds });
  const note = `1,000 connections, 2 requests a second on each: ${sent.ok} of ${sent.offered} answered a second, p99 ${sent.p99Ms} ms`;
  const cost = ((helpers.cpuMs(program) - before) * 1000) / (sent.ok * helpers.seconds);
  return { itemsPerSecond: sent.ok * 10, cost, unit: 'us a request', peakMb: helpers.memoryMb(program, 'VmHWM'), note };
}
