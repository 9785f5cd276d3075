/**
 * The protobuf exposition of Prometheus (length-delimited io.prometheus.client.MetricFamily messages), turned into the text that ExpositionParser reads
 * as "transcoded", so that everything behind works on one form. Native histograms go beside the text; a line refers to one as "H<index>".
 * Created timestamps are left out, as the Collector's receiver does by default.
 */
import { ExpositionError, type ParsedExemplar } from './parser.ts';
import { formatLabelFloat } from './number.ts';
import type { NativeHistogram, Spans } from '#src/helper/scrape/native_histogram.ts';

export interface TranscodeOptions {
  /** Native histograms are taken as such; else only their classic buckets. */
  readonly native: boolean;
  /** Classic buckets also of histograms that have native ones. */
  readonly classicToo: boolean;
}
export interface Transcoded {
  readonly text: Buffer;
  readonly histograms: NativeHistogram[];
}

const TYPES = ['counter', 'gauge', 'summary', 'unknown', 'histogram', 'gaugehistogram'];
const COUNTER = 0;
const GAUGE = 1;
const SUMMARY = 2;
const UNTYPED = 3;
const LEGACY_METRIC = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LEGACY_LABEL = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

/** Reads one message's fields. Numbers of 64 bits become doubles, which is what samples are. */
class Fields {
  readonly bytes: Buffer;
  pos: number;
  readonly end: number;
  field = 0;
  wire = 0;
  constructor(bytes: Buffer, pos: number, end: number) {
    this.bytes = bytes;
    this.pos = pos;
    this.end = end;
  }
  next(): boolean {
    if (this.pos >= this.end) return false;
    const tag = this.varint();
    this.field = Math.floor(tag / 8);
    this.wire = tag % 8;
    return true;
  }
  varint(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 10; i++) {
      if (this.pos >= this.end) throw broken('a number is cut off');
      const byte = this.bytes[this.pos++]!;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
      scale *= 128;
    }
    throw broken('a number has too many bytes');
  }
  /** Two's complement of 64 bits: int64. */
  signed(): number {
    const start = this.pos;
    const value = this.varint();
    if (value < 2 ** 63) return value;
    // Too big to be exact as a double before the sign is taken into account.
    let exact = 0n;
    for (let i = start, shift = 0n; i < this.pos; i++, shift += 7n) exact |= BigInt(this.bytes[i]! & 127) << shift;
    return Number(BigInt.asIntN(64, exact));
  }
  zigzag(): number {
    const value = this.varint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }
  double(): number {
    if (this.wire !== 1 || this.pos + 8 > this.end) throw broken('a double is cut off');
    const value = this.bytes.readDoubleLE(this.pos);
    this.pos += 8;
    return value;
  }
  message(): Fields {
    const size = this.varint();
    if (this.wire !== 2 || this.pos + size > this.end) throw broken('a message is cut off');
    const inner = new Fields(this.bytes, this.pos, this.pos + size);
    this.pos += size;
    return inner;
  }
  text(): string {
    const inner = this.message();
    return this.bytes.utf8Slice(inner.pos, inner.end);
  }
  skip(): void {
    if (this.wire === 0) this.varint();
    else if (this.wire === 1) this.pos += 8;
    else if (this.wire === 2) this.message();
    else if (this.wire === 5) this.pos += 4;
    else throw broken(`wire type ${this.wire}`);
    if (this.pos > this.end) throw broken('a field is cut off');
  }
  /** A repeated number, packed or not. */
  repeated(list: number[], read: (fields: Fields) => number): void {
    if (this.wire !== 2) {
      list.push(read(this));
      return;
    }
    const inner = this.message();
    while (inner.pos < inner.end) list.push(read(inner));
  }
}

function broken(what: string): ExpositionError {
  return new ExpositionError(`the protobuf exposition is broken: ${what}`);
}

interface HistogramParts {
  count: number;
  sum: number;
  schema: number | null;
  zeroThreshold: number;
  zeroCount: number;
  buckets: { bound: number; count: number; exemplar: ParsedExemplar | null }[];
  positiveSpans: [number, number][];
  negativeSpans: [number, number][];
  positiveDeltas: number[];
  negativeDeltas: number[];
  positiveCounts: number[];
  negativeCounts: number[];
  exemplars: ParsedExemplar[];
}

