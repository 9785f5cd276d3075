import { plainFloat } from '#src/core/go_float.ts';

/** strconv.FormatFloat for float64: `precision` -1 is the fewest digits that read back as the same number. */
export function formatGoFloat(value: number, shape: 'e' | 'E' | 'f' | 'g' | 'G', precision: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  const size = Math.abs(value);
  switch (shape) {
    case 'f':
      return sign + (precision < 0 ? plainFloat(size) : fixed(size, precision));
    case 'e':
    case 'E': {
      const text = exponential(size, precision);
      return sign + (shape === 'E' ? text.toUpperCase() : text);
    }
    default: {
      const wanted = precision === 0 ? 1 : precision;
      const text = wanted < 0 ? size.toExponential() : size.toExponential(Math.min(100, wanted - 1));
      const exponent = Number(text.slice(text.indexOf('e') + 1));
      const digits = text.slice(0, text.indexOf('e')).replace('.', '').replace(/0+$/, '');
      // With the fewest digits, big numbers keep their zeros up to 21 places.
      const most = wanted < 0 ? 21 : Math.max(wanted, digits.length);
      if (exponent < -4 || exponent >= most) {
        const out = exponential(size, Math.max(0, digits.length - 1));
        return sign + (shape === 'G' ? out.toUpperCase() : out);
      }
      return sign + plainFloat(Number(text));
    }
  }
}

function exponential(size: number, precision: number): string {
  const text = precision < 0 ? size.toExponential() : halfToEven(size.toExponential(Math.min(100, precision)), size.toExponential(100));
  const at = text.indexOf('e');
  return `${text.slice(0, at)}e${text[at + 1]}${text.slice(at + 2).padStart(2, '0')}`;
}
/** JavaScript rounds the exact middle up, Go to the even digit: where it was the middle, an odd last digit goes back by one. */
function halfToEven(rounded: string, exact: string): string {
  const split = (text: string): [digits: string, exponent: string] => [/^[^e]*/.exec(text)![0], /e.*$/.exec(text)?.[0] ?? ''];
  const [digits, exponent] = split(rounded),
    [full] = split(exact);
  const cut = full.slice(0, digits.length),
    rest = full.slice(digits.length).replace('.', '');
  return /^50*$/.test(rest) && /[02468]\.?$/.test(cut) && split(exact)[1] === exponent ? cut + exponent : rounded;
}
/** toFixed() turns to exponents from 1e21 on. */
function fixed(size: number, precision: number): string {
  if (size < 1e21) return halfToEven(size.toFixed(Math.min(100, precision)), size.toFixed(100));
  return BigInt(size).toString() + (precision > 0 ? `.${'0'.repeat(Math.min(100, precision))}` : '');
}
