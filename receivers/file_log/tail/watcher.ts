/**
 * Which files there are and which of them have something to read. A path leads to a file by device and inode, a new path by the file's first
 * bytes: so renamed and copied files are recognized, also after a restart. Idle files cost one stat a poll, and fewer the longer they rest.
 */
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import type { Log } from '#src/core/telemetry.ts';
import type { FileFinder } from './glob.ts';
import type { Ordering } from './ordering.ts';
import { isGzipFile, nodeOf, readFingerprint, startsWith, TailedFile } from './tailed_file.ts';

export interface WatchConfig {
  readonly fingerprintSize: number;
  readonly pollMs: number;
  readonly maxOpenFiles: number;
  /** Paths looked at in one poll; 0 for all. */
  readonly maxPathsPerPoll: number;
  readonly excludeOlderThanMs: number;
  readonly onTruncate: 'ignore' | 'read_whole_file' | 'read_new';
  readonly compression: '' | 'gzip' | 'auto';
}

/** A path that matches. */
interface Place {
  readonly path: string;
  node: string;
  size: number;
  changedMs: number;
  /** Null: empty, unreadable, or the same content as another file. */
  file: TailedFile | null;
  lastChangeMs: number;
  nextLookMs: number;
  seen: number;
}

/** A file whose path is gone is read on for so long: writers take a moment to notice a rotation. */
const LINGER_MS = 2000;
/** A file that vanished and comes back under another name or with the same start is recognized for so long. */
const REMEMBER_MS = 10_000;
/** The longest pause between two looks at a file that rests. */
const MAX_PAUSE_MS = 1000;
const MAX_REMEMBERED = 10_000;

export class Watcher {
  readonly #finder: FileFinder;
  readonly #ordering: Ordering | null;
  readonly #config: WatchConfig;
  readonly #log: Log;
  readonly #places = new Map<string, Place>();
  /** All files that are known: with a path, lost, or from storage. */
  readonly files = new Set<TailedFile>();
  /** Files whose content moved on and that are forgotten now; whoever keeps checkpoints takes them from here. */
  readonly forgotten: TailedFile[] = [];
  readonly #complained = new Set<string>();
  #fromStart: boolean;
  #round = 0;
  #cursor = 0;

  constructor(finder: FileFinder, ordering: Ordering | null, config: WatchConfig, fromStart: boolean, log: Log) {
    this.#finder = finder;
    this.#ordering = ordering;
    this.#config = config;
    this.#fromStart = fromStart;
    this.#log = log;
  }

  /** Files from storage: known, but without a path until one shows their content. */
  restore(files: readonly TailedFile[], nowMs: number): void {
    for (const file of files) {
      file.lostMs = nowMs;
      this.files.add(file);
    }
    if (files.length > 0) this.#fromStart = true;
  }

  /** The files that may have something to read, those that lost their path first. */
  poll(nowMs: number): TailedFile[] {
    const paths = this.#ordering === null ? this.#finder.find() : this.#ordering.apply(this.#finder.find());
    const round = ++this.#round,
      ready = new Set<TailedFile>(),
      fresh: [Place, fs.Stats][] = [];
    const replaced: TailedFile[] = [];
    let looked = 0;
    const limit = this.#config.maxPathsPerPoll,
      first = limit > 0 && paths.length > limit ? this.#cursor % paths.length : 0;
    for (let i = 0; i < paths.length; i++) {
      const path = paths[(first + i) % paths.length]!;
      const place = this.#places.get(path);
      if (limit > 0 && looked >= limit) {
        if (place !== undefined) place.seen = round;
        continue;
      }
      looked++;
      if (place !== undefined && nowMs < place.nextLookMs) {
        place.seen = round;
        continue;
      }
      this.#look(path, place, round, nowMs, ready, fresh, replaced);
    }
    this.#cursor = first + looked;
    for (const [path, place] of this.#places) {
      if (place.seen === round) continue;
      this.#places.delete(path);
      if (place.file !== null) replaced.push(place.file);
    }
    for (const file of replaced) this.#lose(file, nowMs);
    // A copy that was left alone because of its original may now be the one that goes on.
    if (replaced.length > 0) this.#reconsiderCopies(fresh);
    for (const [place, status] of fresh) this.#identify(place, status, nowMs, ready);
    this.#fromStart = true;
    const lost = this.#lingering(nowMs);
    // What goes on before what begins: after a rotation the old lines are older.
    const begun = [...ready].filter((file) => file.offset > 0),
      fromTop = [...ready].filter((file) => file.offset === 0);
    return [...lost, ...begun, ...fromTop];
  }

