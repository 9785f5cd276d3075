/** CamelCase and snake_case, by the rules of the library that the Collector uses; bytes other than ASCII letters and digits are no letters. */

const isUpper = (c: string | undefined): boolean => c !== undefined && c >= 'A' && c <= 'Z';
const isLower = (c: string | undefined): boolean => c !== undefined && c >= 'a' && c <= 'z';
const isDigit = (c: string | undefined): boolean => c !== undefined && c >= '0' && c <= '9';

/** Text that is no ASCII is lost; a run of upper-case letters becomes one word. */
export function camelCase(text: string): string {
  const trimmed = text.trim();
  // An acronym that the library knows, as a whole text.
  if (trimmed === 'ID') return 'Id';
  let out = '',
    raise = true,
    afterUpper = false;
  for (const c of trimmed) {
    const upper = isUpper(c),
      lower = isLower(c);
    const written = raise ? c.toUpperCase() : upper && afterUpper ? c.toLowerCase() : c;
    afterUpper = upper;
    if (upper || lower) {
      out += written;
      raise = false;
    } else if (isDigit(c)) {
      out += c;
      raise = true;
    } else raise = c === '_' || c === ' ' || c === '-' || c === '.';
  }
  return out;
}

export function snakeCase(text: string): string {
  const trimmed = text.trim();
  let out = '';
  for (let i = 0; i < trimmed.length; i++) {
    const c = trimmed[i]!,
      next = trimmed[i + 1];
    const upper = isUpper(c),
      lower = isLower(c),
      digit = isDigit(c),
      small = upper ? c.toLowerCase() : c;
    const changes = (upper && (isLower(next) || isDigit(next))) || (lower && (isUpper(next) || isDigit(next))) || (digit && (isUpper(next) || isLower(next)));
    if (changes) {
      // The last capital of a run begins the next word: JSONData is json_data.
      if (upper && isLower(next) && isUpper(trimmed[i - 1])) out += '_';
      out += small;
      if (lower || digit || isDigit(next)) out += '_';
    } else out += c === ' ' || c === '-' || c === '.' ? '_' : small;
  }
  return out;
}
