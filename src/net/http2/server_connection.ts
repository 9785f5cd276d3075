/**
 * A client's connection to a server of unary calls. A call is a small record until its message is there; then the service runs it and
 * answers in its own time. Answers are templates of frames in which only the stream id is written, and those of one turn of the event
 * loop go out in one write. An answer that a window does not let through in whole goes its own, slower way, piece by piece.
 */
import type { Socket } from 'node:net';
import {
  CANCEL,
  ConnectionError,
  DATA,
  DEFAULT_WINDOW,
  ENHANCE_YOUR_CALM,
  FLAG_END_STREAM,
  frame,
  goAwayFrame,
  HEADER_BYTES,
  headerFrames,
  MAX_FRAME_BYTES,
  MAX_WINDOW,
  NO_ERROR,
  PREFACE,
  PROTOCOL_ERROR,
  pingFrame,
  REFUSED_STREAM,
  SETTINGS_INITIAL_WINDOW_SIZE,
  SETTINGS_MAX_CONCURRENT_STREAMS,
  SETTINGS_MAX_HEADER_LIST_SIZE,
  STREAM_CLOSED,
  settingsFrame,
  windowUpdateFrame,
} from './frames.ts';
import { Connection, MAX_HEADER_BYTES, RECEIVE_WINDOW, type Stream } from './connection.ts';
import { addressOf } from '#src/net/listen.ts';
import { checkRequest, checkTrailers } from './header_rules.ts';
import { encodeStateless, type HeaderFields } from './hpack.ts';
import { type Admission, MessageStream } from './message.ts';

/** What a service makes of the headers of a call. One object for all calls with the same headers. */
export interface CallPlan {
  /** The call is answered with this at once, and its body is dropped. */
  readonly refusal: Answer | null;
  /** The refusal waits for the end of the call, or for the first MAX_PATIENT_BYTES of its body. */
  readonly patient: boolean;
  /** What content-length announces, -1 where it is absent. */
  readonly contentLength: number;
  /** Largest message, as it comes. */
  readonly limitBytes: number;
  /** For how long the client waits, ms; 0 where it did not say. */
  readonly timeoutMs: number;
}
export type CallFault = 'too large' | 'too many' | 'no room' | 'bad flag' | 'missing' | 'cut' | 'deadline' | 'stalled';
export interface Service<Plan extends CallPlan> {
  plan(fields: HeaderFields): Plan;
  /** The message is complete. Ends in `call.answer(…)`, now or later. */
  run(call: ServerCall<Plan>): void;
  /** How a broken call is answered. */
  fault(fault: CallFault, call: ServerCall<Plan>): Answer;
}

/** An answer as frames without its stream id, made once and sent many times. */
export class Answer {
  readonly bytes: Buffer;
  /** Where the frames begin. */
  readonly frames: readonly number[];
  /** Bytes that count for flow control. */
  readonly dataBytes: number;

  /** Headers, a body and trailers; without a body all is in one HEADERS frame ("trailers only" of gRPC). */
  constructor(headers: HeaderFields, body: Uint8Array | null = null, trailers: HeaderFields = []) {
    if (body === null) {
      this.bytes = headerFrames(encodeStateless([...headers, ...trailers]), 0, true);
      this.dataBytes = 0;
    } else {
      const parts = [headerFrames(encodeStateless(headers), 0, false)];
      for (let at = 0; at < body.length; at += MAX_FRAME_BYTES) {
        const last = trailers.length === 0 && at + MAX_FRAME_BYTES >= body.length;
        parts.push(frame(DATA, last ? FLAG_END_STREAM : 0, 0, body.subarray(at, at + MAX_FRAME_BYTES)));
      }
      if (trailers.length > 0) parts.push(headerFrames(encodeStateless(trailers), 0, true));
      this.bytes = Buffer.concat(parts);
      this.dataBytes = body.length;
    }
    const frames: number[] = [];
    for (let at = 0; at < this.bytes.length; at += 9 + this.bytes.readUIntBE(at, 3)) frames.push(at);
    this.frames = frames;
  }
  /** Writes the answer of stream `id` to out[at, …). */
  writeTo(out: Buffer, at: number, id: number): number {
    const { bytes, frames } = this;
    bytes.copy(out, at);
    for (let i = 0; i < frames.length; i++) out.writeUInt32BE(id, at + frames[i]! + 5);
    return at + bytes.length;
  }
}

