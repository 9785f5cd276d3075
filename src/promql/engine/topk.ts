/** Aggregations that choose series instead of combining them: topk, bottomk, limitk, limit_ratio. */
import { QueryError } from '#src/promql/errors.ts';
import { shortFloat } from '#src/core/go_float.ts';
import { hashFraction } from '#src/promql/label_hash.ts';
import type { Aggregate } from '#src/promql/syntax/ast.ts';
import { type Groups, rowsOf } from './aggregate.ts';
import type { EvaluationContext } from './context.ts';
import { ABSENT, FLOAT, HISTOGRAM, Matrix } from './matrix.ts';

/** Beyond this, sorting all candidates is cheaper than keeping a sorted list of the best. */
const INSERTION_LIMIT = 64;

export async function selectPerGroup(context: EvaluationContext, expr: Aggregate, input: Matrix, groups: Groups, param: Float64Array): Promise<Matrix> {
  const { op } = expr;
  const { steps } = input;
  const none = new Matrix(steps, 0);
  let least = Number.POSITIVE_INFINITY;
  let most = Number.NEGATIVE_INFINITY;
  let nan = false;
  for (const value of param) {
    if (Number.isNaN(value)) nan = true;
    if (value < least) least = value;
    if (value > most) most = value;
  }
  if (op === 'limit_ratio') {
    if (most === 0 && least === 0) return none;
    if (nan) throw new QueryError('Ratio value is NaN');
    for (const [value, limit] of [
      [most, 1],
      [least, -1],
    ] as const) {
      if (value > 1 || value < -1)
        if (Math.sign(value) === limit)
          context.notes.warn(`ratio value should be between -1 and 1, got ${shortFloat(value)}, capping to ${limit}`, expr.param!);
    }
  } else {
    if (!nan && most < 1) return none;
    if (nan) throw new QueryError('Parameter value is NaN');
    if (least <= -(2 ** 63)) throw new QueryError(`Scalar value ${shortFloat(least)} underflows int64`);
    if (most >= 2 ** 63) throw new QueryError(`Scalar value ${shortFloat(most)} overflows int64`);
  }
  const chosen = new Uint8Array(input.count * steps);
  const order: number[] = [];
  const rows = rowsOf(groups);
  const offsets = op === 'limit_ratio' ? input.labels.map(hashFraction) : [];
  for (const members of rows) {
    for (let s = 0; s < steps; s++) {
      if ((s & 63) === 0 && context.isDue()) await context.breathe();
      let picked: number[];
      if (op === 'limitk') picked = members.filter((row) => input.present[row * steps + s] !== ABSENT).slice(0, Math.max(0, Math.trunc(param[s]!)));
      else if (op === 'limit_ratio') {
        const ratio = Math.max(-1, Math.min(1, param[s]!));
        picked = members.filter((row) => input.present[row * steps + s] !== ABSENT && (ratio >= 0 ? offsets[row]! < ratio : offsets[row]! >= 1 + ratio));
      } else picked = best(context, expr, input, members, s, Math.trunc(param[s]!));
      for (const row of picked) chosen[row * steps + s] = 1;
      if (steps === 1) order.push(...picked);
    }
  }
  if (steps > 1) for (let row = 0; row < input.count; row++) if (chosen.subarray(row * steps, (row + 1) * steps).includes(1)) order.push(row);
  const out = input.select(order);
  order.forEach((row, target) => {
    for (let s = 0; s < steps; s++) if (chosen[row * steps + s] === 0) out.present[target * steps + s] = ABSENT;
  });
  return out;
}

/** The k rows with the largest (smallest) values, best first; NaN comes last. */
function best(context: EvaluationContext, expr: Aggregate, input: Matrix, members: readonly number[], step: number, k: number): number[] {
  if (k < 1) return [];
  const { steps, values, present } = input;
  const sign = expr.op === 'topk' ? 1 : -1;
  const isBetter = (a: number, b: number): boolean => {
    const x = values[a * steps + step]!;
    const y = values[b * steps + step]!;
    return x * sign > y * sign || (Number.isNaN(y) && !Number.isNaN(x));
  };
  const list: number[] = [];
  for (const row of members) {
    const kind = present[row * steps + step];
    if (kind === HISTOGRAM) context.notes.ignoredInAggregation(expr.op, expr);
    if (kind !== FLOAT) continue;
    if (k > INSERTION_LIMIT) list.push(row);
    else if (list.length < k || isBetter(row, list.at(-1)!)) {
      if (list.length === k) list.pop();
      let at = list.length;
      while (at > 0 && isBetter(row, list[at - 1]!)) at--;
      list.splice(at, 0, row);
    }
  }
  if (k <= INSERTION_LIMIT) return list;
  return list.sort((a, b) => (isBetter(a, b) ? -1 : isBetter(b, a) ? 1 : 0)).slice(0, k);
}
