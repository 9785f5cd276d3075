/**
 * Label matchers, compiled once a query. Regular expressions are RE2 syntax, anchored, and must not be able to stall the process: what is
 * an alternation of literals becomes a set of values that are looked up; for all others src/core/re2.ts chooses a way that cannot backtrack.
 */
import { PermanentError } from '#src/core/errors.ts';
import { compilePattern } from '#src/core/re2.ts';
import type { Matcher } from '#src/core/series.ts';

export interface CompiledMatcher {
  readonly name: string;
  readonly matches: (value: string) => boolean;
  /** All values that match, where they are known; null for others. Negated matchers have none. */
  readonly values: readonly string[] | null;
  /** Whether a series without the label matches. */
  readonly matchesEmpty: boolean;
}

const LITERAL = /^(?:[^\\.+*?()|[\]{}^$]|\\[.\-+*?()|[\]{}^$/\\])*$/;
const withoutEscapes = (text: string): string => text.replace(/\\(.)/g, '$1');

/** The strings of "a|b|c" or "(a|b|c)"; null for anything else. */
function alternatives(pattern: string): string[] | null {
  const inner = /^\((?:\?:)?([^()]*)\)$/.exec(pattern)?.[1] ?? pattern;
  const parts: string[] = [];
  let start = 0;
  for (let i = 0; i <= inner.length; i++) {
    if (inner[i] === '\\') i++;
    else if (i === inner.length || inner[i] === '|') {
      parts.push(inner.slice(start, i));
      start = i + 1;
    }
  }
  return parts.every((part) => LITERAL.test(part)) ? [...new Set(parts.map(withoutEscapes))] : null;
}

function compileRegex(pattern: string): (value: string) => boolean {
  try {
    const compiled = compilePattern(`^(?s:${pattern})$`);
    return (value) => compiled.test(value);
  } catch (cause) {
    throw new PermanentError(`invalid regular expression ${JSON.stringify(pattern)}`, { cause });
  }
}

/** Throws PermanentError where the pattern is not RE2. */
export function compileMatcher(matcher: Matcher): CompiledMatcher {
  const { name, op, value: wanted } = matcher;
  if (op === '=') return { name, matches: (value) => value === wanted, values: [wanted], matchesEmpty: wanted === '' };
  if (op === '!=') return { name, matches: (value) => value !== wanted, values: null, matchesEmpty: wanted !== '' };
  const literals = alternatives(wanted);
  let matches: (value: string) => boolean;
  if (literals !== null) {
    const set = new Set(literals);
    matches = (value) => set.has(value);
  } else if (wanted === '.*') matches = () => true;
  else if (wanted === '.+') matches = (value) => value !== '';
  else matches = compileRegex(wanted);
  if (op === '=~') return { name, matches, values: literals, matchesEmpty: matches('') };
  return { name, matches: (value) => !matches(value), values: null, matchesEmpty: !matches('') };
}
