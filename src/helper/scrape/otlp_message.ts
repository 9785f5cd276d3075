/**
 * Encodes the grouped samples of a scrape as one OTLP MetricsData message, and remembers where its numbers are, so that the next scrape of the same
 * lines only writes new numbers into it (patch) and hands out a copy. Fields are in ascending order; value and times of a point are at fixed distances:
 * "... 19 time(8) 21 value(8) attributes". Exponential histograms are encoded anew each time.
 */
import { ProtoWriter } from '#src/wire/proto_writer.ts';
import { putVarint, varintSize } from '#src/wire/bytes.ts';
import { putCount, putSeconds, putTime, putValue } from './bits.ts';
import { copyBytes, viewOf } from './words.ts';
import { EXPONENTIAL, type Family, type FamilyGrouper, GAUGE, GAUGES_OF_FAMILY, HISTOGRAM, type Place, type PointExemplar, SUM, SUMMARY } from './families.ts';
import { trimSuffixes, unitToUcum } from './metadata.ts';
import { CUSTOM_BUCKETS, denseBuckets, type NativeHistogram } from './native_histogram.ts';

/** What patch() has to do beyond plain values: operations of one header each in an Int32Array. */
const HISTOGRAM_OP = 0; // [op, timeAt, count sample, countAt, total sample, totalAt, bucketsAt, number of bounds, sample of each bound ...]
const SUMMARY_OP = 1; // the same, with quantile values at bucketsAt, 20 bytes apart
const START_OP = 2; // [op, startAt, created sample]
const EXEMPLAR_OP = 3; // [op, timeAt, sample]

export interface MessageOptions {
  readonly scopeName: string;
  readonly scopeVersion: string;
  readonly trimSuffixes: boolean;
  /** Attributes of the resource for job and instance. */
  resource(job: string, instance: string): [string, string][];
}

/** The kept message and where to write. */
export interface Message {
  readonly bytes: Buffer<ArrayBuffer>;
  readonly view: DataView;
  readonly pointCount: number;
  /** Offset of the value of each sample that is a point by itself, or -1. Its time is 9 bytes before. */
  readonly valueAt: Int32Array;
  readonly operations: Int32Array;
  /** Whether patch() covers all of it. */
  readonly patchable: boolean;
  /** Stands for what a patch leaves as it is (BatchOrigin.layout); null where there are exemplars, which are read again each time. */
  readonly layout: object | null;
  /** Somebody reads the bytes: they must not be patched now. */
  lent: boolean;
}

/** Values by sample; `times` is null where no line has a timestamp, else NaN is "none". */
export interface SampleValues {
  readonly values: Float64Array;
  readonly times: Float64Array | null;
  readonly defaultTimeMs: number;
}

const scratch = new ProtoWriter(4096);
const F64 = new Float64Array(1);
const F64_VIEW = new DataView(F64.buffer);

/** Attributes that resource and scope get from target_info and otel_scope_info, by "job\0instance" and by scope key. */
export interface Infos {
  readonly resources: ReadonlyMap<string, Map<string, string>>;
  readonly scopes: ReadonlyMap<string, readonly (readonly [string, string])[]>;
}
export const resourceKey = (place: Place): string => `${place.job}\0${place.instance}`;
/** Attributes of an info metric belong to the scope without label attributes. */
export const scopeInfoKey = (place: Place): string => `${place.job}\0${place.instance}\0${place.scope.name}\0${place.scope.version}\0${place.scope.schemaUrl}`;

class Encoder {
  grouper!: FamilyGrouper;
  samples!: SampleValues;
  attributes!: DataView;
  bytes: Buffer = Buffer.alloc(0);
  view: DataView = viewOf(this.bytes);
  pos = 0;
  valueAt = new Int32Array(0);
  operations: number[] = [];
  buckets = new Map<number, Int32Array>();
  blobs = new Map<number, Buffer>();
  patchable = true;

  timeOf(sample: number): number {
    const { times } = this.samples;
    const time = times === null ? Number.NaN : times[sample]!;
    return Number.isNaN(time) ? this.samples.defaultTimeMs : time;
  }

