/**
 * HTTP/1.1 GET for scrapes, on one kept connection per target. Sockets read straight into the buffer of the body (onread), which is lent to one answer
 * at a time: 0.4 ms a megabyte, where node:http takes 2.2. Deliberately absent: pipelining, proxies, HTTP/2, trailers' content, cookies.
 */
import net from 'node:net';
import tls from 'node:tls';
import zlib from 'node:zlib';
import { freeBytes } from '#src/core/slab.ts';

export interface ClientOptions {
  readonly host: string;
  readonly port: number;
  /** Null: plain text. Asked for each connection: certificates in files may be renewed. */
  readonly tls: (() => Promise<tls.ConnectionOptions>) | null;
  /** Path with query. */
  readonly path: string;
  /** Header lines without the request line and Host, made anew for each request: credentials may be in files that change. */
  headers(): Promise<string>;
  readonly hostHeader: string;
  /** Uncompressed bytes from which on an answer is refused; 0: none. */
  readonly bodyLimit: number;
  readonly followRedirects: boolean;
}

export interface Answer {
  readonly bytes: Buffer;
  readonly from: number;
  readonly to: number;
  readonly contentType: string;
}

export class BodyLimitError extends Error {}
/** Status and Location of an answer that sends elsewhere. */
class Redirect extends Error {
  readonly location: string;
  constructor(status: number, location: string) {
    super(`server returned HTTP status ${status}`);
    this.location = location;
  }
}

const MAX_HEAD_BYTES = 65_536;
const MAX_REDIRECTS = 10;
/** Where no limit is configured: an answer has to stop somewhere. */
const DEFAULT_BODY_LIMIT = 1 << 30;
const KEPT_BUFFERS = 2;
const MAX_KEPT_BYTES = 1 << 26;

const headBuffer = Buffer.allocUnsafeSlow(1 << 16);
const pool: Buffer[] = [];

/** Sizes in steps of 256 KiB: a pool whose buffers are a few bytes too small would ask the kernel for new pages in each scrape. */
function takeBuffer(size: number): Buffer {
  const index = pool.findIndex((buffer) => buffer.length >= size);
  return index >= 0 ? pool.splice(index, 1)[0]! : Buffer.allocUnsafeSlow((size | 0x3ffff) + 1);
}
/** Gives the bytes of an answer back. They are not to be read afterwards. The largest are kept; others are freed at once, not left to a garbage collection. */
export function giveBack(buffer: Buffer): void {
  if (buffer.length > MAX_KEPT_BYTES) freeBytes(buffer);
  else if (pool.length < KEPT_BUFFERS) pool.push(buffer);
  else {
    let smallest = 0;
    for (let i = 1; i < pool.length; i++) if (pool[i]!.length < pool[smallest]!.length) smallest = i;
    const isLarger = buffer.length > pool[smallest]!.length;
    freeBytes(isLarger ? pool[smallest]! : buffer);
    if (isLarger) pool[smallest] = buffer;
  }
}

/** What is read of one answer: first its head as text, then its body into a lent buffer. */
interface Exchange {
  head: string;
  status: number;
  reason: string;
  contentType: string;
  location: string;
  isGzip: boolean;
  isLast: boolean;
  /** By length, by chunks, until the connection ends. */
  mode: 'length' | 'chunked' | 'close';
  body: Buffer | null;
  from: number;
  /** Data ends at `written`, what was read at `filled`; `parsed` is where the next chunk's head begins. */
  written: number;
  filled: number;
  parsed: number;
  left: number;
  needLineEnd: boolean;
  resolve: (answer: Answer) => void;
  reject: (error: Error) => void;
}

