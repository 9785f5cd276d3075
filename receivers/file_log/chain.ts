/**
 * The operators of a receiver as a graph: ids, outputs, the sink at the end. Faults of the configuration are found here, all of them.
 */
import type { ConfigIssue } from '#src/core/errors.ts';
import type { Entry } from './entry.ts';
import { Operator, type OperatorContext } from './operators/base.ts';
import { OPERATORS } from './operators/registry.ts';

/** One list item of `operators`, its keys checked. */
export interface OperatorPlan {
  readonly type: string;
  readonly config: unknown;
}

/** Collects what reaches the end of the chain. */
class Sink extends Operator {
  readonly entries: Entry[] = [];
  override process(entry: Entry): void {
    this.entries.push(entry);
  }
  override connect(): void {}
}

export class Chain {
  readonly operators: readonly Operator[];
  readonly #sink: Sink;
  readonly #first: Operator;

  /** Throws ConfigFaults. */
  constructor(plans: readonly OperatorPlan[], context: OperatorContext) {
    const faults: ConfigIssue[] = [],
      operators: Operator[] = [],
      places = new Map<Operator, number>();
    plans.forEach((plan, index) => {
      try {
        const operator = OPERATORS[plan.type]!.build(plan.config, context);
        operators.push(operator);
        places.set(operator, index);
      } catch (error) {
        faults.push({ path: [index], message: (error as Error).message });
      }
    });
    this.#sink = new Sink({ type: 'sink', id: '$sink' }, context);
    const byId = new Map<string, Operator>();
    for (const operator of operators) {
      if (operator.id === '') continue;
      if (byId.has(operator.id)) faults.push({ path: [places.get(operator)!, 'id'], message: `operator with id '${operator.id}' already exists in pipeline` });
      byId.set(operator.id, operator);
    }
    for (const operator of operators) {
      if (operator.id !== '') continue;
      let id = operator.type;
      for (let n = 1; byId.has(id); n++) id = `${operator.type}${n}`;
      operator.id = id;
      byId.set(id, operator);
    }
    operators.forEach((operator, i) => {
      try {
        operator.connect(
          (id) => {
            const found = byId.get(id);
            if (found === undefined) throw new Error(`operator '${operator.id}': output '${id}' does not exist`);
            if (found === operator) throw new Error(`operator '${operator.id}' cannot output to itself`);
            return found;
          },
          operators[i + 1] ?? this.#sink,
        );
      } catch (error) {
        faults.push({ path: [places.get(operator)!], message: (error as Error).message });
      }
    });
    const loop = findLoop(operators);
    if (loop !== null) faults.push({ path: [], message: `pipeline has a circular dependency: ${loop.map((operator) => operator.id).join(' -> ')}` });
    if (faults.length > 0) throw new ConfigFaults(faults);
    this.operators = operators;
    this.#first = operators[0] ?? this.#sink;
  }

  /** Sends one entry through; what came out waits in `out`. */
  process(entry: Entry): void {
    this.#first.process(entry);
  }

  /** Entries that reached the end; whoever takes them empties the list. */
  get out(): Entry[] {
    return this.#sink.entries;
  }

  /** Entries held back by operators that join. */
  get held(): number {
    let held = 0;
    for (const operator of this.operators) held += operator.held;
    return held;
  }

  eachHeld(visit: (entry: Entry) => void): void {
    for (const operator of this.operators) operator.eachHeld(visit);
  }

  tick(nowMs: number): void {
    for (const operator of this.operators) operator.tick(nowMs);
  }
  flush(): void {
    for (const operator of this.operators) operator.flush();
  }
  close(): void {
    for (const operator of this.operators) operator.close();
  }
}

/** Faults of a list of operators; paths begin below the list. */
export class ConfigFaults extends Error {
  readonly issues: readonly ConfigIssue[];
  constructor(issues: readonly ConfigIssue[]) {
    super(issues.map((issue) => issue.message).join('\n'));
    this.issues = issues;
  }
}

function findLoop(operators: readonly Operator[]): Operator[] | null {
  const done = new Set<Operator>(),
    path: Operator[] = [];
  const visit = (operator: Operator): Operator[] | null => {
    if (done.has(operator)) return null;
    const at = path.indexOf(operator);
    if (at >= 0) return [...path.slice(at), operator];
    path.push(operator);
    for (const next of operator.outputs) {
      const loop = visit(next);
      if (loop !== null) return loop;
    }
    path.pop();
    done.add(operator);
    return null;
  };
  for (const operator of operators) {
    const loop = visit(operator);
    if (loop !== null) return loop;
  }
  return null;
}
