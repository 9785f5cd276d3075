/**
 * rate(), increase() and delta() of floats for all steps of a series at once. What depends on timestamps alone (how far the ends of the
 * range are, the factor of extrapolation) is computed once for all series with the same timestamps. The order of additions is upstream's.
 */
import { FLOAT, type Matrix, type Timeline } from './matrix.ts';
import type { Samples } from './samples.ts';
import { rangeEnd, type RangeShape, type Windows } from './windows.ts';

export type RateKind = 'rate' | 'increase' | 'delta';

export class FloatRate {
  readonly #windows: Windows;
  readonly #shape: RangeShape;
  readonly #timeline: Timeline;
  readonly #counter: boolean;
  /** Seconds to divide by: 1 where it is not a rate. */
  readonly #perSeconds: number;
  // By step, as the prepared windows have it. An interval of 0 marks a range with fewer than two samples.
  readonly #interval: Float64Array;
  readonly #toStart: Float64Array;
  readonly #toEnd: Float64Array;
  readonly #factor: Float64Array;
  #resets = new Int32Array(256);

  constructor(kind: RateKind, windows: Windows, shape: RangeShape, timeline: Timeline) {
    this.#windows = windows;
    this.#shape = shape;
    this.#timeline = timeline;
    this.#counter = kind !== 'delta';
    this.#perSeconds = kind === 'rate' ? shape.rangeMs / 1000 : 1;
    this.#interval = new Float64Array(timeline.steps);
    this.#toStart = new Float64Array(timeline.steps);
    this.#toEnd = new Float64Array(timeline.steps);
    this.#factor = new Float64Array(timeline.steps);
  }

  /** After the windows changed. */
  prepare(times: Float64Array): void {
    const { from, to } = this.#windows;
    for (let s = 0; s < from.length; s++) {
      const first = from[s]!;
      const last = to[s]! - 1;
      this.#interval[s] = 0;
      if (last <= first) continue;
      const end = rangeEnd(this.#shape, this.#timeline, s);
      const interval = (times[last]! - times[first]!) / 1000;
      const average = interval / (last - first);
      const threshold = average * 1.1;
      let toStart = (times[first]! - (end - this.#shape.rangeMs)) / 1000;
      let toEnd = (end - times[last]!) / 1000;
      // Further away than a sample would be late: the series begins or ends inside the range, half a sample beyond what is seen.
      if (toStart >= threshold) toStart = average / 2;
      if (toEnd >= threshold) toEnd = average / 2;
      this.#interval[s] = interval;
      this.#toStart[s] = toStart;
      this.#toEnd[s] = toEnd;
      this.#factor[s] = (interval + toStart + toEnd) / interval / this.#perSeconds;
    }
  }

  /** Writes one row; returns how many steps have a value. */
  apply(samples: Samples, out: Matrix, row: number): number {
    const { values, floatCount } = samples;
    const { from, to } = this.#windows;
    const interval = this.#interval;
    const toStart = this.#toStart;
    const toEnd = this.#toEnd;
    const factors = this.#factor;
    const counter = this.#counter;
    const perSeconds = this.#perSeconds;
    const steps = out.steps;
    const result = out.values;
    const present = out.present;
    const resets = counter ? this.#countResets(values, floatCount) : 0;
    const resetsUpTo = this.#resets;
    let found = 0;
    for (let s = 0, at = row * steps; s < steps; s++, at++) {
      const seconds = interval[s]!;
      if (seconds === 0) continue;
      const a = from[s]!;
      const b = to[s]! - 1;
      const first = values[a]!;
      let rise = values[b]! - first;
      let factor = factors[s]!;
      if (counter) {
        if (resets !== 0 && resetsUpTo[a] !== resetsUpTo[b]) {
          for (let i = a + 1; i <= b; i++) if (values[i]! < values[i - 1]!) rise += values[i - 1]!;
        }
        // A counter is not extrapolated to below zero. The comparison without division first: it is seldom close.
        if (rise > 0 && first >= 0 && !(first * seconds > toStart[s]! * rise * 1.000001)) {
          const toZero = seconds * (first / rise);
          if (toZero < toStart[s]!) factor = (seconds + toZero + toEnd[s]!) / seconds / perSeconds;
        }
      }
      result[at] = rise * factor;
      present[at] = FLOAT;
      found++;
    }
    return found;
  }

  /** How many resets there are; #resets gets how many up to each sample. */
  #countResets(values: Float64Array, count: number): number {
    if (this.#resets.length < count) this.#resets = new Int32Array(count * 2);
    const upTo = this.#resets;
    let resets = 0;
    upTo[0] = 0;
    for (let i = 1; i < count; i++) {
      if (values[i]! < values[i - 1]!) resets++;
      upTo[i] = resets;
    }
    return resets;
  }
}
