/** The syntax tree of an expression; `at` is the place in the source. */
import type { Value } from '#receivers/file_log/value.ts';

export type Node =
  | { readonly kind: 'literal'; readonly value: Value; readonly at: number }
  | { readonly kind: 'name'; readonly name: string; readonly at: number }
  | { readonly kind: 'pointer'; readonly name: '' | 'acc' | 'index'; readonly at: number }
  | { readonly kind: 'unary'; readonly operator: '!' | '-' | '+'; readonly operand: Node; readonly at: number }
  | { readonly kind: 'binary'; readonly operator: string; readonly left: Node; readonly right: Node; readonly at: number }
  | { readonly kind: 'conditional'; readonly test: Node; readonly consequent: Node; readonly otherwise: Node; readonly at: number }
  | { readonly kind: 'member'; readonly object: Node; readonly key: Node; readonly optional: boolean; readonly at: number }
  | { readonly kind: 'slice'; readonly object: Node; readonly from: Node | null; readonly to: Node | null; readonly at: number }
  | { readonly kind: 'chain'; readonly inner: Node; readonly at: number }
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly Node[]; readonly at: number }
  | { readonly kind: 'let'; readonly name: string; readonly value: Node; readonly body: Node; readonly at: number }
  | { readonly kind: 'list'; readonly items: readonly Node[]; readonly at: number }
  | { readonly kind: 'map'; readonly pairs: readonly (readonly [key: Node, value: Node])[]; readonly at: number };
