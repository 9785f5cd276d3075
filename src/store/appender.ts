/**
 * How samples come into a tenant of the store. The exchange format of labels is that of remote write: repeated Label { name = 1, value = 2 }
 * messages, each as field 1 of the TimeSeries ("0a len 0a len name 12 len value"), sorted by name, without empty values. Whoever translates
 * OTLP or takes a scrape builds these bytes once per series and keeps the ref.
 *
 * Sample values travel as two 32-bit words, because a JavaScript number may lose a NaN's payload (the staleness marker is 0x7ff00000_00000002).
 */
import { PermanentError } from '#src/core/errors.ts';

/** What became of one sample. Everything but APPENDED and DUPLICATE was not stored and is to be counted and reported by the caller. */
export const APPENDED = 0;
/** The same time with the same value is there already: no error. */
export const DUPLICATE = 1;
export const DUPLICATE_OTHER_VALUE = 2;
export const OUT_OF_ORDER = 3;
export const TOO_OLD = 4;
export type AppendResult = 0 | 1 | 2 | 3 | 4;

export type MetadataType = 'unknown' | 'counter' | 'gauge' | 'histogram' | 'gaugehistogram' | 'summary' | 'info' | 'stateset';

/** A limit of the tenant forbids it: 400, as in Cortex, because sending it again will not help. */
export class LimitError extends PermanentError {
  override readonly name: string = 'LimitError';
}

/** Not reentrant: from the first call to commit() no await in between; each request makes its calls in one go. */
export interface Appender {
  /**
   * The ref (> 0) of the series whose label bytes are labels[start, end); a new series is made where there is none. The bytes are copied.
   * Throws LimitError where a limit of the tenant forbids another series, PermanentError where the labels are not valid.
   */
  series(labels: Uint8Array, start: number, end: number): number;
  /** True while the ref is known: a series that had no samples for long is forgotten, and its ref must be asked for again. */
  isKnown(ref: number): boolean;
  append(ref: number, timeMs: number, valueLow: number, valueHigh: number): AppendResult;
  /** Throws PermanentError where it is not a valid histogram. An encoded histogram of the remote-write protobuf message Histogram, bytes[start, end). */
  appendHistogram(ref: number, bytes: Uint8Array, start: number, end: number): AppendResult;
  exemplar(ref: number, labels: Uint8Array, start: number, end: number, timeMs: number, value: number): void;
  /** Of a metric family, for /api/v1/metadata. */
  metadata(family: string, type: MetadataType, help: string, unit: string): void;
  /** Writes the log. Settles when everything appended so far survives a kill -9 of the process. */
  commit(): Promise<void>;
}
