/**
 * The OTLP messages as cursors see them: which field numbers there are, of which wire type, which of them repeat, and which holds the
 * attributes. The names are those of opentelemetry-proto in camel case.
 */

export const VARINT = 0;
export const FIXED64 = 1;
export const LENGTH = 2;
export const FIXED32 = 5;
/** Added to the wire type of a field that may come more than once. */
const REPEATED = 8;

export interface MessageType {
  readonly name: string;
  /** Field number -> wire type, -1 where there is no such field, + 8 where it repeats. Field numbers of OTLP are below 32. */
  readonly wires: Int8Array;
  /** Field number of the attributes (or of a metric's metadata), 0: none. */
  readonly attributes: number;
  /** Tag byte -> field number * 4 (where Cursor.fields has its row), 255: attribute, 0: not known; + 1 where it repeats. */
  readonly slots: Uint8Array;
  /** Tag byte -> how to get over the field: STEP_…; STEP_BAD where a known field has another wire type. */
  readonly steps: Uint8Array;
  /** Which of the pre-encoded forms of an attribute literal fits: they differ in their tag byte. */
  readonly variant: number;
}

export const STEP_BAD = 0;
export const STEP_VARINT = 1;
export const STEP_FIXED64 = 2;
export const STEP_LENGTH = 3;
export const STEP_FIXED32 = 4;
/** The tag has more than one byte. */
export const STEP_LONG = 5;
/** Tag byte -> how to get over the field, whatever message it is in. */
const STEPS = Uint8Array.from({ length: 256 }, (_, tag) =>
  tag > 127 ? STEP_LONG : tag < 8 ? STEP_BAD : [STEP_VARINT, STEP_FIXED64, STEP_LENGTH, STEP_BAD, STEP_BAD, STEP_FIXED32, STEP_BAD, STEP_BAD][tag & 7]!,
);

/** Tag bytes of the attributes in the messages that have any, by variant. */
export const ATTRIBUTE_TAGS: readonly number[] = [0x0a, 0x1a, 0x22, 0x32, 0x3a, 0x4a, 0x62];

function messageType(name: string, attributes: number, fields: readonly (readonly [field: number, wire: number])[]): MessageType {
  const wires = new Int8Array(32).fill(-1);
  const slots = new Uint8Array(256);
  for (const [field, wire] of fields) {
    wires[field] = wire;
    if (field < 16) slots[(field << 3) | (wire & 7)] = (field << 2) | (wire & REPEATED ? 1 : 0);
    // Packed or not: a repeated number may come either way.
    if (field < 16 && wire === (REPEATED | LENGTH) && PACKED.has(`${name}.${field}`))
      slots[(field << 3) | FIXED64] = slots[(field << 3) | VARINT] = (field << 2) | 1;
  }
  if (attributes > 0) {
    slots[(attributes << 3) | LENGTH] = 255;
    wires[attributes] = REPEATED | LENGTH;
  }
  const steps = STEPS.slice();
  for (let tag = 8; tag < 128; tag++) {
    const known = wires[tag >> 3]!;
    // A repeated number may come unpacked.
    const fits = known < 0 || (known & 7) === (tag & 7) || (known >= REPEATED && (tag & 7) !== LENGTH);
    if (!fits) steps[tag] = STEP_BAD;
  }
  return { name, wires, attributes, slots, steps, variant: Math.max(0, ATTRIBUTE_TAGS.indexOf((attributes << 3) | LENGTH)) };
}
const PACKED = new Set(['HistogramDataPoint.6', 'HistogramDataPoint.7', 'Buckets.2']);
const R = REPEATED;

/** ResourceSpans, ResourceMetrics, ResourceLogs alike. */
export const RESOURCE_GROUP = { resource: 1, scopes: 2, schemaUrl: 3 } as const;
/** ScopeSpans, ScopeMetrics, ScopeLogs alike. */
export const SCOPE_GROUP = { scope: 1, records: 2, schemaUrl: 3 } as const;
export const RESOURCE = { attributes: 1, droppedAttributesCount: 2, entityRefs: 3 } as const;
export const SCOPE = { name: 1, version: 2, attributes: 3, droppedAttributesCount: 4 } as const;
export const SPAN = {
  traceId: 1, spanId: 2, traceState: 3, parentSpanId: 4, name: 5, kind: 6, startTimeUnixNano: 7, endTimeUnixNano: 8, attributes: 9, droppedAttributesCount: 10,
  events: 11, droppedEventsCount: 12, links: 13, droppedLinksCount: 14, status: 15, flags: 16,
} as const; // biome-ignore format: one line a thought
export const STATUS = { message: 2, code: 3 } as const;
export const SPAN_EVENT = { timeUnixNano: 1, name: 2, attributes: 3, droppedAttributesCount: 4 } as const;
export const LOG = {
  timeUnixNano: 1, severityNumber: 2, severityText: 3, body: 5, attributes: 6, droppedAttributesCount: 7, flags: 8, traceId: 9, spanId: 10, observedTimeUnixNano: 11, eventName: 12,
} as const; // biome-ignore format: one line a thought
export const METRIC = { name: 1, description: 2, unit: 3, gauge: 5, sum: 7, histogram: 9, exponentialHistogram: 10, summary: 11, metadata: 12 } as const;
/** Gauge, Sum, Histogram, ExponentialHistogram and Summary alike; not all have all of these. */
export const METRIC_DATA = { dataPoints: 1, aggregationTemporality: 2, isMonotonic: 3 } as const;
export const NUMBER_POINT = { startTimeUnixNano: 2, timeUnixNano: 3, asDouble: 4, exemplars: 5, asInt: 6, attributes: 7, flags: 8 } as const;
export const HISTOGRAM_POINT = {
  startTimeUnixNano: 2, timeUnixNano: 3, count: 4, sum: 5, bucketCounts: 6, explicitBounds: 7, exemplars: 8, attributes: 9, flags: 10, min: 11, max: 12,
} as const; // biome-ignore format: one line a thought
export const EXPONENTIAL_POINT = {
  attributes: 1, startTimeUnixNano: 2, timeUnixNano: 3, count: 4, sum: 5, scale: 6, zeroCount: 7, positive: 8, negative: 9, flags: 10, exemplars: 11, min: 12, max: 13, zeroThreshold: 14,
} as const; // biome-ignore format: one line a thought
export const BUCKETS = { offset: 1, bucketCounts: 2 } as const;
export const SUMMARY_POINT = { startTimeUnixNano: 2, timeUnixNano: 3, count: 4, sum: 5, quantileValues: 6, attributes: 7, flags: 8 } as const;
export const QUANTILE = { quantile: 1, value: 2 } as const;
export const EXEMPLAR = { timeUnixNano: 2, asDouble: 3, spanId: 4, traceId: 5, asInt: 6, filteredAttributes: 7 } as const;