  /** Size of the point's message, kept in points.size; 0: the point is left out. */
  measure(point: number, family: Family): number {
    const { points, histograms, exemplars } = this.grouper;
    const stale = points.stale[point] === 1;
    if (points.value[point] === -1) return 0;
    let size = points.attributesSize[point]! + 9 + (stale ? 2 : 0) + (points.created[point]! >= 0 && this.#started(point, family) ? 9 : 0);
    const native = histograms.get(point);
    if (native !== undefined || family.kind === EXPONENTIAL) {
      this.patchable = false;
      return this.#native(point, family, native, exemplars.get(point) ?? []);
    }
    if (family.kind === HISTOGRAM || family.kind === SUMMARY) {
      const bounds = this.#sortBuckets(point, family.kind === HISTOGRAM);
      if (!stale) size += 9 + (points.total[point]! >= 0 ? 9 : 0);
      if (family.kind === SUMMARY) return size + 20 * bounds.length;
      const counts = 8 * (bounds.length + 1);
      size += 1 + varintSize(counts) + counts;
      if (bounds.length > 0) size += 1 + varintSize(8 * bounds.length) + 8 * bounds.length;
    } else if (!stale) size += 9;
    const list = exemplars.size === 0 ? undefined : exemplars.get(point);
    if (list !== undefined) size += this.#exemplarBlob(point, list, family.kind === HISTOGRAM ? 8 : 5).length;
    return size;
  }

  #started(point: number, family: Family): boolean {
    if (family.kind === GAUGE || family.kind === GAUGES_OF_FAMILY) return false;
    if (this.samples.values[this.grouper.points.created[point]!] !== 0) return true;
    this.patchable = false; // The time may come later, and would need room.
    return false;
  }

