/**
 * Regular expressions in RE2's syntax, as Prometheus configurations have them, without catastrophic backtracking. A pattern of a small common subset,
 * in which RE2 and JavaScript agree and which cannot backtrack exponentially, becomes a RegExp; everything else goes through re2js, which is linear
 * and some ten times slower.
 */
import { RE2JS } from 're2js';

export interface Pattern {
  /** Whether the whole text matches. */
  test(text: string): boolean;
  /** The whole match and its groups, '' for a group that took no part; null where the text does not match. */
  exec(text: string): readonly string[] | null;
  /** Numbers of the named groups. */
  readonly names: ReadonlyMap<string, number>;
}

// Literals, escaped punctuation, \d \w, classes without an inner bracket, groups that are not repeated but by "?", and quantifiers of a single item.
const ITEM = String.raw`(?:[\w\s:;@%,/=~"'&#!<>-]|\.|\\[.\-/|()[\]{}*+?^$dw]|\[\^?(?:[\w\s.:;@%,/=~*+?()|{}$"'&#!<>-]|\\[.\-/dw\]\[])+\])`;
const SAFE = new RegExp(`^(?:${ITEM}[*+?]?|\\((?!\\?)|\\(\\?:|\\)(?![*+{])|\\|)*$`);
const MAX_SAFE_STARS = 4;

/** Anchored at both ends, with "." matching line feeds: Prometheus's way. Throws an Error that says what is wrong. */
export function compileAnchored(source: string): Pattern {
  const stars = source.match(/[*+]/g)?.length ?? 0;
  if (stars <= MAX_SAFE_STARS && SAFE.test(source)) {
    try {
      return fromRegExp(new RegExp(`^(?:${source})$`, 'su'));
    } catch {
      // An odd escape or an empty range: let re2js say what it is.
    }
  }
  return fromRe2(source);
}

function fromRegExp(regExp: RegExp): Pattern {
  return {
    names: new Map(),
    test: (text) => regExp.test(text),
    exec(text) {
      const match = regExp.exec(text);
      return match === null ? null : Array.from(match, (group) => group ?? '');
    },
  };
}

function fromRe2(source: string): Pattern {
  let compiled: RE2JS;
  try {
    compiled = RE2JS.compile(`^(?s:${source})$`);
  } catch (error) {
    throw new Error(`"${source}" is not a regular expression: ${error instanceof Error ? error.message : String(error)}`);
  }
  return {
    names: new Map(Object.entries(compiled.namedGroups()).map(([name, index]) => [name, Number(index)])),
    test: (text) => compiled.matcher(text).find(),
    exec(text) {
      const matcher = compiled.matcher(text);
      if (!matcher.find()) return null;
      const groups: string[] = [];
      for (let i = 0; i <= matcher.groupCount(); i++) groups.push(matcher.group(i) ?? '');
      return groups;
    },
  };
}

/** Replaces $1, ${1}, $name and ${name} as Go's Regexp.Expand does; an unknown group is empty, "$$" is a dollar. */
export function expandTemplate(template: string, match: readonly string[], names: ReadonlyMap<string, number>): string {
  if (!template.includes('$')) return template;
  return template.replace(/\$(?:\$|\{(\w+)\}|(\w+))/g, (_, braced: string | undefined, bare: string | undefined) => {
    const name = braced ?? bare;
    if (name === undefined) return '$';
    const index = /^\d+$/.test(name) ? Number(name) : names.get(name);
    return index === undefined ? '' : (match[index] ?? '');
  });
}
