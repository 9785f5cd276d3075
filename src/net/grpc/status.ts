/**
 * What went wrong with a call, in gRPC's words: codes, the percent-encoded message of trailers, google.rpc.Status with the one detail the
 * OTLP protocol uses, RetryInfo, as protobuf and as JSON, and what the codes mean for retries. Other details are skipped.
 */
import { errorText, PermanentError, RetryableError } from '#src/core/errors.ts';

export const CANCELLED = 1,
  UNKNOWN = 2,
  INVALID_ARGUMENT = 3,
  DEADLINE_EXCEEDED = 4,
  PERMISSION_DENIED = 7,
  RESOURCE_EXHAUSTED = 8,
  ABORTED = 10,
  OUT_OF_RANGE = 11,
  UNIMPLEMENTED = 12,
  INTERNAL = 13,
  UNAVAILABLE = 14,
  DATA_LOSS = 15,
  UNAUTHENTICATED = 16;
const CODE_NAMES = [
  'OK',
  'Canceled',
  'Unknown',
  'InvalidArgument',
  'DeadlineExceeded',
  'NotFound',
  'AlreadyExists',
  'PermissionDenied',
  'ResourceExhausted',
  'FailedPrecondition',
  'Aborted',
  'OutOfRange',
  'Unimplemented',
  'Internal',
  'Unavailable',
  'DataLoss',
  'Unauthenticated',
];
export function codeName(code: number): string {
  return CODE_NAMES[code] ?? `Code(${code})`;
}

export interface Status {
  readonly code: number;
  readonly message: string;
  /** From RetryInfo, ms; -1 where there is none. */
  readonly retryAfterMs: number;
}

/** What an error of the pipeline is for the sender. A permanent one is the data's fault as far as we can tell, another thing that is thrown is ours. */
export function statusOfError(error: unknown): Status {
  const message = errorText(error);
  if (error instanceof RetryableError) {
    const code = error.reason === 'exhausted' ? RESOURCE_EXHAUSTED : UNAVAILABLE;
    // Without RetryInfo a client must not try again after RESOURCE_EXHAUSTED.
    return { code, message, retryAfterMs: error.retryAfterMs > 0 ? error.retryAfterMs : code === RESOURCE_EXHAUSTED ? 1000 : -1 };
  }
  if (error instanceof PermanentError) return { code: INVALID_ARGUMENT, message, retryAfterMs: -1 };
  return { code: INTERNAL, message, retryAfterMs: -1 };
}
/** The status of OTLP over HTTP for a gRPC code, as the Collector maps them. */
export function httpStatusOf(code: number): number {
  switch (code) {
    case CANCELLED:
    case DEADLINE_EXCEEDED:
    case ABORTED:
    case OUT_OF_RANGE:
    case UNAVAILABLE:
    case DATA_LOSS:
      return 503;
    case RESOURCE_EXHAUSTED:
      return 429;
    case INVALID_ARGUMENT:
      return 400;
    case UNAUTHENTICATED:
      return 401;
    case PERMISSION_DENIED:
      return 403;
    case UNIMPLEMENTED:
      return 404;
    default:
      return 500;
  }
}
/** And back, for an error that began as an HTTP status. */
export function codeOfHttpStatus(status: number): number {
  switch (status) {
    case 400:
      return INVALID_ARGUMENT;
    case 401:
      return UNAUTHENTICATED;
    case 403:
      return PERMISSION_DENIED;
    case 404:
      return UNIMPLEMENTED;
    case 429:
      return RESOURCE_EXHAUSTED;
    case 502:
    case 503:
    case 504:
      return UNAVAILABLE;
    default:
      return UNKNOWN;
  }
}

/** The error that a status of the other side is for us: RetryableError where the OTLP protocol allows to come again, else PermanentError. */
export function errorOfStatus(status: Status): PermanentError | RetryableError {
  const message = `rpc error: code = ${codeName(status.code)} desc = ${status.message}`;
  switch (status.code) {
    case CANCELLED:
    case DEADLINE_EXCEEDED:
    case ABORTED:
    case OUT_OF_RANGE:
    case UNAVAILABLE:
    case DATA_LOSS:
      return new RetryableError(message, { retryAfterMs: Math.max(0, status.retryAfterMs) });
    case RESOURCE_EXHAUSTED:
      if (status.retryAfterMs >= 0) return new RetryableError(message, { retryAfterMs: status.retryAfterMs, reason: 'exhausted' });
      return new PermanentError(message);
    default:
      return new PermanentError(message);
  }
}

// ---- the message in trailers: UTF-8, with everything outside of printable ASCII and "%" as %XX
/** Longer ones are cut: trailers are headers, and peers limit those. */
const MAX_MESSAGE_BYTES = 4096;
export function encodeMessage(text: string): string {
  const bytes = Buffer.from(text.length > MAX_MESSAGE_BYTES ? text.slice(0, MAX_MESSAGE_BYTES) : text, 'utf8');
  let out = '';
  for (const byte of bytes)
    out += byte >= 0x20 && byte < 0x7f && byte !== 0x25 ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  return out;
}
/** Broken escapes stay as they are. */
export function decodeMessage(text: string): string {
  if (!text.includes('%')) return text;
  const bytes: number[] = [];
  for (let i = 0; i < text.length; i++) {
    const digits = text.charCodeAt(i) === 0x25 ? text.slice(i + 1, i + 3) : '';
    if (/^[0-9a-fA-F]{2}$/.test(digits)) {
      bytes.push(Number.parseInt(digits, 16));
      i += 2;
    } else bytes.push(text.charCodeAt(i) & 255);
  }
  return Buffer.from(bytes).toString('utf8');
}

