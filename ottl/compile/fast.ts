/** Comparisons on the bytes of a record. */
import type { RecordContext } from '#ottl/function.ts';
import type { Condition } from '#ottl/syntax/ast.ts';
import type { Scope } from './scope.ts';

export function fastPredicate(_node: Condition, _scope: Scope): ((record: RecordContext) => boolean) | null {
  return null;
}
export function fastStatement(_call: import('#ottl/syntax/ast.ts').Call, _scope: Scope): ((record: RecordContext) => void) | null {
  return null;
}
