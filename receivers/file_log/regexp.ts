/**
 * A regular expression with Go's syntax and meaning. Patterns that cannot blow up run on V8's engine (20 to 100 times faster); those with
 * loops in loops, and long texts where the time would grow with a power of the length, run on re2js, which is linear.
 */
import { RE2JS } from 're2js';
import { translateRegExp } from './regexp_parse.ts';

/** Beyond so many characters a pattern with several loops goes to the linear engine. */
const LONG_TEXT = 16_384;

export class GoRegExp {
  readonly pattern: string;
  /** By group number; '' where a group has no name. */
  readonly names: readonly string[];
  readonly #fast: RegExp | null;
  readonly #loops: number;
  #linear: RE2JS | null = null;

  constructor(pattern: string) {
    this.pattern = pattern;
    const translation = translateRegExp(pattern);
    this.names = translation.names;
    this.#loops = translation.loops;
    this.#fast = translation.risky ? null : compile(translation.source);
    if (this.#fast === null) this.#linear = RE2JS.compile(pattern);
  }

  #useFast(text: string): boolean {
    return this.#fast !== null && (this.#loops < 2 || text.length <= LONG_TEXT);
  }

  #slow(): RE2JS {
    this.#linear ??= RE2JS.compile(this.pattern);
    return this.#linear;
  }

  test(text: string): boolean {
    if (this.#useFast(text)) {
      this.#fast!.lastIndex = 0;
      return this.#fast!.test(text);
    }
    return this.#slow().matcher(text).find();
  }

  /** The groups of the first match ('' for a group that took no part), or null. */
  exec(text: string): string[] | null {
    if (this.#useFast(text)) {
      this.#fast!.lastIndex = 0;
      const match = this.#fast!.exec(text);
      if (match === null) return null;
      const groups: string[] = new Array(match.length);
      for (let i = 0; i < match.length; i++) groups[i] = match[i] ?? '';
      return groups;
    }
    const matcher = this.#slow().matcher(text);
    if (!matcher.find()) return null;
    return Array.from(this.names, (_, i) => matcher.group(i) ?? '');
  }

  /** Start and end of the first match at or after `from`, or null. */
  find(text: string, from: number): { start: number; end: number; groups: string[] } | null {
    if (this.#useFast(text)) {
      const regexp = this.#fast!;
      regexp.lastIndex = from;
      const match = regexp.exec(text);
      if (match === null) return null;
      return { start: match.index, end: match.index + match[0].length, groups: Array.from(match, (group) => group ?? '') };
    }
    const matcher = this.#slow().matcher(text);
    if (!matcher.find(from)) return null;
    return { start: matcher.start(), end: matcher.end(), groups: Array.from(this.names, (_, i) => matcher.group(i) ?? '') };
  }

  /** Go's ReplaceAllString: $1, ${1}, $name and ${name} in the template, $$ for a dollar sign. */
  replaceAll(text: string, template: string): string {
    let out = '',
      copied = 0,
      from = 0,
      lastEnd = -1;
    while (from <= text.length) {
      const match = this.find(text, from);
      if (match === null) break;
      // An empty match right behind another match does not count.
      if (match.end > match.start || match.start !== lastEnd) {
        out += text.slice(copied, match.start) + this.#expand(template, match.groups);
        copied = match.end;
        lastEnd = match.end;
      }
      from = match.end > match.start ? match.end : match.end + (text.codePointAt(match.end)! > 0xffff ? 2 : 1);
    }
    return out + text.slice(copied);
  }

  #expand(template: string, groups: readonly string[]): string {
    if (!template.includes('$')) return template;
    return template.replace(/\$(?:(\$)|\{(\w+)\}|(\w+))/g, (_, dollar: string | undefined, braced: string | undefined, bare: string | undefined) => {
      if (dollar !== undefined) return '$';
      const name = (braced ?? bare)!;
      const index = /^\d+$/.test(name) ? Number(name) : this.names.indexOf(name);
      return (index >= 0 && groups[index]) || '';
    });
  }
}

function compile(source: string): RegExp | null {
  try {
    return new RegExp(source, 'gu');
  } catch {
    return null; // A form that only RE2 has, such as a scoped flag in a place JavaScript refuses.
  }
}
