/**
 * Groups: statements or conditions that run together on each record of one context, with an error mode. This is what processors and connectors
 * use: a group compiles to a pass of the rewriter (src/data/rewrite.ts). All faults of a group are found, each with the index of its text.
 */
import {
  type Candidate,
  type CompiledCondition,
  type CompiledStatement,
  compileCondition,
  compileStatement,
  functionsOf,
  InferenceFault,
  inferContext,
  type Need,
  type Scope,
} from '#ottl/compile/index.ts';
import { Frame } from '#ottl/contexts/context.ts';
import { contexts } from '#ottl/contexts/index.ts';
import type { ContextName, FunctionDefinition } from '#ottl/function.ts';
import { describeFault } from '#ottl/syntax/error.ts';
import { OttlError } from '#ottl/values.ts';
import type { Signal } from '#src/core/batch.ts';
import type { Clock } from '#src/core/clock.ts';
import { RetryableError } from '#src/core/errors.ts';
import type { Log } from '#src/core/telemetry.ts';
import { KEEP, type Level, type Pass } from '#src/data/contexts.ts';
import type { Cursor } from '#src/data/cursor.ts';

export type ErrorMode = 'propagate' | 'ignore' | 'silent';

export const SIGNAL_CONTEXTS: Readonly<Record<Signal, readonly ContextName[]>> = {
  traces: ['resource', 'scope', 'span', 'spanevent'],
  metrics: ['resource', 'scope', 'metric', 'datapoint'],
  logs: ['resource', 'scope', 'log'],
};

/** The contexts of a signal with the functions they know. */
export type Candidates = ReadonlyMap<string, Candidate>;
export function candidatesOf(signal: Signal, functions: readonly FunctionDefinition[]): Candidates {
  return new Map(SIGNAL_CONTEXTS[signal].map((name) => [name, { context: contexts[name], functions: functionsOf(contexts[name], functions) }]));
}

export interface GroupSpec {
  /** undefined: inferred from the paths, which then begin with the names of contexts. */
  readonly context?: ContextName | undefined;
  readonly statements: readonly string[];
  readonly conditions: readonly string[];
}
/** `index` counts within statements or conditions; -1: the group as a whole. */
export interface GroupFault {
  readonly in: 'statements' | 'conditions';
  readonly index: number;
  readonly message: string;
}
export interface CompiledGroup {
  readonly context: ContextName;
  readonly level: Level;
  readonly reads: number;
  readonly writes: number;
  /** Names of the functions that are called (not of those that were compiled to work on bytes). */
  readonly calls: ReadonlySet<string>;
  readonly statements: readonly CompiledStatement[];
  readonly conditions: readonly CompiledCondition[];
}

/**
 * Compiles a group of statements or, where there are none, of conditions. `conditionFunctions`: what conditions may call (no editors, no functions of
 * one processor).
 */
export function compileGroup(
  spec: GroupSpec,
  candidates: Candidates,
  conditionFunctions: readonly FunctionDefinition[],
): CompiledGroup | readonly GroupFault[] {
  let candidate: Candidate;
  if (spec.context === undefined) {
    try {
      candidate = inferContext(spec.statements, spec.conditions, candidates);
    } catch (error) {
      if (!(error instanceof InferenceFault)) throw error;
      return faultsOfEach(spec, error, candidates, conditionFunctions);
    }
  } else {
    const named = candidates.get(spec.context);
    if (!named) return [{ in: 'statements', index: -1, message: `context "${spec.context}" is none of these: ${[...candidates.keys()].join(', ')}` }];
    candidate = named;
  }
  const { context } = candidate;
  const touched = { reads: 0, writes: 0, calls: new Set<string>() };
  const faults: GroupFault[] = [];
  const compile = <T>(where: GroupFault['in'], texts: readonly string[], one: (text: string) => T): T[] =>
    texts.flatMap((text, index) => {
      try {
        return [one(text)];
      } catch (error) {
        faults.push({ in: where, index, message: describeFault(text, error) });
        return [];
      }
    });
  const inferred = spec.context === undefined;
  const statementScope: Scope = { context, functions: candidate.functions, pathNames: inferred ? 'required' : 'optional', touched };
  const statements = compile('statements', spec.statements, (text) => compileStatement(text, statementScope));
  const conditionScope: Scope = { ...statementScope, functions: functionsOf(context, conditionFunctions) };
  const conditions = compile('conditions', spec.conditions, (text) => compileCondition(text, conditionScope));
  if (faults.length > 0) return faults;
  return { context: context.name, level: context.level as Level, reads: touched.reads, writes: touched.writes, calls: touched.calls, statements, conditions };
}
export function isFaulty(group: CompiledGroup | readonly GroupFault[]): group is readonly GroupFault[] {
  return Array.isArray(group);
}

