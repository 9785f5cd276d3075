/**
 * The hash that Prometheus gives a label set: xxHash64 over its names and values, each behind its size. Only limit_ratio() shows it: which series
 * are sampled follows from it. 64 bits in BigInt, 10 us a series, is good enough for that.
 */
import type { LabelList } from '#src/core/series.ts';

const PRIME_1 = 0x9e3779b185ebca87n,
  PRIME_2 = 0xc2b2ae3d27d4eb4fn,
  PRIME_3 = 0x165667b19e3779f9n,
  PRIME_4 = 0x85ebca77c2b2ae63n,
  PRIME_5 = 0x27d4eb2f165667c5n;
const u64 = (value: bigint): bigint => BigInt.asUintN(64, value);
const rotate = (value: bigint, by: bigint): bigint => u64(value << by) | (value >> (64n - by));
const round = (lane: bigint, input: bigint): bigint => u64(rotate(u64(lane + u64(input * PRIME_2)), 31n) * PRIME_1);

/** With seed 0. */
export function xxHash64(bytes: Buffer): bigint {
  const size = bytes.length;
  let at = 0,
    hash = PRIME_5;
  if (size >= 32) {
    const lanes = [u64(PRIME_1 + PRIME_2), PRIME_2, 0n, u64(-PRIME_1)];
    for (; at + 32 <= size; at += 32) for (let i = 0; i < 4; i++) lanes[i] = round(lanes[i]!, bytes.readBigUInt64LE(at + 8 * i));
    hash = u64(rotate(lanes[0]!, 1n) + rotate(lanes[1]!, 7n) + rotate(lanes[2]!, 12n) + rotate(lanes[3]!, 18n));
    for (const lane of lanes) hash = u64((hash ^ round(0n, lane)) * PRIME_1 + PRIME_4);
  }
  hash = u64(hash + BigInt(size));
  for (; at + 8 <= size; at += 8) hash = u64(rotate(hash ^ round(0n, bytes.readBigUInt64LE(at)), 27n) * PRIME_1 + PRIME_4);
  if (at + 4 <= size) {
    hash = u64(rotate(hash ^ u64(BigInt(bytes.readUInt32LE(at)) * PRIME_1), 23n) * PRIME_2 + PRIME_3);
    at += 4;
  }
  for (; at < size; at++) hash = u64(rotate(hash ^ u64(BigInt(bytes[at]!) * PRIME_5), 11n) * PRIME_1);
  hash = u64((hash ^ (hash >> 33n)) * PRIME_2);
  hash = u64((hash ^ (hash >> 29n)) * PRIME_3);
  return hash ^ (hash >> 32n);
}

/** The hash as a part of the whole range, in [0, 1]. */
export function hashFraction(labels: LabelList): number {
  const parts: Buffer[] = [];
  for (const text of labels) {
    const bytes = Buffer.from(text),
      size = bytes.length;
    parts.push(size < 255 ? Buffer.of(size) : Buffer.of(255, size & 255, (size >> 8) & 255, size >> 16), bytes);
  }
  return Number(xxHash64(Buffer.concat(parts))) / 2 ** 64;
}
