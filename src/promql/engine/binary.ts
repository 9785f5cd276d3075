/** Binary operators. Which row meets which is worked out once per query; the values are combined step by step. */
import { QueryError } from '#src/promql/errors.ts';
import { add, compact, copyHistogram, divide, equals, type FloatHistogram, HINT_GAUGE, scale } from '#src/promql/histogram/float_histogram.ts';
import { trimHistogram } from '#src/promql/histogram/trim.ts';
import { dropName, formatLabels, getLabel, keepLabels, labelsKey, METRIC_NAME, withLabel } from '#src/promql/labels.ts';
import { type ArithmeticOp, type Binary, type ComparisonOp, isComparison, type VectorMatching } from '#src/promql/syntax/ast.ts';
import type { LabelList } from '#src/core/series.ts';
import type { EvaluationContext } from './context.ts';
import { ABSENT, FLOAT, HISTOGRAM, Matrix, mergeSameLabels, refuseSameLabels, sameLabelsError } from './matrix.ts';

export function isArithmetic(op: string): op is ArithmeticOp {
  return op === '+' || op === '-' || op === '*' || op === '/' || op === '%' || op === '^' || op === 'atan2';
}

export function compute(op: ArithmeticOp, a: number, b: number): number {
  switch (op) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    case '/':
      return a / b;
    case '%':
      return a % b;
    case '^':
      return a === 1 || (a === -1 && Math.abs(b) === Number.POSITIVE_INFINITY) ? 1 : a ** b; // IEEE 754, where JavaScript says NaN.
    case 'atan2':
      return Math.atan2(a, b);
  }
}
export function compare(op: ComparisonOp, a: number, b: number): boolean {
  switch (op) {
    case '==':
      return a === b;
    case '!=':
      return a !== b;
    case '<':
      return a < b;
    case '<=':
      return a <= b;
    case '>':
      return a > b;
    case '>=':
      return a >= b;
  }
}

export function scalarBinary(op: Binary['op'], a: Float64Array, b: Float64Array): Float64Array {
  const out = new Float64Array(a.length);
  for (let s = 0; s < a.length; s++) out[s] = isArithmetic(op) ? compute(op, a[s]!, b[s]!) : isComparison(op) && compare(op, a[s]!, b[s]!) ? 1 : 0;
  return out;
}

/** `swapped`: the scalar stands on the left. */
export function vectorScalar(context: EvaluationContext, expr: Binary, vector: Matrix, scalar: Float64Array, swapped: boolean): Matrix {
  const { op } = expr;
  const { steps } = vector;
  const out = new Matrix(steps, vector.count);
  const drops = isArithmetic(op) || expr.bool;
  const pair = new Pair(context, expr);
  for (let row = 0; row < vector.count; row++) {
    const labels = vector.labels[row]!;
    const target = out.addRow(drops && !context.options.delayedNameRemoval ? dropName(labels) : labels, drops || vector.nameless[row]!);
    for (let s = 0, at = row * steps, to = target * steps; s < steps; s++, at++, to++) {
      const kind = vector.present[at];
      if (kind === ABSENT) continue;
      if (kind === FLOAT) {
        const v = vector.values[at]!;
        const a = swapped ? scalar[s]! : v;
        const b = swapped ? v : scalar[s]!;
        if (isArithmetic(op)) out.setFloat(to, compute(op, a, b));
        else if (isComparison(op)) {
          const holds = compare(op, a, b);
          if (expr.bool) out.setFloat(to, holds ? 1 : 0);
          else if (holds) out.setFloat(to, v);
        } else context.notes.incompatibleTypes('float', op, 'float', expr);
        continue;
      }
      const h = vector.histogramAt(at);
      const applies = swapped ? pair.apply(scalar[s]!, null, 0, h) : pair.apply(0, h, scalar[s]!, null);
      pair.tell();
      if (!applies) continue;
      if (pair.histogram !== null) out.setHistogram(to, pair.histogram);
      else out.setFloat(to, pair.float);
    }
  }
  const result = out.withoutEmptyRows();
  return drops && !context.options.delayedNameRemoval ? mergeSameLabels(result) : result;
}

/** One operation of two samples; the result is left in the fields. */
class Pair {
  float = 0;
  histogram: FloatHistogram | null = null;
  /** What the condition of a comparison said. */
  holds = true;
  readonly #context: EvaluationContext;
  readonly #expr: Binary;
  #note: ((notes: EvaluationContext['notes'], expr: Binary) => void) | null = null;
  constructor(context: EvaluationContext, expr: Binary) {
    this.#context = context;
    this.#expr = expr;
  }

