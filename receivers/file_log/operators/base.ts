/**
 * What all operators share: `if`, `on_error`, outputs. Operators work synchronously on one entry; what they write goes to the next
 * operator at once and ends in the sink of the chain. A failure is logged once in a while, not once a line.
 */
import { z } from 'zod';
import type { Entry } from '#receivers/file_log/entry.ts';
import { Expression } from '#receivers/file_log/expr/compile.ts';
import { type Field, parseField } from '#receivers/file_log/field.ts';

/** What operators are given when they are built. */
export interface OperatorContext {
  nowMs(): number;
  /** A line could not be handled as configured. Called for every such line; whoever gets it decides how often to speak. */
  failed(operatorId: string, error: unknown, quiet: boolean): void;
}

/** A zod string that is a field path; the output is the Field. */
export function fieldSchema(rootable = false) {
  return z.string().transform((text, context): Field => {
    try {
      return parseField(text, rootable);
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as Error).message });
      return z.NEVER;
    }
  });
}

export const ON_ERROR = ['send', 'send_quiet', 'drop', 'drop_quiet'] as const;

/** Keys that every operator takes. */
export const operatorKeys = {
  type: z.string(),
  id: z.string().optional(),
  output: z.union([z.string(), z.array(z.string())]).optional(),
};
/** Keys of operators that work on entries. */
export const transformerKeys = {
  ...operatorKeys,
  if: z.string().optional(),
  on_error: z.enum(ON_ERROR).default('send'),
};
export type OperatorKeys = z.output<z.ZodObject<typeof operatorKeys>>;
export type TransformerKeys = z.output<z.ZodObject<typeof transformerKeys>>;

/** Compiles, with the words of the configuration in the error. */
export function compileCondition(source: string): Expression {
  try {
    return new Expression(source, true);
  } catch (error) {
    throw new Error(`failed to compile expression '${source}': ${(error as Error).message}`);
  }
}

export abstract class Operator {
  readonly type: string;
  /** Unique within the chain; set by whoever builds it where the configuration has none. */
  id: string;
  readonly context: OperatorContext;
  /** Ids from the configuration; null means the next operator of the list. */
  readonly outputIds: readonly string[] | null;
  outputs: readonly Operator[] = [];

  constructor(config: OperatorKeys, context: OperatorContext) {
    this.type = config.type;
    this.id = config.id ?? '';
    this.context = context;
    this.outputIds = config.output === undefined ? null : typeof config.output === 'string' ? [config.output] : config.output;
  }

  abstract process(entry: Entry): void;

  /** Ids of the operators it may send to. Throws where one is missing or cannot be sent to. */
  connect(find: (id: string) => Operator, next: Operator | null): void {
    if (this.outputIds !== null) this.outputs = this.outputIds.map(find);
    else this.outputs = next === null ? [] : [next];
  }

  write(entry: Entry): void {
    const outputs = this.outputs,
      last = outputs.length - 1;
    for (let i = 0; i < last; i++) outputs[i]!.process(entry.clone());
    if (last >= 0) outputs[last]!.process(entry);
  }

  /** Called a few times a second: what was held for too long goes out. */
  tick(_nowMs: number): void {}
  /** What is held goes out before the end. */
  flush(): void {}
  /** How many entries are held back; the fast path steps aside while there are any. */
  get held(): number {
    return 0;
  }
  /** Calls `visit` with the first entry of everything that is held back. */
  eachHeld(_visit: (entry: Entry) => void): void {}
  close(): void {}
}

/** An operator with `if` and `on_error`. */
export abstract class EntryOperator extends Operator {
  readonly condition: Expression | null;
  readonly onError: (typeof ON_ERROR)[number];

  constructor(config: TransformerKeys, context: OperatorContext) {
    super(config, context);
    this.condition = config.if === undefined || config.if === '' ? null : compileCondition(config.if);
    this.onError = config.on_error;
  }

  process(entry: Entry): void {
    try {
      if (this.condition !== null && !this.condition.test(entry)) {
        this.write(entry);
        return;
      }
      if (!this.handle(entry)) return;
    } catch (error) {
      this.fail(entry, error);
      return;
    }
    this.write(entry);
  }

  /** Changes the entry; throws where it cannot. False: the entry was written already, is held back or dropped. */
  abstract handle(entry: Entry): boolean;

  fail(entry: Entry, error: unknown): void {
    this.context.failed(this.id, error, this.onError.endsWith('_quiet'));
    if (this.onError.startsWith('send')) this.write(entry);
  }
}
