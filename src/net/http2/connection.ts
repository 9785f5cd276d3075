/**
 * One end of an HTTP/2 connection: what server and client have in common. Reads frames straight from the reads of the socket, checks
 * them as RFC 9113 asks, keeps windows and settings, answers SETTINGS and PING, and writes whatever one read has led to in one go.
 * DATA is handed on as it comes, before its frame is complete; other frames are at most 16 KB and waited for. There is no stream object
 * of node, no priority (RFC 9113 dropped it) and no push.
 */
import type { Socket } from 'node:net';
import { CorruptError } from '#src/core/errors.ts';
import { freeRead } from '#src/core/slab.ts';
import {
  COMPRESSION_ERROR,
  CONTINUATION,
  ConnectionError,
  DATA,
  DEFAULT_WINDOW,
  ENHANCE_YOUR_CALM,
  FLAG_ACK,
  FLAG_END_HEADERS,
  FLAG_END_STREAM,
  FLAG_PADDED,
  FLAG_PRIORITY,
  FLOW_CONTROL_ERROR,
  FRAME_SIZE_ERROR,
  GOAWAY,
  goAwayFrame,
  HEADER_BYTES,
  HEADERS,
  INTERNAL_ERROR,
  MAX_FRAME_BYTES,
  MAX_WINDOW,
  PING,
  PRIORITY,
  PROTOCOL_ERROR,
  PUSH_PROMISE,
  pingFrame,
  resetFrame,
  RST_STREAM,
  SETTINGS,
  SETTINGS_ACK,
  SETTINGS_ENABLE_PUSH,
  SETTINGS_HEADER_TABLE_SIZE,
  SETTINGS_INITIAL_WINDOW_SIZE,
  SETTINGS_MAX_CONCURRENT_STREAMS,
  SETTINGS_MAX_FRAME_SIZE,
  STREAM_CLOSED,
  WINDOW_UPDATE,
  windowUpdateFrame,
} from './frames.ts';
import { FloodMeter } from './flood_meter.ts';
import { type HeaderFields, HeaderListTooLarge, HpackDecoder } from './hpack.ts';
import { MIN_WINDOW } from './receive_window.ts';

/** Compressed and decoded headers of one block. */
export const MAX_HEADER_BYTES = 64 * 1024;
/** CONTINUATION frames of one block: 64 KB need four, senders of tiny frames get some grace. */
const MAX_CONTINUATIONS = 64;
/** Frames that carry nothing forward (PING, SETTINGS, PRIORITY, empty DATA, unknown kinds, frames for streams that are gone): so many at once, and so many a second. */
const IDLE_FRAME_BURST = 2000;
const IDLE_FRAMES_PER_SECOND = 200;
/** So many of them are forgiven for a call that was answered. */
const PROGRESS_WEIGHT = 4;

/** How long a connection that was ended for a fault waits for its GOAWAY to arrive. */
const LINGER_MS = 500;

/** A stream as the connection sees it. */
export interface Stream {
  readonly id: number;
  sendWindow: number;
  receiveWindow: number;
}

export abstract class Connection<S extends Stream> {
  readonly socket: Socket;
  protected readonly streams = new Map<number, S>();
  /** Largest stream id that the other side (server) or we (client) have opened. */
  protected lastId = 0;
  protected sendWindow = DEFAULT_WINDOW;
  protected peerInitialWindow = DEFAULT_WINDOW;
  protected peerMaxFrame = MAX_FRAME_BYTES;
  protected peerMaxStreams = Number.POSITIVE_INFINITY;
  protected closed = false;
  /** Bytes given to the socket; those of its `writableLength` it still reads. */
  protected handedBytes = 0;
  /** Set where a message lies in what was read, without being copied: then it must not be given back. */
  protected keptRead = false;
  /** All DATA so far, with padding. */
  protected receivedBytes = 0;
  /** When something last came in, by performance.now(). */
  lastReadMs = performance.now();
  readonly #decoder = new HpackDecoder(MAX_HEADER_BYTES);
  readonly #streamWindow: number;
  readonly #countsIdleFrames: boolean;
  #pending: Buffer | null = null;
  #sawSettings = false;
  #unackedBytes = 0;
  /** What the other side may have on its way, and what is left of it. */
  #windowBytes = MIN_WINDOW;
  #receiveWindow = MIN_WINDOW;
  // The DATA frame that is being read.
  #inData = false;
  #dataLeft = 0;
  #padLeft = 0;
  #dataEnds = false;
  #dataStream: S | null = null;
  // The header block that is being collected.
  #blockId = 0;
  #blockEnds = false;
  #blockParts: Buffer[] = [];
  #blockBytes = 0;
  readonly #idleFrames = new FloodMeter(IDLE_FRAME_BURST, IDLE_FRAMES_PER_SECOND);
  // What is to be written when this turn of the loop is over.
  #out: Uint8Array[] = [];
  #flushScheduled = false;
  #lingers = false;
  readonly #flush = (): void => this.flush();