export class ScrapeClient {
  readonly #options: ClientOptions;
  #socket: net.Socket | null = null;
  #exchange: Exchange | null = null;
  /** Size of the last body, a guess for the next. */
  #usual = 1 << 16;
  #plainSize = 1 << 16;

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  /** The answer to one request, or an Error. One at a time. The bytes go back by giveBack(). */
  async get(timeoutMs: number): Promise<Answer> {
    const deadline = performance.now() + timeoutMs;
    const headers = await this.#options.headers();
    try {
      const secure = this.#options.tls !== null && this.#socket === null ? await this.#options.tls() : null;
      return await this.#request(headers, deadline - performance.now(), secure);
    } catch (error) {
      if (!(error instanceof Redirect) || !this.#options.followRedirects) throw error;
      return await followRedirect(this.#options, error.location, deadline);
    }
  }

  close(): void {
    this.#socket?.destroy();
    this.#socket = null;
    this.#fail(new Error('the scrape was stopped'));
  }

  #request(headers: string, timeoutMs: number, secure: tls.ConnectionOptions | null): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    this.#exchange = {
      head: '',
      status: 0,
      reason: '',
      contentType: '',
      location: '',
      isGzip: false,
      isLast: false,
      mode: 'close',
      body: null,
      from: 0,
      written: 0,
      filled: 0,
      parsed: 0,
      left: 0,
      needLineEnd: false,
      resolve,
      reject,
    };
    const timer = setTimeout(() => this.#abort(new Error('context deadline exceeded: the target did not answer in time')), Math.max(1, timeoutMs));
    const socket = this.#socket ?? this.#connect(secure);
    this.#socket = socket;
    socket.write(`GET ${this.#options.path} HTTP/1.1\r\nHost: ${this.#options.hostHeader}\r\n${headers}\r\n`);
    return promise.finally(() => clearTimeout(timer));
  }

  #connect(secure: tls.ConnectionOptions | null): net.Socket {
    const { host, port } = this.#options;
    let socket: net.Socket;
    if (secure !== null) {
      socket = tls.connect({ host, port, ...secure });
      socket.on('data', (data: Buffer) => this.#takeCopy(data));
    } else {
      socket = net.connect({
        host,
        port,
        noDelay: true,
        onread: { buffer: () => this.#room(), callback: (size, buffer) => this.#take(size, buffer as Buffer) },
      });
    }
    const gone = (error?: Error): void => {
      if (this.#socket !== socket) return;
      this.#socket = null;
      socket.destroy();
      if (this.#exchange?.body && this.#exchange.mode === 'close') this.#finish(this.#exchange);
      else this.#fail(error ?? new Error('the target closed the connection'));
    };
    socket
      .on('error', gone)
      .on('end', () => gone())
      .on('close', () => gone());
    return socket;
  }

  #room(): Buffer {
    const exchange = this.#exchange;
    return exchange?.body ? exchange.body.subarray(exchange.filled) : headBuffer;
  }

  /** Bytes of a socket that brings its own buffers. */
  #takeCopy(data: Buffer): void {
    for (let at = 0; at < data.length; ) {
      const room = this.#room();
      const size = data.copy(room, 0, at);
      at += size;
      this.#take(size, room);
    }
  }

  #take(size: number, buffer: Buffer): boolean {
    const exchange = this.#exchange;
    if (exchange === null) {
      this.#socket?.destroy(); // Nobody asked.
      this.#socket = null;
      return false;
    }
    if (exchange.body === null) {
      if (!this.#readHead(exchange, size, buffer)) return true;
    } else exchange.filled += size;
    if (exchange.mode === 'chunked') this.#readChunks(exchange);
    else {
      exchange.written = exchange.filled;
      if (exchange.mode === 'length' && exchange.filled >= exchange.left) {
        exchange.written = exchange.left;
        this.#finish(exchange);
      }
    }
    if (this.#exchange === exchange) this.#makeRoom(exchange);
    return true;
  }

  #makeRoom(exchange: Exchange): void {
    const body = exchange.body!;
    if (exchange.written - exchange.from > (this.#options.bodyLimit || DEFAULT_BODY_LIMIT)) {
      this.#abort(new BodyLimitError('body size limit exceeded'));
      return;
    }
    if (body.length - exchange.filled >= 32_768) return;
    const bigger = takeBuffer(body.length * 2);
    body.copy(bigger, 0, 0, exchange.filled);
    giveBack(body);
    exchange.body = bigger;
  }

  /** True once the body has begun; what came of it is in its buffer then. */
  #readHead(exchange: Exchange, size: number, buffer: Buffer): boolean {
    exchange.head += buffer.latin1Slice(0, size);
    const end = exchange.head.indexOf('\r\n\r\n');
    if (end < 0) {
      if (exchange.head.length > MAX_HEAD_BYTES) this.#abort(new Error('the head of the answer is too big'));
      return false;
    }
    const head = exchange.head.slice(0, end);
    const status = /^HTTP\/1\.[01] (\d{3})([^\r]*)/.exec(head);
    if (status === null) {
      this.#abort(new Error('the answer is no HTTP/1.1'));
      return false;
    }
    const header = (name: string): string => new RegExp(`\\r\\n${name}:[ \\t]*([^\\r]*)`, 'i').exec(head)?.[1]?.trim() ?? '';
    const rest = exchange.head.length - end - 4;
    exchange.status = Number(status[1]);
    if (exchange.status < 200) {
      exchange.head = '';
      return false;
    }
    exchange.reason = status[2]!.trim();
    exchange.contentType = header('content-type');
    exchange.location = header('location');
    exchange.isGzip = header('content-encoding').toLowerCase() === 'gzip';
    exchange.isLast = header('connection').toLowerCase() === 'close';
    const length = header('content-length');
    const hasNoBody = exchange.status === 204 || exchange.status === 304;
    exchange.mode = hasNoBody ? 'length' : /chunked/i.test(header('transfer-encoding')) ? 'chunked' : /^\d+$/.test(length) ? 'length' : 'close';
    exchange.left = exchange.mode === 'length' && !hasNoBody ? Number(length) : 0;
    if (exchange.left > (this.#options.bodyLimit || DEFAULT_BODY_LIMIT) && exchange.status === 200) {
      this.#abort(new BodyLimitError('body size limit exceeded'));
      return false;
    }
    exchange.body = takeBuffer(Math.max(this.#usual, exchange.left + 65_536, rest + 65_536));
    buffer.copy(exchange.body, 0, size - rest, size);
    exchange.filled = rest;
    return true;
  }

  /** Moves the data of chunks together, over their heads. */
  #readChunks(exchange: Exchange): void {
    const body = exchange.body!;
    for (;;) {
      if (exchange.left > 0) {
        const size = Math.min(exchange.left, exchange.filled - exchange.parsed);
        if (exchange.written !== exchange.parsed) body.copyWithin(exchange.written, exchange.parsed, exchange.parsed + size);
        exchange.written += size;
        exchange.parsed += size;
        exchange.left -= size;
        if (exchange.left > 0) {
          exchange.parsed = exchange.written;
          exchange.filled = exchange.written; // The next read lands where the data ends.
          return;
        }
        exchange.needLineEnd = true;
      }
      const start = exchange.parsed + (exchange.needLineEnd ? 2 : 0);
      if (exchange.filled < start + 3) return;
      const lineEnd = body.indexOf(10, start);
      if (lineEnd < 0 || lineEnd >= exchange.filled) {
        if (exchange.filled - start > 1024) this.#abort(new Error('a chunk has no size'));
        return;
      }
      const text = body.latin1Slice(start, lineEnd).trim();
      const size = /^[0-9a-fA-F]{1,8}(?:;.*)?$/.test(text) ? Number.parseInt(text, 16) : -1;
      if (size < 0) {
        this.#abort(new Error('a chunk has no size'));
        return;
      }
      if (size === 0) {
        // Trailers end with an empty line.
        if (exchange.filled < lineEnd + 3) return;
        if (body[lineEnd + 1] !== 13) exchange.isLast = true;
        this.#finish(exchange);
        return;
      }
      if (exchange.written === 0) {
        exchange.from = lineEnd + 1;
        exchange.written = lineEnd + 1;
      }
      exchange.parsed = lineEnd + 1;
      exchange.left = size;
    }
  }

  #finish(exchange: Exchange): void {
    this.#exchange = null;
    if (exchange.isLast || exchange.mode === 'close') {
      const socket = this.#socket;
      this.#socket = null;
      socket?.destroy();
    }
    const body = exchange.body!;
    this.#usual = Math.max(1 << 16, exchange.written + 70_000);
    if (exchange.status !== 200) {
      giveBack(body);
      const isRedirect = exchange.location !== '' && [301, 302, 303, 307, 308].includes(exchange.status);
      exchange.reject(
        isRedirect ? new Redirect(exchange.status, exchange.location) : new Error(`server returned HTTP status ${exchange.status} ${exchange.reason}`.trim()),
      );
      return;
    }
    const { contentType, from, written } = exchange;
    if (!exchange.isGzip) {
      if (this.#options.bodyLimit > 0 && written - from >= this.#options.bodyLimit) {
        giveBack(body);
        exchange.reject(new BodyLimitError('body size limit exceeded'));
      } else exchange.resolve({ bytes: body, from, to: written, contentType });
      return;
    }
    this.#gunzip(body.subarray(from, written), exchange).finally(() => giveBack(body));
  }

  async #gunzip(packed: Buffer, exchange: Exchange): Promise<void> {
    const limit = this.#options.bodyLimit || DEFAULT_BODY_LIMIT;
    try {
      const plain = zlib.gunzipSync(packed, { chunkSize: this.#plainSize, maxOutputLength: limit });
      this.#plainSize = Math.max(1 << 16, plain.length + 64);
      if (this.#options.bodyLimit > 0 && plain.length >= limit) throw new BodyLimitError('body size limit exceeded');
      exchange.resolve({ bytes: plain, from: 0, to: plain.length, contentType: exchange.contentType });
    } catch (error) {
      const isTooBig = (error as { code?: string }).code === 'ERR_BUFFER_TOO_LARGE' || error instanceof BodyLimitError;
      exchange.reject(isTooBig ? new BodyLimitError('body size limit exceeded') : new Error('the answer cannot be unpacked', { cause: error }));
    }
  }

  /** The answer cannot be used, and what else comes on this connection neither. */
  #abort(error: Error): void {
    const socket = this.#socket;
    this.#socket = null;
    socket?.destroy();
    this.#fail(error);
  }
  #fail(error: Error): void {
    const exchange = this.#exchange;
    if (exchange === null) return;
    this.#exchange = null;
    if (exchange.body !== null) giveBack(exchange.body);
    exchange.reject(error);
  }
}

/** Redirects are rare: each hop has a client of its own. Credentials go along only to the same host. */
async function followRedirect(options: ClientOptions, location: string, deadline: number): Promise<Answer> {
  let target = new URL(location, `${options.tls === null ? 'http' : 'https'}://${options.hostHeader}${options.path}`);
  for (let hop = 0; hop < MAX_REDIRECTS; hop++) {
    if (target.protocol !== 'http:' && target.protocol !== 'https:') break;
    const isSecure = target.protocol === 'https:';
    const isSameHost = target.host === new URL(`http://${options.hostHeader}`).host;
    const client = new ScrapeClient({
      ...options,
      host: target.hostname.replace(/^\[|\]$/g, ''),
      port: Number(target.port) || (isSecure ? 443 : 80),
      tls: isSecure ? (options.tls ?? (async () => ({ servername: net.isIP(target.hostname) ? '' : target.hostname }))) : null,
      path: target.pathname + target.search,
      hostHeader: target.host,
      followRedirects: false,
      headers: async () => (isSameHost ? await options.headers() : (await options.headers()).replace(/^(?:Authorization|Cookie):[^\r]*\r\n/gim, '')),
    });
    try {
      return await client.get(deadline - performance.now());
    } catch (error) {
      if (!(error instanceof Redirect)) throw error;
      target = new URL(error.location, target);
    } finally {
      client.close();
    }
  }
  throw new Error(`stopped after ${MAX_REDIRECTS} redirects`);
}
