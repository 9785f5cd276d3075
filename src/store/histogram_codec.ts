/** Native histograms as they travel: the protobuf message of remote write, and the records 7 to 10 of the log. Checked here once, so that what is stored makes sense. */
import { PermanentError } from '#src/core/errors.ts';
import type { NativeHistogram } from '#src/core/series.ts';
import type { ByteReader, ByteWriter } from './bytes.ts';
import { CUSTOM_BUCKETS } from './chunk/histogram.ts';
import type { HistogramSample } from './chunk/histogram.ts';

const MOST_BUCKETS = 1 << 16;
const STALE_HIGH = 0x7ff00000;

function empty(): NativeHistogram {
  return {
    schema: 0,
    zeroThreshold: 0,
    zeroCount: 0,
    count: 0,
    sum: 0,
    counterResetHint: 0,
    positiveSpans: [],
    positiveBuckets: [],
    negativeSpans: [],
    negativeBuckets: [],
    customValues: [],
    integer: true,
  };
}

/** A length-delimited or single field of numbers, appended to `into`. */
function readNumbers(reader: ByteReader, wireType: number, into: number[], readOne: (reader: ByteReader) => number): void {
  if (wireType !== 2) into.push(readOne(reader));
  else {
    const end = reader.uvarint() + reader.pos;
    if (end > reader.end) throw new PermanentError('malformed histogram: numbers reach beyond it');
    while (reader.pos < end) into.push(readOne(reader));
  }
  if (into.length > MOST_BUCKETS) throw new PermanentError(`histogram has more than ${MOST_BUCKETS} buckets`);
}
const double = (reader: ByteReader): number => reader.view.getFloat64(reader.need(8), true);
const zigzag = (reader: ByteReader): number => reader.varint();

function readSpan(reader: ByteReader): { offset: number; length: number } {
  const end = reader.uvarint() + reader.pos;
  const span = { offset: 0, length: 0 };
  while (reader.pos < end) {
    const tag = reader.uvarint();
    if (tag === 8) span.offset = reader.varint();
    else if (tag === 16) span.length = reader.uvarint();
    else throw new PermanentError('malformed histogram: span');
  }
  return span;
}

/** The message Histogram of remote write 1.0 and 2.0 in [reader.pos, reader.end). Throws PermanentError where it is not a valid histogram. */
export function readHistogramMessage(reader: ByteReader): HistogramSample {
  const histogram = empty();
  const sample: HistogramSample = { timeMs: 0, sumLow: 0, sumHigh: 0, histogram };
  const deltas = { positive: [] as number[], negative: [] as number[] };
  while (reader.pos < reader.end) {
    const tag = reader.uvarint();
    const wireType = tag & 7;
    const field = tag >> 3;
    if (field === 1) histogram.count = reader.uvarint();
    else if (field === 2) {
      histogram.count = double(reader);
      histogram.integer = false;
    } else if (field === 3) {
      const at = reader.need(8);
      sample.sumLow = reader.view.getInt32(at, true);
      sample.sumHigh = reader.view.getInt32(at + 4, true);
      histogram.sum = reader.view.getFloat64(at, true);
    } else if (field === 4) histogram.schema = reader.varint();
    else if (field === 5) histogram.zeroThreshold = double(reader);
    else if (field === 6) histogram.zeroCount = reader.uvarint();
    else if (field === 7) histogram.zeroCount = double(reader);
    else if (field === 8) histogram.negativeSpans.push(readSpan(reader));
    else if (field === 9) readNumbers(reader, wireType, deltas.negative, zigzag);
    else if (field === 10) readNumbers(reader, wireType, histogram.negativeBuckets, double);
    else if (field === 11) histogram.positiveSpans.push(readSpan(reader));
    else if (field === 12) readNumbers(reader, wireType, deltas.positive, zigzag);
    else if (field === 13) readNumbers(reader, wireType, histogram.positiveBuckets, double);
    else if (field === 14) histogram.counterResetHint = reader.uvarint() & 3;
    else if (field === 15) {
      const time = reader.uvarint();
      sample.timeMs = time >= 2 ** 63 ? time - 2 ** 64 : time;
    } else if (field === 16) readNumbers(reader, wireType, histogram.customValues, double);
    else if (wireType === 0) reader.uvarint();
    else if (wireType === 2) reader.need(reader.uvarint());
    else throw new PermanentError(`malformed histogram: field ${field}`);
  }
  if (histogram.integer) {
    histogram.positiveBuckets = accumulate(deltas.positive);
    histogram.negativeBuckets = accumulate(deltas.negative);
  }
  check(sample);
  return sample;
}

