/**
 * The OTLP messages with their names in JSON, as the OTLP specification has them (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding):
 * lowerCamelCase names, ids in hex, 64-bit integers as strings, enums as numbers. One table for both directions.
 */
import type { Signal } from '#src/core/batch.ts';

export type FieldKind =
  | 'string'
  | 'bytes'
  | 'hex'
  | 'bool'
  | 'int32'
  | 'uint32'
  | 'sint32'
  | 'fixed32'
  | 'int64'
  | 'uint64'
  | 'fixed64'
  | 'sfixed64'
  | 'double'
  | 'enum'
  | 'message';

export interface JsonField {
  readonly number: number;
  readonly name: string;
  readonly kind: FieldKind;
  readonly repeated: boolean;
  /** Written also with its default value (alternatives of a oneof, optional fields) or also where it is absent (messages that are never null in the Collector). */
  readonly always: boolean;
  /** Size in bytes that a hex id has where it is not empty. */
  readonly idSize: number;
  readonly message: () => JsonMessage;
  /** Names of the enum's numbers. */
  readonly names: readonly string[];
}
export interface JsonMessage {
  readonly name: string;
  readonly fields: readonly JsonField[];
  readonly byName: ReadonlyMap<string, JsonField>;
  readonly byNumber: readonly (JsonField | undefined)[];
}
interface More {
  readonly repeated?: boolean;
  readonly always?: boolean;
  readonly idSize?: number;
  readonly message?: () => JsonMessage;
  readonly names?: readonly string[];
}

function none(): JsonMessage {
  throw new TypeError('not a message field');
}
function field(number: number, name: string, kind: FieldKind, more: More = {}): JsonField {
  return {
    number,
    name,
    kind,
    repeated: more.repeated ?? false,
    always: more.always ?? false,
    idSize: more.idSize ?? 0,
    message: more.message ?? none,
    names: more.names ?? [],
  };
}
const nested = (number: number, name: string, message: () => JsonMessage, more: More = {}): JsonField => field(number, name, 'message', { ...more, message });
const list = (number: number, name: string, message: () => JsonMessage): JsonField => field(number, name, 'message', { repeated: true, message });
const id = (number: number, name: string, idSize: number): JsonField => field(number, name, 'hex', { idSize });
const snake = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
function message(name: string, fields: readonly JsonField[]): JsonMessage {
  const byName = new Map<string, JsonField>();
  const byNumber: JsonField[] = [];
  for (const one of fields) {
    byName.set(snake(one.name), one).set(one.name, one);
    byNumber[one.number] = one;
  }
  return { name, fields, byName, byNumber };
}
const oneof: More = { always: true };
const time = (number: number, name = 'timeUnixNano'): JsonField => field(number, name, 'fixed64');

const anyValue: JsonMessage = message('AnyValue', [
  field(1, 'stringValue', 'string', oneof),
  field(2, 'boolValue', 'bool', oneof),
  field(3, 'intValue', 'int64', oneof),
  field(4, 'doubleValue', 'double', oneof),
  nested(5, 'arrayValue', () => arrayValue),
  nested(6, 'kvlistValue', () => keyValueList),
  field(7, 'bytesValue', 'bytes', oneof),
]);
const arrayValue: JsonMessage = message('ArrayValue', [list(1, 'values', () => anyValue)]);
const keyValueList: JsonMessage = message('KeyValueList', [list(1, 'values', () => keyValue)]);
const keyValue: JsonMessage = message('KeyValue', [field(1, 'key', 'string'), nested(2, 'value', () => anyValue, { always: true })]);
const attributes = (number: number, name = 'attributes'): JsonField => list(number, name, () => keyValue);
const dropped = (number: number, what = 'Attributes'): JsonField => field(number, `dropped${what}Count`, 'uint32');

