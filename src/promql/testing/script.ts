/**
 * Runs test scripts of the query language: `load`, `eval instant`, `eval range` and `clear`, each with indented lines. The form is that of the
 * Prometheus project, so its scripts run as well.
 */
import { Engine, type EngineOptions, type QueryResult } from '#src/promql/engine.ts';
import { FLOAT, HISTOGRAM } from '#src/promql/engine/matrix.ts';
import { parseDuration } from '#src/promql/format/duration.ts';
import { compact, copyHistogram, type FloatHistogram, fromNative } from '#src/promql/histogram/float_histogram.ts';
import { formatHistogram } from '#src/promql/histogram/buckets.ts';
import { almostEqual } from '#src/promql/histogram/quantile.ts';
import { formatLabels, getLabel, labelsKey, METRIC_NAME, withLabel } from '#src/promql/labels.ts';
import type { LabelList } from '#src/core/series.ts';
import { MemoryStore, STALE } from './memory_querier.ts';
import { parseLabels, parseNumber, parseValues, type ScriptHistogram, type ScriptValue, splitSeries } from './script_values.ts';

/** How upstream's own tests set the engine up. */
export const SCRIPT_OPTIONS: Partial<EngineOptions> = { delayedNameRemoval: true, useStartTimestamps: true, maxSamples: 10_000 };

export interface ScriptFailure {
  readonly line: number;
  readonly query: string;
  readonly message: string;
}
export interface ScriptReport {
  passed: number;
  failures: ScriptFailure[];
}

const EPSILON = 1e-6;
const EVAL = /^eval(?:_(fail|warn|info|ordered))?\s+(?:instant\s+at\s+(\S+)|range\s+from\s+(\S+)\s+to\s+(\S+)\s+step\s+(\S+))\s+(.*)$/;

export async function runScript(text: string, options: Partial<EngineOptions> = SCRIPT_OPTIONS): Promise<ScriptReport> {
  const lines = text.split('\n').map((line) => line.trimEnd());
  const report: ScriptReport = { passed: 0, failures: [] };
  const store = new MemoryStore();
  const engine = new Engine(options);
  for (let i = 0; i < lines.length; ) {
    const line = lines[i]!.trim();
    const number = ++i;
    if (line === '' || line.startsWith('#')) continue;
    const block: string[] = [];
    while (i < lines.length && /^\s/.test(lines[i]!) && lines[i]!.trim() !== '') {
      if (!lines[i]!.trim().startsWith('#')) block.push(lines[i]!.trim());
      i++;
    }
    const load = /^load(_with_nhcb)?\s+(\S+)$/.exec(line);
    if (line === 'clear') store.clear();
    else if (load !== null) loadSeries(store, durationMs(load[2]!), block, load[1] !== undefined);
    else {
      const parts = EVAL.exec(line);
      if (parts === null) throw new Error(`line ${number}: cannot read "${line}"`);
      const message = await runEval(engine, store, parts, block).catch((error: unknown) => `runner: ${(error as Error).stack}`);
      if (message === '') report.passed++;
      else report.failures.push({ line: number, query: parts[6]!, message });
    }
  }
  return report;
}

/** A duration, or seconds. */
function durationMs(text: string): number {
  const negative = text.startsWith('-');
  const ms = parseDuration(negative ? text.slice(1) : text) ?? Number(text.replace(/^-/, '')) * 1000;
  return negative ? -ms : ms;
}

function loadSeries(store: MemoryStore, stepMs: number, block: readonly string[], withCustomBuckets: boolean): void {
  let starts: number[] = [];
  const loaded: [LabelList, ScriptValue[]][] = [];
  for (const line of block) {
    const [head, rest] = splitSeries(line);
    const startLine = /^@st\b\s*(.*)$/.exec(rest);
    if (startLine !== null || head.endsWith('@st')) {
      starts = parseStarts(startLine === null ? rest : startLine[1]!);
      continue;
    }
    const labels = parseLabels(head);
    const values = parseValues(rest);
    loaded.push([labels, values]);
    values.forEach((value, step) => {
      if (value === null) return;
      const offset = starts[step];
      store.append(labels, { timeMs: step * stepMs, value, startMs: offset === undefined || Number.isNaN(offset) ? 0 : step * stepMs + offset });
    });
    starts = [];
  }
  if (withCustomBuckets) loadCustomBuckets(store, stepMs, loaded);
}

