/**
 * Statements, conditions and expressions as the users of OTTL get them: text in, closure out. `compileStatement` and its like throw SyntaxFault;
 * `describeFault` (syntax/error.ts) shows it under the text.
 */
import type { Context } from '#ottl/contexts/context.ts';
import { CONTEXT_PRIORITY } from '#ottl/contexts/context.ts';
import type { FunctionDefinition, RecordContext } from '#ottl/function.ts';
import { type Condition, type Path, type Statement, walkCondition, walkExpression } from '#ottl/syntax/ast.ts';
import { didYouMean } from '#ottl/syntax/error.ts';
import { parseCondition, parseExpression, parseStatement } from '#ottl/syntax/parser.ts';
import type { Value } from '#ottl/values.ts';
import { ALWAYS, compileConditionNode, type Predicate } from './condition.ts';
import { compileCall, compileExpression } from './expression.ts';
import { fastStatement } from './fast.ts';
import { fault } from './fault.ts';
import { type Need, needOfCondition, needOfStatement } from './needs.ts';
import type { Scope } from './scope.ts';

export { functionsOf, type Scope } from './scope.ts';
export type { Need, Predicate };

export interface CompiledStatement {
  readonly text: string;
  /** Does what the statement says where its condition holds. Throws OttlError. */
  readonly run: (record: RecordContext) => void;
  /** It does nothing on a record without this attribute. */
  readonly need: Need | null;
}
export interface CompiledCondition {
  readonly text: string;
  readonly test: Predicate;
  /** It is false on a record without this attribute. */
  readonly need: Need | null;
}

export function compileStatement(text: string, scope: Scope): CompiledStatement {
  const statement = parseStatement(text);
  const { editor, where } = statement;
  const fast = fastStatement(editor, scope);
  const run = fast ?? compileCall(editor, scope);
  const condition = where === undefined ? ALWAYS : compileConditionNode(where, scope);
  const need = needOfStatement(statement, scope);
  if (condition === ALWAYS) return { text, run, need };
  return {
    text,
    need,
    run: (record) => {
      if (condition(record)) run(record);
    },
  };
}
export function compileCondition(text: string, scope: Scope): CompiledCondition {
  const condition = parseCondition(text);
  return { text, test: compileConditionNode(condition, scope), need: needOfCondition(condition, scope) };
}
export function compileValue(text: string, scope: Scope): { readonly text: string; readonly get: (record: RecordContext) => Value } {
  return { text, get: compileExpression(parseExpression(text), scope).get };
}

interface Hints {
  readonly paths: Path[];
  readonly functions: Map<string, number>;
  readonly enums: Map<string, number>;
}
function hintsOf(tree: { statement?: Statement; condition?: Condition }): Hints {
  const hints: Hints = { paths: [], functions: new Map(), enums: new Map() };
  const visit: Parameters<typeof walkExpression>[1] = (node) => {
    if (node.kind === 'path') hints.paths.push(node);
    else if (node.kind === 'call') hints.functions.set(node.name, node.start);
    else if (node.kind === 'enum') hints.enums.set(node.name, node.start);
  };
  if (tree.statement) {
    walkExpression(tree.statement.editor, visit);
    if (tree.statement.where) walkCondition(tree.statement.where, visit);
  }
  if (tree.condition) walkCondition(tree.condition, visit);
  return hints;
}

export interface Candidate {
  readonly context: Context;
  readonly functions: ReadonlyMap<string, FunctionDefinition>;
}

/** A text with where it stands, so that a fault can be told of the right one. */
export class InferenceFault extends Error {
  readonly text: string;
  /** Nothing is wrong but that no path says which context is meant. */
  readonly undecided: boolean;
  constructor(text: string, cause: unknown, undecided = false) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.text = text;
    this.undecided = undecided;
  }
}

/**
 * The context that all of these can run in: that of the lowest path (CONTEXT_PRIORITY), or one below it where functions or enums need that.
 * Throws InferenceFault.
 */
export function inferContext(statements: readonly string[], conditions: readonly string[], candidates: ReadonlyMap<string, Candidate>): Candidate {
  const all: { text: string; hints: Hints }[] = [];
  const read = (text: string, parse: (text: string) => Hints): void => {
    try {
      all.push({ text, hints: parse(text) });
    } catch (cause) {
      throw new InferenceFault(text, cause);
    }
  };
  for (const text of statements) read(text, (t) => hintsOf({ statement: parseStatement(t) }));
  for (const text of conditions) read(text, (t) => hintsOf({ condition: parseCondition(t) }));

  let inferred = '';
  let best = Number.POSITIVE_INFINITY;
  let source: { text: string; start: number } | null = null;
  for (const { text, hints } of all) {
    for (const path of hints.paths) {
      const name = path.segments.length > 1 && path.segments[0]!.keys.length === 0 ? path.segments[0]!.name : '';
      if (name === '') throw new InferenceFault(text, missingContext(path, candidates));
      const at = CONTEXT_PRIORITY.indexOf(name);
      const priority = at < 0 ? 1000 : at;
      if (inferred === '' || priority < best) {
        inferred = name;
        best = priority;
        source = { text, start: path.start };
      }
    }
  }
  const known = [...candidates.keys()].join(', ');
  if (inferred === '' || !source)
    throw new InferenceFault(all[0]?.text ?? '', fault(`no path says which context is meant; begin one with the name of a context: ${known}`, 0), true);
  const candidate = candidates.get(inferred);
  if (!candidate)
    throw new InferenceFault(
      source.text,
      fault(`"${inferred}" is not a context of these statements${didYouMean(inferred, candidates.keys())}; contexts: ${known}`, source.start),
    );
  const problem = missing(candidate, all);
  if (problem === null) return candidate;
  for (const lower of CONTEXT_PRIORITY) {
    const below = candidates.get(lower);
    if (below && below !== candidate && Object.hasOwn(below.context.roots, inferred) && missing(below, all) === null) return below;
  }
  throw problem;
}
function missingContext(path: Path, candidates: ReadonlyMap<string, Candidate>): Error {
  const text = path.segments.map((segment) => segment.name).join('.');
  const options = [...candidates.values()]
    .filter(({ context }) => Object.hasOwn(context.roots[context.name]!.paths, path.segments[0]!.name))
    .map(({ context }) => `${context.name}.${text}`);
  return fault(
    `path "${text}" must begin with the name of a context${options.length > 0 ? `: ${options.join(' or ')}` : `, one of ${[...candidates.keys()].join(', ')}`}`,
    path.start,
  );
}
/** What the candidate does not know, or null. */
function missing({ context, functions }: Candidate, all: readonly { text: string; hints: Hints }[]): InferenceFault | null {
  for (const { text, hints } of all) {
    for (const [name, start] of hints.functions)
      if (!functions.has(name))
        return new InferenceFault(text, fault(`the ${context.name} context does not know the function "${name}"${didYouMean(name, functions.keys())}`, start));
    for (const [name, start] of hints.enums)
      if (!Object.hasOwn(context.enums, name))
        return new InferenceFault(
          text,
          fault(`the ${context.name} context does not know the enum symbol "${name}"${didYouMean(name, Object.keys(context.enums))}`, start),
        );
  }
  return null;
}