  /** `countsIdleFrames`: whether the other side is held to account for frames that lead to nothing, as a server does with its clients. */
  constructor(socket: Socket, streamWindow: number, countsIdleFrames: boolean) {
    this.socket = socket;
    this.#streamWindow = streamWindow;
    this.#countsIdleFrames = countsIdleFrames;
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('error', (error) => this.end(error));
    socket.on('close', () => this.end(new Error('the connection was closed')));
  }

  // ---- what server and client do with it
  /** A header block is complete. `stream` is undefined for an id that is not open. */
  protected abstract onHeaders(id: number, stream: S | undefined, fields: HeaderFields | null, endStream: boolean): void;
  /** Bytes of the body. */
  protected abstract onBytes(stream: S, bytes: Buffer, pos: number, end: number): void;
  protected abstract onEnd(stream: S): void;
  protected abstract onReset(stream: S, code: number): void;
  protected abstract onGoAway(lastId: number, code: number, text: string): void;
  protected abstract onWindow(stream: S | null): void;
  protected abstract onPeerSettings(): void;
  protected abstract onPing(payload: Buffer, ack: boolean): void;
  /** A frame for an id that is not open: true where it may be ignored, else it is an error of the stream. */
  protected abstract isForgotten(id: number): boolean;
  /** Whether the id was never opened. */
  protected abstract isIdle(id: number): boolean;
  protected abstract onTableSize(size: number): void;
  /** The connection is gone, for whatever reason; called once. */
  protected abstract onClose(error: Error): void;
  /** A quarter of the connection's window was used up and given again. */
  protected onWindowUsed(): void {}
  protected onSettingsAck(): void {}
  /** All frames of one read have been seen. */
  protected abstract onReadEnd(): void;

