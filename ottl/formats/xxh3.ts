/**
 * XXH3 with its default secret and seed 0, of 64 and of 128 bits, in hex: https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md
 * Each range of lengths has its own mix. On BigInt: simple, and fast enough for the texts of attributes.
 */
const SECRET = Buffer.from(
  'b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671fcb79e64eccc0e578825ad07dccff7221b8084674f743248ee03590e6813a264c' +
    '3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8a8fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364' +
    'eac5ac8334d3ebc3c581a0fffa1363eb170ddd51b7f0da49d316552629d4689e2b16be587d47a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e',
  'hex',
);
const PRIME32_1 = 0x9e3779b1n,
  PRIME32_2 = 0x85ebca77n,
  PRIME32_3 = 0xc2b2ae3dn;
const PRIME64_1 = 0x9e3779b185ebca87n,
  PRIME64_2 = 0xc2b2ae3d27d4eb4fn,
  PRIME64_3 = 0x165667b19e3779f9n,
  PRIME64_4 = 0x85ebca77c2b2ae63n,
  PRIME64_5 = 0x27d4eb2f165667c5n;
const STRIPE = 64;
/** Stripes until the lanes are scrambled: as many as the secret has starts, 8 bytes apart. */
const STRIPES_IN_BLOCK = (SECRET.length - STRIPE) / 8;

const word = (value: bigint): bigint => BigInt.asUintN(64, value);
const low32 = (value: bigint): bigint => value & 0xffffffffn;
const secret = (at: number): bigint => SECRET.readBigUInt64LE(at);
const u64 = (bytes: Buffer, at: number): bigint => bytes.readBigUInt64LE(at);
function swap(value: bigint): bigint {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(word(value));
  return bytes.readBigUInt64BE();
}
/** The two halves of the product, folded. */
function fold(a: bigint, b: bigint): bigint {
  const product = a * b;
  return word(product) ^ (product >> 64n);
}
function avalanche(value: bigint): bigint {
  const h = word((value ^ (value >> 37n)) * 0x165667919e3779f9n);
  return h ^ (h >> 32n);
}
/** The avalanche of XXH64, for the shortest texts. */
function avalancheShort(value: bigint): bigint {
  let h = word((value ^ (value >> 33n)) * PRIME64_2);
  h = word((h ^ (h >> 29n)) * PRIME64_3);
  return h ^ (h >> 32n);
}
/** 16 bytes with 16 of the secret. */
const mix16 = (bytes: Buffer, at: number, key: number): bigint => fold(u64(bytes, at) ^ secret(key), u64(bytes, at + 8) ^ secret(key + 8));
const sum16 = (bytes: Buffer, at: number): bigint => word(u64(bytes, at) + u64(bytes, at + 8));
/** Up to three bytes and the length in 32 bits. */
const gather = (bytes: Buffer): bigint =>
  BigInt(((bytes[0]! << 16) | (bytes[bytes.length >> 1]! << 24) | bytes[bytes.length - 1]! | (bytes.length << 8)) >>> 0);

function hash64(bytes: Buffer): bigint {
  const size = bytes.length,
    length = BigInt(size);
  if (size === 0) return avalancheShort(secret(56) ^ secret(64));
  if (size <= 3) return avalancheShort(gather(bytes) ^ BigInt((SECRET.readUInt32LE(0) ^ SECRET.readUInt32LE(4)) >>> 0));
  if (size <= 8) {
    const keyed = (BigInt(bytes.readUInt32LE(size - 4)) + (BigInt(bytes.readUInt32LE(0)) << 32n)) ^ secret(8) ^ secret(16);
    const rotate = (by: bigint): bigint => word((keyed << by) | (keyed >> (64n - by)));
    let h = word((keyed ^ rotate(49n) ^ rotate(24n)) * 0x9fb21c651e98df25n);
    h = word((h ^ ((h >> 35n) + length)) * 0x9fb21c651e98df25n);
    return h ^ (h >> 28n);
  }
  if (size <= 16) {
    const low = u64(bytes, 0) ^ secret(24) ^ secret(32),
      high = u64(bytes, size - 8) ^ secret(40) ^ secret(48);
    return avalanche(word(length + swap(low) + high + fold(low, high)));
  }
  let sum = length * PRIME64_1;
  if (size <= 128) {
    // Pairs from both ends towards the middle.
    for (let i = Math.ceil(size / 32) - 1; i >= 0; i--) sum += mix16(bytes, 16 * i, 32 * i) + mix16(bytes, size - 16 * (i + 1), 32 * i + 16);
    return avalanche(word(sum));
  }
  if (size <= 240) {
    for (let i = 0; i < 8; i++) sum += mix16(bytes, 16 * i, 16 * i);
    sum = avalanche(word(sum));
    for (let i = 8; i < size >> 4; i++) sum += mix16(bytes, 16 * i, 16 * (i - 8) + 3);
    return avalanche(word(sum + mix16(bytes, size - 16, 136 - 17)));
  }
  return merge(accumulate(bytes), 11, word(sum));
}

