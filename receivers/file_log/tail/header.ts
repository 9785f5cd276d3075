/** Header lines at the start of a file: their metadata become attributes of all its entries. */
import { Chain, type OperatorPlan } from '#receivers/file_log/chain.ts';
import { Entry } from '#receivers/file_log/entry.ts';
import type { OperatorContext } from '#receivers/file_log/operators/base.ts';
import { compilePattern, type Pattern } from '#src/core/regexp/pattern.ts';
import type { TailedFile } from './tailed_file.ts';

export class Header {
  readonly #pattern: Pattern;
  readonly #chain: Chain;

  /** Throws Error or ConfigFaults. */
  constructor(pattern: string, plans: readonly OperatorPlan[], context: OperatorContext) {
    if (plans.length === 0) throw new Error('at least one operator must be specified for `metadata_operators`');
    const filter = plans.find((plan) => plan.type === 'filter' || plan.type === 'file_output' || plan.type === 'stdout');
    if (filter !== undefined) throw new Error(`operator of type ${filter.type} is not allowed in \`metadata_operators\``);
    this.#pattern = compilePattern(pattern);
    this.#chain = new Chain(plans, context);
  }

  /** False where the line is no header line, and the header is over. */
  take(file: TailedFile, line: string, nowMs: number): boolean {
    if (!this.#pattern.test(line)) return false;
    const entry = new Entry(nowMs);
    entry.body = line;
    entry.source = file.id;
    this.#chain.process(entry);
    this.#chain.flush();
    for (const result of this.#chain.out.splice(0)) for (const [key, value] of result.attributes) file.headerAttributes.set(key, value);
    return true;
  }

  close(): void {
    this.#chain.close();
  }
}
