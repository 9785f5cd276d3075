/**
 * From a request to its reply, whatever HTTP it came by: who may send, who is refused unread, CORS, the handler, and how errors look. What a path means is
 * the handler's matter.
 */
import { type AuthAttributes, type ServerAuthenticator, serverAuthenticator, UnauthenticatedError } from '#src/core/auth.ts';
import type { Host } from '#src/core/component.ts';
import { errorText, RetryableError } from '#src/core/errors.ts';
import { type ServerMiddleware, serverMiddlewares } from '#src/core/middleware.ts';
import type { Log } from '#src/core/telemetry.ts';
import { CODINGS, TooLargeError } from './compression.ts';
import type { HttpServerConfig } from './config.ts';
import { answerPreflight, corsHeaders } from './cors.ts';
import { type BodyRules, HttpError, type HttpHandler, type HttpReply, type HttpRequest } from './http_request.ts';

/** What is needed of confighttp; what is not given has its default. */
export type HttpServerSettings = Pick<HttpServerConfig, 'endpoint' | 'transport'> & Partial<HttpServerConfig>;

export interface ResponderOptions {
  readonly settings: HttpServerSettings;
  readonly handler: HttpHandler;
  readonly log: Log;
  /** How an error is answered: status and message are decided, the form is yours. Plain text where absent. */
  readonly errorReply?: (request: HttpRequest, status: number, message: string) => HttpReply;
  /** Why a request may not come in just now; asked before anything of its body is read. */
  readonly refusal?: (request: HttpRequest) => RetryableError | null;
  /** How that is answered, and what a middleware refuses. As other errors where absent. */
  readonly refusalReply?: (request: HttpRequest, refusal: RetryableError) => HttpReply;
  /** Where `auth` and `middlewares` find their extensions. */
  readonly host?: Pick<Host, 'extension'>;
  /** Refused requests are told how to log in: for pages, since a browser then asks its user. */
  readonly challenges?: boolean;
}

const DEFAULT_MAX_BODY = 20 * 1024 * 1024;

export class HttpResponder {
  readonly rules: BodyRules;
  readonly #options: ResponderOptions;
  readonly #extraHeaders: readonly (readonly [string, string])[];
  #auth: ServerAuthenticator | null = null;
  #middlewares: readonly ServerMiddleware[] = [];

  constructor(options: ResponderOptions) {
    const { settings } = options;
    this.#options = options;
    this.rules = {
      maxBytes: (settings.max_request_body_size ?? 0) > 0 ? settings.max_request_body_size! : DEFAULT_MAX_BODY,
      codings: new Set(settings.compression_algorithms ?? CODINGS),
    };
    this.#extraHeaders = (settings.response_headers ?? []).map((entry) => [entry.name, entry.value] as const);
  }
  /** Finds its extensions; throws ConfigError where one does not run. */
  start(): void {
    const { settings, host } = this.#options;
    if (settings.auth) this.#auth = serverAuthenticator(settings.auth, host);
    this.#middlewares = serverMiddlewares(settings.middlewares ?? [], host);
  }

  /** Headers that each reply to this request has, besides its own. */
  extraHeaders(request: HttpRequest): readonly (readonly [string, string])[] {
    const { cors } = this.#options.settings;
    const { origin } = request.headers;
    return cors && origin !== undefined && answerPreflight(request, cors) === null ? [...this.#extraHeaders, ...corsHeaders(origin, cors)] : this.#extraHeaders;
  }
  /** What can be said without the body: a preflight is answered, a request refused. */
  early(request: HttpRequest): HttpReply | null {
    const { settings, refusal } = this.#options;
    const preflight = settings.cors && request.headers.origin !== undefined ? answerPreflight(request, settings.cors) : null;
    if (preflight !== null) return preflight;
    for (const middleware of this.#middlewares) {
      const found = middleware.requestRefusal();
      if (found !== null) return this.#refused(request, found);
    }
    const found = refusal?.(request) ?? null;
    return found === null ? null : this.#refused(request, found);
  }
  #refused(request: HttpRequest, refusal: RetryableError): HttpReply {
    return this.#options.refusalReply?.(request, refusal) ?? this.errorReply(request, retryLater(refusal));
  }
  async respond(request: HttpRequest): Promise<HttpReply> {
    try {
      if (this.#auth !== null) request.authAttributes = await this.#authenticate(request, this.#auth);
      return await this.#options.handler(request);
    } catch (error) {
      return this.errorReply(request, error);
    }
  }

  async #authenticate(request: HttpRequest, auth: ServerAuthenticator): Promise<AuthAttributes | undefined> {
    const params = this.#options.settings.auth?.request_params ?? [];
    try {
      return await auth.authenticate((name) => request.authHeader(name, params));
    } catch (error) {
      if (error instanceof UnauthenticatedError)
        throw new HttpError(401, error.message, this.#options.challenges ? { headers: { 'WWW-Authenticate': auth.challenge } } : {});
      throw error instanceof RetryableError ? retryLater(error) : error;
    }
  }

  errorReply(request: HttpRequest, error: unknown): HttpReply {
    let status = 500;
    let headers: Readonly<Record<string, string>> | undefined;
    if (error instanceof TooLargeError) status = 413;
    else if (error instanceof HttpError) ({ status, headers } = error);
    else this.#options.log.error('A request failed unexpectedly.', { path: request.path, error: errorText(error) });
    const reply = (this.#options.errorReply ?? plainReply)(request, status, errorText(error));
    return headers ? { ...reply, headers: { ...reply.headers, ...headers } } : reply;
  }
}

function retryLater(error: RetryableError): HttpError {
  const headers = { 'Retry-After': String(Math.ceil(error.retryAfterMs / 1000)) };
  return new HttpError(error.reason === 'exhausted' ? 429 : 503, error.message, { headers, cause: error });
}
function plainReply(_request: HttpRequest, status: number, message: string): HttpReply {
  return { status, headers: { 'Content-Type': 'text/plain; charset=utf-8' }, body: `${message}\n` };
}