  /** The bounds of a histogram without +Inf, or the quantiles of a summary, as sample indices in ascending order. */
  #sortBuckets(point: number, isHistogram: boolean): Int32Array {
    const { points, nextBucket, columns } = this.grouper;
    const list: number[] = [];
    for (let k = points.firstBucket[point]!; k >= 0; k = nextBucket[k]!) list.push(k);
    list.sort((a, b) => columns.bound[a]! - columns.bound[b]! || a - b);
    if (isHistogram && list.length > 0 && columns.bound[list.at(-1)!] === Number.POSITIVE_INFINITY) list.pop();
    const sorted = Int32Array.from(list);
    this.buckets.set(point, sorted);
    return sorted;
  }

  #exemplarBlob(point: number, list: readonly PointExemplar[], field: number): Buffer {
    scratch.reset();
    for (const { exemplar, sample } of list)
      writeExemplar(exemplar.labels, exemplar.value, Number.isNaN(exemplar.timeMs) ? this.timeOf(sample) : exemplar.timeMs, field);
    const blob = scratch.finish();
    this.blobs.set(point, blob);
    return blob;
  }

  #native(point: number, family: Family, native: NativeHistogram | undefined, exemplars: readonly PointExemplar[]): number {
    const { points } = this.grouper;
    const stale = points.stale[point] === 1 || native === undefined;
    scratch.reset();
    const attributes = Buffer.alloc(points.attributesSize[point]!);
    copyBytes(this.attributes, points.attributesAt[point]!, viewOf(attributes), 0, attributes.length);
    retag(attributes, 0, attributes.length, family.kind === HISTOGRAM ? 0x4a : 0x0a);
    scratch.timeFromMs(3, points.time[point]!);
    if (family.kind === HISTOGRAM) {
      if (native !== undefined && !writeCustomBuckets(native)) return 0;
      for (const { exemplar } of exemplars) writeExemplar(exemplar.labels, exemplar.value, exemplar.timeMs, 8);
      scratch.raw(attributes);
      if (stale) scratch.int(10, 1);
    } else {
      scratch.raw(attributes);
      if (stale) scratch.int(10, 1);
      else if (!writeExponential(native)) return 0;
      for (const { exemplar } of exemplars) writeExemplar(exemplar.labels, exemplar.value, exemplar.timeMs, 11);
    }
    const blob = scratch.finish();
    this.blobs.set(point, blob);
    return blob.length;
  }

  writePoint(point: number, family: Family): void {
    const { points, histograms } = this.grouper;
    const { values } = this.samples;
    const { bytes, view } = this;
    const kind = family.kind;
    if (kind === EXPONENTIAL || (histograms.size > 0 && histograms.has(point))) {
      this.#writeBlob(this.blobs.get(point)!);
      return;
    }
    const stale = points.stale[point] === 1;
    const created = points.created[point]!;
    if (created >= 0 && this.#started(point, family)) {
      bytes[this.pos] = 0x11;
      putSeconds(view, this.pos + 1, values[created]!);
      this.operations.push(START_OP, this.pos + 1, created);
      this.pos += 9;
    }
    const timeAt = this.pos + 1;
    bytes[this.pos] = 0x19;
    putTime(view, timeAt, points.time[point]!);
    this.pos += 9;
    if (kind === HISTOGRAM || kind === SUMMARY) this.#writeCompound(point, kind === HISTOGRAM, stale, timeAt);
    else if (!stale) {
      const sample = points.value[point]!;
      bytes[this.pos] = 0x21;
      putValue(view, this.pos + 1, values[sample]!);
      this.valueAt[sample] = this.pos + 1;
      this.pos += 9;
    }
    if (this.blobs.size > 0) {
      const blob = this.blobs.get(point);
      if (blob !== undefined) this.#writeExemplars(point, blob);
    }
    const size = points.attributesSize[point]!;
    copyBytes(this.attributes, points.attributesAt[point]!, view, this.pos, size);
    if (kind === HISTOGRAM) retag(bytes, this.pos, this.pos + size, 0x4a);
    this.pos += size;
    if (stale) {
      bytes[this.pos] = kind === HISTOGRAM ? 0x50 : 0x40;
      bytes[this.pos + 1] = 1;
      this.pos += 2;
    }
  }

  #writeCompound(point: number, isHistogram: boolean, stale: boolean, timeAt: number): void {
    const { points, columns } = this.grouper;
    const { bytes, view } = this;
    const bounds = this.buckets.get(point)!;
    const count = points.value[point]!;
    const total = points.total[point]!;
    let countAt = -1;
    let totalAt = -1;
    if (!stale) {
      bytes[this.pos] = 0x21;
      countAt = this.pos + 1;
      this.pos += 9;
      if (total >= 0) {
        bytes[this.pos] = 0x29;
        totalAt = this.pos + 1;
        this.pos += 9;
      }
    }
    let bucketsAt = this.pos;
    if (isHistogram) {
      const size = 8 * (bounds.length + 1);
      bytes[this.pos] = 0x32;
      bucketsAt = putVarint(bytes, this.pos + 1, size);
      bytes.fill(0, bucketsAt, bucketsAt + size);
      this.pos = bucketsAt + size;
      if (bounds.length > 0) {
        bytes[this.pos] = 0x3a;
        this.pos = putVarint(bytes, this.pos + 1, 8 * bounds.length);
        for (let i = 0; i < bounds.length; i++, this.pos += 8) view.setFloat64(this.pos, columns.bound[bounds[i]!]!, true);
      }
    } else {
      for (let i = 0; i < bounds.length; i++, this.pos += 20) {
        bytes[this.pos] = 0x32;
        bytes[this.pos + 1] = 18;
        bytes[this.pos + 2] = 0x09;
        view.setFloat64(this.pos + 3, columns.bound[bounds[i]!]!, true);
        bytes[this.pos + 11] = 0x11;
        view.setFloat64(this.pos + 12, 0, true);
      }
    }
    if (stale) return;
    const at = this.operations.length;
    this.operations.push(isHistogram ? HISTOGRAM_OP : SUMMARY_OP, timeAt, count, countAt, total, totalAt, bucketsAt, bounds.length);
    for (let i = 0; i < bounds.length; i++) this.operations.push(bounds[i]!);
    runCompound(Int32Array.from(this.operations.slice(at)), 0, this.view, this.samples.values);
  }

  /** The exemplars of a point; those without a time of their own have their sample's, which changes. */
  #writeExemplars(point: number, blob: Buffer): void {
    const list = this.grouper.exemplars.get(point)!;
    let pos = 0;
    for (const { exemplar, sample } of list) {
      const size = blobSize(blob, pos + 1);
      const start = pos + 1 + varintSize(size);
      if (Number.isNaN(exemplar.timeMs)) this.operations.push(EXEMPLAR_OP, this.pos + start + 1, sample); // The time is the first field.
      pos = start + size;
    }
    this.#writeBlob(blob);
  }

  #writeBlob(blob: Buffer): void {
    blob.copy(this.bytes, this.pos);
    this.pos += blob.length;
  }
}

