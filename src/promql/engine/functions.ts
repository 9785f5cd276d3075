/** Functions of instant vectors and scalars. What needs series as a whole (label_replace, sort, absent) is in functions_labels.ts. */
import { QueryError } from '#src/promql/errors.ts';
import { dropName } from '#src/promql/labels.ts';
import type { Call } from '#src/promql/syntax/ast.ts';
import { absentLabels } from './absent.ts';
import { DATE_FUNCTIONS } from './dates.ts';
import type { EvaluationContext, Value } from './context.ts';
import { labelJoin, labelReplace, sortByLabel, sortByValue } from './functions_labels.ts';
import { histogramFunction, isHistogramFunction } from './functions_histogram.ts';
import { ABSENT, FLOAT, Matrix, mergeSameLabels, type Timeline } from './matrix.ts';

const DEGREE = 180 / Math.PI;

const FLOAT_FUNCTIONS: ReadonlyMap<string, (value: number) => number> = new Map(
  Object.entries({
    abs: Math.abs,
    ceil: Math.ceil,
    floor: Math.floor,
    exp: Math.exp,
    sqrt: Math.sqrt,
    ln: Math.log,
    log2: Math.log2,
    log10: Math.log10,
    sin: Math.sin,
    cos: Math.cos,
    tan: Math.tan,
    asin: Math.asin,
    acos: Math.acos,
    atan: Math.atan,
    sinh: Math.sinh,
    cosh: Math.cosh,
    tanh: Math.tanh,
    asinh: Math.asinh,
    acosh: Math.acosh,
    atanh: Math.atanh,
    rad: (v: number) => (v * Math.PI) / 180,
    deg: (v: number) => v * DEGREE,
    sgn: (v: number) => (v < 0 ? -1 : v > 0 ? 1 : v),
  }),
);

export function stepTime(timeline: Timeline, step: number): number {
  return timeline.startMs + step * timeline.stepMs;
}

/** Calls a function whose arguments are evaluated. */
export function callInstant(context: EvaluationContext, call: Call, args: readonly Value[], timeline: Timeline): Value {
  const { name } = call.func;
  const { steps } = timeline;
  const matrixOf = (index: number): Matrix => {
    const value = args[index];
    if (value?.kind !== 'matrix') throw new QueryError(`${name}() has no vector argument ${index + 1}`);
    return value.matrix;
  };
  const scalarOf = (index: number): Float64Array => {
    const value = args[index];
    if (value?.kind !== 'scalar') throw new QueryError(`${name}() has no scalar argument ${index + 1}`);
    return value.values;
  };
  const strings = (from: number): string[] => args.slice(from).map((value) => (value.kind === 'string' ? value.value : ''));
  const matrix = (value: Matrix): Value => ({ kind: 'matrix', matrix: value });
  const scalar = (at: (step: number) => number): Value => ({ kind: 'scalar', values: Float64Array.from({ length: steps }, (_, s) => at(s)) });

  const float = FLOAT_FUNCTIONS.get(name);
  if (float !== undefined) return matrix(mapFloats(context, matrixOf(0), float));
  const date = DATE_FUNCTIONS.get(name);
  if (date !== undefined) {
    if (args.length === 0) return matrix(constantRow(timeline, (s) => date(stepTime(timeline, s) / 1000)));
    return matrix(mapFloats(context, matrixOf(0), date));
  }
  if (isHistogramFunction(name)) return matrix(histogramFunction(context, call, args, timeline));
  switch (name) {
    case 'time':
      return scalar((s) => stepTime(timeline, s) / 1000);
    case 'pi':
      return scalar(() => Math.PI);
    case 'max_of':
      return scalar((s) => larger(scalarOf(0)[s]!, scalarOf(1)[s]!));
    case 'min_of':
      return scalar((s) => smaller(scalarOf(0)[s]!, scalarOf(1)[s]!));
    case 'scalar':
      return { kind: 'scalar', values: toScalar(matrixOf(0)) };
    case 'vector':
      return matrix(constantRow(timeline, (s) => scalarOf(0)[s]!));
    case 'clamp':
      return matrix(clamp(context, matrixOf(0), scalarOf(1), scalarOf(2)));
    case 'clamp_min':
      return matrix(clamp(context, matrixOf(0), scalarOf(1), null));
    case 'clamp_max':
      return matrix(clamp(context, matrixOf(0), null, scalarOf(1)));
    case 'round': {
      const to = args.length > 1 ? scalarOf(1) : null;
      return matrix(
        mapFloats(context, matrixOf(0), (v, s) => {
          const inverse = to === null ? 1 : 1 / to[s]!; // Dividing by the inverse loses less.
          return Math.floor(v * inverse + 0.5) / inverse;
        }),
      );
    }
    case 'timestamp': {
      const input = matrixOf(0);
      return matrix(mapAll(context, input, (_at, s) => stepTime(timeline, s) / 1000));
    }
    case 'start_timestamp':
      return matrix(new Matrix(steps)); // Of an expression: nothing began.
    case 'absent':
      return matrix(absent(call, matrixOf(0), timeline));
    case 'label_replace':
      return matrix(labelReplace(matrixOf(0), ...(strings(1) as [string, string, string, string])));
    case 'label_join':
      return matrix(labelJoin(matrixOf(0), strings(1)));
    case 'sort':
    case 'sort_desc':
      return matrix(sortByValue(context, call, matrixOf(0), name === 'sort_desc'));
    case 'sort_by_label':
    case 'sort_by_label_desc':
      return matrix(sortByLabel(context, call, matrixOf(0), strings(1), name === 'sort_by_label_desc'));
  }
  throw new QueryError(`function ${name}() is not supported yet`);
}

