/**
 * gRPC client for unary calls over the connections of a channel (channel.ts): compression, deadlines, credentials, calls made again that a server has not
 * begun. What comes back is the message or an error of the kinds that the pipeline tells apart. Not here: hedging.
 */
import { type ClientAuthenticator, clientAuthenticator } from '#src/core/auth.ts';
import type { Host } from '#src/core/component.ts';
import { ConfigError, PermanentError } from '#src/core/errors.ts';
import { decodeBodySync, encodeBody, isContentCoding } from '#src/net/compression.ts';
import { type CallAnswer, CallError, type CallRequest } from '#src/net/http2/client_connection.ts';
import { CANCEL, ENHANCE_YOUR_CALM } from '#src/net/http2/frames.ts';
import { findField } from '#src/net/http2/header_rules.ts';
import type { HeaderFields } from '#src/net/http2/hpack.ts';
import { Channel, type ChannelOptions } from './channel.ts';
import {
  CANCELLED,
  DEADLINE_EXCEEDED,
  decodeMessage,
  decodeStatus,
  errorOfStatus,
  INTERNAL,
  PERMISSION_DENIED,
  RESOURCE_EXHAUSTED,
  type Status,
  UNAUTHENTICATED,
  UNAVAILABLE,
  UNIMPLEMENTED,
  UNKNOWN,
} from './status.ts';

export interface GrpcClientOptions extends ChannelOptions {
  /** Where `auth` finds its extension. */
  readonly host?: Pick<Host, 'extension'>;
}
export interface CallOptions {
  /** 0 is without limit. */
  readonly timeoutMs?: number;
  /** The message compressed already as the settings say. */
  readonly encoded?: Uint8Array | null;
  readonly signal?: AbortSignal | undefined;
}

/** Calls that the server has not begun are made again elsewhere, so often. */
const TRANSPARENT_RETRIES = 3;
const MAX_ANSWER_BYTES = 4 << 20;

export class GrpcClient {
  readonly #options: GrpcClientOptions;
  readonly #channel: Channel;
  readonly #heads = new Map<string, HeaderFields>();
  readonly #auth: ClientAuthenticator | null;

  /** Throws ConfigError where the endpoint, a TLS file or the authenticator is not usable. */
  constructor(options: GrpcClientOptions) {
    const { settings } = options;
    this.#options = options;
    this.#channel = new Channel(options);
    this.#auth = settings.auth ? clientAuthenticator(settings.auth, options.host) : null;
    if (this.#auth?.requiresTls && !this.#channel.isSecure)
      throw new ConfigError([{ path: ['auth', 'authenticator'], message: 'the credentials require transport level security; turn off tls::insecure' }]);
  }

  /** Begins to connect; does not wait for it. */
  start(): void {
    this.#channel.start();
  }

  /** The message of the answer. Rejects with RetryableError or PermanentError. */
  async call(path: string, parts: readonly Uint8Array[], sizeBytes: number, options: CallOptions = {}): Promise<Uint8Array> {
    const { compression } = this.#options.settings;
    // By "snappy" gRPC peers understand the framing format.
    const coding = compression === 'snappy' ? 'x-snappy-framed' : isContentCoding(compression) ? compression : null;
    const body = coding === null ? null : (options.encoded ?? (await encodeBody(parts, sizeBytes, coding)));
    const timeoutMs = options.timeoutMs ?? 0;
    const request: CallRequest = {
      head: this.#head(path),
      extra: this.#extra(timeoutMs),
      parts: body === null ? parts : [body],
      sizeBytes: body === null ? sizeBytes : body.length,
      compressed: body !== null,
      timeoutMs,
      signal: options.signal,
    };
    for (let tries = 0; ; tries++) {
      const connection = this.#channel.pick() ?? (await this.#channel.wait(timeoutMs, options.signal));
      try {
        return readAnswer(await connection.call(request));
      } catch (error) {
        if (!(error instanceof CallError)) throw error;
        if (!error.unprocessed || tries >= TRANSPARENT_RETRIES) throw errorOfStatus(statusOfCallError(error));
      }
    }
  }

  /** Lets running calls end for at most `graceMs`. */
  close(graceMs = 0): Promise<void> {
    return this.#channel.close(graceMs);
  }

  /** What differs from call to call. */
  #extra(timeoutMs: number): HeaderFields {
    const fields = timeoutMs > 0 ? ['grpc-timeout', formatTimeout(timeoutMs)] : [];
    if (this.#auth !== null) for (const [name, value] of this.#auth.requestHeaders()) fields.push(name, value);
    return fields;
  }
  #head(path: string): HeaderFields {
    let head = this.#heads.get(path);
    if (head === undefined) {
      const { settings, userAgent } = this.#options;
      const fields = [
        ':method',
        'POST',
        ':scheme',
        this.#channel.isSecure ? 'https' : 'http',
        ':path',
        path,
        ':authority',
        settings.authority || this.#channel.targetName,
      ];
      fields.push('content-type', 'application/grpc', 'user-agent', settings.user_agent || userAgent, 'te', 'trailers');
      if (isContentCoding(settings.compression)) fields.push('grpc-encoding', settings.compression);
      fields.push('grpc-accept-encoding', 'gzip,zstd,snappy');
      for (const { name, value } of settings.headers) {
        const binary = name.toLowerCase().endsWith('-bin');
        fields.push(name.toLowerCase(), binary ? Buffer.from(value, 'latin1').toString('base64').replace(/=+$/, '') : value);
      }
      head = fields;
      this.#heads.set(path, head);
    }
    return head;
  }
}

