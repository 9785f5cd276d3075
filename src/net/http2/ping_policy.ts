/** How often a client may PING, as grpc-go enforces it: PINGs that come too early are strikes, forgiven when something is sent to the client. */
const WITHOUT_CALLS_MS = 7_200_000;
const STRIKES = 2;

export class PingPolicy {
  readonly #minMs: number;
  readonly #minIdleMs: number;
  #strikes = 0;
  #lastMs = Number.NEGATIVE_INFINITY;
  #sent = false;
  constructor(minMs: number, withoutCalls: boolean) {
    this.#minMs = minMs;
    this.#minIdleMs = withoutCalls ? minMs : WITHOUT_CALLS_MS;
  }
  /** The client was sent an answer. */
  answered(): void {
    this.#sent = true;
  }
  /** A PING came; false where it was one too many. */
  allows(nowMs: number, hasCalls: boolean): boolean {
    const minMs = hasCalls ? this.#minMs : this.#minIdleMs;
    if (this.#sent) this.#strikes = 0;
    else if (nowMs - this.#lastMs < minMs && ++this.#strikes > STRIKES) return false;
    this.#sent = false;
    this.#lastMs = nowMs;
    return true;
  }
}