/** An answer that waits for a window, and what of it is out already. */
class BlockedAnswer<Plan extends CallPlan> {
  readonly call: ServerCall<Plan>;
  readonly answer: Answer;
  readonly sinceMs: number;
  /** Frames that are out. */
  #sent = 0;
  /** Bytes that are out of the DATA frame that is next. */
  #sentOfFrame = 0;

  constructor(call: ServerCall<Plan>, answer: Answer, sinceMs: number) {
    this.call = call;
    this.answer = answer;
    this.sinceMs = sinceMs;
  }
  get isSent(): boolean {
    return this.#sent === this.answer.frames.length;
  }
  /** The next frame, its DATA cut to `windowBytes`; null where there is none or it has to wait. */
  next(windowBytes: number): Buffer | null {
    const { bytes, frames } = this.answer;
    if (this.isSent) return null;
    const at = frames[this.#sent]!;
    const size = bytes.readUIntBE(at, 3);
    if (bytes[at + 3] !== DATA) {
      this.#sent++;
      const whole = Buffer.from(bytes.subarray(at, at + HEADER_BYTES + size));
      whole.writeUInt32BE(this.call.id, 5);
      return whole;
    }
    const from = this.#sentOfFrame;
    const count = Math.min(size - from, windowBytes);
    if (count <= 0) return null;
    const ends = from + count === size;
    this.#sentOfFrame = ends ? 0 : from + count;
    if (ends) this.#sent++;
    const start = at + HEADER_BYTES + from;
    return frame(DATA, ends ? bytes[at + 4]! : 0, this.call.id, bytes.subarray(start, start + count));
  }
}

export class ServerCall<Plan extends CallPlan = CallPlan> extends MessageStream implements Stream {
  readonly id: number;
  readonly plan: Plan;
  readonly fields: HeaderFields;
  sendWindow: number;
  receiveWindow: number;
  /** The client has sent its last byte. */
  ended = false;
  running = false;
  answered = false;
  /** The client has given up; the answer goes nowhere. */
  cancelled = false;
  /** Bytes of DATA so far. */
  receivedBytes = 0;
  /** When the last of them came. */
  lastBytesMs: number;
  readonly startedMs: number;
  readonly #connection: ServerConnection<Plan>;

