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

/** So often the three statements: enough work for each span that the sender, on the same two cores, takes little of them even at twice the rate. */
const HEAVY = 5;

async function start(stage: Stage, times: number): Promise<{ program: Running; port: number }> {
  const port = await stage.port();
  const statements = Array.from(
    { length: times },
    (_, i) => `'set(attributes["a${i}"], Concat([name, "x"], "-"))', 'set(attributes["b${i}"], SHA256(name))', 'replace_pattern(name, "[aeiou]+", "_")'`,
  );
  const program = await stage.penstock(`
receivers: {otlp: {protocols: {grpc: {endpoint: "127.0.0.1:${port}"}}}}
processors:
  memory_limiter: {check_interval: 1s, limit_mib: 400}
  transform: {trace_statements: [{context: span, statements: [${statements.join(', ')}]}]}
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

/** At twice the rate that saturates it, what is still answered in time. The peak is measured before and after, since on a busy machine it moves. */
export async function overload(stage: Stage, helpers: Helpers) {
  const { program, port } = await start(stage, HEAVY);
  const common = { port, connections: 20, recordsEach: RECORDS };
  await run(stage, helpers, { ...common, rate: 0, seconds: 3 });
  const costOf = (sinceMs: number, { ok }: OpenLoopSent): number => ((helpers.cpuMs(program) - sinceMs) * 1000) / (ok * helpers.seconds * RECORDS);
  const idle = helpers.cpuMs(program);
  const peak = await run(stage, helpers, { ...common, rate: 0, seconds: helpers.seconds });
  const costAtPeak = costOf(idle, peak);
  const peakMb = helpers.memoryMb(program, 'VmHWM');
  const before = helpers.cpuMs(program);
  const twice = await run(stage, helpers, { ...common, rate: peak.ok * 2, seconds: helpers.seconds });
  const cost = costOf(before, twice);
  const again = await run(stage, helpers, { ...common, rate: 0, seconds: helpers.seconds });
  const share = Math.round((twice.ok / ((peak.ok + again.ok) / 2)) * 100);
  const note = `peak ${peak.ok} requests/s before, ${again.ok} after; offered ${twice.offered}: ${twice.ok} in time (${share} %), ${twice.refused} refused, ${twice.late} late; p99 ${twice.p99Ms} ms (${peak.p99Ms} at peak); ${costAtPeak.toFixed(2)} us an item and ${peakMb.toFixed(0)} MB at peak`;
  return { itemsPerSecond: twice.ok * RECORDS, cost, unit: 'us an item', peakMb: helpers.memoryMb(program, 'VmHWM'), note };
}

/** A thousand connections that each send now and then. */
export async function thousandConnections(stage: Stage, helpers: Helpers) {
  const { program, port } = await start(stage, 1);
  await run(stage, helpers, { port, connections: 20, recordsEach: 10, rate: 0, seconds: 3 });
  const before = helpers.cpuMs(program);
  const sent = await run(stage, helpers, { port, connections: 1000, recordsEach: 10, rate: 2000, seconds: helpers.seconds });
  const note = `1,000 connections, 2 requests a second on each: ${sent.ok} of ${sent.offered} answered a second, p99 ${sent.p99Ms} ms`;
  const cost = ((helpers.cpuMs(program) - before) * 1000) / (sent.ok * helpers.seconds);
  return { itemsPerSecond: sent.ok * 10, cost, unit: 'us a request', peakMb: helpers.memoryMb(program, 'VmHWM'), note };
}
