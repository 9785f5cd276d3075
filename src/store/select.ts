/** From matchers to series, over anything that has an inverted index (the head, a block): lists of ascending numbers are united, intersected, subtracted. */
import type { CompiledMatcher } from '#src/core/matcher.ts';

export interface PostingsSource {
  /** All series, ascending. */
  all(): Int32Array;
  names(): string[];
  /** Values of a name, in any order. */
  values(name: string): string[];
  /** Series with name="value", ascending; empty where there are none. */
  postings(name: string, value: string): Int32Array;
}

/** Series that match all matchers, ascending. */
export function selectSeries(source: PostingsSource, matchers: readonly CompiledMatcher[]): Int32Array {
  let found: Int32Array | null = null;
  // Matchers that the label must be there for narrow down; equalities first, because they cost nothing.
  const needed = matchers.filter((matcher) => !matcher.matchesEmpty).sort((a, b) => (a.values?.length ?? Infinity) - (b.values?.length ?? Infinity) || 0);
  for (const matcher of needed) {
    if (found !== null && found.length === 0) return found;
    const values = matcher.values ?? source.values(matcher.name).filter((value) => matcher.matches(value));
    const list = unite(values.map((value) => source.postings(matcher.name, value)));
    found = found === null ? list : intersect(found, list);
  }
  found ??= source.all();
  for (const matcher of matchers) {
    if (!matcher.matchesEmpty || found.length === 0) continue;
    const others = source.values(matcher.name).filter((value) => !matcher.matches(value));
    if (others.length > 0) found = subtract(found, unite(others.map((value) => source.postings(matcher.name, value))));
  }
  return found;
}

export function unite(lists: Int32Array[]): Int32Array {
  if (lists.length === 0) return new Int32Array(0);
  if (lists.length === 1) return lists[0]!;
  let size = 0;
  for (const list of lists) size += list.length;
  const all = new Int32Array(size);
  size = 0;
  for (const list of lists) {
    all.set(list, size);
    size += list.length;
  }
  all.sort();
  let n = 0;
  for (let i = 0; i < size; i++) if (i === 0 || all[i] !== all[i - 1]) all[n++] = all[i]!;
  return all.subarray(0, n);
}

export function intersect(a: Int32Array, b: Int32Array): Int32Array {
  const out = new Int32Array(Math.min(a.length, b.length));
  let i = 0;
  let j = 0;
  let n = 0;
  while (i < a.length && j < b.length) {
    const difference = a[i]! - b[j]!;
    if (difference === 0) {
      out[n++] = a[i++]!;
      j++;
    } else if (difference < 0) i++;
    else j++;
  }
  return out.subarray(0, n);
}

export function subtract(a: Int32Array, b: Int32Array): Int32Array {
  const out = new Int32Array(a.length);
  let j = 0;
  let n = 0;
  for (let i = 0; i < a.length; i++) {
    while (j < b.length && b[j]! < a[i]!) j++;
    if (j === b.length || b[j] !== a[i]) out[n++] = a[i]!;
  }
  return out.subarray(0, n);
}

/** Names that series matching one of the matcher sets have. */
export function matchingSeries(source: PostingsSource, sets: readonly (readonly CompiledMatcher[])[]): Int32Array {
  return unite(sets.map((set) => selectSeries(source, set)));
}
