/**
 * Label sets as bytes (the encoding of remote write, see appender.ts) and as lists of strings. Canonical bytes are sorted by name, have no
 * name twice and no empty value, and lead with one length byte or varint each: equal label sets have equal bytes, so they can be hashed and
 * compared whole. Everything here bounds-checks; the fast path never comes here, because it compares with bytes that were checked once.
 */
import { isUtf8 } from 'node:buffer';
import type { LabelList } from '#src/core/series.ts';
import { PermanentError } from '#src/core/errors.ts';
import { compareText, utf8Text } from './bytes.ts';

/** Most labels of one series that can be read at all; tenants have lower limits. */
export const MAX_LABELS = 1024;
/** Most bytes of one label set. */
export const MAX_LABEL_SET_BYTES = 1 << 18;

/** Six words for each label: name from, to, value from, to, whole field from, to. One buffer for all: valid until the next findLabels(). */
export const spans = new Int32Array(6 * MAX_LABELS);

function lengthAt(bytes: Uint8Array, pos: number, end: number): number {
  let value = 0;
  for (let shift = 0; shift < 35 && pos < end; shift += 7) {
    const byte = bytes[pos++]!;
    value += (byte & 127) * 2 ** shift;
    if (byte < 128) {
      afterLength = pos;
      return value;
    }
  }
  return -1;
}
let afterLength = 0;

/** Where the labels of bytes[start, end) are, into `spans`. Returns how many; -1 where the bytes are not labels or too many. */
export function findLabels(bytes: Uint8Array, start: number, end: number): number {
  let pos = start;
  let i = 0;
  while (pos < end) {
    if (i === spans.length || bytes[pos] !== 10) return -1;
    spans[i + 4] = pos;
    const size = lengthAt(bytes, pos + 1, end);
    if (size < 0) return -1;
    pos = afterLength;
    const stop = pos + size;
    if (stop > end) return -1;
    spans[i] = spans[i + 1] = spans[i + 2] = spans[i + 3] = 0;
    while (pos < stop) {
      const tag = bytes[pos]!;
      if (tag !== 10 && tag !== 18) return -1;
      const length = lengthAt(bytes, pos + 1, stop);
      if (length < 0 || afterLength + length > stop) return -1;
      const at = tag === 10 ? i : i + 2;
      spans[at] = afterLength;
      pos = spans[at + 1] = afterLength + length;
    }
    spans[i + 5] = stop;
    i += 6;
  }
  return i / 6;
}

/** Whether the `count` labels in `spans` are canonical: sorted, no name twice, no empty name or value, written with name before value. */
export function isCanonical(bytes: Uint8Array, count: number): boolean {
  for (let i = 0; i < 6 * count; i += 6) {
    const nameSize = spans[i + 1]! - spans[i]!;
    const valueSize = spans[i + 3]! - spans[i + 2]!;
    if (nameSize === 0 || valueSize === 0) return false;
    const plain = 2 + nameSize + valueSize + lengthSize(nameSize) + lengthSize(valueSize);
    if (spans[i]! > spans[i + 2]! || spans[i + 5]! - spans[i + 4]! !== 1 + lengthSize(plain) + plain) return false;
    if (i > 0 && compareRanges(bytes, spans[i - 6]!, spans[i - 5]!, bytes, spans[i]!, spans[i + 1]!) >= 0) return false;
  }
  return true;
}
const lengthSize = (size: number): number => (size < 128 ? 1 : size < 16384 ? 2 : size < 2097152 ? 3 : 4);

function compareRanges(a: Uint8Array, i: number, aEnd: number, b: Uint8Array, j: number, bEnd: number): number {
  while (i < aEnd && j < bEnd) {
    const difference = a[i++]! - b[j++]!;
    if (difference !== 0) return difference;
  }
  return aEnd - i - (bEnd - j);
}

/** Canonical bytes of [name, value, ...], which must be sorted. */
export function encodeLabels(labels: LabelList): Uint8Array {
  const parts: number[] = [];
  const push = (size: number): void => {
    for (; size > 127; size = Math.floor(size / 128)) parts.push((size % 128) | 128);
    parts.push(size);
  };
  for (let i = 0; i < labels.length; i += 2) {
    const name = Buffer.from(labels[i]!);
    const value = Buffer.from(labels[i + 1]!);
    parts.push(10);
    push(2 + name.length + value.length + lengthSize(name.length) + lengthSize(value.length));
    parts.push(10);
    push(name.length);
    for (const byte of name) parts.push(byte);
    parts.push(18);
    push(value.length);
    for (const byte of value) parts.push(byte);
  }
  return Uint8Array.from(parts);
}