const v = VARINT, f64 = FIXED64, l = LENGTH, f32 = FIXED32; // biome-ignore format: short names for the tables below
// The resource and the scope are tables' "repeated" so that one that came in pieces is noticed (join_split.ts).
export const RESOURCE_GROUP_TYPE = messageType('ResourceGroup', 0, [
  [1, R | l],
  [2, R | l],
  [3, l],
]);
export const SCOPE_GROUP_TYPE = messageType('ScopeGroup', 0, [
  [1, R | l],
  [2, R | l],
  [3, l],
]);
export const RESOURCE_TYPE = messageType('Resource', 1, [
  [2, v],
  [3, R | l],
]);
export const SCOPE_TYPE = messageType('InstrumentationScope', 3, [
  [1, l],
  [2, l],
  [4, v],
]);
export const SPAN_TYPE = messageType('Span', 9, [
  [1, l],
  [2, l],
  [3, l],
  [4, l],
  [5, l],
  [6, v],
  [7, f64],
  [8, f64],
  [10, v],
  [11, R | l],
  [12, v],
  [13, R | l],
  [14, v],
  [15, l],
  [16, f32],
]);
export const SPAN_EVENT_TYPE = messageType('Event', 3, [
  [1, f64],
  [2, l],
  [4, v],
]);
export const SPAN_LINK_TYPE = messageType('Link', 4, [
  [1, l],
  [2, l],
  [3, l],
  [5, v],
  [6, f32],
]);
export const LOG_TYPE = messageType('LogRecord', 6, [
  [1, f64],
  [2, v],
  [3, l],
  [5, l],
  [7, v],
  [8, f32],
  [9, l],
  [10, l],
  [11, f64],
  [12, l],
]);
export const METRIC_TYPE = messageType('Metric', 12, [
  [1, l],
  [2, l],
  [3, l],
  [5, l],
  [7, l],
  [9, l],
  [10, l],
  [11, l],
]);
export const METRIC_DATA_TYPE = messageType('MetricData', 0, [
  [1, R | l],
  [2, v],
  [3, v],
]);
export const NUMBER_POINT_TYPE = messageType('NumberDataPoint', 7, [
  [2, f64],
  [3, f64],
  [4, f64],
  [5, R | l],
  [6, f64],
  [8, v],
]);
export const HISTOGRAM_POINT_TYPE = messageType('HistogramDataPoint', 9, [
  [2, f64],
  [3, f64],
  [4, f64],
  [5, f64],
  [6, R | l],
  [7, R | l],
  [8, R | l],
  [10, v],
  [11, f64],
  [12, f64],
]);
export const EXPONENTIAL_POINT_TYPE = messageType('ExponentialHistogramDataPoint', 1, [
  [2, f64],
  [3, f64],
  [4, f64],
  [5, f64],
  [6, v],
  [7, f64],
  [8, l],
  [9, l],
  [10, v],
  [11, R | l],
  [12, f64],
  [13, f64],
  [14, f64],
]);
export const BUCKETS_TYPE = messageType('Buckets', 0, [
  [1, v],
  [2, R | l],
]);
export const SUMMARY_POINT_TYPE = messageType('SummaryDataPoint', 7, [
  [2, f64],
  [3, f64],
  [4, f64],
  [5, f64],
  [6, R | l],
  [8, v],
]);
export const QUANTILE_TYPE = messageType('ValueAtQuantile', 0, [
  [1, f64],
  [2, f64],
]);
export const EXEMPLAR_TYPE = messageType('Exemplar', 7, [
  [2, f64],
  [3, f64],
  [4, l],
  [5, l],
  [6, f64],
]);

/** The data point messages by metric kind. */
export function pointTypeOf(kind: number): MessageType {
  return kind === METRIC.histogram
    ? HISTOGRAM_POINT_TYPE
    : kind === METRIC.exponentialHistogram
      ? EXPONENTIAL_POINT_TYPE
      : kind === METRIC.summary
        ? SUMMARY_POINT_TYPE
        : NUMBER_POINT_TYPE;
}
