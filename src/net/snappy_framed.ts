/**
 * The framing format of snappy: chunks of at most 64 KB, each compressed or not, with a checksum. It is what gRPC peers mean by "snappy",
 * and the Collector once sent it under "Content-Encoding: snappy", so on the way in that name means either format, told apart by the first bytes.
 * https://github.com/google/snappy/blob/main/framing_format.txt
 */
import { PermanentError } from '#src/core/errors.ts';
import { crc32c } from '#src/wire/crc32c.ts';
import { snappyDecode, snappyEncode } from '#src/wire/snappy.ts';

const STREAM_IDENTIFIER = Buffer.from([0xff, 0x06, 0x00, 0x00, 0x73, 0x4e, 0x61, 0x50, 0x70, 0x59]);
const MAX_CHUNK_BYTES = 65536;

export function isSnappyFramed(bytes: Uint8Array): boolean {
  return bytes.length >= STREAM_IDENTIFIER.length && STREAM_IDENTIFIER.compare(bytes, 0, STREAM_IDENTIFIER.length) === 0;
}

/** The content of all chunks. RangeError beyond `limit` bytes, PermanentError where the format or a checksum is broken. */
export function decodeSnappyFrames(bytes: Uint8Array, limit: number): Buffer {
  if (!isSnappyFramed(bytes)) throw new PermanentError('the stream identifier is missing');
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (let pos = 0; pos < bytes.length; ) {
    if (pos + 4 > bytes.length) throw new PermanentError('a chunk header is cut off');
    const type = bytes[pos]!;
    const end = pos + 4 + (bytes[pos + 1]! | (bytes[pos + 2]! << 8) | (bytes[pos + 3]! << 16));
    if (end > bytes.length) throw new PermanentError('a chunk is cut off');
    if (type === 0 || type === 1) {
      if (end - pos < 8) throw new PermanentError('a chunk has no checksum');
      const body = bytes.subarray(pos + 8, end);
      const data = type === 0 ? snappyDecode(body, MAX_CHUNK_BYTES) : body;
      if (data.length > MAX_CHUNK_BYTES) throw new PermanentError('a chunk is larger than 64 KB');
      const wanted = (bytes[pos + 4]! | (bytes[pos + 5]! << 8) | (bytes[pos + 6]! << 16) | (bytes[pos + 7]! << 24)) >>> 0;
      if (masked(crc32c(data)) !== wanted) throw new PermanentError('the checksum of a chunk is wrong');
      size += data.length;
      if (size > limit) throw new RangeError(`more than ${limit} bytes`);
      chunks.push(data);
    } else if (type < 0x80) throw new PermanentError(`chunk type ${type} is unknown and must not be skipped`);
    pos = end;
  }
  return Buffer.concat(chunks, size);
}
export function encodeSnappyFrames(bytes: Uint8Array): Buffer {
  const parts: Uint8Array[] = [STREAM_IDENTIFIER];
  for (let at = 0; at < bytes.length; at += MAX_CHUNK_BYTES) {
    const plain = bytes.subarray(at, at + MAX_CHUNK_BYTES);
    const packed = snappyEncode(plain);
    const useful = packed.length < plain.length;
    const body = useful ? packed : plain;
    const head = Buffer.allocUnsafe(8);
    head[0] = useful ? 0 : 1;
    head.writeUIntLE(body.length + 4, 1, 3);
    head.writeUInt32LE(masked(crc32c(plain)), 4);
    parts.push(head, body);
  }
  return Buffer.concat(parts);
}
function masked(checksum: number): number {
  return (((checksum >>> 15) | (checksum << 17)) + 0xa282ead8) >>> 0;
}
