/** A tree on V8's engine, and for which texts that may be: those for which it cannot take many steps. */
import { type Cost, costOf, stepsFor } from './cost.ts';
import { meansTheSame, toJavaScript } from './javascript.ts';
import { literalOf, type Node } from './node.ts';

/** So many steps, some 10 ms, are taken without a thought. */
const FEW_STEPS = 1e7;
/** So many are never taken: lines of 16 KB, which container runtimes write, stay below. Between the two a pattern is trusted until a text takes longer than LONG_MS. */
const MANY_STEPS = 3e8;
const LONG_MS = 30;

export class Engine {
  readonly #source: string;
  readonly #cost: Cost;
  readonly #isAnchored: boolean;
  /** The text a match begins with, as far as it is fixed; a line feed where it is the start of a line. */
  readonly #lead: string;
  /** Texts up to this length take few steps, whatever they are. */
  readonly #shortLength: number;
  #isTrusted = true;
  /** What takes() said last, and of how long a text: a search that goes on behind a match asks again. */
  #lastLength = -1;
  #lastAnswer = true;
  /** They were few. */
  #takesFew = true;
  #plain: RegExp | null = null;
  #global: RegExp | null = null;

  /** Null where V8's engine may find something else, or run for ages. */
  static of(root: Node): Engine | null {
    if (!meansTheSame(root)) return null;
    const cost = costOf(root);
    if (cost.factor > FEW_STEPS) return null;
    const source = toJavaScript(root);
    try {
      new RegExp(source, 'u');
    } catch {
      return null; // Too large for V8.
    }
    return new Engine(root, source, cost);
  }

  private constructor(root: Node, source: string, cost: Cost) {
    const parts = root.kind === 'sequence' ? root.parts : [root];
    this.#source = source;
    this.#cost = cost;
    this.#isAnchored = parts[0]?.kind === 'place' && parts[0].place === 'start';
    let lead = parts[0]?.kind === 'place' && parts[0].place === 'line_start' ? '\n' : '';
    for (const part of lead === '' ? parts : []) {
      const letter = literalOf(part);
      if (letter === null) break;
      lead += letter;
    }
    this.#lead = lead;
    const degree = Math.max(0, Math.min(cost.exits.length, cost.loops - 1)) + (this.#isAnchored || cost.loops === 0 ? 1 : 2);
    this.#shortLength = degree === 1 && cost.factor < 1000 ? Number.POSITIVE_INFINITY : Math.floor((FEW_STEPS / cost.factor) ** (1 / degree)) - 1;
  }

  /** Whether a text, to be searched from `from` on, may be given to the others below. */
  takes(text: string, from = 0): boolean {
    if (text.length <= this.#shortLength) return true;
    if (from === 0 || text.length !== this.#lastLength) {
      this.#lastLength = text.length;
      const steps = stepsFor(this.#cost, text, this.#isAnchored, this.#lead, FEW_STEPS);
      this.#takesFew = steps <= FEW_STEPS;
      this.#lastAnswer = steps <= (this.#isTrusted ? MANY_STEPS : FEW_STEPS);
    }
    return this.#lastAnswer;
  }

  test(text: string): boolean {
    this.#plain ??= new RegExp(this.#source, 'u');
    return text.length <= this.#shortLength || this.#takesFew ? this.#plain.test(text) : this.#watched(() => this.#plain!.test(text));
  }

  groups(text: string): RegExpExecArray | null {
    this.#plain ??= new RegExp(this.#source, 'u');
    return text.length <= this.#shortLength || this.#takesFew ? this.#plain.exec(text) : this.#watched(() => this.#plain!.exec(text));
  }

  find(text: string, from: number): RegExpExecArray | null {
    this.#global ??= new RegExp(this.#source, 'gu');
    this.#global.lastIndex = from;
    return text.length <= this.#shortLength ? this.#global.exec(text) : this.#watched(() => this.#global!.exec(text));
  }

  /** Not for patterns that match the empty text. `replacement` has no "$". */
  replaceAll(text: string, replacement: string): string {
    this.#global ??= new RegExp(this.#source, 'gu');
    this.#global.lastIndex = 0;
    return text.length <= this.#shortLength ? text.replace(this.#global, replacement) : this.#watched(() => text.replace(this.#global!, replacement));
  }

  #watched<T>(run: () => T): T {
    const start = performance.now(),
      result = run();
    if (performance.now() - start > LONG_MS) this.#isTrusted = false;
    return result;
  }
}
