/**
 * Compressed pass-through, the way out: the compressed form of a batch in place of compressing its bytes again. What is missing in a batch that was put
 * together, because it came in otherwise, is compressed by itself. All goes out as one gzip member (gzip_join.ts); zstd has frames one behind the other
 * only, which not every server reads to the end, so that is for the exporter's config to say.
 */
import type { Batch, PackedCoding, PackedPiece, PackedUse } from '#src/core/batch.ts';
import { encodeBody } from '#src/net/compression.ts';
import type { CompressedPassThrough } from '#src/net/config.ts';
import { joinGzip } from './gzip_join.ts';

export interface PassThroughSettings {
  readonly compression: string;
  readonly compressed_pass_through: CompressedPassThrough;
}

/** Reading the codes of more would keep the main thread for more than 10 ms; the pool compresses that meanwhile. */
const MAX_JOINED_BYTES = 2 << 20;

/** What a client with these settings could do with bodies that came in compressed by `given`. */
export function clientPackedUse(given: PackedCoding, settings: PassThroughSettings): PackedUse {
  if (settings.compression !== given || settings.compressed_pass_through === 'off') return 'none';
  return given === 'gzip' || settings.compressed_pass_through === 'multiple' ? 'joined' : 'alone';
}

/** The body to send in place of what would be compressed, or null where there is none for these settings. */
export function packedBody({ packed, parts }: Batch, settings: PassThroughSettings): Uint8Array | null | Promise<Uint8Array | null> {
  if (packed === null) return null;
  const use = clientPackedUse(packed.coding, settings);
  if (use === 'none') return null;
  const { coding, pieces } = packed;
  if (pieces.length === 1) return pieces[0]!.member;
  let size = 0;
  for (const { member } of pieces) size += member?.length ?? 0;
  return use === 'joined' && size <= MAX_JOINED_BYTES ? joined(coding, pieces, parts) : null;
}

async function joined(coding: PackedCoding, pieces: readonly PackedPiece[], parts: readonly Uint8Array[]): Promise<Uint8Array | null> {
  const members: Uint8Array[] = [];
  let at = 0;
  for (const { member, plainBytes } of pieces) {
    members.push(member ?? (await encodeBody(range(parts, at, at + plainBytes), plainBytes, coding)));
    at += plainBytes;
  }
  return coding === 'gzip' ? joinGzip(members) : Buffer.concat(members);
}

/** Bytes [start, end) of the parts one behind the other, as views. */
function range(parts: readonly Uint8Array[], start: number, end: number): Uint8Array[] {
  const views: Uint8Array[] = [];
  let at = 0;
  for (const part of parts) {
    const from = Math.max(start - at, 0);
    const to = Math.min(end - at, part.length);
    if (from < to) views.push(part.subarray(from, to));
    at += part.length;
  }
  return views;
}
