/**
 * Browser and operating system by a User-Agent header, with the expressions of the ua-parser project in their order (package uap-core). What was
 * found last is remembered: a header is looked up in hundreds of expressions.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { compilePattern, expand, type Pattern } from '#ottl/pattern.ts';
import { parsePlainYaml } from '#src/config/plain_yaml.ts';

/** Expression, replacement of the name, of the parts of the version; by default they are the groups in their order. */
type Rule = readonly [source: string, ...replacements: (string | null)[]];
/** A rule in the package's file. */
type RawRule = Readonly<Record<string, string>>;
const AGENT_KEYS = ['family_replacement', 'v1_replacement', 'v2_replacement', 'v3_replacement'];
const SYSTEM_KEYS = ['os_replacement', 'os_v1_replacement', 'os_v2_replacement', 'os_v3_replacement', 'os_v4_replacement'];
const ruleOf = (raw: RawRule, keys: readonly string[]): Rule => [raw.regex!, ...keys.map((key) => (raw[key] === undefined ? null : String(raw[key])))];

interface Product {
  readonly name: string;
  readonly version: string;
}
export interface UserAgentParts {
  readonly agent: Product;
  readonly system: Product;
}

const MAX_REMEMBERED = 1024;
/** A longer header is looked up by its beginning. */
const MAX_HEADER = 4096;

class Rules {
  readonly #rules: readonly Rule[];
  readonly #parts: number;
  readonly #patterns: Pattern[] = [];
  constructor(rules: readonly Rule[], parts: number) {
    this.#rules = rules;
    this.#parts = parts;
  }
  find(text: string): Product {
    for (let i = 0; i < this.#rules.length; i++) {
      const [source, ...replacements] = this.#rules[i]!,
        pattern = (this.#patterns[i] ??= compilePattern(source)),
        match = pattern.exec(text);
      if (match === null) continue;
      const part = (n: number): string => expand(replacements[n] ?? `$${n + 1}`, match.groups, pattern.groupNames);
      const name = part(0);
      if (name === '') continue;
      let version = part(1);
      for (let n = 2; n <= this.#parts; n++) {
        const more = part(n);
        if (more !== '') version += `.${more}`;
      }
      return { name, version };
    }
    return { name: 'Other', version: '' };
  }
}

class UserAgents {
  readonly #agents: Rules;
  readonly #systems: Rules;
  readonly #known = new Map<string, UserAgentParts>();
  constructor() {
    const text = readFileSync(createRequire(import.meta.url).resolve('uap-core/regexes.yaml'), 'utf8');
    const file = parsePlainYaml(text.slice(0, text.indexOf('\ndevice_parsers:'))) as Readonly<Record<'user_agent_parsers' | 'os_parsers', RawRule[]>>;
    this.#agents = new Rules(
      file.user_agent_parsers.map((raw) => ruleOf(raw, AGENT_KEYS)),
      3,
    );
    this.#systems = new Rules(
      file.os_parsers.map((raw) => ruleOf(raw, SYSTEM_KEYS)),
      4,
    );
  }
  parse(header: string): UserAgentParts {
    const text = header.slice(0, MAX_HEADER);
    let parts = this.#known.get(text);
    if (parts === undefined) {
      parts = { agent: this.#agents.find(text), system: this.#systems.find(text) };
      if (this.#known.size >= MAX_REMEMBERED) this.#known.clear();
      this.#known.set(text, parts);
    }
    return parts;
  }
}

/** One for the process, read when it is first needed. */
const shared: { agents: UserAgents | null } = { agents: null };
export function parseUserAgent(header: string): UserAgentParts {
  shared.agents ??= new UserAgents();
  return shared.agents.parse(header);
}
