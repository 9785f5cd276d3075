/**
 * Cuts a file's bytes into entries: by line feed, by a pattern that starts or ends an entry, or not at all. Works on the bytes that were read
 * so far; what is not complete yet stays for the next time.
 */
import { compilePattern, type Pattern } from '#src/core/regexp/pattern.ts';
import type { Encoding } from './decode.ts';

export interface SplitConfig {
  readonly startPattern: string;
  readonly endPattern: string;
  readonly omitPattern: boolean;
  readonly keepLeading: boolean;
  readonly keepTrailing: boolean;
  readonly maxLogSize: number;
  readonly truncates: boolean;
}

/** Finds one entry at a time. The fields are valid after `next` returned true. */
export class Splitter {
  /** The entry is bytes [start, end); `advance` is where the next one begins. */
  start = 0;
  end = 0;
  advance = 0;
  /** A cut within a character or line: the rest of an overlong entry follows. */
  readonly encoding: Encoding;
  readonly #config: SplitConfig;
  readonly #pattern: Pattern | null;
  readonly #byStart: boolean;
  /** The pattern asks what stands before a place. */
  readonly #looksBack: boolean;
  /** Text of the bytes that were searched last, one character a unit, and which bytes those were. */
  #text = '';
  #textStart = -1;
  #textEnd = -1;

  /** Throws an Error for the user. */
  constructor(config: SplitConfig, encoding: Encoding) {
    this.encoding = encoding;
    this.#config = config;
    if (config.startPattern !== '' && config.endPattern !== '') throw new Error('only one of line_start_pattern or line_end_pattern can be set');
    const name = config.startPattern !== '' ? 'line_start_pattern' : 'line_end_pattern',
      source = config.startPattern || config.endPattern;
    if (source !== '' && encoding.raw) throw new Error(`${name} should not be set when using nop encoding`);
    this.#byStart = config.startPattern !== '';
    this.#looksBack = /(?:^|[^[\\])\^|\\[bBA]/.test(source);
    try {
      // Patterns run over single bytes, so letters beyond ASCII are written in theirs; UTF-16 is searched by unit.
      this.#pattern = source === '' ? null : compilePattern(`(?m)${encoding.unit === 2 ? source : Buffer.from(source).toString('latin1')}`);
    } catch (error) {
      throw new Error(`compile line ${this.#byStart ? 'start' : 'end'} regex: ${(error as Error).message}`);
    }
  }

  /** Whether entries end at line feeds and nothing else: the fast path's condition. */
  get isPlain(): boolean {
    return this.#pattern === null && this.encoding.unit === 1 && !this.encoding.raw;
  }

  /** Forgets the searched text: the bytes of the buffer have moved. */
  reset(): void {
    this.#textStart = -1;
  }

