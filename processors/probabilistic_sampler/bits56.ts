/**
 * The 56-bit numbers of consistent sampling (OpenTelemetry's "probability sampling"): a record has a randomness, a sampler a threshold, and what is
 * at or above the threshold is kept. A number has no 56 bits, so it is held in two halves of 28. Forms: 14 hexadecimal digits for a randomness,
 * the same without the zeros at the end for a threshold. https://opentelemetry.io/docs/specs/otel/trace/tracestate-probability-sampling/
 */
const DIGITS = 14;
const HALF = 2 ** 28;
const MAX = 1n << 56n;
const HEX = /^[0-9a-fA-F]+$/;

export class Bits56 {
  high: number;
  low: number;
  constructor(high = 0, low = 0) {
    this.high = high;
    this.low = low;
  }
  set(other: Bits56): void {
    this.high = other.high;
    this.low = other.low;
  }
  isAbove(other: Bits56): boolean {
    return this.high > other.high || (this.high === other.high && this.low > other.low);
  }
  equals(other: Bits56): boolean {
    return this.high === other.high && this.low === other.low;
  }
  /** Takes up to 14 hexadecimal digits, the first being the highest; false, unchanged: it is something else. */
  parse(text: string): boolean {
    if (text.length > DIGITS || !HEX.test(text)) return false;
    const all = text.padEnd(DIGITS, '0');
    this.high = Number.parseInt(all.slice(0, DIGITS / 2), 16);
    this.low = Number.parseInt(all.slice(DIGITS / 2), 16);
    return true;
  }
  /** All 14 digits. */
  digits(): string {
    return (HALF + this.high).toString(16).slice(1) + (HALF + this.low).toString(16).slice(1);
  }
  /** As a threshold is written. */
  thresholdText(): string {
    return this.high === 0 && this.low === 0 ? '0' : this.digits().replace(/0+$/, '');
  }
  /** The share that a threshold keeps. */
  probability(): number {
    return Number(MAX - ((BigInt(this.high) << 28n) | BigInt(this.low))) / Number(MAX);
  }
}

/** Keeps everything. */
export const ALWAYS: Readonly<Bits56> = new Bits56(0, 0);
/** Keeps nothing: above every randomness. */
export const NEVER: Readonly<Bits56> = new Bits56(HALF, 0);
/** Kept by every threshold but NEVER: what stands in where there is no randomness. */
export const HIGHEST: Readonly<Bits56> = new Bits56(HALF - 1, HALF - 1);

/** The threshold that keeps this share, rounded to `precision` digits behind the first that matters; null: the share is above 1 or too small. */
export function thresholdOf(probability: number, precision: number): Bits56 | null {
  if (!(probability >= 2 ** -56 && probability <= 1)) return null;
  if (probability === 1) return new Bits56();
  // Shares near 0 and near 1 get a digit more for each four bits, so that what is precise stays so.
  const more = (x: number): number => precision + Math.trunc(exponentOf(x) / -4);
  const digits = Math.min(DIGITS, Math.max(more(probability), more(1 - probability)));
  const shift = BigInt(4 * (DIGITS - digits));
  let threshold = MAX - BigInt(Math.round(probability * Number(MAX)));
  if (shift > 0n) threshold = ((threshold + (1n << (shift - 1n))) >> shift) << shift;
  return new Bits56(Number(threshold >> 28n), Number(threshold & BigInt(HALF - 1)));
}

/** e of x = f * 2^e with f in [0.5, 1); 0 for 0. */
function exponentOf(x: number): number {
  if (x === 0) return 0;
  const words = new DataView(new ArrayBuffer(8));
  words.setFloat64(0, x);
  return ((words.getUint16(0) >>> 4) & 0x7ff) - 1022;
}
