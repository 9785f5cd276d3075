/** The labels of what is absent: those that the selector wants to be equal to one value. */
import type { LabelList } from '#src/core/series.ts';
import { METRIC_NAME, NO_LABELS, withLabel } from '#src/promql/labels.ts';
import type { Expr } from '#src/promql/syntax/ast.ts';

export function absentLabels(expr: Expr): LabelList {
  const selector = expr.kind === 'selector' ? expr : expr.kind === 'matrix' ? expr.selector : null;
  if (selector === null) return NO_LABELS;
  let labels: LabelList = NO_LABELS;
  const seen = new Set<string>();
  for (const { name, op, value } of selector.matchers) {
    if (name === METRIC_NAME) continue;
    const first = op === '=' && !seen.has(name);
    if (first) seen.add(name);
    labels = withLabel(labels, name, first ? value : ''); // A label that is matched twice says nothing.
  }
  return labels;
}
