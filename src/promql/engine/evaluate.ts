/** Evaluates a syntax tree for all steps at once: dispatches to the parts of the engine and does what is between them. */
import { QueryError } from '#src/promql/errors.ts';
import { copyHistogram, scale } from '#src/promql/histogram/float_histogram.ts';
import { dropName } from '#src/promql/labels.ts';
import { type Binary, type Call, type Expr, isSetOp, type Subquery, unwrapParens } from '#src/promql/syntax/ast.ts';
import { aggregate } from './aggregate.ts';
import { scalarBinary, setBinary, vectorBinary, vectorScalar } from './binary.ts';
import type { EvaluationContext, Value } from './context.ts';
import { callInstant } from './functions.ts';
import { info } from './info.ts';
import { isInvariant } from './invariant.ts';
import { FLOAT, HISTOGRAM, Matrix, mergeSameLabels, type Timeline } from './matrix.ts';
import { callRange, rangeIndexOf, subqueryTimeline } from './range.ts';
import { selectInstant } from './selector.ts';

export class Evaluator {
  readonly #context: EvaluationContext;
  constructor(context: EvaluationContext) {
    this.#context = context;
  }

  readonly evaluate = async (expr: Expr, timeline: Timeline): Promise<Value> => {
    if (timeline.steps <= 0) return { kind: 'matrix', matrix: new Matrix(0) };
    if (timeline.steps > 1 && expr.kind !== 'number' && expr.kind !== 'string' && isInvariant(expr)) {
      const { totalSamples } = this.#context;
      const value = await this.#evaluate(expr, { ...timeline, steps: 1 });
      this.#context.totalSamples += (this.#context.totalSamples - totalSamples) * (timeline.steps - 1); // Each step looks at them.
      return spread(value, timeline.steps);
    }
    return this.#evaluate(expr, timeline);
  };

  async #evaluate(expr: Expr, timeline: Timeline): Promise<Value> {
    switch (expr.kind) {
      case 'number':
        return { kind: 'scalar', values: new Float64Array(timeline.steps).fill(expr.value) };
      case 'string':
        return { kind: 'string', value: expr.value };
      case 'paren':
        return this.evaluate(expr.expr, timeline);
      case 'selector':
        return { kind: 'matrix', matrix: await selectInstant(this.#context, expr, timeline, 'value') };
      case 'aggregate':
        return { kind: 'matrix', matrix: await aggregate(this.#context, this.evaluate, expr, timeline) };
      case 'unary':
        return this.#unary(await this.evaluate(expr.expr, timeline), expr.op === '-');
      case 'binary':
        return this.#binary(expr, timeline);
      case 'call':
        return this.#call(expr, timeline);
      case 'matrix':
      case 'subquery':
        throw new QueryError('a range vector has no value at a step');
    }
  }

  /** The values of a subquery at its own steps: what an instant query for one shows. */
  async subquery(expr: Subquery, timeline: Timeline): Promise<{ matrix: Matrix; timeline: Timeline }> {
    const inner = subqueryTimeline(this.#context, expr, timeline);
    const value = await this.evaluate(expr.expr, inner);
    return { matrix: value.kind === 'matrix' ? value.matrix : new Matrix(inner.steps), timeline: inner };
  }

  #unary(value: Value, negative: boolean): Value {
    if (!negative) return value;
    if (value.kind === 'scalar') return { kind: 'scalar', values: value.values.map((v) => -v) };
    if (value.kind !== 'matrix') return value;
    const { matrix } = value;
    for (let i = 0, end = matrix.count * matrix.steps; i < end; i++) {
      if (matrix.present[i] === FLOAT) matrix.values[i] = -matrix.values[i]!;
      else if (matrix.present[i] === HISTOGRAM) matrix.setHistogram(i, scale(copyHistogram(matrix.histogramAt(i)), -1));
    }
    matrix.nameless.fill(true);
    if (this.#context.options.delayedNameRemoval) return value;
    matrix.labels = matrix.labels.map(dropName);
    return { kind: 'matrix', matrix: mergeSameLabels(matrix) };
  }

  async #binary(expr: Binary, timeline: Timeline): Promise<Value> {
    const left = await this.evaluate(expr.lhs, timeline);
    const right = await this.evaluate(expr.rhs, timeline);
    if (left.kind === 'string' || right.kind === 'string') throw new QueryError('binary operation of a string');
    if (left.kind === 'scalar' && right.kind === 'scalar') return { kind: 'scalar', values: scalarBinary(expr.op, left.values, right.values) };
    const before = (left.kind === 'matrix' ? left.matrix.size() : 0) + (right.kind === 'matrix' ? right.matrix.size() : 0);
    let matrix: Matrix;
    if (left.kind === 'scalar') matrix = vectorScalar(this.#context, expr, (right as { matrix: Matrix }).matrix, left.values, true);
    else if (right.kind === 'scalar') matrix = vectorScalar(this.#context, expr, left.matrix, right.values, false);
    else if (isSetOp(expr.op)) matrix = setBinary(this.#context, expr, left.matrix, right.matrix);
    else matrix = await vectorBinary(this.#context, expr, left.matrix, right.matrix);
    this.#context.charge(matrix.size() - before);
    return { kind: 'matrix', matrix };
  }

  async #call(expr: Call, timeline: Timeline): Promise<Value> {
    expr.args = expr.args.map(unwrapParens);
    const { name } = expr.func;
    const first = expr.args[0];
    if ((name === 'timestamp' || name === 'start_timestamp') && first?.kind === 'selector') {
      const matrix = await selectInstant(this.#context, first, timeline, name);
      matrix.nameless.fill(true);
      if (this.#context.options.delayedNameRemoval) return { kind: 'matrix', matrix };
      matrix.labels = matrix.labels.map(dropName);
      return { kind: 'matrix', matrix: mergeSameLabels(matrix) };
    }
    if (rangeIndexOf(expr) >= 0) return { kind: 'matrix', matrix: await callRange(this.#context, this.evaluate, expr, timeline) };
    if (name === 'info') {
      const base = await this.evaluate(first!, timeline);
      return { kind: 'matrix', matrix: await info(this.#context, expr, (base as { matrix: Matrix }).matrix, timeline) };
    }
    const args: Value[] = [];
    let before = 0;
    for (const arg of expr.args) {
      const value = await this.evaluate(arg, timeline);
      if (value.kind === 'matrix') before += value.matrix.size();
      args.push(value);
    }
    const result = callInstant(this.#context, expr, args, timeline);
    this.#context.charge((result.kind === 'matrix' ? result.matrix.size() : 0) - before);
    return result;
  }
}

/** One step's values for all steps. */
function spread(value: Value, steps: number): Value {
  if (value.kind === 'string') return value;
  if (value.kind === 'scalar') return { kind: 'scalar', values: new Float64Array(steps).fill(value.values[0]!) };
  const { matrix } = value;
  const out = new Matrix(steps, matrix.count);
  for (let row = 0; row < matrix.count; row++) {
    const to = out.addRow(matrix.labels[row]!, matrix.nameless[row]!) * steps;
    for (let s = 0; s < steps; s++) out.copyValue(to + s, matrix, row);
  }
  return { kind: 'matrix', matrix: out };
}
