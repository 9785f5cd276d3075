/**
 * The functions that are built in: one line each, sorted. Processors choose by context (FunctionDefinition.contexts) and add their own
 * (metric_functions.ts of transform).
 */
import type { FunctionDefinition } from '#ottl/function.ts';
import concat from './concat.ts';
import isMatch from './is_match.ts';
import set from './set.ts';

export const functions: readonly FunctionDefinition[] = [
  // Converters.
  concat,
  isMatch,
  // Editors.
  set,
];
