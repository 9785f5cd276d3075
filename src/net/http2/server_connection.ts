/**
 * A client's connection to a server of unary calls. A call is a small record until its message is there; then the service runs it and
 * answers in its own time. Answers are templates of frames in which only the stream id is written, and those of one turn of the event
 * loop go out in one write. An answer that a window does not let through in whole goes its own, slower way, piece by piece.
 */
import type { Socket } from 'node:net';
import type { Admission } from '#src/net/admission.ts';
import { addressOf } from '#src/net/listen.ts';
import { Answer, AnswerQueue, BlockedAnswer } from './answer.ts';
import { Connection, MAX_HEADER_BYTES } from './connection.ts';
import {
  CANCEL,
  ConnectionError,
  DATA,
  DEFAULT_WINDOW,
  ENHANCE_YOUR_CALM,
  goAwayFrame,
  HEADER_BYTES,
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
import { FloodMeter } from './flood_meter.ts';
import { checkRequest, checkTrailers } from './header_rules.ts';
import type { HeaderFields } from './hpack.ts';
import { PingPolicy } from './ping_policy.ts';
import { MIN_WINDOW, ReceiveWindow } from './receive_window.ts';
import { RecentIds } from './recent_ids.ts';
import { BareCall, type CallPlan, ServerCall, type Service } from './server_call.ts';

/** Limits of one connection and what it shares with the others of its server. */
export interface ConnectionLimits {
  readonly admission: Admission;
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
  /** Something went against a limit, by name; counted. */
  refused(limit: string): void;
  closed(connection: ServerConnection<never>): void;
}

/** A client may reset so many calls at once, and so many a second (the figures of nghttp2): CVE-2023-44487. */
const RESET_BURST = 1000;
const RESETS_PER_SECOND = 33;
/** A client that has not said hello by then is a scanner or worse. */
const PREFACE_TIMEOUT_MS = 20_000;
/** Of a body that is dropped anyway. */
const MAX_PATIENT_BYTES = 64 * 1024;
/** How long the answer to the first GOAWAY's PING is waited for. */
const DRAIN_PING_MS = 1000;
const DRAIN_PING = Buffer.from('drain...');
const WINDOW_PING = Buffer.from('window..');
const KEEPALIVE_PING = Buffer.from('alive...');
/** Reading a list that is too large to its end costs up to a millisecond: as much as so many other frames that lead to nothing. */
const HEADER_BOMB_WEIGHT = 50;
/**
 * Ids remembered of calls that were answered before their end: their late frames are no fault of the client. It may have as many of them open as calls are
 * allowed, and some more that it has just heard of.
 */
const UNFINISHED_SLACK = 128;
const MAX_UNFINISHED = 16_384;
/** Ids remembered of calls that ended as they should: to name a wrong frame's error as the RFC does. */
const FINISHED_COUNT = 16;

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
  readonly #answers = new AnswerQueue();
  #blocked: BlockedAnswer<Plan>[] = [];
  readonly #unfinished: RecentIds;
  readonly #finished = new RecentIds(FINISHED_COUNT);
  readonly #window = new ReceiveWindow();
  readonly #resets = new FloodMeter(RESET_BURST, RESETS_PER_SECOND);
  readonly #pings: PingPolicy;
  #settingsAcked = false;
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
    this.#unfinished = new RecentIds(Math.min(limits.maxStreams + UNFINISHED_SLACK, MAX_UNFINISHED));
    this.#pings = new PingPolicy(limits.minPingMs, limits.pingsWithoutCalls);
    this.#streamWindow = streamWindow;
    this.#maxAgeMs = limits.maxAgeMs * (0.9 + Math.random() * 0.2);
    const settings = settingsFrame([
      [SETTINGS_MAX_CONCURRENT_STREAMS, limits.maxStreams],
      [SETTINGS_INITIAL_WINDOW_SIZE, streamWindow],
      [SETTINGS_MAX_HEADER_LIST_SIZE, MAX_HEADER_BYTES],
    ]);
    this.write(Buffer.concat([settings, windowUpdateFrame(0, MIN_WINDOW - DEFAULT_WINDOW)]));
    socket.on('drain', () => this.#resumeIfDrained());
  }

  // ---- answers
  answer(call: ServerCall<Plan>, answer: Answer): void {
    if (call.answered) return;
    call.answered = true;
    this.#release(call);
    if (this.closed) return;
    if (call.cancelled) return this.#forget(call);
    if (answer.dataBytes > Math.min(this.sendWindow, call.sendWindow)) {
      const blocked = new BlockedAnswer(call, answer, performance.now());
      if (!this.#sendPart(blocked)) this.#blocked.push(blocked);
    } else this.#send(call, answer);
  }
  /** It holds no memory any more, and will not run. */
  #release(call: ServerCall<Plan>): void {
    const { admission } = this.#limits;
    if (call.heldBytes > 0 || call.reserved > 0) admission.release(call.heldBytes, call.reserved);
    call.message = null;
    if (!call.waiting) return;
    call.waiting = false;
    admission.givenUp();
  }
  /** For ServerCall. */
  begin(call: ServerCall<Plan>): void {
    if (call.answered) return;
    const { timeoutMs } = call.plan;
    if (timeoutMs > 0 && performance.now() - call.startedMs > timeoutMs) return call.answer(this.#service.fault('deadline', call));
    call.waiting = false;
    this.#limits.admission.givenUp();
    call.running = true;
    this.#service.run(call);
  }
  /** For ServerCall. */
  holdBytes(call: ServerCall<Plan>, sizeBytes: number): void {
    if (call.answered || sizeBytes <= call.heldBytes) return;
    this.#limits.admission.took(sizeBytes - call.heldBytes);
    call.heldBytes = sizeBytes;
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
    // The client learns of its answer before it is told to send no more.
    if (!call.ended) this.resetStream(call.id, NO_ERROR);
    this.#countAnswer();
    this.#forget(call);
    return true;
  }
  #send(call: ServerCall<Plan>, answer: Answer): void {
    this.sendWindow -= answer.dataBytes;
    call.sendWindow -= answer.dataBytes;
    this.#queue(call.id, call.ended ? answer : answer.stopping);
    this.#forget(call);
  }
  #queue(id: number, answer: Answer): void {
    this.scheduleFlush();
    this.#answers.add(id, answer);
    this.#countAnswer();
  }
  #countAnswer(): void {
    this.#pings.answered();
    this.countProgress();
  }
  protected override flush(): void {
    if (!this.#answers.isEmpty) {
      const out = this.#answers.take();
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
    const refusal = plan.refusal === null ? this.#service.refuse(plan) : plan.patient ? null : plan.refusal;
    if (refusal !== null && refusal.dataBytes <= this.sendWindow && refusal.dataBytes <= this.peerInitialWindow)
      return this.#refuseCall(id, refusal, endStream);
    const call = this.#service.isBare
      ? new BareCall<Plan>(id, this, fields, plan, this.peerInitialWindow, this.#streamWindow, this.#now)
      : new ServerCall<Plan>(id, this, fields, plan, this.peerInitialWindow, this.#streamWindow, this.#now);
    this.streams.set(id, call);
    this.#limits.admission.opened();
    if (refusal !== null) call.answer(refusal);
    else if (endStream) this.onEnd(call);
  }
  /** Answered by its headers: it never becomes a call, and what still comes of it is dropped. */
  #refuseCall(id: number, refusal: Answer, endStream: boolean): void {
    this.sendWindow -= refusal.dataBytes;
    this.#queue(id, endStream ? refusal : refusal.stopping);
    (endStream ? this.#finished : this.#unfinished).add(id);
    if (this.streams.size === 0) this.#idleSinceMs = this.#now;
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
    const taken = call.take(bytes, pos, end, call.plan.limitBytes, this.#limits.admission);
    if (call.isView) this.keptRead = true;
    if (taken === 'ok') return;
    if (taken === 'too large' || taken === 'no room') this.#limits.refused(taken === 'too large' ? 'message_size' : 'bytes_in_flight');
    call.answer(this.#service.fault(taken, call));
  }
  protected override onEnd(call: ServerCall<Plan>): void {
    if (call.ended) throw new ConnectionError(STREAM_CLOSED, 'DATA behind the end of a stream');
    call.ended = true;
    const { refusal, contentLength } = call.plan;
    if (contentLength >= 0 && contentLength !== call.receivedBytes) {
      this.resetStream(call.id, PROTOCOL_ERROR);
      this.onReset(call, PROTOCOL_ERROR);
    } else if (refusal !== null) call.answer(refusal);
    else if (call.isComplete) {
      const { admission } = this.#limits;
      call.heldBytes = call.size;
      admission.took(call.size);
      admission.enter(call);
    } else call.answer(this.#service.fault(call.isCut ? 'cut' : 'missing', call));
  }
  protected override onReset(call: ServerCall<Plan>, _code: number): void {
    if (this.#resets.add(1)) throw new ConnectionError(ENHANCE_YOUR_CALM, 'too many calls were reset');
    call.cancelled = true;
    call.ended = true;
    // A running call stays on the list until it ends: what is reset still counts against the limit on concurrent streams.
    if (call.answered) this.#forget(call);
    else if (!call.running) call.answer(CANCELLED);
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
      else if (payload.equals(WINDOW_PING) && this.#window.sawAnswer(this.lastReadMs, this.receivedBytes)) this.growWindow(this.#window.sizeBytes);
      return;
    }
    if (this.#pings.allows(this.#now, this.streams.size > 0)) return;
    this.#limits.refused('pings');
    throw new ConnectionError(ENHANCE_YOUR_CALM, 'too_many_pings');
  }
  protected override onWindowUsed(): void {
    if (this.#window.wantsPing(performance.now(), this.receivedBytes)) this.write(pingFrame(false, WINDOW_PING));
  }
  protected override onSettingsAck(): void {
    // Ours went out when the connection was made.
    if (this.#settingsAcked) return;
    this.#settingsAcked = true;
    this.#window.sawRoundTrip(this.lastReadMs - this.#bornMs);
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
        this.#release(call);
      }
    }
    this.#blocked = [];
    this.#answers.clear();
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
const CANCELLED = Answer.of([]);
