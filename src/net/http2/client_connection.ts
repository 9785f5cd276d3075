/**
 * A connection to a server of unary calls. The body of a call is a list of parts that are written as they are, cut into frames; small
 * calls are one buffer. Calls wait here for streams, windows and the socket, in order, and one that is stuck does not hold up others.
 */
import type { Socket } from 'node:net';
import {
  CANCEL,
  ConnectionError,
  DATA,
  DEFAULT_WINDOW,
  errorName,
  FLAG_END_HEADERS,
  FLAG_END_STREAM,
  HEADER_BYTES,
  HEADERS,
  headerFrames,
  MAX_FRAME_BYTES,
  NO_ERROR,
  PREFACE,
  PROTOCOL_ERROR,
  pingFrame,
  REFUSED_STREAM,
  SETTINGS_ENABLE_PUSH,
  SETTINGS_INITIAL_WINDOW_SIZE,
  SETTINGS_MAX_HEADER_LIST_SIZE,
  settingsFrame,
  windowUpdateFrame,
  writeFrameHeader,
} from './frames.ts';
import { Connection, MAX_HEADER_BYTES, type Stream } from './connection.ts';
import { type HeaderFields, HpackEncoder } from './hpack.ts';
import { MessageStream, messagePrefix, PREFIX_BYTES } from './message.ts';
import { MIN_WINDOW } from './receive_window.ts';

/** Answers are small; a larger one is refused. */
const MAX_ANSWER_BYTES = 4 << 20;
const STREAM_WINDOW = MAX_ANSWER_BYTES + MAX_FRAME_BYTES;
/** Unsent bytes in the socket at which no more is handed to it. */
const MAX_UNSENT_BYTES = 2 << 20;
/** Stream ids end; a fresh connection begins again. */
const LAST_ID = 0x7ffffff0;
/** How long a server may take to read what it has answered already. */
const LEAVE_MS = 2000;
const KEEPALIVE_PING = Buffer.from('alive...');

/** The other side gave no answer. `unprocessed`: it says, or we know, that it has done nothing, so the call may be made again elsewhere. */
export class CallError extends Error {
  override readonly name = 'CallError';
  readonly kind: 'unavailable' | 'cancelled' | 'deadline' | 'broken' | 'reset';
  readonly unprocessed: boolean;
  /** The code of RST_STREAM. */
  readonly resetCode: number;
  constructor(kind: CallError['kind'], message: string, options: { unprocessed?: boolean; resetCode?: number; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.kind = kind;
    this.unprocessed = options.unprocessed ?? false;
    this.resetCode = options.resetCode ?? 0;
  }
}

export interface CallRequest {
  /** Headers that are the same for many calls: the same object gives the same bytes. */
  readonly head: HeaderFields;
  /** Headers of this call. */
  readonly extra: HeaderFields;
  /** The message, its parts together of `sizeBytes`. Nobody may change them until the call is over. */
  readonly parts: readonly Uint8Array[];
  readonly sizeBytes: number;
  readonly compressed: boolean;
  /** 0 is without limit. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}
export interface CallAnswer {
  readonly headers: HeaderFields;
  readonly trailers: HeaderFields;
  readonly message: Buffer | null;
  readonly compressed: boolean;
}

class ClientCall extends MessageStream implements Stream {
  id = 0;
  sendWindow = 0;
  receiveWindow = STREAM_WINDOW;
  readonly request: CallRequest;
  /** What is still to be sent: the part and the offset in it; part -1 is the prefix. */
  part = -1;
  offset = 0;
  sent = false;
  /** What the connection had given to its socket when it gave the last of this body's parts, which are read by the socket until all that has left. */
  handedAt = 0;
  headers: HeaderFields | null = null;
  readonly startedMs = performance.now();
  readonly resolve: (answer: CallAnswer) => void;
  readonly reject: (error: CallError) => void;
  timer: NodeJS.Timeout | null = null;
  readonly prefix: Buffer;
  abort: (() => void) | null = null;

