/**
 * OTLP over HTTP: a path for each signal, protobuf or JSON in, the same out; errors as google.rpc.Status in the request's form, with
 * Retry-After where the sender shall come again (https://opentelemetry.io/docs/specs/otlp/#otlphttp).
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { Packed } from '#src/core/batch.ts';
import { parseOtlpJson } from '#src/data/json_read.ts';
import { codeOfHttpStatus, encodeStatus, httpStatusOf, type Status, statusJson, statusOfError } from '#src/net/grpc/status.ts';
import { type HttpHandler, type HttpReply, HttpError, type HttpRequest } from '#src/net/http_server.ts';
import { TooLargeError } from '#src/net/compression.ts';
import type { Intake } from './intake.ts';

const PROTOBUF = 'application/x-protobuf';
const JSON_TYPE = 'application/json';
/** Bodies taken in and not yet answered, of all connections: beyond, senders are told to come again. */
const MAX_BYTES_IN_FLIGHT = 64 << 20;

// An Export*ServiceResponse without partial success: as protobuf nothing, as JSON the object that the Collector writes.
const TAKEN_PROTOBUF: HttpReply = { status: 200, headers: { 'Content-Type': PROTOBUF }, body: new Uint8Array(0) };
const TAKEN_JSON: HttpReply = { status: 200, headers: { 'Content-Type': JSON_TYPE }, body: '{"partialSuccess":{}}' };
const WRONG_METHOD: HttpReply = { status: 405, headers: { 'Content-Type': 'text/plain' }, body: '405 method not allowed, supported: [POST]' };
const WRONG_TYPE: HttpReply = {
  status: 415,
  headers: { 'Content-Type': 'text/plain' },
  body: `415 unsupported media type, supported: [${JSON_TYPE}, ${PROTOBUF}]`,
};

/** `intakes` by URL path. */
export function otlpHandler(intakes: ReadonlyMap<string, Intake>, includeMetadata: boolean): HttpHandler {
  const load = new Load();
  return async (request) => {
    const intake = intakes.get(request.path);
    if (intake === undefined) return { status: 404, headers: { 'Content-Type': 'text/plain; charset=utf-8' }, body: '404 page not found\n' };
    if (request.method !== 'POST') return WRONG_METHOD;
    const type = request.contentType;
    if (type !== PROTOBUF && type !== JSON_TYPE) return WRONG_TYPE;
    const metadata = includeMetadata ? metadataOf(request.headers) : undefined;
    let size = load.enter(request);
    try {
      let bytes: Uint8Array;
      let packed: Packed | null;
      try {
        const body = await request.bodyAndPacked(type === JSON_TYPE ? () => 'none' : (coding) => intake.packedUse(coding));
        size = load.correct(size, body.plain.length);
        bytes = type === JSON_TYPE ? parseOtlpJson(intake.signal, body.plain) : body.plain;
        packed = body.packed;
      } catch (error) {
        intake.countMalformed();
        throw error;
      }
      await intake.take(bytes, metadata, request.peerAddress, request.authAttributes, packed);
    } catch (error) {
      if (error instanceof HttpError || error instanceof TooLargeError) throw error;
      return statusReply(type, httpStatusOf(statusOfError(error).code), statusOfError(error));
    } finally {
      load.leave(size);
    }
    return type === JSON_TYPE ? TAKEN_JSON : TAKEN_PROTOBUF;
  };
}

/** How the server answers what went wrong before a handler could say: bad encodings, bodies that are too large. */
export function otlpErrorReply(request: HttpRequest, status: number, message: string): HttpReply {
  return statusReply(request.contentType === PROTOBUF ? PROTOBUF : JSON_TYPE, status, { code: codeOfHttpStatus(status), message, retryAfterMs: -1 });
}
function statusReply(type: string, httpStatus: number, status: Status): HttpReply {
  const headers: Record<string, string> = { 'Content-Type': type };
  if (status.retryAfterMs >= 0 && (httpStatus === 429 || httpStatus === 503)) headers['Retry-After'] = String(Math.ceil(status.retryAfterMs / 1000));
  return { status: httpStatus, headers, body: type === JSON_TYPE ? statusJson(status) : encodeStatus(status) };
}

/** Bytes in flight. What a body will have when decompressed is not known before, so it counts as announced first. */
class Load {
  #bytes = 0;
  enter(request: HttpRequest): number {
    const announced = Number(request.headers['content-length'] ?? 0);
    if (this.#bytes > MAX_BYTES_IN_FLIGHT) throw new HttpError(429, 'too many bytes in flight', { headers: { 'Retry-After': '1' } });
    this.#bytes += announced;
    return announced;
  }
  correct(before: number, now: number): number {
    this.#bytes += now - before;
    return now;
  }
  leave(size: number): void {
    this.#bytes -= size;
  }
}

function metadataOf(headers: IncomingHttpHeaders): Map<string, readonly string[]> {
  const metadata = new Map<string, readonly string[]>();
  for (const name in headers) {
    const value = headers[name];
    if (value !== undefined) metadata.set(name, Array.isArray(value) ? value : [value]);
  }
  return metadata;
}
