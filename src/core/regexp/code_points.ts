/**
 * Sets of code points as sorted, disjoint pairs [low, high, low, high, ...], bounds included, and the classes that RE2 has names for.
 * Only \p{...} is not here: what is in those, the engine knows.
 */

export type CodePoints = readonly number[];

export const LAST = 0x10ffff;
export const EVERYTHING: CodePoints = [0, LAST];
export const NOTHING: CodePoints = [];

/** Pairs in any order, overlapping or not. */
export function fromPairs(pairs: readonly number[]): CodePoints {
  if (pairs.length === 2) return pairs;
  const order = Array.from({ length: pairs.length / 2 }, (_, i) => i * 2).sort((a, b) => pairs[a]! - pairs[b]!);
  const out: number[] = [];
  for (const i of order) {
    const low = pairs[i]!,
      high = pairs[i + 1]!;
    if (out.length > 0 && low <= out.at(-1)! + 1) out[out.length - 1] = Math.max(out.at(-1)!, high);
    else out.push(low, high);
  }
  return out;
}

export function union(a: CodePoints, b: CodePoints): CodePoints {
  if (a.length === 0 || b === EVERYTHING) return b;
  if (b.length === 0 || a === EVERYTHING) return a;
  return fromPairs([...a, ...b]);
}

export function intersection(a: CodePoints, b: CodePoints): CodePoints {
  const out: number[] = [];
  for (let i = 0, k = 0; i < a.length && k < b.length; ) {
    const low = Math.max(a[i]!, b[k]!),
      high = Math.min(a[i + 1]!, b[k + 1]!);
    if (low <= high) out.push(low, high);
    if (a[i + 1]! < b[k + 1]!) i += 2;
    else k += 2;
  }
  return out;
}

export function complement(set: CodePoints): CodePoints {
  const out: number[] = [];
  let low = 0;
  for (let i = 0; i < set.length; i += 2) {
    if (set[i]! > low) out.push(low, set[i]! - 1);
    low = set[i + 1]! + 1;
  }
  if (low <= LAST) out.push(low, LAST);
  return out;
}

export function overlap(a: CodePoints, b: CodePoints): boolean {
  for (let i = 0, k = 0; i < a.length && k < b.length; ) {
    if (a[i + 1]! < b[k]!) i += 2;
    else if (b[k + 1]! < a[i]!) k += 2;
    else return true;
  }
  return false;
}

/** With the other case of each ASCII letter, and the two letters beyond ASCII that fold to one: the long s and the Kelvin sign. */
export function foldAscii(set: CodePoints): CodePoints {
  const pairs = [...set];
  for (let i = 0; i < set.length; i += 2) {
    for (let c = Math.max(set[i]!, 65); c <= Math.min(set[i + 1]!, 122); c++) {
      if (c > 90 && c < 97) continue;
      pairs.push(c ^ 32, c ^ 32);
      if ((c | 32) === 107) pairs.push(0x212a, 0x212a);
      if ((c | 32) === 115) pairs.push(0x17f, 0x17f);
    }
  }
  return fromPairs(pairs);
}

const of = (ranges: string): CodePoints => fromPairs(Array.from(ranges, (c) => c.codePointAt(0)!));

/** \d, \s and \w. */
export const PERL_CLASSES: Readonly<Record<string, CodePoints>> = { d: of('09'), s: of('\t\n\f\r  '), w: of('09AZ__az') };

/** [[:alpha:]] and so on. */
export const POSIX_CLASSES: Readonly<Record<string, CodePoints>> = {
  alnum: of('09AZaz'),
  alpha: of('AZaz'),
  ascii: [0, 0x7f],
  blank: of('\t\t  '),
  cntrl: [0, 0x1f, 0x7f, 0x7f],
  digit: of('09'),
  graph: of('!~'),
  lower: of('az'),
  print: of(' ~'),
  punct: of('!/:@[`{~'),
  space: of('\t\r  '),
  upper: of('AZ'),
  word: of('09AZ__az'),
  xdigit: of('09AFaf'),
};
