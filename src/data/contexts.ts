/**
 * What a rewriting pass is made of: levels, the callback's form, and the cursors that callbacks read and edit. One set of cursors serves all
 * rewriters of the process, so closures that were compiled for one processor still fit when several share a walk.
 */
import { type BatchContext, EMPTY_CONTEXT } from '#src/core/batch.ts';
import { Cursor } from './cursor.ts';
import {
  LOG_TYPE, METRIC_DATA_TYPE, METRIC_TYPE, NUMBER_POINT_TYPE, RESOURCE_GROUP_TYPE, RESOURCE_TYPE, SCOPE_GROUP_TYPE, SCOPE_TYPE, SPAN_EVENT_TYPE, SPAN_TYPE,
} from './message_types.ts'; // biome-ignore format: names

/** Levels, as bits: resource (and its schema URL), scope (and its schema URL), record (span, log record, metric), inner (span event, data point). */
export const RESOURCE_LEVEL = 1;
export const SCOPE_LEVEL = 2;
export const RECORD_LEVEL = 4;
export const INNER_LEVEL = 8;
export type Level = 1 | 2 | 4 | 8;

/** What a callback answers. */
export const KEEP = 0;
export const DROP = 1;

export interface Pass {
  readonly level: Level;
  /** Called for each resource, scope, record or inner record with the cursors standing on it and on what encloses it. Errors end the rewrite and travel up. */
  readonly visit: () => number; // KEEP | DROP
  /** Levels that `visit` looks at; its own is always meant. A metric that looks at its data points reads INNER_LEVEL. */
  readonly reads: number;
  /** Levels that `visit` may change; its own is always meant. */
  readonly writes: number;
  /** Metrics that a drop leaves without data points (a metric without data stays), scopes without records and resources without scopes are taken away afterwards, also those that came empty. */
  readonly dropsEmpty?: boolean;
  /** It may add records (appendRecord), which it visits in turn: passes before it must not, passes behind it must see them, so it gets a walk of its own. */
  readonly appends?: boolean;
}

// The cursors. They stand on something only while a callback runs, and only on the levels that enclose it.
export const resource: Cursor = new Cursor(RESOURCE_TYPE);
/** ResourceSpans, ResourceLogs, ResourceMetrics: for the schema URL (RESOURCE_GROUP.schemaUrl). */
export const resourceGroup: Cursor = new Cursor(RESOURCE_GROUP_TYPE);
export const scope: Cursor = new Cursor(SCOPE_TYPE);
export const scopeGroup: Cursor = new Cursor(SCOPE_GROUP_TYPE);
export const span: Cursor = new Cursor(SPAN_TYPE);
export const spanEvent: Cursor = new Cursor(SPAN_EVENT_TYPE);
export const log: Cursor = new Cursor(LOG_TYPE);
export const metric: Cursor = new Cursor(METRIC_TYPE);
/** Gauge, Sum, Histogram… of the metric: aggregation temporality and monotonicity (METRIC_DATA). Empty where the metric has no data. */
export const metricData: Cursor = new Cursor(METRIC_DATA_TYPE);
/** A data point; its type is by the metric's kind: `dataPoint.type === HISTOGRAM_POINT_TYPE`. */
export const dataPoint: Cursor = new Cursor(NUMBER_POINT_TYPE);

/** Of the batch, record or inner record that is visited. */
export interface Position {
  /** What the batch came with. */
  context: BatchContext;
  /** METRIC.gauge, .sum, … of the metric that is visited; 0 where it has no data. */
  metricKind: number;
  /** Index of the span event in its span, from 0, as it came. */
  eventIndex: number;
}
export const position: Position = { context: EMPTY_CONTEXT, metricKind: 0, eventIndex: 0 };
