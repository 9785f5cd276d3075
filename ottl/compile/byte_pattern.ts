/**
 * A pattern as a one-pass matcher over bytes, for patterns that never need to go back: literals, classes, groups, anchors, and repetition whose next
 * byte is never in what repeats. Everything else is null, and the text is decoded for Pattern (pattern.ts). Captures are byte offsets in `groups`.
 */

/** Start and end of group i at 2i and 2i + 1, after a match. */
export const groups = new Int32Array(64);

const ONE = 1;
const PLUS = 2;
const STAR = 3;
const OPTION = 4;
const OPEN = 5;
const CLOSE = 6;
/** Several bytes that must come one after the other. */
const WORD_OF = 7;

class NotOnePass extends Error {}
const no = (): never => {
  throw new NotOnePass();
};

const table = (is: (byte: number) => boolean): Uint8Array => Uint8Array.from({ length: 256 }, (_, byte) => (is(byte) ? 1 : 0));
const DIGIT = table((x) => x > 47 && x < 58);
const WORD = table((x) => (x > 47 && x < 58) || (x > 64 && x < 91) || (x > 96 && x < 123) || x === 95);
const SPACE = table((x) => x === 32 || (x > 8 && x < 14 && x !== 11));
const not = (set: Uint8Array): Uint8Array => set.map((bit) => 1 - bit);
const byteOf = (c: string): number => (c.charCodeAt(0) > 127 ? no() : c.charCodeAt(0));

function escapeSet(c: string | undefined): Uint8Array {
  if (c === undefined) return no();
  if (c === 'd') return DIGIT;
  if (c === 'w') return WORD;
  if (c === 's') return SPACE;
  if (c === 'D') return not(DIGIT);
  if (c === 'W') return not(WORD);
  if (c === 'S') return not(SPACE);
  if (/[a-zA-Z0-9]/.test(c)) return no();
  const byte = byteOf(c);
  return table((x) => x === byte);
}

/** The only byte that is not in the set, -1 where there are several or none. */
function onlyOutside(set: Uint8Array): number {
  const at = set.indexOf(0);
  return set.indexOf(0, at + 1) < 0 ? at : -1;
}

interface Op {
  readonly kind: number;
  readonly set: Uint8Array;
  readonly group: number;
}
const NOTHING = new Uint8Array(256);

/** Four numbers an op: kind; group, or where in `words` its word begins; where that ends, or the only byte outside its set (-1: several); place of its table. */
const STRIDE = 4;

export class BytePattern {
  /** Where the whole pattern is ^literal: its bytes. */
  readonly prefix: Uint8Array | null;
  readonly groupCount: number;
  readonly #code: Int32Array;
  readonly #tables: Uint8Array;
  readonly #words: Uint8Array;
  readonly #anchored: boolean;
  readonly #atEnd: boolean;
  /** What a match can begin with. */
  readonly #first: Uint8Array;
  /** Where a match begins with a word: how long that is, its last byte (-1: it does not), and by how much a byte in that place lets the search go on. */
  readonly #wordSize: number;
  readonly #wordLast: number;
  readonly #skip: Uint8Array;
  /** By op: the run of a repetition behind which nothing matched, from and to. */
  readonly #failed: Int32Array;