  constructor(request: CallRequest, resolve: (answer: CallAnswer) => void, reject: (error: CallError) => void) {
    super();
    this.request = request;
    this.resolve = resolve;
    this.reject = reject;
    this.prefix = messagePrefix(request.sizeBytes, request.compressed);
  }
}

export interface ClientConnectionEvents {
  /** May be given calls no longer; those it has are still answered. */
  onDraining(): void;
  onClose(error: Error): void;
  /** The first SETTINGS are there. */
  onReady(): void;
}

export class ClientConnection extends Connection<ClientCall> {
  readonly #events: ClientConnectionEvents;
  readonly #encoder = new HpackEncoder();
  /** Not yet opened, for want of streams. */
  readonly #waiting: ClientCall[] = [];
  /** Opened and not yet sent to the end. */
  #sending: ClientCall[] = [];
  #ready = false;
  #draining = false;
  #pingSentMs = 0;

  constructor(socket: Socket, events: ClientConnectionEvents) {
    super(socket, STREAM_WINDOW, false);
    this.#events = events;
    this.lastId = -1;
    const settings = settingsFrame([
      [SETTINGS_ENABLE_PUSH, 0],
      [SETTINGS_INITIAL_WINDOW_SIZE, STREAM_WINDOW],
      [SETTINGS_MAX_HEADER_LIST_SIZE, MAX_HEADER_BYTES],
    ]);
    this.write(Buffer.concat([PREFACE, settings, windowUpdateFrame(0, MIN_WINDOW - DEFAULT_WINDOW)]));
    socket.on('drain', () => this.#pump());
  }

  /** It takes no more calls. */
  get isDraining(): boolean {
    return this.closed || this.#draining;
  }
  /** Rejects with CallError. Once it resolves, and where the error says that nothing was processed, nobody reads the parts any more. */
  call(request: CallRequest): Promise<CallAnswer> {
    return new Promise((resolve, reject) => {
      if (this.isDraining) return reject(new CallError('unavailable', 'the connection is closing', { unprocessed: true }));
      const call = new ClientCall(request, resolve, reject);
      if (request.timeoutMs > 0) call.timer = setTimeout(() => this.#expire(call), request.timeoutMs);
      if (request.signal !== undefined) {
        call.abort = () => this.#cancel(call, new CallError('cancelled', 'the call was cancelled'));
        if (request.signal.aborted) return void call.abort();
        request.signal.addEventListener('abort', call.abort);
      }
      this.#waiting.push(call);
      this.#pump();
    });
  }
  get callCount(): number {
    return this.streams.size + this.#waiting.length;
  }
  /** Lets the calls end that are under way, then closes. */
  drain(): void {
    if (this.#draining) return;
    this.#draining = true;
    this.#events.onDraining();
    this.#endIfDrained();
  }
  #endIfDrained(): void {
    if (this.#draining && this.callCount === 0) process.nextTick(() => this.end(new Error('drained')));
  }

  /** Keepalive; called about once a second. */
  tick(now: number, afterMs: number, timeoutMs: number, withoutCalls: boolean): void {
    if (this.#pingSentMs > 0) {
      if (this.lastReadMs >= this.#pingSentMs) this.#pingSentMs = 0;
      else if (now - this.#pingSentMs > timeoutMs) this.end(new Error('keepalive ping failed to receive ACK within timeout'));
    } else if (now - this.lastReadMs > afterMs && (withoutCalls || this.streams.size > 0)) {
      this.#pingSentMs = now;
      this.write(pingFrame(false, KEEPALIVE_PING));
    }
  }

  // ---- sending
  #pump(): void {
    if (!this.#ready || this.closed) return;
    while (this.#waiting.length > 0 && this.streams.size < this.peerMaxStreams && this.socket.writableLength < MAX_UNSENT_BYTES) {
      this.#open(this.#waiting.shift()!);
      if (this.lastId > LAST_ID) this.drain();
    }
    if (this.#sending.length === 0) return;
    this.flush();
    this.socket.cork();
    let done = 0;
    for (const call of this.#sending) {
      if (this.sendWindow <= 0 || this.socket.writableLength >= MAX_UNSENT_BYTES) break;
      if (!call.sent) this.#sendBody(call);
      if (call.sent) done++;
    }
    this.socket.uncork();
    if (done > 0) this.#sending = this.#sending.filter((call) => !call.sent);
  }

  #open(call: ClientCall): void {
    const { request } = call;
    this.lastId += 2;
    call.id = this.lastId;
    call.sendWindow = this.peerInitialWindow;
    this.streams.set(call.id, call);
    const block = this.#encoder.encode(request.head, request.extra);
    const size = PREFIX_BYTES + request.sizeBytes;
    if (size > Math.min(MAX_FRAME_BYTES, this.sendWindow, call.sendWindow) || block.length > MAX_FRAME_BYTES) {
      this.write(headerFrames(block, call.id, false));
      this.#sending.push(call);
      return;
    }
    // All of it in one buffer: copying so little is cheaper than to write it in pieces.
    const out = Buffer.allocUnsafe(2 * HEADER_BYTES + block.length + size);
    writeFrameHeader(out, 0, block.length, HEADERS, FLAG_END_HEADERS, call.id);
    let at = HEADER_BYTES + block.copy(out, HEADER_BYTES);
    writeFrameHeader(out, at, size, DATA, FLAG_END_STREAM, call.id);
    at += HEADER_BYTES;
    at += call.prefix.copy(out, at);
    for (const part of request.parts) {
      out.set(part, at);
      at += part.length;
    }
    this.sendWindow -= size;
    call.sendWindow -= size;
    call.sent = true;
    this.write(out);
  }

  /** As much as windows allow, in frames of several slices each where parts are small. */
  #sendBody(call: ClientCall): void {
    const { parts } = call.request;
    let left = PREFIX_BYTES + call.request.sizeBytes - this.#sentBytes(call);
    let room = Math.min(left, this.sendWindow, call.sendWindow);
    if (room <= 0) return;
    const headers = Buffer.allocUnsafe(Math.ceil(room / MAX_FRAME_BYTES) * HEADER_BYTES);
    for (let at = 0; room > 0; at += HEADER_BYTES) {
      const size = Math.min(room, MAX_FRAME_BYTES);
      left -= size;
      room -= size;
      writeFrameHeader(headers, at, size, DATA, left === 0 ? FLAG_END_STREAM : 0, call.id);
      this.hand(headers.subarray(at, at + HEADER_BYTES));
      for (let need = size; need > 0; ) {
        const source = call.part < 0 ? call.prefix : parts[call.part]!;
        const count = Math.min(need, source.length - call.offset);
        if (count > 0) this.hand(source.subarray(call.offset, call.offset + count));
        call.offset += count;
        need -= count;
        if (call.offset === source.length) {
          call.part++;
          call.offset = 0;
        }
      }
      this.sendWindow -= size;
      call.sendWindow -= size;
    }
    call.sent = left === 0;
    call.handedAt = this.handedBytes;
  }
  #sentBytes(call: ClientCall): number {
    if (call.part < 0) return call.offset;
    let sent = PREFIX_BYTES + call.offset;
    for (let i = 0; i < call.part; i++) sent += call.request.parts[i]!.length;
    return sent;
  }

  // ---- the end of a call
  #expire(call: ClientCall): void {
    this.#cancel(call, new CallError('deadline', 'context deadline exceeded'));
    // Not a byte came in all that time: the connection is dead, whatever TCP believes.
    if (this.lastReadMs < call.startedMs) this.end(new Error('the server is silent'));
  }
  #cancel(call: ClientCall, error: CallError): void {
    if (call.id > 0 && this.streams.has(call.id)) this.resetStream(call.id, CANCEL);
    this.#finish(call);
    call.reject(error);
  }
  #finish(call: ClientCall): void {
    if (call.timer !== null) clearTimeout(call.timer);
    if (call.abort !== null) call.request.signal?.removeEventListener('abort', call.abort);
    call.timer = null;
    if (call.id > 0) {
      this.streams.delete(call.id);
      if (!call.sent) this.#sending = this.#sending.filter((other) => other !== call);
    } else {
      const at = this.#waiting.indexOf(call);
      if (at >= 0) this.#waiting.splice(at, 1);
    }
    this.#endIfDrained();
  }
  #complete(call: ClientCall, trailers: HeaderFields): void {
    // Where the server answers early, it is told that the rest will not come.
    if (!call.sent) this.resetStream(call.id, CANCEL);
    this.#finish(call);
    const answer = { headers: call.headers ?? [], trailers, message: call.isComplete ? call.message : null, compressed: call.compressed };
    if (this.#hasLeft(call)) call.resolve(answer);
    else void this.#left(call).then(() => call.resolve(answer));
  }
  /** The server has done nothing; the call may be made again as soon as nobody reads its body here. */
  #refused(call: ClientCall, error: CallError): void {
    this.#finish(call);
    void this.#left(call).then(() => call.reject(error));
  }
  #hasLeft(call: ClientCall): boolean {
    return this.socket.destroyed || this.handedBytes - this.socket.writableLength >= call.handedAt;
  }
  /** Who answers early may still have to be sent what was written. Rare, so it is looked at now and then; who does not read at all is left. */
  async #left(call: ClientCall): Promise<void> {
    const end = performance.now() + LEAVE_MS;
    while (!this.#hasLeft(call)) {
      if (performance.now() > end) this.socket.destroy(new Error('the server answered, but does not read'));
      else await new Promise((done) => setTimeout(done, 10));
    }
  }
  #break(call: ClientCall, message: string): void {
    this.resetStream(call.id, PROTOCOL_ERROR);
    this.#finish(call);
    call.reject(new CallError('broken', message));
  }

  // ---- what the server sends
  protected override onHeaders(id: number, call: ClientCall | undefined, fields: HeaderFields | null, endStream: boolean): void {
    if (this.isIdle(id)) throw new ConnectionError(PROTOCOL_ERROR, 'HEADERS on an idle stream');
    if (call === undefined) return;
    if (fields === null) return this.#break(call, 'the headers of the answer are too large');
    if (endStream) return this.#complete(call, fields);
    if (call.headers !== null) return this.#break(call, 'trailers without an end');
    if (fields[0] === ':status' && fields[1]!.startsWith('1')) return; // 100 Continue and its like.
    call.headers = fields;
  }
  protected override onBytes(call: ClientCall, bytes: Buffer, pos: number, end: number): void {
    if (call.headers === null) return this.#break(call, 'DATA before HEADERS');
    const taken = call.take(bytes, pos, end, MAX_ANSWER_BYTES, null);
    if (call.isView) this.keptRead = true;
    // Pages of proxies are no messages; the status in the headers says what is to be known.
    if (taken === 'bad flag' || taken === 'too large') {
      this.resetStream(call.id, CANCEL);
      call.sent = true;
      this.#complete(call, []);
    } else if (taken !== 'ok') this.#break(call, 'the answer has several messages');
  }
  protected override onEnd(call: ClientCall): void {
    this.#complete(call, []);
  }
  protected override onReset(call: ClientCall, code: number): void {
    // NO_ERROR asks to stop sending; the answer has come before it, or never will.
    const unprocessed = code === REFUSED_STREAM;
    const error = new CallError('reset', `stream terminated by RST_STREAM with error code: ${errorName(code)}`, { unprocessed, resetCode: code });
    if (unprocessed) return this.#refused(call, error);
    this.#finish(call);
    call.reject(error);
  }
  protected override onGoAway(lastId: number, code: number, text: string): void {
    const reason = code === NO_ERROR ? 'the server is draining' : `the server said ${errorName(code)} ${text}`.trim();
    for (const call of [...this.streams.values()].filter((each) => each.id > lastId))
      this.#refused(call, new CallError('unavailable', reason, { unprocessed: true }));
    for (const call of [...this.#waiting]) this.#refused(call, new CallError('unavailable', reason, { unprocessed: true }));
    this.drain();
  }
  protected override onWindow(): void {
    // One pump for all window updates of a read: see onReadEnd.
  }
  protected override onPeerSettings(): void {
    if (this.#ready) return;
    this.#ready = true;
    this.#events.onReady();
  }
  protected override onReadEnd(): void {
    this.#pump();
  }
  protected override onTableSize(size: number): void {
    this.#encoder.setMaxTableBytes(size);
  }
  protected override onPing(): void {}
  protected override isForgotten(): boolean {
    return true;
  }
  /** A server opens nothing here, since push is not allowed. */
  protected override get lastPeerId(): number {
    return 0;
  }
  protected override isIdle(id: number): boolean {
    return id > this.lastId || (id & 1) === 0;
  }
  protected override onClose(error: Error): void {
    for (const call of [...this.streams.values(), ...this.#waiting]) {
      this.#finish(call);
      call.reject(new CallError('unavailable', `error reading from server: ${error.message}`, { unprocessed: call.id === 0, cause: error }));
    }
    this.#sending = [];
    this.#events.onClose(error);
  }
}