  // ---- writing
  protected write(bytes: Uint8Array): void {
    this.#out.push(bytes);
    this.scheduleFlush();
  }
  protected scheduleFlush(): void {
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    process.nextTick(this.#flush);
  }
  protected flush(): void {
    this.#flushScheduled = false;
    if (this.#out.length === 0 || this.socket.destroyed) return;
    const out = this.#out;
    this.#out = [];
    if (out.length === 1) return this.hand(out[0]!);
    this.socket.cork();
    for (const bytes of out) this.hand(bytes);
    this.socket.uncork();
  }
  /** To the socket, at once. */
  protected hand(bytes: Uint8Array): void {
    this.handedBytes += bytes.length;
    this.socket.write(bytes);
  }
  protected resetStream(id: number, code: number): void {
    this.write(resetFrame(id, code));
  }

  /** Lets the other side have more on its way than before. */
  protected growWindow(toBytes: number): void {
    const more = toBytes - this.#windowBytes;
    this.write(windowUpdateFrame(0, more));
    this.#windowBytes = toBytes;
    this.#receiveWindow += more;
  }

  /** Largest id that the other side has opened: what GOAWAY names. */
  protected get lastPeerId(): number {
    return this.lastId;
  }
  /** Says goodbye with an error and closes. */
  fail(code: number, text: string): void {
    if (this.closed) return;
    this.write(goAwayFrame(this.lastPeerId, code, text));
    this.flush();
    this.#linger();
    this.end(new ConnectionError(code, text));
  }
  /**
   * A socket that is closed with bytes in it that nobody read takes back what was written last (TCP resets), which is the GOAWAY. So it is left
   * open for a moment, without being read.
   */
  #linger(): void {
    const { socket } = this;
    if (socket.destroyed) return;
    this.#lingers = true;
    socket.pause();
    socket.end();
    const timer = setTimeout(() => socket.destroy(), LINGER_MS);
    socket.once('close', () => clearTimeout(timer));
  }
  /** Closes, once what was written is out. */
  end(error: Error): void {
    if (this.closed) return;
    this.closed = true;
    if (!this.#lingers) {
      this.socket.destroySoon();
      // A peer that does not read would keep the socket for ever.
      if (!this.socket.destroyed) setTimeout(() => this.socket.destroy(), 1000).unref();
    }
    this.onClose(error);
    this.streams.clear();
    this.#pending = null;
    this.#blockParts = [];
    this.#dataStream = null;
  }
  get isClosed(): boolean {
    return this.closed;
  }
  get streamCount(): number {
    return this.streams.size;
  }

  // ---- reading
  #read(chunk: Buffer): void {
    if (this.closed) return;
    this.lastReadMs = performance.now();
    try {
      this.feed(chunk);
    } catch (error) {
      if (error instanceof ConnectionError) this.fail(error.code, error.message);
      else if (error instanceof CorruptError) this.fail(COMPRESSION_ERROR, error.message);
      else this.fail(INTERNAL_ERROR, error instanceof Error ? error.message : String(error));
    }
    if (!this.closed) this.onReadEnd();
    if (!this.keptRead) freeRead(chunk);
    this.keptRead = false;
  }

