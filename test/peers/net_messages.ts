/** Trace requests made by hand, so that the tests with network peers know every byte of what they send and how many spans that is. */

function varint(value: number): Buffer {
  const out: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) out.push((rest % 128) | 128);
  out.push(rest);
  return Buffer.from(out);
}
function field(number: number, ...parts: readonly Uint8Array[]): Buffer {
  const bytes = Buffer.concat(parts);
  return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes]);
}
const text = (value: string): Buffer => Buffer.from(value);
const attribute = (key: string, value: string): Buffer => Buffer.concat([field(1, text(key)), field(2, field(1, text(value)))]);

/** The bytes of an ExportTraceServiceRequest: `count` spans, the first with the id `firstId`, each with an attribute of `payloadBytes`. */
export function traceRequest(service: string, count: number, payloadBytes = 10, firstId = 1): Buffer {
  const payload = attribute('payload', 'x'.repeat(payloadBytes));
  const spans: Buffer[] = [];
  for (let i = 0; i < count; i++) {
    const traceId = Buffer.alloc(16, 7);
    const spanId = Buffer.alloc(8);
    spanId.writeDoubleBE(firstId + i);
    const times = Buffer.alloc(18);
    times[0] = 0x39; // start_time_unix_nano, fixed64
    times[9] = 0x41; // end_time_unix_nano
    times.writeBigUInt64LE(1_700_000_000_000_000_000n, 1);
    times.writeBigUInt64LE(1_700_000_001_000_000_000n, 10);
    spans.push(field(2, field(1, traceId), field(2, spanId), field(5, text(`span ${i}`)), times, field(9, payload)));
  }
  return field(1, field(1, field(1, attribute('service.name', service))), field(2, ...spans));
}

/** As the body of a gRPC call, not compressed. */
export function grpcBody(message: Uint8Array): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

export const TRACE_PATH = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';
