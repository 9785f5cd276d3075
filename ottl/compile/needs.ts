/**
 * The attribute without which a statement or condition does nothing: `where attributes["k"] == "v"` is false, and touches nothing, on every record
 * that has no k. Who runs many statements looks there first (group.ts), which takes a nanosecond instead of a call. Only what cannot fail may be
 * left out so: an error of a part that comes before would have to be told.
 */
import type { Call, Condition, Expression, Statement } from '#ottl/syntax/ast.ts';
import type { Cursor } from '#src/data/cursor.ts';
import { keyId } from '#src/data/keys.ts';
import { fastPredicate, literalOf } from './fast.ts';
import { compilePathOf } from './expression.ts';
import type { Scope } from './scope.ts';

export interface Need {
  readonly cursor: Cursor;
  /** Number of the key, for Cursor.row. */
  readonly id: number;
}

function attribute(node: Expression | undefined, scope: Scope): Need | null {
  if (node?.kind !== 'path') return null;
  const { known } = compilePathOf(node, scope);
  return known?.kind === 'attribute' ? { cursor: known.cursor, id: keyId(known.key) } : null;
}

export function needOfCondition(node: Condition, scope: Scope): Need | null {
  switch (node.kind) {
    case 'compare': {
      // nil equals nil and nothing else; it is never less or greater than something.
      const [path, other] = node.left.kind === 'path' ? [node.left, node.right] : [node.right, node.left];
      const literal = literalOf(other, scope);
      if (literal === undefined) return null;
      return (literal === null ? node.op === '!=' : node.op !== '!=') ? attribute(path, scope) : null;
    }
    case 'converter':
      return node.call.name === 'IsMatch' && fastPredicate(node, scope) ? attribute(node.call.args[0]?.value, scope) : null;
    case 'and':
      for (const term of node.terms) {
        const need = needOfCondition(term, scope);
        if (need) return need;
        if (!isSafe(term, scope)) return null;
      }
      return null;
  }
  return null;
}
/** Whether it is a comparison on bytes, where nothing fails; IsMatch fails on what has no text, such as NaN. */
function isSafe(node: Condition, scope: Scope): boolean {
  return node.kind === 'constant' || (node.kind === 'compare' && fastPredicate(node, scope) !== null);
}

export function needOfStatement({ editor, where }: Statement, scope: Scope): Need | null {
  return where === undefined ? needOfCall(editor, scope) : needOfCondition(where, scope);
}
function needOfCall(call: Call, scope: Scope): Need | null {
  const [first, second] = call.args;
  if (call.args.length !== 2 || !first || !second || first.name !== undefined || second.name !== undefined) return null;
  if (call.name === 'set') return first.value.kind === 'path' && compilePathOf(first.value, scope, true).known ? attribute(second.value, scope) : null;
  if (call.name !== 'delete_key' || first.value.kind !== 'path' || second.value.kind !== 'string') return null;
  const { known } = compilePathOf(first.value, scope, true);
  return known?.kind === 'attributes' ? { cursor: known.cursor, id: keyId(second.value.value) } : null;
}
