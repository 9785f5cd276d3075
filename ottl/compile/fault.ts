/** Faults while compiling keep the place they were found at; this wraps what a part throws with what it was part of. */
import { SyntaxFault } from '#ottl/syntax/error.ts';

export const fault = (message: string, offset: number): SyntaxFault => new SyntaxFault(message, offset);

/** Runs `work`; what it throws gets `prefix` and, where it has no place of its own, `offset`. */
export function within<T>(prefix: string, offset: number, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const place = error instanceof SyntaxFault && error.offset >= 0 ? error.offset : offset;
    throw new SyntaxFault(prefix === '' ? error.message : `${prefix}: ${error.message}`, place);
  }
}