function hash128(bytes: Buffer): [high: bigint, low: bigint] {
  const size = bytes.length,
    length = BigInt(size);
  if (size === 0) return [avalancheShort(secret(80) ^ secret(88)), avalancheShort(secret(64) ^ secret(72))];
  if (size <= 3) {
    const low = gather(bytes),
      swapped = Number(swap(low << 32n));
    const high = ((swapped << 13) | (swapped >>> 19)) >>> 0;
    const key = (at: number): bigint => BigInt((SECRET.readUInt32LE(at) ^ SECRET.readUInt32LE(at + 4)) >>> 0);
    return [avalancheShort(BigInt(high) ^ key(8)), avalancheShort(low ^ key(0))];
  }
  if (size <= 8) {
    const keyed = (BigInt(bytes.readUInt32LE(0)) + (BigInt(bytes.readUInt32LE(size - 4)) << 32n)) ^ secret(16) ^ secret(24);
    const product = keyed * (PRIME64_1 + (length << 2n));
    let low = word(product);
    const high = word((product >> 64n) + (low << 1n));
    low ^= high >> 3n;
    low = word((low ^ (low >> 35n)) * 0x9fb21c651e98df25n);
    return [avalanche(high), low ^ (low >> 28n)];
  }
  if (size <= 16) {
    const first = u64(bytes, 0),
      last = u64(bytes, size - 8);
    const product = (first ^ last ^ secret(32) ^ secret(40)) * PRIME64_1,
      flipped = last ^ secret(48) ^ secret(56);
    const high = word((product >> 64n) + flipped + low32(flipped) * (PRIME32_2 - 1n));
    const low = word(word(product) + ((length - 1n) << 54n)) ^ swap(high);
    const second = low * PRIME64_2;
    return [avalanche(word((second >> 64n) + high * PRIME64_2)), avalanche(word(second))];
  }
  let low = word(length * PRIME64_1),
    high = 0n;
  const mix32 = (front: number, back: number, key: number): void => {
    low = word(low + mix16(bytes, front, key)) ^ sum16(bytes, back);
    high = word(high + mix16(bytes, back, key + 16)) ^ sum16(bytes, front);
  };
  const finish = (): [bigint, bigint] => [word(-avalanche(word(low * PRIME64_1 + high * PRIME64_4 + length * PRIME64_2))), avalanche(word(low + high))];
  if (size <= 128) {
    for (let i = Math.ceil(size / 32) - 1; i >= 0; i--) mix32(16 * i, size - 16 * (i + 1), 32 * i);
    return finish();
  }
  if (size <= 240) {
    for (let i = 0; i < 4; i++) mix32(32 * i, 32 * i + 16, 32 * i);
    low = avalanche(low);
    high = avalanche(high);
    for (let i = 4; i < size >> 5; i++) mix32(32 * i, 32 * i + 16, 32 * (i - 4) + 3);
    mix32(size - 16, size - 32, 136 - 17 - 16);
    return finish();
  }
  const lanes = accumulate(bytes);
  return [merge(lanes, SECRET.length - STRIPE - 11, word(~(length * PRIME64_2))), merge(lanes, 11, low)];
}

/** Eight lanes over stripes of 64 bytes. */
function accumulate(bytes: Buffer): bigint[] {
  const lanes = [PRIME32_3, PRIME64_1, PRIME64_2, PRIME64_3, PRIME64_4, PRIME32_2, PRIME64_5, PRIME32_1];
  const stripe = (at: number, key: number): void => {
    for (let lane = 0; lane < 8; lane++) {
      const value = u64(bytes, at + 8 * lane),
        keyed = value ^ secret(key + 8 * lane);
      lanes[lane ^ 1] = word(lanes[lane ^ 1]! + value);
      lanes[lane] = word(lanes[lane]! + low32(keyed) * (keyed >> 32n));
    }
  };
  // The last stripe, which may reach back into the one before, comes at the end.
  const stripes = Math.floor((bytes.length - 1) / STRIPE);
  for (let i = 0; i < stripes; i++) {
    stripe(i * STRIPE, (i % STRIPES_IN_BLOCK) * 8);
    if (i % STRIPES_IN_BLOCK !== STRIPES_IN_BLOCK - 1) continue;
    for (let lane = 0; lane < 8; lane++) {
      const value = lanes[lane]!;
      lanes[lane] = word((value ^ (value >> 47n) ^ secret(SECRET.length - STRIPE + 8 * lane)) * PRIME32_1);
    }
  }
  stripe(bytes.length - STRIPE, SECRET.length - STRIPE - 7);
  return lanes;
}
function merge(lanes: readonly bigint[], key: number, start: bigint): bigint {
  let sum = start;
  for (let i = 0; i < 8; i += 2) sum += fold(lanes[i]! ^ secret(key + 8 * i), lanes[i + 1]! ^ secret(key + 8 * i + 8));
  return avalanche(word(sum));
}

const hex = (value: bigint): string => value.toString(16).padStart(16, '0');
export function xxh3Hash64(bytes: Buffer): string {
  return hex(hash64(bytes));
}
/** The high half first. */
export function xxh3Hash128(bytes: Buffer): string {
  const [high, low] = hash128(bytes);
  return hex(high) + hex(low);
}
