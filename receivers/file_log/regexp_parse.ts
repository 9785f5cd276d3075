/**
 * Go's regular expression syntax (RE2) translated to JavaScript's, for patterns that a backtracking engine runs safely. What it finds out
 * on the way (group names, loops inside loops) lets regexp.ts choose the engine. Syntax errors are Go's, with the piece at fault.
 * No lookaround and no backreference: RE2 has none.
 */

export interface Translation {
  /** JavaScript source for the flag "u" (and "i", if `ignoreCase`); groups are numbered as in Go. */
  readonly source: string;
  /** By group number; '' for the whole match and for groups without a name. */
  readonly names: readonly string[];
  /** A loop within a loop or an alternation within a loop: backtracking could take exponential time. */
  readonly risky: boolean;
  /** Loops without an upper bound, plus one where the pattern is not anchored at its start: the degree of the worst case. */
  readonly loops: number;
}

interface Flags {
  i: boolean;
  m: boolean;
  s: boolean;
  U: boolean;
}

const SPACE = '\\t\\n\\f\\r ';
const NOT_SPACE = '\\0-\\x08\\x0b\\x0e-\\x1f!-\\u{10ffff}';
const POSIX: Readonly<Record<string, string>> = {
  alnum: '0-9A-Za-z',
  alpha: 'A-Za-z',
  ascii: '\\0-\\x7f',
  blank: '\\t ',
  cntrl: '\\0-\\x1f\\x7f',
  digit: '0-9',
  graph: '!-~',
  lower: 'a-z',
  print: ' -~',
  punct: '!-\\/:-@\\[-`\\{-~',
  space: '\\t\\n\\v\\f\\r ',
  upper: 'A-Z',
  word: '0-9A-Za-z_',
  xdigit: '0-9A-Fa-f',
};
const NOT_POSIX: Readonly<Record<string, string>> = {
  alnum: '\\0-\\/:-@\\[-`\\{-\\u{10ffff}',
  alpha: '\\0-@\\[-`\\{-\\u{10ffff}',
  ascii: '\\x80-\\u{10ffff}',
  blank: '\\0-\\x08\\n-\\x1f!-\\u{10ffff}',
  cntrl: ' -~\\x80-\\u{10ffff}',
  digit: '\\0-\\/:-\\u{10ffff}',
  graph: '\\0- \\x7f-\\u{10ffff}',
  lower: '\\0-`\\{-\\u{10ffff}',
  print: '\\0-\\x1f\\x7f-\\u{10ffff}',
  punct: '\\0- 0-9A-Za-z\\x7f-\\u{10ffff}',
  space: '\\0-\\x08\\x0e-\\x1f!-\\u{10ffff}',
  upper: '\\0-@\\[-\\u{10ffff}',
  word: '\\0-\\/:-@\\[-\\^`\\{-\\u{10ffff}',
  xdigit: '\\0-\\/:-@G-`g-\\u{10ffff}',
};
const MAX_REPEAT = 1000;

class Parser {
  readonly text: string;
  at = 0;
  names: string[] = [''];
  risky = false;
  loops = 0;

  constructor(text: string) {
    this.text = text;
  }

  fail(what: string, piece: string): never {
    throw new Error(`error parsing regexp: ${what}: \`${piece}\``);
  }

