/**
 * OTLP over HTTP: a path for each signal, protobuf or JSON in, the same out; errors as google.rpc.Status in the request's form, with
 * Retry-After where the sender shall come again (https://opentelemetry.io/docs/specs/otlp/#otlphttp).
 */
import type { Packed } from '#src/core/batch.ts';
import type { RetryableError } from '#src/core/errors.ts';
import { parseOtlpJson } from '#src/data/json_read.ts';
import type { Admission } from '#src/net/admission.ts';
import { codeOfHttpStatus, encodeStatus, httpStatusOf, type Status, statusJson, statusOfError } from '#src/net/grpc/status.ts';
import { HttpError, type HttpReply, type HttpRequest } from '#src/net/http_server.ts';
import { TooLargeError } from '#src/net/compression.ts';
import type { HttpContexts } from './contexts.ts';
import type { Intake } from './intake.ts';

const PROTOBUF = 'application/x-protobuf';
const JSON_TYPE = 'application/json';

/** How long senders wait, by the OTLP specification's default; HTTP does not say. */
const USUAL_TIMEOUT_MS = 10_000;

// An Export*ServiceResponse without partial success: as protobuf nothing, as JSON the object that the Collector writes.
const TAKEN_PROTOBUF: HttpReply = { status: 200, headers: { 'Content-Type': PROTOBUF }, body: new Uint8Array(0) };
const TAKEN_JSON: HttpReply = { status: 200, headers: { 'Content-Type': JSON_TYPE }, body: '{"partialSuccess":{}}' };
const UNKNOWN_PATH: HttpReply = { status: 404, headers: { 'Content-Type': 'text/plain; charset=utf-8' }, body: '404 page not found\n' };
const WRONG_METHOD: HttpReply = { status: 405, headers: { 'Content-Type': 'text/plain' }, body: '405 method not allowed, supported: [POST]' };
const WRONG_TYPE: HttpReply = {
  status: 415,
  headers: { 'Content-Type': 'text/plain' },
  body: `415 unsupported media type, supported: [${JSON_TYPE}, ${PROTOBUF}]`,
};

/** `intakes` by URL path. */
export class OtlpHttp {
  readonly #intakes: ReadonlyMap<string, Intake>;
  readonly #contexts: HttpContexts;
  readonly #admission: Admission;
  /** How the last refusal is answered, in each form. */
  #lastRefusal: RetryableError | null = null;
  #lastReplies = new Map<string, HttpReply>();

  constructor(intakes: ReadonlyMap<string, Intake>, contexts: HttpContexts, admission: Admission) {
    this.#intakes = intakes;
    this.#contexts = contexts;
    this.#admission = admission;
  }

  /** Asked before anything of the body is read. */
  refusal(request: HttpRequest): RetryableError | null {
    const intake = this.#intakes.get(request.path);
    return intake === undefined ? null : (intake.refusal() ?? this.#admission.refusal(USUAL_TIMEOUT_MS));
  }
  refusalReply(request: HttpRequest, refusal: RetryableError): HttpReply {
    this.#intakes.get(request.path)?.countRefused();
    if (refusal !== this.#lastRefusal) {
      this.#lastRefusal = refusal;
      this.#lastReplies = new Map([PROTOBUF, JSON_TYPE].map((type) => [type, errorReplyOf(type, refusal)]));
    }
    return this.#lastReplies.get(answerType(request))!;
  }

  async take(request: HttpRequest): Promise<HttpReply> {
    const intake = this.#intakes.get(request.path);
    if (intake === undefined) return UNKNOWN_PATH;
    if (request.method !== 'POST') return WRONG_METHOD;
    const type = request.contentType;
    if (type !== PROTOBUF && type !== JSON_TYPE) return WRONG_TYPE;
    const stay = new Stay(this.#admission, request.announcedBytes);
    try {
      const { bytes, packed } = await stay.arrive(intake, request, type);
      await intake.take(bytes, this.#contexts.of(request), packed);
    } catch (error) {
      if (error instanceof HttpError || error instanceof TooLargeError) throw error;
      return errorReplyOf(type, error);
    } finally {
      stay.end();
    }
    return type === JSON_TYPE ? TAKEN_JSON : TAKEN_PROTOBUF;
  }

  /** How the server answers what went wrong before a handler could say: bad encodings, bodies that are too large. */
  errorReply(request: HttpRequest, status: number, message: string): HttpReply {
    return statusReply(answerType(request), status, { code: codeOfHttpStatus(status), message, retryAfterMs: -1 });
  }
}
function answerType(request: HttpRequest): string {
  return request.contentType === PROTOBUF ? PROTOBUF : JSON_TYPE;
}
function errorReplyOf(type: string, error: unknown): HttpReply {
  const status = statusOfError(error);
  return statusReply(type, httpStatusOf(status.code), status);
}
function statusReply(type: string, httpStatus: number, status: Status): HttpReply {
  const headers: Record<string, string> = { 'Content-Type': type };
  if (status.retryAfterMs >= 0 && (httpStatus === 429 || httpStatus === 503)) headers['Retry-After'] = String(Math.ceil(status.retryAfterMs / 1000));
  return { status: httpStatus, headers, body: type === JSON_TYPE ? statusJson(status) : encodeStatus(status) };
}

/** What a request weighs while it is here: as announced until its body is there and decompressed, then what that has. */
class Stay {
  readonly #admission: Admission;
  readonly #reserved: number;
  #held = 0;
  #waiting = true;
  constructor(admission: Admission, announcedBytes: number) {
    if (!admission.reserve(announcedBytes)) throw new HttpError(429, 'too many bytes arrive', { headers: { 'Retry-After': '1' } });
    this.#admission = admission;
    this.#reserved = announcedBytes;
    admission.opened();
  }
  /** The request as OTLP bytes, once it is its turn. */
  async arrive(intake: Intake, request: HttpRequest, type: string): Promise<{ bytes: Uint8Array; packed: Packed | null }> {
    try {
      return await this.#arrive(intake, request, type);
    } catch (error) {
      intake.countMalformed();
      throw error;
    }
  }
  async #arrive(intake: Intake, request: HttpRequest, type: string): Promise<{ bytes: Uint8Array; packed: Packed | null }> {
    const body = await request.bodyAndPacked(type === JSON_TYPE ? () => 'none' : (coding) => intake.packedUse(coding));
    this.#held = body.plain.length;
    this.#admission.took(this.#held);
    const turn = this.#admission.turn();
    if (turn !== undefined) await turn;
    this.#leaveQueue();
    const bytes = type === JSON_TYPE ? parseOtlpJson(intake.signal, body.plain) : body.plain;
    return { bytes, packed: body.packed };
  }
  end(): void {
    this.#leaveQueue();
    this.#admission.release(this.#held, this.#reserved);
  }
  #leaveQueue(): void {
    if (!this.#waiting) return;
    this.#waiting = false;
    this.#admission.givenUp();
  }
}
