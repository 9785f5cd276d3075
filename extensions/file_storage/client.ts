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
import { syncDirectory } from '#src/core/sync_directory.ts';
import type { Log } from '#src/core/telemetry.ts';
import { moveFile, removeUnfinished, sync, UNFINISHED, writeParts } from './files.ts';
import { type Change, encodeRecord, HEADER, type Place, Segment, scanSegment } from './segment.ts';

const MIN_SEGMENT = 1 << 20,
  MAX_SEGMENT = 64 << 20;
/** Changes that are written together. */
const MAX_GROUP = 512;
/** Values that are moved in one go: memory for a moment. */
const MOVE_BYTES = 4 << 20;

export interface LogStoreOptions {
  /** Writes are on the disk before apply() settles. Deletions alone are not waited for: at worst they are undone. */
  readonly fsync: boolean;
  readonly log: Log;
  readonly onClose?: () => void;
  /** Where a compaction writes before its file takes its place; the folder itself where absent. */
  readonly compactionFolder?: string | undefined;
  /** Values that a compaction moves in one record; 0: as many as fit. */
  readonly maxTransactionSize?: number;
}

interface Update {
  readonly key: string;
  readonly place: Place | null;
}
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
  readonly #compactionFolder: string;
  readonly #maxMoved: number;
  readonly #places = new Map<string, Place>();
  #segments: Segment[] = [];
  #pending: Pending[] = [];
  #writing: Promise<void> | null = null;
  #closed = false;

  private constructor(folder: string, options: LogStoreOptions) {
    this.folder = folder;
    this.#fsync = options.fsync;
    this.#log = options.log;
    this.#onClose = options.onClose ?? (() => {});
    this.#compactionFolder = options.compactionFolder ?? folder;
    this.#maxMoved = options.maxTransactionSize || Number.POSITIVE_INFINITY;
  }

  /** The folder exists. Damaged files are set aside, never fatal. */
  static open(folder: string, options: LogStoreOptions): LogStore {
    const store = new LogStore(folder, options);
    removeUnfinished(folder);
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
      syncDirectory(this.folder);
    }
    this.#segments.push(new Segment(number, file, descriptor, HEADER.length));
  }

  /** What the files take, and what of it is current. */
  get usage(): { readonly totalBytes: number; readonly liveBytes: number } {
    return { totalBytes: this.#segments.reduce((sum, segment) => sum + segment.size, 0), liveBytes: this.#liveBytes };
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
    return keys.some((key) => /[\ud800-\udfff]/.test(key)) ? keys.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))) : keys.sort();
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
        const group = this.#pending.splice(0, MAX_GROUP);
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
    const changes = group.map((pending) => pending.changes);
    const updates = await this.#append(this.#segments.at(-1)!, changes);
    for (const { key, place } of updates) this.#place(key, place);
    await this.#tidy();
  }

  /** A record for each of the lists, at the end of the segment. */
  async #append(segment: Segment, records: readonly (readonly Change[])[]): Promise<Update[]> {
    const parts: Buffer[] = [],
      places: (Place | null)[] = [];
    let at = segment.size;
    for (const changes of records) {
      for (const part of encodeRecord(changes, segment, at, places)) {
        parts.push(part);
        at += part.length;
      }
    }
    try {
      await writeParts(segment.descriptor, parts, segment.size);
      if (this.#fsync && places.some((place) => place !== null)) await sync(segment.descriptor);
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
    return records.flat().map(({ key }, i) => ({ key, place: places[i]! }));
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
    for (const { key, place } of await this.#copy(oldest, this.#segments.at(-1)!)) this.#place(key, place);
    this.#dropDead();
  }

  /** Writes the current values of a segment once more at the end of `target`; where they are then is for the caller to note. */
  async #copy(from: Segment, target: Segment): Promise<Update[]> {
    const updates: Update[] = [];
    const keys: string[] = [];
    for (const [key, place] of this.#places) if (place.segment === from) keys.push(key);
    let changes: Change[] = [],
      bytes = 0;
    const flush = async (): Promise<void> => {
      if (changes.length === 0) return;
      updates.push(...(await this.#append(target, [changes])));
      changes = [];
      bytes = 0;
    };
    for (const key of keys) {
      const place = this.#places.get(key)!;
      try {
        const value = await from.read(place);
        changes.push({ key, value });
        bytes += value.length;
      } catch (error) {
        this.#log.warn('A stored value is damaged and is dropped.', { key, error: (error as Error).message });
        from.damaged = true;
        this.#place(key, null);
      }
      if (bytes >= MOVE_BYTES || changes.length >= this.#maxMoved) await flush();
    }
    await flush();
    return updates;
  }

  #dropDead(): void {
    while (this.#segments.length > 1 && this.#segments[0]!.liveCount === 0) {
      const segment = this.#segments.shift()!;
      segment.close();
      if (segment.damaged) this.#setAside(segment.path, 'parts of it are damaged');
      else fs.rmSync(segment.path, { force: true });
    }
  }

  /** What is current goes into a file of its own, and all others go, unless less than a fifth of them is garbage. */
  async compact(): Promise<void> {
    while (this.#writing !== null) await this.#writing;
    if (this.#closed || this.#liveBytes * 5 > this.usage.totalBytes * 4) return;
    this.#writing = (async () => {
      try {
        await this.#moveAll();
      } finally {
        // What was asked for meanwhile.
        this.#writing = this.#pending.length > 0 ? this.#writeAll() : null;
      }
    })();
    await this.#writing;
  }

  /** The new file gets its name when it is whole, and the old ones go after that: a crash in between leaves the same values twice. */
  async #moveAll(): Promise<void> {
    const old = this.#segments,
      number = old.at(-1)!.number + 1;
    const unfinished = path.join(this.#compactionFolder, `${UNFINISHED}${process.pid}-${path.basename(this.folder)}`);
    const updates: Update[] = [];
    const target = new Segment(number, this.#pathOf(number), fs.openSync(unfinished, 'w+', 0o600), HEADER.length);
    try {
      fs.writeSync(target.descriptor, HEADER, 0, HEADER.length, 0);
      for (const segment of old) updates.push(...(await this.#copy(segment, target)));
      await sync(target.descriptor);
      await moveFile(unfinished, target.path);
      if (this.#fsync) syncDirectory(this.folder);
    } catch (error) {
      target.close();
      fs.rmSync(unfinished, { force: true });
      throw error;
    }
    // After a move to another disk the descriptor is still that of the file over there.
    target.reopen();
    this.#segments = [...old, target];
    for (const { key, place } of updates) this.#place(key, place);
    this.#dropDead();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    while (this.#writing !== null) await this.#writing;
    for (const segment of this.#segments) segment.close();
    this.#onClose();
  }
}
