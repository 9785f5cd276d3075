/**
 * One file of the log: records that were appended, each with any number of puts and deletes that hold together.
 *
 *   file    "PSTK" version u32, then records
 *   record  crc u32 | size u32 | entries                     crc of the entries' part that follows `size`
 *   entries count u32, then per entry: key size u16, key, value size u32 (0xffffffff deletes), crc of the value u32
 *   values  one after the other, behind the entries; not part of `size`
 *
 * All numbers are little endian, checksums CRC32C. Opening reads entries and skips values; a value's checksum is compared when it is read.
 */
import fs from 'node:fs';
import { CorruptError } from '#src/core/errors.ts';
import { crc32c } from '#src/wire/crc32c.ts';

export const HEADER = Buffer.from([0x50, 0x53, 0x54, 0x4b, 1, 0, 0, 0]);
const DELETED = 0xffffffff;
/** More than any sane batch; a larger size in a file is damage. */
const MAX_ENTRIES_SIZE = 64 << 20;

/** Values up to this size are read many at once where they are read in the order they were written, as a queue does. */
const SMALL_BYTES = 32 << 10;
const AHEAD_BYTES = 256 << 10;
/** Between two values lies the head of a record. */
const MAX_GAP_BYTES = 4096;

export interface Change {
  readonly key: string;
  readonly value: Uint8Array | null;
}

/** Where a value lies. */
export interface Place {
  readonly segment: Segment;
  readonly offset: number;
  readonly size: number;
  readonly crc: number;
}

export class Segment {
  readonly number: number;
  readonly path: string;
  descriptor: number;
  size: number;
  /** Bytes of values that are still current. */
  liveBytes = 0;
  liveCount = 0;
  /** Bytes in the middle could not be read: the file is kept aside when it is done with. */
  damaged = false;
  #readers = 0;
  #closing = false;
  /** Where the last value ended that was read, and what was read ahead from there. */
  #lastEnd = 0;
  #aheadAt = 0;
  #aheadEnd = 0;
  #ahead: Promise<Buffer> | null = null;

  constructor(number: number, path: string, descriptor: number, size: number) {
    this.number = number;
    this.path = path;
    this.descriptor = descriptor;
    this.size = size;
  }

  /** Throws CorruptError where the bytes are not those that were written. */
  async read({ offset, size, crc }: Place): Promise<Uint8Array> {
    const inOrder = offset >= this.#lastEnd && offset - this.#lastEnd <= MAX_GAP_BYTES;
    this.#lastEnd = offset + size;
    const bytes = size <= SMALL_BYTES && inOrder ? await this.#readAhead(offset, size) : await this.#readAt(offset, size);
    const computed = crc32c(bytes) >>> 0;
    if (computed !== crc) throw new CorruptError(`${this.path} at offset ${offset}: value checksum is ${crc.toString(16)}, computed ${computed.toString(16)}`);
    return bytes;
  }

  /** A copy out of what was read ahead. What is written does not change any more, so that may be as old as it likes. */
  async #readAhead(offset: number, size: number): Promise<Buffer> {
    if (this.#ahead === null || offset < this.#aheadAt || offset + size > this.#aheadEnd) {
      this.#aheadAt = offset;
      this.#aheadEnd = Math.min(this.size, offset + AHEAD_BYTES);
      this.#ahead = this.#readAt(offset, this.#aheadEnd - offset);
    }
    const ahead = this.#ahead,
      start = offset - this.#aheadAt;
    try {
      return Buffer.from((await ahead).subarray(start, start + size));
    } catch (error) {
      if (this.#ahead === ahead) this.#ahead = null;
      throw error;
    }
  }

  async #readAt(offset: number, size: number): Promise<Buffer> {
    const bytes = Buffer.allocUnsafeSlow(size);
    this.#readers++;
    try {
      for (let done = 0; done < size; ) {
        const count = await new Promise<number>((resolve, reject) => {
          fs.read(this.descriptor, bytes, done, size - done, offset + done, (error, n) => (error ? reject(error) : resolve(n)));
        });
        if (count === 0) throw new CorruptError(`${this.path} at offset ${offset}: the value ends after ${done} of ${size} bytes`);
        done += count;
      }
    } finally {
      this.#readers--;
      if (this.#closing && this.#readers === 0) fs.closeSync(this.descriptor);
    }
    return bytes;
  }

