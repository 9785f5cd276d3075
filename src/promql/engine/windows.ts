/**
 * Which samples each step sees. Worked out once for all series with the same timestamps, which most series of a job have: only the
 * comparison of the timestamps is left per series.
 */
import type { Timeline } from './matrix.ts';

export interface RangeShape {
  /** The end of the range of a step lies this long before it. */
  readonly offsetMs: number;
  /** The end of all ranges, where the selector has "@"; the offset comes off it. */
  readonly atMs: number | null;
  readonly rangeMs: number;
  /** Samples this long before and after the range are seen as well (anchored and smoothed selectors). */
  readonly beforeMs: number;
  readonly afterMs: number;
}

export function rangeEnd(shape: RangeShape, timeline: Timeline, step: number): number {
  return (shape.atMs ?? timeline.startMs + step * timeline.stepMs) - shape.offsetMs;
}

export class Windows {
  /** First sample of the step's range, and the one behind the last. */
  readonly from: Int32Array;
  readonly to: Int32Array;
  /** Samples in all ranges together, and how many of them are in no earlier range. */
  inRanges = 0;
  inNoEarlier = 0;
  readonly #shape: RangeShape;
  readonly #timeline: Timeline;
  #times = new Float64Array(0);
  #count = -1;

  constructor(shape: RangeShape, timeline: Timeline) {
    this.#shape = shape;
    this.#timeline = timeline;
    this.from = new Int32Array(timeline.steps);
    this.to = new Int32Array(timeline.steps);
  }

  /** False where the timestamps are those of the last call, so that nothing changed. */
  update(times: Float64Array, count: number): boolean {
    if (count === this.#count) {
      const known = this.#times;
      let i = 0;
      while (i < count && known[i] === times[i]) i++;
      if (i === count) return false;
    }
    if (count > this.#times.length) this.#times = new Float64Array(count * 2);
    this.#times.set(times.subarray(0, count));
    this.#count = count;
    const { rangeMs, beforeMs, afterMs } = this.#shape;
    const { from, to } = this;
    let low = 0;
    let high = 0;
    this.inRanges = this.inNoEarlier = 0;
    for (let s = 0; s < from.length; s++) {
      const end = rangeEnd(this.#shape, this.#timeline, s); // Open on the left: (start, end].
      while (high < count && times[high]! <= end + afterMs) high++;
      while (low < count && times[low]! <= end - rangeMs - beforeMs) low++;
      from[s] = low;
      to[s] = Math.max(low, high);
      this.inRanges += to[s]! - low;
      this.inNoEarlier += to[s]! - (s === 0 ? low : Math.max(low, to[s - 1]!));
    }
    return true;
  }
}
