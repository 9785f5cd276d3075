/**
 * HTTP client on undici, as confighttp.ClientConfig describes it: pooled connections, TLS, proxies, compression of bodies, one limit for a
 * whole request. Answers are read whole and limited, since what we send is large and what comes back is not. Redirects that keep method and body (307,
 * 308) are followed; others are answers, since a POST would become a GET without what it has to say.
 */
import { Agent, type Dispatcher, ProxyAgent, request } from 'undici';
import { type ClientAuthenticator, clientAuthenticator } from '#src/core/auth.ts';
import type { Host } from '#src/core/component.ts';
import { ConfigError, RetryableError } from '#src/core/errors.ts';
import { encodeBody, isContentCoding } from './compression.ts';
import type { HttpClientConfig } from './config.ts';
import { proxyFor } from './proxy.ts';
import { clientTlsOptions, type TlsClientOptions } from './tls.ts';

export interface HttpClientOptions {
  readonly settings: HttpClientConfig;
  readonly userAgent: string;
  /** Where `auth` finds its extension. */
  readonly host?: Pick<Host, 'extension'>;
}
export interface HttpCall {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly url: string;
  /** The body in parts; compressed as the settings say, unless `headers` already has a Content-Encoding. */
  readonly parts?: readonly Uint8Array[];
  /** The parts compressed already as the settings say. */
  readonly encoded?: Uint8Array | null;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
  /** Bytes of the answer that are kept; the rest is dropped. 64 KB where absent. */
  readonly maxAnswerBytes?: number;
}
export interface HttpAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}
const MAX_ANSWER_BYTES = 64 * 1024;
const CONNECT_TIMEOUT_MS = 30_000;
/** As many as Go follows. */
const MAX_REDIRECTS = 10;
/** The server closed a connection that had been idle just when we wrote to it. */
const STALE_CODES: ReadonlySet<string> = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']);

export class HttpClient {
  readonly #settings: HttpClientConfig;
  readonly #headers: Readonly<Record<string, string>>;
  /** By proxy; "" is the way without one. */
  readonly #dispatchers = new Map<string, Dispatcher>();
  readonly #auth: ClientAuthenticator | null;
  readonly #tls: TlsClientOptions | Record<string, never>;

  /** Throws ConfigError where a TLS file cannot be read, or the authenticator does not run. */
  constructor({ settings, userAgent, host }: HttpClientOptions) {
    this.#settings = settings;
    this.#auth = settings.auth ? clientAuthenticator(settings.auth, host) : null;
    const headers: Record<string, string> = { 'user-agent': userAgent };
    for (const { name, value } of settings.headers) headers[name.toLowerCase()] = value;
    this.#headers = headers;
    this.#tls = clientTlsOptions({ ...settings.tls, insecure: false }) ?? {};
    if (URL.canParse(settings.endpoint)) this.#dispatcherFor(settings.endpoint); // A proxy that is none is told at the start.
  }

