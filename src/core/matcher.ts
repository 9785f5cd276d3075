/**
 * Label matchers, compiled once a query. A pattern that stands for a list of values becomes that list, which is looked up; it cannot stall the
 * process, whatever a user writes (regexp/pattern.ts).
 */
import { PermanentError } from './errors.ts';
import { compileAnchored } from './regexp/pattern.ts';
import { RecentPatterns } from './regexp/recent.ts';
import type { Matcher } from './series.ts';

export interface CompiledMatcher {
  readonly name: string;
  readonly matches: (value: string) => boolean;
  /** All values that match, where they are known; null for others. Negated matchers have none. */
  readonly values: readonly string[] | null;
  /** Whether a series without the label matches. */
  readonly matchesEmpty: boolean;
}

/** Dashboards ask for the same few over and over. */
const patterns = new RecentPatterns((source) => {
  try {
    return compileAnchored(source);
  } catch (error) {
    throw new PermanentError((error as Error).message);
  }
}, 500);

/** Throws PermanentError with Go's text where the pattern is not RE2. */
export function compileMatcher({ name, op, value: wanted }: Matcher): CompiledMatcher {
  if (op === '=') return { name, matches: (value) => value === wanted, values: [wanted], matchesEmpty: wanted === '' };
  if (op === '!=') return { name, matches: (value) => value !== wanted, values: null, matchesEmpty: wanted !== '' };
  const pattern = patterns.get(wanted),
    matchesEmpty = pattern.test('');
  if (op === '=~') return { name, matches: (value) => pattern.test(value), values: pattern.values, matchesEmpty };
  return { name, matches: (value) => !pattern.test(value), values: null, matchesEmpty: !matchesEmpty };
}
