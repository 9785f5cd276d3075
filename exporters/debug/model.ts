/**
 * The telemetry as OTLP JSON has it, in the few types that printing needs. Debugging is no hot path: the batch is turned into JSON and read
 * again, so that there is one decoder less.
 */
export interface AnyValue {
  readonly stringValue?: string;
  readonly boolValue?: boolean;
  readonly intValue?: string;
  readonly doubleValue?: number | string;
  readonly bytesValue?: string;
  readonly arrayValue?: { readonly values?: readonly AnyValue[] };
  readonly kvlistValue?: { readonly values?: readonly KeyValue[] };
}
export interface KeyValue {
  readonly key: string;
  readonly value?: AnyValue;
}
type Attributes = readonly KeyValue[];

export interface Span {
  readonly traceId?: string;
  readonly spanId?: string;
  readonly parentSpanId?: string;
  readonly traceState?: string;
  readonly name?: string;
  readonly kind?: number;
  readonly startTimeUnixNano?: string;
  readonly endTimeUnixNano?: string;
  readonly status?: { readonly code?: number; readonly message?: string };
  readonly attributes?: Attributes;
  readonly droppedAttributesCount?: number;
  readonly droppedEventsCount?: number;
  readonly droppedLinksCount?: number;
  readonly events?: readonly {
    readonly name?: string;
    readonly timeUnixNano?: string;
    readonly droppedAttributesCount?: number;
    readonly attributes?: Attributes;
  }[];
  readonly links?: readonly {
    readonly traceId?: string;
    readonly spanId?: string;
    readonly traceState?: string;
    readonly droppedAttributesCount?: number;
    readonly attributes?: Attributes;
  }[];
}
export interface LogRecord {
  readonly timeUnixNano?: string;
  readonly observedTimeUnixNano?: string;
  readonly severityText?: string;
  readonly severityNumber?: number;
  readonly eventName?: string;
  readonly body?: AnyValue;
  readonly attributes?: Attributes;
  readonly traceId?: string;
  readonly spanId?: string;
  readonly flags?: number;
}
export interface Exemplar {
  readonly traceId?: string;
  readonly spanId?: string;
  readonly timeUnixNano?: string;
  readonly asInt?: string;
  readonly asDouble?: number | string;
  readonly filteredAttributes?: Attributes;
}
interface Buckets {
  readonly offset?: number;
  readonly bucketCounts?: readonly string[];
}
export interface DataPoint {
  readonly attributes?: Attributes;
  readonly startTimeUnixNano?: string;
  readonly timeUnixNano?: string;
  readonly asInt?: string;
  readonly asDouble?: number | string;
  readonly count?: string;
  readonly sum?: number | string;
  readonly min?: number | string;
  readonly max?: number | string;
  readonly explicitBounds?: readonly (number | string)[];
  readonly bucketCounts?: readonly string[];
  readonly scale?: number;
  readonly zeroCount?: string;
  readonly positive?: Buckets;
  readonly negative?: Buckets;
  readonly quantileValues?: readonly { readonly quantile?: number; readonly value?: number | string }[];
  readonly exemplars?: readonly Exemplar[];
}
export interface MetricData {
  readonly dataPoints?: readonly DataPoint[];
  readonly isMonotonic?: boolean;
  readonly aggregationTemporality?: number;
}
export interface Metric {
  readonly name?: string;
  readonly description?: string;
  readonly unit?: string;
  readonly metadata?: Attributes;
  readonly gauge?: MetricData;
  readonly sum?: MetricData;
  readonly histogram?: MetricData;
  readonly exponentialHistogram?: MetricData;
  readonly summary?: MetricData;
}
export interface Scope {
  readonly name?: string;
  readonly version?: string;
  readonly attributes?: Attributes;
}
export interface ScopeGroup {
  readonly scope?: Scope;
  readonly schemaUrl?: string;
  readonly spans?: readonly Span[];
  readonly logRecords?: readonly LogRecord[];
  readonly metrics?: readonly Metric[];
}
export interface ResourceGroup {
  readonly resource?: {
    readonly attributes?: Attributes;
    readonly entityRefs?: readonly {
      readonly schemaUrl?: string;
      readonly type?: string;
      readonly idKeys?: readonly string[];
      readonly descriptionKeys?: readonly string[];
    }[];
  };
  readonly schemaUrl?: string;
  readonly scopeSpans?: readonly ScopeGroup[];
  readonly scopeLogs?: readonly ScopeGroup[];
  readonly scopeMetrics?: readonly ScopeGroup[];
}

export const METRIC_KINDS = ['gauge', 'sum', 'histogram', 'exponentialHistogram', 'summary'] as const;
export function kindOf(metric: Metric): (typeof METRIC_KINDS)[number] | undefined {
  return METRIC_KINDS.find((kind) => metric[kind] !== undefined);
}
export const scopesOf = (group: ResourceGroup): readonly ScopeGroup[] => group.scopeSpans ?? group.scopeLogs ?? group.scopeMetrics ?? [];