  constructor(id: number, connection: ServerConnection<Plan>, fields: HeaderFields, plan: Plan, sendWindow: number, receiveWindow: number, startedMs: number) {
    super();
    this.id = id;
    this.#connection = connection;
    this.fields = fields;
    this.plan = plan;
    this.sendWindow = sendWindow;
    this.receiveWindow = receiveWindow;
    this.startedMs = startedMs;
    this.lastBytesMs = startedMs;
  }
  /** The first answer counts, others are dropped. */
  answer(answer: Answer): void {
    this.#connection.answer(this, answer);
  }
  /** IP address of the client, empty over a unix socket. */
  get peerAddress(): string {
    return this.#connection.peerAddress;
  }
}

/** Limits of one connection and what it shares with the others of its server. */
export interface ConnectionLimits extends Admission {
  readonly maxStreams: number;
  readonly maxMessageBytes: number;
  readonly maxIdleMs: number;
  readonly maxAgeMs: number;
  readonly ageGraceMs: number;
  readonly pingAfterMs: number;
  readonly pingTimeoutMs: number;
  readonly minPingMs: number;
  readonly pingsWithoutCalls: boolean;
  /** Unsent bytes at which the client is no longer read. */
  readonly maxUnsentBytes: number;
  /** For how long a client may leave us waiting in the middle of things: no more of a message, no window for an answer, no reading of what was sent. */
  readonly stallMs: number;
  /** A message was taken in whole, and is answered. */
  took(sizeBytes: number): void;
  release(sizeBytes: number, reservedBytes: number): void;
  /** Something went against a limit, by name; counted. */
  refused(limit: string): void;
  closed(connection: ServerConnection<never>): void;
}

/** A client may reset so many calls at once, and so many a second (the figures of nghttp2): CVE-2023-44487. */
const RESET_BURST = 1000;
const RESETS_PER_SECOND = 33;
/** grpc-go allows PINGs without calls every 2 h where they are not permitted, and forgives two that come too early. */
const PING_WITHOUT_CALLS_MS = 7_200_000;
const PING_STRIKES = 2;
/** A client that has not said hello by then is a scanner or worse. */
const PREFACE_TIMEOUT_MS = 20_000;
/** Of a body that is dropped anyway. */
const MAX_PATIENT_BYTES = 64 * 1024;
/** How long the answer to the first GOAWAY's PING is waited for. */
const DRAIN_PING_MS = 1000;
const DRAIN_PING = Buffer.from('drain...');
const KEEPALIVE_PING = Buffer.from('alive...');
/** Reading a list that is too large to its end costs up to a millisecond: as much as so many other frames that lead to nothing. */
const HEADER_BOMB_WEIGHT = 50;
/** Ids remembered of calls that were answered before their end: their late frames are no fault of the client. */
const UNFINISHED_COUNT = 128;
/** Ids remembered of calls that ended as they should: to name a wrong frame's error as the RFC does. */
const FINISHED_COUNT = 16;

/** The last ids of a kind. */
class RecentIds {
  readonly #ids: Int32Array;
  #at = 0;
  constructor(count: number) {
    this.#ids = new Int32Array(count);
  }
  add(id: number): void {
    this.#ids[this.#at] = id;
    this.#at = this.#at + 1 === this.#ids.length ? 0 : this.#at + 1;
  }
  has(id: number): boolean {
    return this.#ids.includes(id);
  }
}

export class ServerConnection<Plan extends CallPlan> extends Connection<ServerCall<Plan>> {
  readonly peerAddress: string;
  readonly #service: Service<Plan>;
  readonly #limits: ConnectionLimits;
  readonly #streamWindow: number;
  readonly #bornMs = performance.now();
  readonly #maxAgeMs: number;
  #preface = 0;
  #lastFields: HeaderFields | null = null;
  #lastPlan: Plan | null = null;
  #answers: Answer[] = [];
  #answerIds: number[] = [];
  #answerBytes = 0;
  #blocked: BlockedAnswer<Plan>[] = [];
  readonly #unfinished = new RecentIds(UNFINISHED_COUNT);
  readonly #finished = new RecentIds(FINISHED_COUNT);
  #resets = 0;
  #resetsSinceMs = performance.now();
  #pingStrikes = 0;
  #lastPingMs = Number.NEGATIVE_INFINITY;
  #sentSincePing = false;
  #pingSentMs = 0;
  #idleSinceMs = performance.now();
  #draining = false;
  #drainStartedMs = 0;
  #drainGraceMs = Number.POSITIVE_INFINITY;
  #finalGoAway = false;
  /** Why the client is not read: by what it has not read itself (since then, 0 not), and by the server's wish. */
  #unsentSinceMs = 0;
  #held = false;
  #heldUntilMs = 0;
  #now = performance.now();

