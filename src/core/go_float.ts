/**
 * Floats as Go writes them with the fewest digits that read back as the same number. JavaScript finds the same digits; where an exponent begins, how it
 * is written and the names of special values differ.
 */

/** strconv.FormatFloat(value, 'f', -1, 64): never an exponent. */
export function plainFloat(value: number): string {
  if (!Number.isFinite(value)) return special(value);
  const text = value === 0 && Object.is(value, -0) ? '-0' : String(value),
    at = text.indexOf('e');
  if (at < 0) return text;
  const sign = value < 0 ? '-' : '',
    exponent = Number(text.slice(at + 1)),
    [whole = '', fraction = ''] = text.slice(sign.length, at).split('.');
  return exponent < 0 ? `${sign}0.${'0'.repeat(-exponent - 1)}${whole}${fraction}` : sign + whole + fraction.padEnd(exponent, '0');
}

/** With an exponent of at least so many digits where the size is below `low`, or `high` or more. */
export function floatText(value: number, low: number, high: number, exponentDigits: number): string {
  if (!Number.isFinite(value)) return special(value);
  const size = Math.abs(value);
  if (size === 0 || (size >= low && size < high)) return plainFloat(value);
  const [digits, exponent] = value.toExponential().split('e') as [string, string];
  return `${digits}e${exponent[0]}${exponent.slice(1).padStart(exponentDigits, '0')}`;
}

function special(value: number): string {
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
}

/** fmt's %g: an exponent below 1e-4 and from 1e6 on. */
export function shortFloat(value: number): string {
  return floatText(value, 1e-4, 1e6, 2);
}

/** fmt's %v: an exponent below 1e-4 and from 1e21 on. */
export function defaultFloat(value: number): string {
  return floatText(value, 1e-4, 1e21, 2);
}
