/**
 * The guess of the fast way, verified: the lines of the last scrape come again with other numbers. Their text is compared with the kept one, piece by
 * piece, and only what stands between the pieces is read.
 */
import { numberEnd, parseNumber } from '#src/helper/exposition/number.ts';
import type { Format } from '#src/helper/exposition/parser.ts';
import { type SampleColumns, TIMED } from './columns.ts';
import type { Exposition } from './reading.ts';
import { equalBytes, viewOf } from './words.ts';

/** Samples further in the future are left out. */
export const MAX_AHEAD_MS = 600_000;

/** The times of lines that may have one. */
export interface LineTimes {
  /** By sample; null: they are checked, but not kept. */
  readonly times: Float64Array | null;
  readonly format: Format;
  readonly nowMs: number;
}

/**
 * Reads the numbers of all samples into `values`. `timed` is null where no line has a timestamp. False where a line is not like before; then `values`
 * and times are partly overwritten.
 */
export function readSameLines({ bytes, from, to }: Exposition, columns: SampleColumns, values: Float64Array, timed: LineTimes | null): boolean {
  const { count, pieceSize, textView } = columns;
  const view = viewOf(bytes);
  const isTimed = timed !== null;
  let pos = from;
  let textAt = 0;
  for (let k = 0; k < count; k++) {
    const size = pieceSize[k]!;
    if (pos + size >= to || !equalBytes(view, pos, textView, textAt, size)) return false;
    pos += size;
    textAt += size;
    const start = pos;
    let digit = bytes[pos]! - 48;
    let whole = 0;
    while (digit >= 0 && digit <= 9) {
      whole = (whole * 10 + digit) | 0;
      digit = bytes[++pos]! - 48;
    }
    // The commonest: a whole number of up to nine digits, then the line's end.
    if (digit === -38 && pos !== start && pos - start < 10 && !isTimed) values[k] = whole;
    else {
      const value = parseNumber(bytes, start, to);
      if (value === undefined) return false;
      values[k] = value;
      pos = numberEnd();
      if (isTimed) {
        pos = readTime(timed, columns, k, bytes, pos, to);
        if (pos < 0) return false;
      }
    }
  }
  return to - pos === columns.tailSize && equalBytes(view, pos, textView, textAt, columns.tailSize);
}

/** The timestamp of a line, where the kept text has one. Returns where it ends, -1 where it is not like before. */
function readTime({ times, format, nowMs }: LineTimes, columns: SampleColumns, k: number, bytes: Buffer, from: number, to: number): number {
  if ((columns.flags[k]! & TIMED) === 0) return bytes[from] === 10 ? from : -1; // A blank after the number may begin a timestamp.
  if (bytes[from] !== 32) return -1;
  const time = parseNumber(bytes, from + 1, to);
  if (time === undefined || !(time >= 0)) return -1;
  const timeMs = format === 'openmetrics' ? Math.trunc(time * 1000) : time;
  if (!Number.isInteger(timeMs) || timeMs > nowMs + MAX_AHEAD_MS) return -1;
  if (times !== null) times[k] = timeMs;
  return numberEnd();
}