const entityRef = message('EntityRef', [
  field(1, 'schemaUrl', 'string'),
  field(2, 'type', 'string'),
  field(3, 'idKeys', 'string', { repeated: true }),
  field(4, 'descriptionKeys', 'string', { repeated: true }),
]);
const resource = message('Resource', [attributes(1), dropped(2), list(3, 'entityRefs', () => entityRef)]);
const scope = message('InstrumentationScope', [field(1, 'name', 'string'), field(2, 'version', 'string'), attributes(3), dropped(4)]);
const inResource = nested(1, 'resource', () => resource, { always: true });
const inScope = nested(1, 'scope', () => scope, { always: true });
const schemaUrl = field(3, 'schemaUrl', 'string');

const SPAN_KINDS = ['SPAN_KIND_UNSPECIFIED', 'SPAN_KIND_INTERNAL', 'SPAN_KIND_SERVER', 'SPAN_KIND_CLIENT', 'SPAN_KIND_PRODUCER', 'SPAN_KIND_CONSUMER'];
const STATUS_CODES = ['STATUS_CODE_UNSET', 'STATUS_CODE_OK', 'STATUS_CODE_ERROR'];
const event = message('Event', [time(1), field(2, 'name', 'string'), attributes(3), dropped(4)]);
const link = message('Link', [
  id(1, 'traceId', 16),
  id(2, 'spanId', 8),
  field(3, 'traceState', 'string'),
  attributes(4),
  dropped(5),
  field(6, 'flags', 'fixed32'),
]);
const status = message('Status', [field(2, 'message', 'string'), field(3, 'code', 'enum', { names: STATUS_CODES })]);
const span = message('Span', [
  id(1, 'traceId', 16),
  id(2, 'spanId', 8),
  field(3, 'traceState', 'string'),
  id(4, 'parentSpanId', 8),
  field(16, 'flags', 'fixed32'),
  field(5, 'name', 'string'),
  field(6, 'kind', 'enum', { names: SPAN_KINDS }),
  time(7, 'startTimeUnixNano'),
  time(8, 'endTimeUnixNano'),
  attributes(9),
  dropped(10),
  list(11, 'events', () => event),
  dropped(12, 'Events'),
  list(13, 'links', () => link),
  dropped(14, 'Links'),
  nested(15, 'status', () => status, { always: true }),
]);
const scopeSpans = message('ScopeSpans', [inScope, list(2, 'spans', () => span), schemaUrl]);
const resourceSpans = message('ResourceSpans', [inResource, list(2, 'scopeSpans', () => scopeSpans), schemaUrl]);

const SEVERITIES = [
  'SEVERITY_NUMBER_UNSPECIFIED',
  ...['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'].flatMap((level) => ['', '2', '3', '4'].map((n) => `SEVERITY_NUMBER_${level}${n}`)),
];
const logRecord = message('LogRecord', [
  time(1),
  time(11, 'observedTimeUnixNano'),
  field(2, 'severityNumber', 'enum', { names: SEVERITIES }),
  field(3, 'severityText', 'string'),
  nested(5, 'body', () => anyValue, { always: true }),
  attributes(6),
  dropped(7),
  field(8, 'flags', 'fixed32'),
  id(9, 'traceId', 16),
  id(10, 'spanId', 8),
  field(12, 'eventName', 'string'),
]);
const scopeLogs = message('ScopeLogs', [inScope, list(2, 'logRecords', () => logRecord), schemaUrl]);
const resourceLogs = message('ResourceLogs', [inResource, list(2, 'scopeLogs', () => scopeLogs), schemaUrl]);

