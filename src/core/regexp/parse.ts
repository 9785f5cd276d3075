/**
 * Go's regular expression syntax (RE2): text to the tree of node.ts. Faults are told in the words of Go's regexp/syntax. No lookaround and no
 * backreference: RE2 has none. Corners that are seldom seen (scripts by their short names, an operator behind a change of flags) throw Unsure:
 * the linear engine then decides alone.
 */
import { type CodePoints, complement, EVERYTHING, foldAscii, fromPairs, LAST, PERL_CLASSES, POSIX_CLASSES } from './code_points.ts';
import { choiceNode, groupNode, type Node, placeNode, repeatNode, sequenceNode, setNode } from './node.ts';

export interface Parsed {
  readonly root: Node;
  /** Names of the groups 1..n; '' where one has none. */
  readonly groupNames: readonly string[];
}

/** Thrown where this parser leaves the pattern to the linear engine. */
export class Unsure extends Error {}

interface Flags {
  /** Case does not matter. */
  i: boolean;
  /** ^ and $ are of lines. */
  m: boolean;
  /** A dot takes line feeds. */
  s: boolean;
  /** Lazy by default. */
  U: boolean;
}

/** What a class or an escape in one adds. */
interface Members {
  /** Listed one by one or as ranges: case may matter. */
  readonly listed: number[];
  /** Of named classes: closed under case already. */
  readonly closed: number[];
  properties: string;
}

const MAX_REPEAT = 1000;
const MAX_DEPTH = 250;
const CATEGORY = /^(?:C[cfos]?|L[lmotu]?|M[cen]?|N[dlo]?|P[cdefios]?|S[ckmo]?|Z[lps]?)$/;
const REPETITION = /(?:[*+?]|\{(\d+)(?:(,)(\d*))?\})/y;

/** Throws an Error with Go's text, or Unsure. `dotAll`: dots take line feeds from the start. */
export function parsePattern(text: string, dotAll: boolean): Parsed {
  const parser = new Parser(text);
  const root = parser.choice({ i: false, m: false, s: dotAll, U: false }, 0);
  if (parser.at < text.length) parser.fail('unexpected )', text);
  return { root, groupNames: parser.names };
}

class Parser {
  readonly text: string;
  readonly names: string[] = [];
  at = 0;

  constructor(text: string) {
    this.text = text;
  }

  fail(what: string, piece: string): never {
    throw new Error(`error parsing regexp: ${what}: \`${piece}\``);
  }

  /** Everything up to the ")" that closes this group, or the end. */
  choice(outer: Flags, depth: number): Node {
    if (depth > MAX_DEPTH) throw new Unsure();
    const flags = { ...outer },
      branches: Node[] = [];
    let parts: Node[] = [];
    for (; this.at < this.text.length && this.text[this.at] !== ')'; ) {
      if (this.text[this.at] === '|') {
        this.at++;
        branches.push(sequenceNode(parts));
        parts = [];
      } else this.#item(flags, parts, depth);
    }
    branches.push(sequenceNode(parts));
    return choiceNode(branches);
  }

