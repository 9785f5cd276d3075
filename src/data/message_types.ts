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

interface Fields {
  readonly attributes?: number;
  /** Strings, bytes and messages that come once; messages that come again and again; numbers that do, packed or one by one. */
  readonly length?: readonly number[];
  readonly lists?: readonly number[];
  readonly packed?: readonly number[];
  readonly varint?: readonly number[];
  readonly fixed64?: readonly number[];
  readonly fixed32?: readonly number[];
}
function messageType(name: string, { attributes = 0, length = [], lists = [], packed = [], varint = [], fixed64 = [], fixed32 = [] }: Fields): MessageType {
  const wires = new Int8Array(32).fill(-1);
  const slots = new Uint8Array(256);
  const add = (fields: readonly number[], wire: number, as = wire): void => {
    for (const field of fields) {
      wires[field] = wire;
      if (field < 16) slots[(field << 3) | (as & 7)] = (field << 2) | (wire & REPEATED ? 1 : 0);
    }
  };
  add(length, LENGTH);
  add(varint, VARINT);
  add(fixed64, FIXED64);
  add(fixed32, FIXED32);
  add(lists, REPEATED | LENGTH);
  for (const as of [LENGTH, FIXED64, VARINT]) add(packed, REPEATED | LENGTH, as);
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
/** AggregationTemporality. */
export const TEMPORALITY = { delta: 1, cumulative: 2 } as const;
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

// biome-ignore format: short names for the tables below
// The resource and the scope are tables' "repeated" so that one that came in pieces is noticed (join_split.ts).
export const RESOURCE_GROUP_TYPE = messageType('ResourceGroup', { length: [3], lists: [1, 2] });
export const SCOPE_GROUP_TYPE = messageType('ScopeGroup', { length: [3], lists: [1, 2] });
export const RESOURCE_TYPE = messageType('Resource', { attributes: 1, lists: [3], varint: [2] });
export const SCOPE_TYPE = messageType('InstrumentationScope', { attributes: 3, length: [1, 2], varint: [4] });
export const SPAN_TYPE = messageType('Span', {
  attributes: 9,
  length: [1, 2, 3, 4, 5, 15],
  lists: [11, 13],
  varint: [6, 10, 12, 14],
  fixed64: [7, 8],
  fixed32: [16],
});
export const SPAN_EVENT_TYPE = messageType('Event', { attributes: 3, length: [2], varint: [4], fixed64: [1] });
export const SPAN_LINK_TYPE = messageType('Link', { attributes: 4, length: [1, 2, 3], varint: [5], fixed32: [6] });
export const LOG_TYPE = messageType('LogRecord', { attributes: 6, length: [3, 5, 9, 10, 12], varint: [2, 7], fixed64: [1, 11], fixed32: [8] });
export const METRIC_TYPE = messageType('Metric', { attributes: 12, length: [1, 2, 3, 5, 7, 9, 10, 11] });
export const METRIC_DATA_TYPE = messageType('MetricData', { lists: [1], varint: [2, 3] });
export const NUMBER_POINT_TYPE = messageType('NumberDataPoint', { attributes: 7, lists: [5], varint: [8], fixed64: [2, 3, 4, 6] });
export const HISTOGRAM_POINT_TYPE = messageType('HistogramDataPoint', {
  attributes: 9,
  lists: [8],
  packed: [6, 7],
  varint: [10],
  fixed64: [2, 3, 4, 5, 11, 12],
});
export const EXPONENTIAL_POINT_TYPE = messageType('ExponentialHistogramDataPoint', {
  attributes: 1,
  length: [8, 9],
  lists: [11],
  varint: [6, 10],
  fixed64: [2, 3, 4, 5, 7, 12, 13, 14],
});
export const BUCKETS_TYPE = messageType('Buckets', { packed: [2], varint: [1] });
export const SUMMARY_POINT_TYPE = messageType('SummaryDataPoint', { attributes: 7, lists: [6], varint: [8], fixed64: [2, 3, 4, 5] });
export const QUANTILE_TYPE = messageType('ValueAtQuantile', { fixed64: [1, 2] });
export const EXEMPLAR_TYPE = messageType('Exemplar', { attributes: 7, length: [4, 5], fixed64: [2, 3, 6] });

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
