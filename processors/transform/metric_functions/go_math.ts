/**
 * Logarithm and powers to the last bit as Go's math package has them on amd64, for bounds and percentiles of exponential histograms that shall equal the
 * Collector's; the engine's own functions round differently in the last place. `log2` and `exp2` use the polynomials of fdlibm (Sun Microsystems, 1993,
 * free to use with this notice), `exp` the method of Shibata's SLEEF (public domain), which multiplies and adds in one rounding.
 */
const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;
const LOG = [0.6666666666666735, 0.3999999999940942, 0.2857142874366239, 0.22222198432149784, 0.1818357216161805] as const;
const LOG_6 = 0.15313837699209373;
const LOG_7 = 0.14798198605116586;
const EXP = [0.16666666666666666, -0.0027777777777015593, 6.613756321437934e-5, -1.6533902205465252e-6, 4.1381367970572385e-8] as const;

const view = new DataView(new ArrayBuffer(8));
/** Splits a positive, normal number into a fraction from 1/2 to below 1 and the power of two it is multiplied with. */
function fractionOf(value: number): { fraction: number; power: number } {
  view.setFloat64(0, value);
  const high = view.getUint32(0);
  view.setUint32(0, (high & 0x800fffff) | 0x3fe00000);
  return { fraction: view.getFloat64(0), power: ((high >>> 20) & 0x7ff) - 1022 };
}

/** Of a number above 0. */
export function log2(value: number): number {
  if (!(value >= 2 ** -1022 && value < Infinity)) return Math.log2(value);
  const { fraction, power } = fractionOf(value);
  return fraction === 0.5 ? power - 1 : lnOfFraction(fraction) * (1 / Math.LN2) + power;
}
function lnOfFraction(fraction: number): number {
  const low = fraction < Math.SQRT1_2;
  const f = (low ? fraction * 2 : fraction) - 1;
  const k = low ? -1 : 0;
  const s = f / (2 + f);
  const s2 = s * s;
  const s4 = s2 * s2;
  const odd = s2 * (LOG[0] + s4 * (LOG[2] + s4 * (LOG[4] + s4 * LOG_7)));
  const even = s4 * (LOG[1] + s4 * (LOG[3] + s4 * LOG_6));
  const half = 0.5 * f * f;
  return k * LN2_HIGH - (half - (s * (half + odd + even) + k * LN2_LOW) - f);
}

export function exp2(value: number): number {
  if (!(value <= 1023.9999999999999 && value >= -1074)) return 2 ** value;
  const k = Math.trunc(value > 0 ? value + 0.5 : value - 0.5);
  const t = value - k;
  const high = t * LN2_HIGH;
  const low = -t * LN2_LOW;
  const r = high - low;
  const square = r * r;
  const c = r - square * (EXP[0] + square * (EXP[1] + square * (EXP[2] + square * (EXP[3] + square * EXP[4]))));
  const y = 1 - (low - (r * c) / (2 - c) - high);
  return k > 1000 || k < -1000 ? y * 2 ** (k >> 1) * 2 ** (k - (k >> 1)) : y * 2 ** k;
}

const LN2_UPPER = 0.693147180559663;
const LN2_REST = 2.8235290563031577e-13;
const TAYLOR = [1 / 40320, 1 / 5040, 1 / 720, 1 / 120, 1 / 24, 1 / 6, 0.5, 1] as const;

export function exp(value: number): number {
  if (!(value <= 709.782712893384 && value >= -708)) return Math.exp(value); // Beyond: infinite, or as good as nothing.
  const k = nearestInt(value * Math.LOG2E);
  const r = fma(-k, LN2_REST, fma(-k, LN2_UPPER, value)) * 0.0625;
  let sum: number = TAYLOR[0];
  for (let i = 1; i < TAYLOR.length; i++) sum = fma(sum, r, TAYLOR[i]!);
  let y = r * sum; // exp(r) - 1; four doublings make it exp(16 r) - 1.
  for (let i = 0; i < 3; i++) y *= y + 2;
  return fma(y + 2, y, 1) * 2 ** k;
}
/** Halves go to the even neighbour. */
function nearestInt(value: number): number {
  const rounded = Math.round(value);
  return rounded - value === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

/** a * b + c in one rounding (Boldo and Melquiond: the rest is rounded to odd before it is added). Of numbers far from overflow and underflow. */
function fma(a: number, b: number, c: number): number {
  const product = a * b;
  const [high, low] = sumOf(c, productRest(a, b, product));
  const [top, rest] = sumOf(product, high);
  const [odd, lost] = sumOf(low, rest);
  if (lost === 0) return top + odd;
  view.setFloat64(0, odd);
  const bits = view.getBigInt64(0);
  if ((bits & 1n) === 0n) view.setBigInt64(0, lost > 0 === odd > 0 ? bits + 1n : bits - 1n);
  return top + view.getFloat64(0);
}
function sumOf(a: number, b: number): [sum: number, rest: number] {
  const sum = a + b;
  const part = sum - a;
  return [sum, a - (sum - part) + (b - part)];
}
function productRest(a: number, b: number, product: number): number {
  const [a1, a2] = halves(a);
  const [b1, b2] = halves(b);
  return a2 * b2 - (product - a1 * b1 - a2 * b1 - a1 * b2);
}
function halves(value: number): [high: number, low: number] {
  const scaled = value * 134217729; // 2^27 + 1
  const high = scaled - (scaled - value);
  return [high, value - high];
}
