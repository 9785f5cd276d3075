/**
 * A file that grows: pieces are gathered in memory and written together, and the file is renamed and begun anew at a size. Synchronous: pieces are
 * large and the page cache takes them at once.
 */
import fs from 'node:fs';
import path from 'node:path';
import type { Config } from './config.ts';

/** Gathered up to this size before it is written. */
const CHUNK = 256 * 1024;
const DAY_MS = 86_400_000;

export class FileWriter {
  readonly #path: string;
  readonly #rotation: Config['rotation'];
  readonly #maxBytes: number;
  readonly #nowMs: () => number;
  #descriptor: number;
  #size = 0;
  #pending: Uint8Array[] = [];
  #pendingSize = 0;

  /** Throws the file system's error. */
  constructor(config: Config, nowMs: () => number) {
    this.#path = config.path;
    this.#rotation = config.rotation;
    this.#maxBytes = (config.rotation?.max_megabytes || 100) * 1024 * 1024;
    this.#nowMs = nowMs;
    this.#descriptor = fs.openSync(config.path, config.append || config.rotation !== undefined ? 'a' : 'w', 0o600);
    this.#size = fs.fstatSync(this.#descriptor).size;
  }

  /** The pieces stay together in one file. */
  write(pieces: readonly Uint8Array[]): void {
    let size = 0;
    for (const piece of pieces) size += piece.length;
    if (this.#rotation !== undefined && this.#size + this.#pendingSize + size > this.#maxBytes && this.#size + this.#pendingSize > 0) this.#rotate();
    this.#pending.push(...pieces);
    this.#pendingSize += size;
    if (this.#pendingSize >= CHUNK) this.flush();
  }

  flush(): void {
    if (this.#pendingSize === 0) return;
    const bytes = Buffer.concat(this.#pending, this.#pendingSize);
    this.#pending = [];
    this.#pendingSize = 0;
    for (let done = 0; done < bytes.length; ) done += fs.writeSync(this.#descriptor, bytes, done);
    this.#size += bytes.length;
  }

  close(): void {
    if (this.#descriptor < 0) return;
    this.flush();
    fs.closeSync(this.#descriptor);
    this.#descriptor = -1;
  }

  #rotate(): void {
    this.flush();
    fs.closeSync(this.#descriptor);
    const { dir, name, ext } = path.parse(this.#path);
    let atMs = this.#nowMs();
    let backup: string;
    do {
      backup = path.join(dir, `${name}-${this.#stamp(atMs)}${ext}`);
      atMs++; // Two in a millisecond.
    } while (fs.existsSync(backup));
    fs.renameSync(this.#path, backup);
    this.#descriptor = fs.openSync(this.#path, 'a', 0o600);
    this.#size = 0;
    this.#prune();
  }

  #stamp(ms: number): string {
    const shift = this.#rotation!.localtime ? new Date(ms).getTimezoneOffset() * 60_000 : 0;
    return new Date(ms - shift).toISOString().slice(0, -1).replaceAll(':', '-');
  }

  /** Deletes renamed files that are too many or too old; age is that of the name. */
  #prune(): void {
    const { dir, name, ext } = path.parse(this.#path),
      { max_backups: most, max_days: days, localtime } = this.#rotation!;
    const backups: { file: string; ms: number }[] = [];
    for (const entry of fs.readdirSync(dir === '' ? '.' : dir)) {
      if (!entry.startsWith(`${name}-`) || !entry.endsWith(ext)) continue;
      const stamp = /^(\d{4}-\d\d-\d\d)T(\d\d)-(\d\d)-(\d\d\.\d{3})$/.exec(entry.slice(name.length + 1, entry.length - ext.length));
      if (stamp === null) continue;
      backups.push({ file: path.join(dir, entry), ms: Date.parse(`${stamp[1]}T${stamp[2]}:${stamp[3]}:${stamp[4]}${localtime ? '' : 'Z'}`) });
    }
    backups.sort((a, b) => b.ms - a.ms);
    backups.forEach(({ file, ms }, i) => {
      if ((most > 0 && i >= most) || (days > 0 && this.#nowMs() - ms > days * DAY_MS)) fs.rmSync(file, { force: true });
    });
  }
}