  /** One alternation up to ")" or the end. `inner` tells whether something in it repeats or branches. */
  alternation(flags: Flags, depth: number): { source: string; varies: boolean; anchored: boolean } {
    if (depth > 200) this.fail('expression nests too deeply', this.text.slice(0, 40));
    let source = '',
      mode = '',
      varies = false,
      branches = 0,
      first = true,
      anchored = false,
      allAnchored = true;
    const local = { ...flags };
    const text = this.text;
    while (this.at < text.length && text[this.at] !== ')') {
      const c = text[this.at]!;
      if (c === '|') {
        this.at++;
        source += mode === '' ? '|' : `)|${mode}`;
        branches++;
        allAnchored &&= anchored;
        anchored = false;
        first = true;
        continue;
      }
      let atom = '',
        atomVaries = false,
        canRepeat = true;
      if (c === '(') {
        const flagGroup = /^\(\?([imsU]*)(?:-([imsU]+))?([:)])/.exec(text.slice(this.at));
        if (flagGroup && (flagGroup[1] !== '' || flagGroup[2] !== undefined || flagGroup[3] === ':')) {
          const target = flagGroup[3] === ')' ? local : { ...local };
          const caseBefore = local.i;
          for (const flag of flagGroup[1]!) target[flag as keyof Flags] = true;
          for (const flag of flagGroup[2] ?? '') target[flag as keyof Flags] = false;
          this.at += flagGroup[0].length;
          if (flagGroup[3] === ')') {
            // The setting holds to the end of the group, across "|"; JavaScript has it as a group only, so the rest of every branch is wrapped.
            if (local.i !== caseBefore) {
              if (mode !== '') source += ')';
              mode = local.i === flags.i ? '' : local.i ? '(?i:' : '(?-i:';
              source += mode;
            }
            continue;
          }
          const body = this.alternation(target, depth + 1);
          this.close();
          atom = `${target.i !== caseBefore ? (target.i ? '(?i:' : '(?-i:') : '(?:'}${body.source})`;
          atomVaries = body.varies;
          if (first) anchored = body.anchored;
        } else {
          const named = /^\(\?P?<(\w*)>/.exec(text.slice(this.at));
          let name = '';
          if (named) {
            name = named[1]!;
            if (name === '') this.fail('invalid named capture', named[0]);
            if (this.names.includes(name)) this.fail('duplicate capture group name', name);
            this.at += named[0].length;
          } else if (text.startsWith('(?', this.at)) {
            if (/^\(\?P?</.test(text.slice(this.at))) this.fail('invalid named capture', text.slice(this.at, this.at + 12));
            this.fail('invalid or unsupported Perl syntax', text.slice(this.at, this.at + 3));
          } else this.at++;
          this.names.push(name);
          const body = this.alternation(local, depth + 1);
          this.close();
          atom = `(${body.source})`;
          atomVaries = body.varies;
          if (first) anchored = body.anchored;
        }
      } else if (c === '^') {
        this.at++;
        // A pattern bound to the starts of lines is as good as anchored: what is tried elsewhere fails at once.
        if (first) anchored = true;
        atom = local.m ? '(?<=\\n|(?<![^]))' : '^';
        canRepeat = false;
      } else if (c === '$') {
        this.at++;
        atom = local.m ? '(?=\\n|(?![^]))' : '$';
        canRepeat = false;
      } else if (c === '.') {
        this.at++;
        atom = local.s ? '[^]' : '[^\\n]';
      } else if (c === '[') atom = this.charClass();
      else if (c === '\\') {
        if (text[this.at + 1] === 'Q') {
          const end = text.indexOf('\\E', this.at + 2),
            literal = text.slice(this.at + 2, end < 0 ? text.length : end);
          this.at = end < 0 ? text.length : end + 2;
          const points = Array.from(literal);
          source += points.slice(0, -1).map(escapeChar).join('');
          if (points.length === 0) continue;
          atom = escapeChar(points[points.length - 1]!);
        } else {
          atom = this.escape(false);
          if (atom === '^' && first) anchored = true;
        }
      } else if (c === '*' || c === '+' || c === '?') this.fail('missing argument to repetition operator', c);
      else {
        const point = String.fromCodePoint(text.codePointAt(this.at)!);
        this.at += point.length;
        atom = escapeChar(point);
      }
      first = false;
      const repeat = this.repeat(local);
      if (repeat !== null) {
        if (repeat.max > 1 && atomVaries) this.risky = true;
        if (repeat.max === Infinity) this.loops++;
        if (repeat.min !== repeat.max) varies = true;
        // A group with an upper bound of one may be left out; an assertion that is repeated needs a group around it.
        source += (canRepeat ? atom : `(?:${atom})`) + repeat.source;
        if (repeat.min === 0) anchored = false;
      } else source += atom;
      varies ||= atomVaries;
    }
    return { source: mode === '' ? source : `${source})`, varies: varies || branches > 0, anchored: anchored && allAnchored };
  }

  close(): void {
    if (this.text[this.at] !== ')') this.fail('missing closing )', this.text);
    this.at++;
  }

  repeat(flags: Flags): { source: string; min: number; max: number } | null {
    const text = this.text,
      c = text[this.at];
    let min = 0,
      max = Infinity,
      source: string;
    const start = this.at;
    if (c === '*') source = '*';
    else if (c === '+') {
      source = '+';
      min = 1;
    } else if (c === '?') {
      source = '?';
      max = 1;
    } else if (c === '{') {
      const counted = /^\{(\d+)(?:(,)(\d*))?\}/.exec(text.slice(this.at));
      if (!counted) return null;
      min = Number(counted[1]);
      max = counted[2] === undefined ? min : counted[3] === '' ? Infinity : Number(counted[3]);
      if (min > MAX_REPEAT || (max !== Infinity && max > MAX_REPEAT) || max < min) this.fail('invalid repeat count', counted[0]);
      source = counted[0];
      this.at += source.length - 1;
    } else return null;
    this.at++;
    let lazy = flags.U;
    if (text[this.at] === '?') {
      lazy = !lazy;
      this.at++;
    }
    if (/^(?:[*+?]|\{\d+(?:,\d*)?\})/.test(text.slice(this.at))) this.fail('invalid nested repetition operator', text.slice(start, this.at + 1));
    return { source: lazy ? `${source}?` : source, min, max };
  }

  /** An escape outside (`inClass` false) or inside a class; returns JavaScript source. */
  escape(inClass: boolean): string {
    const text = this.text,
      c = text[this.at + 1];
    if (c === undefined) this.fail('trailing backslash at end of expression', '');
    const whole = text.slice(this.at, this.at + 2);
    this.at += 2;
    switch (c) {
      case 'd':
        return '\\d';
      case 'D':
        return '\\D';
      case 'w':
        return inClass ? '0-9A-Za-z_' : '[0-9A-Za-z_]';
      case 'W':
        return inClass ? NOT_POSIX.word! : '[^0-9A-Za-z_]';
      case 's':
        return inClass ? SPACE : `[${SPACE}]`;
      case 'S':
        return inClass ? NOT_SPACE : `[^${SPACE}]`;
      case 'a':
        return '\\x07';
      case 'f':
        return '\\f';
      case 't':
        return '\\t';
      case 'n':
        return '\\n';
      case 'r':
        return '\\r';
      case 'v':
        return '\\v';
      case 'p':
      case 'P': {
        const long = /^\{(\^?)([^}]*)\}/.exec(text.slice(this.at));
        const name = long ? long[2]! : (text[this.at] ?? '');
        const negated = (c === 'P') !== (long?.[1] === '^');
        this.at += long ? long[0].length : 1;
        for (const property of [name, `Script=${name}`]) {
          const source = `\\${negated ? 'P' : 'p'}{${property}}`;
          if (isValid(source)) return source;
        }
        return this.fail('invalid character class range', `${whole}${long ? long[0] : name}`);
      }
      case 'x': {
        const hex = /^(?:\{([0-9a-fA-F]{1,6})\}|([0-9a-fA-F]{2}))/.exec(text.slice(this.at));
        if (!hex) this.fail('invalid escape sequence', `${whole}${text.slice(this.at, this.at + 2)}`);
        this.at += hex[0].length;
        const code = Number.parseInt(hex[1] ?? hex[2]!, 16);
        if (code > 0x10ffff) this.fail('invalid escape sequence', whole);
        return `\\u{${code.toString(16)}}`;
      }
      case 'A':
        if (!inClass) return '^';
        break;
      case 'z':
        if (!inClass) return '$';
        break;
      case 'b':
        if (!inClass) return '\\b';
        break;
      case 'B':
        if (!inClass) return '\\B';
        break;
      default:
    }
    if (c >= '0' && c <= '7') {
      const octal = /^[0-7]{0,2}/.exec(text.slice(this.at))![0];
      if (c !== '0' && octal === '') this.fail('invalid escape sequence', whole);
      this.at += octal.length;
      return `\\u{${Number.parseInt(c + octal, 8).toString(16)}}`;
    }
    if (/[0-9A-Za-z]/.test(c) || c.charCodeAt(0) > 127) this.fail('invalid escape sequence', whole);
    return escapeChar(c);
  }

  charClass(): string {
    const text = this.text,
      start = this.at;
    let source = '[';
    this.at++;
    if (text[this.at] === '^') {
      source += '^';
      this.at++;
    }
    for (let first = true; ; first = false) {
      const c = text[this.at];
      if (c === undefined) this.fail('missing closing ]', text.slice(start));
      if (c === ']' && !first) break;
      if (c === '[') {
        const posix = /^\[:(\^?)(\w+):\]/.exec(text.slice(this.at));
        if (posix) {
          const set = (posix[1] === '^' ? NOT_POSIX : POSIX)[posix[2]!];
          if (set === undefined) this.fail('invalid character class range', posix[0]);
          source += set;
          this.at += posix[0].length;
          continue;
        }
      }
      const low = this.classItem();
      if (text[this.at] === '-' && text[this.at + 1] !== ']' && text[this.at + 1] !== undefined) {
        const at = this.at;
        this.at++;
        const high = this.classItem();
        if (!isValid(`[${low}-${high}]`)) this.fail('invalid character class range', text.slice(at - 1, this.at));
        source += `${low}-${high}`;
      } else source += low;
    }
    this.at++;
    return `${source}]`;
  }

  classItem(): string {
    if (this.text[this.at] === '\\') return this.escape(true);
    const point = String.fromCodePoint(this.text.codePointAt(this.at)!);
    this.at += point.length;
    return escapeChar(point);
  }
}

function escapeChar(point: string): string {
  if (/[\^$\\.*+?()[\]{}|/-]/.test(point)) return point === '-' ? '\\x2d' : `\\${point}`;
  return point === '\n' ? '\\n' : point;
}

function isValid(source: string): boolean {
  try {
    new RegExp(source, 'u');
    return true;
  } catch {
    return false;
  }
}

/** Throws an Error in Go's words where the pattern is not one of RE2. */
export function translateRegExp(pattern: string): Translation {
  const parser = new Parser(pattern);
  const { source, anchored } = parser.alternation({ i: false, m: false, s: false, U: false }, 0);
  if (parser.at < pattern.length) parser.fail('unexpected )', pattern);
  return { source, names: parser.names, risky: parser.risky, loops: parser.loops + (anchored ? 0 : 1) };
}
