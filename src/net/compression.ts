/**
 * Content codings of bodies, both ways, over whole buffers: a request of telemetry fits into memory by the limit on its size, and one
 * call of zlib is cheaper than a stream. Small bodies are done on the main thread, where they take less time than the way to the thread
 * pool and back; large ones in the pool. snappy and lz4 are our own code and fast enough to stay.
 */
import { promisify } from 'node:util';
import zlib from 'node:zlib';
import { PermanentError } from '#src/core/errors.ts';
import type { Packed, PackedUse } from '#src/core/batch.ts';
import { freeBytes } from '#src/core/slab.ts';
import { snappyDecode, snappyEncode, snappyLength } from '#src/wire/snappy.ts';
import { decodeLz4, encodeLz4 } from './compressed/lz4.ts';
import { packedOf } from './compressed/packed.ts';
import { isSkippableFrame, zstdFrameEnd } from './compressed/zstd_frames.ts';
import { decodeSnappyFrames, encodeSnappyFrames, isSnappyFramed } from './snappy_framed.ts';

/** The body is larger than allowed, before or after decompression: answer 413 or RESOURCE_EXHAUSTED. */
export class TooLargeError extends PermanentError {
  override readonly name = 'TooLargeError';
  readonly limitBytes: number;
  constructor(limitBytes: number, message = `body is larger than ${limitBytes} bytes`) {
    super(message);
    this.limitBytes = limitBytes;
  }
}

export const CODINGS = ['gzip', 'zlib', 'deflate', 'zstd', 'snappy', 'x-snappy-framed', 'lz4'] as const;
export type ContentCoding = (typeof CODINGS)[number];
export function isContentCoding(text: string): text is ContentCoding {
  return (CODINGS as readonly string[]).includes(text);
}

/** Those that gRPC peers have names for. */
export function isGrpcCoding(text: string): text is ContentCoding {
  return text === 'gzip' || text === 'zstd' || text === 'snappy' || text === 'deflate';
}

/**
 * Compressed bytes from which decompression goes to the pool, and plain bytes from which compression does: 0.3 and 0.12 ms of work. The way there
 * and back costs 25 to 60 us of CPU and lets the main thread do other things meanwhile (compression.bench.ts).
 */
const ASYNC_DECODE_BYTES = 64 * 1024;
const ASYNC_ENCODE_BYTES = 64 * 1024;
/** deflate cannot do better than 1032:1, so a length that claims more is a lie. */
const MAX_DEFLATE_RATIO = 1032;
const MIN_CHUNK = 1024;

const gunzip = promisify<zlib.InputType, zlib.ZlibOptions, Buffer>(zlib.gunzip);
const inflate = promisify<zlib.InputType, zlib.ZlibOptions, Buffer>(zlib.inflate);
const unzstd = promisify<zlib.InputType, zlib.ZstdOptions, Buffer>(zlib.zstdDecompress);
const gzip = promisify<zlib.InputType, zlib.ZlibOptions, Buffer>(zlib.gzip);
const deflate = promisify<zlib.InputType, zlib.ZlibOptions, Buffer>(zlib.deflate);
const zstd = promisify<zlib.InputType, zlib.ZstdOptions, Buffer>(zlib.zstdCompress);

/**
 * The bytes behind `coding`; at most `limit` of them, else TooLargeError; PermanentError where they are damaged. Settled at once for
 * small bodies. The result is the caller's and as large as it has to be.
 */
export function decodeBody(bytes: Uint8Array, coding: ContentCoding, limit: number): Buffer | Promise<Buffer> {
  if (bytes.length < ASYNC_DECODE_BYTES || isOwn(coding)) return decodeBodySync(bytes, coding, limit);
  if (coding === 'zstd' && zstdFrameEnd(bytes, 0) !== bytes.length) return decodeFrames(bytes, limit);
  const options = { maxOutputLength: limit, chunkSize: outputSize(bytes, coding, limit) };
  const work = coding === 'gzip' ? gunzip(bytes, options) : coding === 'zstd' ? unzstd(bytes, options) : inflate(bytes, options);
  return work.then(trim, (error) => Promise.reject(decodeError(error, coding, limit)));
}

/** Codings that zlib does not have. */
function isOwn(coding: ContentCoding): boolean {
  return coding === 'snappy' || coding === 'x-snappy-framed' || coding === 'lz4';
}

/** A body, and its compressed form where somebody has a use for it. */
export interface DecodedBody {
  readonly plain: Buffer;
  readonly packed: Packed | null;
}
/** decodeBody() of bytes that are the caller's alone: what is not kept of them is given back. */
export function decodeOwned(bytes: Uint8Array, coding: ContentCoding, limit: number, use: PackedUse): DecodedBody | Promise<DecodedBody> {
  const body = decodeBody(bytes, coding, limit);
  return body instanceof Promise ? body.then((plain) => decoded(bytes, coding, plain, use)) : decoded(bytes, coding, body, use);
}
function decoded(bytes: Uint8Array, coding: ContentCoding, plain: Buffer, use: PackedUse): DecodedBody {
  const packed = packedOf(bytes, coding, plain.length, use);
  if (packed === null && plain.buffer !== bytes.buffer) freeBytes(bytes);
  return { plain, packed };
}

