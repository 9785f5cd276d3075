/**
 * Grok: regular expressions made of named pieces, %{SYNTAX}, %{SYNTAX:name} and %{SYNTAX:name:type}. The pieces are those of Logstash in RE2
 * syntax (grok_patterns.json, from github.com/elastic/go-grok, Apache-2.0). A dot in a name is ___ in the expression.
 */
import { readFileSync } from 'node:fs';
import { compilePattern, type Pattern } from '#ottl/pattern.ts';
import { fail, parseBool, parseFloat64, parseInt64, type Stored, ValueMap } from '#ottl/values.ts';
import { quoteGo } from '#src/core/go_quote.ts';

const REFERENCE = /%\{(\w+(?::[\w+.]+(?::\w+)?)?)\}/g;
/** Rounds of replacing references: a piece that names itself never ends. */
const MAX_ROUNDS = 1000;
const MAX_SOURCE = 1024 * 1024;

const library: { patterns: ReadonlyMap<string, string> | null } = { patterns: null };
function libraryPatterns(): ReadonlyMap<string, string> {
  library.patterns ??= new Map(Object.entries(JSON.parse(readFileSync(new URL('./grok_patterns.json', import.meta.url), 'utf8')) as Record<string, string>));
  return library.patterns;
}

export class Grok {
  readonly #pattern: Pattern;
  readonly #types: ReadonlyMap<string, string>;
  /** Throws OttlError where a piece is unknown or the expression broken. */
  constructor(source: string, namedOnly: boolean, definitions: ReadonlyMap<string, string>) {
    const types = new Map<string, string>();
    let expanded = source;
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const references = new Set(expanded.match(REFERENCE) ?? []);
      if (references.size === 0) break;
      for (const reference of references) {
        const [name = '', target, type] = reference.slice(2, -1).split(':');
        const group = (target ?? name).replaceAll('.', '___');
        if (type !== undefined) types.set(group, type);
        const piece = definitions.get(name) ?? libraryPatterns().get(name) ?? fail(`pattern definition ${quoteGo(name)} unknown: parsing failed`);
        expanded = expanded.replaceAll(reference, () => (namedOnly && target === undefined ? `(${piece})` : `(?P<${group}>${piece})`));
        if (expanded.length > MAX_SOURCE) fail('grok pattern is too long when its pieces are put in');
      }
    }
    this.#pattern = compilePattern(uniqueNames(expanded));
    this.#types = types;
  }
  get hasNames(): boolean {
    return this.#pattern.groupNames.some((name) => name !== '');
  }
  /** Groups that are empty or took no part are left out; no match is an empty map. */
  extract(text: string): ValueMap {
    const map = new ValueMap(),
      match = this.#pattern.exec(text);
    if (match === null) return map;
    this.#pattern.groupNames.forEach((group, i) => {
      const name = group.replace(COPY, '');
      const value = match.groups[i + 1];
      if (name !== '' && value) map.set(name.replaceAll('___', '.'), typed(value, name, this.#types.get(name)));
    });
    return map;
  }
}

/** Pieces may repeat names, of which the last one with a value counts; expressions may not. */
function uniqueNames(source: string): string {
  const counts = new Map<string, number>();
  return source.replace(/\(\?P?<([A-Za-z_]\w*)>/g, (_whole, name: string) => {
    const count = counts.get(name) ?? 0;
    counts.set(name, count + 1);
    return `(?P<${name}${count === 0 ? '' : `____${count}`}>`;
  });
}
const COPY = /____\d+$/;

function typed(text: string, name: string, type: string | undefined): Stored {
  switch (type) {
    case undefined:
    case 'string':
      return text;
    case 'int':
    case 'long':
      return parseInt64(text) ?? fail(`strconv.Atoi: parsing ${quoteGo(text)}: invalid syntax`);
    case 'float':
    case 'double':
      return parseFloat64(text);
    case 'bool':
    case 'boolean':
      return parseBool(text);
    default:
      return fail(`invalid type for ${name}: type not specified`);
  }
}
