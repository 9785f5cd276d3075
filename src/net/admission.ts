/**
 * What the servers of one receiver let in, over all their connections and transports. Two things can run short. Memory: bytes that are under way are
 * counted; above one bound new requests are refused before their body is read, above a second one connections are not read at all. And time: requests that
 * are complete run in the order they came, and when those that wait would take too long, new ones are refused as long as that is cheap, by their headers.
 * A server that works on everything as it comes answers everything too late once more comes than it can do.
 */
import { RetryableError } from '#src/core/errors.ts';

/** Something that waits for its turn to run. */
export interface Work {
  begin(): void;
}

/** Bytes of messages that are here and not yet answered: above, new requests are refused. */
const MAX_BYTES_IN_FLIGHT = 64 << 20;
/** Above so many times as much connections of HTTP/2 are not read, until it is less than once. */
const HOLD_FACTOR = 1.5;
/** Of messages that have begun to arrive there may be so many times as much; those that would not fit are refused. */
const ARRIVING_FACTOR = 2;
/** A message of at most this size is let in even then, so that a few large senders do not keep out the many. */
const SMALL_BYTES = 64 << 10;
/** Work is done so long at a time, then the sockets are looked at, so that who is refused hears it soon; longer where the sockets took longer (TLS handshakes). */
const SLICE_MS = 10;
const MAX_SLICE_MS = 100;
/** The longest a request shall wait for its turn, and at most this part of the time that its sender waits for it. */
const MAX_WAIT_MS = 5000;
const WAIT_SHARE = 0.25;
/**
 * How much one slice changes what is known of the time a request takes. What is slow for a moment only (a collection, another program) is hardly believed:
 * the part of the sender's time leaves room for an error, and who is refused for nothing has to come again.
 */
const WEIGHT_UP = 0.05;
const WEIGHT_DOWN = 0.5;
const ARRIVING_PER_WAITING = 3;

const options = { reason: 'exhausted', retryAfterMs: 1000 } as const;
const FULL = new RetryableError('too many bytes in flight', options);
const BUSY = new RetryableError('too many requests wait', options);

export class Admission {
  readonly #maxBytes: number;
  #bytesInFlight = 0;
  #bytesArriving = 0;
  #held = false;
  readonly #holders = new Set<(held: boolean) => void>();
  /** Requests that were let in and have not run. */
  #waiting = 0;
  #backlog: Work[] = [];
  #head = 0;
  /** What a request takes while others wait, all that is done for it included; 0 where that is not known yet. */
  #msEach = 0;
  #inTurn = false;
  #turnStartMs = 0;
  /** What has run since then. */
  #ran = 0;
  readonly #nextSlice = (): void => this.#slice();

  constructor(maxBytesInFlight = MAX_BYTES_IN_FLIGHT) {
    this.#maxBytes = maxBytesInFlight;
  }

  /** Why no new request may come in just now, or null. Asked when its headers are there. `timeoutMs`: how long its sender waits, 0 where that is not known. */
  refusal(timeoutMs = 0): RetryableError | null {
    if (this.#bytesInFlight > this.#maxBytes) return FULL;
    const backlog = this.#backlog.length - this.#head;
    if (backlog === 0) return null;
    const patienceMs = timeoutMs > 0 ? Math.min(MAX_WAIT_MS, timeoutMs * WAIT_SHARE) : MAX_WAIT_MS;
    // Those that are not complete yet will want to run, too; but a thousand slow senders are no sign of overload by themselves.
    return Math.min(this.#waiting, backlog * ARRIVING_PER_WAITING) * this.#msEach > patienceMs ? BUSY : null;
  }
  /** A request was let in; it runs by and by, or is given up. */
  opened(): void {
    this.#waiting++;
  }
  givenUp(): void {
    this.#waiting--;
  }

  // ---- time
  /** Runs the work now, or when its turn has come. It was opened before. */
  enter(work: Work): void {
    const now = performance.now();
    if (!this.#inTurn) {
      this.#inTurn = true;
      this.#turnStartMs = now;
      this.#ran = 0;
      setImmediate(this.#nextSlice);
    } else if (this.#backlog.length > 0 || now - this.#turnStartMs > SLICE_MS) {
      this.#backlog.push(work);
      return;
    }
    this.#ran++;
    work.begin();
  }
  /** enter() for work that goes on behind an await; undefined where its turn is now. */
  turn(): Promise<void> | undefined {
    return this.#backlog.length === 0 ? undefined : new Promise((begin) => this.#backlog.push({ begin }));
  }
  /** Work that waits, for a while. */
  #slice(): void {
    const backlog = this.#backlog;
    if (backlog.length === 0) {
      this.#inTurn = false;
      return;
    }
    const startMs = performance.now();
    const endMs = startMs + Math.min(MAX_SLICE_MS, Math.max(SLICE_MS, startMs - this.#turnStartMs));
    let now = startMs;
    while (this.#head < backlog.length && now < endMs) {
      this.#ran++;
      backlog[this.#head++]!.begin();
      now = performance.now();
    }
    // From the end of the slice before: reading and answering is a part of what requests cost.
    const each = (now - this.#turnStartMs) / this.#ran;
    const change = each - this.#msEach;
    this.#msEach = this.#msEach === 0 ? each : this.#msEach + (change > 0 ? WEIGHT_UP : WEIGHT_DOWN) * change;
    this.#turnStartMs = now;
    this.#ran = 0;
    if (this.#head === backlog.length) {
      this.#backlog = [];
      this.#head = 0;
    } else if (this.#head > 1000) {
      this.#backlog = backlog.slice(this.#head);
      this.#head = 0;
    }
    setImmediate(this.#nextSlice);
  }

  // ---- memory
  /** Whether there is room for a message that has only begun to arrive; given back by release(). */
  reserve(sizeBytes: number): boolean {
    if (this.#bytesArriving + sizeBytes > this.#maxBytes * ARRIVING_FACTOR && sizeBytes > SMALL_BYTES) return false;
    this.#bytesArriving += sizeBytes;
    return true;
  }
  /** A message is here in whole, or has grown by so much. */
  took(sizeBytes: number): void {
    this.#bytesInFlight += sizeBytes;
    if (this.#bytesInFlight > this.#maxBytes * HOLD_FACTOR && !this.#held) this.#hold(true);
  }
  release(sizeBytes: number, reservedBytes: number): void {
    this.#bytesInFlight -= sizeBytes;
    this.#bytesArriving -= reservedBytes;
    if (this.#held && this.#bytesInFlight < this.#maxBytes) this.#hold(false);
  }
  #hold(held: boolean): void {
    this.#held = held;
    for (const holder of this.#holders) holder(held);
  }
  get isHeld(): boolean {
    return this.#held;
  }
  /** Who is told to stop reading, and to go on. Returns the function that ends it. */
  onHold(holder: (held: boolean) => void): () => void {
    this.#holders.add(holder);
    return () => void this.#holders.delete(holder);
  }
}
