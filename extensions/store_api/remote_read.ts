/**
 * /api/v1/read: series by matchers, as samples in one snappy block, or as a stream of frames with the chunks as they are stored. Chunks are
 * sent whole: their samples may reach beyond the asked range, as Prometheus's do.
 */
import { PermanentError } from '#src/core/errors.ts';
import { type Matcher, type MatchOperator, type NativeHistogram, newColumns, type SampleColumns, type SeriesSet } from '#src/core/series.ts';
import type { HttpReply, HttpRequest } from '#src/net/http_server.ts';
import { compileMatcher } from '#src/core/matcher.ts';
import type { StoreExtension } from '#src/store/store.ts';
import { crc32c } from '#src/wire/crc32c.ts';
import { ProtoReader } from '#src/wire/proto_reader.ts';
import { ProtoWriter } from '#src/wire/proto_writer.ts';
import { snappyDecode, snappyEncode } from '#src/wire/snappy.ts';
import { openQuerier, readTenants } from './tenants.ts';

const OPERATORS: readonly MatchOperator[] = ['=', '!=', '=~', '!~'];
const SAMPLES = 0;
const STREAMED_XOR_CHUNKS = 1;
const MOST_REQUEST_BYTES = 4 << 20;
/** Samples of one answer that is not streamed. */
const MOST_SAMPLES = 50_000_000;

interface ReadQuery {
  startMs: number;
  endMs: number;
  matchers: Matcher[];
}
interface ChunkSeries extends SeriesSet {
  chunks(index: number, minTimeMs: number, maxTimeMs: number): { encoding: number; bytes: Uint8Array; minTimeMs: number; maxTimeMs: number }[];
}
function hasChunks(set: SeriesSet): set is ChunkSeries {
  return typeof (set as Partial<ChunkSeries>).chunks === 'function';
}

export class RemoteReadHandler {
  readonly #store: () => StoreExtension;
  readonly #maxFrameBytes: number;
  constructor(store: () => StoreExtension, maxFrameBytes: number) {
    this.#store = store;
    this.#maxFrameBytes = maxFrameBytes;
  }

