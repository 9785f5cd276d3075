/**
 * The one-pass rewriter: goes through the messages of a batch, lets callbacks read and edit the records under the cursors below, and writes new
 * bytes once. What nobody touched is copied as it is, fields in their order, unknown ones too; a batch that nothing changed comes back as the
 * same object.
 *
 * A rewriter is a list of passes, each with its level and what it reads and writes beyond its own record. Running a list means running its passes
 * one after the other over the whole batch; where nobody could see the difference, several run in one walk over the bytes.
 */
import type { Batch, Signal } from '#src/core/batch.ts';
import type { Rewriter } from '#src/core/component.ts';
import type { Pass } from './contexts.ts';
import { rewriteBatch } from './rewrite_walk.ts';

export * from './contexts.ts';
export { appendRecord, currentRecord, replaceRecord } from './rewrite_walk.ts';

/** The implementation of core's Rewriter for all who edit records. */
export class BytesRewriter implements Rewriter {
  readonly signal: Signal;
  readonly passes: readonly Pass[];
  readonly #walks: readonly (readonly Pass[])[];

  constructor(signal: Signal, passes: readonly Pass[]) {
    this.signal = signal;
    this.passes = passes;
    this.#walks = planWalks(passes);
  }
  rewrite(batch: Batch): Batch | null {
    let current: Batch | null = batch;
    for (let i = 0; i < this.#walks.length && current !== null; i++) current = rewriteBatch(current, this.#walks[i]!);
    return current;
  }
  fuse(next: Rewriter): Rewriter | null {
    return next instanceof BytesRewriter && next.signal === this.signal ? new BytesRewriter(this.signal, [...this.passes, ...next.passes]) : null;
  }
}

/** Which passes may share a walk: each joins the walk before it unless somebody could see the difference. */
export function planWalks(passes: readonly Pass[]): Pass[][] {
  const walks: Pass[][] = [];
  let walk: Pass[] = [];
  for (const pass of passes) {
    if (walk.length > 0 && walk.every((earlier) => mayShare(earlier, pass))) walk.push(pass);
    else walks.push((walk = [pass]));
  }
  return walks;
}
/**
 * `later` would run over the whole batch after `earlier`; in one walk it runs on a record before `earlier` has seen the records behind it. That
 * shows only through what those records share: the levels that enclose them.
 */
function mayShare(earlier: Pass, later: Pass): boolean {
  if (earlier.appends === true || later.appends === true) return false;
  const earlierWrites = earlier.writes | earlier.level;
  const laterWrites = later.writes | later.level;
  const earlierSees = earlier.reads | earlierWrites;
  const laterSees = later.reads | laterWrites;
  // Outer or same level first, as the walk does: shared is what encloses the earlier one's record. Else the walk turns the order round, and all counts.
  const shared = earlier.level <= later.level ? earlier.level - 1 : -1;
  if ((laterWrites & earlierSees & shared) !== 0 || (earlierWrites & laterSees & shared) !== 0) return false;
  // A container that is emptied by a drop further in goes away between the two; inside one walk, after them.
  return !(earlier.dropsEmpty === true && later.level < earlier.level);
}
