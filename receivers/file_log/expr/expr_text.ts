/** Text with expressions in it: "prefix-EXPR(attributes.x)-suffix". Every expression must give a text. */
import type { Entry } from '#receivers/file_log/entry.ts';
import { typeName } from '#receivers/file_log/value.ts';
import { Expression } from './compile.ts';

const OPEN = 'EXPR(';

export class ExprText {
  /** Literal texts and expressions in turn. */
  readonly #parts: readonly (string | Expression)[];

  /** Throws where an expression does not compile. */
  constructor(source: string) {
    const parts: (string | Expression)[] = [];
    let at = 0;
    for (;;) {
      const start = source.indexOf(OPEN, at);
      // Without a closing bracket it is plain text.
      if (start < 0 || source.indexOf(')', start) < 0) break;
      parts.push(source.slice(at, start));
      const { expression, end } = compileFrom(source, start + OPEN.length);
      parts.push(expression);
      at = end;
    }
    parts.push(source.slice(at));
    this.#parts = parts.filter((part) => part !== '');
  }

  /** The text where it holds no expression, else null. */
  get fixed(): string | null {
    return this.#parts.every((part) => typeof part === 'string') ? this.#parts.join('') : null;
  }

  evaluate(entry: Entry): string {
    let out = '';
    for (const part of this.#parts) {
      if (typeof part === 'string') out += part;
      else {
        const value = part.evaluate(entry);
        if (typeof value !== 'string') throw new Error(`expression "${part.source}" gave ${typeName(value)} instead of a string`);
        out += value;
      }
    }
    return out;
  }
}

/** The expression ends at the first closing bracket up to which it compiles. */
function compileFrom(source: string, start: number): { expression: Expression; end: number } {
  let fault: Error | undefined;
  for (let end = source.indexOf(')', start); end >= 0; end = source.indexOf(')', end + 1)) {
    try {
      return { expression: new Expression(source.slice(start, end)), end: end + 1 };
    } catch (error) {
      fault = error as Error;
    }
  }
  throw new Error(`compile embedded expression: ${fault?.message}`, { cause: fault });
}
