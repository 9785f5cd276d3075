/** From conditions to closures that say true or false: the general way. Constant parts are folded, as upstream folds them. */
import type { RecordContext } from '#ottl/function.ts';
import type { Condition } from '#ottl/syntax/ast.ts';
import { compareValues, fail, typeName } from '#ottl/values.ts';
import { compileExpression } from './expression.ts';
import { fastPredicate } from './fast.ts';
import type { Scope } from './scope.ts';

export type Predicate = (record: RecordContext) => boolean;
export const ALWAYS: Predicate = () => true;
export const NEVER: Predicate = () => false;

export function compileConditionNode(node: Condition, scope: Scope): Predicate {
  switch (node.kind) {
    case 'constant':
      return node.value ? ALWAYS : NEVER;
    case 'not': {
      const term = compileConditionNode(node.term, scope);
      if (term === ALWAYS) return NEVER;
      return term === NEVER ? ALWAYS : (record) => !term(record);
    }
    case 'and':
    case 'or': {
      const absorbing = node.kind === 'and' ? NEVER : ALWAYS;
      const neutral = node.kind === 'and' ? ALWAYS : NEVER;
      const terms = node.terms.map((term) => compileConditionNode(term, scope));
      if (terms.includes(absorbing)) return absorbing;
      return terms.filter((term) => term !== neutral).reduce((left, right) => join(node.kind, left, right), neutral);
    }
    case 'compare': {
      const fast = fastPredicate(node, scope);
      if (fast) return fast;
      const left = compileExpression(node.left, scope);
      const right = compileExpression(node.right, scope);
      const { op } = node;
      if (left.literal && right.literal) return compareValues(left.literal.value, right.literal.value, op) ? ALWAYS : NEVER;
      return (record) => compareValues(left.get(record), right.get(record), op);
    }
    case 'converter': {
      const fast = fastPredicate(node, scope);
      if (fast) return fast;
      const getter = compileExpression(node.call, scope);
      return (record) => {
        const value = getter.get(record);
        return typeof value === 'boolean' ? value : fail(`value returned from Converter in constant expression must be bool but got ${typeName(value)}`);
      };
    }
  }
}
function join(kind: 'and' | 'or', left: Predicate, right: Predicate): Predicate {
  if (left === ALWAYS || left === NEVER) return right;
  return kind === 'and' ? (record) => left(record) && right(record) : (record) => left(record) || right(record);
}
