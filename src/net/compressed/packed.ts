/**
 * Compressed pass-through: a request keeps the body that it came in, and an exporter of the same coding sends that, instead of compressing the same
 * bytes again. It is decompressed once all the same, to be checked and counted. Batches put together go out as one gzip member (gzip_join.ts);
 * zstd has frames one behind the other only, which not every server reads to the end, so that is for the exporter's config to say.
 */
import type { Packed, PackedCoding, PackedUse } from '#src/core/batch.ts';
import type { CompressedPassThrough } from '#src/net/config.ts';
import { joinGzip } from './gzip_join.ts';
import { zstdFrameEnd } from './zstd_frames.ts';

/** What the pipeline behind a server could do with bodies of a coding. */
export type PackedUses = (coding: PackedCoding) => PackedUse;

export interface PassThroughSettings {
  readonly compression: string;
  readonly compressed_pass_through: CompressedPassThrough;
}

/** Smaller bodies are compressed anew when they are put together: many small members are longer than one, and reading their codes is half of the work. */
const MIN_JOINED_BYTES = 2048;

export function isPackedCoding(coding: string): coding is PackedCoding {
  return coding === 'gzip' || coding === 'zstd';
}

/** What to keep of a body that became `plainBytes` bytes: null where nobody wants it, or where it is not exactly one member or frame, which is all that every server reads. */
export function packedOf(bytes: Uint8Array, coding: string, plainBytes: number, use: PackedUse): Packed | null {
  if (use === 'none' || !isPackedCoding(coding)) return null;
  const whole = coding === 'gzip' ? endsWithSize(bytes, plainBytes) : zstdFrameEnd(bytes, 0) === bytes.length;
  return whole ? { coding, members: [bytes], joinable: use === 'joined' && bytes.length >= MIN_JOINED_BYTES } : null;
}
/** The last of several members knows only its own size. */
function endsWithSize(bytes: Uint8Array, plainBytes: number): boolean {
  const n = bytes.length;
  return n >= 18 && (bytes[n - 4]! | (bytes[n - 3]! << 8) | (bytes[n - 2]! << 16) | (bytes[n - 1]! << 24)) >>> 0 === plainBytes;
}

/** What a client with these settings could do with bodies that came in compressed by `given`. */
export function clientPackedUse(given: PackedCoding, settings: PassThroughSettings): PackedUse {
  if (settings.compression !== given || settings.compressed_pass_through === 'off') return 'none';
  return given === 'gzip' || settings.compressed_pass_through === 'multiple' ? 'joined' : 'alone';
}

/** The body to send in place of what would be compressed, or null where there is none for these settings. */
export function packedBody(packed: Packed | null, settings: PassThroughSettings): Uint8Array | null {
  if (packed === null) return null;
  const use = clientPackedUse(packed.coding, settings);
  const { members } = packed;
  if (use === 'none' || (use === 'alone' && members.length > 1)) return null;
  if (members.length === 1) return members[0]!;
  return packed.coding === 'gzip' ? joinGzip(members) : Buffer.concat(members);
}