  readonly read = async (request: HttpRequest): Promise<HttpReply> => {
    let parsed: { queries: ReadQuery[]; accepted: number[] };
    try {
      parsed = parseRequest(snappyDecode(await request.rawBody(), MOST_REQUEST_BYTES));
    } catch (error) {
      return { status: 400, headers: { 'Content-Type': 'text/plain; charset=utf-8' }, body: `${(error as Error).message}\n` };
    }
    const tenants = readTenants(request);
    const { queries, accepted } = parsed;
    const type = accepted.find((one) => one === SAMPLES || one === STREAMED_XOR_CHUNKS) ?? SAMPLES;
    // Chunks carry no labels of tenants, so several tenants are answered with samples.
    if (type === STREAMED_XOR_CHUNKS && tenants.length === 1) {
      return {
        status: 200,
        headers: { 'Content-Type': 'application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse' },
        body: this.#frames(tenants, queries, request.signal),
      };
    }
    const body = snappyEncode(await this.#samples(tenants, queries));
    return { status: 200, headers: { 'Content-Type': 'application/x-protobuf', 'Content-Encoding': 'snappy' }, body };
  };

  async #samples(tenants: readonly string[], queries: readonly ReadQuery[]): Promise<Buffer> {
    const out = new ProtoWriter(1 << 16);
    const columns = newColumns();
    let samples = 0;
    for (const { startMs, endMs, matchers } of queries) {
      const querier = openQuerier(this.#store(), tenants, startMs, endMs);
      try {
        const set = await querier.select(matchers, startMs, endMs);
        const result = out.open(1);
        for (let i = 0; i < set.length; i++) {
          columns.count = 0;
          columns.histograms = null;
          set.read(i, startMs, endMs, columns);
          if (columns.count === 0) continue;
          samples += columns.count;
          if (samples > MOST_SAMPLES) throw new PermanentError(`exceeded sample limit (${MOST_SAMPLES})`);
          const series = out.open(1);
          writeLabels(out, set.labels(i));
          writeSamples(out, columns);
          out.close(series);
        }
        out.close(result);
      } finally {
        querier.close();
      }
    }
    return out.written();
  }

  async *#frames(tenants: readonly string[], queries: readonly ReadQuery[], signal: AbortSignal): AsyncGenerator<Uint8Array> {
    for (const [index, { startMs, endMs, matchers }] of queries.entries()) {
      const querier = openQuerier(this.#store(), tenants, startMs, endMs);
      try {
        const set = await querier.select(matchers, startMs, endMs);
        for (let i = 0; i < set.length && !signal.aborted; i++) {
          const chunks = hasChunks(set) ? set.chunks(i, startMs, endMs) : [];
          for (let from = 0; from < chunks.length; ) {
            const out = new ProtoWriter(1 << 14);
            const series = out.open(1);
            writeLabels(out, set.labels(i));
            while (from < chunks.length) {
              const chunk = chunks[from]!;
              if (out.length + chunk.bytes.length > this.#maxFrameBytes && out.length > 1024) break;
              const at = out.open(2);
              out.int(1, chunk.minTimeMs);
              out.int(2, chunk.maxTimeMs);
              out.int(3, chunk.encoding);
              out.bytes(4, chunk.bytes);
              out.close(at);
              from++;
            }
            out.close(series);
            out.int(2, index);
            yield frame(out.written());
          }
        }
      } finally {
        querier.close();
      }
    }
  }
}

/** Length, checksum, message. */
function frame(message: Uint8Array): Buffer {
  const head: number[] = [];
  let size = message.length;
  for (; size > 127; size >>>= 7) head.push((size & 127) | 128);
  head.push(size);
  const out = Buffer.alloc(head.length + 4 + message.length);
  out.set(head);
  out.writeUInt32BE(crc32c(message) >>> 0, head.length);
  out.set(message, head.length + 4);
  return out;
}

function parseRequest(bytes: Uint8Array): { queries: ReadQuery[]; accepted: number[] } {
  const reader = new ProtoReader(bytes);
  const queries: ReadQuery[] = [];
  const accepted: number[] = [];
  while (reader.at < reader.end) {
    const tag = reader.tag();
    if (tag === 10) {
      const end = reader.message();
      queries.push(parseQuery(reader, end));
    } else if (tag === 18) {
      const end = reader.message();
      while (reader.at < end) accepted.push(reader.uint32(end));
    } else if (tag === 16) accepted.push(reader.uint32());
    else reader.skipLast();
  }
  return { queries, accepted };
}

function parseQuery(reader: ProtoReader, end: number): ReadQuery {
  const query: ReadQuery = { startMs: 0, endMs: 0, matchers: [] };
  while (reader.at < end) {
    const tag = reader.tag(end);
    if (tag === 8) query.startMs = reader.int64Number(end);
    else if (tag === 16) query.endMs = reader.int64Number(end);
    else if (tag === 26) query.matchers.push(parseMatcher(reader, reader.message(end)));
    else reader.skipLast(end);
  }
  return query;
}

function parseMatcher(reader: ProtoReader, end: number): Matcher {
  let type = 0;
  let name = '';
  let value = '';
  while (reader.at < end) {
    const tag = reader.tag(end);
    if (tag === 8) type = reader.uint32(end);
    else if (tag === 18) name = reader.text(end);
    else if (tag === 26) value = reader.text(end);
    else reader.skipLast(end);
  }
  const op = OPERATORS[type];
  if (op === undefined) throw new PermanentError('invalid matcher type');
  const matcher = { name, op, value };
  compileMatcher(matcher); // Throws where a pattern is wrong.
  return matcher;
}

function writeLabels(out: ProtoWriter, labels: readonly string[]): void {
  for (let i = 0; i < labels.length; i += 2) {
    const at = out.open(1);
    out.text(1, labels[i]!);
    out.text(2, labels[i + 1]!);
    out.close(at);
  }
}

function writeSamples(out: ProtoWriter, columns: SampleColumns): void {
  const { count, times, histograms, valueBits } = columns;
  for (let i = 0; i < count; i++) {
    const h = histograms?.[i];
    if (h !== null && h !== undefined) {
      writeHistogram(out, h, times[i]!, valueBits[2 * i]! | 0, valueBits[2 * i + 1]! | 0);
      continue;
    }
    const at = out.open(2);
    out.fixed64(1, valueBits[2 * i]! | 0, valueBits[2 * i + 1]! | 0); // As words: a staleness marker keeps its bits.
    out.int(2, times[i]!);
    out.close(at);
  }
}

/** Zeros are left out, as gogoproto does. The sum comes as words, because a staleness marker is one. */
function writeHistogram(out: ProtoWriter, h: NativeHistogram, timeMs: number, sumLow: number, sumHigh: number): void {
  const at = out.open(4);
  if (h.integer) out.int(1, h.count);
  else out.double(2, h.count);
  if ((sumLow | sumHigh) !== 0) out.fixed64(3, sumLow, sumHigh);
  if (h.schema !== 0) out.sint32(4, h.schema);
  if (h.zeroThreshold !== 0) out.double(5, h.zeroThreshold);
  if (h.integer) out.int(6, h.zeroCount);
  else out.double(7, h.zeroCount);
  for (const [spanField, spans, counts] of [
    [8, h.negativeSpans, h.negativeBuckets],
    [11, h.positiveSpans, h.positiveBuckets],
  ] as const) {
    for (const span of spans) {
      const mark = out.open(spanField);
      out.sint32(1, span.offset);
      out.int(2, span.length);
      out.close(mark);
    }
    if (counts.length === 0) continue;
    const mark = out.open(spanField + (h.integer ? 1 : 2));
    let before = 0;
    for (const count of counts) {
      if (h.integer) {
        const delta = count - before; // Between neighbours, zigzag.
        out.varint64(delta < 0 ? -2 * delta - 1 : 2 * delta);
        before = count;
      } else out.rawDouble(count);
    }
    out.close(mark);
  }
  if (h.counterResetHint !== 0) out.int(14, h.counterResetHint);
  if (timeMs !== 0) out.int(15, timeMs);
  if (h.customValues.length > 0) {
    const mark = out.open(16);
    for (const bound of h.customValues) out.rawDouble(bound);
    out.close(mark);
  }
  out.close(at);
}
