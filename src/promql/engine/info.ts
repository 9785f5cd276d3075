/**
 * info(): adds the labels of info metrics (target_info and its kin) to series with the same job and instance. The info series are looked
 * up as of the time that the first argument's selectors read, where they agree on one.
 */
import { QueryError } from '#src/promql/errors.ts';
import { compileMatcher } from '#src/core/matcher.ts';
import { formatLabels, getLabel, labelsKey, METRIC_NAME, withLabel } from '#src/promql/labels.ts';
import { children, type Call, type Expr, type Subquery, typeOf } from '#src/promql/syntax/ast.ts';
import { type LabelList, type Matcher, newColumns } from '#src/core/series.ts';
import type { EvaluationContext } from './context.ts';
import { ABSENT, Matrix, sameLabelsError, type Timeline } from './matrix.ts';
import { isStale } from './samples.ts';

const IDENTIFYING = ['instance', 'job'];
const DEFAULT_NAME: Matcher = { name: METRIC_NAME, op: '=', value: 'target_info' };

export interface InfoReference {
  readonly atMs: number | null;
  readonly offsetMs: number;
}

/** The time that all selectors below share, relative to the step or fixed; null where they differ, or some vector has no selector. */
export function infoReference(expr: Expr): InfoReference | null {
  const found: InfoReference[] = [];
  let uniform = true;
  const inspect = (node: Expr, path: readonly Subquery[]): boolean => {
    const type = typeOf(node);
    if (type !== 'vector' && type !== 'matrix') return false;
    if (node.kind === 'selector') {
      let { atMs, offsetMs } = node;
      for (let i = path.length - 1; atMs === null && i >= 0; i--) {
        offsetMs += path[i]!.offsetMs;
        atMs = path[i]!.atMs;
      }
      const reference = atMs === null ? { atMs, offsetMs } : { atMs: atMs - offsetMs, offsetMs: 0 };
      const first = found[0];
      if (first !== undefined && (first.atMs !== reference.atMs || first.offsetMs !== reference.offsetMs)) uniform = false;
      found.push(reference);
      return true;
    }
    const inner = node.kind === 'subquery' ? [...path, node] : path;
    const parts = node.kind === 'call' && node.func.name === 'info' ? [node.args[0]!] : children(node);
    let any = false;
    for (const part of parts) if (inspect(part, inner)) any = true;
    if (!any) uniform = false;
    return any;
  };
  inspect(expr, []);
  return uniform ? (found[0] ?? null) : null;
}

export async function info(context: EvaluationContext, call: Call, base: Matrix, timeline: Timeline): Promise<Matrix> {
  const selector = call.args[1];
  const given = selector?.kind === 'selector' ? selector.matchers : [DEFAULT_NAME];
  const names = effectiveNames(given.filter((matcher) => matcher.name === METRIC_NAME));
  const data = given.filter((matcher) => matcher.name !== METRIC_NAME);
  const isInfoName = names.map(compileMatcher);
  const isInfo = base.labels.map((labels) => isInfoName.every(({ matches }) => matches(getLabel(labels, METRIC_NAME))));
  const reference = infoReference(call.args[0]!) ?? { atMs: null, offsetMs: 0 };
  const series = await readInfoSeries(context, base, isInfo, [...data, ...names], reference, timeline);
  return combine(base, isInfo, series, data);
}

function effectiveNames(names: Matcher[]): Matcher[] {
  if (names.some((matcher) => matcher.op === '=' || matcher.op === '=~')) return names;
  return names.length > 0 ? [{ name: METRIC_NAME, op: '=~', value: '.+_info' }, ...names] : [DEFAULT_NAME];
}

interface InfoSeries {
  readonly labels: LabelList;
  readonly signature: string;
  /** Of the sample that each step sees; NaN where there is none. */
  readonly times: Float64Array;
}

function signatureOf(labels: LabelList): string {
  return IDENTIFYING.map((name) => getLabel(labels, name)).join('\uffff');
}