/** Inference stops at the first fault; here each text is looked at alone, so that all are told. */
function faultsOfEach(spec: GroupSpec, first: InferenceFault, candidates: Candidates, conditionFunctions: readonly FunctionDefinition[]): GroupFault[] {
  const faults: GroupFault[] = [];
  const touched = { reads: 0, writes: 0, calls: new Set<string>() };
  for (const where of ['statements', 'conditions'] as const) {
    spec[where].forEach((text, index) => {
      try {
        const isStatement = where === 'statements';
        const { context, functions } = inferContext(isStatement ? [text] : [], isStatement ? [] : [text], candidates);
        if (isStatement) compileStatement(text, { context, functions, pathNames: 'required', touched });
        else compileCondition(text, { context, functions: functionsOf(context, conditionFunctions), pathNames: 'required', touched });
      } catch (error) {
        if (error instanceof InferenceFault && error.undecided) return; // Another text may decide.
        faults.push({ in: where, index, message: describeFault(text, error instanceof InferenceFault ? error.cause : error) });
      }
    });
  }
  if (faults.length > 0) return faults;
  for (const where of ['statements', 'conditions'] as const) {
    const index = spec[where].indexOf(first.text);
    if (index >= 0) return [{ in: where, index, message: describeFault(first.text, first.cause) }];
  }
  return [{ in: 'statements', index: -1, message: first.message }];
}

/** How often one statement's failures are logged. */
const LOG_INTERVAL_MS = 60_000;

/** What happens to an error of a statement or condition: it travels up, or is logged (once per text and interval), or nothing. */
export class ErrorPolicy {
  readonly #mode: ErrorMode;
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #quietUntil = new Map<string, number>();
  constructor(mode: ErrorMode, log: Log, clock: Clock) {
    this.#mode = mode;
    this.#log = log;
    this.#clock = clock;
  }
  /** Returns where the mode says to go on. */
  handle(error: unknown, what: 'failed to execute statement' | 'failed to eval condition', text: string): void {
    if (!(error instanceof OttlError)) throw error;
    if (this.#mode === 'propagate') throw new RetryableError(`${what}: ${text}, ${error.message}`, { cause: error });
    if (this.#mode === 'silent') return;
    const now = this.#clock.nowMs();
    if (now < (this.#quietUntil.get(text) ?? 0)) return;
    this.#quietUntil.set(text, now + LOG_INTERVAL_MS);
    this.#log.warn(what, { error: error.message, statement: text });
  }
}

/** For each statement the key it needs among the attributes of one cursor, that which most of them need; -1: none there. Null: nothing is won. */
interface Needs {
  readonly cursor: Cursor;
  readonly ids: Int32Array;
}
function needsOf(list: readonly { readonly need: Need | null }[]): Needs | null {
  const counts = new Map<Cursor, number>();
  for (const { need } of list) if (need) counts.set(need.cursor, (counts.get(need.cursor) ?? 0) + 1);
  const [most] = [...counts].sort((a, b) => b[1] - a[1]);
  if (!most) return null;
  const [cursor] = most;
  return { cursor, ids: Int32Array.from(list, ({ need }) => (need?.cursor === cursor ? need.id : -1)) };
}

/** True where one of the conditions holds. */
export function anyCondition(conditions: readonly CompiledCondition[], policy: ErrorPolicy): (frame: Frame) => boolean {
  const tests = conditions.map(({ test }) => test);
  const count = tests.length;
  const needs = count > 1 ? needsOf(conditions) : null;
  if (needs) {
    const { cursor, ids } = needs;
    return (frame) => {
      const slots = cursor.slots();
      for (let i = 0; i < count; i++) {
        const id = ids[i]!;
        if (id >= 0 && slots[id]! < 0) continue;
        try {
          if (tests[i]!(frame)) return true;
        } catch (error) {
          policy.handle(error, 'failed to eval condition', conditions[i]!.text);
        }
      }
      return false;
    };
  }
  return (frame) => {
    for (let i = 0; i < count; i++) {
      try {
        if (tests[i]!(frame)) return true;
      } catch (error) {
        policy.handle(error, 'failed to eval condition', conditions[i]!.text);
      }
    }
    return false;
  };
}

/** The pass that runs the statements of a group on every record where one of its conditions holds, or on all where it has none. */
export function statementPass(group: CompiledGroup, policy: ErrorPolicy): Pass {
  const frame = new Frame(group.context);
  const wanted = group.conditions.length > 0 ? anyCondition(group.conditions, policy) : null;
  const run = runner(group.statements, policy);
  const visit = (): number => {
    frame.reset();
    if (wanted === null || wanted(frame)) run(frame);
    return KEEP;
  };
  return { level: group.level, visit, reads: group.reads, writes: group.writes };
}

function runner(statements: readonly CompiledStatement[], policy: ErrorPolicy): (frame: Frame) => void {
  const runs = statements.map(({ run }) => run);
  const count = runs.length;
  const needs = count > 1 ? needsOf(statements) : null;
  if (needs) {
    const { cursor, ids } = needs;
    return (frame) => {
      for (let i = 0; i < count; ) {
        try {
          let slots = cursor.slots();
          for (; i < count; i++) {
            const id = ids[i]!;
            if (id >= 0 && slots[id]! < 0) continue;
            runs[i]!(frame);
            slots = cursor.slots(); // The statement may have set the key that the next one needs.
          }
        } catch (error) {
          policy.handle(error, 'failed to execute statement', statements[i]!.text);
          i++;
        }
      }
    };
  }
  return (frame) => {
    for (let i = 0; i < count; i++) {
      try {
        runs[i]!(frame);
      } catch (error) {
        policy.handle(error, 'failed to execute statement', statements[i]!.text);
      }
    }
  };
}
