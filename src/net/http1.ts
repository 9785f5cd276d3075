/** Requests and answers of HTTP/1.1, on node:http: reading a body into one buffer, writing a reply, and what to do with a body that nobody wants. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Log } from '#src/core/telemetry.ts';
import { errorText } from '#src/core/errors.ts';
import { freeRead, keepCopy } from '#src/core/slab.ts';
import { HttpError, type HttpReply, type RequestSource, tooLarge } from './http_request.ts';
import { addressOf } from './listen.ts';

export class Http1Source implements RequestSource {
  readonly #incoming: IncomingMessage;
  /** The client waits to be told that its body is wanted; null where it does not. */
  readonly #waits: ServerResponse | null;
  constructor(incoming: IncomingMessage, waits: ServerResponse | null) {
    this.#incoming = incoming;
    this.#waits = waits;
  }
  get peerAddress(): string {
    return addressOf(this.#incoming.socket);
  }
  distinctHeaders(): Readonly<Record<string, readonly string[] | undefined>> {
    return this.#incoming.headersDistinct;
  }
  onGone(gone: () => void): () => void {
    const { socket } = this.#incoming;
    if (socket.destroyed) {
      gone();
      return () => {};
    }
    // The socket may serve many requests, and does not keep a listener of each.
    socket.once('close', gone);
    return () => void socket.off('close', gone);
  }
  readBody(maxBytes: number): Promise<Buffer> {
    const incoming = this.#incoming;
    this.#waits?.writeContinue();
    return new Promise((done, fail) => {
      const chunks: Buffer[] = [];
      let size = 0; // Moved by 'data' only, once a socket read.
      const take = (chunk: Buffer): void => {
        size += chunk.length;
        if (size > maxBytes) {
          incoming.off('data', take);
          incoming.pause();
          fail(tooLarge(maxBytes));
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
function joinInto(out: Buffer, chunks: readonly Buffer[]): Buffer {
  let at = 0;
  for (const chunk of chunks) at += chunk.copy(out, at);
  return out;
}

/** The rest of a refused body that is read and dropped, so that the connection can go on: cheaper than the client's next connection. */
const SKIP_BYTES = 256 << 10;

export async function writeReply(incoming: IncomingMessage, outgoing: ServerResponse, reply: HttpReply, log: Log): Promise<void> {
  // What was not read of a large body that is refused is not worth reading: the connection ends with the answer.
  const unread = !incoming.complete && reply.status >= 400 && !(Number(incoming.headers['content-length']) <= SKIP_BYTES);
  if (unread) outgoing.setHeader('Connection', 'close');
  const { body, headers } = reply;
  const fields: string[] = [];
  if (headers) for (const name in headers) fields.push(name, headers[name]!);
  if (body === undefined || typeof body === 'string' || body instanceof Uint8Array) {
    const size = body === undefined ? 0 : typeof body === 'string' ? Buffer.byteLength(body) : body.length;
    fields.push('Content-Length', String(size));
    outgoing.writeHead(reply.status, fields);
    const content = incoming.method === 'HEAD' || body?.length === 0 ? undefined : body;
    if (!unread) return void endWith(outgoing, content, size);
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
    log.debug('A streamed answer broke off.', { error: errorText(error) });
    outgoing.destroy();
  }
}
/** A small body as text, so that node puts it behind the headers and writes both at once: 17 us a refused request in place of 19. */
const SMALL_BODY = 1024;
function endWith(outgoing: ServerResponse, content: string | Uint8Array | undefined, size: number): void {
  if (content instanceof Uint8Array && size <= SMALL_BODY) outgoing.end(Buffer.from(content.buffer, content.byteOffset, size).latin1Slice(), 'latin1');
  else outgoing.end(content);
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