  #rest(size = 64): string {
    return this.text.slice(this.at, this.at + size);
  }

  /** The repetition operator that stands here, or null. */
  #operator(): RegExpExecArray | null {
    REPETITION.lastIndex = this.at;
    return REPETITION.exec(this.text);
  }

  /** One atom with what repeats it, or a change of flags. */
  #item(flags: Flags, parts: Node[], depth: number): void {
    const c = this.text[this.at]!;
    if (c === '(') {
      const group = this.#group(flags, depth);
      if (group === null) {
        if (this.#operator() !== null) throw new Unsure();
        return;
      }
      parts.push(group);
    } else if (c === '\\' && this.text[this.at + 1] === 'Q') {
      const end = this.text.indexOf('\\E', this.at + 2),
        quoted = this.text.slice(this.at + 2, end < 0 ? this.text.length : end);
      this.at = end < 0 ? this.text.length : end + 2;
      for (const one of quoted) parts.push(this.#letter(one.codePointAt(0)!, flags));
      if (quoted === '') {
        if (this.#operator() !== null) throw new Unsure();
        return;
      }
    } else parts.push(this.#atom(c, flags));
    const repeated = this.#repeat(parts.at(-1)!, flags);
    if (repeated !== null) parts[parts.length - 1] = repeated;
  }

  #atom(c: string, flags: Flags): Node {
    switch (c) {
      case '^':
        this.at++;
        return placeNode(flags.m ? 'line_start' : 'start');
      case '$':
        this.at++;
        return placeNode(flags.m ? 'line_end' : 'end');
      case '.':
        this.at++;
        return flags.s ? setNode(EVERYTHING) : setNode([10, 10], { isNegated: true });
      case '[':
        return this.#class(flags);
      case '\\':
        return this.#escapedAtom(flags);
      default: {
        const operator = this.#operator();
        if (operator !== null) this.fail('missing argument to repetition operator', operator[0]);
        const point = this.text.codePointAt(this.at)!;
        this.at += point > 0xffff ? 2 : 1;
        return this.#letter(point, flags);
      }
    }
  }

  #letter(point: number, flags: Flags): Node {
    return this.#listed([point, point], flags);
  }
  #listed(points: CodePoints, flags: Flags): Node {
    if (!flags.i) return setNode(points);
    return points.at(-1)! < 128 ? setNode(foldAscii(points)) : setNode(points, { ignoreCase: true });
  }

  /** From its "(" on; null where it was only a change of flags, which are set then. */
  #group(flags: Flags, depth: number): Node | null {
    const changes = /^\(\?([imsU]*)(?:-([imsU]+))?([:)])/.exec(this.#rest());
    if (changes !== null) {
      this.at += changes[0].length;
      const target = changes[3] === ')' ? flags : { ...flags };
      for (const flag of changes[1]!) target[flag as keyof Flags] = true;
      for (const flag of changes[2] ?? '') target[flag as keyof Flags] = false;
      if (changes[3] === ')') return null;
      const body = this.choice(target, depth + 1);
      this.#close();
      return body;
    }
    let name = '';
    if (this.text.startsWith('(?', this.at)) name = this.#groupName();
    else this.at++;
    this.names.push(name);
    const body = this.choice(flags, depth + 1);
    this.#close();
    return groupNode(body);
  }

  #groupName(): string {
    const rest = this.text.slice(this.at),
      opening = /^\(\?P?</.exec(rest);
    // Go shows what it read, up to the first character that is no flag.
    if (opening === null) this.fail('invalid or unsupported Perl syntax', /^\(\?[imsU]*(?:-[imsU]*)?[\s\S]?/u.exec(rest)![0]);
    const end = rest.indexOf('>');
    if (end < 0) this.fail('invalid named capture', rest);
    const name = rest.slice(opening[0].length, end);
    if (!/^\w+$/.test(name)) this.fail('invalid named capture', rest.slice(0, end + 1));
    this.at += end + 1;
    return name;
  }

  #close(): void {
    if (this.text[this.at] !== ')') this.fail('missing closing )', this.text);
    this.at++;
  }

  #repeat(body: Node, flags: Flags): Node | null {
    const start = this.at,
      operator = this.#operator();
    if (operator === null) return null;
    const [sign, least, comma, most] = operator;
    let min = sign === '+' ? 1 : 0,
      max = sign === '?' ? 1 : Number.POSITIVE_INFINITY;
    if (least !== undefined) {
      min = Number(least);
      max = comma === undefined ? min : most === '' ? Number.POSITIVE_INFINITY : Number(most);
      if (min > MAX_REPEAT || (max !== Number.POSITIVE_INFINITY && max > MAX_REPEAT) || max < min) this.fail('invalid repeat count', sign);
      if (min * repeats(body) > MAX_REPEAT || (max !== Number.POSITIVE_INFINITY && max * repeats(body) > MAX_REPEAT)) this.fail('invalid repeat count', sign);
    }
    this.at += sign.length;
    let isLazy = flags.U;
    if (this.text[this.at] === '?') {
      isLazy = !isLazy;
      this.at++;
    }
    const again = this.#operator();
    if (again !== null) {
      const lazy = this.text[this.at + again[0].length] === '?' ? 1 : 0;
      this.fail('invalid nested repetition operator', this.text.slice(start, this.at + again[0].length + lazy));
    }
    return repeatNode(body, min, max, isLazy);
  }

  #escapedAtom(flags: Flags): Node {
    const c = this.text[this.at + 1];
    const place = c === 'A' ? 'start' : c === 'z' ? 'end' : c === 'b' ? 'word' : c === 'B' ? 'not_word' : null;
    if (place !== null) {
      this.at += 2;
      return placeNode(place);
    }
    const members: Members = { listed: [], closed: [], properties: '' };
    const point = this.#escape(flags, members);
    if (point >= 0) return this.#letter(point, flags);
    return setNode(fromPairs(members.closed), { properties: members.properties, ignoreCase: flags.i && members.properties !== '' });
  }

  /** A code point, or -1 where the escape is a class, which goes to `members`. */
  #escape(flags: Flags, members: Members): number {
    const c = this.text[this.at + 1];
    if (c === undefined) this.fail('trailing backslash at end of expression', '');
    const start = this.at;
    this.at += 2;
    const perl = PERL_CLASSES[c.toLowerCase()];
    if (perl !== undefined) {
      const points = flags.i ? foldAscii(perl) : perl;
      members.closed.push(...(c === c.toLowerCase() ? points : complement(points)));
      return -1;
    }
    if (c === 'p' || c === 'P') {
      this.#property(c === 'P', flags, members);
      return -1;
    }
    const control = 'aftnrv'.indexOf(c);
    if (control >= 0) return [7, 12, 9, 10, 13, 11][control]!;
    if (c === 'x') {
      const hex = /^(?:\{([0-9a-fA-F]+)\}|([0-9a-fA-F]{2}))/.exec(this.#rest()),
        point = Number.parseInt(hex?.[1] ?? hex?.[2] ?? 'none', 16);
      if (hex === null || point > LAST) this.fail('invalid escape sequence', this.text.slice(start, this.at) + this.#badHex());
      this.at += hex[0].length;
      return point;
    }
    if (c >= '0' && c <= '7') {
      const octal = /^[0-7]{0,2}/.exec(this.#rest())![0];
      if (c !== '0' && octal === '') this.fail('invalid escape sequence', `\\${c}`);
      this.at += octal.length;
      return Number.parseInt(c + octal, 8);
    }
    const point = this.text.codePointAt(start + 1)!;
    if (/[0-9A-Za-z]/.test(c) || point > 127) this.fail('invalid escape sequence', `\\${String.fromCodePoint(point)}`);
    return point;
  }

  /** What Go has read when it finds that a \x is wrong. */
  #badHex(): string {
    const rest = this.#rest();
    if (!rest.startsWith('{')) return /^[\s\S]{0,2}/u.exec(rest)![0];
    let size = 1;
    while (/[0-9a-fA-F]/.test(rest[size] ?? '') && Number.parseInt(rest.slice(1, size + 1), 16) <= LAST) size++;
    return rest.slice(0, size + 1);
  }

  #property(isUpper: boolean, flags: Flags, members: Members): void {
    const long = /^\{(\^?)([^}]*)\}/.exec(this.#rest()),
      name = long ? long[2]! : this.#rest(1),
      isNegated = isUpper !== (long?.[1] === '^');
    if (isNegated && flags.i) throw new Unsure();
    const letter = isNegated ? 'P' : 'p';
    if (CATEGORY.test(name)) members.properties += `\\${letter}{${name}}`;
    else if (name.length > 4 && isScript(name)) members.properties += `\\${letter}{Script=${name}}`;
    else throw new Unsure();
    this.at += long ? long[0].length : 1;
  }

  #class(flags: Flags): Node {
    const start = this.at++,
      members: Members = { listed: [], closed: [], properties: '' };
    const isNegated = this.text[this.at] === '^';
    if (isNegated) this.at++;
    for (let first = true; first || this.text[this.at] !== ']'; first = false) {
      if (this.at >= this.text.length) this.fail('missing closing ]', this.text.slice(start));
      const posix = this.text[this.at] === '[' ? /^\[:(\^?)([\s\S]*?):\]/.exec(this.#rest()) : null;
      if (posix !== null) {
        const named = POSIX_CLASSES[posix[2]!] ?? this.fail('invalid character class range', posix[0]),
          points = flags.i ? foldAscii(named) : named;
        members.closed.push(...(posix[1] === '^' ? complement(points) : points));
        this.at += posix[0].length;
        continue;
      }
      const from = this.at;
      const low = this.#member(flags, members);
      if (low < 0) continue;
      let high = low;
      if (this.text[this.at] === '-' && this.text[this.at + 1] !== ']' && this.text[this.at + 1] !== undefined) {
        this.at++;
        high = this.#member(flags, null);
        if (high < low) this.fail('invalid character class range', this.text.slice(from, this.at));
      }
      members.listed.push(low, high);
    }
    this.at++;
    return this.#classNode(members, isNegated, flags);
  }

  #classNode(members: Members, isNegated: boolean, flags: Flags): Node {
    const listed = fromPairs(members.listed),
      { properties } = members;
    const ignoreCase = flags.i && (properties !== '' || (listed.at(-1) ?? 0) > 127);
    const points = fromPairs([...(flags.i && !ignoreCase ? foldAscii(listed) : listed), ...members.closed]);
    return setNode(points, { properties, isNegated, ignoreCase });
  }

  /** A code point, or -1 for a class, which goes to `members`; null: a class may not stand here. */
  #member(flags: Flags, members: Members | null): number {
    if (this.text[this.at] === '\\') {
      if (members !== null) return this.#escape(flags, members);
      if (/[dDsSwWpP]/.test(this.text[this.at + 1] ?? '')) this.fail('invalid escape sequence', this.text.slice(this.at, this.at + 2));
      return this.#escape(flags, { listed: [], closed: [], properties: '' });
    }
    const point = this.text.codePointAt(this.at)!;
    this.at += point > 0xffff ? 2 : 1;
    return point;
  }
}

/** How often a pattern repeats its innermost part by counts alone: Go limits the product. */
function repeats(node: Node): number {
  switch (node.kind) {
    case 'group':
      return repeats(node.body);
    case 'repeat': {
      const own = node.max === Number.POSITIVE_INFINITY ? node.min : node.max;
      return Math.max(1, own) * repeats(node.body);
    }
    case 'sequence':
      return Math.max(1, ...node.parts.map(repeats));
    case 'choice':
      return Math.max(1, ...node.branches.map(repeats));
    default:
      return 1;
  }
}

function isScript(name: string): boolean {
  try {
    new RegExp(`\\p{Script=${name}}`, 'u');
    return true;
  } catch {
    return false;
  }
}
