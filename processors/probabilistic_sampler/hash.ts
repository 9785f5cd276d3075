/** Randomness from a hash, for records that bring none: FNV-1a over the seed and the bytes, of which 14 bits decide, as in every version of the Collector. */
import type { Bits56 } from './bits56.ts';

const PRIME = 0x01000193;
/** 2^14: percentages are cut to so many steps. */
export const BUCKETS = 0x4000;

/** The state of the hash behind the seed, little endian. */
export function hashSeed(seed: number): number {
  let hash = 0x811c9dc5 | 0;
  for (let shift = 0; shift < 32; shift += 8) hash = Math.imul(hash ^ ((seed >>> shift) & 0xff), PRIME);
  return hash;
}

/** The randomness of the bytes [start, end). */
export function hashBytes(seeded: number, bytes: Uint8Array, start: number, end: number, into: Bits56): void {
  let hash = seeded;
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ bytes[at]!, PRIME);
  // From the top: 14 bits that decide, turned round because a high randomness is kept; 28 mixed of the 18 others; the 14 bits as they were.
  const bucket = hash & (BUCKETS - 1),
    rest = hash >>> 18,
    mixed = (rest ^ (rest << 10)) >>> 0;
  into.high = ((BUCKETS - 1 - bucket) << 14) | (mixed >>> 14);
  into.low = ((mixed & (BUCKETS - 1)) << 14) | bucket;
}
