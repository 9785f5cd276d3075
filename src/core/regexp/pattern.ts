/**
 * Regular expressions with Go's syntax and meaning (RE2). One that V8's engine takes to mean the same runs there as long as it cannot take many steps
 * (cost.ts), the rest in linear time on re2js. What a pattern like "^node-(a|b)$" asks is answered without either.
 * Bytes are not matched here: ottl/compile/byte_pattern.ts does that for statements.
 */
import { Engine } from './engine.ts';
import { compileLinear, type LinearPattern } from './linear.ts';
import { type Node, placeNode, sequenceNode } from './node.ts';
import { occurrenceOf, valuesOf } from './occurrence.ts';
import { type Parsed, parsePattern, Unsure } from './parse.ts';

/** One match: where it begins and ends, and its groups (undefined: took no part). */
export interface Match {
  readonly index: number;
  readonly end: number;
  readonly groups: Groups;
}
/** By number; 0 is the whole match. */
export type Groups = readonly (string | undefined)[];

/** Longer patterns are refused: grok's, when its pieces are put in, come to some 10,000. */
export const MAX_PATTERN_LENGTH = 1_048_576;
/** Occurs anywhere in a text. Throws an Error with Go's text, "error parsing regexp: missing closing ): `(`". */
export function compilePattern(source: string): Pattern {
  return new Pattern(source, false);
}

/** Matches a whole text, dots taking line feeds: as Prometheus has it, ^(?s:...)$. */
export function compileAnchored(source: string): Pattern {
  return new Pattern(source, true);
}

export class Pattern {
  readonly source: string;
  /** Names of groups 1..n; '' where a group has none. */
  readonly groupNames: readonly string[];
  /** All texts that match, where the pattern is anchored at both ends and they are few or listed; else null. */
  readonly values: readonly string[] | null;
  readonly #isWhole: boolean;
  /** Undefined: not made yet, as many patterns are only asked whether they occur. Null: only the linear engine knows it. */
  #finder: Engine | null | undefined;
  readonly #tester: Engine | null;
  readonly #textTest: ((text: string) => boolean) | null;
  readonly #isEmpty: boolean;
  #linear: LinearPattern | null = null;

  constructor(source: string, isWhole: boolean) {
    if (source.length > MAX_PATTERN_LENGTH) throw new Error(`error parsing regexp: expression has more than ${MAX_PATTERN_LENGTH} characters`);
    this.source = source;
    this.#isWhole = isWhole;
    const parsed = parse(source, isWhole);
    if (parsed === null) {
      this.groupNames = namesOf(this.#slow());
      this.values = this.#finder = this.#tester = this.#textTest = null;
      this.#isEmpty = true;
      return;
    }
    const root = treeOf(parsed.root, isWhole),
      occurrence = occurrenceOf(root);
    this.groupNames = parsed.groupNames;
    this.values = isWhole ? valuesOf(parsed.root) : null;
    this.#isEmpty = root.isEmpty;
    this.#textTest = occurrence.test;
    this.#tester = occurrence.test === null ? Engine.of(occurrence.root) : null;
  }

  /** Does it occur? */
  test(text: string): boolean {
    if (this.#textTest !== null) return this.#textTest(text);
    const tester = this.#tester;
    if (tester === null || !tester.takes(text)) return this.#slow().test(text);
    return tester.test(text);
  }

  /** The groups of the first match, or null. */
  groups(text: string): Groups | null {
    const finder = this.#findingEngine();
    if (finder?.takes(text)) return finder.groups(text);
    return this.#slowMatch(text, 0)?.groups ?? null;
  }

  /** The first match at or after `from`. */
  exec(text: string, from = 0): Match | null {
    const finder = this.#findingEngine();
    if (finder === null || !finder.takes(text, from)) return this.#slowMatch(text, from);
    const found = finder.find(text, from);
    return found === null ? null : { index: found.index, end: found.index + found[0].length, groups: found };
  }

  /** Go's ReplaceAllString: `$1`, `${1}`, `$name`, `${name}` and `$$` in the template. */
  replaceAll(text: string, template: string): string {
    // JavaScript counts an empty match right behind another one, Go does not.
    const finder = this.#findingEngine();
    if (!this.#isEmpty && !template.includes('$') && finder?.takes(text)) return finder.replaceAll(text, template);
    let out = '',
      copied = 0;
    for (let match = this.exec(text); match !== null; match = this.after(match, text)) {
      out += text.slice(copied, match.index) + expand(template, match.groups, this.groupNames);
      copied = match.end;
    }
    return out + text.slice(copied);
  }

  /** The match that follows one, as Go's FindAll has it: an empty one right behind another does not count. */
  after({ index, end }: Match, text: string): Match | null {
    const next = end > index ? this.exec(text, end) : this.#beyond(text, end);
    return next !== null && next.index === end && next.end === end ? this.#beyond(text, end) : next;
  }

  /** The first match behind the code point at `at`. */
  #beyond(text: string, at: number): Match | null {
    return at >= text.length ? null : this.exec(text, at + (text.codePointAt(at)! > 0xffff ? 2 : 1));
  }

  #findingEngine(): Engine | null {
    // The tree is made once more: it takes ten times the room of the pattern.
    if (this.#finder === undefined) this.#finder = Engine.of(treeOf(parse(this.source, this.#isWhole)!.root, this.#isWhole));
    return this.#finder;
  }

  #slow(): LinearPattern {
    this.#linear ??= compileLinear(this.#isWhole ? `^(?s:${this.source})$` : this.source);
    return this.#linear;
  }

  #slowMatch(text: string, from: number): Match | null {
    const matcher = this.#slow().matcher(text);
    if (!matcher.find(from)) return null;
    const groups: (string | undefined)[] = [];
    for (let i = 0; i <= this.groupNames.length; i++) groups.push(matcher.group(i) ?? undefined);
    return { index: matcher.start(), end: matcher.end(), groups };
  }
}

function treeOf(root: Node, isWhole: boolean): Node {
  return isWhole ? sequenceNode([placeNode('start'), root, placeNode('end')]) : root;
}

/** Null where only the linear engine can tell. */
function parse(source: string, isWhole: boolean): Parsed | null {
  try {
    return parsePattern(source, isWhole);
  } catch (error) {
    if (!(error instanceof Unsure)) throw error;
    compileLinear(source); // A fault is told about the pattern as it was written.
    return null;
  }
}

function namesOf(compiled: LinearPattern): string[] {
  const names = new Array<string>(compiled.groupCount()).fill('');
  const groups = compiled.namedGroups() as Record<string, number>;
  for (const name of Object.keys(groups)) names[groups[name]! - 1] = name;
  return names;
}

/** regexp.Expand: `$name` takes the longest run of letters, digits and underscores; an unknown group is empty. */
export function expand(template: string, groups: Groups, names: readonly string[]): string {
  if (!template.includes('$')) return template;
  return template.replace(/\$(?:(\$)|\{(\w+)\}|(\w+))/g, (_whole, dollar: string | undefined, braced: string | undefined, bare: string | undefined) => {
    if (dollar !== undefined) return '$';
    const name = (braced ?? bare)!;
    if (/^\d+$/.test(name)) return groups[Number(name)] ?? '';
    for (let i = 0; i < names.length; i++) if (names[i] === name && groups[i + 1] !== undefined) return groups[i + 1]!;
    return '';
  });
}