function accumulate(deltas: readonly number[]): number[] {
  let count = 0;
  return deltas.map((delta) => (count += delta));
}

/** The rules of Prometheus, with its words. */
function check({ histogram: h, sumLow, sumHigh }: HistogramSample): void {
  if (sumLow === 2 && sumHigh === STALE_HIGH) return;
  if (h.schema !== CUSTOM_BUCKETS && (h.schema < -4 || h.schema > 8))
    throw new PermanentError(`invalid histogram schema ${h.schema}: must be between -4 and 8, or -53`);
  const length = (spans: readonly { length: number }[]): number => spans.reduce((sum, span) => sum + span.length, 0);
  if (length(h.positiveSpans) !== h.positiveBuckets.length || length(h.negativeSpans) !== h.negativeBuckets.length) {
    throw new PermanentError(
      `histogram spans need ${length(h.positiveSpans)} and ${length(h.negativeSpans)} buckets, have ${h.positiveBuckets.length} and ${h.negativeBuckets.length}`,
    );
  }
  for (const spans of [h.positiveSpans, h.negativeSpans]) {
    for (let i = 1; i < spans.length; i++)
      if (spans[i]!.offset < 0) throw new PermanentError(`histogram span number ${i + 1} has a negative offset of ${spans[i]!.offset}`);
  }
  if ([...h.positiveBuckets, ...h.negativeBuckets].some((count) => count < 0))
    throw new PermanentError('histogram has a bucket whose observation count is negative');
  const total = h.zeroCount + [...h.positiveBuckets, ...h.negativeBuckets].reduce((sum, count) => sum + count, 0);
  if (h.integer && !Number.isNaN(h.sum) && total !== h.count)
    throw new PermanentError(`histogram's observation count should equal the number of observations found in the buckets: ${total} != ${h.count}`);
  if (h.schema === CUSTOM_BUCKETS && (h.zeroCount !== 0 || h.negativeBuckets.length > 0))
    throw new PermanentError('histogram with custom buckets has zero or negative buckets');
  for (let i = 1; i < h.customValues.length; i++)
    if (!(h.customValues[i]! > h.customValues[i - 1]!)) throw new PermanentError('histogram custom bounds must be in order');
}

/** Appends the body that a log record has for each histogram, behind ref and time. */
export function putHistogram(into: ByteWriter, { sumLow, sumHigh, histogram: h }: HistogramSample): void {
  into.u8(h.counterResetHint);
  into.varint(h.schema);
  into.f64(h.zeroThreshold);
  const putCount = (count: number): void => (h.integer ? into.uvarint(count) : into.f64(count));
  putCount(h.zeroCount);
  putCount(h.count);
  into.u32(sumHigh >>> 0);
  into.u32(sumLow >>> 0);
  for (const spans of [h.positiveSpans, h.negativeSpans]) {
    into.uvarint(spans.length);
    for (const { offset, length } of spans) {
      into.varint(offset);
      into.uvarint(length);
    }
  }
  for (const buckets of [h.positiveBuckets, h.negativeBuckets]) {
    into.uvarint(buckets.length);
    for (let i = 0; i < buckets.length; i++) {
      if (h.integer) into.varint(buckets[i]! - (i === 0 ? 0 : buckets[i - 1]!));
      else into.f64(buckets[i]!);
    }
  }
  if (h.schema === CUSTOM_BUCKETS) {
    into.uvarint(h.customValues.length);
    for (const bound of h.customValues) into.f64(bound);
  }
}

/** Reads what putHistogram() wrote. */
export function readHistogram(reader: ByteReader, timeMs: number, integer: boolean): HistogramSample {
  const h = empty();
  h.integer = integer;
  h.counterResetHint = reader.u8() & 3;
  h.schema = reader.varint();
  h.zeroThreshold = reader.f64();
  h.zeroCount = integer ? reader.uvarint() : reader.f64();
  h.count = integer ? reader.uvarint() : reader.f64();
  const at = reader.need(8);
  h.sum = reader.view.getFloat64(at);
  for (const spans of [h.positiveSpans, h.negativeSpans])
    for (let n = reader.uvarint(); n > 0; n--) spans.push({ offset: reader.varint(), length: reader.uvarint() });
  for (const buckets of [h.positiveBuckets, h.negativeBuckets]) {
    for (let n = reader.uvarint(), count = 0; n > 0; n--) buckets.push(integer ? (count += reader.varint()) : reader.f64());
  }
  if (h.schema === CUSTOM_BUCKETS) for (let n = reader.uvarint(); n > 0; n--) h.customValues.push(reader.f64());
  return { timeMs, sumLow: reader.view.getInt32(at + 4), sumHigh: reader.view.getInt32(at), histogram: h };
}