/** Throws ExpositionError on bytes that are no exposition. */
export function transcode(bytes: Buffer, from: number, to: number, options: TranscodeOptions): Transcoded {
  const writer = new Transcoder(options);
  const outer = new Fields(bytes, from, to);
  while (outer.pos < outer.end) {
    outer.wire = 2;
    writer.family(outer.message());
  }
  writer.lines.push('# EOF\n');
  return { text: Buffer.from(writer.lines.join('')), histograms: writer.histograms };
}

class Transcoder {
  readonly lines: string[] = [];
  readonly histograms: NativeHistogram[] = [];
  readonly #options: TranscodeOptions;
  constructor(options: TranscodeOptions) {
    this.#options = options;
  }

  family(fields: Fields): void {
    let name = '';
    let help = '';
    let unit = '';
    let type = 0;
    const metrics: Fields[] = [];
    while (fields.next()) {
      if (fields.field === 1) name = fields.text();
      else if (fields.field === 2) help = fields.text();
      else if (fields.field === 3) type = fields.varint();
      else if (fields.field === 4) metrics.push(fields.message());
      else if (fields.field === 5) unit = fields.text();
      else fields.skip();
    }
    if (name === '') throw broken('a family has no name');
    const typeName = TYPES[type];
    if (typeName === undefined) throw broken(`metric type ${type}`);
    const shown = LEGACY_METRIC.test(name) ? name : `"${escapeText(name)}"`;
    this.lines.push(`# HELP ${shown} ${escapeText(help)}\n`, `# TYPE ${shown} ${typeName}\n`);
    if (unit !== '') this.lines.push(`# UNIT ${shown} ${unit.replaceAll('\n', ' ')}\n`);
    for (const metric of metrics) this.#metric(metric, name, type);
  }

  #metric(fields: Fields, name: string, type: number): void {
    const labels: [string, string][] = [];
    let timeMs: number | null = null;
    let value = 0;
    let exemplar: ParsedExemplar | null = null;
    let compound: Fields | null = null;
    while (fields.next()) {
      if (fields.field === 1) labels.push(pair(fields.message()));
      else if (fields.field === 6) timeMs = fields.signed();
      else if ((fields.field === 2 && type === GAUGE) || (fields.field === 3 && type === COUNTER) || (fields.field === 5 && type === UNTYPED)) {
        const inner = fields.message();
        while (inner.next()) {
          if (inner.field === 1) value = inner.double();
          else if (inner.field === 2 && type === COUNTER) exemplar = readExemplar(inner.message());
          else inner.skip();
        }
      } else if (fields.field === 4 || fields.field === 7) compound = fields.message();
      else fields.skip();
    }
    if (timeMs === 0) timeMs = null;
    if (type === SUMMARY) this.#summary(compound, name, labels, timeMs);
    else if (type > UNTYPED) this.#histogram(compound, name, labels, timeMs);
    else this.#line(name, labels, number(value), timeMs, exemplar);
  }

  #summary(fields: Fields | null, name: string, labels: [string, string][], timeMs: number | null): void {
    let count = 0;
    let sum = 0;
    const quantiles: [number, number][] = [];
    while (fields?.next()) {
      if (fields.field === 1) count = fields.varint();
      else if (fields.field === 2) sum = fields.double();
      else if (fields.field === 3) {
        const inner = fields.message();
        const entry: [number, number] = [0, 0];
        while (inner.next()) {
          if (inner.field === 1 || inner.field === 2) entry[inner.field - 1] = inner.double();
          else inner.skip();
        }
        quantiles.push(entry);
      } else fields.skip();
    }
    this.#line(`${name}_count`, labels, number(count), timeMs, null);
    this.#line(`${name}_sum`, labels, number(sum), timeMs, null);
    for (const [quantile, value] of quantiles) this.#line(name, [...labels, ['quantile', formatLabelFloat(quantile)]], number(value), timeMs, null);
  }

  #histogram(fields: Fields | null, name: string, labels: [string, string][], timeMs: number | null): void {
    const parts = readHistogram(fields);
    const isNative =
      this.#options.native && (parts.positiveSpans.length > 0 || parts.negativeSpans.length > 0 || parts.zeroThreshold > 0 || parts.zeroCount > 0);
    if (isNative) {
      this.#line(name, labels, `H${this.histograms.length}`, timeMs, null);
      this.histograms.push(toNative(parts));
      if (!this.#options.classicToo || parts.buckets.length === 0) return;
    }
    this.#line(`${name}_count`, labels, number(parts.count), timeMs, null);
    this.#line(`${name}_sum`, labels, number(parts.sum), timeMs, null);
    for (const bucket of parts.buckets)
      this.#line(`${name}_bucket`, [...labels, ['le', formatLabelFloat(bucket.bound)]], number(bucket.count), timeMs, bucket.exemplar);
    if (parts.buckets.at(-1)?.bound !== Number.POSITIVE_INFINITY) this.#line(`${name}_bucket`, [...labels, ['le', '+Inf']], number(parts.count), timeMs, null);
  }

  #line(name: string, labels: readonly [string, string][], value: string, timeMs: number | null, exemplar: ParsedExemplar | null): void {
    this.lines.push(seriesLine(name, labels, value, timeMs, exemplar));
  }
}

