/**
 * Label matchers, compiled once a query. Regular expressions are RE2 syntax, anchored, and must not be able to stall the process: what is
 * an alternation of literals becomes a set of values that are looked up, patterns without nested or repeated repetition run as a RegExp
 * (which cannot backtrack far on them), all others in re2js.
 */
import { RE2JS } from 're2js';
import { PermanentError } from '#src/core/errors.ts';
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

/**
 * A pattern that a RegExp runs safely and as RE2 does: literals, dots, simple classes and escapes, each with at most one repetition, at most
 * four repetitions in all, groups and alternations without repetition.
 */
const SAFE_ATOM = /^(?:[A-Za-z0-9_\-:/ ,@%~"'<>=&;!#`]|\.|\\[.\-+*?()|[\]{}^$/\\dw]|\[\^?(?:[A-Za-z0-9_](?:-[A-Za-z0-9_])?|[.:/ ,@%~"'<>=;!#`])+-?\])/;
function isSafe(pattern: string): boolean {
  let repetitions = 0;
  let rest = pattern;
  while (rest !== '') {
    if (/^[|(]/.test(rest)) {
      rest = rest.slice(rest.startsWith('(?:') ? 3 : 1);
      if (/^[*+?{]/.test(rest)) return false;
      continue;
    }
    if (rest.startsWith(')')) {
      rest = rest.slice(1);
      if (/^[*+?{]/.test(rest)) return false;
      continue;
    }
    const atom = SAFE_ATOM.exec(rest);
    if (atom === null) return false;
    rest = rest.slice(atom[0].length);
    const repetition = /^[*+?]\??/.exec(rest);
    if (repetition !== null) {
      rest = rest.slice(repetition[0].length);
      repetitions++;
    }
    if (/^[*+?{]/.test(rest)) return false;
  }
  return repetitions <= 4;
}

function compilePattern(pattern: string): (value: string) => boolean {
  if (isSafe(pattern)) {
    try {
      const safe = new RegExp(`^(?:${pattern})$`, 'su');
      return (value) => safe.test(value);
    } catch {
      // Not the same syntax after all: re2js decides.
    }
  }
  try {
    const re2 = RE2JS.compile(`^(?s:${pattern})$`);
    return (value) => re2.test(value);
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
  else matches = compilePattern(wanted);
  if (op === '=~') return { name, matches, values: literals, matchesEmpty: matches('') };
  return { name, matches: (value) => !matches(value), values: null, matchesEmpty: !matches('') };
}
