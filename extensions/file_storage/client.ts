/**
 * A durable map of bytes in a folder: a log in segments. Memory holds the keys and where their values lie. Every change is appended; what is
 * pending when a write begins goes with it, and one fsync serves all. Old segments go away oldest first: when nothing in one is current any
 * more, or when more than half of everything is garbage, by writing its last current values again at the end.
 * Deletions of keys in older segments must outlive those, which is why a segment in the middle never goes first.
 */
import fs from 'node:fs';
import path from 'node:path';
import { CorruptError } from '#src/core/errors.ts';
import type { StorageClient } from '#src/core/storage.ts';
import type { Log } from '#src/core/telemetry.ts';
import { type Change, encodeRecord, HEADER, type Place, Segment, scanSegment } from './segment.ts';

const MIN_SEGMENT = 1 << 20,
  MAX_SEGMENT = 64 << 20;
const MAX_PARTS = 512;

interface Pending {
  readonly changes: readonly Change[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export class LogStore implements StorageClient {
  readonly folder: string;
  readonly #fsync: boolean;
  readonly #log: Log;
  readonly #onClose: () => void;
  readonly #places = new Map<string, Place>();
  #segments: Segment[] = [];
  #pending: Pending[] = [];
  #writing: Promise<void> | null = null;
  #closed = false;

  private constructor(folder: string, fsync: boolean, log: Log, onClose: () => void) {
    this.folder = folder;
    this.#fsync = fsync;
    this.#log = log;
    this.#onClose = onClose;
  }

  /** The folder exists. Damaged files are set aside, never fatal. */
  static open(folder: string, fsync: boolean, log: Log, onClose: () => void = () => {}): LogStore {
    const store = new LogStore(folder, fsync, log, onClose);
    const numbers = fs
      .readdirSync(folder)
      .map((name) => /^(\d{10})\.log$/.exec(name))
      .filter((match) => match !== null)
      .map((match) => Number(match[1]))
      .sort((a, b) => a - b);
    for (const number of numbers) store.#load(number, number === numbers.at(-1));
    if (store.#segments.length === 0) store.#begin(1 + (numbers.at(-1) ?? 0));
    return store;
  }

  #pathOf(number: number): string {
    return path.join(this.folder, `${String(number).padStart(10, '0')}.log`);
  }

  #load(number: number, isLast: boolean): void {
    const file = this.#pathOf(number),
      descriptor = fs.openSync(file, 'r+'),
      size = fs.fstatSync(descriptor).size,
      head = Buffer.alloc(HEADER.length);
    fs.readSync(descriptor, head, 0, HEADER.length, 0);
    if (!head.equals(HEADER)) {
      fs.closeSync(descriptor);
      // Empty or cut within the header: a crash right after it was made.
      if (isLast && size < HEADER.length) fs.rmSync(file);
      else this.#setAside(file, 'it does not begin as a storage file');
      return;
    }
    const segment = new Segment(number, file, descriptor, size);
    const end = scanSegment(segment, isLast, (key, place) => this.#place(key, place));
    if (end < size) {
      if (isLast) {
        fs.ftruncateSync(descriptor, end);
        segment.size = end;
        this.#log.warn('The end of a storage file was not written completely and is cut off.', { path: file, offset: end, bytes: size - end });
      } else {
        segment.damaged = true;
        this.#log.warn('A storage file is damaged; what lies behind the damage is lost.', { path: file, offset: end, bytes: size - end });
      }
    }
    this.#segments.push(segment);
  }

  #setAside(file: string, why: string): void {
    const aside = `${file}.corrupt`;
    fs.renameSync(file, aside);
    this.#log.warn('A storage file cannot be read and is set aside.', { path: file, aside, reason: why });
  }

  #begin(number: number): void {
    const file = this.#pathOf(number),
      descriptor = fs.openSync(file, 'wx+', 0o600);
    fs.writeSync(descriptor, HEADER, 0, HEADER.length, 0);
    if (this.#fsync) {
      fs.fsyncSync(descriptor);
      syncFolder(this.folder);
    }
    this.#segments.push(new Segment(number, file, descriptor, HEADER.length));
  }

  #place(key: string, place: Place | null): void {
    const old = this.#places.get(key);
    if (old !== undefined) {
      old.segment.liveBytes -= old.size;
      old.segment.liveCount--;
    }
    if (place === null) this.#places.delete(key);
    else {
      this.#places.set(key, place);
      place.segment.liveBytes += place.size;
      place.segment.liveCount++;
    }
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    for (;;) {
      const place = this.#places.get(key);
      if (place === undefined) return undefined;
      try {
        return await place.segment.read(place);
      } catch (error) {
        if (this.#places.get(key) !== place) continue; // Moved or replaced while it was read.
        if (!(error instanceof CorruptError)) throw error;
        this.#log.warn('A stored value is damaged and is dropped.', { key, error: error.message });
        place.segment.damaged = true;
        this.#place(key, null);
        return undefined;
      }
    }
  }

  async keys(): Promise<string[]> {
    const keys = Array.from(this.#places.keys());
    // Order of bytes: code points, which differs from that of UTF-16 beyond the basic plane only.
    return keys.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  }

  apply(changes: readonly Change[]): Promise<void> {
    if (this.#closed) return Promise.reject(new Error('the storage is closed'));
    if (changes.length === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#pending.push({ changes, resolve, reject });
      this.#writing ??= this.#writeAll();
    });
  }

  async #writeAll(): Promise<void> {
    try {
      // A turn of the event loop gathers what others are about to write.
      await new Promise((resolve) => setImmediate(resolve));
      while (this.#pending.length > 0) {
        const group = this.#pending.splice(0, MAX_PARTS);
        try {
          await this.#write(group);
          for (const { resolve } of group) resolve();
        } catch (error) {
          for (const { reject } of group) reject(error);
        }
      }
    } finally {
      this.#writing = null;
    }
  }