/** One line of the transcoded form. */
export function seriesLine(name: string, labels: readonly [string, string][], value: string, timeMs: number | null, exemplar: ParsedExemplar | null): string {
  let line = `${series(name, labels)} ${value}`;
  if (timeMs !== null) line += ` ${timeMs}`;
  if (exemplar !== null) {
    const pairs: string[] = [];
    for (let i = 0; i < exemplar.labels.length; i += 2) pairs.push(`${labelName(exemplar.labels[i]!)}="${exemplar.labels[i + 1]!.replace(/[\n"\\]/g, ' ')}"`);
    line += ` # {${pairs.join(',')}} ${number(exemplar.value)}${Number.isNaN(exemplar.timeMs) ? '' : ` ${exemplar.timeMs}`}`;
  }
  return `${line}\n`;
}

function series(name: string, labels: readonly [string, string][]): string {
  const pairs = labels.map(([label, value]) => `${labelName(label)}="${escapeText(value)}"`);
  if (LEGACY_METRIC.test(name)) return pairs.length === 0 ? name : `${name}{${pairs.join(',')}}`;
  return `{${[`"${escapeText(name)}"`, ...pairs].join(',')}}`;
}
function labelName(name: string): string {
  return LEGACY_LABEL.test(name) ? name : `"${escapeText(name)}"`;
}
function escapeText(text: string): string {
  return /[\\"\n]/.test(text) ? text.replace(/[\\"\n]/g, (code) => (code === '\n' ? '\\n' : `\\${code}`)) : text;
}
function number(value: number): string {
  return value === Number.POSITIVE_INFINITY ? '+Inf' : value === Number.NEGATIVE_INFINITY ? '-Inf' : Object.is(value, -0) ? '-0' : String(value);
}

function pair(fields: Fields): [string, string] {
  const labels: [string, string] = ['', ''];
  while (fields.next()) {
    if (fields.field === 1 || fields.field === 2) labels[fields.field - 1] = fields.text();
    else fields.skip();
  }
  return labels;
}

function readExemplar(fields: Fields): ParsedExemplar {
  const labels: string[] = [];
  let value = 0;
  let timeMs = Number.NaN;
  while (fields.next()) {
    if (fields.field === 1) labels.push(...pair(fields.message()));
    else if (fields.field === 2) value = fields.double();
    else if (fields.field === 3) {
      const time = fields.message();
      timeMs = 0;
      while (time.next()) {
        if (time.field === 1) timeMs += time.signed() * 1000;
        else if (time.field === 2) timeMs += Math.trunc(time.signed() / 1e6);
        else time.skip();
      }
    } else fields.skip();
  }
  return { labels, value, timeMs };
}

