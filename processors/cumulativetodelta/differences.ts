/** The last points of all streams: takes the cumulative point under the cursor and makes it the difference to the one before, or says why it is dropped. */
import { dataPoint, position } from '#src/data/contexts.ts';
import { hasNoRecordedValue } from '#src/data/data_point.ts';
import { HISTOGRAM_POINT, METRIC, NUMBER_POINT } from '#src/data/message_types.ts';
import {
  type ExplicitHistogram,
  type ExponentialHistogram,
  readExponential,
  readHistogram,
  writeExponential,
  writeHistogram,
} from '#src/helper/streams/histogram_points.ts';
import { pointKey, StreamMap } from '#src/helper/streams/stream_keys.ts';
import { exponentialDifference, isReset } from './exponential.ts';

/** What became of a point: of those with a reason the point is dropped, and the counter has it. */
export type Outcome = 'converted' | 'kept' | 'no value' | 'initial' | 'reset' | 'bucket_mismatch';
export type InitialValue = 'auto' | 'keep' | 'drop';

interface Stream {
  readonly time: bigint;
  readonly int: bigint;
  readonly double: number;
  readonly histogram: ExplicitHistogram | null;
  readonly exponential: ExponentialHistogram | null;
}

export class Differences {
  readonly #initial: InitialValue;
  readonly #startedAt: bigint;
  readonly #streams = new StreamMap<Stream>();
  /** `startedAt`: nanoseconds; streams that began before bring no first point, with `auto`. */
  constructor(initial: InitialValue, startedAt: bigint) {
    this.#initial = initial;
    this.#startedAt = startedAt;
  }
  /** Forgets the streams whose last point is older. */
  forget(beforeUnixNano: bigint): void {
    this.#streams.forget((stream) => stream.time < beforeUnixNano);
  }
  /** The metric of the points that are taken next. */
  enter(metricKey: string): void {
    this.#streams.enter(metricKey);
  }

  take(): Outcome {
    const isSum = position.metricKind === METRIC.sum;
    if (hasNoRecordedValue(dataPoint, position.metricKind)) return 'no value';
    const isInt = isSum && dataPoint.has(NUMBER_POINT.asInt),
      point = readPoint(isSum, isInt);
    if (Number.isNaN(point.double)) return 'kept';
    // All kinds of points have their times in the same fields.
    const startTime = dataPoint.fixed64(NUMBER_POINT.startTimeUnixNano),
      // Streams are told apart also by when they began and by the type of their values.
      key = `${pointKey()}\n${isInt ? 'i' : 'd'}${dataPoint.high(NUMBER_POINT.startTimeUnixNano)}:${dataPoint.low(NUMBER_POINT.startTimeUnixNano)}`;
    const before = this.#streams.get(key);
    // A reset of an exponential histogram is not remembered, as in the Collector: what really began again has another start time and so another key.
    if (before?.exponential && isReset(before.exponential, point.exponential!)) return 'reset';
    this.#streams.set(key, point);
    return before === undefined ? this.#first(point, startTime) : difference(before, point, isInt);
  }

  /** Nothing to subtract: it goes as it is or not at all. */
  #first(point: Stream, startTime: bigint): Outcome {
    if (this.#initial === 'drop') return 'initial';
    if (this.#initial === 'auto' && (startTime < this.#startedAt || point.time === startTime)) return 'initial';
    if (this.#initial === 'keep') setStartTime(0n);
    if (point.histogram !== null) write(point.histogram);
    if (point.exponential !== null) write(point.exponential);
    return 'converted';
  }
}

function readPoint(isSum: boolean, isInt: boolean): Stream {
  return {
    time: dataPoint.fixed64(NUMBER_POINT.timeUnixNano),
    int: isInt ? dataPoint.sfixed64(NUMBER_POINT.asInt) : 0n,
    double: isSum && !isInt ? dataPoint.double(NUMBER_POINT.asDouble) : 0,
    histogram: position.metricKind === METRIC.histogram ? readHistogram() : null,
    exponential: position.metricKind === METRIC.exponentialHistogram ? readExponential() : null,
  };
}

function difference(before: Stream, point: Stream, isInt: boolean): Outcome {
  if (point.histogram !== null) {
    const from = before.histogram!,
      to = point.histogram;
    if (!sameBuckets(from, to)) return 'bucket_mismatch';
    if (Number.isNaN(to.sum)) to.sum = from.sum;
    write(to.count < from.count ? to : subtract(from, to)); // What began again brings all it has.
  } else if (point.exponential !== null) write(exponentialDifference(before.exponential!, point.exponential));
  else if (isInt) {
    if (point.int < before.int) return 'reset';
    dataPoint.setFixed64(NUMBER_POINT.asInt, point.int - before.int);
  } else {
    if (point.double < before.double) return 'reset';
    dataPoint.setDouble(NUMBER_POINT.asDouble, point.double - before.double);
  }
  setStartTime(before.time);
  return 'converted';
}

function sameBuckets(a: ExplicitHistogram, b: ExplicitHistogram): boolean {
  return a.counts.length === b.counts.length && a.bounds.length === b.bounds.length && a.bounds.every((bound, i) => bound === b.bounds[i]);
}
function subtract(from: ExplicitHistogram, to: ExplicitHistogram): ExplicitHistogram {
  return {
    ...to,
    count: to.count - from.count,
    sum: (to.sum ?? 0) - (from.sum ?? 0),
    counts: to.counts.map((count, i) => BigInt.asUintN(64, count - from.counts[i]!)),
  };
}

function setStartTime(unixNano: bigint): void {
  if (unixNano !== dataPoint.fixed64(NUMBER_POINT.startTimeUnixNano)) dataPoint.setFixed64(NUMBER_POINT.startTimeUnixNano, unixNano);
}
/** Least and greatest value of the time between cannot be known; a sum that is missing or NaN stays as it came. */
function write(value: ExplicitHistogram | ExponentialHistogram): void {
  // Both kinds have it in field 5.
  const given = dataPoint.has(HISTOGRAM_POINT.sum) ? dataPoint.double(HISTOGRAM_POINT.sum) : undefined,
    sum = given === undefined || Number.isNaN(given) ? given : value.sum;
  if ('scale' in value) writeExponential({ ...value, sum, min: undefined, max: undefined });
  else writeHistogram({ ...value, sum, min: undefined, max: undefined });
}
