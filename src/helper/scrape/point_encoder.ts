/**
 * Writes data points: each is measured first, so that all lengths are known, then written into the message, with what the patch needs to find its
 * numbers again (kept_message.ts). Fields are in ascending order. Exponential histograms are encoded anew each time.
 */
import { putVarint, varintSize } from '#src/wire/bytes.ts';
import { ProtoWriter } from '#src/wire/proto_writer.ts';
import { putSeconds, putTime, putValue } from './bits.ts';
import { EXPONENTIAL, type Family, type FamilyGrouper, GAUGE, GAUGES_OF_FAMILY, HISTOGRAM, type PointExemplar, SUMMARY } from './families.ts';
import { EXEMPLAR_OP, HISTOGRAM_OP, runCompound, type SampleValues, START_OP, SUMMARY_OP } from './kept_message.ts';
import type { NativeHistogram } from './native_histogram.ts';
import { writeCustomBuckets, writeExemplar, writeExponential } from './point_parts.ts';
import { copyBytes, viewOf } from './words.ts';

const scratch = new ProtoWriter(4096);

export class PointEncoder {
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
      writeExemplar(scratch, exemplar.labels, exemplar.value, Number.isNaN(exemplar.timeMs) ? this.timeOf(sample) : exemplar.timeMs, field);
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
      if (native !== undefined && !writeCustomBuckets(scratch, native)) return 0;
      for (const { exemplar } of exemplars) writeExemplar(scratch, exemplar.labels, exemplar.value, exemplar.timeMs, 8);
      scratch.raw(attributes);
      if (stale) scratch.int(10, 1);
    } else {
      scratch.raw(attributes);
      if (stale) scratch.int(10, 1);
      else if (!writeExponential(scratch, native)) return 0;
      for (const { exemplar } of exemplars) writeExemplar(scratch, exemplar.labels, exemplar.value, exemplar.timeMs, 11);
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
