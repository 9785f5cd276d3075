/**
 * strconv.Quote: Go's escapes, characters that cannot be printed as \x, \u or \U. `quote` is " or ' (QuoteRune); ascii: QuoteToASCII. A lone surrogate
 * from U+DC80 to U+DCFF stands for a byte that is not UTF-8 (PromQL's lexer makes those).
 */
export function quoteGo(text: string, quote = '"', ascii = false): string {
  let out = quote;
  for (const c of text) {
    const code = c.codePointAt(0)!;
    if (c === quote || c === '\\') out += `\\${c}`;
    else if (SHORT[c] !== undefined) out += SHORT[c];
    else if (code >= 0xdc80 && code <= 0xdcff) out += `\\x${(code - 0xdc00).toString(16)}`;
    else if (code < 0x20 || code === 0x7f) out += `\\x${code.toString(16).padStart(2, '0')}`;
    else if (code < 0x7f || (!ascii && PRINTABLE.test(c))) out += c;
    else out += code < 0x10000 ? `\\u${code.toString(16).padStart(4, '0')}` : `\\U${code.toString(16).padStart(8, '0')}`;
  }
  return out + quote;
}
const PRINTABLE = /[\p{L}\p{M}\p{N}\p{P}\p{S}]/u;
const SHORT: Readonly<Record<string, string>> = { '\x07': '\\a', '\b': '\\b', '\f': '\\f', '\n': '\\n', '\r': '\\r', '\t': '\\t', '\v': '\\v' };
