/** The sums of all streams: takes the delta point under the cursor and makes it the cumulative one, or says why it is dropped. */
import { dataPoint, position } from '#src/data/contexts.ts';
import type { Cursor } from '#src/data/cursor.ts';
import { EXPONENTIAL_POINT, HISTOGRAM_POINT, METRIC, NUMBER_POINT } from '#src/data/message_types.ts';
import { skipField } from '#src/data/scan.ts';
import {
  type ExplicitHistogram,
  type ExponentialHistogram,
  readExponential,
  readHistogram,
  writeExponential,
  writeHistogram,
} from '#src/helper/streams/histogram_points.ts';
import { pointKey, StreamMap } from '#src/helper/streams/stream_keys.ts';
import { addExponential } from './exponential.ts';

/** Why a point is dropped, as the attribute `error` of the counter says it. */
export type Fault = 'limit' | 'delta.ErrOlderStart' | 'delta.ErrOutOfOrder';

interface NumberValue {
  /** Undefined where the first point was of the other type. */
  int: bigint | undefined;
  double: number | undefined;
}
interface Stream {
  startTime: bigint;
  time: bigint;
  seenMs: number;
  /** The exemplars of the point that the stream began with, and how many: as in the Collector they stay with it. */
  exemplars: Buffer;
  exemplarCount: number;
  number: NumberValue | null;
  histogram: ExplicitHistogram | null;
  exponential: ExponentialHistogram | null;
}

export class Accumulator {
  readonly #limit: number;
  readonly #streams = new StreamMap<Stream>();
  constructor(limit = Infinity) {
    this.#limit = limit;
  }
  get size(): number {
    return this.#streams.size;
  }
  /** Forgets the streams that were not seen since. */
  forget(beforeMs: number): void {
    this.#streams.forget((stream) => stream.seenMs < beforeMs);
  }
  /** The metric of the points that are taken next. */
  enter(metricKey: string): void {
    this.#streams.enter(metricKey);
  }

  /** Adds the point under the cursor to its stream and writes the sum into it. */
  take(nowMs: number): Fault | null {
    const key = pointKey(),
      startTime = dataPoint.fixed64(NUMBER_POINT.startTimeUnixNano), // All kinds of points have their times in the same fields.
      time = dataPoint.fixed64(NUMBER_POINT.timeUnixNano);
    const stream = this.#streams.get(key);
    if (stream === undefined) {
      if (this.#streams.size >= this.#limit) return 'limit';
      this.#streams.set(key, begin(startTime, time, nowMs));
      return null;
    }
    stream.seenMs = nowMs;
    if (stream.time === 0n) {
      this.#streams.set(key, begin(startTime, time, nowMs));
      return null;
    }
    if (startTime < stream.startTime) return 'delta.ErrOlderStart';
    if (time <= stream.time) return 'delta.ErrOutOfOrder';
    if (stream.number !== null) addNumber(stream.number);
    else if (stream.histogram !== null) {
      const point = readHistogram();
      if (!sameBounds(stream.histogram.bounds, point.bounds)) {
        this.#streams.set(key, begin(startTime, time, nowMs)); // There is no sum of the two: it begins again.
        return null;
      }
      addHistogram(stream.histogram, point);
      writeHistogram(stream.histogram);
    } else {
      const state = stream.exponential!,
        point = readExponential();
      addExponential(state, point);
      addTotals(state, point);
      writeExponential(state);
    }
    stream.time = time;
    if (startTime !== stream.startTime) dataPoint.setFixed64(NUMBER_POINT.startTimeUnixNano, stream.startTime);
    dataPoint.setMessages(exemplarField(), stream.exemplars, stream.exemplarCount);
    return null;
  }
}

function begin(startTime: bigint, time: bigint, nowMs: number): Stream {
  const kind = position.metricKind,
    field = exemplarField();
  return {
    startTime,
    time,
    seenMs: nowMs,
    exemplars: messagesOf(dataPoint, field),
    exemplarCount: dataPoint.count(field),
    number: kind === METRIC.sum ? readNumber() : null,
    histogram: kind === METRIC.histogram ? readHistogram() : null,
    exponential: kind === METRIC.exponentialHistogram ? readExponential() : null,
  };
}
function exemplarField(): number {
  switch (position.metricKind) {
    case METRIC.histogram:
      return HISTOGRAM_POINT.exemplars;
    case METRIC.exponentialHistogram:
      return EXPONENTIAL_POINT.exemplars;
    default:
      return NUMBER_POINT.exemplars;
  }
}
const NO_MESSAGES = Buffer.alloc(0);
/** The messages of a repeated field with their tags. */
function messagesOf(cursor: Cursor, field: number): Buffer {
  if (!cursor.has(field)) return NO_MESSAGES;
  const { bytes } = cursor.space,
    end = cursor.contentEnd(field),
    found: Uint8Array[] = [];
  for (let p = cursor.firstAt(field); p < end; ) {
    const next = skipField(bytes, p, end);
    if (bytes[p]! >> 3 === field) found.push(bytes.subarray(p, next));
    p = next;
  }
  return Buffer.concat(found);
}

function readNumber(): NumberValue {
  const isInt = dataPoint.has(NUMBER_POINT.asInt);
  return { int: isInt ? dataPoint.sfixed64(NUMBER_POINT.asInt) : undefined, double: isInt ? undefined : dataPoint.double(NUMBER_POINT.asDouble) };
}
/** A stream whose type changes goes on with the new one, from zero. */
function addNumber(state: NumberValue): void {
  if (dataPoint.has(NUMBER_POINT.asInt)) {
    state.int = BigInt.asIntN(64, (state.int ?? 0n) + dataPoint.sfixed64(NUMBER_POINT.asInt));
    state.double = undefined;
    dataPoint.setFixed64(NUMBER_POINT.asInt, state.int);
  } else {
    state.double = (state.double ?? 0) + dataPoint.double(NUMBER_POINT.asDouble);
    state.int = undefined;
    dataPoint.setDouble(NUMBER_POINT.asDouble, state.double);
  }
}

function sameBounds(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((bound, i) => bound === b[i]);
}
function addHistogram(state: ExplicitHistogram, point: ExplicitHistogram): void {
  for (let i = 0; i < Math.min(state.counts.length, point.counts.length); i++) state.counts[i] = BigInt.asUintN(64, state.counts[i]! + point.counts[i]!);
  addTotals(state, point);
}
/** What one of the two does not have, their sum has not either. */
function addTotals(state: ExplicitHistogram | ExponentialHistogram, point: ExplicitHistogram | ExponentialHistogram): void {
  state.count = BigInt.asUintN(64, state.count + point.count);
  state.sum = state.sum === undefined || point.sum === undefined ? undefined : state.sum + point.sum;
  state.min = state.min === undefined || point.min === undefined ? undefined : Math.min(state.min, point.min);
  state.max = state.max === undefined || point.max === undefined ? undefined : Math.max(state.max, point.max);
}
