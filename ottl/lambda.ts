/** A lambda argument as a function sees it: `(key, value) => ...`, called with the values of its parameters. Upstream has it behind a feature gate, which is off. */
import type { RecordContext } from './function.ts';
import type { Value } from './values.ts';

export interface CompiledLambda {
  readonly arity: number;
  readonly call: (record: RecordContext, args: readonly Value[]) => Value;
}