function blobSize(bytes: Buffer, at: number): number {
  let size = 0;
  for (let i = at, shift = 0; ; i++, shift += 7) {
    size |= (bytes[i]! & 127) << shift;
    if (bytes[i]! < 128) return size;
  }
}

/** Gives every attribute in bytes[from, to) another one-byte tag. */
function retag(bytes: Buffer, from: number, to: number, tag: number): void {
  for (let pos = from; pos < to; ) {
    bytes[pos] = tag;
    const size = blobSize(bytes, pos + 1);
    pos += 1 + varintSize(size) + size;
  }
}

function writeExemplar(labels: readonly string[], value: number, timeMs: number, field: number): void {
  const mark = scratch.open(field);
  scratch.timeFromMs(2, timeMs);
  scratch.double(3, value);
  let traceId: Buffer | null = null;
  let spanId: Buffer | null = null;
  const rest: string[] = [];
  for (let i = 0; i < labels.length; i += 2) {
    const name = labels[i]!.toLowerCase();
    const id = name === 'trace_id' ? idBytes(labels[i + 1]!, 16) : name === 'span_id' ? idBytes(labels[i + 1]!, 8) : null;
    if (id === null) rest.push(labels[i]!, labels[i + 1]!);
    else if (name === 'trace_id') traceId = id;
    else spanId = id;
  }
  if (spanId !== null) scratch.bytes(4, spanId);
  if (traceId !== null) scratch.bytes(5, traceId);
  for (let i = 0; i < rest.length; i += 2) writeAttribute(scratch, 7, rest[i]!, rest[i + 1]!);
  scratch.close(mark);
}

/** An id from hex, cut or filled with zeros in front to `size` bytes; null where it is no hex. */
function idBytes(hex: string, size: number): Buffer | null {
  const text = hex.slice(0, size * 2);
  if (text.length % 2 === 1 || !/^[0-9a-fA-F]*$/.test(text)) return null;
  return Buffer.from(text.padStart(size * 2, '0'), 'hex');
}

function writeAttribute(writer: ProtoWriter, field: number, name: string, value: string): void {
  const mark = writer.open(field);
  writer.text(1, name);
  const any = writer.open(2);
  writer.text(1, value);
  writer.close(any);
  writer.close(mark);
}

function writeExponential(histogram: NativeHistogram | undefined): boolean {
  if (histogram === undefined || histogram.schema === CUSTOM_BUCKETS) return false;
  const positive = denseBuckets(histogram.positive);
  const negative = denseBuckets(histogram.negative);
  if (positive === null || negative === null) return false;
  writeCount(4, histogram.count);
  scratch.double(5, histogram.sum);
  scratch.sint32(6, histogram.schema);
  writeCount(7, histogram.zeroCount);
  writeBuckets(8, positive, histogram.positive.spans.length > 0);
  writeBuckets(9, negative, histogram.negative.spans.length > 0);
  scratch.double(14, histogram.zeroThreshold);
  return true;
}

function writeBuckets(field: number, buckets: { offset: number; counts: number[] }, present: boolean): void {
  const mark = scratch.open(field);
  if (present) {
    scratch.sint32(1, buckets.offset);
    const counts = scratch.open(2);
    for (const count of buckets.counts) scratch.varint64(Math.max(0, Math.trunc(count)));
    scratch.close(counts);
  }
  scratch.close(mark);
}

