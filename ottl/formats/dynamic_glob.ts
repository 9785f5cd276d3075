/** The shell pattern of an argument: compiled at start where it is a literal, else kept for as long as the text stays the same. */
import type { Getter, RecordContext } from '#ottl/function.ts';
import type { Pattern } from '#ottl/pattern.ts';
import { fail } from '#ottl/values.ts';
import { compileGlob } from './glob.ts';
import { quoteGo } from '#src/core/go_quote.ts';

export function dynamicGlob(functionName: string, getter: Getter<string>): (record: RecordContext) => Pattern {
  const compile = (source: string): Pattern => {
    try {
      return compileGlob(source);
    } catch (error) {
      return fail(`the regex pattern supplied to ${functionName} '${quoteGo(source)}' is not a valid pattern: ${(error as Error).message}`);
    }
  };
  if (getter.literal) {
    const pattern = compile(getter.literal.value);
    return () => pattern;
  }
  const recent: { source: string; pattern: Pattern | null } = { source: '', pattern: null };
  return (record) => {
    const source = getter.get(record);
    if (recent.pattern === null || recent.source !== source) {
      recent.pattern = compile(source);
      recent.source = source;
    }
    return recent.pattern;
  };
}
