/** The functions of the language: what they take and return. Functions that Prometheus keeps behind a flag are always on. */
import type { ValueType } from './ast.ts';

export interface FunctionSignature {
  readonly name: string;
  readonly args: readonly ValueType[];
  /** 0: exactly these arguments; n: the last one may be missing or come up to n times; -1: any number of times. */
  readonly variadic: number;
  readonly returns: ValueType;
}

const table = new Map<string, FunctionSignature>();
function define(names: string, args: string, variadic: number, returns: ValueType): void {
  for (const name of names.split(' ')) table.set(name, { name, args: args === '' ? [] : (args.split(' ') as ValueType[]), variadic, returns });
}

define(
  'abs absent acos acosh asin asinh atan atanh ceil cos cosh deg exp floor histogram_avg histogram_count histogram_stddev ' +
    'histogram_stdvar histogram_sum ln log10 log2 rad sgn sin sinh sort sort_desc sqrt start_timestamp tan tanh timestamp',
  'vector',
  0,
  'vector',
);
define(
  'absent_over_time avg_over_time changes count_over_time delta deriv first_over_time idelta increase irate last_over_time ' +
    'mad_over_time max_over_time min_over_time present_over_time rate resets stddev_over_time stdvar_over_time sum_over_time ' +
    'ts_of_first_over_time ts_of_last_over_time ts_of_max_over_time ts_of_min_over_time',
  'matrix',
  0,
  'vector',
);
define('day_of_month day_of_week day_of_year days_in_month hour minute month year', 'vector', 1, 'vector');
define('end pi range start step time', '', 0, 'scalar');
define('clamp_max clamp_min', 'vector scalar', 0, 'vector');
define('max_of min_of', 'scalar scalar', 0, 'scalar');
define('sort_by_label sort_by_label_desc', 'vector string', -1, 'vector');
define('clamp', 'vector scalar scalar', 0, 'vector');
define('histogram_fraction', 'scalar scalar vector', 0, 'vector');
define('histogram_quantile', 'scalar vector', 0, 'vector');
define('histogram_quantiles', 'vector string scalar scalar', 9, 'vector');
define('double_exponential_smoothing', 'matrix scalar scalar', 0, 'vector');
define('info', 'vector vector', 1, 'vector');
define('label_replace', 'vector string string string string', 0, 'vector');
define('label_join', 'vector string string string', -1, 'vector');
define('predict_linear', 'matrix scalar', 0, 'vector');
define('quantile_over_time', 'scalar matrix', 0, 'vector');
define('round', 'vector scalar', 1, 'vector');
define('scalar', 'vector', 0, 'scalar');
define('vector', 'scalar', 0, 'vector');

export const SIGNATURES: ReadonlyMap<string, FunctionSignature> = table;
