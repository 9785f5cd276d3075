/**
 * Compressed pass-through, the way in: a request keeps the body that it came in, for an exporter of the same coding (pass_through.ts). It is decompressed
 * once all the same, to be checked and counted.
 */
import type { Packed, PackedCoding, PackedUse } from '#src/core/batch.ts';
import { zstdFrameEnd } from './zstd_frames.ts';

/** What the pipeline behind a server could do with bodies of a coding. */
export type PackedUses = (coding: PackedCoding) => PackedUse;

/** Smaller bodies are compressed anew when they are put together: many small members are longer than one, and reading their codes is half of the work. */
const MIN_JOINED_BYTES = 2048;

export function isPackedCoding(coding: string): coding is PackedCoding {
  return coding === 'gzip' || coding === 'zstd';
}

/** What to keep of a body that became `plainBytes` bytes: null where nobody wants it, or where it is not exactly one member or frame, which is all that every server reads. */
export function packedOf(bytes: Uint8Array, coding: string, plainBytes: number, use: PackedUse): Packed | null {
  if (use === 'none' || !isPackedCoding(coding)) return null;
  const whole = coding === 'gzip' ? endsWithSize(bytes, plainBytes) : zstdFrameEnd(bytes, 0) === bytes.length;
  return whole ? { coding, pieces: [{ member: bytes, plainBytes }], joinable: use === 'joined' && bytes.length >= MIN_JOINED_BYTES } : null;
}
/** The last of several members knows only its own size. */
function endsWithSize(bytes: Uint8Array, plainBytes: number): boolean {
  const n = bytes.length;
  return n >= 18 && (bytes[n - 4]! | (bytes[n - 3]! << 8) | (bytes[n - 2]! << 16) | (bytes[n - 1]! << 24)) >>> 0 === plainBytes;
}