  /** Adds the note of the last of the operations since tell() that had one: the others of a step are not told. */
  tell(): void {
    this.#note?.(this.#context.notes, this.#expr);
    this.#note = null;
  }

  /** False where the types do not go together: there is a note then, and no result. */
  apply(a: number, ha: FloatHistogram | null, b: number, hb: FloatHistogram | null): boolean {
    const { op } = this.#expr;
    this.histogram = null;
    this.holds = true;
    if (ha === null && hb === null) {
      if (isArithmetic(op)) this.float = compute(op, a, b);
      else if (isComparison(op)) {
        this.float = a;
        this.holds = compare(op, a, b);
      } else return this.#refuse('float', 'float');
      return true;
    }
    if (ha === null) {
      if (op !== '*') return this.#refuse('float', 'histogram');
      this.histogram = compact(scale(copyHistogram(hb!), a));
      return true;
    }
    if (hb === null) {
      if (op === '*') this.histogram = compact(scale(copyHistogram(ha), b));
      else if (op === '/') this.histogram = compact(divide(copyHistogram(ha), b));
      else if (op === '</' || op === '>/') this.histogram = trimHistogram(ha, b, op === '</');
      else return this.#refuse('histogram', 'float');
      return true;
    }
    if (op === '==' || op === '!=') {
      this.histogram = ha;
      this.holds = equals(ha, hb) === (op === '==');
      return true;
    }
    if (op !== '+' && op !== '-') return this.#refuse('histogram', 'histogram');
    const result = copyHistogram(ha);
    const outcome = add(result, hb, op === '+' ? 1 : -1);
    if (outcome.incompatible) {
      this.#note = (notes, at) => notes.warn(`incompatible bucket layout encountered for binary operator ${op}`, at);
      return false;
    }
    const operation = op === '+' ? 'addition' : 'subtraction';
    if (op === '-') result.hint = HINT_GAUGE;
    if (outcome.reconciled) this.#note = (notes, at) => notes.reconciledBounds(operation, at);
    if (outcome.hintCollision) this.#note = (notes, at) => notes.hintCollision(operation, at);
    this.histogram = compact(result);
    return true;
  }
  #refuse(left: string, right: string): boolean {
    this.#note = (notes, expr) => notes.incompatibleTypes(left, expr.op, right, expr);
    return false;
  }
}

/** Rows with the same labels in the sense of on() and ignoring() get the same number. */
function signatures(matching: VectorMatching, sides: readonly Matrix[]): { of: Int32Array[]; count: number } {
  const known = new Map<string, number>();
  const names = [...matching.labels].sort();
  const ignored = new Set([...names, METRIC_NAME]);
  const of = sides.map((side) => {
    const numbers = new Int32Array(side.count);
    for (let row = 0; row < side.count; row++) {
      const labels = side.labels[row]!;
      let key = '';
      if (matching.on) for (const name of names) key += `${getLabel(labels, name)}\uffff`;
      else for (let i = 0; i < labels.length; i += 2) if (!ignored.has(labels[i]!)) key += `${labels[i]}\uffff${labels[i + 1]}\uffff`;
      let number = known.get(key);
      if (number === undefined) {
        number = known.size;
        known.set(key, number);
      }
      numbers[row] = number;
    }
    return numbers;
  });
  return { of, count: known.size };
}

/** Rows of the result by their labels; the same labels twice at one step are an error. */
class Output {
  readonly matrix: Matrix;
  readonly #rowOf = new Map<string, number>();
  readonly #refuses: boolean;
  constructor(context: EvaluationContext, steps: number) {
    this.matrix = new Matrix(steps);
    this.#refuses = !(context.options.delayedNameRemoval && steps === 1);
  }
  rowFor(labels: LabelList, nameless: boolean): number {
    const key = this.#refuses ? labelsKey(labels) : `${this.matrix.count}`;
    let row = this.#rowOf.get(key);
    if (row === undefined) {
      row = this.matrix.addRow(labels, nameless);
      this.#rowOf.set(key, row);
    }
    return row;
  }
  copyRow(from: Matrix, row: number, keep: (step: number) => boolean): void {
    const { steps } = this.matrix;
    let target = -1;
    for (let s = 0; s < steps; s++) {
      if (from.present[row * steps + s] === ABSENT || !keep(s)) continue;
      if (target < 0) target = this.rowFor(from.labels[row]!, from.nameless[row]!);
      if (this.matrix.present[target * steps + s] !== ABSENT) throw sameLabelsError();
      this.matrix.copyValue(target * steps + s, from, row * steps + s);
    }
  }
}