  /** The file by its path, which another descriptor has written. Nobody reads yet. */
  reopen(): void {
    fs.closeSync(this.descriptor);
    this.descriptor = fs.openSync(this.path, 'r+');
  }

  /** Reads that are under way end first. */
  close(): void {
    if (this.#closing) return;
    this.#closing = true;
    if (this.#readers === 0) fs.closeSync(this.descriptor);
  }
}

/** The parts of a record, to be written one after the other; `places` gets where each value will lie, the record beginning at `start`, or null for a deletion. */
export function encodeRecord(changes: readonly Change[], segment: Segment, start: number, places: (Place | null)[]): Buffer[] {
  const keys = changes.map((change) => Buffer.from(change.key));
  let size = 4;
  for (const key of keys) size += 2 + key.length + 8;
  const head = Buffer.allocUnsafe(8 + size),
    parts: Buffer[] = [head];
  head.writeUInt32LE(size, 4);
  head.writeUInt32LE(changes.length, 8);
  let at = 12,
    valueAt = start + head.length;
  changes.forEach((change, i) => {
    const key = keys[i]!,
      value = change.value;
    if (key.length > 0xffff) throw new RangeError(`a storage key has ${key.length} bytes; 65535 are the most`);
    at = head.writeUInt16LE(key.length, at);
    at += key.copy(head, at);
    at = head.writeUInt32LE(value === null ? DELETED : value.length, at);
    const crc = value === null ? 0 : crc32c(value) >>> 0;
    at = head.writeUInt32LE(crc, at);
    places.push(value === null ? null : { segment, offset: valueAt, size: value.length, crc });
    if (value === null) return;
    valueAt += value.length;
    if (value.length > 0) parts.push(Buffer.from(value.buffer, value.byteOffset, value.length));
  });
  head.writeUInt32LE(crc32c(head.subarray(8)) >>> 0, 0);
  return parts;
}

/**
 * Calls `visit` for each entry of a segment, oldest first, and returns the offset behind the last whole record. `checkValues`: a record counts
 * as whole only if its values' checksums agree; for the file that was written last, whose end may be torn.
 */
export function scanSegment(segment: Segment, checkValues: boolean, visit: (key: string, place: Place | null) => void): number {
  const { descriptor, size } = segment,
    head = Buffer.alloc(8);
  let at = HEADER.length;
  while (at + 12 <= size) {
    if (fs.readSync(descriptor, head, 0, 8, at) < 8) return at;
    const entriesSize = head.readUInt32LE(4);
    if (entriesSize < 4 || entriesSize > MAX_ENTRIES_SIZE || at + 8 + entriesSize > size) return at;
    const entries = Buffer.allocUnsafe(entriesSize);
    if (fs.readSync(descriptor, entries, 0, entriesSize, at + 8) < entriesSize || crc32c(entries) >>> 0 !== head.readUInt32LE(0)) return at;
    const found = parseEntries(segment, entries, at + 8 + entriesSize);
    if (found === null || found.end > size) return at;
    if (checkValues && !found.items.every(({ place }) => place === null || valueAgrees(descriptor, place))) return at;
    for (const { key, place } of found.items) visit(key, place);
    at = found.end;
  }
  return at;
}

function parseEntries(segment: Segment, entries: Buffer, valuesAt: number): { items: { key: string; place: Place | null }[]; end: number } | null {
  const items: { key: string; place: Place | null }[] = [];
  let at = 4,
    end = valuesAt;
  for (let left = entries.readUInt32LE(0); left > 0; left--) {
    if (at + 2 > entries.length) return null;
    const keySize = entries.readUInt16LE(at);
    if (at + 2 + keySize + 8 > entries.length) return null;
    const key = entries.toString('utf8', at + 2, at + 2 + keySize);
    at += 2 + keySize;
    const size = entries.readUInt32LE(at),
      crc = entries.readUInt32LE(at + 4);
    at += 8;
    items.push({ key, place: size === DELETED ? null : { segment, offset: end, size, crc } });
    if (size !== DELETED) end += size;
  }
  return { items, end };
}

function valueAgrees(descriptor: number, place: Place): boolean {
  const bytes = Buffer.allocUnsafe(place.size);
  return fs.readSync(descriptor, bytes, 0, place.size, place.offset) === place.size && crc32c(bytes) >>> 0 === place.crc;
}