  #reconsiderCopies(fresh: [Place, fs.Stats][]): void {
    const known = new Set(fresh.map(([place]) => place));
    for (const place of this.#places.values()) {
      if (place.file !== null || place.size <= 0 || known.has(place)) continue;
      const status = fs.statSync(place.path, { throwIfNoEntry: false });
      if (status !== undefined && nodeOf(status) === place.node) fresh.push([place, status]);
    }
  }

  /** One stat of one path: idle, changed, replaced or new. */
  #look(
    path: string,
    known: Place | undefined,
    round: number,
    nowMs: number,
    ready: Set<TailedFile>,
    fresh: [Place, fs.Stats][],
    replaced: TailedFile[],
  ): void {
    let status: fs.Stats | undefined;
    try {
      status = fs.statSync(path, { throwIfNoEntry: false });
    } catch {
      return; // No right to look: as if it were not there.
    }
    if (status === undefined || !status.isFile()) return;
    if (this.#config.excludeOlderThanMs > 0 && nowMs - status.mtimeMs > this.#config.excludeOlderThanMs) return;
    const node = nodeOf(status);
    if (known === undefined) {
      const place: Place = { path, node, size: status.size, changedMs: status.mtimeMs, file: null, lastChangeMs: nowMs, nextLookMs: 0, seen: round };
      this.#places.set(path, place);
      fresh.push([place, status]);
      return;
    }
    known.seen = round;
    if (known.node === node && known.size === status.size && known.changedMs === status.mtimeMs) {
      if (known.file !== null && (known.file.waitingSize > 0 || known.file.unread)) ready.add(known.file);
      // The longer it rests, the rarer the looks: a tenth of its rest, at most a second.
      else known.nextLookMs = nowMs + Math.min(MAX_PAUSE_MS, (nowMs - known.lastChangeMs) / 10) - this.#config.pollMs / 2;
      return;
    }
    const sameNode = known.node === node,
      shrank = status.size < known.size;
    known.node = node;
    known.size = status.size;
    known.changedMs = status.mtimeMs;
    known.lastChangeMs = nowMs;
    known.nextLookMs = 0;
    const file = known.file;
    if (file !== null && sameNode && this.#isSame(file, status, shrank)) {
      ready.add(file);
      return;
    }
    if (file !== null) replaced.push(file);
    known.file = null;
    fresh.push([known, status]);
  }

  /** Whether a file that changed still begins as it did; also takes care of one that was cut. */
  #isSame(file: TailedFile, status: fs.Stats, shrank: boolean): boolean {
    try {
      file.open();
      const start = readFingerprint(file.descriptor, this.#config.fingerprintSize, file.isGzip);
      if (!startsWith(start, file.fingerprint)) {
        file.close(); // Its bytes are gone: nothing to linger for.
        return false;
      }
    } catch {
      file.close();
      return false;
    }
    if (shrank && !file.isGzip && status.size < file.offset) {
      if (this.#config.onTruncate === 'read_whole_file') this.#seek(file, 0);
      else if (this.#config.onTruncate === 'read_new') this.#seek(file, status.size);
    }
    return true;
  }

  #seek(file: TailedFile, offset: number): void {
    file.offset = file.committed = offset;
    file.dirty = true;
  }

  /** Finds out which file a new path leads to. */
  #identify(place: Place, status: fs.Stats, nowMs: number, ready: Set<TailedFile>): void {
    let descriptor = -1;
    try {
      descriptor = fs.openSync(place.path, 'r');
      this.#complained.delete(place.path);
      const gzip = this.#config.compression === 'gzip' || (this.#config.compression === 'auto' && isGzipFile(descriptor));
      const fingerprint = readFingerprint(descriptor, this.#config.fingerprintSize, gzip);
      const file = fingerprint.length === 0 ? null : this.#claim(place, fingerprint, gzip);
      if (file === null) return;
      if (!this.files.has(file)) {
        file.isGzip = gzip;
        if (!this.#fromStart) file.offset = file.committed = status.size;
        this.files.add(file);
        this.#log.info('Started watching file.', { path: place.path });
      } else if (gzip !== file.isGzip) {
        // Rotated into an archive: the old place counts bytes of the text.
        file.skipDecompressed = gzip ? file.offset : 0;
        file.isGzip = gzip;
        this.#seek(file, 0);
        file.close();
      }
      if (file.path !== place.path) file.dirty = true;
      file.path = place.path;
      file.node = place.node;
      file.lostMs = 0;
      file.lastGrowthMs = nowMs;
      place.file = file;
      if (file.descriptor < 0) {
        file.descriptor = descriptor;
        descriptor = -1;
      }
      ready.add(file);
    } catch (error) {
      if (!this.#complained.has(place.path)) this.#log.warn('Failed to open file.', { path: place.path, error: (error as Error).message });
      this.#complained.add(place.path);
      place.nextLookMs = nowMs + MAX_PAUSE_MS;
      place.size = -1; // Looks like a change the next time.
    } finally {
      if (descriptor >= 0) fs.closeSync(descriptor);
    }
  }

  /** The known file with that start, a new one, or null where another path has the same content. */
  #claim(place: Place, fingerprint: Buffer, gzip: boolean): TailedFile | null {
    let best: TailedFile | null = null;
    for (const file of this.files) {
      if (file.fingerprint.length === 0 || !startsWith(fingerprint, file.fingerprint.subarray(0, this.#config.fingerprintSize))) continue;
      // A file that still has a path keeps its identity; a second one with the same bytes is a copy in the making.
      if (file.lostMs === 0) {
        if (file.fingerprint.length === fingerprint.length && file.node !== place.node) return null;
        if (file.node !== place.node) continue;
        return null; // A second name of the same file.
      }
      if (file.node === place.node && file.isGzip === gzip) return file;
      if (best === null || file.fingerprint.length > best.fingerprint.length) best = file;
    }
    return best ?? new TailedFile(randomBytes(9).toString('base64url'), place.path, place.node, fingerprint);
  }

  #lose(file: TailedFile, nowMs: number): void {
    if (file.lostMs === 0) file.lostMs = nowMs;
  }

  /** Lost files that are read on; those lost for long are closed, and forgotten at last. */
  #lingering(nowMs: number): TailedFile[] {
    const lingering: TailedFile[] = [];
    for (const file of this.files) {
      if (file.lostMs === 0) continue;
      const since = nowMs - file.lostMs;
      if (file.descriptor >= 0) {
        lingering.push(file);
        if (since > LINGER_MS && file.waitingSize === 0 && !file.unread) file.close();
      } else if (since > REMEMBER_MS || this.files.size > MAX_REMEMBERED) {
        this.files.delete(file);
        this.forgotten.push(file);
      }
    }
    return lingering;
  }

  /** Whether the path still leads to the file, and there is nothing behind what was read. */
  isWhole(file: TailedFile): boolean {
    const status = fs.statSync(file.path, { throwIfNoEntry: false });
    return status !== undefined && nodeOf(status) === file.node && status.size === file.offset;
  }

  /** A file that was deleted: another one may begin with the same bytes. */
  drop(file: TailedFile): void {
    file.close();
    this.files.delete(file);
    this.forgotten.push(file);
    for (const [path, place] of this.#places) if (place.file === file) this.#places.delete(path);
  }

  /** After reading: with more files than may be open, none stays open. */
  release(file: TailedFile): void {
    if (this.#places.size > this.#config.maxOpenFiles) file.close();
  }

  /** After reading: the fingerprint grows with the file until it is complete. */
  extend(file: TailedFile): void {
    if (file.fingerprint.length >= this.#config.fingerprintSize || file.descriptor < 0) return;
    const longer = readFingerprint(file.descriptor, this.#config.fingerprintSize, file.isGzip);
    if (longer.length <= file.fingerprint.length || !startsWith(longer, file.fingerprint)) return;
    file.fingerprint = longer;
    file.dirty = true;
  }

  close(): void {
    for (const file of this.files) file.close();
  }
}
