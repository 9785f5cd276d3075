/**
 * A call as a server sees it: what its headers ask for (the plan), its message while it comes, and its answer. Calls of gRPC have one message behind a
 * prefix; those of HTTP are their body, as long as it is.
 */
import type { Answer } from './answer.ts';
import type { Stream } from './connection.ts';
import type { HeaderFields } from './hpack.ts';
import { MessageStream, type Reservations, type Taken } from './message.ts';
import type { ServerConnection } from './server_connection.ts';

/** What a service makes of the headers of a call. One object for all calls with the same headers. */
export interface CallPlan {
  /** The call is answered with this at once, and its body is dropped. */
  readonly refusal: Answer | null;
  /** The refusal waits for the end of the call, or for the first bytes of its body. */
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
  /** The body of a call is its message, without gRPC's prefix. */
  readonly isBare: boolean;
  plan(fields: HeaderFields): Plan;
  /** Why a call is not even read just now, or null. Asked for each call, when its headers are there. */
  refuse(plan: Plan): Answer | null;
  /** The message is complete. Ends in `call.answer(…)`, now or later. */
  run(call: ServerCall<Plan>): void;
  /** How a broken call is answered. */
  fault(fault: CallFault, call: ServerCall<Plan>): Answer;
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
  /** Counts as one that will want to run. */
  waiting = true;
  /** Bytes of DATA so far. */
  receivedBytes = 0;
  /** Bytes that count as under way until the answer. */
  heldBytes = 0;
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
  /** For the admission: its turn has come. */
  begin(): void {
    this.#connection.begin(this);
  }
  /** The message has become larger (decompressed). */
  hold(sizeBytes: number): void {
    this.#connection.holdBytes(this, sizeBytes);
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

const FIRST_BYTES = 16 * 1024;
const NO_BYTES = Buffer.alloc(0);

/** A call whose message is its body: of the announced length, or of any. */
export class BareCall<Plan extends CallPlan = CallPlan> extends ServerCall<Plan> {
  /** Its end is the end of the call; a body that is shorter than announced is known by its content-length. */
  override get isComplete(): boolean {
    return this.ended;
  }
  override get isCut(): boolean {
    return false;
  }
  override take(bytes: Buffer, pos: number, end: number, limit: number, reservations: Reservations | null): Taken {
    const filled = this.filled + (end - pos);
    const announced = this.plan.contentLength;
    if (filled > limit || announced > limit) return 'too large';
    if (this.message === null || filled > this.message.length) {
      const room = announced >= filled ? announced : Math.min(limit, Math.max(FIRST_BYTES, filled, 2 * this.filled));
      if (reservations !== null && !reservations.reserve(room - this.reserved)) return 'no room';
      this.reserved = room;
      const larger = Buffer.allocUnsafeSlow(room);
      this.message?.copy(larger, 0, 0, this.filled);
      this.message = larger;
    }
    bytes.copy(this.message, this.filled, pos, end);
    this.filled = filled;
    this.size = filled;
    return 'ok';
  }
  /** The body, once it is complete; the caller's. */
  get body(): Buffer {
    return this.message === null ? NO_BYTES : this.message.length === this.filled ? this.message : this.message.subarray(0, this.filled);
  }
}
