/** Patterns that come with the data, such as those of queries and of fields: the same few come again and again, so they are kept compiled. */
import type { Pattern } from './pattern.ts';

/** A longer one may be a list of thousands of values, which hardly comes twice. */
const MAX_LENGTH = 2000;

export class RecentPatterns {
  readonly #compile: (source: string) => Pattern;
  readonly #size: number;
  readonly #known = new Map<string, Pattern>();

  /** Keeps `size` patterns, then begins anew. What `compile` throws goes to the caller of get(). */
  constructor(compile: (source: string) => Pattern, size: number) {
    this.#compile = compile;
    this.#size = size;
  }

  get(source: string): Pattern {
    let pattern = this.#known.get(source);
    if (pattern !== undefined) return pattern;
    pattern = this.#compile(source);
    if (source.length > MAX_LENGTH) return pattern;
    if (this.#known.size >= this.#size) this.#known.clear();
    this.#known.set(source, pattern);
    return pattern;
  }
}