// ---- google.rpc.Status { int32 code = 1; string message = 2; repeated google.protobuf.Any details = 3; }
const RETRY_INFO = 'type.googleapis.com/google.rpc.RetryInfo';

function varint(value: number): number[] {
  const out: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) out.push((rest % 128) | 128);
  out.push(rest);
  return out;
}
function field(number: number, bytes: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...varint(bytes.length)]), bytes]);
}
export function encodeStatus(status: Status): Buffer {
  const parts: Buffer[] = [];
  if (status.code !== 0) parts.push(Buffer.from([0x08, ...varint(status.code)]));
  if (status.message !== '') parts.push(field(2, Buffer.from(status.message, 'utf8')));
  if (status.retryAfterMs >= 0) {
    const seconds = Math.floor(status.retryAfterMs / 1000);
    const nanos = Math.round((status.retryAfterMs % 1000) * 1e6);
    const duration = Buffer.from([...(seconds > 0 ? [0x08, ...varint(seconds)] : []), ...(nanos > 0 ? [0x10, ...varint(nanos)] : [])]);
    parts.push(field(3, Buffer.concat([field(1, Buffer.from(RETRY_INFO)), field(2, field(1, duration))])));
  }
  return Buffer.concat(parts);
}
export function statusJson(status: Status): string {
  const details = status.retryAfterMs >= 0 ? [{ '@type': RETRY_INFO, retryDelay: `${status.retryAfterMs / 1000}s` }] : undefined;
  return JSON.stringify({ code: status.code || undefined, message: status.message || undefined, details });
}

/** Fields of a protobuf message, shallow: what is not length-delimited comes as a number, groups end the reading. */
function* fields(bytes: Uint8Array): Generator<[number: number, value: number | Uint8Array]> {
  const at = { pos: 0 };
  while (at.pos < bytes.length) {
    const tag = readVarint(bytes, at);
    const wire = tag & 7;
    if (wire === 0) yield [tag >>> 3, readVarint(bytes, at)];
    else if (wire === 2) {
      const size = readVarint(bytes, at);
      if (size > bytes.length - at.pos) return;
      yield [tag >>> 3, bytes.subarray(at.pos, at.pos + size)];
      at.pos += size;
    } else if (wire === 1) at.pos += 8;
    else if (wire === 5) at.pos += 4;
    else return;
  }
}
/** A varint as a number, exact below 2^53. */
function readVarint(bytes: Uint8Array, at: { pos: number }): number {
  let value = 0;
  for (let scale = 1; at.pos < bytes.length; scale *= 128) {
    const byte = bytes[at.pos++]!;
    value += (byte & 127) * scale;
    if (byte < 128) break;
  }
  return value;
}
const text = (value: number | Uint8Array): string => (typeof value === 'number' ? '' : Buffer.from(value).toString('utf8'));
const inner = (value: number | Uint8Array): Uint8Array => (typeof value === 'number' ? new Uint8Array(0) : value);

/** Reads what it understands; damaged bytes give what came before the damage. */
export function decodeStatus(bytes: Uint8Array): Status {
  let code = 0;
  let message = '';
  let retryAfterMs = -1;
  for (const [number, value] of fields(bytes)) {
    if (number === 1 && typeof value === 'number') code = value;
    else if (number === 2) message = text(value);
    else if (number === 3) {
      let type = '';
      let detail: Uint8Array = new Uint8Array(0);
      for (const [part, content] of fields(inner(value))) {
        if (part === 1) type = text(content);
        else if (part === 2) detail = inner(content);
      }
      if (!type.endsWith('/google.rpc.RetryInfo')) continue;
      retryAfterMs = 0;
      for (const [part, content] of fields(detail)) if (part === 1) retryAfterMs = durationMs(inner(content));
    }
  }
  return { code, message, retryAfterMs };
}
function durationMs(bytes: Uint8Array): number {
  let ms = 0;
  for (const [part, content] of fields(bytes)) {
    if (typeof content !== 'number') continue;
    if (part === 1) ms += content * 1000;
    else if (part === 2) ms += content / 1e6;
  }
  return ms;
}

/** What an Export*ServiceResponse says of records that were not taken: { partial_success = 1 { rejected = 1, error_message = 2 } }. */
export interface PartialSuccess {
  readonly rejected: number;
  readonly message: string;
}
/** Null where all was taken. */
export function decodePartialSuccess(bytes: Uint8Array): PartialSuccess | null {
  let rejected = 0;
  let message = '';
  for (const [number, value] of fields(bytes)) {
    if (number !== 1) continue;
    for (const [part, content] of fields(inner(value))) {
      if (part === 1 && typeof content === 'number') rejected = content;
      else if (part === 2) message = text(content);
    }
  }
  return rejected === 0 && message === '' ? null : { rejected, message };
}
