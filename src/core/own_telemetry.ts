/** The program's telemetry put together: registry, log, process metrics; a Telemetry for each component. */
import { randomUUID } from 'node:crypto';
import type { LogSink } from './log.ts';
import { MetricRegistry } from './metrics.ts';
import type { Telemetry, TelemetryAttributes } from './telemetry.ts';

export class OwnTelemetry {
  readonly registry = new MetricRegistry();
  readonly sink: LogSink;
  readonly resource: TelemetryAttributes;

  constructor(sink: LogSink, resource: TelemetryAttributes) {
    this.sink = sink;
    this.resource = resource;
  }

  /** `fields` go with every log line: the id and kind of the component. */
  component(fields: Readonly<Record<string, string>>): Telemetry {
    const { registry } = this;
    return {
      log: this.sink.child(fields),
      counter: (name, unit, description) => registry.counter(name, unit, description),
      histogram: (name, unit, bounds, description) => registry.histogram(name, unit, bounds, description),
      gauge: (name, unit, read, attributes, description) => registry.observe('gauge', name, unit, read, attributes, description),
    };
  }

  observeProcess(): void {
    const { registry } = this;
    const counter = (name: string, unit: string, description: string, read: () => number) =>
      void registry.observe('observed_counter', name, unit, read, undefined, description);
    const gauge = (name: string, unit: string, description: string, read: () => number) =>
      void registry.observe('gauge', name, unit, read, undefined, description);
    counter('process_uptime', 's', 'Uptime of the process', () => process.uptime());
    counter('process_cpu_seconds', 's', 'Total CPU user and system time in seconds', () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1e6;
    });
    gauge('process_memory_rss', 'By', 'Total physical memory (resident set size)', () => process.memoryUsage.rss());
    gauge('process_runtime_heap_alloc_bytes', 'By', 'Bytes of the JavaScript heap in use', () => process.memoryUsage().heapUsed);
    gauge('process_runtime_total_sys_memory_bytes', 'By', 'Bytes of the JavaScript heap and of the buffers outside it', () => {
      const { heapTotal, external } = process.memoryUsage();
      return heapTotal + external;
    });
  }
}

/** What identifies this process: the defaults, with what the configuration adds, changes or (null) takes away. */
export function ownResource(configured: Readonly<Record<string, unknown>>, version: string): TelemetryAttributes {
  const resource: Record<string, string> = { 'service.instance.id': randomUUID(), 'service.name': 'penstock', 'service.version': version };
  const set = (name: string, value: unknown): void => {
    if (value === null) delete resource[name];
    else resource[name] = String(value);
  };
  for (const [name, value] of Object.entries(configured)) {
    if (name === 'schema_url') continue;
    if (name === 'attributes' && Array.isArray(value)) for (const pair of value as { name?: unknown; value?: unknown }[]) set(String(pair.name), pair.value);
    else set(name, value);
  }
  return resource;
}
