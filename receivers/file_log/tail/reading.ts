/**
 * Reads a file from where it was left to its end, in large blocks, and hands over one entry after the other. The place moves only over whole
 * entries; an unfinished one at the end is taken once the file has rested for the flush period.
 */
import fs from 'node:fs';
import zlib from 'node:zlib';
import type { Splitter } from './split.ts';
import type { TailedFile } from './tailed_file.ts';

/** 256 KB a read: larger blocks were not faster, smaller ones cost calls. */
const BLOCK = 256 * 1024;
/** Bytes behind the data that may be read as part of a word. */
const SLACK = 8;
/** Bytes of one file before the next one has its turn. */
const TURN = 16 * 1024 * 1024;

/** Who takes entries. */
export interface EntryTaker {
  /** Entries of [from, end), as many as there are whole ones and as the batch has room for; returns where the next begins. May set `isFull`. */
  takeLines(file: TailedFile, bytes: Buffer, from: number, end: number, position: number): number;
  /** One entry; `position` is where `start` lies in the file. */
  take(file: TailedFile, bytes: Buffer, start: number, end: number, position: number): void;
  /** False: the line is not a header line. */
  takeHeader(file: TailedFile, line: string): boolean;
  /** takeLines can be used. */
  readonly hasFastLines: boolean;
  readonly hasHeader: boolean;
  /** The batch must go before more is taken. */
  readonly isFull: boolean;
  /** Settles when the batch was accepted; false: stop, the receiver is shutting down. */
  send(): Promise<boolean>;
}

export class FileReader {
  readonly #splitter: Splitter;
  readonly #taker: EntryTaker;
  readonly #flushMs: number;
  readonly #maxLogSize: number;
  #buffer = Buffer.allocUnsafeSlow(BLOCK * 2);

  constructor(splitter: Splitter, taker: EntryTaker, flushMs: number, maxLogSize: number) {
    this.#splitter = splitter;
    this.#taker = taker;
    this.#flushMs = flushMs;
    this.#maxLogSize = maxLogSize;
  }

  /** True where the file has more than one turn's worth. Throws the file system's error. */
  async read(file: TailedFile, nowMs: number): Promise<boolean> {
    file.unread = true; // Until the end is reached: a fault on the way is tried again.
    file.open();
    file.unread = file.isGzip ? await this.#readGzip(file) : await this.#readPlain(file, nowMs);
    return file.unread;
  }

  async #readPlain(file: TailedFile, nowMs: number): Promise<boolean> {
    let base = file.offset,
      at = 0,
      have = 0;
    for (let total = 0; ; ) {
      if (have + SLACK >= this.#buffer.length) this.#grow(have);
      const count = fs.readSync(file.descriptor, this.#buffer, have, Math.min(BLOCK, this.#buffer.length - SLACK - have), base + have);
      have += count;
      total += count;
      const atEnd = count === 0;
      const waiting = have - at;
      if (atEnd && waiting !== file.waitingSize) {
        file.waitingSize = waiting;
        file.lastGrowthMs = nowMs;
      }
      const flush = atEnd && (this.#splitter.encoding.raw || (this.#flushMs > 0 && nowMs - file.lastGrowthMs >= this.#flushMs));
      this.#splitter.reset();
      for (;;) {
        const next = this.#step(file, at, have, flush, base);
        if (next < 0) break;
        at = next;
        file.offset = base + at;
        if (this.#taker.isFull && !(await this.#taker.send())) return false;
      }
      if (atEnd) {
        file.waitingSize = have - at;
        return false;
      }
      if (at > 0) {
        this.#buffer.copyWithin(0, at, have);
        base += at;
        have -= at;
        at = 0;
      }
      if (total >= TURN) return true;
    }
  }

  /** Takes what can be taken at once from [at, have); returns where to go on, or -1 where nothing whole is left. */
  #step(file: TailedFile, at: number, have: number, flush: boolean, base: number): number {
    if (at >= have) return -1;
    const taker = this.#taker,
      splitter = this.#splitter,
      bytes = this.#buffer;
    const inHeader = taker.hasHeader && !file.headerDone;
    if (taker.hasFastLines && !inHeader) {
      const next = taker.takeLines(file, bytes, at, have, base + at);
      if (next > at) return next;
    }
    if (!splitter.next(bytes, at, have, flush)) return -1;
    const { start, end, advance } = splitter;
    if (inHeader) {
      if (taker.takeHeader(file, splitter.encoding.text(bytes, start, end))) return advance;
      file.headerDone = true;
      file.dirty = true;
      return at === 0 && advance === 0 ? -1 : this.#step(file, at, have, flush, base);
    }
    file.recordNumber++;
    if (end > start) taker.take(file, bytes, start, end, base + at);
    return advance > at ? advance : at + 1;
  }

  #grow(have: number): void {
    const most = this.#maxLogSize * 2 + BLOCK * 2;
    // An entry of the largest size fits twice: the splitter gives something before this ends.
    const grown = Buffer.allocUnsafeSlow(Math.min(Math.max(have * 2, BLOCK * 2), Math.max(most, have + BLOCK)));
    this.#buffer.copy(grown, 0, 0, have);
    this.#buffer = grown;
  }

  /** The compressed bytes from the last place on, as far as they are whole; an entry without its end is taken, too. */
  async #readGzip(file: TailedFile): Promise<boolean> {
    const size = fs.fstatSync(file.descriptor).size;
    file.waitingSize = 0;
    if (size <= file.offset) return false;
    const source = fs.createReadStream('', { fd: file.descriptor, autoClose: false, start: file.offset, end: size - 1, highWaterMark: BLOCK });
    const text = source.pipe(zlib.createGunzip());
    source.on('error', (error) => text.destroy(error));
    let have = 0,
      at = 0,
      position = 0,
      skip = file.skipDecompressed;
    const takeAll = async (flush: boolean): Promise<boolean> => {
      this.#splitter.reset();
      for (;;) {
        const next = this.#step(file, at, have, flush, position);
        if (next < 0) return true;
        at = next;
        if (this.#taker.isFull && !(await this.#taker.send())) return false;
      }
    };
    try {
      for await (const chunk of text as AsyncIterable<Buffer>) {
        const from = Math.min(skip, chunk.length);
        skip -= from;
        for (let given = from; given < chunk.length; ) {
          if (have + SLACK >= this.#buffer.length) this.#grow(have);
          const count = chunk.copy(this.#buffer, have, given, given + Math.min(chunk.length - given, this.#buffer.length - SLACK - have));
          given += count;
          have += count;
          if (!(await takeAll(false))) return false;
          if (at > 0) {
            this.#buffer.copyWithin(0, at, have);
            position += at;
            have -= at;
            at = 0;
          }
        }
      }
    } catch (error) {
      // Written only in part so far: begin again with the next growth. What was taken already comes twice, which at-least-once allows.
      if ((error as { code?: string }).code === 'Z_BUF_ERROR') return false;
      throw error;
    }
    if (!(await takeAll(true))) return false;
    file.skipDecompressed = 0;
    file.offset = size;
    return false;
  }
}
