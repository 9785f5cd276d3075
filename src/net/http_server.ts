/**
 * HTTP server: HTTP/1.1 on node:http and node:https, and over TLS HTTP/2 on the own connections for clients that ask for it (ALPN), where the owner wants
 * that. One handler is given a request with its body decompressed and limited, and returns a reply. Adds what confighttp.ServerConfig asks for (TLS,
 * CORS, timeouts, limits, extra headers) and drains on close.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Server as TlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Clock } from '#src/core/clock.ts';
import { errorText } from '#src/core/errors.ts';
import { createServer, createTlsServer } from '#src/core/node_http.ts';
import type { Admission } from './admission.ts';
import { HANDSHAKE_TIMEOUT_MS, limitHandshakes } from './handshakes.ts';
import { Http1Source, writeReply } from './http1.ts';
import { ServerConnections } from './http2/server_connections.ts';
import { Http2Service } from './http2_service.ts';
import { HttpRequest } from './http_request.ts';
import { HttpResponder, type ResponderOptions } from './http_responder.ts';
import { listenOn, removeStaleSocket } from './listen.ts';
import { reloadServerTls, serverTlsOptions } from './tls.ts';

export { HttpError, type HttpHandler, type HttpReply, HttpRequest } from './http_request.ts';
export { Router } from './http_router.ts';

export interface HttpServerOptions extends ResponderOptions {
  /** Listen together with other threads or with the server of the configuration before. */
  readonly reusePort?: boolean;
  /** Serve HTTP/2 over TLS, too. Replies are then sent in whole: nothing for streams without end. */
  readonly http2?: { readonly admission: Admission; readonly clock: Clock };
  /** Hears when a client meets a limit, by name. */
  readonly limitHit?: (limit: string) => void;
}

/** As Go's server of HTTP/2 has it. */
const MAX_STREAMS = 250;
const MAX_UNSENT_BYTES = 1 << 20;
const STALL_MS = 30_000;
const NEVER_MS = 0x7fffffff;

export class HttpServer {
  readonly #options: HttpServerOptions;
  readonly #server: Server | TlsServer;
  readonly #responder: HttpResponder;
  readonly #connections: ServerConnections<never> | null = null;
  #stopReload = (): void => {};
  #listening = false;

  constructor(options: HttpServerOptions) {
    const { settings, log, http2 } = options;
    const hit = options.limitHit ?? (() => {});
    this.#options = options;
    this.#responder = new HttpResponder(options);
    const serve = (incoming: IncomingMessage, outgoing: ServerResponse): void => void this.#serve(incoming, outgoing, false);
    const common = { keepAlive: true, noDelay: true, highWaterMark: 64 * 1024 };
    if (settings.tls) {
      const ALPNProtocols = http2 ? ['h2', 'http/1.1'] : ['http/1.1'];
      const server = createTlsServer({ ...common, ...serverTlsOptions(settings.tls), ALPNProtocols, handshakeTimeout: HANDSHAKE_TIMEOUT_MS }, serve);
      if (http2) this.#connections = this.#serveHttp2(server, http2, hit);
      limitHandshakes(server, () => hit('tls_handshakes'));
      this.#stopReload = reloadServerTls(server, settings.tls, (error) =>
        log.warn('The certificate could not be read again; the old one stays.', { error: errorText(error) }),
      );
      this.#server = server;
    } else this.#server = createServer(common, serve);
    const server = this.#server;
    server.on('checkContinue', (incoming: IncomingMessage, outgoing: ServerResponse) => void this.#serve(incoming, outgoing, true));
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
  }

  /** Connections that agreed on HTTP/2 go to the own code, the others on to node's. */
  #serveHttp2(server: TlsServer, { admission, clock }: NonNullable<HttpServerOptions['http2']>, hit: (limit: string) => void): ServerConnections<never> {
    const { settings } = this.#options;
    const limits = {
      maxStreams: MAX_STREAMS,
      maxMessageBytes: this.#responder.rules.maxBytes,
      maxIdleMs: settings.idle_timeout || settings.read_timeout || 0,
      maxAgeMs: 0,
      ageGraceMs: 0,
      pingAfterMs: NEVER_MS,
      pingTimeoutMs: NEVER_MS,
      minPingMs: 0,
      pingsWithoutCalls: true,
      stallMs: settings.read_timeout || STALL_MS,
      maxUnsentBytes: MAX_UNSENT_BYTES,
      admission,
      refused: hit,
    };
    const connections = new ServerConnections(new Http2Service(this.#responder), limits, clock);
    const others = server.listeners('secureConnection') as ((socket: TLSSocket) => void)[];
    server.removeAllListeners('secureConnection');
    server.on('secureConnection', (socket: TLSSocket) => {
      if (socket.alpnProtocol !== 'h2') for (const listener of others) listener.call(server, socket);
      else if (this.#listening) connections.add(socket);
      else socket.destroy();
    });
    return connections as unknown as ServerConnections<never>;
  }

  /** Settles when it listens; rejects when the address cannot be had, or an extension does not run. */
  async listen(): Promise<void> {
    const { settings, log, reusePort } = this.#options;
    this.#responder.start();
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
    const closed = new Promise<void>((done) => {
      server.close(() => done());
      server.closeIdleConnections();
    });
    await this.#connections?.drain(graceMs);
    await closed;
    clearTimeout(timer);
  }

  async #serve(incoming: IncomingMessage, outgoing: ServerResponse, waits: boolean): Promise<void> {
    const { settings, log } = this.#options;
    const responder = this.#responder;
    const source = new Http1Source(incoming, waits ? outgoing : null);
    const request = new HttpRequest(incoming.method ?? 'GET', incoming.url ?? '/', incoming.headers, source, responder.rules);
    for (const [name, value] of responder.extraHeaders(request)) outgoing.setHeader(name, value);
    if (settings.keep_alives_enabled === false || !this.#listening) outgoing.setHeader('Connection', 'close');
    const early = responder.early(request);
    if (early !== null) return writeReply(incoming, outgoing, early, log);
    if ((settings.write_timeout ?? 0) > 0) outgoing.setTimeout(settings.write_timeout!, () => outgoing.destroy());
    await writeReply(incoming, outgoing, await responder.respond(request), log);
    request.release();
  }
}
