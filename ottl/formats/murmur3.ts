/** MurmurHash3 with seed 0: the 32 bit one, and the 128 bit one for 64 bit machines. Both as hex of their little-endian words. */

const word = (value: bigint): bigint => BigInt.asUintN(64, value);
const rotate = (value: bigint, by: bigint): bigint => word((value << by) | (value >> (64n - by)));

export function murmur3Hash32(bytes: Buffer): string {
  const mix = (k: number): number => {
    const a = Math.imul(k, 0xcc9e2d51);
    return Math.imul((a << 15) | (a >>> 17), 0x1b873593);
  };
  const tail = bytes.length & 3,
    body = bytes.length - tail;
  let hash = 0;
  for (let i = 0; i < body; i += 4) {
    hash ^= mix(bytes.readInt32LE(i));
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0;
  }
  if (tail > 0) hash ^= mix(bytes.readUIntLE(body, tail));
  hash ^= bytes.length;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  const out = Buffer.alloc(4);
  out.writeInt32LE(hash ^ (hash >>> 16));
  return out.toString('hex');
}

const C1 = 0x87c37b91114253d5n,
  C2 = 0x4cf5ad432745937fn;
const mixFirst = (k: bigint): bigint => word(rotate(word(k * C1), 31n) * C2);
const mixSecond = (k: bigint): bigint => word(rotate(word(k * C2), 33n) * C1);
function finish(value: bigint): bigint {
  let k = word((value ^ (value >> 33n)) * 0xff51afd7ed558ccdn);
  k = word((k ^ (k >> 33n)) * 0xc4ceb9fe1a85ec53n);
  return k ^ (k >> 33n);
}

export function murmur3Hash128(bytes: Buffer): string {
  const body = bytes.length & ~15;
  let h1 = 0n,
    h2 = 0n;
  for (let i = 0; i < body; i += 16) {
    h1 ^= mixFirst(bytes.readBigUInt64LE(i));
    h1 = word((rotate(h1, 27n) + h2) * 5n + 0x52dce729n);
    h2 ^= mixSecond(bytes.readBigUInt64LE(i + 8));
    h2 = word((rotate(h2, 31n) + h1) * 5n + 0x38495ab5n);
  }
  const tail = Buffer.alloc(16);
  bytes.copy(tail, 0, body);
  h2 ^= mixSecond(tail.readBigUInt64LE(8));
  h1 ^= mixFirst(tail.readBigUInt64LE(0));
  const length = BigInt(bytes.length);
  h1 ^= length;
  h2 ^= length;
  h1 = word(h1 + h2);
  h2 = word(h2 + h1);
  h1 = finish(h1);
  h2 = finish(h2);
  h1 = word(h1 + h2);
  const out = Buffer.alloc(16);
  out.writeBigUInt64LE(h1);
  out.writeBigUInt64LE(word(h2 + h1), 8);
  return out.toString('hex');
}