/** Offsets to each sample; NaN for "_". */
function parseStarts(text: string): number[] {
  const out: number[] = [];
  for (const item of text.split(/\s+/).filter((part) => part !== '')) {
    const gap = /^_(?:x(\d+))?$/.exec(item);
    if (gap !== null) {
      for (let i = 0; i < Number(gap[1] ?? 1); i++) out.push(Number.NaN);
      continue;
    }
    const match = /^(-?[\dymwdhs.]+?)(?:([+-][\dymwdhs.]+))?(?:x(\d+))?$/.exec(item);
    if (match === null) throw new Error(`cannot read the start timestamp "${item}"`);
    const first = durationMs(match[1]!);
    const step = match[2] === undefined ? 0 : durationMs(match[2].replace(/^\+/, ''));
    for (let i = 0; i <= Number(match[3] ?? 0); i++) out.push(first + i * step);
  }
  return out;
}

/** Each classic histogram once more as a native one with custom buckets. */
function loadCustomBuckets(store: MemoryStore, stepMs: number, loaded: readonly [LabelList, ScriptValue[]][]): void {
  interface Parts {
    labels: LabelList;
    buckets: Map<number, number>;
    count: number | null;
    sum: number;
  }
  const byTime = new Map<string, Parts>();
  for (const [labels, values] of loaded) {
    const name = getLabel(labels, METRIC_NAME);
    const suffix = /_(bucket|count|sum)$/.exec(name)?.[1];
    const bound = suffix === 'bucket' ? parseNumber(getLabel(labels, 'le')) : 0;
    if (suffix === undefined || Number.isNaN(bound)) continue;
    const base = withLabel(withLabel(labels, METRIC_NAME, name.slice(0, -suffix.length - 1)), 'le', '');
    values.forEach((value, step) => {
      if (typeof value !== 'number') return;
      const key = `${step}\n${labelsKey(base)}`;
      let parts = byTime.get(key);
      if (parts === undefined) byTime.set(key, (parts = { labels: base, buckets: new Map(), count: null, sum: 0 }));
      if (suffix === 'bucket') parts.buckets.set(bound, value);
      else if (suffix === 'count') parts.count = value;
      else parts.sum = value;
    });
  }
  for (const [key, { labels, buckets, count, sum }] of byTime) {
    const bounds = [...buckets.keys()].sort((a, b) => a - b);
    const total = count ?? buckets.get(bounds.at(-1) ?? 0) ?? 0;
    if (bounds.at(-1) !== Number.POSITIVE_INFINITY) {
      bounds.push(Number.POSITIVE_INFINITY);
      buckets.set(Number.POSITIVE_INFINITY, total);
    }
    let before = 0;
    const counts = bounds.map((bound) => {
      const own = buckets.get(bound)! - before;
      before = buckets.get(bound)!;
      return own;
    });
    const value: ScriptHistogram = {
      schema: -53,
      zeroThreshold: 0,
      zeroCount: 0,
      count: total,
      sum,
      counterResetHint: 0,
      hintGiven: false,
      positiveSpans: spansOf(counts),
      positiveBuckets: counts.filter((own) => own !== 0),
      negativeSpans: [],
      negativeBuckets: [],
      customValues: bounds.slice(0, -1),
      integer: false,
    };
    store.append(labels, { timeMs: Number(key.slice(0, key.indexOf('\n'))) * stepMs, value, startMs: 0 });
  }
}
function spansOf(counts: readonly number[]): { offset: number; length: number }[] {
  const spans: { offset: number; length: number }[] = [];
  let gap = 0;
  for (const count of counts) {
    if (count === 0) gap++;
    else if (gap === 0 && spans.length > 0) spans.at(-1)!.length++;
    else {
      spans.push({ offset: gap, length: 1 });
      gap = 0;
    }
  }
  return spans;
}

interface Expected {
  labels: LabelList;
  values: ScriptValue[];
}
interface Point {
  timeMs: number;
  value: number | FloatHistogram;
}
interface Note {
  kind: string;
  test: ((text: string) => boolean) | null;
}