  async #write(group: readonly Pending[]): Promise<void> {
    const segment = this.#segments.at(-1)!,
      parts: Buffer[] = [],
      updates: { key: string; place: Place | null }[] = [];
    let at = segment.size;
    for (const { changes } of group) {
      const offsets: number[] = [],
        record = encodeRecord(changes, offsets);
      changes.forEach(({ key, value }, i) => {
        updates.push({ key, place: value === null ? null : { segment, offset: at + offsets[i]!, size: value.length, crc: crcOf(record, i) } });
      });
      for (const part of record) {
        parts.push(part);
        at += part.length;
      }
    }
    try {
      await writeParts(segment.descriptor, parts, segment.size);
      if (this.#fsync) await new Promise<void>((resolve, reject) => fs.fdatasync(segment.descriptor, (error) => (error ? reject(error) : resolve())));
    } catch (error) {
      // What arrived in part must not stand before the next record.
      try {
        fs.ftruncateSync(segment.descriptor, segment.size);
      } catch {
        // The next write fails too, then.
      }
      throw error;
    }
    segment.size = at;
    for (const { key, place } of updates) this.#place(key, place);
    await this.#tidy();
  }

  get #liveBytes(): number {
    let bytes = 0;
    for (const segment of this.#segments) bytes += segment.liveBytes;
    return bytes;
  }

  /** Begins a new segment where the last is large enough, drops the oldest where nothing in them is needed. */
  async #tidy(): Promise<void> {
    const live = this.#liveBytes,
      limit = Math.min(MAX_SEGMENT, Math.max(MIN_SEGMENT, live * 2));
    if (this.#segments.at(-1)!.size >= limit) this.#begin(this.#segments.at(-1)!.number + 1);
    this.#dropDead();
    const oldest = this.#segments[0]!,
      total = this.#segments.reduce((sum, segment) => sum + segment.size, 0);
    if (this.#segments.length < 2 || total <= MIN_SEGMENT || live * 2 > total) return;
    await this.#rewrite(oldest);
    this.#dropDead();
  }

  /** Current values of a segment, once more at the end. */
  async #rewrite(oldest: Segment): Promise<void> {
    const changes: Change[] = [];
    for (const [key, place] of this.#places) {
      if (place.segment !== oldest) continue;
      try {
        changes.push({ key, value: await oldest.read(place) });
      } catch (error) {
        this.#log.warn('A stored value is damaged and is dropped.', { key, error: (error as Error).message });
        oldest.damaged = true;
        this.#place(key, null);
      }
    }
    if (changes.length > 0) await this.#write([{ changes, resolve() {}, reject() {} }]);
  }

  #dropDead(): void {
    while (this.#segments.length > 1 && this.#segments[0]!.liveCount === 0) {
      const segment = this.#segments.shift()!;
      segment.close();
      if (segment.damaged) this.#setAside(segment.path, 'parts of it are damaged');
      else fs.rmSync(segment.path, { force: true });
    }
  }

  /** Rewrites everything that is garbage in older segments. */
  async compact(): Promise<void> {
    if (this.#segments.every((segment) => segment.liveBytes * 2 > segment.size)) return;
    while (this.#writing !== null) await this.#writing;
    this.#writing = (async () => {
      try {
        const last = this.#segments.at(-1)!;
        if (last.size > HEADER.length) this.#begin(last.number + 1);
        for (const segment of this.#segments.filter((candidate) => candidate.number <= last.number)) await this.#rewrite(segment);
        this.#dropDead();
      } finally {
        // What was asked for meanwhile.
        this.#writing = this.#pending.length > 0 ? this.#writeAll() : null;
      }
    })();
    await this.#writing;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    while (this.#writing !== null) await this.#writing;
    for (const segment of this.#segments) segment.close();
    this.#onClose();
  }
}

/** The value checksum of entry `index`, from the head of an encoded record. */
function crcOf(record: readonly Buffer[], index: number): number {
  const head = record[0]!;
  let at = 12;
  for (let i = 0; i < index; i++) at += 2 + head.readUInt16LE(at) + 8;
  return head.readUInt32LE(at + 2 + head.readUInt16LE(at) + 4);
}

async function writeParts(descriptor: number, parts: readonly Buffer[], position: number): Promise<void> {
  for (let i = 0, at = position; i < parts.length; i += MAX_PARTS) {
    const slice = parts.slice(i, i + MAX_PARTS),
      size = slice.reduce((sum, part) => sum + part.length, 0);
    const count = await new Promise<number>((resolve, reject) => {
      fs.writev(descriptor, slice, at, (error, n) => (error ? reject(error) : resolve(n)));
    });
    if (count < size) {
      // Rare: a signal or a full disk. The rest in one piece.
      const rest = Buffer.concat(slice).subarray(count);
      for (let done = 0; done < rest.length; ) done += fs.writeSync(descriptor, rest, done, rest.length - done, at + count + done);
    }
    at += size;
  }
}

function syncFolder(folder: string): void {
  const descriptor = fs.openSync(folder, 'r');
  try {
    fs.fsyncSync(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
}