  /** Any status is an answer; RetryableError where none came. */
  async send(call: HttpCall): Promise<HttpAnswer> {
    const { compression, compression_params, timeout } = this.#settings;
    const headers: Record<string, string> = { ...call.headers, ...this.#headers };
    if (this.#auth !== null) for (const [name, value] of this.#auth.requestHeaders()) headers[name] = value;
    let body: Uint8Array | undefined;
    if (call.parts !== undefined) {
      const sizeBytes = call.parts.reduce((sum, part) => sum + part.length, 0);
      if (isContentCoding(compression) && headers['content-encoding'] === undefined) {
        headers['content-encoding'] = compression;
        // Copied for the reason below.
        body = call.encoded ? Buffer.from(call.encoded) : await encodeBody(call.parts, sizeBytes, compression, compression_params.level);
      } else body = Buffer.concat(call.parts, sizeBytes); // A copy: a server may answer while its socket still reads the body.
    }
    const limits = [call.signal, timeout > 0 ? AbortSignal.timeout(timeout) : undefined].filter((signal) => signal !== undefined);
    const options = {
      method: call.method ?? (body ? 'POST' : 'GET'),
      headers,
      body: body ?? null,
      signal: limits.length > 0 ? AbortSignal.any(limits) : null,
    } as const;
    let { url } = call;
    for (let tries = 0, redirects = 0; ; tries++) {
      const dispatcher = this.#dispatcherFor(url);
      try {
        const answer = await request(url, { ...options, dispatcher });
        const read = await readSome(answer.body, call.maxAnswerBytes ?? MAX_ANSWER_BYTES);
        const next = redirectOf(answer.statusCode, answer.headers['location'], url);
        if (next === null || redirects++ === MAX_REDIRECTS) return { status: answer.statusCode, headers: answer.headers, body: read };
        url = next;
      } catch (error) {
        const stale = STALE_CODES.has((error as NodeJS.ErrnoException).code ?? '');
        if (stale && tries === 0) continue;
        if ((error as Error).name === 'TimeoutError')
          throw new RetryableError(`failed to make an HTTP request: no answer from ${url} within ${timeout / 1000} s`, { cause: error });
        throw new RetryableError(`failed to make an HTTP request to ${url}`, { cause: error });
      }
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#dispatchers.values()].map((dispatcher) => dispatcher.close()));
  }

  #dispatcherFor(text: string): Dispatcher {
    const { proxy_url } = this.#settings;
    if (proxy_url !== '' && !URL.canParse(proxy_url)) throw new ConfigError([{ path: ['proxy_url'], message: `"${proxy_url}" is no URL` }]);
    const { protocol, hostname, port } = new URL(text);
    const scheme = protocol === 'https:' ? 'https' : 'http';
    const host = hostname.replace(/^\[|\]$/g, '');
    const proxy = proxy_url || (proxyFor(scheme, host, Number(port) || (scheme === 'https' ? 443 : 80))?.href ?? '');
    let dispatcher = this.#dispatchers.get(proxy);
    if (dispatcher === undefined) {
      dispatcher = this.#buildDispatcher(proxy.replace(/^socks5h:/, 'socks5:'));
      this.#dispatchers.set(proxy, dispatcher);
    }
    return dispatcher;
  }
  #buildDispatcher(proxy: string): Dispatcher {
    const { max_conns_per_host, idle_conn_timeout, disable_keep_alives } = this.#settings;
    const options = {
      connect: { ...this.#tls, timeout: CONNECT_TIMEOUT_MS },
      connections: max_conns_per_host || null,
      keepAliveTimeout: idle_conn_timeout || 90_000,
      keepAliveMaxTimeout: 600_000,
      pipelining: disable_keep_alives ? 0 : 1,
      headersTimeout: 0,
      bodyTimeout: 0,
    };
    // As in Go, a proxy is asked for http:// URLs itself, and for a tunnel to https:// only: many allow no other.
    return proxy === '' ? new Agent(options) : new ProxyAgent({ ...options, uri: proxy, requestTls: this.#tls, proxyTunnel: false });
  }
}

/** Where the same request shall go instead; null where nowhere, or to what is not HTTP. */
function redirectOf(status: number, location: string | string[] | undefined, from: string): string | null {
  if ((status !== 307 && status !== 308) || typeof location !== 'string' || !URL.canParse(location, from)) return null;
  const { protocol, href } = new URL(location, from);
  return protocol === 'http:' || protocol === 'https:' ? href : null;
}

async function readSome(body: AsyncIterable<Uint8Array> & { destroy(): void }, limit: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    const room = limit - size;
    chunks.push(chunk.length > room ? chunk.subarray(0, room) : chunk);
    size += Math.min(chunk.length, room);
    if (chunk.length > room) {
      body.destroy();
      break;
    }
  }
  return Buffer.concat(chunks, size);
}

/** Milliseconds that Retry-After asks for, in seconds or as a date; -1 where it is absent or unreadable. */
export function retryAfterMs(headers: HttpAnswer['headers'], nowMs: number): number {
  const value = headers['retry-after'];
  const text = Array.isArray(value) ? value[0] : value;
  if (text === undefined) return -1;
  if (/^\s*\d+\s*$/.test(text)) return Number(text) * 1000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? -1 : Math.max(0, date - nowMs);
}
