/** Numbers and texts as Prometheus prints them. */
import { floatText } from '#src/core/go_float.ts';

/** A sample value in JSON answers: as %g, but with an exponent only below 1e-6 and from 1e21 on. */
export function formatSample(value: number): string {
  return floatText(value, 1e-6, 1e21, 2);
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
