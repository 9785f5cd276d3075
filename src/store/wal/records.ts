/**
 * The records of the log, as Prometheus writes them (box diagrams in ../docs/wal.md): encoding labels, and reading
 * records. Samples are encoded by the writer itself (writer.ts), because that is the hot path.
 */
import { CorruptError } from '#src/core/errors.ts';
import type { MetadataType } from '#src/store/appender.ts';
import { ByteReader, ByteWriter } from '#src/store/bytes.ts';
import type { HistogramSample } from '#src/store/chunk/histogram.ts';
import { readHistogram } from '#src/store/histogram_codec.ts';
import { findLabels, spans } from '#src/store/labels.ts';

export const RECORD_SERIES = 1;
export const RECORD_SAMPLES = 2;
export const RECORD_TOMBSTONES = 3;
export const RECORD_EXEMPLARS = 4;
export const RECORD_METADATA = 6;
export const RECORD_HISTOGRAMS = 7;
export const RECORD_FLOAT_HISTOGRAMS = 8;
export const RECORD_CUSTOM_HISTOGRAMS = 9;
export const RECORD_CUSTOM_FLOAT_HISTOGRAMS = 10;

export const METADATA_TYPES: readonly MetadataType[] = ['unknown', 'counter', 'gauge', 'histogram', 'gaugehistogram', 'summary', 'info', 'stateset'];

/** Appends the label set in bytes[start, end) as a record has it: count, then each string behind its length. */
export function putLabels(into: ByteWriter, bytes: Uint8Array, start: number, end: number): void {
  const count = findLabels(bytes, start, end);
  into.uvarint(count);
  into.reserve(end - start);
  for (let i = 0; i < 6 * count; i += 6) {
    for (let part = 0; part < 4; part += 2) {
      const from = spans[i + part]!;
      const to = spans[i + part + 1]!;
      into.uvarint(to - from);
      into.reserve(to - from);
      let size = into.size;
      for (let k = from; k < to; k++) into.bytes[size++] = bytes[k]!;
      into.size = size;
    }
  }
}

/** What a reader of the log does with what it finds. Views are valid during the call only. */
export interface RecordHandler {
  /** `labels[start, end)`: the label set as canonical Label messages. */
  series(ref: number, labels: Uint8Array, start: number, end: number): void;
  sample(ref: number, timeMs: number, low: number, high: number): void;
  histogram(ref: number, sample: HistogramSample): void;
  exemplar(ref: number, timeMs: number, value: number, labels: string[]): void;
  metadata(ref: number, type: MetadataType, unit: string, help: string): void;
  tombstone(ref: number, minTimeMs: number, maxTimeMs: number): void;
  /** A type that is not read: counted by the caller. */
  unknown(type: number): void;
}

/** The label set of a record as canonical Label messages, in a buffer that the next call overwrites. */
const encoded = new ByteWriter(1024);

function readSeriesLabels(reader: ByteReader): void {
  const bytes = reader.bytes;
  encoded.reset();
  for (let count = reader.uvarint(); count > 0; count--) {
    const nameSize = reader.uvarint();
    const name = reader.need(nameSize);
    const valueSize = reader.uvarint();
    const value = reader.need(valueSize);
    const size = 2 + varSize(nameSize) + nameSize + varSize(valueSize) + valueSize;
    encoded.reserve(size + 12);
    encoded.u8(10);
    encoded.uvarint(size);
    encoded.u8(10);
    encoded.uvarint(nameSize);
    encoded.raw(bytes, name, name + nameSize);
    encoded.u8(18);
    encoded.uvarint(valueSize);
    encoded.raw(bytes, value, value + valueSize);
  }
}
const varSize = (size: number): number => (size < 128 ? 1 : size < 16384 ? 2 : size < 2097152 ? 3 : 4);

/** Reads one record. Throws CorruptError where it ends early. */
export function readRecord(bytes: Uint8Array, from: number, to: number, handler: RecordHandler): void {
  const reader = new ByteReader(bytes, from, to);
  const type = reader.u8();
  if (type === RECORD_SAMPLES) readSamples(reader, handler);
  else if (type === RECORD_SERIES) {
    while (reader.pos < to) {
      const ref = reader.i64();
      readSeriesLabels(reader);
      handler.series(ref, encoded.bytes, 0, encoded.size);
    }
  } else if (type === RECORD_TOMBSTONES) {
    while (reader.pos < to) {
      const ref = reader.i64();
      const min = reader.varint();
      handler.tombstone(ref, min, reader.varint());
    }
  } else if (type === RECORD_EXEMPLARS) {
    if (reader.pos === to) return;
    const firstRef = reader.i64();
    const firstTime = reader.i64();
    while (reader.pos < to) {
      const ref = firstRef + reader.varint();
      const time = firstTime + reader.varint();
      const value = reader.f64();
      const labels: string[] = [];
      for (let count = reader.uvarint(); count > 0; count--) labels.push(reader.string(), reader.string());
      handler.exemplar(ref, time, value, labels);
    }
  } else if (type === RECORD_METADATA) {
    while (reader.pos < to) {
      const ref = reader.uvarint();
      const kind = METADATA_TYPES[reader.u8()] ?? 'unknown';
      let unit = '';
      let help = '';
      for (let count = reader.uvarint(); count > 0; count--) {
        const name = reader.string();
        const value = reader.string();
        if (name === 'UNIT') unit = value;
        else if (name === 'HELP') help = value;
      }
      handler.metadata(ref, kind, unit, help);
    }
  } else if (type >= RECORD_HISTOGRAMS && type <= RECORD_CUSTOM_FLOAT_HISTOGRAMS) {
    if (reader.pos === to) return;
    const firstRef = reader.i64();
    const firstTime = reader.i64();
    const integer = type === RECORD_HISTOGRAMS || type === RECORD_CUSTOM_HISTOGRAMS;
    while (reader.pos < to) {
      const ref = firstRef + reader.varint();
      const timeMs = firstTime + reader.varint();
      handler.histogram(ref, readHistogram(reader, timeMs, integer));
    }
  } else handler.unknown(type);
}

function readSamples(reader: ByteReader, handler: RecordHandler): void {
  const { bytes, view, end } = reader;
  if (reader.pos === end) return;
  const firstRef = reader.i64();
  const firstTime = reader.i64();
  let pos = reader.pos;
  while (pos < end) {
    // Both deltas are mostly one or two bytes.
    let byte = bytes[pos++]!;
    let delta = byte & 127;
    for (let scale = 128; byte > 127 && pos < end; scale *= 128) {
      byte = bytes[pos++]!;
      delta += (byte & 127) * scale;
    }
    const ref = firstRef + (delta % 2 === 0 ? delta / 2 : -(delta + 1) / 2);
    if (pos + 9 > end) throw new CorruptError(`record of samples ends within a sample`);
    byte = bytes[pos++]!;
    delta = byte & 127;
    for (let scale = 128; byte > 127 && pos < end; scale *= 128) {
      byte = bytes[pos++]!;
      delta += (byte & 127) * scale;
    }
    const time = firstTime + (delta % 2 === 0 ? delta / 2 : -(delta + 1) / 2);
    if (pos + 8 > end) throw new CorruptError(`record of samples ends within a sample`);
    handler.sample(ref, time, view.getInt32(pos + 4), view.getInt32(pos));
    pos += 8;
  }
}
