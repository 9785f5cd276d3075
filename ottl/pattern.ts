/** Patterns in statements: src/core/re2.ts with OTTL's errors, and patterns that come from the record. */
import { compilePattern as compile, type Pattern } from '#src/core/re2.ts';
import type { Getter, RecordContext } from './function.ts';
import { fail, goQuote } from './values.ts';

export { expand, type Match, type Pattern } from '#src/core/re2.ts';

/** Throws OttlError with Go's text, "error parsing regexp: missing closing ): `(`". */
export function compilePattern(source: string): Pattern {
  try {
    return compile(source);
  } catch (error) {
    return fail((error as Error).message);
  }
}

/** The pattern of an argument: compiled at start where it is a literal, else kept for as long as the text stays the same. */
export function dynamicPattern(functionName: string, getter: Getter<string>): (record: RecordContext) => Pattern {
  if (getter.literal) {
    const source = getter.literal.value;
    try {
      const pattern = compilePattern(source);
      return () => pattern;
    } catch (error) {
      return fail(`the regex pattern supplied to ${functionName} '${goQuote(source)}' is not a valid pattern: ${(error as Error).message}`);
    }
  }
  const recent = new Map<string, Pattern>();
  return (record) => {
    const source = getter.get(record);
    let pattern = recent.get(source);
    if (!pattern) {
      pattern = compilePattern(source);
      if (recent.size >= RECENT_PATTERNS) recent.clear();
      recent.set(source, pattern);
    }
    return pattern;
  };
}
/** A pattern that comes from the record: as many of its recent texts are kept compiled. */
const RECENT_PATTERNS = 64;
