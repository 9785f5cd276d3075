/** The program as one running thing: its telemetry and its graph, from a typed configuration. */
import type { LoadedConfig } from '#src/config/load.ts';
import type { TelemetryConfig } from '#src/config/service_schema.ts';
import { systemClock } from '#src/core/clock.ts';
import { DEFAULT_LOG_OPTIONS, LOG_LEVELS, type LogLevel, LogSink } from '#src/core/log.ts';
import { MetricsServer } from '#src/core/metrics_server.ts';
import { OwnTelemetry, ownResource } from '#src/core/own_telemetry.ts';
import type { Log } from '#src/core/telemetry.ts';
import { buildGraph, type Graph, type PipelineFlow } from './graph.ts';
import { GraphHost } from './host.ts';
import { startGraph, stopGraph } from './lifecycle.ts';

export class Service {
  readonly log: Log;
  readonly #graph: Graph;
  readonly #telemetry: OwnTelemetry;
  readonly #config: LoadedConfig;
  readonly #metricsServers: MetricsServer[] = [];

  /** Creates every component; throws ConfigError where one refuses. Nothing runs yet. */
  constructor(config: LoadedConfig, version: string, onFatal: (error: Error) => void) {
    const { telemetry } = config.service;
    this.#config = config;
    this.#telemetry = new OwnTelemetry(new LogSink(logOptions(telemetry.logs)), ownResource(telemetry.resource, version));
    this.log = this.#telemetry.component({}).log;
    const host = new GraphHost(onFatal);
    this.#graph = buildGraph(config, { telemetry: this.#telemetry, clock: systemClock, host });
    host.publish('pipelines', () => this.#graph.flow.map(flowSnapshot));
  }

  /** Rejects where something cannot start; nothing runs then. */
  async start(): Promise<void> {
    await this.#serveMetrics();
    try {
      await startGraph(this.#graph, this.log);
    } catch (error) {
      await this.#stopMetrics();
      throw error;
    }
  }

  /** True where everything was drained in time. */
  async stop(): Promise<boolean> {
    const clean = await stopGraph(this.#graph, this.log);
    await this.#stopMetrics();
    return clean;
  }

  async #serveMetrics(): Promise<void> {
    const { metrics } = this.#config.service.telemetry;
    if (metrics.level === 'none') return;
    this.#telemetry.observeProcess();
    for (const reader of metrics.readers) {
      if (reader.pull === undefined) continue;
      const { host, port, without_type_suffix, without_units } = reader.pull.exporter.prometheus;
      const server = new MetricsServer(this.#telemetry, { typeSuffix: !without_type_suffix, units: !without_units });
      try {
        await server.start(host, port);
      } catch (error) {
        await this.#stopMetrics();
        throw new Error(`cannot serve the own metrics at ${host}:${port} (service::telemetry::metrics)`, { cause: error });
      }
      this.#metricsServers.push(server);
    }
  }

  async #stopMetrics(): Promise<void> {
    for (const server of this.#metricsServers) await server.stop();
  }
}

function logOptions(logs: TelemetryConfig['logs']) {
  const level: LogLevel = LOG_LEVELS.find((name) => name === logs.level) ?? 'error'; // dpanic, panic and fatal: only errors are that important here.
  const { sampling } = logs;
  return {
    ...DEFAULT_LOG_OPTIONS,
    level,
    encoding: logs.encoding,
    outputPaths: logs.output_paths,
    fields: logs.initial_fields,
    sampling: sampling?.enabled ? { tickMs: sampling.tick, initial: sampling.initial, thereafter: sampling.thereafter } : null,
  };
}

function flowSnapshot(flow: PipelineFlow) {
  const counts = (parts: PipelineFlow['receivers']) => parts.map(({ id, edge }) => ({ id, items: edge.items, batches: edge.batches }));
  return {
    id: flow.id,
    signal: flow.signal,
    items: flow.entry.items,
    batches: flow.entry.batches,
    receivers: counts(flow.receivers),
    processors: counts(flow.processors),
    exporters: counts(flow.exporters),
  };
}
