/**
 * Where the frames of zstd data end (RFC 8878, 3.1.1): a body may be several, one behind the other, and zlib of Node reads the first and says nothing
 * of the rest. Blocks are skipped by the sizes they name.
 */
import { readU32 } from './words.ts';

const MAGIC = 0xfd2fb528;
const SKIPPABLE_MAGIC = 0x184d2a50;
const RLE = 1;
const RESERVED = 3;

/** The offset behind the frame that begins at `start`; -1 where none does, or it is cut off. */
export function zstdFrameEnd(bytes: Uint8Array, start: number): number {
  if (start + 8 > bytes.length) return -1;
  const magic = readU32(bytes, start);
  if (magic >>> 4 === SKIPPABLE_MAGIC >>> 4) {
    const end = start + 8 + readU32(bytes, start + 4);
    return end <= bytes.length ? end : -1;
  }
  if (magic !== MAGIC) return -1;
  const descriptor = bytes[start + 4]!;
  const single = (descriptor >> 5) & 1;
  const sizeFlag = descriptor >> 6;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3]!;
  const sizeBytes = sizeFlag === 0 ? single : 1 << sizeFlag;
  let at = start + 5 + (1 - single) + dictionaryBytes + sizeBytes;
  for (let last = 0; last === 0; ) {
    if (at + 3 > bytes.length) return -1;
    const block = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16);
    const type = (block >> 1) & 3;
    if (type === RESERVED) return -1;
    last = block & 1;
    at += 3 + (type === RLE ? 1 : block >> 3);
  }
  const end = at + (descriptor & 4);
  return end <= bytes.length ? end : -1;
}
export function isSkippableFrame(bytes: Uint8Array, start: number): boolean {
  return readU32(bytes, start) >>> 4 === SKIPPABLE_MAGIC >>> 4;
}
