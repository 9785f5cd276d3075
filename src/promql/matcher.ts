/** Label matchers in the engine: regular expressions are RE2 (linear in the input, whatever the user writes), anchored at both ends. */
import { compilePattern as compileRe2 } from '#src/core/re2.ts';
import type { Matcher } from '#src/core/series.ts';

export interface Pattern {
  matches(text: string): boolean;
}

const LITERALS = /^[\w\- :/@,]*(?:\|[\w\- :/@,]*)*$/;
const cache = new Map<string, Pattern>();
/** Patterns are few and come back with every evaluation. */
const CACHE_SIZE = 500;

/** Throws what RE2 says about a bad pattern. */
export function compilePattern(source: string): Pattern {
  const known = cache.get(source);
  if (known !== undefined) return known;
  let pattern: Pattern;
  if (LITERALS.test(source)) {
    const values = new Set(source.split('|'));
    pattern = { matches: (text) => values.has(text) };
  } else {
    compileRe2(source); // A fault is told about the pattern as it was written.
    const compiled = compileRe2(`^(?s:${source})$`);
    pattern = { matches: (text) => compiled.test(text) };
  }
  if (cache.size >= CACHE_SIZE) cache.clear();
  cache.set(source, pattern);
  return pattern;
}

export function compileMatcher(matcher: Matcher): (value: string) => boolean {
  const { op, value } = matcher;
  if (op === '=') return (text) => text === value;
  if (op === '!=') return (text) => text !== value;
  const pattern = compilePattern(value);
  return op === '=~' ? (text) => pattern.matches(text) : (text) => !pattern.matches(text);
}
