/**
 * A client of Prometheus's remote read in both modes, on protobufjs and snappyjs and with an XOR decoder of its own: it shares no code with the program, so
 * that both sides of a comparison are read by a third party.
 */
import assert from 'node:assert/strict';
import protobuf from 'protobufjs';
import snappy from 'snappyjs';
import { http } from '#test/stage.ts';

const { root } = protobuf.parse(
  `
  syntax = "proto3";
  message ReadRequest { repeated Query queries = 1; repeated int32 accepted_response_types = 2; }
  message Query { int64 start_timestamp_ms = 1; int64 end_timestamp_ms = 2; repeated Matcher matchers = 3; }
  message Matcher { int32 type = 1; string name = 2; string value = 3; }
  message Label { string name = 1; string value = 2; }
  message ReadResponse { repeated QueryResult results = 1; }
  message QueryResult { repeated TimeSeries timeseries = 1; }
  message TimeSeries { repeated Label labels = 1; repeated Sample samples = 2; }
  message Sample { fixed64 value = 1; int64 timestamp = 2; }
  message ChunkedReadResponse { repeated ChunkedSeries chunked_series = 1; int64 query_index = 2; }
  message ChunkedSeries { repeated Label labels = 1; repeated Chunk chunks = 2; }
  message Chunk { int64 min_time_ms = 1; int64 max_time_ms = 2; int32 type = 3; bytes data = 4; }
`,
  { keepCase: true },
);

interface Label {
  readonly name: string;
  readonly value: string;
}
interface ReadResponse {
  readonly results: readonly {
    readonly timeseries: readonly { readonly labels: readonly Label[]; readonly samples: readonly { value: string; timestamp: string }[] }[];
  }[];
}
interface ChunkedReadResponse {
  readonly chunked_series: readonly { readonly labels: readonly Label[]; readonly chunks: readonly { readonly type: number; readonly data: Uint8Array }[] }[];
}

/** Series by their labels as JSON; a sample is "time bits", so that NaNs are told apart. */
export type Series = ReadonlyMap<string, readonly string[]>;
export type Matcher = readonly [type: '=' | '!=' | '=~' | '!~', name: string, value: string];

const MATCHER_TYPES = ['=', '!=', '=~', '!~'];
const XOR = 1;

/** All samples with startMs <= time <= endMs, in the mode asked for. */
export async function remoteRead(base: string, mode: 'samples' | 'streamed', matchers: readonly Matcher[], startMs: number, endMs: number): Promise<Series> {
  const type = root.lookupType('ReadRequest');
  const body = type
    .encode(
      type.fromObject({
        queries: [
          {
            start_timestamp_ms: startMs,
            end_timestamp_ms: endMs,
            matchers: matchers.map(([kind, name, value]) => ({ type: MATCHER_TYPES.indexOf(kind), name, value })),
          },
        ],
        accepted_response_types: [mode === 'samples' ? 0 : 1],
      }),
    )
    .finish();
  const answer = await http(`${base}/api/v1/read`, {
    headers: { 'Content-Type': 'application/x-protobuf', 'Content-Encoding': 'snappy', 'X-Prometheus-Remote-Read-Version': '0.1.0' },
    body: snappy.compress(body),
  });
  assert.equal(answer.status, 200, answer.body.toString());
  const wanted = mode === 'samples' ? 'application/x-protobuf' : 'application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse';
  assert.equal(answer.headers['content-type'], wanted);
  return mode === 'samples' ? readSamples(answer.body) : readFrames(answer.body, startMs, endMs);
}

function readSamples(body: Buffer): Series {
  const response = decode<ReadResponse>('ReadResponse', snappy.uncompress(body));
  return new Map(
    response.results[0]!.timeseries.map(({ labels, samples }) => [
      labelKey(labels),
      samples.map(({ timestamp, value }) => `${timestamp} ${BigInt(value).toString(16)}`),
    ]),
  );
}

/** Frames: size as varint, CRC32C big-endian (left to the store's own tests), message. A series may go on in the next frame. */
function readFrames(body: Buffer, startMs: number, endMs: number): Series {
  const all = new Map<string, string[]>();
  for (let at = 0; at < body.length; ) {
    let size = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = body[at++]!;
      size += (byte & 127) * 2 ** shift;
      if (byte < 128) break;
    }
    at += 4;
    for (const { labels, chunks } of decode<ChunkedReadResponse>('ChunkedReadResponse', body.subarray(at, at + size)).chunked_series) {
      const key = labelKey(labels),
        samples = all.get(key) ?? [];
      all.set(key, samples);
      for (const { type, data } of chunks) {
        assert.equal(type, XOR);
        for (const [time, bits] of decodeXorChunk(data)) if (time >= startMs && time <= endMs) samples.push(`${time} ${bits.toString(16)}`);
      }
    }
    at += size;
  }
  return all;
}

/** https://github.com/prometheus/prometheus/blob/main/tsdb/docs/format/chunks.md, bit by bit: slow and plain. */
function decodeXorChunk(data: Uint8Array): [number, bigint][] {
  let bit = 16;
  const take = (count: number): bigint => {
    let value = 0n;
    for (let i = 0; i < count; i++, bit++) value = (value << 1n) | BigInt((data[bit >> 3]! >> (7 - (bit & 7))) & 1);
    return value;
  };
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = take(8);
      value |= (byte & 127n) << shift;
      if (byte < 128n) return value;
    }
  };
  const ones = (most: number): number => {
    let count = 0;
    while (count < most && take(1) === 1n) count++;
    return count;
  };
  const samples: [number, bigint][] = [];
  const count = (data[0]! << 8) | data[1]!;
  let time = 0n,
    delta = 0n,
    bits = 0n,
    leading = 0,
    significant = 0;
  for (let i = 0; i < count; i++) {
    if (i === 0) {
      const zigzag = varint();
      time = (zigzag >> 1n) ^ -(zigzag & 1n);
      bits = take(64);
    } else {
      if (i === 1) delta = varint();
      else {
        const size = [0, 14, 17, 20, 64][ones(4)]!;
        const change = size === 0 ? 0n : take(size);
        delta += size === 64 ? BigInt.asIntN(64, change) : size > 0 && change > 1n << BigInt(size - 1) ? change - (1n << BigInt(size)) : change;
      }
      time += delta;
      const kind = ones(2);
      if (kind === 2) {
        leading = Number(take(5));
        significant = Number(take(6)) || 64;
      }
      if (kind > 0) bits ^= take(significant) << BigInt(64 - leading - significant);
    }
    samples.push([Number(time), bits]);
  }
  return samples;
}

function decode<Message>(name: string, bytes: Uint8Array): Message {
  const type = root.lookupType(name);
  return type.toObject(type.decode(bytes), { longs: String, arrays: true, defaults: true }) as Message;
}

const labelKey = (labels: readonly Label[]): string => JSON.stringify(labels.map(({ name, value }) => [name, value]));

export const sampleCount = (series: Series): number => [...series.values()].reduce((sum, samples) => sum + samples.length, 0);