/** '' where all is as expected. */
async function runEval(engine: Engine, store: MemoryStore, parts: RegExpExecArray, block: readonly string[]): Promise<string> {
  const [, mode, at, from, to, step, query] = parts;
  const expected: Expected[] = [];
  const notes: Note[] = [];
  let fail: Note | null = mode === 'fail' ? { kind: 'fail', test: null } : null;
  let ordered = mode === 'ordered';
  let string: string | null = null;
  let scalar: ScriptValue[] | null = null;
  let startMs = at === undefined ? durationMs(from!) : durationMs(at);
  let stepMs = at === undefined ? durationMs(step!) : 0;
  const request = { query: query!, startMs, endMs: at === undefined ? durationMs(to!) : startMs, stepMs };
  if (mode === 'warn' || mode === 'info') notes.push({ kind: mode, test: null });
  for (const line of block) {
    const expect = /^expect\s+(\w+)(?:\s+(msg|regex):\s*(.*))?(?:\s+(.*))?$/.exec(line);
    const range = /^expect range vector from (\S+) to (\S+) step (\S+)$/.exec(line);
    if (range !== null) {
      startMs = durationMs(range[1]!);
      stepMs = durationMs(range[3]!);
    } else if (expect !== null) {
      const [, kind, how, pattern] = expect;
      const regex = how === 'regex' ? new RegExp(pattern!) : null;
      const note = { kind: kind!, test: how === undefined ? null : regex === null ? (text: string) => text === pattern : (text: string) => regex.test(text) };
      if (kind === 'fail') fail = note;
      else if (kind === 'ordered') ordered = true;
      else if (kind === 'string') string = stringLiteral(line.slice(line.indexOf('string') + 6).trim());
      else notes.push(note);
    } else if (/^[a-zA-Z_:{]/.test(line) && !/^(?:inf|nan)\b/i.test(line) && !line.startsWith('{{')) {
      const [head, rest] = splitSeries(line);
      expected.push({ labels: parseLabels(head), values: parseValues(rest) });
    } else scalar = parseValues(line);
  }
  let result: QueryResult;
  try {
    result = await engine.query(request, () => store.querier());
  } catch (error) {
    const message = (error as Error).message;
    if (fail === null) return `failed: ${(error as Error).stack}`;
    return fail.test === null || fail.test(message) ? '' : `failed with another message: ${message}`;
  }
  if (fail !== null) return 'did not fail';
  const problem = compareNotes(result, query!, notes);
  if (problem !== '') return problem;
  const { value } = result;
  if (value.type === 'string') return value.value === string ? '' : `string "${value.value}", want "${string}"`;
  if (value.type === 'scalar') {
    const want = scalar?.[0];
    return typeof want === 'number' && almostEqual(want, value.value, EPSILON) ? '' : `scalar ${value.value}, want ${String(want)}`;
  }
  if (scalar !== null) expected.push({ labels: [], values: scalar });
  return compareSeries(resultSeries(result), expected, startMs, stepMs, ordered);
}

function stringLiteral(text: string): string {
  return text.startsWith('`') ? text.slice(1, -1) : (JSON.parse(text.startsWith("'") ? JSON.stringify(text.slice(1, -1)) : text) as string);
}

function compareNotes(result: QueryResult, query: string, notes: readonly Note[]): string {
  const { warnings, infos } = result.notes.strings(query);
  for (const [kind, texts] of [
    ['warn', warnings],
    ['info', infos],
  ] as const) {
    const wanted = notes.filter((note) => note.kind === kind);
    if (notes.some((note) => note.kind === `no_${kind}`) && texts.length > 0) return `unexpected ${kind}: ${texts.join('; ')}`;
    if (wanted.length === 0) continue;
    for (const { test } of wanted)
      if (texts.length === 0 || (test !== null && !texts.some(test))) return `expected ${kind} is missing; there are: ${texts.join('; ')}`;
    if (wanted.every(({ test }) => test !== null)) {
      const stray = texts.find((text) => !wanted.some(({ test }) => test!(text)));
      if (stray !== undefined) return `unexpected ${kind}: ${stray}`;
    }
  }
  return '';
}

function resultSeries(result: QueryResult): { labels: LabelList; points: Point[] }[] {
  const { value } = result;
  if (value.type === 'series') {
    return value.series.map(({ labels, times, values, histogramTimes, histograms }) => {
      const points: Point[] = Array.from(times, (timeMs, i) => ({ timeMs, value: values[i]! }));
      for (const [i, h] of histograms.entries()) points.push({ timeMs: histogramTimes[i]!, value: h });
      return { labels, points: points.sort((a, b) => a.timeMs - b.timeMs) };
    });
  }
  if (value.type !== 'vector' && value.type !== 'matrix') return [];
  const { matrix, timeline } = value;
  return matrix.labels.map((labels, row) => {
    const points: Point[] = [];
    for (let s = 0; s < matrix.steps; s++) {
      const at = row * matrix.steps + s;
      const timeMs = timeline.startMs + s * timeline.stepMs;
      if (matrix.present[at] === FLOAT) points.push({ timeMs, value: matrix.values[at]! });
      else if (matrix.present[at] === HISTOGRAM) points.push({ timeMs, value: matrix.histogramAt(at) });
    }
    return { labels, points };
  });
}

function compareSeries(
  got: readonly { labels: LabelList; points: Point[] }[],
  expected: readonly Expected[],
  startMs: number,
  stepMs: number,
  ordered: boolean,
): string {
  const wantByKey = new Map(expected.map((entry, index) => [labelsKey(entry.labels), { ...entry, index }]));
  for (const [index, { labels, points }] of got.entries()) {
    const want = wantByKey.get(labelsKey(labels));
    if (want === undefined) return `unexpected series ${formatLabels(labels)} ${points.map(({ value }) => show(value)).join(' ')}`;
    wantByKey.delete(labelsKey(labels));
    if (ordered && want.index !== index) return `${formatLabels(labels)} is at place ${index}, want ${want.index}`;
    const wanted: Point[] = [];
    want.values.forEach((value, i) => {
      if (value === null || value === STALE) return;
      wanted.push({
        timeMs: startMs + i * stepMs,
        value: typeof value === 'number' ? value : Object.assign(fromNative(value), { hintGiven: value.hintGiven }),
      });
    });
    const same = wanted.length === points.length && wanted.every((point, i) => point.timeMs === points[i]!.timeMs && sameValue(point.value, points[i]!.value));
    if (!same) {
      const list = (all: readonly Point[]): string => all.map(({ timeMs, value }) => `${show(value)}@${timeMs / 1000}`).join(' ');
      return `${formatLabels(labels)}\n    got  ${list(points)}\n    want ${list(wanted)}`;
    }
  }
  const missing = [...wantByKey.values()].find(({ values }) => values.some((value) => value !== null));
  return missing === undefined ? '' : `series ${formatLabels(missing.labels)} is missing`;
}

function show(value: number | FloatHistogram): string {
  return typeof value === 'number' ? String(value) : `${formatHistogram(value)}#${value.schema}/${value.hint}`;
}

function sameValue(want: number | (FloatHistogram & { hintGiven?: boolean }), got: number | FloatHistogram): boolean {
  if (typeof want === 'number' || typeof got === 'number') return typeof want === 'number' && typeof got === 'number' && almostEqual(want, got, EPSILON);
  if (want.hintGiven === true && want.hint !== got.hint) return false;
  const a = compact(copyHistogram(want));
  const b = compact(copyHistogram(got));
  const near = (x: number, y: number): boolean => almostEqual(x, y, EPSILON);
  const lists = (x: readonly number[], y: readonly number[]): boolean => x.length === y.length && x.every((value, i) => near(value, y[i]!));
  return (
    a.schema === b.schema &&
    near(a.count, b.count) &&
    near(a.sum, b.sum) &&
    near(a.zeroThreshold, b.zeroThreshold) &&
    near(a.zeroCount, b.zeroCount) &&
    lists(a.customValues, b.customValues) &&
    lists(a.positive.index, b.positive.index) &&
    lists(a.positive.count, b.positive.count) &&
    lists(a.negative.index, b.negative.index) &&
    lists(a.negative.count, b.negative.count)
  );
}
