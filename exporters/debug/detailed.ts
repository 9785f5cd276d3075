/** `verbosity: detailed`: everything of every record, in the lines that the Collector's users know. */
import type { Signal } from '#src/core/batch.ts';
import {
  type DataPoint,
  type Exemplar,
  type KeyValue,
  kindOf,
  type LogRecord,
  type Metric,
  type ResourceGroup,
  type ScopeGroup,
  type Span,
  scopesOf,
} from './model.ts';
import { fixed, time, typedText } from './text.ts';

const NAMES: Readonly<Record<Signal, readonly [resource: string, scope: string]>> = {
  traces: ['ResourceSpans', 'ScopeSpans'],
  logs: ['ResourceLog', 'ScopeLogs'],
  metrics: ['ResourceMetrics', 'ScopeMetrics'],
};
const SPAN_KINDS = ['Unspecified', 'Internal', 'Server', 'Client', 'Producer', 'Consumer'];
const STATUS_CODES = ['Unset', 'Ok', 'Error'];
const TEMPORALITIES = ['Unspecified', 'Delta', 'Cumulative'];
const SEVERITIES = ['Trace', 'Debug', 'Info', 'Warn', 'Error', 'Fatal'];

type Print = (line: string) => void;

export function detailedText(signal: Signal, groups: readonly ResourceGroup[]): string {
  const lines: string[] = [],
    print: Print = (line) => void lines.push(line),
    [resourceName, scopeName] = NAMES[signal];
  groups.forEach((group, i) => {
    print(`${resourceName} #${i}`);
    print(`Resource SchemaURL: ${group.schemaUrl ?? ''}`);
    printAttributes(print, 'Resource attributes', group.resource?.attributes);
    printEntityRefs(print, group);
    scopesOf(group).forEach((scope, j) => {
      print(`${scopeName} #${j}`);
      print(`${scopeName} SchemaURL: ${scope.schemaUrl ?? ''}`);
      print(`InstrumentationScope ${scope.scope?.name ?? ''} ${scope.scope?.version ?? ''}`);
      printAttributes(print, 'InstrumentationScope attributes', scope.scope?.attributes);
      printRecords(print, scope);
    });
  });
  return lines.join('\n');
}

function printRecords(print: Print, scope: ScopeGroup): void {
  scope.spans?.forEach((span, i) => {
    print(`Span #${i}`);
    printSpan(print, span);
  });
  scope.logRecords?.forEach((log, i) => {
    print(`LogRecord #${i}`);
    printLog(print, log);
  });
  scope.metrics?.forEach((metric, i) => {
    print(`Metric #${i}`);
    printMetric(print, metric);
  });
}

/** `header` may be indented: the entries then are too. */
function printAttributes(print: Print, header: string, attributes: readonly KeyValue[] = []): void {
  if (attributes.length === 0) return;
  print(`${header}:`);
  const indent = header.includes('->') ? header.split('->')[0]! : '';
  for (const { key, value } of attributes) print(`${indent}     -> ${key}: ${typedText(value)}`);
}

function printEntityRefs(print: Print, { resource }: ResourceGroup): void {
  const refs = resource?.entityRefs ?? [];
  if (refs.length > 0) print('Resource entity refs:');
  refs.forEach((ref, i) => {
    print(`     -> Entity ref #${i}:`);
    print(`          -> Type: ${ref.type ?? ''}`);
    if (ref.schemaUrl) print(`          -> Schema URL: ${ref.schemaUrl}`);
    for (const [title, keys] of [
      ['ID keys', ref.idKeys],
      ['Description keys', ref.descriptionKeys],
    ] as const) {
      if (!keys?.length) continue;
      print(`          -> ${title}:`);
      for (const key of keys) print(`               -> ${key}`);
    }
  });
}

function printSpan(print: Print, span: Span): void {
  const field = (name: string, value: string | number) => print(`    ${name.padEnd(15)}: ${value}`);
  field('Trace ID', span.traceId ?? '');
  field('Parent ID', span.parentSpanId ?? '');
  field('ID', span.spanId ?? '');
  field('Name', span.name ?? '');
  field('Kind', SPAN_KINDS[span.kind ?? 0] ?? '');
  if (span.traceState) field('TraceState', span.traceState);
  field('Start time', time(span.startTimeUnixNano));
  field('End time', time(span.endTimeUnixNano));
  field('Status code', STATUS_CODES[span.status?.code ?? 0] ?? '');
  field('Status message', span.status?.message ?? '');
  field('DroppedAttributesCount', span.droppedAttributesCount ?? 0);
  field('DroppedEventsCount', span.droppedEventsCount ?? 0);
  field('DroppedLinksCount', span.droppedLinksCount ?? 0);
  printAttributes(print, 'Attributes', span.attributes);
  if (span.events?.length) print('Events:');
  span.events?.forEach((event, i) => {
    print(`SpanEvent #${i}`);
    print(`     -> Name: ${event.name ?? ''}`);
    print(`     -> Timestamp: ${time(event.timeUnixNano)}`);
    print(`     -> DroppedAttributesCount: ${event.droppedAttributesCount ?? 0}`);
    printAttributes(print, '     -> Attributes:', event.attributes);
  });
  if (span.links?.length) print('Links:');
  span.links?.forEach((link, i) => {
    print(`SpanLink #${i}`);
    print(`     -> Trace ID: ${link.traceId ?? ''}`);
    print(`     -> ID: ${link.spanId ?? ''}`);
    print(`     -> TraceState: ${link.traceState ?? ''}`);
    print(`     -> DroppedAttributesCount: ${link.droppedAttributesCount ?? 0}`);
    printAttributes(print, '     -> Attributes:', link.attributes);
  });
}