export function decodeBodySync(bytes: Uint8Array, coding: ContentCoding, limit: number): Buffer {
  try {
    if (coding === 'snappy' || coding === 'x-snappy-framed') {
      if (coding === 'x-snappy-framed' || isSnappyFramed(bytes)) return decodeSnappyFrames(bytes, limit);
      if (snappyLength(bytes) > limit) throw new TooLargeError(limit, `decompressed body is larger than ${limit} bytes`);
      return snappyDecode(bytes, limit);
    }
    if (coding === 'lz4') return trim(decodeLz4(bytes, limit));
    if (coding === 'zstd' && zstdFrameEnd(bytes, 0) !== bytes.length) return decodeFrames(bytes, limit);
    const options = { maxOutputLength: limit, chunkSize: outputSize(bytes, coding, limit) };
    if (coding === 'gzip') return trim(zlib.gunzipSync(bytes, options));
    return trim(coding === 'zstd' ? zlib.zstdDecompressSync(bytes, options) : zlib.inflateSync(bytes, options));
  } catch (error) {
    throw decodeError(error, coding, limit);
  }
}

/** Several frames of zstd, of which zlib would read the first. Rare, so that they are not worth the pool. */
function decodeFrames(bytes: Uint8Array, limit: number): Buffer {
  const plain: Buffer[] = [];
  let size = 0;
  for (let pos = 0, end: number; pos < bytes.length; pos = end) {
    end = zstdFrameEnd(bytes, pos);
    if (end < 0) throw new PermanentError(`zstd: the frame at offset ${pos} is broken or cut off`);
    if (isSkippableFrame(bytes, pos)) continue;
    const frame = decodeBodySync(bytes.subarray(pos, end), 'zstd', limit - size);
    size += frame.length;
    plain.push(frame);
  }
  return Buffer.concat(plain, size);
}

function decodeError(error: unknown, coding: string, limit: number): Error {
  if (error instanceof PermanentError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ERR_BUFFER_TOO_LARGE' || error instanceof RangeError) return new TooLargeError(limit, `decompressed body is larger than ${limit} bytes`);
  return new PermanentError(`${coding}: ${message}`, { cause: error });
}

/** Where the format says how much comes out, one chunk of that size spares the joining of many; what it says is not believed beyond reason. */
function outputSize(bytes: Uint8Array, coding: string, limit: number): number {
  let size = bytes.length * 4;
  const n = bytes.length;
  if (coding === 'gzip' && n > 18)
    size = Math.min(((bytes[n - 1]! << 24) | (bytes[n - 2]! << 16) | (bytes[n - 3]! << 8) | bytes[n - 4]!) >>> 0, n * MAX_DEFLATE_RATIO);
  // zlib asks for more room whenever the chunk is full to the brim, so leave some.
  return Math.max(MIN_CHUNK, Math.min(size, limit) + 64);
}

/** A result that fills little of its chunk would keep all of it alive. */
function trim(bytes: Buffer): Buffer {
  if (bytes.buffer.byteLength <= bytes.length + (bytes.length >> 2) + MIN_CHUNK) return bytes;
  const exact = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(exact);
  return exact;
}
function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.length);
}

/**
 * Compresses the concatenation of `parts`. Level 0 means ours: 3 for gzip and its relatives, which gives 5 to 14 % more than the 6 of the Collector in a
 * third to a half of the time; 3 for zstd, which is smaller than either and twice as fast.
 */
export function encodeBody(parts: readonly Uint8Array[], sizeBytes: number, coding: ContentCoding, level = 0): Buffer | Promise<Buffer> {
  const bytes = parts.length === 1 ? parts[0]! : Buffer.concat(parts, sizeBytes);
  if (coding === 'snappy') return asBuffer(snappyEncode(bytes));
  if (coding === 'x-snappy-framed') return encodeSnappyFrames(bytes);
  if (coding === 'lz4') return trim(encodeLz4(bytes));
  const chunkSize = Math.max(MIN_CHUNK, (sizeBytes >> 1) + 64);
  if (coding === 'zstd') {
    const options = { chunkSize, params: { [zlib.constants.ZSTD_c_compressionLevel]: level === 0 ? 3 : level } };
    return sizeBytes < ASYNC_ENCODE_BYTES ? trim(zlib.zstdCompressSync(bytes, options)) : zstd(bytes, options).then(trim);
  }
  const options = {
    chunkSize,
    level: level === 0 ? 3 : level === -2 ? zlib.constants.Z_DEFAULT_COMPRESSION : level,
    strategy: level === -2 ? zlib.constants.Z_HUFFMAN_ONLY : zlib.constants.Z_DEFAULT_STRATEGY,
  };
  if (sizeBytes < ASYNC_ENCODE_BYTES) return trim(coding === 'gzip' ? zlib.gzipSync(bytes, options) : zlib.deflateSync(bytes, options));
  return (coding === 'gzip' ? gzip(bytes, options) : deflate(bytes, options)).then(trim);
}