  /** Null where the pattern is not of this kind. `source` is known to be valid RE2. */
  static of(source: string): BytePattern | null {
    try {
      return new BytePattern(source);
    } catch (error) {
      if (error instanceof NotOnePass) return null;
      throw error;
    }
  }
  private constructor(source: string) {
    const { ops: parsed, anchored, atEnd, groupCount } = parse(source);
    const consuming = parsed.filter((op) => op.kind < OPEN);
    const one = (op: Op): boolean => op.kind === ONE && op.set.reduce((sum, bit) => sum + bit, 0) === 1;
    this.#anchored = anchored;
    this.#atEnd = atEnd;
    this.groupCount = groupCount;
    this.prefix = anchored && !atEnd && parsed.every(one) ? Uint8Array.from(parsed, (op) => op.set.indexOf(1)) : null;
    const ops: Op[] = [];
    const words: number[] = [];
    const spans: [from: number, to: number][] = [];
    for (const op of parsed) {
      const last = ops.at(-1);
      if (one(op) && last?.kind === WORD_OF) spans.at(-1)![1]++;
      else {
        spans.push([words.length, words.length + (one(op) ? 1 : 0)]);
        ops.push(one(op) ? { ...op, kind: WORD_OF } : op);
      }
      if (one(op)) words.push(op.set.indexOf(1));
    }
    this.#words = Uint8Array.from(words);
    this.#tables = new Uint8Array(256 * ops.length);
    ops.forEach((op, i) => {
      this.#tables.set(op.set, 256 * i);
    });
    this.#code = Int32Array.from(
      ops.flatMap((op, i) => (op.kind === WORD_OF ? [op.kind, ...spans[i]!, 0] : [op.kind, op.group, onlyOutside(op.set), 256 * i])),
    );
    const first = consuming[0];
    if (!anchored && (first === undefined || first.kind > PLUS)) no();
    this.#first = first?.set ?? NOTHING;
    const lead = ops.findIndex((op) => op.kind < OPEN || op.kind === WORD_OF);
    const word = lead >= 0 && ops[lead]!.kind === WORD_OF ? words.slice(...spans[lead]!) : [];
    this.#wordSize = word.length;
    this.#wordLast = word.at(-1) ?? -1;
    this.#skip = new Uint8Array(256).fill(Math.min(word.length, 255));
    for (let i = Math.max(0, word.length - 255); i < word.length - 1; i++) this.#skip[word[i]!] = word.length - 1 - i;
    this.#failed = new Int32Array(2 * ops.length);
  }

  /** Whether it matches from here. `failed`: runs that need not be gone through again, or null. */
  #at(bytes: Uint8Array, from: number, to: number, failed: Int32Array | null): boolean {
    const code = this.#code;
    const tables = this.#tables;
    const end = to | 0;
    let p = from | 0;
    for (let k = 0; k < code.length; k += STRIDE) {
      const op = code[k]!;
      if (op === WORD_OF) {
        const words = this.#words;
        const stop = code[k + 2]!;
        let w = code[k + 1]!;
        if (end - p < stop - w) return false;
        for (; w < stop; w++) {
          if (bytes[p] !== words[w]) return false;
          p = (p + 1) | 0;
        }
      } else if (op === OPEN) groups[2 * code[k + 1]!] = p;
      else if (op === CLOSE) groups[2 * code[k + 1]! + 1] = p;
      else {
        const begin = p;
        const t = code[k + 3]!;
        if (op === ONE || op === OPTION) {
          if (p < end && tables[t + bytes[p]!] !== 0) p = (p + 1) | 0;
          if (op === ONE && p === begin) return false;
          continue;
        }
        const row = k >> 1;
        if (failed !== null && p >= failed[row]! && p <= failed[row + 1]!) return false;
        const outside = code[k + 2]!;
        if (outside >= 0) while (p < end && bytes[p] !== outside) p = (p + 1) | 0;
        else while (p < end && tables[t + bytes[p]!] !== 0) p = (p + 1) | 0;
        if (op === PLUS && p === begin) return false;
        if (failed !== null) {
          failed[row] = begin;
          failed[row + 1] = p;
        }
      }
    }
    return !this.#atEnd || p === end;
  }
  /** Whether the pattern occurs in [start, end); leaves its groups in `groups`. Takes time in proportion to the length, whatever the text. */
  exec(bytes: Uint8Array, start: number, end: number): boolean {
    if (this.#anchored) return this.#at(bytes, start, end, null);
    let attempts = 0;
    let failed: Int32Array | null = null;
    const last = this.#wordLast;
    if (last >= 0) {
      // Horspool: a look at where the last byte of the word would be says how far the next place is.
      const skip = this.#skip;
      const size = this.#wordSize - 1;
      for (let p = start, stop = end - size; p < stop; ) {
        const byte = bytes[p + size]!;
        if (byte === last) {
          if (this.#at(bytes, p, end, failed)) return true;
          if (++attempts === PATIENCE) failed = this.#failed.fill(-1);
        }
        p += skip[byte]!;
      }
      return false;
    }
    const first = this.#first;
    for (let p = start; p < end; p++) {
      if (first[bytes[p]!] === 0) continue;
      if (this.#at(bytes, p, end, failed)) return true;
      if (++attempts === PATIENCE) failed = this.#failed.fill(-1);
    }
    return false;
  }
}
/** After so many places where it did not match, runs are remembered, which costs something and keeps a long text from taking time by its square. */
const PATIENCE = 16;

function parse(source: string): { ops: Op[]; anchored: boolean; atEnd: boolean; groupCount: number } {
  const ops: Op[] = [];
  const open: number[] = [];
  let groupCount = 0;
  let atEnd = false;
  let i = 0;
  const anchored = source.startsWith('^');
  if (anchored) i++;
  while (i < source.length) {
    const c = source[i++]!;
    if (c === '(') {
      if (source.startsWith('?P<', i)) i = source.indexOf('>', i) + 1;
      else if (source[i] === '?') no();
      open.push(++groupCount);
      if (groupCount > 30) no();
      ops.push({ kind: OPEN, set: NOTHING, group: groupCount });
      continue;
    }
    if (c === ')') {
      if ('*+?{'.includes(source[i] ?? ' ')) no();
      ops.push({ kind: CLOSE, set: NOTHING, group: open.pop() ?? no() });
      continue;
    }
    if (c === '$' && i === source.length) {
      atEnd = true;
      continue;
    }
    if ('|*+?{^$'.includes(c)) no();
    let set: Uint8Array;
    if (c === '[') [set, i] = parseClass(source, i);
    else if (c === '.') set = table((x) => x !== 10);
    else if (c === '\\') set = escapeSet(source[i++]);
    else {
      const byte = byteOf(c);
      set = table((x) => x === byte);
    }
    let kind = ONE;
    const next = source[i];
    if (next === '+') kind = PLUS;
    else if (next === '*') kind = STAR;
    else if (next === '?') kind = OPTION;
    else if (next === '{') no();
    if (kind !== ONE) {
      i++;
      if ('?*+{'.includes(source[i] ?? ' ')) no();
    }
    // One code point may be several bytes: only a repetition may take them.
    if (set[200] !== 0 && kind !== PLUS && kind !== STAR) no();
    ops.push({ kind, set, group: 0 });
  }
  const consuming = ops.filter((op) => op.kind < OPEN);
  consuming.forEach((op, k) => {
    if (op.kind === ONE) return;
    for (const later of consuming.slice(k + 1)) {
      if (op.set.some((bit, x) => bit !== 0 && later.set[x] !== 0)) no();
      if (later.kind === ONE || later.kind === PLUS) return;
    }
  });
  return { ops, anchored, atEnd, groupCount };
}

/** A class behind its "[": the set, and where it ends. */
function parseClass(source: string, start: number): [set: Uint8Array, next: number] {
  let i = start;
  const negated = source[i] === '^';
  if (negated) i++;
  const inside = new Uint8Array(256);
  for (let first = true; source[i] !== ']' || first; first = false) {
    const c = source[i++];
    if (c === undefined || c === '[' || (first && c === ']')) return no();
    if (c === '\\') {
      escapeSet(source[i++]).forEach((bit, x) => {
        if (bit !== 0) inside[x] = 1;
      });
      if (source[i] === '-' && source[i + 1] !== ']') return no();
      continue;
    }
    let last = c;
    if (source[i] === '-' && source[i + 1] !== ']') {
      last = source[i + 1] ?? no();
      if (last === '\\') return no();
      i += 2;
    }
    for (let x = byteOf(c); x <= byteOf(last); x++) inside[x] = 1;
  }
  return [negated ? table((x) => inside[x] === 0) : inside, i + 1];
}
