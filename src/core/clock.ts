/** Time as components see it, so that a test can turn the clock. */
export interface Clock {
  /** Milliseconds since the epoch, with fractions where the system has them. */
  nowMs(): number;
  /** Calls `work` every `periodMs` until the returned function is called. Does not keep the process alive. */
  every(periodMs: number, work: () => void): () => void;
  /** Calls `work` once after `delayMs` unless the returned function is called before. */
  after(delayMs: number, work: () => void): () => void;
}

export const systemClock: Clock = {
  nowMs: () => performance.timeOrigin + performance.now(),
  every(periodMs, work) {
    const timer = setInterval(work, periodMs);
    timer.unref();
    return () => clearInterval(timer);
  },
  after(delayMs, work) {
    const timer = setTimeout(work, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
};
