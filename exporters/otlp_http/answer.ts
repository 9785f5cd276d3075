/** What the answer of an OTLP/HTTP server says: https://opentelemetry.io/docs/specs/otlp/#otlphttp-response */
import { PermanentError, RetryableError } from '#src/core/errors.ts';
import { decodePartialSuccess, decodeStatus, type PartialSuccess } from '#src/net/grpc/status.ts';
import { type HttpAnswer, retryAfterMs } from '#src/net/http_client.ts';

const RETRYABLE: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/** RetryableError for 429, 502, 503 and 504, with the wait that the server asks for; PermanentError for every other status. */
export function errorOfAnswer(answer: HttpAnswer, url: string, nowMs: number): PermanentError | RetryableError {
  const said = messageOf(answer);
  const text = `error exporting items, request to ${url} responded with HTTP Status Code ${answer.status}${said ? `, Message=${said}` : ''}`;
  if (!RETRYABLE.has(answer.status)) return new PermanentError(text);
  const waitMs = answer.status === 429 || answer.status === 503 ? retryAfterMs(answer.headers, nowMs) : -1;
  return new RetryableError(text, { retryAfterMs: Math.max(0, waitMs), reason: answer.status === 429 ? 'exhausted' : 'unavailable' });
}

/** The message of google.rpc.Status in the body, protobuf or JSON; what is neither is not shown. */
function messageOf(answer: HttpAnswer): string {
  const type = mediaType(answer);
  if (type === 'application/json') return String(parseJson(answer.body)?.['message'] ?? '');
  return type === 'application/x-protobuf' ? decodeStatus(answer.body).message : '';
}

/** Null where all was taken. */
export function partialSuccessOf(answer: HttpAnswer): PartialSuccess | null {
  if (answer.body.length === 0) return null;
  const type = mediaType(answer);
  if (type === 'application/x-protobuf') return decodePartialSuccess(answer.body);
  if (type !== 'application/json') return null;
  const partial = parseJson(answer.body)?.['partialSuccess'] as Record<string, unknown> | undefined;
  if (typeof partial !== 'object' || partial === null) return null;
  const rejected = Number(partial['rejectedSpans'] ?? partial['rejectedDataPoints'] ?? partial['rejectedLogRecords'] ?? 0);
  const message = String(partial['errorMessage'] ?? '');
  return rejected === 0 && message === '' ? null : { rejected, message };
}

function mediaType(answer: HttpAnswer): string {
  const type = answer.headers['content-type'];
  return String(Array.isArray(type) ? type[0] : (type ?? ''))
    .split(';')[0]!
    .trim()
    .toLowerCase();
}
function parseJson(body: Buffer): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    return typeof value === 'object' ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
