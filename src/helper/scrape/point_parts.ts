/** Parts of a point that have no fixed size: exemplars, and histograms with native or custom buckets. Written to a writer that the caller gives. */
import type { ProtoWriter } from '#src/wire/proto_writer.ts';
import { CUSTOM_BUCKETS, denseBuckets, type NativeHistogram } from './native_histogram.ts';

export function writeAttribute(writer: ProtoWriter, field: number, name: string, value: string): void {
  const mark = writer.open(field);
  writer.text(1, name);
  const any = writer.open(2);
  writer.text(1, value);
  writer.close(any);
  writer.close(mark);
}

export function writeExemplar(writer: ProtoWriter, labels: readonly string[], value: number, timeMs: number, field: number): void {
  const mark = writer.open(field);
  writer.timeFromMs(2, timeMs);
  writer.double(3, value);
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
  if (spanId !== null) writer.bytes(4, spanId);
  if (traceId !== null) writer.bytes(5, traceId);
  for (let i = 0; i < rest.length; i += 2) writeAttribute(writer, 7, rest[i]!, rest[i + 1]!);
  writer.close(mark);
}

/** An id from hex, cut or filled with zeros in front to `size` bytes; null where it is no hex. */
function idBytes(hex: string, size: number): Buffer | null {
  const text = hex.slice(0, size * 2);
  if (text.length % 2 === 1 || !/^[0-9a-fA-F]*$/.test(text)) return null;
  return Buffer.from(text.padStart(size * 2, '0'), 'hex');
}

/** False where it cannot be one. */
export function writeExponential(writer: ProtoWriter, histogram: NativeHistogram | undefined): boolean {
  if (histogram === undefined || histogram.schema === CUSTOM_BUCKETS) return false;
  const positive = denseBuckets(histogram.positive);
  const negative = denseBuckets(histogram.negative);
  if (positive === null || negative === null) return false;
  writeCount(writer, 4, histogram.count);
  writer.double(5, histogram.sum);
  writer.sint32(6, histogram.schema);
  writeCount(writer, 7, histogram.zeroCount);
  writeBuckets(writer, 8, positive, histogram.positive.spans.length > 0);
  writeBuckets(writer, 9, negative, histogram.negative.spans.length > 0);
  writer.double(14, histogram.zeroThreshold);
  return true;
}

function writeBuckets(writer: ProtoWriter, field: number, buckets: { offset: number; counts: number[] }, present: boolean): void {
  const mark = writer.open(field);
  if (present) {
    writer.sint32(1, buckets.offset);
    const counts = writer.open(2);
    for (const count of buckets.counts) writer.varint64(Math.max(0, Math.trunc(count)));
    writer.close(counts);
  }
  writer.close(mark);
}

/** An explicit histogram; false where there are no bounds. */
export function writeCustomBuckets(writer: ProtoWriter, histogram: NativeHistogram): boolean {
  const bounds = histogram.customBounds;
  if (bounds.length === 0) return false;
  const counts = new Array<number>(bounds.length + 1).fill(0);
  let index = 0;
  let next = 0;
  for (const [offset, length] of histogram.positive.spans) {
    index += offset;
    for (let k = 0; k < length; k++, index++) if (index >= 0 && index < counts.length) counts[index] = histogram.positive.counts[next++] ?? 0;
  }
  writeCount(writer, 4, histogram.count);
  writer.double(5, histogram.sum);
  const packedCounts = writer.open(6);
  for (const count of counts) writer.rawFixed64(Math.trunc(count));
  writer.close(packedCounts);
  const packedBounds = writer.open(7);
  for (const bound of bounds) writer.rawDouble(bound);
  writer.close(packedBounds);
  return true;
}

function writeCount(writer: ProtoWriter, field: number, count: number): void {
  writer.fixed64Value(field, Number.isFinite(count) ? Math.trunc(count) : 0);
}