export function setBinary(context: EvaluationContext, expr: Binary, left: Matrix, right: Matrix): Matrix {
  const { steps } = left;
  const { of, count } = signatures(expr.matching!, [left, right]);
  const [leftOf, rightOf] = of as [Int32Array, Int32Array];
  const seen = new Uint8Array(count * steps);
  const mark = (side: Matrix, numbers: Int32Array): void => {
    for (let row = 0; row < side.count; row++) {
      for (let s = 0; s < steps; s++) if (side.present[row * steps + s] !== ABSENT) seen[numbers[row]! * steps + s] = 1;
    }
  };
  const out = new Output(context, steps);
  if (expr.op === 'or') {
    mark(left, leftOf);
    for (let row = 0; row < left.count; row++) out.copyRow(left, row, () => true);
    for (let row = 0; row < right.count; row++) out.copyRow(right, row, (s) => seen[rightOf[row]! * steps + s] === 0);
  } else {
    mark(right, rightOf);
    const wanted = expr.op === 'and' ? 1 : 0;
    for (let row = 0; row < left.count; row++) out.copyRow(left, row, (s) => seen[leftOf[row]! * steps + s] === wanted);
  }
  return out.matrix;
}

export async function vectorBinary(context: EvaluationContext, expr: Binary, lhs: Matrix, rhs: Matrix): Promise<Matrix> {
  const join = new Join(context, expr, lhs, rhs);
  for (let s = 0; s < lhs.steps; s++) {
    if (context.isDue()) await context.breathe();
    join.step(s);
    join.pair.tell();
  }
  const result = join.out.matrix.withoutEmptyRows();
  if (lhs.steps === 1 && !context.options.delayedNameRemoval) refuseSameLabels(result);
  return result;
}

function isEmptyAt(matrix: Matrix, step: number): boolean {
  for (let at = step, end = matrix.count * matrix.steps; at < end; at += matrix.steps) if (matrix.present[at] !== ABSENT) return false;
  return true;
}

class Join {
  readonly out: Output;
  readonly #context: EvaluationContext;
  readonly #expr: Binary;
  readonly #matching: VectorMatching;
  readonly #swapped: boolean;
  readonly #many: Matrix;
  readonly #one: Matrix;
  readonly #manyOf: Int32Array;
  readonly #oneOf: Int32Array;
  /** By signature: the row of the "one" side at the current step, or -1; and whether something met it. */
  readonly #oneAt: Int32Array;
  readonly #met: Uint8Array;
  /** Result rows of pairs, by many * (one.count + 1) + one. */
  readonly #rows = new Map<number, number>();
  /** By result row: the step and signature that wrote it last. */
  readonly #writtenAt: number[] = [];
  readonly #writtenBy: number[] = [];
  readonly pair: Pair;

