/**
 * How much a client may have on its way on one connection. Little is best: what waits for us waits with the sender, who takes back what has become too
 * late (at twice the saturating rate 16 MB gave half of the peak's goodput). But a client far away cannot send more than one window in each round trip. So
 * the window follows what the way holds, twice the bandwidth by the shortest round trip seen: PINGs are timed while a client uses up its window.
 * Bytes that pile up on the way make the round trip longer and not the bandwidth larger, so that the window does not grow by them.
 */
export const MIN_WINDOW = 1 << 20;
/** As in grpc-go: 1.3 Gbit/s at 100 ms. What comes is kept only where the admission has room for it, whatever the window is. */
export const MAX_RECEIVE_WINDOW = 16 << 20;
/** A shorter way is never in need of more: 1 MB each 2 ms is 500 MB/s. */
const SHORT_WAY_MS = 2;
/** A sender that has not used so much of its window in a round trip does not wait for it. */
const USED_SHARE = 2 / 3;
/** How long nothing is measured after so many measurements in vain. */
const VAIN_COUNT = 3;
const PAUSE_MS = 5000;

export class ReceiveWindow {
  sizeBytes = MIN_WINDOW;
  #shortestMs = Number.POSITIVE_INFINITY;
  #startMs = 0;
  #startBytes = 0;
  #measures = false;
  #vain = 0;
  #againMs = 0;

  /** A round trip was timed by other means. */
  sawRoundTrip(ms: number): void {
    if (ms < this.#shortestMs) this.#shortestMs = ms;
  }
  /** A good part of a window has come, `totalBytes` since the beginning. True where a PING shall go out now. */
  wantsPing(nowMs: number, totalBytes: number): boolean {
    if (this.#measures || nowMs < this.#againMs || this.sizeBytes >= MAX_RECEIVE_WINDOW) return false;
    this.#measures = true;
    this.#startMs = nowMs;
    this.#startBytes = totalBytes;
    return true;
  }
  /** The PING was answered. True where the window has become larger. */
  sawAnswer(nowMs: number, totalBytes: number): boolean {
    if (!this.#measures) return false;
    this.#measures = false;
    const tookMs = Math.max(0.01, nowMs - this.#startMs);
    const bytes = totalBytes - this.#startBytes;
    this.sawRoundTrip(tookMs);
    const wanted = bytes < this.sizeBytes * USED_SHARE ? 0 : Math.min(MAX_RECEIVE_WINDOW, Math.round((2 * bytes * this.#shortestMs) / tookMs));
    if (this.#shortestMs > SHORT_WAY_MS && wanted > this.sizeBytes) {
      this.sizeBytes = wanted;
      this.#vain = 0;
      return true;
    }
    if (++this.#vain >= VAIN_COUNT || this.#shortestMs <= SHORT_WAY_MS) {
      this.#vain = 0;
      this.#againMs = nowMs + PAUSE_MS;
    }
    return false;
  }
}
