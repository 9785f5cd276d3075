/**
 * Protobuf lets a message come in several pieces, which the reader merges: two `resource` fields in one ResourceSpans, two `gauge` fields in one
 * metric. Nobody writes that, so the walks refuse it with SplitMessage and begin anew on a copy in which the pieces are joined.
 */
import type { Signal } from '#src/core/batch.ts';
import { ProtoReader } from '#src/wire/proto_reader.ts';
import { ProtoWriter } from '#src/wire/proto_writer.ts';
import { METRIC } from './message_types.ts';

export class SplitMessage extends Error {}

/** The same message with every resource, scope and metric data in one piece. */
export function joinSplitMessages(signal: Signal, bytes: Buffer): Buffer {
  const writer = new ProtoWriter(bytes.length + 64);
  join(new ProtoReader(bytes), bytes.length, writer, 0, signal === 'metrics' ? 3 : 2);
  return writer.finish();
}

const DATA_FIELDS: readonly number[] = [METRIC.gauge, METRIC.sum, METRIC.histogram, METRIC.exponentialHistogram, METRIC.summary];

/** Depth 0 request, 1 resource group, 2 scope group, 3 metric. */
function join(reader: ProtoReader, end: number, writer: ProtoWriter, depth: number, deepest: number): void {
  const { buffer } = reader;
  const nested = depth === 0 ? 1 : 2;
  const single = depth === 0 ? [] : depth < 3 ? [1] : DATA_FIELDS;
  const pieces = new Map<number, [start: number, end: number][]>();
  while (reader.at < end) {
    const at = reader.at;
    const tag = reader.tag(end);
    const field = tag >>> 3;
    if ((tag & 7) === 2 && single.includes(field)) {
      const stop = reader.message(end);
      const list = pieces.get(field) ?? [];
      list.push([reader.at, stop]);
      pieces.set(field, list);
      reader.at = stop;
    } else if ((tag & 7) === 2 && field === nested && depth < deepest) {
      const stop = reader.message(end);
      const mark = writer.open(field, 3);
      join(reader, stop, writer, depth + 1, deepest);
      writer.close(mark);
    } else {
      reader.skipLast(end);
      writer.raw(buffer, at, reader.at);
    }
  }
  for (const [field, list] of pieces) {
    const mark = writer.open(field);
    for (const [from, to] of list) writer.raw(buffer, from, to);
    writer.close(mark);
  }
}
