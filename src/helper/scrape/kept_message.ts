/**
 * The message of the last scrape, and the patch: where only numbers changed they are written into it. Value and times of a point are at fixed distances:
 * "... 19 time(8) 21 value(8) attributes"; what else there is to do stands in a list of operations.
 */
import { putCount, putSeconds, putTime, putValue } from './bits.ts';

/** What the patch has to do beyond plain values: operations of one header each in an Int32Array. */
export const HISTOGRAM_OP = 0; // [op, timeAt, count sample, countAt, total sample, totalAt, bucketsAt, number of bounds, sample of each bound ...]
export const SUMMARY_OP = 1; // the same, with quantile values at bucketsAt, 20 bytes apart
export const START_OP = 2; // [op, startAt, created sample]
export const EXEMPLAR_OP = 3; // [op, timeAt, sample]

/** The kept message and where to write. */
export interface Message {
  readonly bytes: Buffer<ArrayBuffer>;
  readonly view: DataView;
  readonly pointCount: number;
  /** Offset of the value of each sample that is a point by itself, or -1. Its time is 9 bytes before. */
  readonly valueAt: Int32Array;
  readonly operations: Int32Array;
  /** Whether patchMessage() covers all of it. */
  readonly patchable: boolean;
  /** Stands for what a patch leaves as it is (BatchOrigin.layout); null where there are exemplars, which are read again each time. */
  readonly layout: object | null;
  /** Somebody reads the bytes: they must not be patched now. */
  lent: boolean;
}

/** Values by sample; `times` is null where no line has a timestamp, else NaN is "none". */
export interface SampleValues {
  readonly values: Float64Array;
  readonly times: Float64Array | null;
  readonly defaultTimeMs: number;
}

const F64 = new Float64Array(1);
const F64_VIEW = new DataView(F64.buffer);

/**
 * Writes new numbers into the kept message. False where they need another layout (a start time that came or went, times that differ within a
 * histogram); what was written until then does not matter, the message is made anew.
 */
export function patchMessage(message: Message, samples: SampleValues, sampleCount: number): boolean {
  const { valueAt, view } = message;
  const { values, times, defaultTimeMs } = samples;
  putTime(F64_VIEW, 0, defaultTimeMs);
  const now = F64[0]!; // The bits of a time are those of a small double, never of a NaN.
  for (let k = 0; k < sampleCount; k++) {
    const at = valueAt[k]!;
    if (at < 0) continue;
    const value = values[k]!;
    if (Number.isNaN(value)) putValue(view, at, value);
    else view.setFloat64(at, value, true);
    if (times === null) view.setFloat64(at - 9, now, true);
    else {
      const time = times[k]!;
      if (Number.isNaN(time)) view.setFloat64(at - 9, now, true);
      else putTime(view, at - 9, time);
    }
  }
  return message.operations.length === 0 || runOperations(message, samples);
}

function runOperations(message: Message, samples: SampleValues): boolean {
  const { operations, view } = message;
  const { values, times, defaultTimeMs } = samples;
  for (let i = 0; i < operations.length; ) {
    const op = operations[i]!;
    if (op === START_OP) {
      const seconds = values[operations[i + 2]!]!;
      if (seconds === 0 || Number.isNaN(seconds)) return false;
      putSeconds(view, operations[i + 1]!, seconds);
      i += 3;
      continue;
    }
    const sample = operations[i + 2]!;
    const own = times === null ? Number.NaN : times[sample]!;
    putTime(view, operations[i + 1]!, Number.isNaN(own) ? defaultTimeMs : own);
    if (op === EXEMPLAR_OP) {
      i += 3;
      continue;
    }
    if (times !== null && !haveSameTime(operations, i, times)) return false;
    runCompound(operations, i, view, values);
    i += 8 + operations[i + 7]!;
  }
  return true;
}

function haveSameTime(operations: Int32Array, at: number, times: Float64Array): boolean {
  const time = times[operations[at + 2]!]!;
  const total = operations[at + 4]!;
  if (total >= 0 && !Object.is(times[total], time)) return false;
  for (let i = 0; i < operations[at + 7]!; i++) if (!Object.is(times[operations[at + 8 + i]!], time)) return false;
  return true;
}

/** Count, sum and buckets of a histogram, or quantiles of a summary: the operation at `at`. */
export function runCompound(operations: Int32Array, at: number, view: DataView, values: Float64Array): void {
  const count = values[operations[at + 2]!]!;
  putCount(view, operations[at + 3]!, count);
  if (operations[at + 4]! >= 0) putValue(view, operations[at + 5]!, values[operations[at + 4]!]!);
  const bucketsAt = operations[at + 6]!;
  const bounds = operations[at + 7]!;
  if (operations[at] === SUMMARY_OP) {
    for (let i = 0; i < bounds; i++) putValue(view, bucketsAt + 20 * i + 12, values[operations[at + 8 + i]!]!);
    return;
  }
  let before = 0;
  for (let i = 0; i < bounds; i++) {
    const cumulative = values[operations[at + 8 + i]!]!;
    putCount(view, bucketsAt + 8 * i, cumulative - before);
    before = cumulative;
  }
  putCount(view, bucketsAt + 8 * bounds, count - before);
}
