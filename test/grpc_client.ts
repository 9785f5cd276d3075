/** A gRPC client for tests on node:http2, independent of the program's own HTTP/2: unary calls, and messages framed as wrongly as a test wants. */
import { type ClientHttp2Session, connect, constants } from 'node:http2';

export const SERVICES = {
  traces: '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
  metrics: '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export',
  logs: '/opentelemetry.proto.collector.logs.v1.LogsService/Export',
} as const;

export interface GrpcAnswer {
  /** grpc-status; -1 when the stream ended without one. */
  readonly code: number;
  readonly message: string;
  readonly details: string | undefined;
  readonly body: Buffer;
}

/** Settles when connected. */
export function openSession(port: number): Promise<ClientHttp2Session> {
  return new Promise((resolve, reject) => {
    const session = connect(`http://127.0.0.1:${port}`, { settings: { initialWindowSize: 1 << 20 } });
    session.once('error', reject);
    session.once('connect', () => {
      session.off('error', reject);
      session.on('error', () => {}); // Told by the calls that were under way.
      resolve(session);
    });
  });
}

export function frame(message: Uint8Array, flag = 0, size = message.length): Buffer {
  const head = Buffer.alloc(5);
  head[0] = flag;
  head.writeUInt32BE(size, 1);
  return Buffer.concat([head, message]);
}

/** Sends the bytes as they are: a message comes from frame(). */
export function call(session: ClientHttp2Session, path: string, body: Uint8Array, headers: Readonly<Record<string, string>> = {}): Promise<GrpcAnswer> {
  return new Promise((resolve) => {
    const stream = session.request({
      [constants.HTTP2_HEADER_METHOD]: 'POST',
      [constants.HTTP2_HEADER_PATH]: path,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...headers,
    });
    let code = -1,
      message = '',
      details: string | undefined;
    const chunks: Buffer[] = [];
    const read = (fields: Readonly<Record<string, unknown>>): void => {
      if (fields['grpc-status'] === undefined) return;
      code = Number(fields['grpc-status']);
      message = decodeURIComponent(String(fields['grpc-message'] ?? ''));
      details = fields['grpc-status-details-bin'] as string | undefined;
    };
    stream.on('response', read);
    stream.on('trailers', read);
    stream.on('data', (chunk: Buffer) => void chunks.push(chunk));
    stream.on('error', (error) => void (message ||= error.message));
    stream.on('close', () => resolve({ code, message, details, body: Buffer.concat(chunks) }));
    stream.end(body);
  });
}
