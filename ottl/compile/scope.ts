/** What names mean in a statement: the context with its paths and enums, the functions, and whether a path must begin with a context's name. */
import type { Context } from '#ottl/contexts/context.ts';
import type { FunctionDefinition } from '#ottl/function.ts';

export interface Scope {
  readonly context: Context;
  readonly functions: ReadonlyMap<string, FunctionDefinition>;
  /**
   * `required`: log.body (flat statements, inferred context). `optional`: body as well as log.body (a group that names its context, the old forms of
   * filter).
   */
  readonly pathNames: 'required' | 'optional';
  /** The levels of src/data that compiled paths read and write, and the functions that are called: collected here while compiling. */
  readonly touched: { reads: number; writes: number; readonly calls: Set<string> };
}

/** The functions a context knows, by name. */
export function functionsOf(context: Context, functions: readonly FunctionDefinition[]): ReadonlyMap<string, FunctionDefinition> {
  return new Map(functions.filter((f) => f.contexts === undefined || f.contexts.includes(context.name)).map((f) => [f.name, f]));
}
