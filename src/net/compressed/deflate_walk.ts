/**
 * Where the last block of a deflate stream begins and where it ends, to the bit (RFC 1951). Codes are read and their values thrown away: nothing is
 * decompressed, so it takes a tenth of what compressing the same data again would. It checks only what it needs to stay on course; whether
 * distances and checksums are right is for zlib to say.
 */

/** Results of the last walk that succeeded, in bits from the beginning of the bytes. */
export let lastBlockBit = 0;
export let endBit = 0;

/** Codes up to this long are found in one step; longer ones are rare by their nature. */
const ROOT_BITS = 10;
const ROOT_SIZE = 1 << ROOT_BITS;
const MAX_CODE_BITS = 15;
const END_OF_BLOCK = 256;

// Table entries: bits to skip, those of the code and those that follow it, and what it is; a literal, or a distance, where nothing is added.
const LENGTH = 32;
const END = 64;
const LONG = 96;
const BITS = 31;

const LENGTH_EXTRA = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0);
const CODE_LENGTH_ORDER = Uint8Array.of(16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15);

/** One Huffman code: a table for short codes, and counts by length with the symbols in order for long ones. */
class Code {
  readonly table = new Uint8Array(ROOT_SIZE);
  readonly counts = new Uint16Array(MAX_CODE_BITS + 1);
  readonly symbols = new Uint16Array(288);
  readonly #next = new Uint16Array(MAX_CODE_BITS + 2);
  readonly #offsets = new Uint16Array(MAX_CODE_BITS + 2);

  /** False where the lengths are no prefix code. `entryOf`: what stands behind a symbol, without the bits of its code. */
  build(lengths: Uint8Array, start: number, count: number, entries: Uint8Array): boolean {
    const { table, counts, symbols } = this;
    const next = this.#next;
    const offsets = this.#offsets;
    counts.fill(0);
    for (let i = 0; i < count; i++) counts[lengths[start + i]!]!++;
    counts[0] = 0;
    let left = 1;
    let code = 0;
    offsets[1] = 0;
    for (let size = 1; size <= MAX_CODE_BITS; size++) {
      left = left * 2 - counts[size]!;
      if (left < 0) return false;
      next[size] = code;
      code = (code + counts[size]!) << 1;
      offsets[size + 1] = offsets[size]! + counts[size]!;
    }
    table.fill(LONG);
    for (let symbol = 0; symbol < count; symbol++) {
      const size = lengths[start + symbol]!;
      if (size === 0) continue;
      symbols[offsets[size]!++] = symbol;
      const value = next[size]!++;
      if (size > ROOT_BITS) continue;
      const entry = entries[symbol]! + size;
      const step = 1 << size;
      for (let at = reversed(value, size); at < ROOT_SIZE; at += step) table[at] = entry;
    }
    return true;
  }
}
function reversed(value: number, size: number): number {
  let out = 0;
  for (let i = 0, rest = value; i < size; i++, rest >>= 1) out = (out << 1) | (rest & 1);
  return out;
}

const literalEntries = new Uint8Array(288);
for (let i = 0; i < LENGTH_EXTRA.length; i++) literalEntries[257 + i] = LENGTH + LENGTH_EXTRA[i]!;
literalEntries[END_OF_BLOCK] = END;
const distanceEntries = new Uint8Array(32);
for (let i = 4; i < 30; i++) distanceEntries[i] = (i >> 1) - 1;
const plainEntries = new Uint8Array(19);

const lengths = new Uint8Array(288 + 32);
const codeLengths = new Uint8Array(19);
const codeLengthCode = new Code();
const literals = new Code();
const distances = new Code();
const fixedLiterals = new Code();
const fixedDistances = new Code();
lengths.fill(8, 0, 144).fill(9, 144, 256).fill(7, 256, 280).fill(8, 280, 288);
fixedLiterals.build(lengths, 0, 288, literalEntries);
lengths.fill(5, 0, 30);
fixedDistances.build(lengths, 0, 30, distanceEntries);

/**
 * Walks the stream in bytes[start, end); behind `end` four more bytes must be readable (the checksum of gzip). True where it ends within the
 * bytes; `lastBlockBit` and `endBit` say where.
 */
export function walkDeflate(bytes: Uint8Array, start: number, end: number): boolean {
  const limit = end * 8;
  for (let bit = start * 8; bit >= 0 && bit + 3 <= limit; ) {
    const head = wordAt(bytes, bit);
    lastBlockBit = bit;
    bit = skipBlock(bytes, bit + 3, limit, (head >> 1) & 3);
    if ((head & 1) === 0) continue;
    endBit = bit;
    return bit >= 0;
  }
  return false;
}

/** At least 25 bits from position `bit` on. */
function wordAt(bytes: Uint8Array, bit: number): number {
  const at = bit >> 3;
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >> (bit & 7);
}

