/** The methods of the OTLP services: https://github.com/open-telemetry/opentelemetry-proto/tree/main/opentelemetry/proto/collector */
import { readFileSync } from 'node:fs';
import type { Signal } from '#src/core/batch.ts';

export const EXPORT_PATHS: Readonly<Record<Signal, string>> = {
  traces: '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
  metrics: '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export',
  logs: '/opentelemetry.proto.collector.logs.v1.LogsService/Export',
};

const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as { version: string };
/** Who we are to the servers we send to. */
export const USER_AGENT = `Penstock/${version} (${process.platform}/${process.arch === 'x64' ? 'amd64' : process.arch})`;
