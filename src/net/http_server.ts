/**
 * HTTP/1.1 server on node:http and node:https: one handler that is given a request with its body decompressed and limited, and returns
 * a reply. Adds what confighttp.ServerConfig asks for (TLS, CORS, timeouts, limits, extra headers) and drains on close. A `Router` maps
 * methods and paths to handlers. What a path means, and how errors look, is the caller's; HTTP/2 is deliberately not here.
 */
import type { IncomingHttpHeaders, IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Server as TlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Log } from '#src/core/telemetry.ts';
import { type AuthAttributes, type ServerAuthenticator, serverAuthenticator, UnauthenticatedError } from '#src/core/auth.ts';
import type { Host } from '#src/core/component.ts';
import { errorText, RetryableError } from '#src/core/errors.ts';
import { createServer, createTlsServer } from '#src/core/node_http.ts';
import { freeRead, keepCopy } from '#src/core/slab.ts';
import { isPackedCoding, type PackedUses } from './compressed/packed.ts';
import { CODINGS, type DecodedBody, decodeOwned, isContentCoding, TooLargeError } from './compression.ts';
import type { HttpServerConfig } from './config.ts';
import { answerPreflight, corsHeaders } from './cors.ts';
import { addressOf, listenOn, removeStaleSocket } from './listen.ts';
import { reloadServerTls, serverTlsOptions } from './tls.ts';

export interface HttpReply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Nothing, text, bytes, or bytes that come in time (a stream of frames, live tail). */
  readonly body?: string | Uint8Array | AsyncIterable<Uint8Array | string>;
}

/** One request. Valid until its reply is written. */
export class HttpRequest {
  readonly method: string;
  /** Without the query. Not decoded; the router decodes its parameters. */
  readonly path: string;
  /** Behind the "?", still encoded; `query` parses it. */
  readonly search: string;
  readonly headers: IncomingHttpHeaders;
  /** Parameters of the route, decoded: { name: "job" } for /label/:name/values. */
  params: Readonly<Record<string, string>> = {};
  /** What the authenticator says of the sender. */
  authAttributes: AuthAttributes | undefined = undefined;
  readonly #incoming: IncomingMessage;
  readonly #server: HttpServer;
  #query: URLSearchParams | null = null;
  #abort: AbortController | null = null;
  #gone: (() => void) | null = null;

  constructor(incoming: IncomingMessage, server: HttpServer) {
    const url = incoming.url ?? '/';
    const mark = url.indexOf('?');
    this.method = incoming.method ?? 'GET';
    this.path = mark < 0 ? url : url.slice(0, mark);
    this.search = mark < 0 ? '' : url.slice(mark + 1);
    this.headers = incoming.headers;
    this.#incoming = incoming;
    this.#server = server;
  }

