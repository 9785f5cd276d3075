/** `verbosity: normal`: about one line a record. */
import type { Signal } from '#src/core/batch.ts';
import { formatFloat } from '#src/data/value_text.ts';
import { type DataPoint, type KeyValue, kindOf, type ResourceGroup, type ScopeGroup, scopesOf } from './model.ts';
import { anyText, fixed } from './text.ts';

const NAMES: Readonly<Record<Signal, readonly [resource: string, scope: string]>> = {
  traces: ['ResourceTraces', 'ScopeTraces'],
  logs: ['ResourceLog', 'ScopeLog'],
  metrics: ['ResourceMetrics', 'ScopeMetrics'],
};

export function normalText(signal: Signal, groups: readonly ResourceGroup[]): string {
  const lines: string[] = [],
    [resourceName, scopeName] = NAMES[signal];
  groups.forEach((group, i) => {
    lines.push(`${resourceName} #${i}${group.schemaUrl ? ` [${group.schemaUrl}]` : ''}${suffix(group.resource?.attributes)}`);
    for (const scope of scopesOf(group)) lines.push(`${scopeName} #${i}${scopeDetails(scope)}${suffix(scope.scope?.attributes)}`, ...records(scope)); // The resource's number, as the Collector has it.
  });
  return lines.join('\n');
}

const pairs = (attributes: readonly KeyValue[] = []): string[] => attributes.map(({ key, value }) => `${key}=${anyText(value)}`);
const suffix = (attributes: readonly KeyValue[] | undefined): string => (attributes?.length ? ` ${pairs(attributes).join(' ')}` : '');

function scopeDetails({ scope, schemaUrl }: ScopeGroup): string {
  const text = [`${scope?.name ?? ''}${scope?.version ? `@${scope.version}` : ''}`, schemaUrl ? `[${schemaUrl}]` : ''].filter(Boolean).join(' ');
  return text && ` ${text}`;
}

function records(scope: ScopeGroup): string[] {
  return [
    ...(scope.spans ?? []).map((span) => `${span.name ?? ''} ${span.traceId ?? ''} ${span.spanId ?? ''}${suffix(span.attributes)}`),
    ...(scope.logRecords ?? []).map((log) => `${anyText(log.body)} ${pairs(log.attributes).join(' ')}`),
    ...(scope.metrics ?? []).flatMap((metric) => {
      const kind = kindOf(metric);
      return kind
        ? (metric[kind]!.dataPoints ?? []).map((point) => `${metric.name ?? ''}{${pairs(point.attributes).join(',')}} ${pointText(kind, point)}`)
        : [];
    }),
  ];
}

const plain = (value: number | string | undefined): string => formatFloat(Number(value ?? 0));

function pointText(kind: string, point: DataPoint): string {
  if (kind === 'gauge' || kind === 'sum') return point.asInt ?? (point.asDouble === undefined ? '' : plain(point.asDouble));
  const parts = [`count=${point.count ?? 0}`];
  if (kind === 'summary')
    return [...parts, `sum=${fixed(point.sum)}`, ...(point.quantileValues ?? []).map((q) => `q${plain(q.quantile)}=${plain(q.value)}`)].join(' ');
  for (const key of ['sum', 'min', 'max'] as const) if (point[key] !== undefined) parts.push(`${key}=${plain(point[key])}`);
  if (kind === 'histogram')
    return [
      ...parts,
      ...(point.bucketCounts ?? []).map((count, i) => (point.explicitBounds?.[i] === undefined ? count : `le${plain(point.explicitBounds[i])}=${count}`)),
    ].join(' ');
  const factor = Math.LN2 * 2 ** -(point.scale ?? 0),
    negative = point.negative?.bucketCounts ?? [];
  for (let i = negative.length - 1; i >= 0; i--) parts.push(`le${plain(-Math.exp(((point.negative?.offset ?? 0) + i) * factor))}=${negative[i]}`);
  if ((point.zeroCount ?? '0') !== '0') parts.push(`zero=${point.zeroCount}`);
  (point.positive?.bucketCounts ?? []).forEach(
    (count, i) => void parts.push(`le${plain(Math.exp(((point.positive?.offset ?? 0) + i + 1) * factor))}=${count}`),
  );
  return parts.join(' ');
}