function writeCustomBuckets(histogram: NativeHistogram): boolean {
  const bounds = histogram.customBounds;
  if (bounds.length === 0) return false;
  const counts = new Array<number>(bounds.length + 1).fill(0);
  let index = 0;
  let next = 0;
  for (const [offset, length] of histogram.positive.spans) {
    index += offset;
    for (let k = 0; k < length; k++, index++) if (index >= 0 && index < counts.length) counts[index] = histogram.positive.counts[next++] ?? 0;
  }
  writeCount(4, histogram.count);
  scratch.double(5, histogram.sum);
  const packedCounts = scratch.open(6);
  for (const count of counts) scratch.rawFixed64(Math.trunc(count));
  scratch.close(packedCounts);
  const packedBounds = scratch.open(7);
  for (const bound of bounds) scratch.rawDouble(bound);
  scratch.close(packedBounds);
  return true;
}

function writeCount(field: number, count: number): void {
  scratch.fixed64Value(field, Number.isFinite(count) ? Math.trunc(count) : 0);
}

interface MetricPlan {
  readonly family: Family;
  readonly head: Buffer;
  readonly tail: Buffer;
  readonly dataSize: number;
  readonly size: number;
}
interface ScopePlan {
  readonly head: Buffer;
  readonly tail: Buffer;
  readonly metrics: MetricPlan[];
  size: number;
}
interface ResourcePlan {
  readonly head: Buffer;
  readonly scopes: ScopePlan[];
  size: number;
}

const DATA_TAG = [0x2a, 0x3a, 0x4a, 0x5a, 0x52, 0x2a];
/** Behind the points: aggregation temporality cumulative, is_monotonic. */
const DATA_END = [Buffer.alloc(0), Buffer.from([0x10, 2]), Buffer.from([0x10, 2]), Buffer.alloc(0), Buffer.from([0x10, 2]), Buffer.alloc(0)];
const MONOTONIC_END = Buffer.from([0x10, 2, 0x18, 1]);
const framed = (size: number): number => 1 + varintSize(size) + size;

const encoder = new Encoder();

/** The whole message; null where it has no point. `sampleCount` is the size of `valueAt`. */
export function encodeMessage(
  grouper: FamilyGrouper,
  attributes: DataView,
  places: readonly Place[],
  samples: SampleValues,
  sampleCount: number,
  infos: Infos,
  options: MessageOptions,
): Message | null {
  encoder.grouper = grouper;
  encoder.samples = samples;
  encoder.attributes = attributes;
  encoder.operations = [];
  encoder.buckets.clear();
  encoder.blobs.clear();
  encoder.patchable = true;
  const resources = plan(grouper, places, infos, options);
  let size = 0;
  for (const resource of resources) size += framed(resource.size);
  const bytes = Buffer.allocUnsafeSlow(size);
  encoder.bytes = bytes;
  encoder.view = viewOf(bytes);
  encoder.pos = 0;
  encoder.valueAt = new Int32Array(sampleCount).fill(-1);
  let pointCount = 0;
  for (const resource of resources) pointCount += writeResource(resource);
  const message: Message = {
    bytes,
    view: encoder.view,
    pointCount,
    valueAt: encoder.valueAt,
    operations: Int32Array.from(encoder.operations),
    patchable: encoder.patchable,
    layout: encoder.patchable && encoder.blobs.size === 0 ? {} : null,
    lent: false,
  };
  encoder.buckets.clear();
  encoder.blobs.clear();
  encoder.valueAt = new Int32Array(0);
  encoder.bytes = Buffer.alloc(0);
  return pointCount === 0 ? null : message;
}

