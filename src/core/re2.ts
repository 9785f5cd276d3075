/**
 * Regular expressions with Go's RE2 syntax. A pattern without nested or counted repetition is translated to a RegExp (fast, and cannot
 * backtrack badly); everything else runs on re2js in linear time. What RE2 does not have (look-around, backreferences) is refused with Go's message.
 */
import { RE2JS } from 're2js';

/** One match: where it begins and ends, and its groups (undefined: did not take part). */
export interface Match {
  readonly index: number;
  readonly end: number;
  readonly groups: readonly (string | undefined)[];
}

export interface Pattern {
  readonly source: string;
  /** Names of groups 1..n; '' where a group has none. */
  readonly groupNames: readonly string[];
  /** Does it occur anywhere? */
  test(text: string): boolean;
  /** The first match at or after `from`. groups[0] is the whole match. */
  exec(text: string, from?: number): Match | null;
  /** Go's ReplaceAllString: `$1`, `${1}`, `${name}`, `$$` in the replacement. */
  replaceAll(text: string, replacement: string): string;
}

/** Throws an Error with Go's text, "error parsing regexp: missing closing ): `(`". */
export function compilePattern(source: string): Pattern {
  const compiled = compileRe2(source);
  const names = groupNames(compiled);
  const translated = translate(source);
  return translated === null ? new Re2Pattern(source, names, compiled) : new RegExpPattern(source, names, translated);
}

function compileRe2(source: string): RE2JS {
  try {
    return RE2JS.compile(source);
  } catch (error) {
    const text = (error as Error).message;
    throw new Error(text.startsWith('error parsing regexp') ? text : `error parsing regexp: ${text}`);
  }
}

function groupNames(compiled: RE2JS): string[] {
  const names = new Array<string>(compiled.groupCount()).fill('');
  const groups = compiled.namedGroups() as Record<string, number>;
  for (const name of Object.keys(groups)) names[groups[name]! - 1] = name;
  return names;
}

/**
 * The same pattern for RegExp (flag u), or null where it is not certain to mean the same or to be fast. Translated: literals, classes without
 * nested brackets, groups, alternation, anchors, and `* + ?` on single characters and classes only (a group may not repeat).
 */
function translate(source: string): RegExp | null {
  let out = '';
  let repeats = 0;
  for (let i = 0; i < source.length; i++) {
    const c = source[i]!;
    if (c > '\x7f') return null;
    if (c === '\\') {
      const next = source[++i];
      if (next === undefined) return null;
      if ('dDwWbB'.includes(next)) out += `\\${next}`;
      else if (next === 's') out += '[\\t\\n\\f\\r ]';
      else if (next === 'S') out += '[^\\t\\n\\f\\r ]';
      else if ('tnrf'.includes(next)) out += `\\${next}`;
      else if (/[a-zA-Z0-9]/.test(next)) return null;
      else out += /[.*+?^${}()|[\]\\/]/.test(next) ? `\\${next}` : next;
      continue;
    }
    if (c === '[') {
      const end = classEnd(source, i);
      if (end < 0) return null;
      const inside = source.slice(i + 1, end);
      if (/[[&~]|[^\x00-\x7f]|\\[^dDw.\\/\-\]^]|--/.test(inside)) return null;
      out += `[${inside.replace(/\\([./])/g, '$1')}]`;
      i = end;
      continue;
    }
    if (c === '(') {
      if (source.startsWith('(?P<', i)) {
        i = source.indexOf('>', i);
        out += '(';
      } else if (source.startsWith('(?:', i)) {
        i += 2;
        out += '(?:';
      } else if (source[i + 1] === '?') return null;
      else out += '(';
      continue;
    }
    if (c === '*' || c === '+' || c === '?') {
      if (source[i - 1] === ')') return null;
      // Several repetitions in a row may take quadratic time, three and more cubic: leave those to re2js.
      if (c !== '?' && ++repeats > 2) return null;
    }
    if (c === '{' || c === '}' || c === ']') return null;
    out += c === '.' ? '[^\\n]' : c;
  }
  try {
    return new RegExp(out, 'u');
  } catch {
    return null;
  }
}
/** Where the class that opens at `start` closes; a ] that comes first belongs to it in RE2 but not in RegExp: not translated. */
function classEnd(source: string, start: number): number {
  let i = start + 1;
  if (source[i] === '^') i++;
  if (source[i] === ']') return -1;
  for (; i < source.length; i++) {
    if (source[i] === '\\') i++;
    else if (source[i] === ']') return i;
  }
  return -1;
}

abstract class BasePattern implements Pattern {
  readonly source: string;
  readonly groupNames: readonly string[];
  constructor(source: string, names: readonly string[]) {
    this.source = source;
    this.groupNames = names;
  }
  abstract test(text: string): boolean;
  abstract exec(text: string, from?: number): Match | null;

  replaceAll(text: string, replacement: string): string {
    let out = '';
    let copied = 0;
    for (let from = 0; from <= text.length; ) {
      const match = this.exec(text, from);
      if (match === null) break;
      out += text.slice(copied, match.index);
      // An empty match right after a match does not count.
      if (match.end > copied || match.index === 0) out += expand(replacement, match.groups, this.groupNames);
      copied = match.end;
      const width = from < text.length && text.codePointAt(from)! > 0xffff ? 2 : 1;
      from = Math.max(match.end, from + width > match.end ? from + width : 0);
    }
    return out + text.slice(copied);
  }
}

class RegExpPattern extends BasePattern {
  readonly #tester: RegExp;
  readonly #finder: RegExp;
  constructor(source: string, names: readonly string[], translated: RegExp) {
    super(source, names);
    this.#tester = translated;
    this.#finder = new RegExp(translated.source, 'gu');
  }
  test(text: string): boolean {
    return this.#tester.test(text);
  }
  exec(text: string, from = 0): Match | null {
    this.#finder.lastIndex = from;
    const found = this.#finder.exec(text);
    return found === null ? null : { index: found.index, end: found.index + found[0].length, groups: found };
  }
}

class Re2Pattern extends BasePattern {
  readonly #compiled: RE2JS;
  constructor(source: string, names: readonly string[], compiled: RE2JS) {
    super(source, names);
    this.#compiled = compiled;
  }
  test(text: string): boolean {
    return this.#compiled.matcher(text).find();
  }
  exec(text: string, from = 0): Match | null {
    const matcher = this.#compiled.matcher(text);
    if (!matcher.find(from)) return null;
    const groups: (string | undefined)[] = [];
    for (let i = 0; i <= this.groupNames.length; i++) groups.push(matcher.group(i) ?? undefined);
    return { index: matcher.start(), end: matcher.end(), groups };
  }
}

/** regexp.Expand: `$name` takes the longest run of letters, digits and underscores; an unknown group is empty. */
export function expand(template: string, groups: readonly (string | undefined)[], names: readonly string[]): string {
  if (!template.includes('$')) return template;
  return template.replace(/\$(?:(\$)|\{(\w+)\}|(\w+))/g, (_whole, dollar: string | undefined, braced: string | undefined, bare: string | undefined) => {
    if (dollar) return '$';
    const name = (braced ?? bare)!;
    if (/^\d+$/.test(name)) return groups[Number(name)] ?? '';
    let value = '';
    for (let i = 0; i < names.length; i++) if (names[i] === name && groups[i + 1] !== undefined) value = groups[i + 1]!;
    return value;
  });
}
