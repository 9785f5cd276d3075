/**
 * Go's fmt.Sprintf for the values of OTTL: flags, width, precision, `*`, argument indexes, and the %! notes where a verb does not fit.
 * Maps and lists print as Go prints plain maps and slices. Absent: %p.
 */
import { Duration, formatDuration, Id, Time, typeName, type Value, ValueMap } from '#ottl/values.ts';
import { formatGoFloat } from './go_float.ts';
import { formatGoTime } from './go_time.ts';
import { quoteGo } from '#src/core/go_quote.ts';

/** Wider fields are refused with %!(BADWIDTH), as in Go. */
const MAX_WIDTH = 1_000_000;
/** What all verbs of one call together may make. */
const MAX_OUTPUT = 16 * 1024 * 1024;

interface Spec {
  minus: boolean;
  plus: boolean;
  sharp: boolean;
  space: boolean;
  zero: boolean;
  width: number;
  /** -1: none. */
  precision: number;
}

export function sprintf(format: string, args: readonly Value[]): string {
  let out = '',
    next = 0,
    reordered = false;
  for (let i = 0; i < format.length && out.length < MAX_OUTPUT; ) {
    const percent = format.indexOf('%', i);
    if (percent < 0) {
      out += format.slice(i);
      break;
    }
    out += format.slice(i, percent);
    i = percent + 1;
    const spec: Spec = { minus: false, plus: false, sharp: false, space: false, zero: false, width: 0, precision: -1 };
    for (; i < format.length; i++) {
      const c = format[i]!;
      if (c === '-') spec.minus = true;
      else if (c === '+') spec.plus = true;
      else if (c === '#') spec.sharp = true;
      else if (c === ' ') spec.space = true;
      else if (c === '0') spec.zero = true;
      else break;
    }
    let badIndex = false;
    const index = (): void => {
      const found = /^\[(\d+)\]/.exec(format.slice(i, i + 12));
      if (format[i] !== '[') return;
      reordered = true;
      const wanted = found ? Number(found[1]) - 1 : -1;
      i += found ? found[0].length : format.indexOf(']', i) < 0 ? 1 : format.indexOf(']', i) - i + 1;
      if (wanted < 0 || wanted >= args.length) badIndex = true;
      else next = wanted;
    };
    const number = (): number | null => {
      if (format[i] === '*') {
        i++;
        const given = args[next++];
        return typeof given === 'bigint' && given >= -MAX_WIDTH && given <= MAX_WIDTH ? Number(given) : null;
      }
      const digits = /^\d*/.exec(format.slice(i, i + 9))![0];
      i += digits.length;
      return Number(digits) > MAX_WIDTH ? null : Number(digits);
    };
    index();
    const width = number();
    if (width === null) out += '%!(BADWIDTH)';
    else {
      if (width < 0) spec.minus = true;
      spec.width = Math.abs(width);
    }
    if (format[i] === '.') {
      i++;
      index();
      const precision = number();
      if (precision === null || precision < 0) out += '%!(BADPREC)';
      else spec.precision = precision;
    }
    index();
    if (i >= format.length) return `${out}%!(NOVERB)`;
    const verb = String.fromCodePoint(format.codePointAt(i)!);
    i += verb.length;
    if (verb === '%') out += '%';
    else if (badIndex) out += `%!${verb}(BADINDEX)`;
    else if (next >= args.length) out += `%!${verb}(MISSING)`;
    else out += formatOne(verb, args[next++]!, spec);
  }
  if (!reordered && next < args.length) {
    const extra = args.slice(next).map((arg) => (arg === null ? '<nil>' : `${typeName(arg)}=${plain(arg, 0)}`));
    out += `%!(EXTRA ${extra.join(', ')})`;
  }
  return out;
}

const bad = (verb: string, value: Value): string => `%!${verb}(${value === null ? '<nil>' : `${typeName(value)}=${plain(value, 0)}`})`;

function pad(text: string, spec: Spec, zeros = false): string {
  const missing = spec.width - [...text].length;
  if (missing <= 0) return text;
  if (spec.minus) return text + ' '.repeat(missing);
  if (!zeros) return ' '.repeat(missing) + text;
  const sign = /^[+\- ]/.exec(text)?.[0] ?? '';
  return sign + '0'.repeat(missing) + text.slice(sign.length);
}

function formatOne(verb: string, value: Value, spec: Spec): string {
  if (verb === 'T') return pad(typeName(value), spec);
  if (value === null) return verb === 'v' ? pad('<nil>', spec) : `%!${verb}(<nil>)`;
  switch (typeof value) {
    case 'boolean':
      return verb === 't' || verb === 'v' ? pad(String(value), spec) : bad(verb, value);
    case 'bigint':
      return formatInt(verb, value, spec);
    case 'number':
      return formatFloatVerb(verb, value, spec);
    case 'string':
      return formatText(verb, value, spec);
  }
  if (value instanceof Uint8Array) {
    if (verb === 'v' || verb === 'd') return pad(`[${[...value].join(' ')}]`, spec);
    return verb === 'x' || verb === 'X' ? hexText(verb, value, spec) : formatText(verb, Buffer.from(value).toString(), spec);
  }
  if (value instanceof Duration && verb === 'd') return formatInt(verb, value.nano, spec);
  if (value instanceof Time || value instanceof Duration || value instanceof Id) return formatText(verb === 'v' ? 's' : verb, plain(value, 0), spec);
  if (Array.isArray(value) && verb !== 'v') return `[${(value as Value[]).map((item) => formatOne(verb, item, spec)).join(' ')}]`;
  return pad(plain(value, 0), spec);
}

