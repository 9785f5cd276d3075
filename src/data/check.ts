/**
 * The look at what comes from outside: the structure down to records (and data points) must be there, whole and of the right wire types; items are
 * counted on the way. Attributes and values are not looked into: whoever reads them checks them (cursor.ts).
 */
import type { Signal } from '#src/core/batch.ts';
import { PermanentError } from '#src/core/errors.ts';
import { asBuffer } from '#src/wire/bytes.ts';
import { LENGTH, LOG_TYPE, type MessageType, METRIC, pointTypeOf, SPAN_TYPE } from './message_types.ts';
import * as types from './message_types.ts';
import { after, readLength, skipField } from './scan.ts';

const { STEP_BAD, STEP_FIXED32, STEP_FIXED64, STEP_LENGTH, STEP_LONG, STEP_VARINT } = types;

/** Counts spans, data points or log records of one OTLP message; throws PermanentError where it is truncated, its lengths lie or wire types are wrong. */
export function checkAndCount(signal: Signal, bytes: Uint8Array): number {
  const buffer = asBuffer(bytes);
  return messages(buffer, 0, buffer.length, 1, signal, 0);
}
/** Data points of the metric [start, end). */
export function countPoints(bytes: Buffer, start: number, end: number): number {
  return messages(bytes, start, end, 0, 'metrics', 3, 0, false);
}
/** Items of the resource group (depth 1) or scope group (depth 2) [start, end). */
export function countItems(signal: Signal, bytes: Buffer, start: number, end: number, depth: 1 | 2): number {
  return messages(bytes, start, end, 2, signal, depth, 0, false);
}

const WHERE = ['the request', 'a resource', 'a scope', 'a metric', 'the data of a metric'];

/** Depth 0 request, 1 resource, 2 scope, 3 metric, 4 metric data: walks the children in field `wanted` and checks all others; the fields of records only where `check`. */
function messages(B: Buffer, start: number, end: number, wanted: number, signal: Signal, depth: number, kind = 0, check = true): number {
  let count = 0;
  let p = start;
  const childTag = (wanted << 3) | LENGTH;
  while (p < end) {
    const at = p;
    let t = B[p++]!;
    if (t > 127) {
      t = readLength(B, at, end);
      p = after;
    }
    const w = t & 7;
    if (w === 2) {
      let size = p < end ? B[p++]! : -1;
      if (size > 127 || size < 0) {
        size = readLength(B, size < 0 ? p : p - 1, end);
        p = after;
      }
      const next = p + size;
      if (next > end) throw bad(depth, at);
      if (depth === 3) {
        const field = t >>> 3;
        if (field === METRIC.gauge || field === METRIC.sum || field === METRIC.histogram || field === METRIC.exponentialHistogram || field === METRIC.summary)
          count += messages(B, p, next, 1, signal, 4, field, check);
      } else if (t === childTag) {
        if (depth === 2 && signal !== 'metrics') {
          if (check) record(B, p, next, signal === 'traces' ? SPAN_TYPE : LOG_TYPE);
          count++;
        } else if (depth === 4) {
          if (check) record(B, p, next, pointTypeOf(kind));
          count++;
        } else count += messages(B, p, next, depth === 2 ? 0 : 2, signal, depth + 1, 0, check);
      } else if (t < 8) throw bad(depth, at);
      p = next;
    } else {
      // Fields 1 and 2 down to the scope are messages; with another wire type they are nobody's.
      const field = t >>> 3;
      if (t < 8 || (depth === 0 ? field === 1 : depth < 3 ? field <= 2 : depth === 3 ? field < 13 && field !== 4 && field !== 6 && field !== 8 : field === 1))
        throw bad(depth, at);
      p = scalar(B, p, w, end);
      if (p < 0) throw bad(depth, at);
    }
  }
  return count;
}
function scalar(B: Buffer, at: number, wire: number, end: number): number {
  let p = at;
  if (wire === 0) {
    while (p < end && B[p]! > 127) p++;
    p++;
    if (p - at > 10) return -1;
  } else if (wire === 1) p += 8;
  else if (wire === 5) p += 4;
  else return -1;
  return p > end ? -1 : p;
}
/** The fields of a record: they must end where it ends, and the known ones be of their wire type. The loop makes no call (cursor_scan.ts says why). */
function record(B: Buffer, start: number, to: number, type: MessageType): void {
  const { steps } = type;
  const end = to | 0;
  let p = start | 0;
  while (p < end) {
    const at = p;
    const step = steps[B[p]!]!;
    p = (p + 1) | 0;
    if (step === STEP_LENGTH) {
      const size = B[p]! | 0; // 0 behind the last byte: p is then beyond the end.
      p = (p + 1 + size) | 0;
      if (size > 127) {
        const high = B[at + 2]! | 0;
        if (high > 127) {
          longRecord(B, start, end, type);
          return;
        }
        p = (at + 3 + (size & 127) + (high << 7)) | 0;
      }
    } else if (step === STEP_FIXED64) p = (p + 8) | 0;
    else if (step === STEP_VARINT) {
      while (B[p]! > 127) p = (p + 1) | 0;
      p = (p + 1) | 0;
      if (p - at > 11) throw badRecord(type, start);
    } else if (step === STEP_FIXED32) p = (p + 4) | 0;
    else if (step === STEP_LONG) {
      longRecord(B, start, end, type);
      return;
    } else throw badRecord(type, start);
  }
  if (p !== end) throw badRecord(type, start);
}
/** The same for a record with long tags or lengths. */
function longRecord(B: Buffer, start: number, end: number, type: MessageType): void {
  for (let p = start; p < end; ) {
    if (type.steps[B[p]!] === STEP_BAD) throw badRecord(type, start);
    p = skipField(B, p, end);
  }
}
function bad(depth: number, at: number): PermanentError {
  return new PermanentError(`malformed OTLP: a field in ${WHERE[depth]} is truncated or has a wrong wire type (offset ${at})`);
}
function badRecord(type: MessageType, at: number): PermanentError {
  return new PermanentError(`malformed OTLP: ${type.name} at offset ${at} is truncated or has a field of a wrong wire type`);
}
