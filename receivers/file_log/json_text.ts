/**
 * JSON text to values as the Collector's json_parser reads it: numbers are doubles unless asked otherwise, the last of two equal keys
 * stays, control characters inside strings are let through. The fast path has its own reader over bytes (fast/json_bytes.ts).
 */
import type { Value, ValueMap } from './value.ts';

const MAX_DEPTH = 200;
const MAX_INT64 = 9223372036854775807n,
  MIN_INT64 = -9223372036854775808n;

export interface JsonOptions {
  /** Whole numbers that fit become integers. */
  readonly parseInts?: boolean;
  /** What follows the value is ignored. */
  readonly allowTail?: boolean;
}

class Reader {
  readonly text: string;
  readonly parseInts: boolean;
  at = 0;
  constructor(text: string, parseInts: boolean) {
    this.text = text;
    this.parseInts = parseInts;
  }

  fail(): never {
    const c = this.text[this.at];
    throw new Error(c === undefined ? 'unexpected end of JSON' : `invalid character ${JSON.stringify(c)} at position ${this.at} of JSON`);
  }

  space(): void {
    for (;;) {
      const c = this.text.charCodeAt(this.at);
      if (c !== 32 && c !== 10 && c !== 13 && c !== 9) return;
      this.at++;
    }
  }

  value(depth: number): Value {
    if (depth > MAX_DEPTH) throw new Error(`JSON nests more than ${MAX_DEPTH} levels`);
    this.space();
    switch (this.text[this.at]) {
      case '{':
        return this.object(depth);
      case '[':
        return this.array(depth);
      case '"':
        return this.string();
      case 't':
        return this.word('true', true);
      case 'f':
        return this.word('false', false);
      case 'n':
        return this.word('null', null);
      default:
        return this.number();
    }
  }

  word(word: string, value: Value): Value {
    if (!this.text.startsWith(word, this.at)) this.fail();
    this.at += word.length;
    return value;
  }

  object(depth: number): ValueMap {
    const map: ValueMap = new Map();
    this.at++;
    this.space();
    if (this.text[this.at] === '}') {
      this.at++;
      return map;
    }
    for (;;) {
      this.space();
      if (this.text[this.at] !== '"') this.fail();
      const key = this.string();
      this.space();
      if (this.text[this.at] !== ':') this.fail();
      this.at++;
      map.set(key, this.value(depth + 1));
      this.space();
      const c = this.text[this.at];
      if (c !== ',' && c !== '}') this.fail();
      this.at++;
      if (c === '}') return map;
    }
  }

  array(depth: number): Value[] {
    const list: Value[] = [];
    this.at++;
    this.space();
    if (this.text[this.at] === ']') {
      this.at++;
      return list;
    }
    for (;;) {
      list.push(this.value(depth + 1));
      this.space();
      const c = this.text[this.at];
      if (c !== ',' && c !== ']') this.fail();
      this.at++;
      if (c === ']') return list;
    }
  }

  string(): string {
    const text = this.text;
    let from = this.at + 1,
      at = from,
      out = '';
    for (;;) {
      const c = text.charCodeAt(at);
      if (c === 34) {
        this.at = at + 1;
        return out === '' ? text.slice(from, at) : out + text.slice(from, at);
      }
      if (Number.isNaN(c)) {
        this.at = at;
        this.fail();
      }
      if (c !== 92) {
        at++;
        continue;
      }
      out += text.slice(from, at);
      this.at = at + 1;
      out += this.escape();
      from = at = this.at;
    }
  }

  escape(): string {
    const c = this.text[this.at];
    this.at++;
    switch (c) {
      case '"':
      case '\\':
      case '/':
        return c;
      case 'n':
        return '\n';
      case 't':
        return '\t';
      case 'r':
        return '\r';
      case 'b':
        return '\b';
      case 'f':
        return '\f';
      case 'u': {
        const high = this.hex();
        if (high < 0xd800 || high > 0xdfff) return String.fromCharCode(high);
        if (high < 0xdc00 && this.text.startsWith('\\u', this.at)) {
          const back = this.at;
          this.at += 2;
          const low = this.hex();
          if (low >= 0xdc00 && low <= 0xdfff) return String.fromCharCode(high, low);
          this.at = back;
        }
        return '\ufffd';
      }
      default:
        this.at--;
        return this.fail();
    }
  }

  hex(): number {
    const digits = this.text.slice(this.at, this.at + 4);
    if (!/^[0-9a-fA-F]{4}$/.test(digits)) this.fail();
    this.at += 4;
    return Number.parseInt(digits, 16);
  }

  number(): number | bigint {
    NUMBER.lastIndex = this.at;
    const match = NUMBER.exec(this.text);
    if (match === null) this.fail();
    const digits = match[0];
    this.at += digits.length;
    if (this.parseInts && match[1] !== undefined) {
      const whole = BigInt(digits);
      if (whole <= MAX_INT64 && whole >= MIN_INT64) return whole;
    }
    const value = Number(digits);
    if (!Number.isFinite(value)) throw new Error(`number ${digits} is out of range`);
    return value;
  }
}
/** As lenient as the Collector's: "01", "1." and "-.5" are numbers. The group is a whole number. */
const NUMBER = /(-?\d+)(?![\d.eE])|-?(?:\d+\.?\d*|(?<=-)\.\d+)(?:[eE][+-]?\d+)?/y;

/** Throws an Error where the text is not JSON. */
export function parseJson(text: string, options: JsonOptions = {}): Value {
  const reader = new Reader(text, options.parseInts === true);
  const value = reader.value(0);
  if (options.allowTail !== true) {
    reader.space();
    if (reader.at < text.length) reader.fail();
  }
  return value;
}

/** JSON text of a value; integers beyond 2^53 keep their digits. */
export function toJson(value: Value): string {
  if (value === null) return 'null';
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'number') return Number.isFinite(value) ? JSON.stringify(value) : 'null';
  if (Array.isArray(value)) return `[${value.map(toJson).join(',')}]`;
  if (value instanceof Map) return `{${Array.from(value, ([key, item]) => `${JSON.stringify(key)}:${toJson(item)}`).join(',')}}`;
  if (value instanceof Uint8Array) return JSON.stringify(Buffer.from(value).toString('base64'));
  return JSON.stringify(value);
}