async function readInfoSeries(
  context: EvaluationContext,
  base: Matrix,
  isInfo: boolean[],
  matchers: Matcher[],
  reference: InfoReference,
  timeline: Timeline,
): Promise<InfoSeries[]> {
  // One selection for each pattern of which identifying labels there are, by the values that occur.
  const patterns = new Map<string, Set<string>[]>();
  base.labels.forEach((labels, row) => {
    if (isInfo[row]) return;
    const values = IDENTIFYING.map((name) => getLabel(labels, name));
    if (values.every((value) => value === '')) return;
    const pattern = values.map((value) => (value === '' ? '0' : '1')).join('');
    let sets = patterns.get(pattern);
    if (sets === undefined) patterns.set(pattern, (sets = IDENTIFYING.map(() => new Set<string>())));
    for (const [i, value] of values.entries()) sets[i]!.add(value);
  });
  const lookback = context.options.lookbackMs;
  const timeAt = (step: number): number => (reference.atMs ?? timeline.startMs + step * timeline.stepMs) - reference.offsetMs;
  const minMs = timeAt(0) - lookback + 1;
  const maxMs = timeAt(timeline.steps - 1);
  const columns = newColumns();
  const out: InfoSeries[] = [];
  for (const sets of patterns.values()) {
    const identifying = sets.map((values, i): Matcher => ({ name: IDENTIFYING[i]!, op: '=~', value: [...values].sort().map(escapePattern).join('|') }));
    const selected = await context.select([...identifying, ...matchers], minMs, maxMs);
    for (let i = 0; i < selected.length; i++) {
      columns.count = 0;
      columns.histograms = null;
      selected.read(i, minMs, maxMs, columns);
      const labels = selected.labels(i);
      const times = new Float64Array(timeline.steps).fill(Number.NaN);
      let any = false;
      for (let s = 0, at = -1; s < timeline.steps; s++) {
        const time = timeAt(s);
        while (at + 1 < columns.count && columns.times[at + 1]! <= time) at++;
        if (at < 0 || columns.times[at]! <= time - lookback || isStale(columns, at)) continue;
        if (columns.histograms?.[at] != null) throw new QueryError(`this should be an info metric, with float samples: ${formatLabels(labels)}`);
        times[s] = columns.times[at]!;
        any = true;
      }
      if (any) out.push({ labels, signature: signatureOf(labels), times });
    }
  }
  return out;
}

function escapePattern(text: string): string {
  return text.replace(/[\\.+*?()|[\]{}^$]/g, '\\$&');
}

function combine(base: Matrix, isInfo: readonly boolean[], series: readonly InfoSeries[], data: readonly Matcher[]): Matrix {
  const { steps } = base;
  const out = new Matrix(steps, base.count);
  const rowOf = new Map<string, number>();
  const wanted = new Set(data.map((matcher) => matcher.name));
  const mayBeMissing = data.every((matcher) => compileMatcher(matcher).matchesEmpty);
  const bySignature = Map.groupBy(series, (one) => one.signature);
  for (let row = 0; row < base.count; row++) {
    const labels = base.labels[row]!;
    const candidates = isInfo[row] ? [] : (bySignature.get(signatureOf(labels)) ?? []);
    for (let s = 0; s < steps; s++) {
      const from = row * steps + s;
      if (base.present[from] === ABSENT) continue;
      const newest = newestByName(candidates, s);
      if (newest.size === 0 && !isInfo[row] && !mayBeMissing) continue;
      const enriched = isInfo[row] ? labels : enrich(labels, newest, wanted);
      const key = labelsKey(enriched);
      let target = rowOf.get(key);
      if (target === undefined) {
        target = out.addRow(enriched, base.nameless[row]!);
        rowOf.set(key, target);
      }
      if (out.present[target * steps + s] !== ABSENT) throw sameLabelsError();
      out.copyValue(target * steps + s, base, from);
    }
  }
  return out;
}

/** Of each info metric the series whose sample is the newest at the step. */
function newestByName(candidates: readonly InfoSeries[], step: number): Map<string, InfoSeries> {
  const newest = new Map<string, InfoSeries>();
  for (const one of candidates) {
    const time = one.times[step]!;
    if (Number.isNaN(time)) continue;
    const name = getLabel(one.labels, METRIC_NAME);
    const other = newest.get(name);
    if (other !== undefined && other.times[step] === time) {
      throw new QueryError(
        `found duplicate series for info metric: existing ${formatLabels(other.labels)} @ ${time}, new ${formatLabels(one.labels)} @ ${time}`,
      );
    }
    if (other === undefined || other.times[step]! < time) newest.set(name, one);
  }
  return newest;
}

function enrich(base: LabelList, infos: ReadonlyMap<string, InfoSeries>, wanted: ReadonlySet<string>): LabelList {
  const added = new Map<string, string>();
  for (const { labels } of infos.values()) {
    for (let i = 0; i < labels.length; i += 2) {
      const name = labels[i]!;
      const value = labels[i + 1]!;
      if (name === METRIC_NAME || (wanted.size > 0 && !wanted.has(name))) continue;
      const known = added.get(name);
      if (known !== undefined && known !== value) throw new QueryError(`conflicting label: ${name}`);
      if (getLabel(base, name) === '') added.set(name, value);
    }
  }
  let out = base;
  for (const [name, value] of added) out = withLabel(out, name, value);
  return out;
}