  constructor(socket: Socket, service: Service<Plan>, limits: ConnectionLimits) {
    // A window as large as the largest message: a call never waits for us within its message.
    const streamWindow = Math.min(MAX_WINDOW, limits.maxMessageBytes + MAX_FRAME_BYTES);
    super(socket, streamWindow, true);
    this.peerAddress = addressOf(socket);
    this.#service = service;
    this.#limits = limits;
    this.#streamWindow = streamWindow;
    this.#maxAgeMs = limits.maxAgeMs * (0.9 + Math.random() * 0.2);
    const settings = settingsFrame([
      [SETTINGS_MAX_CONCURRENT_STREAMS, limits.maxStreams],
      [SETTINGS_INITIAL_WINDOW_SIZE, streamWindow],
      [SETTINGS_MAX_HEADER_LIST_SIZE, MAX_HEADER_BYTES],
    ]);
    this.write(Buffer.concat([settings, windowUpdateFrame(0, RECEIVE_WINDOW - DEFAULT_WINDOW)]));
    socket.on('drain', () => this.#resumeIfDrained());
  }

  // ---- answers
  answer(call: ServerCall<Plan>, answer: Answer): void {
    if (call.answered) return;
    call.answered = true;
    if (call.message !== null || call.reserved > 0) this.#limits.release(call.running ? call.size : 0, call.reserved);
    call.message = null;
    if (this.closed) return;
    if (call.cancelled) return this.#forget(call);
    if (answer.dataBytes > Math.min(this.sendWindow, call.sendWindow)) {
      const blocked = new BlockedAnswer(call, answer, performance.now());
      if (!this.#sendPart(blocked)) this.#blocked.push(blocked);
    } else this.#send(call, answer);
  }
  /** What the windows allow; true where that was the rest. */
  #sendPart(blocked: BlockedAnswer<Plan>): boolean {
    const { call } = blocked;
    for (;;) {
      const part = blocked.next(Math.min(this.sendWindow, call.sendWindow));
      if (part === null) break;
      if (part[3] === DATA) {
        this.sendWindow -= part.length - HEADER_BYTES;
        call.sendWindow -= part.length - HEADER_BYTES;
      }
      this.write(part);
    }
    if (!blocked.isSent) return false;
    this.#sent(call);
    return true;
  }
  #send(call: ServerCall<Plan>, answer: Answer): void {
    this.sendWindow -= answer.dataBytes;
    call.sendWindow -= answer.dataBytes;
    this.scheduleFlush();
    this.#answers.push(answer);
    this.#answerIds.push(call.id);
    this.#answerBytes += answer.bytes.length;
    this.#sent(call);
  }
  #sent(call: ServerCall<Plan>): void {
    this.#sentSincePing = true;
    this.countProgress();
    if (!call.ended) {
      // The client learns of its answer before it is told to send no more.
      this.flush();
      this.resetStream(call.id, NO_ERROR);
    }
    this.#forget(call);
  }
  protected override flush(): void {
    const count = this.#answers.length;
    if (count > 0) {
      const out = Buffer.allocUnsafe(this.#answerBytes);
      let at = 0;
      for (let i = 0; i < count; i++) at = this.#answers[i]!.writeTo(out, at, this.#answerIds[i]!);
      this.#answers = [];
      this.#answerIds = [];
      this.#answerBytes = 0;
      if (!this.socket.destroyed) this.write(out);
    }
    super.flush();
    if (this.socket.writableLength > this.#limits.maxUnsentBytes) {
      if (this.#unsentSinceMs === 0) this.#unsentSinceMs = this.#now;
      this.socket.pause();
      this.#limits.refused('unsent_bytes');
    }
  }
  #resumeIfDrained(): void {
    if (this.#unsentSinceMs === 0) return;
    this.#unsentSinceMs = 0;
    if (!this.#held) this.socket.resume();
  }
  /** The server reads none of its clients for now, or goes on to. */
  hold(held: boolean): void {
    if (this.#held === held || this.closed) return;
    this.#held = held;
    // What was not read while it was held back is not the client's slowness.
    this.#heldUntilMs = performance.now();
    if (held) this.socket.pause();
    else if (this.#unsentSinceMs === 0) this.socket.resume();
  }
  #forget(call: ServerCall<Plan>): void {
    this.streams.delete(call.id);
    (call.ended ? this.#finished : this.#unfinished).add(call.id);
    if (this.streams.size > 0) return;
    this.#idleSinceMs = this.#now;
    if (this.#finalGoAway) this.#finish();
  }
  #finish(): void {
    process.nextTick(() => this.end(new Error('drained')));
  }

  // ---- what the client sends
  protected override feed(chunk: Buffer): void {
    this.#now = this.lastReadMs;
    let from = 0;
    while (this.#preface < PREFACE.length && from < chunk.length) {
      if (chunk[from++] !== PREFACE[this.#preface++]) throw new ConnectionError(PROTOCOL_ERROR, 'this is not the preface of HTTP/2');
    }
    if (from < chunk.length) super.feed(from === 0 ? chunk : chunk.subarray(from));
  }
  protected override onHeaders(id: number, stream: ServerCall<Plan> | undefined, fields: HeaderFields | null, endStream: boolean): void {
    if (stream !== undefined) return this.#trailers(stream, fields, endStream);
    if ((id & 1) === 0) throw new ConnectionError(PROTOCOL_ERROR, 'a client opens odd streams');
    if (this.#unfinished.has(id)) return; // Trailers of a call that was answered early.
    if (id <= this.lastId) throw new ConnectionError(this.#finished.has(id) ? STREAM_CLOSED : PROTOCOL_ERROR, 'HEADERS on a stream that is over');
    if (this.#finalGoAway) return; // Too late; the client knows by the last id of GOAWAY that it may try elsewhere.
    this.lastId = id;
    if (fields === null) {
      this.#limits.refused('header_list_size');
      this.countIdleFrame(HEADER_BOMB_WEIGHT);
      return this.#refuse(id, ENHANCE_YOUR_CALM);
    }
    if (this.streams.size >= this.#limits.maxStreams) {
      this.#limits.refused('concurrent_streams');
      return this.#refuse(id, REFUSED_STREAM);
    }
    let plan = this.#lastPlan;
    if (plan === null || fields !== this.#lastFields) {
      if (checkRequest(fields) !== null) return this.#refuse(id, PROTOCOL_ERROR);
      plan = this.#service.plan(fields);
      this.#lastFields = fields;
      this.#lastPlan = plan;
    }
    const call = new ServerCall<Plan>(id, this, fields, plan, this.peerInitialWindow, this.#streamWindow, this.#now);
    this.streams.set(id, call);
    call.ended = endStream;
    if (plan.refusal !== null && !plan.patient) call.answer(plan.refusal);
    else if (endStream) this.onEnd(call);
  }
  #refuse(id: number, code: number): void {
    this.countIdleFrame();
    this.resetStream(id, code);
    this.#unfinished.add(id);
  }
  #trailers(call: ServerCall<Plan>, fields: HeaderFields | null, endStream: boolean): void {
    if (call.ended) throw new ConnectionError(STREAM_CLOSED, 'HEADERS behind the end of a stream');
    if (!endStream || fields === null || checkTrailers(fields) !== null) {
      this.resetStream(call.id, PROTOCOL_ERROR);
      this.onReset(call, PROTOCOL_ERROR);
    } else this.onEnd(call);
  }
  protected override onBytes(call: ServerCall<Plan>, bytes: Buffer, pos: number, end: number): void {
    if (call.ended) {
      // Still running: the client went on behind its END_STREAM.
      throw new ConnectionError(STREAM_CLOSED, 'DATA behind the end of a stream');
    }
    call.receivedBytes += end - pos;
    call.lastBytesMs = this.#now;
    if (call.plan.refusal !== null) {
      if (call.receivedBytes > MAX_PATIENT_BYTES) call.answer(call.plan.refusal);
      return;
    }
    const taken = call.take(bytes, pos, end, call.plan.limitBytes, this.#limits);
    if (call.isView) this.keptRead = true;
    if (taken === 'ok') return;
    if (taken === 'too large' || taken === 'no room') this.#limits.refused(taken === 'too large' ? 'message_size' : 'bytes_in_flight');
    call.answer(this.#service.fault(taken, call));
  }
  protected override onEnd(call: ServerCall<Plan>): void {
    if (call.running) throw new ConnectionError(STREAM_CLOSED, 'DATA behind the end of a stream');
    call.ended = true;
    const { refusal, contentLength } = call.plan;
    if (contentLength >= 0 && contentLength !== call.receivedBytes) {
      this.resetStream(call.id, PROTOCOL_ERROR);
      this.onReset(call, PROTOCOL_ERROR);
    } else if (refusal !== null) call.answer(refusal);
    else if (call.isComplete) {
      call.running = true;
      this.#limits.took(call.size);
      this.#service.run(call);
    } else call.answer(this.#service.fault(call.isCut ? 'cut' : 'missing', call));
  }
  protected override onReset(call: ServerCall<Plan>, _code: number): void {
    this.#countReset();
    call.cancelled = true;
    call.ended = true;
    // A running call stays on the list until it ends: what is reset still counts against the limit on concurrent streams.
    if (call.answered) this.#forget(call);
    else if (!call.running) call.answer(CANCELLED);
  }
  #countReset(): void {
    this.#resets++;
    if (this.#resets <= RESET_BURST) return;
    const now = performance.now();
    this.#resets = Math.max(0, this.#resets - ((now - this.#resetsSinceMs) / 1000) * RESETS_PER_SECOND);
    this.#resetsSinceMs = now;
    if (this.#resets > RESET_BURST) throw new ConnectionError(ENHANCE_YOUR_CALM, 'too many calls were reset');
  }
  protected override onWindow(): void {
    if (this.#blocked.length === 0) return;
    const waiting = this.#blocked;
    this.#blocked = [];
    for (const blocked of waiting) {
      if (blocked.call.cancelled) this.#forget(blocked.call);
      else if (!this.#sendPart(blocked)) this.#blocked.push(blocked);
    }
  }
  protected override onGoAway(): void {
    // The client opens no more calls; it closes when its last one is answered.
  }
  protected override onPeerSettings(): void {}
  protected override onTableSize(): void {
    // Answers use no dynamic table.
  }
  protected override onPing(payload: Buffer, ack: boolean): void {
    if (ack) {
      this.#pingSentMs = 0;
      if (this.#draining && payload.equals(DRAIN_PING)) this.#sendFinalGoAway();
      return;
    }
    const limit = this.streams.size === 0 && !this.#limits.pingsWithoutCalls ? PING_WITHOUT_CALLS_MS : this.#limits.minPingMs;
    if (this.#sentSincePing) this.#pingStrikes = 0;
    else if (this.#now - this.#lastPingMs < limit && ++this.#pingStrikes > PING_STRIKES) {
      this.#limits.refused('pings');
      throw new ConnectionError(ENHANCE_YOUR_CALM, 'too_many_pings');
    }
    this.#sentSincePing = false;
    this.#lastPingMs = this.#now;
  }
  protected override isForgotten(id: number): boolean {
    return this.#unfinished.has(id);
  }
  protected override isIdle(id: number): boolean {
    return id > this.lastId || (id & 1) === 0;
  }
  protected override onReadEnd(): void {}
  protected override onClose(error: Error): void {
    if (error instanceof ConnectionError && error.code === ENHANCE_YOUR_CALM) this.#limits.refused('flood');
    for (const call of this.streams.values()) {
      call.cancelled = true;
      if (!call.running && !call.answered) {
        call.answered = true;
        this.#limits.release(0, call.reserved);
      }
    }
    this.#blocked = [];
    this.#answers = [];
    this.#answerIds = [];
    this.#answerBytes = 0;
    this.#limits.closed(this as unknown as ServerConnection<never>);
  }

  // ---- age, idleness, deadlines: looked at once a second for all connections together
  tick(now: number): void {
    const limits = this.#limits;
    this.#now = now;
    if (this.#preface < PREFACE.length && now - this.#bornMs > PREFACE_TIMEOUT_MS) return this.end(new Error('no preface'));
    if (this.#draining) {
      if (!this.#finalGoAway && now - this.#drainStartedMs > DRAIN_PING_MS) this.#sendFinalGoAway();
      if (now - this.#drainStartedMs > this.#drainGraceMs) return this.end(new Error('drained for too long'));
    } else if (this.#maxAgeMs > 0 && now - this.#bornMs > this.#maxAgeMs) this.drain(limits.ageGraceMs > 0 ? limits.ageGraceMs : Number.POSITIVE_INFINITY);
    else if (limits.maxIdleMs > 0 && this.streams.size === 0 && now - this.#idleSinceMs > limits.maxIdleMs) this.drain(limits.maxIdleMs);
    if (this.#pingSentMs > 0) {
      if (this.lastReadMs > this.#pingSentMs) this.#pingSentMs = 0;
      else if (now - this.#pingSentMs > limits.pingTimeoutMs) return this.end(new Error('the client does not answer PING'));
    } else if (now - this.lastReadMs > limits.pingAfterMs) {
      this.#pingSentMs = now;
      this.write(pingFrame(false, KEEPALIVE_PING));
    }
    for (const call of this.streams.values()) {
      const { timeoutMs } = call.plan;
      if (timeoutMs > 0 && !call.answered && now - call.startedMs > timeoutMs) this.#expire(call);
    }
    this.#endStalled(now - limits.stallMs);
  }
  /** Ends what has stood still since `beforeMs`. */
  #endStalled(beforeMs: number): void {
    if (this.#unsentSinceMs > 0 && this.#unsentSinceMs < beforeMs) {
      this.#limits.refused('slow_reader');
      return this.end(new Error('the client does not read'));
    }
    for (const { call, sinceMs } of this.#blocked) {
      if (sinceMs > beforeMs || call.cancelled) continue;
      this.#limits.refused('slow_reader');
      this.resetStream(call.id, CANCEL);
      call.cancelled = true;
      this.#forget(call);
    }
    this.#blocked = this.#blocked.filter(({ call }) => !call.cancelled);
    if (this.#held || this.#heldUntilMs > beforeMs) return;
    for (const call of this.streams.values()) {
      if (call.ended || call.answered || call.lastBytesMs > beforeMs) continue;
      this.#limits.refused('slow_sender');
      call.answer(this.#service.fault('stalled', call));
    }
  }
  #expire(call: ServerCall<Plan>): void {
    if (call.running) {
      // The work cannot be called back; its memory is given free when it ends. The client has long stopped waiting.
      call.cancelled = true;
      this.resetStream(call.id, CANCEL);
    } else call.answer(this.#service.fault('deadline', call));
  }
  /** Takes no new calls and closes when the last is answered, or after `graceMs`. Calls that are on their way already are still taken. */
  drain(graceMs: number): void {
    if (this.closed || this.#draining) return;
    this.#draining = true;
    this.#drainStartedMs = performance.now();
    this.#drainGraceMs = graceMs;
    if (this.#preface < PREFACE.length) return this.end(new Error('drained'));
    this.write(goAwayFrame(MAX_WINDOW, NO_ERROR));
    this.write(pingFrame(false, DRAIN_PING));
  }
  #sendFinalGoAway(): void {
    if (this.#finalGoAway) return;
    this.#finalGoAway = true;
    this.write(goAwayFrame(this.lastId, NO_ERROR));
    if (this.streams.size === 0) this.#finish();
  }
}
const CANCELLED = new Answer([]);
