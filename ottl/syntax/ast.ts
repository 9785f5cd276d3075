/** The syntax tree of OTTL. Offsets count UTF-16 units from 0 in the statement's text; `end` is behind the last one. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export type Key =
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'int'; readonly value: bigint }
  | { readonly kind: 'expression'; readonly value: Expression };

export interface Segment {
  readonly name: string;
  readonly keys: readonly Key[];
}
/** The first segment may be a context's name: resolved by the compiler, which knows the contexts. */
export interface Path extends Span {
  readonly kind: 'path';
  readonly segments: readonly Segment[];
}
export interface Argument {
  /** undefined: given by position. */
  readonly name: string | undefined;
  readonly value: Expression;
}
export interface Call extends Span {
  readonly kind: 'call';
  readonly name: string;
  readonly args: readonly Argument[];
  readonly keys: readonly Key[];
}

export type Expression =
  | (Span & { readonly kind: 'nil' })
  | (Span & { readonly kind: 'string'; readonly value: string })
  | (Span & { readonly kind: 'bool'; readonly value: boolean })
  /** `computed`: with a sign or in parentheses, so that it is no literal where one is required, as in the Collector. */
  | (Span & { readonly kind: 'int'; readonly value: bigint; readonly computed?: boolean })
  | (Span & { readonly kind: 'float'; readonly value: number; readonly computed?: boolean })
  | (Span & { readonly kind: 'bytes'; readonly value: Uint8Array })
  | (Span & { readonly kind: 'enum'; readonly name: string })
  /** The name of a function without a call, as an argument. */
  | (Span & { readonly kind: 'functionName'; readonly name: string })
  | (Span & { readonly kind: 'list'; readonly items: readonly Expression[] })
  | (Span & { readonly kind: 'map'; readonly entries: readonly (readonly [key: string, value: Expression])[] })
  | (Span & { readonly kind: 'math'; readonly op: '+' | '-' | '*' | '/'; readonly left: Expression; readonly right: Expression })
  | (Span & { readonly kind: 'negate'; readonly operand: Expression })
  | Path
  | Call;

export type CompareOp = '==' | '!=' | '<' | '<=' | '>' | '>=';
export type Condition =
  | (Span & { readonly kind: 'or' | 'and'; readonly terms: readonly Condition[] })
  | (Span & { readonly kind: 'not'; readonly term: Condition })
  | (Span & { readonly kind: 'constant'; readonly value: boolean })
  | (Span & { readonly kind: 'compare'; readonly op: CompareOp; readonly left: Expression; readonly right: Expression })
  | (Span & { readonly kind: 'converter'; readonly call: Call });

export interface Statement {
  readonly editor: Call;
  readonly where: Condition | undefined;
}

/** Calls `visit` for the paths, calls and enums in an expression, outermost first. */
export function walkExpression(node: Expression, visit: (node: Path | Call | (Expression & { kind: 'enum' | 'functionName' })) => void): void {
  switch (node.kind) {
    case 'path':
      visit(node);
      for (const segment of node.segments) walkKeys(segment.keys, visit);
      break;
    case 'call':
      visit(node);
      for (const argument of node.args) walkExpression(argument.value, visit);
      walkKeys(node.keys, visit);
      break;
    case 'enum':
    case 'functionName':
      visit(node);
      break;
    case 'list':
      for (const item of node.items) walkExpression(item, visit);
      break;
    case 'map':
      for (const [, value] of node.entries) walkExpression(value, visit);
      break;
    case 'math':
      walkExpression(node.left, visit);
      walkExpression(node.right, visit);
      break;
    case 'negate':
      walkExpression(node.operand, visit);
      break;
  }
}
function walkKeys(keys: readonly Key[], visit: Parameters<typeof walkExpression>[1]): void {
  for (const key of keys) if (key.kind === 'expression') walkExpression(key.value, visit);
}
export function walkCondition(node: Condition, visit: Parameters<typeof walkExpression>[1]): void {
  switch (node.kind) {
    case 'or':
    case 'and':
      for (const term of node.terms) walkCondition(term, visit);
      break;
    case 'not':
      walkCondition(node.term, visit);
      break;
    case 'compare':
      walkExpression(node.left, visit);
      walkExpression(node.right, visit);
      break;
    case 'converter':
      walkExpression(node.call, visit);
      break;
  }
}