/** Labels of bytes[start, end) as strings, in the order they stand in. Throws PermanentError on malformed bytes. */
export function decodeLabels(bytes: Uint8Array, start: number, end: number): string[] {
  const count = findLabels(bytes, start, end);
  if (count < 0) throw new PermanentError('labels are not a list of Label messages');
  const list: string[] = [];
  for (let i = 0; i < 6 * count; i += 6) {
    list.push(utf8Text(bytes, spans[i]!, spans[i + 1]!), utf8Text(bytes, spans[i + 2]!, spans[i + 3]!));
  }
  return list;
}

/**
 * Canonical bytes of labels in any order, empty values dropped. Throws PermanentError where they cannot be stored: a name twice, an empty
 * name, no metric name, not UTF-8. The messages are Prometheus's and Cortex's, which senders know.
 */
export function canonicalLabels(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const list = decodeLabels(bytes, start, end);
  const pairs: [string, string][] = [];
  for (let i = 0; i < list.length; i += 2) if (list[i + 1] !== '') pairs.push([list[i]!, list[i + 1]!]);
  pairs.sort((a, b) => compareText(a[0], b[0]));
  for (let i = 1; i < pairs.length; i++) {
    if (pairs[i]![0] === pairs[i - 1]![0]) throw new PermanentError(`duplicate label name: ${JSON.stringify(pairs[i]![0])} in ${labelText(pairs.flat())}`);
  }
  if (pairs[0]?.[0] === '') throw new PermanentError(`empty label name in ${labelText(pairs.flat())}`);
  return encodeLabels(pairs.flat());
}

/** Throws PermanentError unless the canonical bytes are UTF-8 and, where one is needed, have a metric name. Leaves `spans` filled; returns the count. */
export function checkLabels(bytes: Uint8Array, start: number, end: number, needsName: boolean): number {
  const count = findLabels(bytes, start, end);
  if (count < 0) throw new PermanentError('labels are not a list of Label messages');
  // Tags and short sizes are UTF-8 too, so that mostly one look at the whole is enough; sizes above 127 are not.
  if (!isUtf8(bytes.subarray(start, end))) {
    for (let i = 0; i < 6 * count; i += 6) {
      if (!isUtf8(bytes.subarray(spans[i], spans[i + 1])) || !isUtf8(bytes.subarray(spans[i + 2], spans[i + 3])))
        throw new PermanentError('label names and values must be UTF-8');
    }
  }
  if (!needsName) return count;
  for (let i = 0; i < 6 * count; i += 6) if (isMetricName(bytes, spans[i]!, spans[i + 1]!)) return count;
  throw new PermanentError(`sample missing metric name: ${labelText(decodeLabels(bytes, start, end))}`);
}
const METRIC_NAME = Buffer.from('__name__');
function isMetricName(bytes: Uint8Array, from: number, to: number): boolean {
  if (to - from !== 8) return false;
  for (let i = 0; i < 8; i++) if (bytes[from + i] !== METRIC_NAME[i]) return false;
  return true;
}

/** As Prometheus prints a label set: {__name__="up", job="node"}. */
export function labelText(labels: LabelList): string {
  const parts: string[] = [];
  for (let i = 0; i < labels.length; i += 2) {
    const name = labels[i]!;
    parts.push(`${/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name) ? name : JSON.stringify(name)}=${JSON.stringify(labels[i + 1])}`);
  }
  return `{${parts.join(', ')}}`;
}

/** Order of label sets, as in index files: by name, then value, label by label; a prefix comes first. */
export function compareLabels(a: LabelList, b: LabelList): number {
  const size = Math.min(a.length, b.length);
  for (let i = 0; i < size; i++) {
    if (a[i] === b[i]) continue;
    return compareText(a[i]!, b[i]!);
  }
  return a.length - b.length;
}

/** The same order on canonical bytes. */
export function compareEncoded(a: Uint8Array, i: number, aEnd: number, b: Uint8Array, j: number, bEnd: number): number {
  while (i < aEnd && j < bEnd) {
    // Field header (1 + length), then name and value with their own headers: lengths are canonical, so they need no checks.
    i += a[i + 1]! < 128 ? 2 : headerSize(a, i);
    j += b[j + 1]! < 128 ? 2 : headerSize(b, j);
    for (let part = 0; part < 2; part++) {
      const aSize = a[i + 1]! < 128 ? a[i + 1]! : lengthAt(a, i + 1, aEnd);
      i += headerSize(a, i);
      const bSize = b[j + 1]! < 128 ? b[j + 1]! : lengthAt(b, j + 1, bEnd);
      j += headerSize(b, j);
      const size = Math.min(aSize, bSize);
      for (let k = 0; k < size; k++) {
        const difference = a[i + k]! - b[j + k]!;
        if (difference !== 0) return difference;
      }
      if (aSize !== bSize) return aSize - bSize;
      i += aSize;
      j += bSize;
    }
  }
  return aEnd - i - (bEnd - j);
}
function headerSize(bytes: Uint8Array, pos: number): number {
  let size = 2;
  while (bytes[pos + size - 1]! > 127) size++;
  return size;
}