  constructor(context: EvaluationContext, expr: Binary, lhs: Matrix, rhs: Matrix) {
    this.#context = context;
    this.#expr = expr;
    this.#matching = expr.matching!;
    this.#swapped = this.#matching.cardinality === 'one-to-many';
    this.#many = this.#swapped ? rhs : lhs;
    this.#one = this.#swapped ? lhs : rhs;
    const { of, count } = signatures(this.#matching, [this.#many, this.#one]);
    this.#manyOf = of[0]!;
    this.#oneOf = of[1]!;
    this.#oneAt = new Int32Array(count);
    this.#met = new Uint8Array(count);
    this.pair = new Pair(context, expr);
    this.out = new Output(context, lhs.steps);
  }

  step(s: number): void {
    const many = this.#many;
    const one = this.#one;
    const { steps } = many;
    // "fill" belongs to the written sides; the "one" side is filled where many-rows find no partner.
    const fillOne = this.#swapped ? this.#matching.fillLeft : this.#matching.fillRight;
    const fillMany = this.#swapped ? this.#matching.fillRight : this.#matching.fillLeft;
    // Where a side is empty nothing can meet, and duplicates on the other one do not matter.
    if (fillOne === null && fillMany === null && (isEmptyAt(many, s) || isEmptyAt(one, s))) return;
    this.#oneAt.fill(-1);
    this.#met.fill(0);
    for (let row = 0; row < one.count; row++) {
      if (one.present[row * steps + s] === ABSENT) continue;
      const signature = this.#oneOf[row]!;
      if (this.#oneAt[signature]! >= 0) throw this.#duplicate(row, this.#oneAt[signature]!);
      this.#oneAt[signature] = row;
    }
    for (let row = 0; row < many.count; row++) {
      const at = row * steps + s;
      if (many.present[at] === ABSENT) continue;
      const partner = this.#oneAt[this.#manyOf[row]!]!;
      if (partner >= 0) this.#combine(s, row, partner, this.#manyOf[row]!, 0, 0);
      else if (fillOne !== null) this.#combine(s, row, -1, this.#manyOf[row]!, 0, fillOne);
    }
    if (fillMany === null) return;
    for (let row = 0; row < one.count; row++) {
      if (one.present[row * steps + s] === ABSENT || this.#met[this.#oneOf[row]!] === 1) continue;
      this.#combine(s, -1, row, this.#oneOf[row]!, fillMany, 0);
    }
  }

  #duplicate(row: number, other: number): QueryError {
    const side = this.#swapped ? 'left' : 'right';
    const names = [formatLabels(this.#one.labels[row]!), formatLabels(this.#one.labels[other]!)].sort();
    return new QueryError(
      `found duplicate series for the match group ${formatLabels(this.#matched(this.#one.labels[row]!))} on the ${side} hand-side of the operation: ` +
        `[${names.join(', ')}];many-to-many matching not allowed: matching labels must be unique on one side`,
    );
  }
  #matched(labels: LabelList): LabelList {
    const { on, labels: names } = this.#matching;
    return keepLabels(labels, (name) => (on ? names.includes(name) : name !== METRIC_NAME && !names.includes(name)));
  }

  /** Row -1 stands for a filled-in value. */
  #combine(s: number, manyRow: number, oneRow: number, signature: number, manyFill: number, oneFill: number): void {
    const many = this.#many;
    const one = this.#one;
    const { steps } = many;
    const manyAt = manyRow * steps + s;
    const oneAt = oneRow * steps + s;
    const x = manyRow < 0 ? manyFill : many.values[manyAt]!;
    const y = oneRow < 0 ? oneFill : one.values[oneAt]!;
    const hx = manyRow >= 0 && many.present[manyAt] === HISTOGRAM ? many.histogramAt(manyAt) : null;
    const hy = oneRow >= 0 && one.present[oneAt] === HISTOGRAM ? one.histogramAt(oneAt) : null;
    const { pair } = this;
    if (!(this.#swapped ? pair.apply(y, hy, x, hx) : pair.apply(x, hx, y, hy))) return;
    const oneToOne = this.#matching.cardinality === 'one-to-one';
    if (oneToOne && this.#met[signature] === 1)
      throw new QueryError('multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)');
    this.#met[signature] = 1;
    const row = this.#rowOf(manyRow, oneRow);
    if (this.#writtenAt[row] === s && this.#writtenBy[row] === signature && !oneToOne) {
      throw new QueryError('multiple matches for labels: grouping labels must ensure unique matches');
    }
    this.#writtenAt[row] = s;
    this.#writtenBy[row] = signature;
    if (!pair.holds && !this.#expr.bool) return;
    const out = this.out.matrix;
    const to = row * steps + s;
    if (out.present[to] !== ABSENT) throw sameLabelsError();
    if (this.#expr.bool) out.setFloat(to, pair.holds ? 1 : 0);
    else if (pair.histogram !== null) out.setHistogram(to, pair.histogram);
    else out.setFloat(to, pair.float);
  }

  #rowOf(manyRow: number, oneRow: number): number {
    const key = (manyRow + 1) * (this.#one.count + 1) + oneRow + 1;
    let row = this.#rows.get(key);
    if (row === undefined) {
      row = this.out.rowFor(this.#labels(manyRow, oneRow), this.#expr.bool);
      this.#rows.set(key, row);
    }
    return row;
  }

  #labels(manyRow: number, oneRow: number): LabelList {
    const { on, labels: names, include, cardinality } = this.#matching;
    let labels = manyRow < 0 ? this.#matched(this.#one.labels[oneRow]!) : this.#many.labels[manyRow]!;
    const other = oneRow < 0 ? this.#matched(this.#many.labels[manyRow]!) : this.#one.labels[oneRow]!;
    if (isArithmetic(this.#expr.op) || (this.#expr.bool && !this.#context.options.delayedNameRemoval)) labels = dropName(labels);
    if (cardinality === 'one-to-one') labels = keepLabels(labels, (name) => names.includes(name) === on);
    for (const name of include) labels = withLabel(labels, name, getLabel(other, name));
    return labels;
  }
}