/** 1 is Trace, 2 Trace2, … 5 Debug. */
function severityName(number: number): string {
  const name = SEVERITIES[Math.floor((number - 1) / 4)];
  if (name === undefined) return number === 0 ? 'Unspecified' : '';
  const step = (number - 1) % 4;
  return step === 0 ? name : `${name}${step + 1}`;
}

function printLog(print: Print, log: LogRecord): void {
  print(`ObservedTimestamp: ${time(log.observedTimeUnixNano)}`);
  print(`Timestamp: ${time(log.timeUnixNano)}`);
  print(`SeverityText: ${log.severityText ?? ''}`);
  print(`SeverityNumber: ${severityName(log.severityNumber ?? 0)}(${log.severityNumber ?? 0})`);
  if (log.eventName) print(`EventName: ${log.eventName}`);
  print(`Body: ${typedText(log.body)}`);
  printAttributes(print, 'Attributes', log.attributes);
  print(`Trace ID: ${log.traceId ?? ''}`);
  print(`Span ID: ${log.spanId ?? ''}`);
  print(`Flags: ${log.flags ?? 0}`);
}

function printMetric(print: Print, metric: Metric): void {
  const kind = kindOf(metric),
    data = kind && metric[kind];
  print('Descriptor:');
  print(`     -> Name: ${metric.name ?? ''}`);
  print(`     -> Description: ${metric.description ?? ''}`);
  print(`     -> Unit: ${metric.unit ?? ''}`);
  print(`     -> DataType: ${kind ? kind[0]!.toUpperCase() + kind.slice(1) : 'Empty'}`);
  printAttributes(print, '     -> Metadata', metric.metadata);
  if (!kind || !data) return;
  if (kind === 'sum') print(`     -> IsMonotonic: ${data.isMonotonic ?? false}`);
  if (kind !== 'gauge' && kind !== 'summary') print(`     -> AggregationTemporality: ${TEMPORALITIES[data.aggregationTemporality ?? 0] ?? ''}`);
  const title = { gauge: 'Number', sum: 'Number', histogram: 'Histogram', exponentialHistogram: 'ExponentialHistogram', summary: 'Summary' }[kind];
  data.dataPoints?.forEach((point, i) => {
    print(`${title}DataPoints #${i}`);
    printPoint(print, kind, point);
  });
}

function printPoint(print: Print, kind: string, point: DataPoint): void {
  printAttributes(print, 'Data point attributes', point.attributes);
  print(`StartTimestamp: ${time(point.startTimeUnixNano)}`);
  print(`Timestamp: ${time(point.timeUnixNano)}`);
  if (kind === 'gauge' || kind === 'sum') {
    if (point.asInt !== undefined) print(`Value: ${point.asInt}`);
    else if (point.asDouble !== undefined) print(`Value: ${fixed(point.asDouble)}`);
  } else {
    print(`Count: ${point.count ?? 0}`);
    if (point.sum !== undefined || kind === 'summary') print(`Sum: ${fixed(point.sum)}`);
    if (point.min !== undefined) print(`Min: ${fixed(point.min)}`);
    if (point.max !== undefined) print(`Max: ${fixed(point.max)}`);
    point.explicitBounds?.forEach((bound, i) => void print(`ExplicitBounds #${i}: ${fixed(bound)}`));
    point.bucketCounts?.forEach((count, i) => void print(`Buckets #${i}, Count: ${count}`));
    if (kind === 'exponentialHistogram') printExponential(print, point);
    point.quantileValues?.forEach((q, i) => void print(`QuantileValue #${i}: Quantile ${fixed(q.quantile)}, Value ${fixed(q.value)}`));
  }
  printExemplars(print, point.exemplars);
}

/** Bounds are e^(index * ln 2 * 2^-scale). */
function printExponential(print: Print, { scale = 0, zeroCount = '0', positive = {}, negative = {} }: DataPoint): void {
  const bound = (index: number): number => Math.exp(index * Math.LN2 * 2 ** -scale),
    below = negative.bucketCounts ?? [];
  for (let i = below.length - 1; i >= 0; i--) {
    const index = (negative.offset ?? 0) + i;
    print(`Bucket [${fixed(-bound(index + 1))}, ${fixed(-bound(index))}), Count: ${below[i]}`);
  }
  if (zeroCount !== '0') print(`Bucket [0, 0], Count: ${zeroCount}`);
  positive.bucketCounts?.forEach((count, i) => {
    const index = (positive.offset ?? 0) + i;
    print(`Bucket (${fixed(bound(index))}, ${fixed(bound(index + 1))}], Count: ${count}`);
  });
}

function printExemplars(print: Print, exemplars: readonly Exemplar[] = []): void {
  if (exemplars.length > 0) print('Exemplars:');
  exemplars.forEach((exemplar, i) => {
    print(`Exemplar #${i}`);
    print(`     -> Trace ID: ${exemplar.traceId ?? ''}`);
    print(`     -> Span ID: ${exemplar.spanId ?? ''}`);
    print(`     -> Timestamp: ${time(exemplar.timeUnixNano)}`);
    if (exemplar.asInt !== undefined) print(`     -> Value: ${exemplar.asInt}`);
    else if (exemplar.asDouble !== undefined) print(`     -> Value: ${fixed(exemplar.asDouble)}`);
    printAttributes(print, '     -> FilteredAttributes', exemplar.filteredAttributes);
  });
}