function plan(grouper: FamilyGrouper, places: readonly Place[], infos: Infos, options: MessageOptions): ResourcePlan[] {
  const resources = new Map<string, ResourcePlan>();
  for (let p = 0; p < places.length; p++) {
    const families = [...(grouper.families[p * 2]?.values() ?? []), ...(grouper.families[p * 2 + 1]?.values() ?? [])];
    const metrics: MetricPlan[] = [];
    let metricsSize = 0;
    for (const family of families) {
      const metric = planMetric(family, options.trimSuffixes);
      if (metric === null) continue;
      metrics.push(metric);
      metricsSize += framed(metric.size);
    }
    if (metrics.length === 0) continue;
    const place = places[p]!;
    const key = resourceKey(place);
    let resource = resources.get(key);
    if (resource === undefined) {
      const head = resourceField(place, infos, options);
      resource = { head, scopes: [], size: head.length };
      resources.set(key, resource);
    }
    const { head, tail } = scopeFields(place, infos, options);
    const size = head.length + metricsSize + tail.length;
    resource.scopes.push({ head, tail, metrics, size });
    resource.size += framed(size);
  }
  return [...resources.values()];
}

function planMetric(family: Family, trim: boolean): MetricPlan | null {
  const { points } = encoder.grouper;
  let dataSize = 0;
  for (let point = family.first; point >= 0; point = points.next[point]!) {
    const size = encoder.measure(point, family);
    points.size[point] = size;
    if (size > 0) dataSize += framed(size);
  }
  if (dataSize === 0) return null;
  const { metadata, kind } = family;
  dataSize += family.kind === SUM && family.monotonic ? MONOTONIC_END.length : DATA_END[kind]!.length;
  scratch.reset();
  scratch.text(1, trim ? trimSuffixes(family.name, kind === SUM, metadata.unit) : family.name);
  if (metadata.help !== '') scratch.text(2, metadata.help);
  if (metadata.unit !== '') scratch.text(3, unitToUcum(metadata.unit));
  const head = scratch.finish();
  scratch.reset();
  writeAttribute(scratch, 12, 'prometheus.type', metadata.type);
  const tail = scratch.finish();
  return { family, head, tail, dataSize, size: head.length + framed(dataSize) + tail.length };
}

function resourceField(place: Place, infos: Infos, options: MessageOptions): Buffer {
  const attributes = new Map(options.resource(place.job, place.instance));
  for (const [name, value] of infos.resources.get(resourceKey(place)) ?? []) attributes.set(name, value);
  const writer = new ProtoWriter(512);
  const mark = writer.open(1);
  for (const [name, value] of attributes) writeAttribute(writer, 1, name, value);
  writer.close(mark);
  return writer.finish();
}

function scopeFields(place: Place, infos: Infos, options: MessageOptions): { head: Buffer; tail: Buffer } {
  const { scope } = place;
  const isOwn = scope.name === '' && scope.version === '' && scope.schemaUrl === '' && scope.attributes.length === 0;
  const attributes = scope.attributes.length > 0 ? scope.attributes : (infos.scopes.get(scopeInfoKey(place)) ?? []);
  const writer = new ProtoWriter(256);
  const mark = writer.open(1);
  const name = isOwn ? options.scopeName : scope.name;
  const version = isOwn ? options.scopeVersion : scope.version;
  if (name !== '') writer.text(1, name);
  if (version !== '') writer.text(2, version);
  if (!isOwn) for (const [key, value] of attributes) writeAttribute(writer, 3, key, value);
  writer.close(mark);
  const head = writer.finish();
  writer.reset();
  if (scope.schemaUrl !== '') writer.text(3, scope.schemaUrl);
  return { head, tail: writer.finish() };
}

function writeResource(resource: ResourcePlan): number {
  const { bytes } = encoder;
  let pointCount = 0;
  frame(0x0a, resource.size);
  encoder.pos += resource.head.copy(bytes, encoder.pos);
  for (const scope of resource.scopes) {
    frame(0x12, scope.size);
    encoder.pos += scope.head.copy(bytes, encoder.pos);
    for (const metric of scope.metrics) pointCount += writeMetric(metric);
    encoder.pos += scope.tail.copy(bytes, encoder.pos);
  }
  return pointCount;
}