/** %v. */
function plain(value: Value, depth: number): string {
  if (value === null) return '<nil>';
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return formatGoFloat(value, 'g', -1);
  if (typeof value !== 'object') return String(value);
  if (value instanceof Uint8Array) return `[${[...value].join(' ')}]`;
  if (value instanceof Duration) return formatDuration(value);
  if (value instanceof Time) return formatGoTime(value, '2006-01-02 15:04:05.999999999 -0700 MST');
  if (value instanceof Id) return value.hex;
  if (depth > 64) return '...';
  if (value instanceof ValueMap) {
    const entries = value.keys.map((key, i) => `${key}:${plain(value.values[i]!, depth + 1)}`).sort();
    return `map[${entries.join(' ')}]`;
  }
  if (Array.isArray(value)) return `[${(value as Value[]).map((item) => plain(item, depth + 1)).join(' ')}]`;
  return '{}';
}

const BASES: Readonly<Record<string, readonly [number, string]>> = {
  d: [10, ''],
  v: [10, ''],
  b: [2, '0b'],
  o: [8, '0'],
  O: [8, '0o'],
  x: [16, '0x'],
  X: [16, '0X'],
};

function formatInt(verb: string, value: bigint, spec: Spec): string {
  if (verb === 'c') return pad(String.fromCodePoint(isRune(value) ? Number(value) : 0xfffd), spec);
  if (verb === 'q') return pad(quoteGo(String.fromCodePoint(isRune(value) ? Number(value) : 0xfffd), "'"), spec);
  if (verb === 'U') {
    const digits = BigInt.asUintN(64, value).toString(16).toUpperCase().padStart(Math.max(4, spec.precision), '0');
    return pad(`U+${digits}${spec.sharp && isRune(value) ? ` '${String.fromCodePoint(Number(value))}'` : ''}`, spec);
  }
  const base = BASES[verb];
  if (base === undefined) return bad(verb, value);
  const sign = value < 0n ? '-' : spec.plus ? '+' : spec.space ? ' ' : '';
  let digits = (value < 0n ? -value : value).toString(base[0]);
  if (verb === 'X') digits = digits.toUpperCase();
  if (spec.precision === 0 && value === 0n) return ' '.repeat(spec.width);
  if (spec.precision > digits.length) digits = digits.padStart(spec.precision, '0');
  else if (spec.precision < 0 && spec.zero && !spec.minus) digits = digits.padStart(spec.width - sign.length, '0');
  const prefix = verb === 'O' || (spec.sharp && verb !== 'd' && verb !== 'v') ? base[1] : '';
  return pad(sign + (verb === 'o' && digits.startsWith('0') ? '' : prefix) + digits, spec);
}
const isRune = (value: bigint): boolean => value >= 0n && value <= 0x10ffffn && !(value >= 0xd800n && value <= 0xdfffn);

function formatFloatVerb(verb: string, value: number, spec: Spec): string {
  const shape = verb === 'v' ? 'g' : verb === 'F' ? 'f' : verb;
  if (!'eEfgGbxX'.includes(shape) || shape === 'b' || shape === 'x' || shape === 'X') return bad(verb, value);
  const precision = spec.precision >= 0 ? spec.precision : shape === 'g' || shape === 'G' ? -1 : 6;
  let text = formatGoFloat(value, shape as 'e' | 'E' | 'f' | 'g' | 'G', precision);
  if (text === '+Inf' && !spec.plus) text = spec.space ? ' Inf' : '+Inf';
  else if (!/^[-+]/.test(text)) text = (spec.plus ? '+' : spec.space ? ' ' : '') + text;
  return pad(text, spec, spec.zero && !spec.minus && Number.isFinite(value));
}

function formatText(verb: string, value: string, spec: Spec): string {
  const cut = spec.precision >= 0 ? [...value].slice(0, spec.precision).join('') : value;
  if (verb === 's' || verb === 'v') return pad(verb === 'v' && spec.sharp ? quoteGo(cut) : cut, spec, spec.zero && !spec.minus);
  if (verb === 'q') return pad(spec.sharp && !/[`\x00-\x08\x0a-\x1f\x7f\ufeff]/.test(cut) ? `\`${cut}\`` : quoteGo(cut, '"', spec.plus), spec);
  if (verb === 'x' || verb === 'X') return hexText(verb, Buffer.from(value), spec);
  return bad(verb, value);
}
function hexText(verb: string, bytes: Uint8Array, spec: Spec): string {
  const part = spec.precision >= 0 ? bytes.subarray(0, spec.precision) : bytes;
  const hex = Buffer.from(part).toString('hex');
  const prefix = spec.sharp ? '0x' : '';
  const text = spec.space ? hex.replace(/../g, (two) => ` ${prefix}${two}`).slice(1) : hex === '' ? '' : prefix + hex;
  return pad(verb === 'X' ? text.toUpperCase() : text, spec);
}