  get query(): URLSearchParams {
    this.#query ??= new URLSearchParams(this.search);
    return this.#query;
  }
  /** IP address of the client, empty over a unix socket. */
  get peerAddress(): string {
    return addressOf(this.#incoming.socket);
  }
  /** Aborted when the client goes away before its reply. */
  get signal(): AbortSignal {
    if (this.#abort === null) {
      const abort = new AbortController();
      const { socket } = this.#incoming;
      if (socket.destroyed) abort.abort();
      else {
        this.#gone = () => abort.abort();
        socket.once('close', this.#gone);
      }
      this.#abort = abort;
    }
    return this.#abort.signal;
  }
  /** For HttpServer, once the reply is written: the socket may serve many requests, and does not keep a listener of each. */
  release(): void {
    if (this.#gone !== null) this.#incoming.socket.off('close', this.#gone);
  }
  /** The media type, lower case and without parameters. */
  get contentType(): string {
    const type = this.headers['content-type'] ?? '';
    const end = type.indexOf(';');
    return (end < 0 ? type : type.slice(0, end)).trim().toLowerCase();
  }
  /** The first value of a header; parameters of the URL that are listed in `params` count as headers. Those spelled as Go spells the header go before it. */
  authHeader(name: string, params: readonly string[]): string | undefined {
    const listed = params.filter((param) => param.toLowerCase() === name && this.query.has(param));
    const first = listed.find((param) => param === goSpelling(name));
    if (first !== undefined) return this.query.get(first)!;
    return this.#incoming.headersDistinct[name]?.[0] ?? (listed[0] === undefined ? undefined : this.query.get(listed[0])!);
  }
  /** The whole body, decompressed. Rejects with HttpError 400 or TooLargeError. The buffer is the caller's. Call it once. */
  async body(): Promise<Buffer> {
    return (await this.#server.readBody(this.#incoming, null)).plain;
  }
  /** body() together with its compressed form, where `uses` has one for it. */
  bodyAndPacked(uses: PackedUses): Promise<DecodedBody> {
    return this.#server.readBody(this.#incoming, uses);
  }
  /** The body as it came, before its Content-Encoding is taken off, within the size limit: for formats that are compressed by themselves. */
  rawBody(): Promise<Buffer> {
    return this.#server.readRaw(this.#incoming);
  }
}

/** Thrown by handlers (or `body()`) to answer with a status and a plain message. */
export class HttpError extends Error {
  override readonly name = 'HttpError';
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  constructor(status: number, message: string, options: ErrorOptions & { headers?: Readonly<Record<string, string>> } = {}) {
    super(message, options);
    this.status = status;
    this.headers = options.headers ?? {};
  }
}

export type HttpHandler = (request: HttpRequest) => HttpReply | Promise<HttpReply>;

/** What is needed of confighttp; a component that has fewer keys fills in the rest with `defaultHttpServerConfig`. */
export type HttpServerSettings = Pick<HttpServerConfig, 'endpoint' | 'transport'> & Partial<HttpServerConfig>;

export interface HttpServerOptions {
  readonly settings: HttpServerSettings;
  readonly handler: HttpHandler;
  readonly log: Log;
  /** How an error is answered: status and message are decided, the form is yours. Plain text where absent. */
  readonly errorReply?: (request: HttpRequest, status: number, message: string) => HttpReply;
  /** Listen together with other threads or with the server of the configuration before. */
  readonly reusePort?: boolean;
  /** Where `auth` finds its extension. */
  readonly host?: Pick<Host, 'extension'>;
  /** Refused requests are told how to log in: for pages, since a browser then asks its user. */
  readonly challenges?: boolean;
}

const DEFAULT_MAX_BODY = 20 * 1024 * 1024;
const DEFAULT_CODINGS = ['', ...CODINGS];

export class HttpServer {
  readonly #options: HttpServerOptions;
  readonly #server: Server | TlsServer;
  readonly #maxBody: number;
  readonly #codings: ReadonlySet<string>;
  readonly #extraHeaders: readonly (readonly [string, string])[];
  #auth: ServerAuthenticator | null = null;
  #stopReload = (): void => {};
  #listening = false;

  constructor(options: HttpServerOptions) {
    const { settings, log } = options;
    this.#options = options;
    this.#maxBody = (settings.max_request_body_size ?? 0) > 0 ? settings.max_request_body_size! : DEFAULT_MAX_BODY;
    this.#codings = new Set(settings.compression_algorithms ?? DEFAULT_CODINGS);
    this.#extraHeaders = (settings.response_headers ?? []).map((entry) => [entry.name, entry.value] as const);
    const serve = (incoming: IncomingMessage, outgoing: ServerResponse): void => void this.#serve(incoming, outgoing);
    const common = { keepAlive: true, noDelay: true, highWaterMark: 64 * 1024 };
    this.#server = settings.tls
      ? createTlsServer({ ...common, ...serverTlsOptions(settings.tls), ALPNProtocols: ['http/1.1'] }, serve)
      : createServer(common, serve);
    const server = this.#server;
    server.requestTimeout = settings.read_timeout ?? 0;
    server.headersTimeout = settings.read_header_timeout || settings.read_timeout || 0;
    server.keepAliveTimeout = settings.idle_timeout || settings.read_timeout || 0;
    server.timeout = 0;
    server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
      if (!socket.writable) return void socket.destroy();
      const status =
        error.code === 'HPE_HEADER_OVERFLOW'
          ? '431 Request Header Fields Too Large'
          : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
            ? '408 Request Timeout'
            : '400 Bad Request';
      socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
    });
    if (settings.tls) {
      const tls = settings.tls;
      this.#stopReload = reloadServerTls(server as TlsServer, tls, (error) =>
        log.warn('The certificate could not be read again; the old one stays.', { error: errorText(error) }),
      );
    }
  }

  /** Settles when it listens; rejects when the address cannot be had, or the authenticator does not run. */
  async listen(): Promise<void> {
    const { settings, log, reusePort, host } = this.#options;
    if (settings.auth) this.#auth = serverAuthenticator(settings.auth, host);
    if (settings.transport === 'unix') await removeStaleSocket(settings.endpoint);
    await listenOn(this.#server, settings, reusePort ?? false);
    this.#listening = true;
    this.#server.on('error', (error) => log.error('The HTTP server failed.', { error: errorText(error) }));
    log.info('Starting HTTP server', { endpoint: settings.transport === 'unix' ? settings.endpoint : this.address });
  }

  /** "host:port" as bound, so that a port of 0 can be asked for; the path of a unix socket. */
  get address(): string {
    const at = this.#server.address() as AddressInfo | string | null;
    if (at === null || typeof at === 'string') return at ?? '';
    return at.family === 'IPv6' ? `[${at.address}]:${at.port}` : `${at.address}:${at.port}`;
  }
  get port(): number {
    return (this.#server.address() as AddressInfo | null)?.port ?? 0;
  }

  /** Takes no new connections, lets running requests end for at most `graceMs`, then cuts them off. */
  async close(graceMs = 5000): Promise<void> {
    this.#stopReload();
    if (!this.#listening) return;
    this.#listening = false;
    const server = this.#server;
    const timer = setTimeout(() => server.closeAllConnections(), graceMs);
    await new Promise<void>((done) => {
      server.close(() => done());
      server.closeIdleConnections();
    });
    clearTimeout(timer);
  }

  async #serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const { settings, handler, log } = this.#options;
    const request = new HttpRequest(incoming, this);
    for (const [name, value] of this.#extraHeaders) outgoing.setHeader(name, value);
    if (settings.keep_alives_enabled === false || !this.#listening) outgoing.setHeader('Connection', 'close');
    if (settings.cors && request.headers.origin !== undefined) {
      const preflight = answerPreflight(request, settings.cors);
      if (preflight) return this.#write(incoming, outgoing, preflight);
      for (const [name, value] of corsHeaders(request.headers.origin, settings.cors)) outgoing.setHeader(name, value);
    }
    if ((settings.write_timeout ?? 0) > 0) outgoing.setTimeout(settings.write_timeout!, () => outgoing.destroy());
    let reply: HttpReply;
    try {
      if (this.#auth !== null) await this.#authenticate(request, this.#auth);
      reply = await handler(request);
    } catch (error) {
      reply = this.#errorReply(request, error, log);
    }
    await this.#write(incoming, outgoing, reply);
    request.release();
  }

  async #authenticate(request: HttpRequest, auth: ServerAuthenticator): Promise<void> {
    const params = this.#options.settings.auth?.request_params ?? [];
    try {
      const found = auth.authenticate((name) => request.authHeader(name, params));
      request.authAttributes = found instanceof Promise ? await found : found;
    } catch (error) {
      if (error instanceof UnauthenticatedError)
        throw new HttpError(401, error.message, this.#options.challenges ? { headers: { 'WWW-Authenticate': auth.challenge } } : {});
      if (!(error instanceof RetryableError)) throw error;
      throw new HttpError(error.reason === 'exhausted' ? 429 : 503, error.message, {
        headers: { 'Retry-After': String(Math.ceil(error.retryAfterMs / 1000)) },
      });
    }
  }

  #errorReply(request: HttpRequest, error: unknown, log: Log): HttpReply {
    let status = 500;
    let headers: Readonly<Record<string, string>> | undefined;
    if (error instanceof TooLargeError) status = 413;
    else if (error instanceof HttpError) ({ status, headers } = error);
    else log.error('A request failed unexpectedly.', { path: request.path, error: errorText(error) });
    const form = this.#options.errorReply ?? plainReply;
    const reply = form(request, status, errorText(error));
    return headers ? { ...reply, headers: { ...reply.headers, ...headers } } : reply;
  }

  async #write(incoming: IncomingMessage, outgoing: ServerResponse, reply: HttpReply): Promise<void> {
    // What was not read of a refused body is not worth keeping: the connection ends with the answer.
    const unread = !incoming.complete && reply.status >= 400;
    if (unread) outgoing.setHeader('Connection', 'close');
    const { body, headers } = reply;
    const fields: string[] = [];
    if (headers) for (const name in headers) fields.push(name, headers[name]!);
    if (body === undefined || typeof body === 'string' || body instanceof Uint8Array) {
      const size = body === undefined ? 0 : typeof body === 'string' ? Buffer.byteLength(body) : body.length;
      fields.push('Content-Length', String(size));
      outgoing.writeHead(reply.status, fields);
      const content = incoming.method === 'HEAD' || body?.length === 0 ? undefined : body;
      if (!unread) return void outgoing.end(content);
      if (content === undefined) outgoing.flushHeaders();
      else outgoing.write(content);
      await discard(incoming);
      outgoing.end();
      return;
    }
    outgoing.writeHead(reply.status, fields);
    try {
      for await (const chunk of body) {
        if (outgoing.destroyed) break;
        if (!outgoing.write(chunk)) await drained(outgoing);
      }
      outgoing.end();
    } catch (error) {
      this.#options.log.debug('A streamed answer broke off.', { error: errorText(error) });
      outgoing.destroy();
    }
  }

  /** For HttpRequest. */
  async readBody(incoming: IncomingMessage, uses: PackedUses | null): Promise<DecodedBody> {
    const coding = (incoming.headers['content-encoding'] ?? '').trim().toLowerCase();
    const known = coding === '' || coding === 'identity' || (this.#codings.has(coding) && isContentCoding(coding));
    if (!known) throw new HttpError(400, `unsupported Content-Encoding: ${coding}`);
    const raw = await this.readRaw(incoming);
    if (coding === '' || coding === 'identity' || raw.length === 0) return { plain: raw, packed: null };
    const use = uses !== null && isPackedCoding(coding) ? uses(coding) : 'none';
    try {
      return await decodeOwned(raw, coding, this.#maxBody, use);
    } catch (error) {
      if (error instanceof TooLargeError) throw error;
      throw new HttpError(400, errorText(error), { cause: error });
    }
  }

  /** For HttpRequest. */
  readRaw(incoming: IncomingMessage): Promise<Buffer> {
    const limit = this.#maxBody;
    const announced = Number(incoming.headers['content-length'] ?? -1);
    if (announced > limit) return Promise.reject(new TooLargeError(limit, 'http: request body too large'));
    return new Promise((done, fail) => {
      const chunks: Buffer[] = [];
      let size = 0; // Moved by 'data' only, once a socket read.
      const take = (chunk: Buffer): void => {
        size += chunk.length;
        if (size > limit) {
          incoming.off('data', take);
          incoming.pause();
          fail(new TooLargeError(limit, 'http: request body too large'));
        } else chunks.push(chunk);
      };
      incoming.on('data', take);
      incoming.on('end', () => {
        const body = chunks.length === 1 ? keepCopy(chunks[0]!, 0, size) : joinInto(Buffer.allocUnsafeSlow(size), chunks);
        for (const chunk of chunks) freeRead(chunk);
        done(body);
      });
      incoming.on('error', (error) => fail(new HttpError(400, 'the request broke off', { cause: error })));
      incoming.on('close', () => {
        if (!incoming.complete) fail(new HttpError(400, 'the request broke off'));
      });
    });
  }
}

/** How long, and how much, of a refused body is read and thrown away: a client that is still writing when the connection closes never sees the answer. */
const LINGER_MS = 500;
const LINGER_BYTES = 16 << 20;
function discard(incoming: IncomingMessage): Promise<void> {
  return new Promise((done) => {
    let left = LINGER_BYTES;
    const timer = setTimeout(done, LINGER_MS);
    const end = (): void => {
      clearTimeout(timer);
      done();
    };
    incoming.on('data', (chunk: Buffer) => {
      left -= chunk.length;
      if (left < 0) end();
    });
    incoming.once('end', end);
    incoming.once('close', end);
    incoming.resume();
  });
}

/** "X-Api-Key" of "x-api-key". */
function goSpelling(name: string): string {
  return name.replace(/(^|-)[a-z]/g, (start) => start.toUpperCase());
}
function joinInto(out: Buffer, chunks: readonly Buffer[]): Buffer {
  let at = 0;
  for (const chunk of chunks) at += chunk.copy(out, at);
  return out;
}
function plainReply(_request: HttpRequest, status: number, message: string): HttpReply {
  return { status, headers: { 'Content-Type': 'text/plain; charset=utf-8' }, body: `${message}\n` };
}
function drained(outgoing: ServerResponse): Promise<void> {
  return new Promise((done) => {
    const end = (): void => {
      outgoing.off('drain', end);
      outgoing.off('close', end);
      done();
    };
    outgoing.on('drain', end);
    outgoing.on('close', end);
  });
}

type Route = { readonly methods: ReadonlySet<string>; readonly pattern: readonly string[]; readonly handler: HttpHandler };

/** Methods and paths to handlers. A segment ":name" takes one segment, "*name" at the end the rest; exact paths win. Unknown paths are 404, wrong methods 405. */
export class Router {
  readonly #exact = new Map<string, Route[]>();
  readonly #patterns: Route[] = [];

  /** `methods`: "GET" or "GET,POST"; HEAD comes with GET. */
  on(methods: string, path: string, handler: HttpHandler): this {
    const set = new Set(methods.split(','));
    if (set.has('GET')) set.add('HEAD');
    const route: Route = { methods: set, pattern: path.split('/'), handler };
    if (/[:*]/.test(path)) this.#patterns.push(route);
    else this.#exact.set(path, [...(this.#exact.get(path) ?? []), route]);
    return this;
  }

  readonly handle: HttpHandler = (request) => {
    const allowed = new Set<string>();
    for (const route of this.#exact.get(request.path) ?? []) {
      if (route.methods.has(request.method)) return route.handler(request);
      for (const method of route.methods) allowed.add(method);
    }
    if (allowed.size === 0) {
      const segments = request.path.split('/');
      for (const route of this.#patterns) {
        const params = match(route.pattern, segments);
        if (params === null) continue;
        if (route.methods.has(request.method)) {
          request.params = params;
          return route.handler(request);
        }
        for (const method of route.methods) allowed.add(method);
      }
    }
    if (allowed.size === 0) throw new HttpError(404, '404 page not found');
    throw new HttpError(405, 'Method Not Allowed', { headers: { Allow: [...allowed].sort().join(', ') } });
  };
}

function match(pattern: readonly string[], segments: readonly string[]): Record<string, string> | null {
  const params: Record<string, string> = {};
  for (let i = 0; i < pattern.length; i++) {
    const wanted = pattern[i]!;
    if (wanted.startsWith('*')) {
      params[wanted.slice(1)] = decode(segments.slice(i).join('/'));
      return params;
    }
    const given = segments[i];
    if (given === undefined) return null;
    if (wanted.startsWith(':')) params[wanted.slice(1)] = decode(given);
    else if (wanted !== given) return null;
  }
  return segments.length === pattern.length ? params : null;
}
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new HttpError(400, `malformed path segment "${text}"`);
  }
}
