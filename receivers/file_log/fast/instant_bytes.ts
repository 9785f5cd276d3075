/**
 * RFC 3339 times from bytes to nanoseconds, in two 32-bit words. A second is computed once: the lines of a second share it. Declines everything
 * that is not the plain form, for the general path to judge.
 */

const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const POW10 = [1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9];

export class InstantBytes {
  /** The time read last, as two signed words. */
  lo = 0;
  hi = 0;
  /** It ended in Z. */
  isUtc = false;
  // The second at hand: its nineteen bytes (the last word overlaps), and its nanoseconds since 1970.
  #a = 0;
  #b = 0;
  #c = 0;
  #d = 0;
  #e = 0;
  #secondLo = 0;
  #secondHi = 0;

  /** Reads [from, end) as "2006-01-02T15:04:05[.digits](Z|+07:00)"; `separator` stands for the T. False: declined. */
  read(bytes: Uint8Array, view: DataView, from: number, end: number, separator: number): boolean {
    if (end - from < 20) return false;
    const a = view.getInt32(from, true),
      b = view.getInt32(from + 4, true),
      c = view.getInt32(from + 8, true),
      d = view.getInt32(from + 12, true),
      e = view.getInt32(from + 15, true);
    if (a !== this.#a || b !== this.#b || c !== this.#c || d !== this.#d || e !== this.#e) {
      if (bytes[from + 10] !== separator || !this.#second(bytes, from)) return false;
      this.#a = a;
      this.#b = b;
      this.#c = c;
      this.#d = d;
      this.#e = e;
    }
    let at = from + 19,
      ch = bytes[at]!,
      nanos = 0;
    if (ch === 46 || ch === 44) {
      const first = ++at;
      ch = bytes[at]!;
      while (ch >= 48 && ch <= 57) {
        if (at - first < 9) nanos = nanos * 10 + ch - 48;
        ch = bytes[++at]!;
      }
      const digits = at - first;
      if (digits === 0) return false;
      if (digits < 9) nanos *= POW10[9 - digits]!;
    }
    const lo = (this.#secondLo >>> 0) + nanos;
    this.isUtc = ch === 90;
    if (this.isUtc) {
      if (at + 1 !== end) return false;
      this.lo = lo | 0;
      this.hi = this.#secondHi + (lo > 4294967295 ? 1 : 0);
      return true;
    }
    if (at + 6 !== end || (ch !== 43 && ch !== 45)) return false;
    const hours = two(bytes, at + 1),
      minutes = two(bytes, at + 4);
    if (hours < 0 || minutes < 0 || bytes[at + 3] !== 58 || hours > 24 || minutes > 59) return false;
    const rest = lo + (ch === 45 ? 1 : -1) * (hours * 60 + minutes) * 6e10,
      high = Math.floor(rest / 4294967296);
    this.lo = (rest - high * 4294967296) | 0;
    this.hi = this.#secondHi + high;
    return true;
  }

  #second(bytes: Uint8Array, p: number): boolean {
    const year = two(bytes, p) * 100 + two(bytes, p + 2),
      month = two(bytes, p + 5),
      day = two(bytes, p + 8),
      hour = two(bytes, p + 11),
      minute = two(bytes, p + 14),
      second = two(bytes, p + 17);
    // Times before 1971 and after 2261 wrap or round: the general path has them.
    if (bytes[p + 4] !== 45 || bytes[p + 7] !== 45 || bytes[p + 13] !== 58 || year < 1971 || year > 2261 || month < 1 || month > 12) return false;
    const isLeap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
    if (day < 1 || day > DAYS[month - 1]! + (month === 2 && isLeap ? 1 : 0) || hour < 0 || hour > 23 || minute < 0 || minute > 59) return false;
    if (bytes[p + 16] !== 58 || second < 0 || second > 59) return false;
    // In two steps of 16 bits, so that no product is beyond 2^53.
    const seconds = Date.UTC(year, month - 1, day, hour, minute, second) / 1000,
      high = Math.floor(seconds / 65536) * 1e9,
      low = (high % 65536) * 65536 + (seconds % 65536) * 1e9;
    this.#secondLo = low | 0;
    this.#secondHi = Math.floor(high / 65536) + Math.floor(low / 4294967296);
    return true;
  }
}

/** Two digits, or something far below zero. */
function two(bytes: Uint8Array, at: number): number {
  const a = bytes[at]! - 48,
    b = bytes[at + 1]! - 48;
  return a >>> 0 > 9 || b >>> 0 > 9 ? -100_000 : a * 10 + b;
}