function formatTimeout(ms: number): string {
  if (ms < 100_000_000) return `${Math.max(1, Math.ceil(ms))}m`;
  return `${Math.ceil(ms / 1000)}S`;
}

function statusOfCallError(error: CallError): Status {
  const status = (code: number): Status => ({ code, message: error.message, retryAfterMs: -1 });
  if (error.kind === 'deadline') return status(DEADLINE_EXCEEDED);
  if (error.kind === 'cancelled') return status(CANCELLED);
  if (error.kind === 'unavailable') return status(UNAVAILABLE);
  if (error.kind === 'reset' && error.unprocessed) return status(UNAVAILABLE);
  if (error.kind === 'reset' && error.resetCode === CANCEL) return status(CANCELLED);
  if (error.kind === 'reset' && error.resetCode === ENHANCE_YOUR_CALM) return status(RESOURCE_EXHAUSTED);
  // Nothing says that the data is at fault, and an answer that is garbled once need not be so again; but grpc calls it Internal, which the OTLP protocol does not repeat.
  return status(INTERNAL);
}

const HTTP_CODES: Readonly<Record<string, number>> = {
  400: INTERNAL,
  401: UNAUTHENTICATED,
  403: PERMISSION_DENIED,
  404: UNIMPLEMENTED,
  429: UNAVAILABLE,
  502: UNAVAILABLE,
  503: UNAVAILABLE,
  504: UNAVAILABLE,
};

/** The message of an answer whose status is OK; throws what the status means otherwise. */
function readAnswer(answer: CallAnswer): Uint8Array {
  const { headers, trailers } = answer;
  const code = findField(trailers, 'grpc-status');
  if (code === undefined) {
    const http = findField(headers.length > 0 ? headers : trailers, ':status') ?? '';
    const message = http === '200' || http === '' ? 'the answer has no grpc-status' : `unexpected HTTP status code received from server: ${http}`;
    throw errorOfStatus({ code: HTTP_CODES[http] ?? UNKNOWN, message, retryAfterMs: -1 });
  }
  if (code !== '0') {
    const details = findField(trailers, 'grpc-status-details-bin');
    const retryAfterMs = details === undefined ? -1 : decodeStatus(Buffer.from(details, 'base64')).retryAfterMs;
    throw errorOfStatus({ code: Number(code) || UNKNOWN, message: decodeMessage(findField(trailers, 'grpc-message') ?? ''), retryAfterMs });
  }
  if (answer.message === null) throw errorOfStatus({ code: INTERNAL, message: 'cardinality violation: received no response message', retryAfterMs: -1 });
  if (!answer.compressed) return answer.message;
  const coding = findField(headers, 'grpc-encoding') ?? '';
  if (!isContentCoding(coding)) throw new PermanentError(`the answer is compressed with "${coding}"`);
  return decodeBodySync(answer.message, coding, MAX_ANSWER_BYTES);
}
