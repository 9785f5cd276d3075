/**
 * Bytes of remote write requests, versions 1 (prometheus.WriteRequest) and 2 (io.prometheus.write.v2.Request). Both have a TimeSeries with its
 * samples, histograms and exemplars under different numbers; version 2 has the texts of labels in a table of symbols, one for each request.
 * https://prometheus.io/docs/specs/prw/remote_write_spec_2_0/
 */
import type { FamilyType } from '#src/helper/prometheus/translate.ts';
import { utf8Size, varintSize } from '#src/wire/bytes.ts';
import { type ProtoWriter, WIRE_BYTES } from '#src/wire/proto_writer.ts';

export type Version = 1 | 2;
/** The numbers of enum MetricType, which both versions share. */
const TYPES: Readonly<Record<FamilyType, number>> = { unknown: 0, counter: 1, gauge: 2, histogram: 3, summary: 5, info: 6, stateset: 7 };

export const SERIES_FIELD: Readonly<Record<Version, number>> = { 1: 1, 2: 5 };
export const HISTOGRAMS_FIELD: Readonly<Record<Version, number>> = { 1: 4, 2: 3 };
export const EXEMPLARS_FIELD: Readonly<Record<Version, number>> = { 1: 3, 2: 4 };
const METADATA_FIELD = 3;
const SYMBOLS_FIELD = 4;

/** Fields of one sample: value 9, its tag; then the time. */
const SAMPLE_TAG = 0x12;
const VALUE_TAG = 0x09;
const TIME_TAG = 0x10;
const TWO_TO_32 = 4294967296;

/** Appends `12 len 09 value 10 time`: Sample has the same numbers in both versions. */
export function writeSample(writer: ProtoWriter, timeMs: number, valueLow: number, valueHigh: number): void {
  writer.reserve(24);
  const start = writer.length + 2;
  const { buffer } = writer;
  buffer[start] = VALUE_TAG;
  buffer[start + 1] = valueLow;
  buffer[start + 2] = valueLow >>> 8;
  buffer[start + 3] = valueLow >>> 16;
  buffer[start + 4] = valueLow >>> 24;
  buffer[start + 5] = valueHigh;
  buffer[start + 6] = valueHigh >>> 8;
  buffer[start + 7] = valueHigh >>> 16;
  buffer[start + 8] = valueHigh >>> 24;
  buffer[start + 9] = TIME_TAG;
  let p = start + 10,
    low = timeMs % TWO_TO_32,
    high = Math.floor(timeMs / TWO_TO_32); // Never negative: OTLP's times are unsigned.
  while (high > 0) {
    buffer[p++] = (low & 127) | 128;
    low = (low >>> 7) + (high % 128) * 33554432;
    high = Math.floor(high / 128);
  }
  for (; low > 127; low = Math.floor(low / 128)) buffer[p++] = (low % 128) | 128;
  buffer[p++] = low;
  buffer[start - 2] = SAMPLE_TAG;
  buffer[start - 1] = p - start;
  writer.length = p;
}

/** MetricMetadata of version 1, as a field of the request. */
export function writeMetadata(writer: ProtoWriter, name: string, type: FamilyType, help: string, unit: string): void {
  const mark = writer.open(METADATA_FIELD);
  if (TYPES[type] !== 0) writer.int(1, TYPES[type]);
  writer.text(2, name);
  if (help !== '') writer.text(4, help);
  if (unit !== '') writer.text(5, unit);
  writer.close(mark);
}

/** Metadata of a TimeSeries of version 2; `help` and `unit` are numbers of symbols. */
export function writeSeriesMetadata(writer: ProtoWriter, type: FamilyType, help: number, unit: number): void {
  const mark = writer.open(5);
  if (TYPES[type] !== 0) writer.int(1, TYPES[type]);
  if (help !== 0) writer.int(3, help);
  if (unit !== 0) writer.int(4, unit);
  writer.close(mark);
}

/** The table of one request: the empty text is number 0. */
export class SymbolTable {
  readonly #numbers = new Map<string, number>([['', 0]]);
  /** What the table takes in the request. */
  sizeBytes = 2;

  number(text: string): number {
    let number = this.#numbers.get(text);
    if (number === undefined) {
      number = this.#numbers.size;
      this.#numbers.set(text, number);
      const size = utf8Size(text);
      this.sizeBytes += 1 + varintSize(size) + size;
    }
    return number;
  }
  reset(): void {
    this.#numbers.clear();
    this.#numbers.set('', 0);
    this.sizeBytes = 2;
  }
  get count(): number {
    return this.#numbers.size;
  }
  /** The first `count` of them. */
  write(writer: ProtoWriter, count: number): void {
    for (const [text, number] of this.#numbers) if (number < count) writer.text(SYMBOLS_FIELD, text);
  }
}

let numbers = new Int32Array(64);

/** A packed field of the numbers of these texts. */
export function writeRefs(writer: ProtoWriter, texts: readonly string[], symbols: SymbolTable): void {
  if (texts.length > numbers.length) numbers = new Int32Array(texts.length * 2);
  let size = 0;
  for (let i = 0; i < texts.length; i++) {
    const number = symbols.number(texts[i]!);
    numbers[i] = number;
    size += varintSize(number);
  }
  writer.tag(1, WIRE_BYTES);
  writer.varint(size);
  for (let i = 0; i < texts.length; i++) writer.varint(numbers[i]!);
}
