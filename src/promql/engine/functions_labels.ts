/** Functions that change the labels or the order of series and leave the values alone. */
import { compileAnchored, expand, type Pattern } from '#src/core/regexp/pattern.ts';
import { QueryError } from '#src/promql/errors.ts';
import { compareLabels, getLabel, isValidLabelName, METRIC_NAME, withLabel } from '#src/promql/labels.ts';
import type { Call } from '#src/promql/syntax/ast.ts';
import type { EvaluationContext } from './context.ts';
import { ABSENT, FLOAT, HISTOGRAM, type Matrix, mergeSameLabels } from './matrix.ts';

export function labelReplace(input: Matrix, target: string, replacement: string, source: string, pattern: string): Matrix {
  let regex: Pattern;
  try {
    regex = compileAnchored(pattern);
  } catch {
    throw new QueryError(`invalid regular expression in label_replace(): ${pattern}`);
  }
  if (!isValidLabelName(target)) throw new QueryError(`invalid destination label name in label_replace(): ${target}`);
  const results = new Map<string, string | null>(); // Series share values; each is matched once.
  for (let row = 0; row < input.count; row++) {
    const labels = input.labels[row]!;
    const value = getLabel(labels, source);
    let result = results.get(value);
    if (result === undefined) {
      const match = regex.groups(value);
      result = match === null ? null : expand(replacement, match, regex.groupNames);
      results.set(value, result);
    }
    if (result === null) continue;
    input.labels[row] = withLabel(labels, target, result);
    if (target === METRIC_NAME) input.nameless[row] = false;
  }
  return mergeSameLabels(input);
}

/** `args`: target, separator, sources. */
export function labelJoin(input: Matrix, args: readonly string[]): Matrix {
  const [target = '', separator = '', ...sources] = args;
  for (const source of sources) if (!isValidLabelName(source)) throw new QueryError(`invalid source label name in label_join(): ${source}`);
  if (!isValidLabelName(target)) throw new QueryError(`invalid destination label name in label_join(): ${target}`);
  for (let row = 0; row < input.count; row++) {
    const labels = input.labels[row]!;
    input.labels[row] = withLabel(labels, target, sources.map((source) => getLabel(labels, source)).join(separator));
    if (target === METRIC_NAME) input.nameless[row] = false;
  }
  return mergeSameLabels(input);
}

function noteRangeSort(context: EvaluationContext, call: Call, input: Matrix): void {
  if (input.steps > 1) context.notes.warn('sort is ineffective for range queries since results are always ordered by labels', call);
}

/** Histograms fall away, NaN comes last. */
export function sortByValue(context: EvaluationContext, call: Call, input: Matrix, descending: boolean): Matrix {
  noteRangeSort(context, call, input);
  for (let i = 0; i < input.present.length; i++) if (input.present[i] === HISTOGRAM) input.present[i] = ABSENT;
  const floats = input.withoutEmptyRows();
  if (input.steps > 1) return floats;
  const rows: number[] = [];
  for (let row = 0; row < floats.count; row++) if (floats.present[row] === FLOAT) rows.push(row);
  const sign = descending ? -1 : 1;
  rows.sort((a, b) => {
    const x = floats.values[a]!;
    const y = floats.values[b]!;
    if (Number.isNaN(x) || Number.isNaN(y)) return Number(Number.isNaN(x)) - Number(Number.isNaN(y));
    return x < y ? -sign : x > y ? sign : 0;
  });
  return floats.select(rows);
}

export function sortByLabel(context: EvaluationContext, call: Call, input: Matrix, names: readonly string[], descending: boolean): Matrix {
  noteRangeSort(context, call, input);
  if (input.steps > 1) return input;
  const sign = descending ? -1 : 1;
  const rows = Array.from({ length: input.count }, (_, row) => row);
  rows.sort((a, b) => {
    for (const name of names) {
      const order = naturalOrder(getLabel(input.labels[a]!, name), getLabel(input.labels[b]!, name));
      if (order !== 0) return sign * order;
    }
    return sign * compareLabels(input.labels[a]!, input.labels[b]!);
  });
  return input.select(rows);
}

/** Digits compare as numbers: "a2" before "a10". */
function naturalOrder(a: string, b: string): number {
  if (a === b) return 0;
  const partsA = a.match(/\d+|\D+/g) ?? [];
  const partsB = b.match(/\d+|\D+/g) ?? [];
  for (let i = 0; i < partsA.length && i < partsB.length; i++) {
    const x = partsA[i]!;
    const y = partsB[i]!;
    if (x === y) continue;
    if (/^\d/.test(x) && /^\d/.test(y)) {
      const difference = Number(x) - Number(y);
      if (difference !== 0) return difference;
      if (x.length !== y.length) return x.length - y.length;
    }
    return x < y ? -1 : 1;
  }
  return partsA.length - partsB.length;
}
