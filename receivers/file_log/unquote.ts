/** Go's string literals as values: "..." with escapes, `...` without, '.' for a single character. */

const ESCAPE = /\\(?:([abfnrtv\\'"])|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2}))/y;
const SIMPLE: Readonly<Record<string, string>> = { a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };

/** Throws where the text is no literal. */
export function unquoteGo(text: string): string {
  const quote = text[0],
    inner = text.slice(1, -1);
  if (text.length < 2 || quote !== text[text.length - 1] || (quote !== '"' && quote !== '`' && quote !== "'")) throw new Error('invalid syntax');
  if (quote === '`') {
    if (inner.includes('`')) throw new Error('invalid syntax');
    return inner.replaceAll('\r', '');
  }
  const bytes: Buffer[] = [];
  let at = 0,
    points = 0;
  while (at < inner.length) {
    const c = String.fromCodePoint(inner.codePointAt(at)!);
    if (c === quote || c === '\n') throw new Error('invalid syntax');
    points++;
    if (c !== '\\') {
      bytes.push(Buffer.from(c));
      at += c.length;
      continue;
    }
    ESCAPE.lastIndex = at;
    const match = ESCAPE.exec(inner);
    if (match === null) throw new Error('invalid syntax');
    at += match[0].length;
    const [, simple, hex, short, long, octal] = match;
    if (simple !== undefined) {
      if ((simple === "'" || simple === '"') && simple !== quote) throw new Error('invalid syntax');
      bytes.push(Buffer.from(SIMPLE[simple] ?? simple));
    } else if (hex !== undefined || octal !== undefined) bytes.push(Buffer.from([hex !== undefined ? Number.parseInt(hex, 16) : Number.parseInt(octal!, 8)]));
    else {
      const code = Number.parseInt((short ?? long)!, 16);
      if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) throw new Error('invalid syntax');
      bytes.push(Buffer.from(String.fromCodePoint(code)));
    }
  }
  if (quote === "'" && points !== 1) throw new Error('invalid syntax');
  return Buffer.concat(bytes).toString();
}
