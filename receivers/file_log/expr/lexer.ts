/**
 * Tokens of the expression language that `if`, filter, router, recombine and EXPR(...) use (expr-lang).
 */

export type TokenKind = 'number' | 'string' | 'name' | 'operator' | 'bracket' | 'end';
export interface Token {
  readonly kind: TokenKind;
  /** The text; of a string its content. */
  readonly text: string;
  readonly value: bigint | number | null;
  readonly at: number;
}

/** A fault in an expression, shown with a caret below the place. */
export class ExprError extends Error {
  constructor(message: string, source: string, at: number) {
    const before = source.slice(0, at),
      line = before.split('\n').length,
      start = before.lastIndexOf('\n') + 1;
    const end = source.indexOf('\n', at),
      text = source.slice(start, end < 0 ? source.length : end);
    super(`${message} (${line}:${at - start})\n | ${text}\n | ${'.'.repeat(Math.max(0, at - start - (at >= source.length ? 1 : 0)))}^`);
  }
}

const SPACE = /(?:\s|\/\/[^\n]*|\/\*[\s\S]*?\*\/)+/y;
const NUMBER = /0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|(?:\d[\d_]*)?\.\d[\d_]*(?:[eE][+-]?\d+)?|\d[\d_]*[eE][+-]?\d+|\d[\d_]*/y;
const NAME = /[\p{L}_$][\p{L}\p{N}_$]*/uy;
const OPERATOR = /\?\.|\?\?|\*\*|\.\.|==|!=|<=|>=|&&|\|\||::|[-+*/%^<>!|?:.,;=#]/y;
const BRACKET = /[()[\]{}]/y;
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', a: '\x07', b: '\b', f: '\f', v: '\v', '\\': '\\', '"': '"', "'": "'", '`': '`' };

function match(pattern: RegExp, source: string, at: number): string {
  pattern.lastIndex = at;
  return pattern.exec(source)?.[0] ?? '';
}

export function tokenize(source: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  for (;;) {
    at += match(SPACE, source, at).length;
    if (at >= source.length) break;
    const c = source[at]!;
    if (c === '"' || c === "'" || c === '`') {
      const { content, end } = readString(source, at);
      tokens.push({ kind: 'string', text: content, value: null, at });
      at = end;
      continue;
    }
    let text = match(NUMBER, source, at);
    // "1..3" is a range and not "1." followed by ".3".
    if (text !== '' && text.startsWith('.') && tokens.length > 0 && tokens[tokens.length - 1]!.text === '.') text = '';
    if (/^\d+\.\d/.test(text) === false && /^\d+$/.test(text) === false && source.startsWith('..', at)) text = '';
    if (text !== '') {
      const plain = text.replaceAll('_', '');
      const isInteger = /^0[xXbBoO]|^\d+$/.test(plain);
      tokens.push({ kind: 'number', text, value: isInteger ? BigInt(plain) : Number(plain), at });
      at += text.length;
      continue;
    }
    text = match(NAME, source, at);
    if (text !== '') {
      tokens.push({ kind: 'name', text, value: null, at });
      at += text.length;
      continue;
    }
    text = match(BRACKET, source, at);
    if (text !== '') {
      tokens.push({ kind: 'bracket', text, value: null, at });
      at += 1;
      continue;
    }
    text = match(OPERATOR, source, at);
    if (text === '') throw new ExprError(`unrecognized character: ${JSON.stringify(c)}`, source, at);
    tokens.push({ kind: 'operator', text, value: null, at });
    at += text.length;
  }
  tokens.push({ kind: 'end', text: 'EOF', value: null, at: source.length });
  return tokens;
}

function readString(source: string, start: number): { content: string; end: number } {
  const quote = source[start]!;
  let content = '';
  for (let at = start + 1; at < source.length; at++) {
    const c = source[at]!;
    if (c === quote) {
      if (quote === '`' && source[at + 1] === '`') {
        content += '`';
        at++;
        continue;
      }
      return { content, end: at + 1 };
    }
    if (c !== '\\' || quote === '`') {
      content += c;
      continue;
    }
    const next = source[++at] ?? '';
    const simple = ESCAPES[next];
    if (simple !== undefined) {
      content += simple;
      continue;
    }
    const coded = /^(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|u\{([0-9a-fA-F]{1,6})\}|U([0-9a-fA-F]{8})|([0-7]{3}))/.exec(source.slice(at, at + 12));
    if (!coded) throw new ExprError('unable to unescape string', source, start);
    const digits = coded[1] ?? coded[2] ?? coded[3] ?? coded[4];
    const code = digits !== undefined ? Number.parseInt(digits, 16) : Number.parseInt(coded[5]!, 8);
    if (code > 0x10ffff) throw new ExprError('unable to unescape string', source, start);
    content += String.fromCodePoint(code);
    at += coded[0].length - 1;
  }
  throw new ExprError('literal not terminated', source, start);
}
