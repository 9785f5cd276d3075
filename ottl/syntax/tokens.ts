/** The words of OTTL, in the order in which the lexer tries them, and what a quoted string or a number stands for. */
import { createToken, Lexer, type TokenType } from './chevrotain.ts';
import { SyntaxFault } from './error.ts';

const token = (name: string, pattern: RegExp, label: string, more: { group?: string } = {}): TokenType => createToken({ name, pattern, label, ...more });

export const Bytes = token('Bytes', /0x[a-fA-F0-9]+/, 'bytes');
export const Float = token('Float', /(\d+\.\d*|\d*\.\d+)([eE][-+]?\d+)?/, 'a float');
export const Int = token('Int', /\d+/, 'an int');
export const Text = token('Text', /"(\\[\s\S]|[^\\"])*"/, 'a string');
export const Nil = token('Nil', /nil\b/, 'nil');
export const Not = token('Not', /not\b/, '"not"');
export const Or = token('Or', /or\b/, '"or"');
export const And = token('And', /and\b/, '"and"');
export const Comparison = token('Comparison', /==|!=|>=|<=|>|</, 'a comparison (== != < <= > >=)');
export const Arrow = token('Arrow', /=>/, '"=>"');
export const AddSub = token('AddSub', /[+-]/, '"+" or "-"');
export const MultDiv = token('MultDiv', /[/*]/, '"*" or "/"');
export const Bool = token('Bool', /(true|false)\b/, 'true or false');
export const Equal = token('Equal', /=/, '"="');
export const LParen = token('LParen', /\(/, '"("');
export const RParen = token('RParen', /\)/, '")"');
export const LBrace = token('LBrace', /\{/, '"{"');
export const RBrace = token('RBrace', /\}/, '"}"');
export const Colon = token('Colon', /:/, '":"');
export const Comma = token('Comma', /,/, '","');
export const Dot = token('Dot', /\./, '"."');
export const LBracket = token('LBracket', /\[/, '"["');
export const RBracket = token('RBracket', /\]/, '"]"');
export const Upper = token('Upper', /[A-Z][A-Z0-9_]*/, 'an upper-case name');
export const Where = token('Where', /where(?![a-z0-9_])/, '"where"');
export const Lower = token('Lower', /[a-z][a-z0-9_]*/, 'a path or an editor');
const Space = token('Space', /\s+/, 'white space', { group: Lexer.SKIPPED });
const Underscore = token('Underscore', /_\b/, '"_"');

export const allTokens: TokenType[] = [
  Bytes,
  Float,
  Int,
  Text,
  Nil,
  Not,
  Or,
  And,
  Comparison,
  Arrow,
  AddSub,
  MultDiv,
  Bool,
  Equal,
  LParen,
  RParen,
  LBrace,
  RBrace,
  Colon,
  Comma,
  Dot,
  LBracket,
  RBracket,
  Upper,
  Where,
  Lower,
  Space,
  Underscore,
];

const ESCAPES: Readonly<Record<string, number>> = { a: 7, b: 8, f: 12, n: 10, r: 13, t: 9, v: 11, '\\': 92, '"': 34 };

/** What a double-quoted string stands for, by Go's escapes; a line break may be in it as it is. `start` is its offset, for the fault. */
export function unquote(quoted: string, start: number): string {
  const inside = quoted.slice(1, -1);
  if (!inside.includes('\\')) return inside;
  const bytes: Buffer[] = [];
  for (let i = 0; i < inside.length; ) {
    if (inside[i] !== '\\') {
      const next = inside.indexOf('\\', i);
      bytes.push(Buffer.from(inside.slice(i, next < 0 ? inside.length : next)));
      i = next < 0 ? inside.length : next;
      continue;
    }
    const simple = ESCAPES[inside[i + 1]!];
    if (simple !== undefined && Object.hasOwn(ESCAPES, inside[i + 1]!)) {
      bytes.push(Buffer.of(simple));
      i += 2;
      continue;
    }
    const found = /^\\(?:x([0-9a-fA-F]{2})|([0-3][0-7]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))/.exec(inside.slice(i, i + 10));
    const point = found?.[3] ?? found?.[4];
    if (!found || (point !== undefined && (Number.parseInt(point, 16) > 0x10ffff || /^0*d[89a-f]..$/i.test(point))))
      throw new SyntaxFault(`invalid escape in a string: ${inside.slice(i, i + 2)}; a backslash itself is written \\\\`, start + 1 + i);
    if (point !== undefined) bytes.push(Buffer.from(String.fromCodePoint(Number.parseInt(point, 16))));
    else bytes.push(Buffer.of(found[1] === undefined ? Number.parseInt(found[2]!, 8) : Number.parseInt(found[1], 16)));
    i += found[0].length;
  }
  return Buffer.concat(bytes).toString();
}

/** An int literal: up to 9223372036854775807; a leading zero makes it octal, as in Go. */
export function intLiteral(image: string, start: number): bigint {
  const octal = image.length > 1 && image.startsWith('0');
  if (octal && /[89]/.test(image)) throw new SyntaxFault(`${image} is not a number: a leading zero means octal`, start);
  const value = image.length > 4000 ? 1n << 64n : BigInt(octal ? `0o${image}` : image);
  if (value >= 1n << 63n) throw new SyntaxFault(`${image} does not fit into 64 bits`, start);
  return value;
}