  /** The next entry in [from, end). `flush`: nothing more is expected, what is left is an entry. False: more bytes are needed. */
  next(bytes: Buffer, from: number, end: number, flush: boolean): boolean {
    const max = this.#config.maxLogSize;
    if (!this.#find(bytes, from, end)) {
      if (end - from >= max && (end - from > max || flush)) {
        // No end in sight: a piece of the largest size is an entry of its own.
        if (this.#config.truncates) return this.#overlong(bytes, from, end, flush);
        this.start = from;
        this.end = this.advance = from + max;
      } else {
        if (!flush || end === from) return false;
        this.start = from;
        this.end = this.advance = end;
      }
    } else if (this.end - this.start > max) {
      this.end = this.start + max;
      // Counted from where the search began: what omit_pattern left out is in the next piece once more, as in the Collector.
      if (!this.#config.truncates) this.advance = from + max;
    }
    this.#trim(bytes);
    return true;
  }

  /** Truncating needs the entry's end before it can go on; a limit keeps it from waiting with too much in memory. */
  #overlong(bytes: Buffer, from: number, end: number, flush: boolean): boolean {
    if (!flush && end - from < this.#config.maxLogSize * 2 + 65_536) return false;
    this.start = from;
    this.end = from + this.#config.maxLogSize;
    this.advance = end;
    this.#trim(bytes);
    return true;
  }

  #find(bytes: Buffer, from: number, end: number): boolean {
    if (this.encoding.raw) return false;
    if (this.#pattern !== null) return this.#byStart ? this.#findStart(bytes, from, end) : this.#findEnd(bytes, from, end);
    const unit = this.encoding.unit;
    let at = bytes.indexOf(10, from);
    if (unit === 2) {
      // The other byte of the unit must be zero and the unit must begin at an even distance.
      const isFeed = (place: number): boolean =>
        this.encoding.bigEndian ? ((place - from) & 1) === 1 && bytes[place - 1] === 0 : ((place - from) & 1) === 0 && bytes[place + 1] === 0;
      while (at >= 0 && at < end && !isFeed(at)) at = bytes.indexOf(10, at + 1);
      if (at >= 0 && this.encoding.bigEndian) at--;
    }
    if (at < 0 || at + unit > end) return false;
    this.start = from;
    this.advance = at + unit;
    this.end = at;
    const last = at - unit,
      isReturn =
        at - from >= unit &&
        (unit === 1 ? bytes[last] === 13 : bytes[last + (this.encoding.bigEndian ? 1 : 0)] === 13 && bytes[last + (this.encoding.bigEndian ? 0 : 1)] === 0);
    if (isReturn) this.end = last;
    return true;
  }

  /** Place of a match as positions in bytes, or null. */
  #search(bytes: Buffer, from: number, end: number, at: number): { start: number; end: number } | null {
    const unit = this.encoding.unit;
    if (this.#textStart < 0 || from < this.#textStart || end !== this.#textEnd || ((from - this.#textStart) & (unit - 1)) !== 0) {
      this.#text = unit === 2 ? this.encoding.text(bytes, from, end) : bytes.latin1Slice(from, end);
      this.#textStart = from;
      this.#textEnd = end;
    }
    const skipped = (from - this.#textStart) / unit;
    if (this.#looksBack && skipped > 0 && this.#text.charCodeAt(skipped - 1) !== 10) {
      // Within a line, after another entry: for "^" and its like the text begins here.
      const match = this.#pattern!.exec(this.#text.slice(skipped), (at - from) / unit);
      return match === null ? null : { start: from + match.index * unit, end: from + match.end * unit };
    }
    const match = this.#pattern!.exec(this.#text, (at - this.#textStart) / unit);
    return match === null ? null : { start: this.#textStart + match.index * unit, end: this.#textStart + match.end * unit };
  }

  #findStart(bytes: Buffer, from: number, end: number): boolean {
    const first = this.#search(bytes, from, end, from);
    if (first === null) return false;
    if (first.start > from && !isBlank(bytes, from, first.start)) {
      this.start = from;
      this.end = this.advance = first.start;
      return true;
    }
    // The match may go on in what was not read yet.
    const after = first.end + this.encoding.unit;
    if (first.end >= end || after > end) return false;
    const second = this.#search(bytes, from, end, after);
    if (second === null) return false;
    this.start = this.#config.omitPattern ? first.end : first.start;
    this.end = this.advance = second.start;
    return true;
  }

  #findEnd(bytes: Buffer, from: number, end: number): boolean {
    const match = this.#search(bytes, from, end, from);
    if (match === null || match.end === from) return false;
    this.start = from;
    this.end = this.#config.omitPattern ? match.start : match.end;
    this.advance = match.end;
    return true;
  }

  #trim(bytes: Buffer): void {
    const unit = this.encoding.unit;
    if (this.encoding.raw) return;
    if (unit === 2) {
      const low = this.encoding.bigEndian ? 1 : 0,
        high = 1 - low;
      const blank = (at: number): boolean => bytes[at + high] === 0 && isSpace(bytes[at + low]!);
      if (!this.#config.keepTrailing) while (this.end - this.start >= 2 && blank(this.end - 2)) this.end -= 2;
      if (!this.#config.keepLeading) while (this.end - this.start >= 2 && blank(this.start)) this.start += 2;
      return;
    }
    if (!this.#config.keepTrailing) while (this.end > this.start && isSpace(bytes[this.end - 1]!)) this.end--;
    if (!this.#config.keepLeading) while (this.end > this.start && isSpace(bytes[this.start]!)) this.start++;
  }
}

function isSpace(code: number): boolean {
  return code === 32 || code === 10 || code === 13 || code === 9;
}

function isBlank(bytes: Buffer, from: number, end: number): boolean {
  for (let i = from; i < end; i++) if (!isSpace(bytes[i]!) && bytes[i] !== 0) return false;
  return true;
}
