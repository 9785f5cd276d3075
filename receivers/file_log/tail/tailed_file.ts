/**
 * A file that is read, whatever it is called at the moment: known by its first bytes (the fingerprint), with the place up to which it was
 * read. Paths come and go; this object follows the content through renames, and into storage.
 */
import fs from 'node:fs';
import zlib from 'node:zlib';
import type { ValueMap } from '#receivers/file_log/value.ts';

export class TailedFile {
  /** Name in storage. */
  readonly id: string;
  fingerprint: Buffer;
  path: string;
  /** Device and inode as "dev:ino"; '' for a file known from storage only. */
  node: string;
  /** Everything before it is in a batch. */
  offset = 0;
  /** Everything before it was accepted by the next component. */
  committed = 0;
  recordNumber = 0;
  /** What the header lines gave; the header ends with the first line that is none. */
  headerAttributes: ValueMap = new Map();
  headerDone = false;
  isGzip = false;
  /** Bytes of the decompressed text that were read before the file was compressed. */
  skipDecompressed = 0;
  descriptor = -1;
  /** Bytes at the end that are no whole entry yet, and since when they have not changed. */
  waitingSize = 0;
  lastGrowthMs = 0;
  /** The end was not reached the last time. */
  unread = false;
  /** Milliseconds since 1970 when its path was found gone; 0 while it has one. */
  lostMs = 0;
  /** Differs from what storage has. */
  dirty = true;

  constructor(id: string, path: string, node: string, fingerprint: Buffer) {
    this.id = id;
    this.path = path;
    this.node = node;
    this.fingerprint = fingerprint;
  }

  /** Throws the file system's error. */
  open(): void {
    if (this.descriptor < 0) this.descriptor = fs.openSync(this.path, 'r');
  }

  close(): void {
    if (this.descriptor >= 0) fs.closeSync(this.descriptor);
    this.descriptor = -1;
  }
}

export function nodeOf(status: fs.Stats): string {
  return `${status.dev}:${status.ino}`;
}

export function isGzipFile(descriptor: number): boolean {
  const magic = Buffer.alloc(2);
  return fs.readSync(descriptor, magic, 0, 2, 0) === 2 && magic[0] === 0x1f && magic[1] === 0x8b;
}

/** The first bytes of a file, at most `size`; of the decompressed text where it is compressed. */
export function readFingerprint(descriptor: number, size: number, gzip: boolean): Buffer {
  const bytes = Buffer.alloc(gzip ? size + 4096 : size),
    count = fs.readSync(descriptor, bytes, 0, bytes.length, 0);
  if (!gzip) return bytes.subarray(0, count);
  try {
    // The end is cut off, which is no fault here.
    return Buffer.from(zlib.gunzipSync(bytes.subarray(0, count), { finishFlush: zlib.constants.Z_SYNC_FLUSH }).subarray(0, size));
  } catch {
    return Buffer.alloc(0);
  }
}

export function startsWith(bytes: Uint8Array, start: Uint8Array): boolean {
  return bytes.length >= start.length && Buffer.compare(bytes.subarray(0, start.length), start) === 0;
}