function readHistogram(fields: Fields | null): HistogramParts {
  const parts: HistogramParts = {
    count: 0,
    sum: 0,
    schema: null,
    zeroThreshold: 0,
    zeroCount: 0,
    buckets: [],
    positiveSpans: [],
    negativeSpans: [],
    positiveDeltas: [],
    negativeDeltas: [],
    positiveCounts: [],
    negativeCounts: [],
    exemplars: [],
  };
  const zigzag = (inner: Fields): number => inner.zigzag();
  const double = (inner: Fields): number => {
    inner.wire = 1;
    return inner.double();
  };
  while (fields?.next()) {
    switch (fields.field) {
      case 1:
        parts.count = fields.varint();
        break;
      case 2:
        parts.sum = fields.double();
        break;
      case 3:
        parts.buckets.push(readBucket(fields.message()));
        break;
      case 4: {
        const float = fields.double();
        if (float > 0) parts.count = float;
        break;
      }
      case 5:
        parts.schema = fields.zigzag();
        break;
      case 6:
        parts.zeroThreshold = fields.double();
        break;
      case 7:
        parts.zeroCount = fields.varint();
        break;
      case 8: {
        const float = fields.double();
        if (float > 0) parts.zeroCount = float;
        break;
      }
      case 9:
        parts.negativeSpans.push(readSpan(fields.message()));
        break;
      case 10:
        fields.repeated(parts.negativeDeltas, zigzag);
        break;
      case 11:
        fields.repeated(parts.negativeCounts, double);
        break;
      case 12:
        parts.positiveSpans.push(readSpan(fields.message()));
        break;
      case 13:
        fields.repeated(parts.positiveDeltas, zigzag);
        break;
      case 14:
        fields.repeated(parts.positiveCounts, double);
        break;
      case 16:
        parts.exemplars.push(readExemplar(fields.message()));
        break;
      default:
        fields.skip();
    }
  }
  return parts;
}

function readBucket(fields: Fields): HistogramParts['buckets'][number] {
  let bound = 0;
  let count = 0;
  let exemplar: ParsedExemplar | null = null;
  while (fields.next()) {
    if (fields.field === 1) count = fields.varint();
    else if (fields.field === 2) bound = fields.double();
    else if (fields.field === 3) exemplar = readExemplar(fields.message());
    else if (fields.field === 4) count = fields.double() || count;
    else fields.skip();
  }
  return { bound, count, exemplar };
}

function readSpan(fields: Fields): [number, number] {
  const span: [number, number] = [0, 0];
  while (fields.next()) {
    if (fields.field === 1) span[0] = fields.zigzag();
    else if (fields.field === 2) span[1] = fields.varint();
    else fields.skip();
  }
  return span;
}

function toNative(parts: HistogramParts): NativeHistogram {
  const exemplars = parts.exemplars.length > 0 ? parts.exemplars : parts.buckets.map((bucket) => bucket.exemplar).filter((exemplar) => exemplar !== null);
  const schema = parts.schema ?? 0;
  if (schema < -4 || schema > 8) throw broken(`native histogram schema ${schema}`);
  return {
    schema,
    zeroThreshold: parts.zeroThreshold,
    zeroCount: parts.zeroCount,
    count: parts.count,
    sum: parts.sum,
    positive: toSpans(parts.positiveSpans, parts.positiveDeltas, parts.positiveCounts),
    negative: toSpans(parts.negativeSpans, parts.negativeDeltas, parts.negativeCounts),
    customBounds: [],
    exemplars: exemplars.filter((exemplar) => !Number.isNaN(exemplar.timeMs)),
  };
}

/** Absolute counts without empty buckets, as Prometheus compacts them. */
function toSpans(spans: readonly [number, number][], deltas: readonly number[], floats: readonly number[]): Spans {
  const kept: [number, number][] = [];
  const counts: number[] = [];
  let index = 0;
  let end = 0;
  let next = 0;
  let count = 0;
  for (const [offset, length] of spans) {
    index += offset;
    for (let k = 0; k < length && next < Math.max(deltas.length, floats.length); k++, index++, next++) {
      count = floats.length > 0 ? floats[next]! : count + deltas[next]!;
      if (count === 0) continue;
      const last = kept.at(-1);
      if (last !== undefined && index === end) last[1]++;
      else kept.push([index - end, 1]);
      counts.push(count);
      end = index + 1;
    }
  }
  return { spans: kept, counts };
}
