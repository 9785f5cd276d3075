/**
 * Own telemetry as components see it. Names are the Collector's without the prefix "otelcol_"; whoever serves them adds it, and the
 * suffixes of Prometheus. Instruments are cheap to add to once a batch, and not meant for once an item.
 */
export type TelemetryAttributes = Readonly<Record<string, string>>;
export interface Counter {
  add(count: number, attributes?: TelemetryAttributes): void;
}
export interface Histogram {
  record(value: number, attributes?: TelemetryAttributes): void;
}
export interface Log {
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void;
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
}
export interface Telemetry {
  readonly log: Log;
  /** `telemetry.counter('exporter_sent_spans', '{span}', 'Number of spans…')`; asking twice gives the same instrument. */
  counter(name: string, unit: string, description?: string): Counter;
  histogram(name: string, unit: string, bounds: readonly number[], description?: string): Histogram;
  /** Read when collected. Returns the function that takes the gauge away again. */
  gauge(name: string, unit: string, read: () => number, attributes?: TelemetryAttributes, description?: string): () => void;
}