/** One row without labels. */
export function constantRow(timeline: Timeline, at: (step: number) => number): Matrix {
  const out = new Matrix(timeline.steps, 1);
  out.addRow([], false);
  for (let s = 0; s < timeline.steps; s++) out.setFloat(s, at(s));
  return out;
}

/** Floats through a function; histograms fall away, and so do names. */
export function mapFloats(context: EvaluationContext, input: Matrix, change: (value: number, step: number) => number): Matrix {
  const { steps, values, present } = input;
  return mapRows(context, input, (out, row, target) => {
    for (let s = 0, from = row * steps, to = target * steps; s < steps; s++, from++, to++) {
      if (present[from] === FLOAT) out.setFloat(to, change(values[from]!, s));
    }
  });
}
/** Whatever is there, by position and step. */
export function mapAll(context: EvaluationContext, input: Matrix, change: (position: number, step: number) => number): Matrix {
  const { steps, present } = input;
  return mapRows(context, input, (out, row, target) => {
    for (let s = 0, from = row * steps, to = target * steps; s < steps; s++, from++, to++) {
      if (present[from] !== ABSENT) out.setFloat(to, change(from, s));
    }
  });
}
/** New rows without name, filled by `fill`; rows without values fall away. */
export function mapRows(context: EvaluationContext, input: Matrix, fill: (out: Matrix, row: number, target: number) => void): Matrix {
  const delayed = context.options.delayedNameRemoval;
  const out = new Matrix(input.steps, input.count);
  for (let row = 0; row < input.count; row++) {
    const labels = input.labels[row]!;
    fill(out, row, out.addRow(delayed ? labels : dropName(labels), true));
  }
  const result = out.withoutEmptyRows();
  return delayed ? result : mergeSameLabels(result);
}

function toScalar(input: Matrix): Float64Array {
  const { steps } = input;
  const out = new Float64Array(steps).fill(Number.NaN);
  for (let s = 0; s < steps; s++) {
    let count = 0;
    for (let row = 0; row < input.count && count < 2; row++) {
      if (input.present[row * steps + s] !== FLOAT) continue;
      count++;
      out[s] = input.values[row * steps + s]!;
    }
    if (count !== 1) out[s] = Number.NaN;
  }
  return out;
}

/** As Go's Max and Min: an infinity wins over NaN. */
function larger(a: number, b: number): number {
  return a === Number.POSITIVE_INFINITY || b === Number.POSITIVE_INFINITY ? Number.POSITIVE_INFINITY : Math.max(a, b);
}
function smaller(a: number, b: number): number {
  return a === Number.NEGATIVE_INFINITY || b === Number.NEGATIVE_INFINITY ? Number.NEGATIVE_INFINITY : Math.min(a, b);
}

function clamp(context: EvaluationContext, input: Matrix, least: Float64Array | null, most: Float64Array | null): Matrix {
  const { steps, values, present } = input;
  return mapRows(context, input, (out, row, target) => {
    for (let s = 0, from = row * steps, to = target * steps; s < steps; s++, from++, to++) {
      const low = least === null ? Number.NEGATIVE_INFINITY : least[s]!;
      const high = most === null ? Number.POSITIVE_INFINITY : most[s]!;
      if (present[from] === FLOAT && !(high < low)) out.setFloat(to, larger(low, smaller(high, values[from]!)));
    }
  });
}

function absent(call: Call, input: Matrix, timeline: Timeline): Matrix {
  const { steps } = timeline;
  const out = new Matrix(steps, 1);
  out.addRow(absentLabels(call.args[0]!), false);
  for (let s = 0; s < steps; s++) {
    let any = false;
    for (let row = 0; row < input.count && !any; row++) any = input.present[row * steps + s] !== ABSENT;
    if (!any) out.setFloat(s, 1);
  }
  return out.withoutEmptyRows();
}