/** The bit behind the block whose contents begin at `bit`; -1 where it is broken. */
function skipBlock(bytes: Uint8Array, bit: number, limit: number, type: number): number {
  if (type === 0) {
    const at = (bit + 7) >> 3;
    const end = (at + 4 + (bytes[at]! | (bytes[at + 1]! << 8))) * 8;
    return at * 8 + 32 <= limit && end <= limit ? end : -1;
  }
  if (type === 1) return skipCodes(bytes, bit, limit, fixedLiterals, fixedDistances);
  if (type === 3) return -1;
  const codes = readCodes(bytes, bit, limit);
  return codes < 0 ? -1 : skipCodes(bytes, codes, limit, literals, distances);
}

/** Reads the two codes of a dynamic block; the bit behind them. */
function readCodes(bytes: Uint8Array, from: number, limit: number): number {
  if (from + 14 > limit) return -1;
  const head = wordAt(bytes, from);
  const literalCount = 257 + (head & 31);
  const distanceCount = 1 + ((head >> 5) & 31);
  const count = 4 + ((head >> 10) & 15);
  let bit = from + 14;
  if (literalCount > 286 || bit + count * 3 > limit) return -1;
  codeLengths.fill(0);
  for (let i = 0; i < count; i++, bit += 3) codeLengths[CODE_LENGTH_ORDER[i]!] = wordAt(bytes, bit) & 7;
  if (!codeLengthCode.build(codeLengths, 0, 19, plainEntries)) return -1;
  const total = literalCount + distanceCount;
  for (let i = 0; i < total; ) {
    if (bit >= limit) return -1;
    const word = wordAt(bytes, bit);
    const symbol = readSymbol(codeLengthCode, word);
    if (symbol < 0) return -1;
    const size = codeLengths[symbol]!;
    bit += size;
    if (symbol < 16) {
      lengths[i++] = symbol;
      continue;
    }
    const extra = symbol === 16 ? 2 : symbol === 17 ? 3 : 7;
    const times = (symbol === 18 ? 11 : 3) + ((word >> size) & ((1 << extra) - 1));
    if (i + times > total || (symbol === 16 && i === 0)) return -1;
    lengths.fill(symbol === 16 ? lengths[i - 1]! : 0, i, i + times);
    i += times;
    bit += extra;
  }
  const whole = literals.build(lengths, 0, literalCount, literalEntries) && distances.build(lengths, literalCount, distanceCount, distanceEntries);
  return whole ? bit : -1;
}

let codeBits = 0;
/** The symbol whose code comes next in `word`, found bit by bit; -1 where none does. `codeBits` is the length of the code. */
function readSymbol(code: Code, word: number): number {
  const { counts, symbols } = code;
  let value = 0;
  let first = 0;
  let index = 0;
  for (let size = 1, rest = word; size <= MAX_CODE_BITS; size++, rest >>= 1) {
    value |= rest & 1;
    const count = counts[size]!;
    if (value - first < count) {
      codeBits = size;
      return symbols[index + value - first]!;
    }
    index += count;
    first = (first + count) << 1;
    value <<= 1;
  }
  return -1;
}
/** The entry of a code that is too long for the table. */
function longEntry(code: Code, word: number, entries: Uint8Array): number {
  const symbol = readSymbol(code, word);
  return symbol < 0 ? -1 : entries[symbol]! + codeBits;
}

function skipCodes(bytes: Uint8Array, from: number, limit: number, literalCode: Code, distanceCode: Code): number {
  const literalTable = literalCode.table;
  const distanceTable = distanceCode.table;
  for (let bit = from; bit < limit; ) {
    let word = wordAt(bytes, bit);
    let entry = literalTable[word & (ROOT_SIZE - 1)]!;
    if (entry < LENGTH) {
      // A literal of at most 10 bits: the word has another code for sure.
      word >>= entry;
      bit += entry;
      entry = literalTable[word & (ROOT_SIZE - 1)]!;
      if (entry < LENGTH) {
        bit += entry;
        continue;
      }
      if (bit >= limit) return -1;
      word = wordAt(bytes, bit);
    }
    if (entry >= LONG) {
      entry = longEntry(literalCode, word, literalEntries);
      if (entry < 0) return -1;
    }
    bit += entry & BITS;
    if (entry < LENGTH) continue;
    if (entry >= END) return bit <= limit ? bit : -1;
    // At most 15 bits where the table had it, which leaves 10 of the word; else they are read anew.
    if (bit >= limit) return -1;
    const next = (entry & BITS) <= ROOT_BITS + 5 ? word >> (entry & BITS) : wordAt(bytes, bit);
    entry = distanceTable[next & (ROOT_SIZE - 1)]!;
    if (entry >= LONG) {
      entry = longEntry(distanceCode, wordAt(bytes, bit), distanceEntries);
      if (entry < 0) return -1;
    }
    bit += entry;
  }
  return -1;
}
