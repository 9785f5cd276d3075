/** Instant selectors: the newest sample not older than the lookback, for each step. */
import type { SampleColumns } from '#src/core/series.ts';
import { newColumns } from '#src/core/series.ts';
import { fromNative, HINT_GAUGE, HINT_UNKNOWN, statsOf } from '#src/promql/histogram/float_histogram.ts';
import { getLabel, METRIC_NAME } from '#src/promql/labels.ts';
import type { VectorSelector } from '#src/promql/syntax/ast.ts';
import type { EvaluationContext } from './context.ts';
import { Matrix, type Timeline } from './matrix.ts';
import { interpolate, interpolateHistograms } from './range_extended.ts';
import { isStale, SelectorSource } from './samples.ts';

/** What of a sample is wanted: its value, or (for the functions of that name) the seconds of its time or of its start. */
export type Wanted = 'value' | 'timestamp' | 'start_timestamp';

export async function selectInstant(context: EvaluationContext, selector: VectorSelector, timeline: Timeline, wanted: Wanted): Promise<Matrix> {
  const series = context.selected.get(selector)!;
  const { lookbackMs } = context.options;
  const { atMs, offsetMs } = selector;
  const { steps } = timeline;
  const timeAt = (step: number): number => (atMs ?? timeline.startMs + step * timeline.stepMs) - offsetMs;
  if (selector.smoothed) return selectSmoothed(context, selector, timeline, timeAt);
  const firstMs = timeAt(0);
  const stepMs = atMs === null ? timeline.stepMs : 0;
  const minMs = firstMs - lookbackMs + 1; // The lookback is open on the left.
  const maxMs = timeAt(steps - 1);
  const out = new Matrix(steps, series.length);
  const columns = newColumns();
  for (let i = 0; i < series.length; i++) {
    if ((i & 31) === 0 && context.isDue()) await context.breathe();
    columns.count = 0;
    columns.histograms = null;
    columns.startTimes = null;
    series.read(i, minMs, maxMs, columns);
    if (columns.count === 0) continue;
    const row = out.addRow(series.labels(i), false);
    const found = fillRow(out, row, columns, firstMs, stepMs, lookbackMs, wanted, selector.statsOnly);
    context.charge(found);
    const weight = out.weight(row, found);
    context.totalSamples += weight;
    context.samplesRead += weight;
    if (found === 0) out.dropLastRow();
  }
  return out;
}

/** Returns how many steps got a value. */
function fillRow(
  out: Matrix,
  row: number,
  columns: SampleColumns,
  firstMs: number,
  stepMs: number,
  lookbackMs: number,
  wanted: Wanted,
  statsOnly: boolean,
): number {
  const { times, values, histograms, startTimes, count } = columns;
  const { steps, present } = out;
  const result = out.values;
  let found = 0;
  let at = -1;
  for (let s = 0, to = row * steps; s < steps; s++, to++) {
    const time = firstMs + s * stepMs;
    while (at + 1 < count && times[at + 1]! <= time) at++;
    if (at < 0 || times[at]! <= time - lookbackMs || isStale(columns, at)) continue;
    if (wanted === 'value' && histograms !== null && histograms[at] != null) {
      const histogram = fromNative(histograms[at]!);
      out.setHistogram(to, statsOnly ? statsOf(histogram, null) : histogram);
    } else if (wanted !== 'start_timestamp' || startTimes !== null) {
      result[to] = wanted === 'value' ? values[at]! : (wanted === 'timestamp' ? times[at]! : startTimes![at]!) / 1000;
      present[to] = 1;
    } else continue;
    found++;
  }
  return found;
}

/** Smoothed: interpolated between the samples before and after, each within the lookback. */
async function selectSmoothed(context: EvaluationContext, selector: VectorSelector, timeline: Timeline, timeAt: (step: number) => number): Promise<Matrix> {
  const { lookbackMs } = context.options;
  const { steps } = timeline;
  const source = new SelectorSource(context.selected.get(selector)!, timeAt(0) - lookbackMs + 1, timeAt(steps - 1) + lookbackMs, selector.statsOnly);
  const out = new Matrix(steps, source.count);
  for (let i = 0; i < source.count; i++) {
    if (context.isDue()) await context.breathe();
    const samples = source.load(i);
    const labels = source.labels(i);
    const metric = getLabel(labels, METRIC_NAME);
    const call = { name: '', metric, notes: context.notes, at: selector, rangeMs: 0 };
    const row = out.addRow(labels, false);
    for (let s = 0; s < steps; s++) {
      const time = timeAt(s);
      const floats = around(samples.times, samples.floatCount, time, lookbackMs);
      const natives = around(samples.histogramTimes, samples.histogramCount, time, lookbackMs);
      const to = row * steps + s;
      if (floats.any && natives.any) {
        context.notes.mixedFloatsHistograms(metric, selector);
      } else if (floats.before >= 0) {
        const { before, after } = floats;
        const { times, values } = samples;
        const exact = times[before] === time || after < 0;
        out.setFloat(to, exact ? values[before]! : interpolate(time, times[before]!, values[before]!, times[after]!, values[after]!, false));
      } else if (natives.before >= 0) {
        const { before, after } = natives;
        const { histogramTimes: times, histograms: points } = samples;
        if (times[before] === time) out.setHistogram(to, points[before]!);
        else if (after < 0) out.setHistogram(to, { ...points[before]!, hint: HINT_UNKNOWN });
        else {
          const counter = points[before]!.hint !== HINT_GAUGE || points[after]!.hint !== HINT_GAUGE;
          const h = interpolateHistograms(call, time, times[before]!, points[before]!, times[after]!, points[after]!, counter);
          if (h !== null) out.setHistogram(to, h);
        }
      }
    }
    if (out.isEmptyRow(row)) out.dropLastRow();
  }
  context.charge(out.size());
  return out;
}

/** Indexes of the sample at or before the time and of the one behind it, -1 where there is none within the lookback. */
function around(times: Float64Array, count: number, time: number, lookbackMs: number): { before: number; after: number; any: boolean } {
  let before = -1;
  while (before + 1 < count && times[before + 1]! <= time) before++;
  let after = before + 1 < count ? before + 1 : -1;
  if (before >= 0 && times[before]! <= time - lookbackMs) before = -1;
  if (after >= 0 && times[after]! > time + lookbackMs) after = -1;
  return { before, after, any: before >= 0 || after >= 0 };
}
