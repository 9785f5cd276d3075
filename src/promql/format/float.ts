/** Numbers as Go prints them. JavaScript's shortest digits are the same; only the exponent and the names of the special values differ. */

function special(value: number): string | undefined {
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  if (value === Number.NEGATIVE_INFINITY) return '-Inf';
  return Number.isNaN(value) ? 'NaN' : undefined;
}

/** digits and the power of ten of the first digit: 1234.5 is ["12345", 3]. Finite, positive. */
function decompose(value: number): [digits: string, exponent: number] {
  const [mantissa, exponent] = value.toExponential().split('e') as [string, string];
  return [mantissa.replace('.', ''), Number(exponent)];
}

/** strconv.FormatFloat(value, 'f', -1, 64): never an exponent. */
export function formatFloat(value: number): string {
  const name = special(value);
  if (name !== undefined) return name;
  const text = String(value);
  if (!text.includes('e')) return text;
  const sign = value < 0 ? '-' : '';
  const [digits, exponent] = decompose(Math.abs(value));
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`;
  if (digits.length <= exponent + 1) return sign + digits + '0'.repeat(exponent + 1 - digits.length);
  return `${sign}${digits.slice(0, exponent + 1)}.${digits.slice(exponent + 1)}`;
}

/** fmt's %g: an exponent below 1e-4 and from 1e6 on, with at least two digits. */
export function formatG(value: number): string {
  const name = special(value);
  if (name !== undefined) return name;
  const sign = value < 0 ? '-' : '';
  const [digits, exponent] = decompose(Math.abs(value));
  if (exponent >= -4 && exponent < 6) return formatFloat(value);
  const fraction = digits.length > 1 ? `.${digits.slice(1)}` : '';
  return `${sign}${digits[0]}${fraction}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
}

/** A sample value in JSON answers: as %g, but with an exponent only below 1e-6 and from 1e21 on. */
export function formatSample(value: number): string {
  const name = special(value);
  if (name !== undefined) return name;
  const text = String(value);
  // JavaScript switches to exponents at the same places and writes one digit where Go writes two.
  return text.length > 4 && text.includes('e') ? text.replace(/e([+-])(\d)$/, 'e$10$2') : text;
}

/** strconv.Quote, near enough: JSON escapes but for the control characters Go has names for. */
export function quote(text: string): string {
  let out = '"';
  for (const character of text) {
    const code = character.codePointAt(0)!;
    if (character === '"') out += '\\"';
    else if (character === '\\') out += '\\\\';
    else if (character === '\n') out += '\\n';
    else if (character === '\t') out += '\\t';
    else if (character === '\r') out += '\\r';
    else if (code === 7) out += '\\a';
    else if (code === 8) out += '\\b';
    else if (code === 12) out += '\\f';
    else if (code === 11) out += '\\v';
    else if (code >= 0xdc80 && code <= 0xdcff)
      out += `\\x${(code - 0xdc00).toString(16)}`; // A byte that is not UTF-8 (see the lexer).
    else if (code < 32 || code === 127) out += `\\x${code.toString(16).padStart(2, '0')}`;
    else out += character;
  }
  return `${out}"`;
}
