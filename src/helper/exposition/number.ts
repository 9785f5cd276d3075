/**
 * Numbers of expositions, from bytes: decimal text to the nearest double without making a string. Up to 15 digits are one exact division or
 * multiplication; what that cannot do exactly goes through Number. Accepted is what Prometheus accepts: Go's decimal floats, "NaN", and "Inf" or
 * "Infinity" with a sign, in any case of letters. Deliberately absent: hexadecimal floats and underscores, which Prometheus refuses as well.
 */
import { defaultFloat } from '#src/core/go_float.ts';

/** Where the last parseNumber() stopped: the byte after the number. */
let endOffset = 0;
export function numberEnd(): number {
  return endOffset;
}

const POWERS = Float64Array.from({ length: 23 }, (_, i) => Number(`1e${i}`));
const SPECIAL = /^(?:nan|[+-]?inf(?:inity)?)$/i;
const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;

/**
 * The number that starts at bytes[from] and ends before a space, tab, line feed, or `to`; undefined where that text is no number. A number too big for
 * a double is none, as in Go. numberEnd() tells where it ended.
 */
export function parseNumber(bytes: Uint8Array, from: number, to: number): number | undefined {
  let pos = from;
  let code = pos < to ? bytes[pos]! : 0;
  let negative = false;
  if (code === 45 || code === 43) {
    negative = code === 45;
    code = ++pos < to ? bytes[pos]! : 0;
  }
  // Two parts of at most 9 digits stay in 32-bit integers.
  let high = 0;
  let low = 0;
  let significant = 0;
  let digits = 0;
  let scale = 0;
  while (code >= 48 && code <= 57) {
    if (significant < 9) high = (high * 10 + (code - 48)) | 0;
    else if (significant < 15) low = (low * 10 + (code - 48)) | 0;
    if ((significant | (code - 48)) !== 0) significant++;
    digits++;
    code = ++pos < to ? bytes[pos]! : 0;
  }
  if (code === 46) {
    code = ++pos < to ? bytes[pos]! : 0;
    while (code >= 48 && code <= 57) {
      if (significant < 9) high = (high * 10 + (code - 48)) | 0;
      else if (significant < 15) low = (low * 10 + (code - 48)) | 0;
      if ((significant | (code - 48)) !== 0) significant++;
      digits++;
      scale--;
      code = ++pos < to ? bytes[pos]! : 0;
    }
  }
  if (digits > 0 && (code === 101 || code === 69)) {
    let exponent = 0;
    let exponentNegative = false;
    code = ++pos < to ? bytes[pos]! : 0;
    if (code === 45 || code === 43) {
      exponentNegative = code === 45;
      code = ++pos < to ? bytes[pos]! : 0;
    }
    const exponentFrom = pos;
    while (code >= 48 && code <= 57) {
      if (exponent < 10_000) exponent = exponent * 10 + (code - 48);
      code = ++pos < to ? bytes[pos]! : 0;
    }
    if (pos === exponentFrom) digits = 0;
    scale += exponentNegative ? -exponent : exponent;
  }
  if (digits > 0 && significant <= 15 && scale >= -22 && scale <= 22 && (pos >= to || code === 10 || code === 32 || code === 9)) {
    endOffset = pos;
    const mantissa = significant > 9 ? high * POWERS[significant - 9]! + low : high;
    const value = scale < 0 ? mantissa / POWERS[-scale]! : mantissa * POWERS[scale]!;
    return negative ? -value : value;
  }
  return parseSlow(bytes, from, to);
}

function parseSlow(bytes: Uint8Array, from: number, to: number): number | undefined {
  let pos = from;
  while (pos < to && bytes[pos] !== 32 && bytes[pos] !== 10 && bytes[pos] !== 9) pos++;
  endOffset = pos;
  if (pos - from > 1024) return undefined; // No sane number is that long.
  return parseGoFloat(Buffer.from(bytes.buffer, bytes.byteOffset + from, pos - from).latin1Slice());
}

/** What Go's strconv.ParseFloat makes of a decimal number, or undefined. */
export function parseGoFloat(text: string): number | undefined {
  if (DECIMAL.test(text)) {
    const value = Number(text);
    return Number.isFinite(value) ? value : undefined;
  }
  if (!SPECIAL.test(text)) return undefined;
  const first = text.charCodeAt(0) | 32;
  if (first === 110) return Number.NaN;
  return text.charCodeAt(0) === 45 ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}

/** A float as OpenMetrics wants it in the labels le and quantile: with a dot or an exponent ("1.0", "0.25", "1e-05", "+Inf"). */
export function formatLabelFloat(value: number): string {
  const text = defaultFloat(value === 0 ? 0 : value); // "0.0" for -0, as in Prometheus.
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
}
