/** The own metrics as Prometheus text 0.0.4, named as the Collector names its own: prefix otelcol_, by default no suffix for type or unit. */
import type { Metric, MetricRegistry } from './metrics.ts';
import type { TelemetryAttributes } from './telemetry.ts';

export const TEXT_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

export interface TextOptions {
  /** Counters end in "_total". */
  readonly typeSuffix: boolean;
  /** Names end in their unit where it is one of these. */
  readonly units: boolean;
}

const UNIT_SUFFIX: Readonly<Record<string, string>> = {
  s: 'seconds',
  ms: 'milliseconds',
  By: 'bytes',
  KiBy: 'kibibytes',
  MiBy: 'mebibytes',
  '%': 'percent',
  '1': 'ratio',
};

/** Families sorted by name, series in the order in which they came up; `resource` becomes target_info. */
export function metricsText(registry: MetricRegistry, resource: TelemetryAttributes, options: TextOptions): string {
  const lines: string[] = [];
  const metrics = registry.metrics().toSorted((a, b) => (a.name < b.name ? -1 : 1));
  for (const metric of metrics) family(metric, options, lines);
  lines.push('# HELP target_info Target metadata', '# TYPE target_info gauge', `target_info${labels(resource)} 1`);
  return `${lines.join('\n')}\n`;
}

function family(metric: Metric, options: TextOptions, lines: string[]): void {
  const { instrument } = metric,
    isCounter = instrument.kind === 'counter' || instrument.kind === 'observed_counter';
  const unit = options.units ? UNIT_SUFFIX[metric.unit] : undefined;
  let name = `otelcol_${labelName(metric.name)}`;
  if (unit !== undefined && !name.endsWith(`_${unit}`)) name += `_${unit}`;
  if (options.typeSuffix && isCounter && !name.endsWith('_total')) name += '_total';
  const series: string[] = [];
  if (instrument.kind === 'counter') {
    for (const { attributes, cell } of instrument.cells.byKey.values()) series.push(`${name}${labels(attributes)} ${number(cell.value)}`);
  } else if (instrument.kind === 'histogram') {
    for (const { attributes, cell } of instrument.cells.byKey.values()) {
      let total = 0;
      instrument.bounds.forEach((bound, index) => {
        total += cell.buckets[index]!;
        series.push(`${name}_bucket${labels(attributes, number(bound))} ${number(total)}`);
      });
      series.push(
        `${name}_bucket${labels(attributes, '+Inf')} ${number(cell.count)}`,
        `${name}_sum${labels(attributes)} ${number(cell.sum)}`,
        `${name}_count${labels(attributes)} ${number(cell.count)}`,
      );
    }
  } else {
    for (const { attributes, read } of instrument.readers) series.push(`${name}${labels(attributes)} ${number(read())}`);
  }
  if (series.length === 0) return;
  const type = instrument.kind === 'observed_counter' ? 'counter' : instrument.kind;
  if (metric.description !== '') lines.push(`# HELP ${name} ${metric.description.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}`);
  lines.push(`# TYPE ${name} ${type}`, ...series);
}

function labels(attributes: TelemetryAttributes, upperBound?: string): string {
  const parts = Object.entries(attributes).map(([key, value]) => `${labelName(key)}="${escapeLabel(String(value))}"`);
  parts.sort();
  if (upperBound !== undefined) parts.push(`le="${upperBound}"`);
  return parts.length === 0 ? '' : `{${parts.join(',')}}`;
}
function labelName(name: string): string {
  return name.replaceAll(/[^a-zA-Z0-9_]/g, '_');
}
function escapeLabel(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
function number(value: number): string {
  return value === Infinity ? '+Inf' : value === -Infinity ? '-Inf' : String(value);
}
