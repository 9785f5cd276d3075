/**
 * JSON as bytes. Points of a range query are written without an object or string each: the head of a point ([1700000000,") is made once per
 * step, and a value that repeats its neighbour is copied.
 */
import { freeBytes } from '#src/core/slab.ts';
import { formatSample } from '#src/promql/format/float.ts';
import { type Bucket, negativeBuckets, positiveBuckets, zeroBucket } from '#src/promql/histogram/buckets.ts';
import { type FloatHistogram, usesCustomBuckets } from '#src/promql/histogram/float_histogram.ts';
import type { LabelList } from '#src/core/series.ts';
import { FLOAT, HISTOGRAM, type Matrix, type Timeline } from '#src/promql/engine/matrix.ts';

/** Longest value and what stands around it. */
const POINT_ROOM = 96;

/** Seconds with milliseconds where there are any. */
export function formatTime(ms: number): string {
  if (Number.isSafeInteger(ms / 1000)) return String(ms / 1000);
  const sign = ms < 0 ? '-' : '';
  const whole = Math.abs(ms);
  return `${sign}${Math.floor(whole / 1000)}.${String(Math.round(whole % 1000))
    .padStart(3, '0')
    .replace(/0+$/, '')}`;
}

export class JsonWriter {
  #buffer: Buffer;
  #at = 0;
  #lastValue = Number.NaN;
  readonly #lastText = new Uint8Array(32);
  #lastSize = 0;

  /** `expected`: how much will be written, about: what fits at once leaves no smaller buffers behind. */
  constructor(expected = 1 << 16) {
    this.#buffer = Buffer.allocUnsafeSlow(expected);
  }

  #room(size: number): void {
    if (this.#at + size <= this.#buffer.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(this.#buffer.length * 2, this.#at + size));
    this.#buffer.copy(grown, 0, 0, this.#at);
    freeBytes(this.#buffer);
    this.#buffer = grown;
  }

  get size(): number {
    return this.#at;
  }
  /** What was written; the writer is done. */
  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#at);
  }

  /** Text that is ASCII. */
  ascii(text: string): this {
    this.#room(text.length);
    this.#at += this.#buffer.latin1Write(text, this.#at);
    return this;
  }
  string(text: string): this {
    const json = JSON.stringify(text);
    this.#room(json.length * 3);
    this.#at += this.#buffer.utf8Write(json, this.#at);
    return this;
  }
  value(any: unknown): this {
    const json = JSON.stringify(any);
    this.#room(json.length * 3);
    this.#at += this.#buffer.utf8Write(json, this.#at);
    return this;
  }
  labels(labels: LabelList): this {
    this.ascii('{');
    for (let i = 0; i < labels.length; i += 2) {
      if (i > 0) this.ascii(',');
      this.string(labels[i]!)
        .ascii(':')
        .string(labels[i + 1]!);
    }
    return this.ascii('}');
  }
  /** [time,"value"] */
  point(timeMs: number, value: number): this {
    return this.ascii(`[${formatTime(timeMs)},"${formatSample(value)}"]`);
  }
  histogramPoint(timeMs: number, h: FloatHistogram): this {
    return this.ascii(`[${formatTime(timeMs)},`)
      .histogram(h)
      .ascii(']');
  }

  histogram(h: FloatHistogram): this {
    this.ascii(`{"count":"${formatSample(h.count)}","sum":"${formatSample(h.sum)}"`);
    const buckets = [...negativeBuckets(h).reverse(), ...(usesCustomBuckets(h) || !(h.zeroCount > 0) ? [] : [zeroBucket(h)]), ...positiveBuckets(h)];
    let first = true;
    for (const bucket of buckets) {
      if (bucket.count === 0) continue;
      this.ascii(first ? ',"buckets":[' : ',');
      first = false;
      this.ascii(`[${boundaries(bucket)},"${formatSample(bucket.lower)}","${formatSample(bucket.upper)}","${formatSample(bucket.count)}"]`);
    }
    return this.ascii(first ? '}' : ']}');
  }

  /** One row of a range query: "values" and "histograms". */
  row(matrix: Matrix, row: number, heads: PointHeads, timeline: Timeline): void {
    const { steps, present, values } = matrix;
    const from = row * steps;
    let floats = 0;
    let histograms = 0;
    for (let i = from; i < from + steps; i++) {
      if (present[i] === FLOAT) floats++;
      else if (present[i] === HISTOGRAM) histograms++;
    }
    if (floats > 0) {
      this.ascii(',"values":[');
      this.#floats(values, present, from, steps, heads);
      this.ascii(']');
    }
    if (histograms === 0) return;
    this.ascii(',"histograms":[');
    let first = true;
    for (let s = 0; s < steps; s++) {
      if (present[from + s] !== HISTOGRAM) continue;
      if (!first) this.ascii(',');
      first = false;
      this.histogramPoint(timeline.startMs + s * timeline.stepMs, matrix.histogramAt(from + s));
    }
    this.ascii(']');
  }

  #floats(values: Float64Array, present: Uint8Array, from: number, steps: number, heads: PointHeads): void {
    const { starts, bytes } = heads;
    let first = true;
    for (let s = 0; s < steps; s++) {
      if (present[from + s] !== FLOAT) continue;
      this.#room(POINT_ROOM);
      const buffer = this.#buffer;
      let at = this.#at;
      if (!first) buffer[at++] = 44; // ,
      first = false;
      for (let i = starts[s]!, end = starts[s + 1]!; i < end; i++) buffer[at++] = bytes[i]!;
      const value = values[from + s]!;
      if (value === this.#lastValue && value !== 0) {
        for (let i = 0; i < this.#lastSize; i++) buffer[at++] = this.#lastText[i]!;
      } else {
        const text = formatSample(value);
        for (let i = 0; i < text.length; i++) buffer[at++] = this.#lastText[i] = text.charCodeAt(i);
        this.#lastSize = text.length;
        this.#lastValue = value;
      }
      buffer[at++] = 34; // "
      buffer[at++] = 93; // ]
      this.#at = at;
    }
  }
}

/** The beginnings of the points of all steps, one behind the other. */
export class PointHeads {
  readonly starts: Int32Array;
  readonly bytes: Buffer;
  constructor(timeline: Timeline) {
    this.starts = new Int32Array(timeline.steps + 1);
    const parts: string[] = [];
    for (let s = 0, at = 0; s < timeline.steps; s++) {
      const head = `[${formatTime(timeline.startMs + s * timeline.stepMs)},"`;
      parts.push(head);
      at += head.length;
      this.starts[s + 1] = at;
    }
    this.bytes = Buffer.from(parts.join(''), 'latin1');
  }
}

/** 0: open on the left, 1: open on the right, 2: open on both sides, 3: closed on both. */
function boundaries(bucket: Bucket): number {
  if (bucket.lowerInclusive) return bucket.upperInclusive ? 3 : 1;
  return bucket.upperInclusive ? 0 : 2;
}