const TEMPORALITIES = ['AGGREGATION_TEMPORALITY_UNSPECIFIED', 'AGGREGATION_TEMPORALITY_DELTA', 'AGGREGATION_TEMPORALITY_CUMULATIVE'];
const temporality = field(2, 'aggregationTemporality', 'enum', { names: TEMPORALITIES });
const start = time(2, 'startTimeUnixNano');
const exemplar = message('Exemplar', [
  attributes(7, 'filteredAttributes'),
  time(2),
  field(3, 'asDouble', 'double', oneof),
  field(6, 'asInt', 'sfixed64', oneof),
  id(5, 'traceId', 16),
  id(4, 'spanId', 8),
]);
const numberPoint = message('NumberDataPoint', [
  attributes(7),
  start,
  time(3),
  field(4, 'asDouble', 'double', oneof),
  field(6, 'asInt', 'sfixed64', oneof),
  list(5, 'exemplars', () => exemplar),
  field(8, 'flags', 'uint32'),
]);
const histogramPoint = message('HistogramDataPoint', [
  attributes(9),
  start,
  time(3),
  field(4, 'count', 'fixed64'),
  field(5, 'sum', 'double', oneof),
  field(6, 'bucketCounts', 'fixed64', { repeated: true }),
  field(7, 'explicitBounds', 'double', { repeated: true }),
  list(8, 'exemplars', () => exemplar),
  field(10, 'flags', 'uint32'),
  field(11, 'min', 'double', oneof),
  field(12, 'max', 'double', oneof),
]);
const buckets = message('Buckets', [field(1, 'offset', 'sint32'), field(2, 'bucketCounts', 'uint64', { repeated: true })]);
const exponentialPoint = message('ExponentialHistogramDataPoint', [
  attributes(1),
  start,
  time(3),
  field(4, 'count', 'fixed64'),
  field(5, 'sum', 'double', oneof),
  field(6, 'scale', 'sint32'),
  field(7, 'zeroCount', 'fixed64'),
  nested(8, 'positive', () => buckets, { always: true }),
  nested(9, 'negative', () => buckets, { always: true }),
  field(10, 'flags', 'uint32'),
  list(11, 'exemplars', () => exemplar),
  field(12, 'min', 'double', oneof),
  field(13, 'max', 'double', oneof),
  field(14, 'zeroThreshold', 'double'),
]);
const quantile = message('ValueAtQuantile', [field(1, 'quantile', 'double'), field(2, 'value', 'double')]);
const summaryPoint = message('SummaryDataPoint', [
  attributes(7),
  start,
  time(3),
  field(4, 'count', 'fixed64'),
  field(5, 'sum', 'double'),
  list(6, 'quantileValues', () => quantile),
  field(8, 'flags', 'uint32'),
]);
const gauge = message('Gauge', [list(1, 'dataPoints', () => numberPoint)]);
const sum = message('Sum', [list(1, 'dataPoints', () => numberPoint), temporality, field(3, 'isMonotonic', 'bool')]);
const histogram = message('Histogram', [list(1, 'dataPoints', () => histogramPoint), temporality]);
const exponentialHistogram = message('ExponentialHistogram', [list(1, 'dataPoints', () => exponentialPoint), temporality]);
const summary = message('Summary', [list(1, 'dataPoints', () => summaryPoint)]);
const metric = message('Metric', [
  field(1, 'name', 'string'),
  field(2, 'description', 'string'),
  field(3, 'unit', 'string'),
  nested(5, 'gauge', () => gauge),
  nested(7, 'sum', () => sum),
  nested(9, 'histogram', () => histogram),
  nested(10, 'exponentialHistogram', () => exponentialHistogram),
  nested(11, 'summary', () => summary),
  attributes(12, 'metadata'),
]);
const scopeMetrics = message('ScopeMetrics', [inScope, list(2, 'metrics', () => metric), schemaUrl]);
const resourceMetrics = message('ResourceMetrics', [inResource, list(2, 'scopeMetrics', () => scopeMetrics), schemaUrl]);

/** The whole request of each signal. */
export const REQUESTS: Readonly<Record<Signal, JsonMessage>> = {
  traces: message('TracesData', [list(1, 'resourceSpans', () => resourceSpans)]),
  metrics: message('MetricsData', [list(1, 'resourceMetrics', () => resourceMetrics)]),
  logs: message('LogsData', [list(1, 'resourceLogs', () => resourceLogs)]),
};