  protected feed(chunk: Buffer): void {
    const bytes = this.#pending === null ? chunk : Buffer.concat([this.#pending, chunk]);
    this.#pending = null;
    const end = bytes.length;
    let pos = 0;
    while (pos < end && !this.closed) {
      if (this.#inData) {
        pos = this.#readData(bytes, pos, end);
        continue;
      }
      if (end - pos < HEADER_BYTES) break;
      const size = (bytes[pos]! << 16) | (bytes[pos + 1]! << 8) | bytes[pos + 2]!;
      const type = bytes[pos + 3]!;
      const flags = bytes[pos + 4]!;
      const id = ((bytes[pos + 5]! & 127) << 24) | (bytes[pos + 6]! << 16) | (bytes[pos + 7]! << 8) | bytes[pos + 8]!;
      if (size > MAX_FRAME_BYTES) throw new ConnectionError(FRAME_SIZE_ERROR, `a frame of ${size} bytes`);
      if (!this.#sawSettings) {
        if (type !== SETTINGS || flags & FLAG_ACK) throw new ConnectionError(PROTOCOL_ERROR, 'the first frame is not SETTINGS');
        this.#sawSettings = true;
      }
      if (this.#blockId !== 0 && (type !== CONTINUATION || id !== this.#blockId)) throw new ConnectionError(PROTOCOL_ERROR, 'a header block was not ended');
      if (type === DATA) {
        const padded = (flags & FLAG_PADDED) !== 0;
        if (padded && size > 0 && end - pos === HEADER_BYTES) break;
        this.#startData(id, size, flags, padded && size > 0 ? bytes[pos + HEADER_BYTES]! : 0);
        pos += padded ? HEADER_BYTES + 1 : HEADER_BYTES;
        if (this.#dataLeft === 0 && this.#padLeft === 0) this.#endData();
        continue;
      }
      const from = pos + HEADER_BYTES;
      if (end - from < size) break;
      this.#frame(type, flags, id, bytes, from, from + size);
      pos = from + size;
    }
    // The rest is less than a frame; copied, since what was read is given back.
    if (pos < end && !this.closed) this.#pending = Buffer.from(bytes.subarray(pos, end));
  }

  #startData(id: number, size: number, flags: number, padding: number): void {
    if (id === 0) throw new ConnectionError(PROTOCOL_ERROR, 'DATA on stream 0');
    if (flags & FLAG_PADDED && padding >= size) throw new ConnectionError(PROTOCOL_ERROR, 'padding longer than its frame');
    const stream = this.streams.get(id);
    if (stream === undefined) {
      if (this.isIdle(id)) throw new ConnectionError(PROTOCOL_ERROR, 'DATA on an idle stream');
      this.#strayFrame(id);
    }
    this.#receiveWindow -= size;
    if (this.#receiveWindow < 0) throw new ConnectionError(FLOW_CONTROL_ERROR, 'more DATA than the window of the connection allows');
    this.receivedBytes += size;
    this.#unackedBytes += size;
    if (this.#unackedBytes > this.#windowBytes >> 2) {
      this.write(windowUpdateFrame(0, this.#unackedBytes));
      this.#receiveWindow += this.#unackedBytes;
      this.#unackedBytes = 0;
      this.onWindowUsed();
    }
    const ends = (flags & FLAG_END_STREAM) !== 0;
    if (stream !== undefined) {
      stream.receiveWindow -= size;
      if (stream.receiveWindow < 0) throw new ConnectionError(FLOW_CONTROL_ERROR, 'more DATA than the window of the stream allows');
      if (!ends && stream.receiveWindow < this.#streamWindow >> 1) {
        this.write(windowUpdateFrame(id, this.#streamWindow - stream.receiveWindow));
        stream.receiveWindow = this.#streamWindow;
      }
    }
    if (!ends && size <= padding + (flags & FLAG_PADDED ? 1 : 0)) this.countIdleFrame();
    this.#inData = true;
    this.#dataStream = stream ?? null;
    this.#dataEnds = ends;
    this.#padLeft = padding;
    this.#dataLeft = size - padding - (flags & FLAG_PADDED ? 1 : 0);
  }

  #readData(bytes: Buffer, start: number, end: number): number {
    let pos = start;
    if (this.#dataLeft > 0) {
      const to = Math.min(end, pos + this.#dataLeft);
      this.#dataLeft -= to - pos;
      const stream = this.#dataStream;
      // A stream that was answered or reset meanwhile is no longer there for the rest of its bytes.
      if (stream !== null && this.streams.has(stream.id)) this.onBytes(stream, bytes, pos, to);
      pos = to;
    }
    const padding = Math.min(end - pos, this.#padLeft);
    this.#padLeft -= padding;
    pos += padding;
    if (this.#dataLeft === 0 && this.#padLeft === 0) this.#endData();
    return pos;
  }
  #endData(): void {
    const stream = this.#dataStream;
    this.#inData = false;
    this.#dataStream = null;
    if (this.#dataEnds && stream !== null && this.streams.has(stream.id)) this.onEnd(stream);
  }

  #frame(type: number, flags: number, id: number, bytes: Buffer, pos: number, end: number): void {
    const size = end - pos;
    switch (type) {
      case HEADERS:
        return this.#headers(flags, id, bytes, pos, end);
      case CONTINUATION:
        if (this.#blockId === 0) throw new ConnectionError(PROTOCOL_ERROR, 'CONTINUATION without HEADERS');
        return this.#block(flags, bytes, pos, end);
      case SETTINGS:
        return this.#settings(flags, id, bytes, pos, end);
      case WINDOW_UPDATE:
        if (size !== 4) throw new ConnectionError(FRAME_SIZE_ERROR, 'WINDOW_UPDATE has 4 bytes');
        return this.#windowUpdate(id, bytes.readUInt32BE(pos) & MAX_WINDOW);
      case PING:
        if (id !== 0) throw new ConnectionError(PROTOCOL_ERROR, 'PING on a stream');
        if (size !== 8) throw new ConnectionError(FRAME_SIZE_ERROR, 'PING has 8 bytes');
        if (!(flags & FLAG_ACK)) {
          this.countIdleFrame();
          this.write(pingFrame(true, bytes.subarray(pos, end)));
        }
        return this.onPing(bytes.subarray(pos, end), (flags & FLAG_ACK) !== 0);
      case RST_STREAM: {
        if (size !== 4) throw new ConnectionError(FRAME_SIZE_ERROR, 'RST_STREAM has 4 bytes');
        if (id === 0 || this.isIdle(id)) throw new ConnectionError(PROTOCOL_ERROR, 'RST_STREAM on an idle stream');
        const stream = this.streams.get(id);
        if (stream) this.onReset(stream, bytes.readUInt32BE(pos));
        else this.countIdleFrame();
        return;
      }
      case GOAWAY:
        if (id !== 0) throw new ConnectionError(PROTOCOL_ERROR, 'GOAWAY on a stream');
        if (size < 8) throw new ConnectionError(FRAME_SIZE_ERROR, 'GOAWAY has 8 bytes at least');
        return this.onGoAway(bytes.readUInt32BE(pos) & MAX_WINDOW, bytes.readUInt32BE(pos + 4), bytes.latin1Slice(pos + 8, Math.min(end, pos + 264)));
      case PRIORITY:
        if (id === 0) throw new ConnectionError(PROTOCOL_ERROR, 'PRIORITY on stream 0');
        this.countIdleFrame();
        if (size !== 5) this.#streamError(id, FRAME_SIZE_ERROR);
        else if ((bytes.readUInt32BE(pos) & MAX_WINDOW) === id) this.#streamError(id, PROTOCOL_ERROR);
        return;
      case PUSH_PROMISE:
        throw new ConnectionError(PROTOCOL_ERROR, 'PUSH_PROMISE was not allowed');
      default:
        this.countIdleFrame();
    }
  }

  #headers(flags: number, id: number, bytes: Buffer, start: number, end: number): void {
    if (id === 0) throw new ConnectionError(PROTOCOL_ERROR, 'HEADERS on stream 0');
    let pos = start;
    let to = end;
    if (flags & FLAG_PADDED) {
      if (pos >= to) throw new ConnectionError(FRAME_SIZE_ERROR, 'HEADERS without its padding');
      to -= bytes[pos++]!;
    }
    let selfDependent = false;
    if (flags & FLAG_PRIORITY) {
      if (to - pos < 5) throw new ConnectionError(end - start < 5 ? FRAME_SIZE_ERROR : PROTOCOL_ERROR, 'HEADERS without its priority');
      selfDependent = (bytes.readUInt32BE(pos) & MAX_WINDOW) === id;
      pos += 5;
    }
    if (to < pos) throw new ConnectionError(PROTOCOL_ERROR, 'padding longer than its frame');
    this.#blockId = id;
    this.#blockEnds = (flags & FLAG_END_STREAM) !== 0;
    this.#block(flags, bytes, pos, to);
    if (selfDependent) this.#streamError(id, PROTOCOL_ERROR);
  }

  #block(flags: number, bytes: Buffer, pos: number, end: number): void {
    const parts = this.#blockParts;
    this.#blockBytes += end - pos;
    if (this.#blockBytes > MAX_HEADER_BYTES || parts.length > MAX_CONTINUATIONS) throw new ConnectionError(ENHANCE_YOUR_CALM, 'the header block is too large');
    if (!(flags & FLAG_END_HEADERS)) {
      parts.push(Buffer.from(bytes.subarray(pos, end)));
      return;
    }
    const id = this.#blockId;
    this.#blockId = 0;
    this.#blockBytes = 0;
    let fields: HeaderFields | null;
    try {
      if (parts.length === 0) fields = this.#decoder.decode(bytes, pos, end);
      else {
        const block = Buffer.concat([...parts, bytes.subarray(pos, end)]);
        this.#blockParts = [];
        fields = this.#decoder.decode(block, 0, block.length);
      }
    } catch (error) {
      if (!(error instanceof HeaderListTooLarge)) throw error;
      fields = null;
    }
    this.onHeaders(id, this.streams.get(id), fields, this.#blockEnds);
  }

  #settings(flags: number, id: number, bytes: Buffer, pos: number, end: number): void {
    if (id !== 0) throw new ConnectionError(PROTOCOL_ERROR, 'SETTINGS on a stream');
    if (flags & FLAG_ACK) {
      if (end !== pos) throw new ConnectionError(FRAME_SIZE_ERROR, 'SETTINGS ACK has no payload');
      return this.onSettingsAck();
    }
    if ((end - pos) % 6 !== 0) throw new ConnectionError(FRAME_SIZE_ERROR, 'SETTINGS have 6 bytes each');
    this.countIdleFrame();
    for (let at = pos; at < end; at += 6) this.#setting(bytes.readUInt16BE(at), bytes.readUInt32BE(at + 2));
    this.write(SETTINGS_ACK);
    // Behind the acknowledgement, so that the other side knows by which windows it is answered.
    this.onWindow(null);
    this.onPeerSettings();
  }
  #setting(id: number, value: number): void {
    switch (id) {
      case SETTINGS_HEADER_TABLE_SIZE:
        return this.onTableSize(value);
      case SETTINGS_ENABLE_PUSH:
        if (value > 1) throw new ConnectionError(PROTOCOL_ERROR, 'ENABLE_PUSH is 0 or 1');
        return;
      case SETTINGS_MAX_CONCURRENT_STREAMS:
        this.peerMaxStreams = value;
        return;
      case SETTINGS_INITIAL_WINDOW_SIZE: {
        if (value > MAX_WINDOW) throw new ConnectionError(FLOW_CONTROL_ERROR, 'INITIAL_WINDOW_SIZE is too large');
        const change = value - this.peerInitialWindow;
        this.peerInitialWindow = value;
        for (const stream of this.streams.values()) {
          stream.sendWindow += change;
          if (stream.sendWindow > MAX_WINDOW) throw new ConnectionError(FLOW_CONTROL_ERROR, 'a window is too large');
        }
        return;
      }
      case SETTINGS_MAX_FRAME_SIZE:
        if (value < MAX_FRAME_BYTES || value > 0xffffff) throw new ConnectionError(PROTOCOL_ERROR, 'MAX_FRAME_SIZE is out of range');
        this.peerMaxFrame = value;
        return;
      default: // Unknown settings are ignored.
    }
  }

  #windowUpdate(id: number, increment: number): void {
    this.countIdleFrame();
    if (id === 0) {
      if (increment === 0) throw new ConnectionError(PROTOCOL_ERROR, 'a window update of 0');
      this.sendWindow += increment;
      if (this.sendWindow > MAX_WINDOW) throw new ConnectionError(FLOW_CONTROL_ERROR, 'a window is too large');
      return this.onWindow(null);
    }
    if (this.isIdle(id)) throw new ConnectionError(PROTOCOL_ERROR, 'WINDOW_UPDATE on an idle stream');
    const stream = this.streams.get(id);
    if (stream === undefined) return;
    if (increment === 0) return this.#streamError(id, PROTOCOL_ERROR);
    stream.sendWindow += increment;
    if (stream.sendWindow > MAX_WINDOW) return this.#streamError(id, FLOW_CONTROL_ERROR);
    this.onWindow(stream);
  }

  /** RST_STREAM, and the owner hears of it. */
  #streamError(id: number, code: number): void {
    this.resetStream(id, code);
    const stream = this.streams.get(id);
    if (stream) this.onReset(stream, code);
  }
  /** DATA costs what it weighs, and no more where nobody waits for it any more. */
  #strayFrame(id: number): void {
    if (!this.isForgotten(id)) throw new ConnectionError(STREAM_CLOSED, 'DATA on a closed stream');
  }
  /** A frame that brings nothing forward was seen. */
  protected countIdleFrame(weight = 1): void {
    if (this.#countsIdleFrames && this.#idleFrames.add(weight)) throw new ConnectionError(ENHANCE_YOUR_CALM, 'too many frames that lead to nothing');
  }
  /** A call was completed: what came before it was not in vain. */
  protected countProgress(): void {
    this.#idleFrames.forgive(PROGRESS_WEIGHT);
  }
}
