/**
 * One log record on its way through operators, on the general path. The fast path (fast/) never makes one.
 */
import { cloneValue, type Value, type ValueMap } from './value.ts';

export class Entry {
  body: Value = null;
  attributes: ValueMap = new Map();
  resource: ValueMap = new Map();
  /** Seconds since 1970; with `nanos` 0 and `hasTime` false where no operator set a time. */
  seconds = 0;
  nanos = 0;
  hasTime = false;
  /** Milliseconds since 1970 when the line was read. */
  observedMs: number;
  severityNumber = 0;
  severityText = '';
  /** 16 and 8 bytes, or null. */
  traceId: Uint8Array | null = null;
  spanId: Uint8Array | null = null;
  traceFlags = 0;
  scopeName = '';
  /** The file the line came from: keeps the partial lines of files apart. */
  source = '';
  /** Where in that file it starts. */
  position = 0;

  constructor(observedMs: number) {
    this.observedMs = observedMs;
  }

  setTime(seconds: number, nanos: number): void {
    this.seconds = seconds;
    this.nanos = nanos;
    this.hasTime = true;
  }

  clone(): Entry {
    const copy = new Entry(this.observedMs);
    copy.body = cloneValue(this.body);
    copy.attributes = cloneValue(this.attributes) as ValueMap;
    copy.resource = cloneValue(this.resource) as ValueMap;
    copy.seconds = this.seconds;
    copy.nanos = this.nanos;
    copy.hasTime = this.hasTime;
    copy.severityNumber = this.severityNumber;
    copy.severityText = this.severityText;
    copy.traceId = this.traceId;
    copy.spanId = this.spanId;
    copy.traceFlags = this.traceFlags;
    copy.scopeName = this.scopeName;
    copy.source = this.source;
    copy.position = this.position;
    return copy;
  }
}
