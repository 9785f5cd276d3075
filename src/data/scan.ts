/** The steps that all scanning loops share: a length, over a field, to the next message. Bounds are checked here; hot loops inline the one-byte case. */
import { PermanentError } from '#src/core/errors.ts';

/** Where the varint that `readLength` read last ended. A module variable, as a second return value without an object. */
export let after = 0;

/** A length or a tag: an unsigned varint that must fit 31 bits. */
export function readLength(bytes: Uint8Array, at: number, end: number): number {
  let p = at;
  let value = 0;
  for (let scale = 1; p < end && p - at < 10; scale *= 128) {
    const c = bytes[p++]!;
    value += (c & 127) * scale;
    if (c < 128) {
      if (value > 0x7fffffff) break;
      after = p;
      return value;
    }
  }
  throw new PermanentError(`protobuf: a length or tag is truncated or too long at offset ${at}`);
}

/** The position behind the field whose tag is at `at`; never beyond `end`. */
export function skipField(bytes: Uint8Array, at: number, end: number): number {
  const tag = readLength(bytes, at, end);
  let p = after;
  switch (tag & 7) {
    case 0: {
      const from = p;
      while (p < end && bytes[p]! > 127) p++;
      p++;
      if (p - from > 10) p = end + 1;
      break;
    }
    case 1:
      p += 8;
      break;
    case 2: {
      const size = readLength(bytes, p, end);
      p = after + size;
      break;
    }
    case 5:
      p += 4;
      break;
    default: // Groups went out of use before OTLP came.
      p = end + 1;
  }
  if (p > end || tag < 8) throw new PermanentError(`protobuf: a field at offset ${at} is truncated or of an unknown kind`);
  return p;
}

/** The fields of the message in [start, end) without the messages in field `field` (below 16). */
export function fieldsWithout(bytes: Uint8Array, start: number, end: number, field: number): Buffer {
  const tag = (field << 3) | 2;
  const kept: Uint8Array[] = [];
  for (let p = start; p < end; ) {
    const next = skipField(bytes, p, end);
    if (bytes[p] !== tag) kept.push(bytes.subarray(p, next));
    p = next;
  }
  return Buffer.concat(kept);
}

/** The content of the message that `findMessage` found last. */
export let messageStart = 0;
export let messageEnd = 0;

/** Where the next message with this tag (of one byte) begins, its tag included, from `at` on; -1 where none comes before `end`. */
export function findMessage(bytes: Uint8Array, at: number, end: number, tag: number): number {
  for (let p = at; p < end; p = skipField(bytes, p, end)) {
    if (bytes[p] !== tag) continue;
    const size = readLength(bytes, p + 1, end);
    messageStart = after;
    messageEnd = after + size;
    if (messageEnd > end) throw new PermanentError(`malformed OTLP: a message at offset ${p} is truncated`);
    return p;
  }
  return -1;
}
