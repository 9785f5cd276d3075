/** Patterns in statements: src/core/regexp with OTTL's errors, and patterns that come from the record. */
import { compilePattern as compile, type Pattern } from '#src/core/regexp/pattern.ts';
import { RecentPatterns } from '#src/core/regexp/recent.ts';
import type { Getter, RecordContext } from './function.ts';
import { fail } from './values.ts';
import { quoteGo } from '#src/core/go_quote.ts';

export { expand, type Pattern } from '#src/core/regexp/pattern.ts';

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
      return fail(`the regex pattern supplied to ${functionName} '${quoteGo(source)}' is not a valid pattern: ${(error as Error).message}`);
    }
  }
  const recent = new RecentPatterns(compilePattern, 64);
  return (record) => recent.get(getter.get(record));
}