function writeMetric(metric: MetricPlan): number {
  const { bytes, grouper } = encoder;
  const { points } = grouper;
  const { family } = metric;
  let pointCount = 0;
  frame(0x12, metric.size);
  encoder.pos += metric.head.copy(bytes, encoder.pos);
  frame(DATA_TAG[family.kind]!, metric.dataSize);
  for (let point = family.first; point >= 0; point = points.next[point]!) {
    if (points.size[point] === 0) continue;
    frame(0x0a, points.size[point]!);
    encoder.writePoint(point, family);
    pointCount++;
  }
  const end = family.kind === SUM && family.monotonic ? MONOTONIC_END : DATA_END[family.kind]!;
  encoder.pos += end.copy(bytes, encoder.pos);
  encoder.pos += metric.tail.copy(bytes, encoder.pos);
  return pointCount;
}

function frame(tag: number, size: number): void {
  encoder.bytes[encoder.pos] = tag;
  encoder.pos = putVarint(encoder.bytes, encoder.pos + 1, size);
}

/**
 * Writes new numbers into the kept message. False where they need another layout (a start time that came or went, times that differ within a
 * histogram); what was written until then does not matter, the message is made anew.
 */
export function patchMessage(message: Message, samples: SampleValues, sampleCount: number): boolean {
  const { valueAt, view } = message;
  const { values, times, defaultTimeMs } = samples;
  putTime(F64_VIEW, 0, defaultTimeMs);
  const now = F64[0]!; // The bits of a time are those of a small double, never of a NaN.
  for (let k = 0; k < sampleCount; k++) {
    const at = valueAt[k]!;
    if (at < 0) continue;
    const value = values[k]!;
    if (Number.isNaN(value)) putValue(view, at, value);
    else view.setFloat64(at, value, true);
    if (times === null) view.setFloat64(at - 9, now, true);
    else {
      const time = times[k]!;
      if (Number.isNaN(time)) view.setFloat64(at - 9, now, true);
      else putTime(view, at - 9, time);
    }
  }
  return message.operations.length === 0 || runOperations(message, samples);
}

function runOperations(message: Message, samples: SampleValues): boolean {
  const { operations, view } = message;
  const { values, times, defaultTimeMs } = samples;
  for (let i = 0; i < operations.length; ) {
    const op = operations[i]!;
    if (op === START_OP) {
      const seconds = values[operations[i + 2]!]!;
      if (seconds === 0 || Number.isNaN(seconds)) return false;
      putSeconds(view, operations[i + 1]!, seconds);
      i += 3;
      continue;
    }
    const sample = operations[i + 2]!;
    const own = times === null ? Number.NaN : times[sample]!;
    putTime(view, operations[i + 1]!, Number.isNaN(own) ? defaultTimeMs : own);
    if (op === EXEMPLAR_OP) {
      i += 3;
      continue;
    }
    if (times !== null && !haveSameTime(operations, i, times)) return false;
    runCompound(operations, i, view, values);
    i += 8 + operations[i + 7]!;
  }
  return true;
}

function haveSameTime(operations: Int32Array, at: number, times: Float64Array): boolean {
  const time = times[operations[at + 2]!]!;
  const total = operations[at + 4]!;
  if (total >= 0 && !Object.is(times[total], time)) return false;
  for (let i = 0; i < operations[at + 7]!; i++) if (!Object.is(times[operations[at + 8 + i]!], time)) return false;
  return true;
}

/** Count, sum and buckets of a histogram, or quantiles of a summary. */
function runCompound(operations: Int32Array, at: number, view: DataView, values: Float64Array): void {
  const count = values[operations[at + 2]!]!;
  putCount(view, operations[at + 3]!, count);
  if (operations[at + 4]! >= 0) putValue(view, operations[at + 5]!, values[operations[at + 4]!]!);
  const bucketsAt = operations[at + 6]!;
  const bounds = operations[at + 7]!;
  if (operations[at] === SUMMARY_OP) {
    for (let i = 0; i < bounds; i++) putValue(view, bucketsAt + 20 * i + 12, values[operations[at + 8 + i]!]!);
    return;
  }
  let before = 0;
  for (let i = 0; i < bounds; i++) {
    const cumulative = values[operations[at + 8 + i]!]!;
    putCount(view, bucketsAt + 8 * i, cumulative - before);
    before = cumulative;
  }
  putCount(view, bucketsAt + 8 * bounds, count - before);
}
