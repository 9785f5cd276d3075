/**
 * Text to tokens, with the error texts of Prometheus. The official lezer grammar is not used: it knows neither min_of() as an expression
 * nor "2." nor STEP() in capitals, binds "-1^2" the wrong way round, and recovers from errors where a message is wanted.
 */
import { parseErrorAt } from '#src/promql/errors.ts';
import { quoteGo } from '#src/core/go_quote.ts';

export type TokenType = 'identifier' | 'metric' | 'keyword' | 'aggregate' | 'number' | 'string' | 'op' | 'punctuation' | 'end';
export interface Token {
  type: TokenType;
  /** Lower case for keywords and aggregations; strings unquoted. */
  text: string;
  /** As written. */
  raw: string;
  start: number;
  end: number;
}

const KEYWORDS = new Set(
  (
    'and or unless atan2 offset by without on ignoring group_left group_right bool start end step range anchored smoothed ' +
    'fill fill_left fill_right min_of max_of'
  ).split(' '),
);
const OPERATOR_WORDS = new Set(['and', 'or', 'unless', 'atan2']);
const AGGREGATES = new Set('sum avg min max count group stddev stdvar topk bottomk quantile count_values limitk limit_ratio'.split(' '));
const NUMBER = /0[xX][0-9a-fA-F](?:_?[0-9a-fA-F])*|(?:\d(?:_?\d)*(?:\.(?:\d(?:_?\d)*)?)?|\.\d(?:_?\d)*)(?:[eE][+-]?\d(?:_?\d)*)?/y;
const DURATION = /(?:\d+(?:ms|[smhdwy]))+/y;
const WORD = /[a-zA-Z_:][a-zA-Z0-9_:]*/y;
const SPACE = /(?:[ \t\n\r]+|#[^\n]*)+/y;
const OPERATORS = ['==', '!=', '<=', '>=', '</', '>/', '=~', '!~', '+', '-', '*', '/', '%', '^', '<', '>', '=', '@'];

function match(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}

/** All tokens; the last is 'end'. Throws ParseError. */
export function tokenize(query: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  let parens = 0;
  let braces = false;
  let brackets = false;
  const fail = (offset: number, message: string): never => {
    throw parseErrorAt(query, offset, message);
  };
  const push = (type: TokenType, text: string, end: number): void => {
    tokens.push({ type, text, raw: query.slice(at, end), start: at, end });
    at = end;
  };
  for (;;) {
    at += match(SPACE, query, at)?.length ?? 0;
    if (at >= query.length) break;
    const c = query[at]!;
    if (c === '"' || c === "'" || c === '`') {
      const [value, end] = readString(query, at, fail);
      push('string', value, end);
    } else if (braces) {
      at = inBraces(c);
    } else if ((c >= '0' && c <= '9') || (c === '.' && /\d/.test(query[at + 1] ?? ''))) {
      const number = match(NUMBER, query, at) ?? '';
      const duration = match(DURATION, query, at) ?? '';
      const text = duration.length > number.length ? duration : number;
      const rest = /[a-zA-Z0-9_]*/y;
      const tail = match(rest, query, at + text.length)!;
      if (text === '' || tail !== '') fail(at, `bad number or duration syntax: ${quoteGo(text)}`);
      push('number', text, at + text.length);
    } else if (/[a-zA-Z_:]/.test(c) && !(c === ':' && brackets)) {
      const word = match(WORD, query, at)!;
      const colon = brackets ? word.indexOf(':') : -1;
      const text = colon > 0 ? word.slice(0, colon) : word;
      const lower = text.toLowerCase();
      if (lower === 'inf' || lower === 'nan') push('number', lower, at + text.length);
      else if (AGGREGATES.has(lower)) push('aggregate', lower, at + text.length);
      else if (KEYWORDS.has(lower)) push(OPERATOR_WORDS.has(lower) ? 'op' : 'keyword', lower, at + text.length);
      else push(text.includes(':') ? 'metric' : 'identifier', text, at + text.length);
    } else {
      symbol(c);
    }
  }
  if (braces) fail(at, 'unexpected end of input inside braces');
  if (brackets) fail(at, 'unclosed left bracket');
  if (parens > 0) fail(at, 'unclosed left parenthesis');
  push('end', '', at);
  return tokens;

  function inBraces(c: string): number {
    if (c === '{') fail(at, "unexpected left brace '{'");
    const word = /^[a-zA-Z_]/.test(c) ? match(/[a-zA-Z_][a-zA-Z0-9_]*/y, query, at) : undefined;
    if (word !== undefined) push('identifier', word, at + word.length);
    else if (c === '}') {
      braces = false;
      push('punctuation', '}', at + 1);
    } else if (c === ',') push('punctuation', ',', at + 1);
    else if (c === '=') push('op', query[at + 1] === '~' ? '=~' : '=', at + (query[at + 1] === '~' ? 2 : 1));
    else if (c === '!') {
      const next = query[at + 1];
      if (next !== '=' && next !== '~') fail(at, `unexpected character after '!' inside braces: ${next === undefined ? 'end of input' : `'${next}'`}`);
      push('op', `!${next}`, at + 2);
    } else fail(at, `unexpected character inside braces: '${c}'`);
    return at;
  }
  function symbol(c: string): void {
    if (c === '(') parens++;
    if (c === ')' && --parens < 0) fail(at, "unexpected right parenthesis ')'");
    if (c === '{') braces = true;
    if (c === '[') {
      if (brackets) fail(at, "unexpected left bracket '['");
      brackets = true;
    }
    if (c === ']') {
      if (!brackets) fail(at, "unexpected right bracket ']'");
      brackets = false;
    }
    if ('()[]{},'.includes(c) || (c === ':' && brackets)) {
      if (c === '}') fail(at, "unexpected character: '}'");
      push('punctuation', c, at + 1);
      return;
    }
    const op = OPERATORS.find((candidate) => query.startsWith(candidate, at));
    if (c === '!' && op === undefined) fail(at, `unexpected character after '!': '${query[at + 1] ?? ''}'`);
    if (op === undefined) fail(at, `unexpected character: '${String.fromCodePoint(query.codePointAt(at)!)}'`);
    push('op', op!, at + op!.length);
  }
}

const ESCAPES: Readonly<Record<string, string>> = { a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v', '\\': '\\' };

/** The value of the string that begins at `start`, and the offset behind its closing quote. */
function readString(query: string, start: number, fail: (offset: number, message: string) => never): [value: string, end: number] {
  const delimiter = query[start]!;
  if (delimiter === '`') {
    const end = query.indexOf('`', start + 1);
    if (end < 0) fail(start, 'unterminated raw string');
    return [query.slice(start + 1, end), end + 1];
  }
  let value = '';
  let bytes: number[] = []; // \x and octal escapes are bytes; several make one character.
  const flush = (): void => {
    if (bytes.length > 0) value += decodeUtf8(bytes);
    bytes = [];
  };
  for (let at = start + 1; at < query.length; at++) {
    const c = query[at]!;
    if (c === '\n') break;
    if (c === delimiter) {
      flush();
      return [value, at + 1];
    }
    if (c !== '\\') {
      flush();
      value += c;
      continue;
    }
    const next = query[++at];
    if (next === undefined) fail(start, 'escape sequence not terminated');
    const digits = next === 'x' ? 2 : next === 'u' ? 4 : next === 'U' ? 8 : /[0-7]/.test(next!) ? 3 : 0;
    if (digits === 0) {
      const plain = next === delimiter ? delimiter : ESCAPES[next!];
      if (plain === undefined) fail(start, `unknown escape sequence U+${next!.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')} '${next}'`);
      flush();
      value += plain;
      continue;
    }
    const octal = digits === 3;
    const from = octal ? at : at + 1;
    const text = query.slice(from, from + digits);
    if (text.length < digits || !(octal ? /^[0-7]+$/ : /^[0-9a-fA-F]+$/).test(text)) fail(start, 'illegal character in escape sequence');
    const code = Number.parseInt(text, octal ? 8 : 16);
    if (octal || next === 'x') {
      if (code > 255) fail(start, 'escape sequence is an invalid Unicode code point');
      bytes.push(code);
    } else {
      if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) fail(start, 'escape sequence is an invalid Unicode code point');
      flush();
      value += String.fromCodePoint(code);
    }
    at = from + digits - 1;
  }
  return fail(start, 'unterminated quoted string');
}

/** Bytes that are not UTF-8 become lone surrogates, so that whoever asks for well-formed text notices. */
function decodeUtf8(bytes: readonly number[]): string {
  const text = Buffer.from(bytes).toString('utf8');
  return text.includes('\ufffd') ? String.fromCharCode(...bytes.map((byte) => (byte < 128 ? byte : 0xdc00 + byte))) : text;
}
