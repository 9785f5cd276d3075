/** ordering_criteria: of the files that match, only the first of each group by an order taken from the path. */
import fs from 'node:fs';
import { compilePattern, type Pattern } from '#src/core/regexp/pattern.ts';
import { TimeReader } from '#src/helper/time/reader.ts';
import { loadZone } from '#src/helper/time/zone.ts';

export interface SortRule {
  readonly sort_type: string;
  readonly regex_key: string;
  readonly ascending: boolean;
  readonly layout: string;
  readonly location: string;
}
export interface OrderingConfig {
  readonly regex: string;
  readonly top_n: number;
  readonly group_by: string;
  readonly sort_by: readonly SortRule[];
}

type KeyOf = (path: string) => number | bigint | string;

export class Ordering {
  readonly #regexp: Pattern | null;
  readonly #group: Pattern | null;
  readonly #rules: readonly { readonly key: KeyOf; readonly ascending: boolean }[];
  readonly #topN: number;

  /** Throws an Error for the user. */
  constructor(config: OrderingConfig) {
    const needsRegexp = config.sort_by.some((rule) => rule.sort_type !== 'mtime');
    if (config.sort_by.length > 0 && needsRegexp && config.regex === '') throw new Error("'regex' must be specified when 'sort_by' is specified");
    this.#regexp = config.regex === '' ? null : compilePattern(config.regex);
    this.#group = config.group_by === '' ? null : compilePattern(config.group_by);
    if (config.top_n < 0) throw new Error("'top_n' must be a positive integer");
    this.#topN = config.top_n === 0 ? 1 : config.top_n;
    this.#rules = config.sort_by.map((rule) => ({ key: this.#keyOf(rule), ascending: rule.ascending }));
  }

  #keyOf(rule: SortRule): KeyOf {
    if (rule.sort_type === 'mtime') return (path) => fs.statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    const index = this.#regexp!.groupNames.indexOf(rule.regex_key) + 1;
    if (rule.regex_key === '' || index === 0) throw new Error(`${rule.sort_type} sort: regex_key ${JSON.stringify(rule.regex_key)} is not a group of 'regex'`);
    const part = (path: string): string => {
      const match = this.#regexp!.groups(path);
      if (match === null) throw new Error('path does not match');
      return match[index] ?? '';
    };
    switch (rule.sort_type) {
      case 'numeric':
        return (path) => BigInt(part(path));
      case 'alphabetical':
        return part;
      case 'timestamp': {
        if (rule.layout === '') throw new Error('timestamp sort: layout must be specified');
        const times = TimeReader.ofStrptime(rule.layout, { zone: loadZone(rule.location), nowMs: Date.now });
        return (path) => {
          times.read(part(path));
          return times.seconds;
        };
      }
      default:
        throw new Error(`invalid sort_type ${JSON.stringify(rule.sort_type)}; use numeric, alphabetical, timestamp or mtime`);
    }
  }

  /** Paths that cannot be judged are left out. */
  apply(paths: readonly string[]): string[] {
    const groups = new Map<string, { path: string; keys: (number | bigint | string)[] }[]>();
    for (const path of paths) {
      let keys: (number | bigint | string)[];
      try {
        keys = this.#rules.map((rule) => rule.key(path));
      } catch {
        continue;
      }
      const match = this.#group?.groups(path);
      if (match === null) continue;
      const name = match === undefined ? '' : match.slice(1).join('\0');
      const group = groups.get(name);
      if (group === undefined) groups.set(name, [{ path, keys }]);
      else group.push({ path, keys });
    }
    const out: string[] = [];
    for (const group of groups.values()) {
      if (this.#rules.length > 0) group.sort((a, b) => this.#compare(a.keys, b.keys));
      for (const { path } of this.#rules.length > 0 ? group.slice(0, this.#topN) : group) out.push(path);
    }
    return out;
  }

  #compare(a: readonly (number | bigint | string)[], b: readonly (number | bigint | string)[]): number {
    for (let i = 0; i < this.#rules.length; i++) {
      const x = a[i]!,
        y = b[i]!;
      if (x !== y) return (x < y ? -1 : 1) * (this.#rules[i]!.ascending ? 1 : -1);
    }
    return 0;
  }
}
