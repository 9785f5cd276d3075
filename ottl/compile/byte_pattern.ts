/**
 * A pattern as a one-pass matcher over bytes, for patterns that never need to go back: literals, classes, groups, anchors, and repetition whose next
 * byte is never in what repeats. Everything else is null, and the text is decoded for Pattern (pattern.ts). Captures are byte offsets in `groups`.
 */
import { LAST } from '#src/core/regexp/code_points.ts';
import { type CharSet, type Node, pointsOf } from '#src/core/regexp/node.ts';
import { type Parsed, parsePattern } from '#src/core/regexp/parse.ts';

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
const MAX_GROUPS = 30;
/** An element that is repeated so often is written so often. */
const MAX_COPIES = 16;

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
    const { ops: parsed, anchored, atEnd, groupCount } = programOf(source);
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

/** The pattern as a row of operations; throws NotOnePass where it is none. */
function programOf(source: string): { ops: Op[]; anchored: boolean; atEnd: boolean; groupCount: number } {
  const { root, groupNames } = parse(source);
  if (groupNames.length > MAX_GROUPS) no();
  const parts = root.kind === 'sequence' ? [...root.parts] : [root];
  const anchored = isPlace(parts[0], 'start');
  if (anchored) parts.shift();
  const atEnd = isPlace(parts.at(-1), 'end');
  if (atEnd) parts.pop();
  const ops: Op[] = [];
  let group = 0;
  for (const part of parts) group = append(part, ops, group);
  const consuming = ops.filter((op) => op.kind < OPEN);
  consuming.forEach((op, k) => {
    if (op.kind === ONE) return;
    for (const later of consuming.slice(k + 1)) {
      if (op.set.some((bit, x) => bit !== 0 && later.set[x] !== 0)) no();
      if (later.kind === ONE || later.kind === PLUS) return;
    }
  });
  return { ops, anchored, atEnd, groupCount: groupNames.length };
}

function parse(source: string): Parsed {
  try {
    return parsePattern(source, false);
  } catch {
    return no(); // Pattern has said what is wrong with it, or knows what this parser leaves alone.
  }
}
const isPlace = (node: Node | undefined, place: string): boolean => node?.kind === 'place' && node.place === place;

/** Adds what a node does; `group` groups are open or done already. Returns how many there are then. */
function append(node: Node, ops: Op[], group: number): number {
  switch (node.kind) {
    case 'set':
      appendSet(node.set, ops);
      return group;
    case 'sequence':
      return node.parts.reduce((count, part) => append(part, ops, count), group);
    case 'group': {
      ops.push({ kind: OPEN, set: NOTHING, group: group + 1 });
      const inside = append(node.body, ops, group + 1);
      ops.push({ kind: CLOSE, set: NOTHING, group: group + 1 });
      return inside;
    }
    case 'repeat': {
      const { body, min, max } = node;
      if (node.isLazy || body.kind !== 'set') return no();
      if (min === max && max <= MAX_COPIES) for (let i = 0; i < max; i++) appendSet(body.set, ops);
      else if (min <= 1 && max === Number.POSITIVE_INFINITY) ops.push({ kind: min === 0 ? STAR : PLUS, set: bytesOf(body.set), group: 0 });
      else if (min === 0 && max === 1) ops.push({ kind: OPTION, set: oneByte(bytesOf(body.set)), group: 0 });
      else no();
      return group;
    }
    default:
      return no();
  }
}

function appendSet(set: CharSet, ops: Op[]): void {
  const { points, isNegated, properties, ignoreCase } = set;
  if (points.length === 2 && points[0] === points[1] && !isNegated && properties === '' && !ignoreCase)
    for (const byte of Buffer.from(String.fromCodePoint(points[0]!))) ops.push({ kind: ONE, set: new Uint8Array(256).fill(1, byte, byte + 1), group: 0 });
  else ops.push({ kind: ONE, set: oneByte(bytesOf(set)), group: 0 });
}

/** One code point may be several bytes: only a repetition may take those. */
const oneByte = (set: Uint8Array): Uint8Array => (set[200] !== 0 ? no() : set);

/** The bytes that a set takes: of those beyond ASCII all or none, as they are parts of code points. */
function bytesOf(set: CharSet): Uint8Array {
  if (set.properties !== '' || set.ignoreCase) no();
  const points = pointsOf(set),
    bytes = new Uint8Array(256);
  for (let i = 0; i < points.length; i += 2) {
    const low = points[i]!,
      high = points[i + 1]!;
    if (high > 127) {
      if (low > 128 || high !== LAST) no();
      bytes.fill(1, 128);
    }
    if (low < 128) bytes.fill(1, low, Math.min(high, 127) + 1);
  }
  return bytes;
}
