/** A store for tests: series in arrays, no limits, no index. */
import { fromNative, HINT_GAUGE, HINT_NOT_RESET, HINT_RESET, HINT_UNKNOWN, isReset } from '#src/promql/histogram/float_histogram.ts';
import { compareLabels, getLabel, labelsKey } from '#src/promql/labels.ts';
import { compileMatcher } from '#src/core/matcher.ts';
import { growColumns, type LabelList, type Matcher, type NativeHistogram, type Querier, type SampleColumns, type SeriesSet } from '#src/core/series.ts';

export const STALE = 'stale';
export interface MemorySample {
  timeMs: number;
  value: number | typeof STALE | NativeHistogram;
  /** When the counting began, 0 where unknown. */
  startMs: number;
}
interface MemorySeries {
  readonly id: number;
  readonly labels: LabelList;
  samples: MemorySample[];
}

export class MemoryStore {
  readonly #series = new Map<string, MemorySeries>();

  append(labels: LabelList, sample: MemorySample): void {
    const key = labelsKey(labels);
    let series = this.#series.get(key);
    if (series === undefined) this.#series.set(key, (series = { id: this.#series.size + 1, labels, samples: [] }));
    const last = series.samples.at(-1);
    sample.value = withHint(sample.value, last?.value);
    if (last !== undefined && last.timeMs >= sample.timeMs) {
      series.samples = series.samples.filter((one) => one.timeMs !== sample.timeMs);
      series.samples.push(sample);
      series.samples.sort((a, b) => a.timeMs - b.timeMs);
    } else series.samples.push(sample);
  }
  clear(): void {
    this.#series.clear();
  }

  querier(): Querier {
    const find = (matchers: readonly Matcher[]): MemorySeries[] => {
      const tests = matchers.map(compileMatcher);
      const found = [...this.#series.values()].filter(({ labels }) => tests.every(({ name, matches }) => matches(getLabel(labels, name))));
      return found.sort((a, b) => compareLabels(a.labels, b.labels));
    };
    const labelSets = (sets: readonly (readonly Matcher[])[]): LabelList[] =>
      (sets.length === 0 ? [[]] : sets).flatMap((matchers) => find(matchers)).map(({ labels }) => labels);
    return {
      select: async (matchers) => new MemorySeriesSet(find(matchers)),
      labelNames: async (sets) => [...new Set(labelSets(sets).flatMap((labels) => labels.filter((_, i) => i % 2 === 0)))].sort(),
      labelValues: async (name, sets) => [...new Set(labelSets(sets).map((labels) => getLabel(labels, name)))].filter((value) => value !== '').sort(),
      close: () => {},
    };
  }
}

/** A store knows of each histogram whether a counter started anew since the one before, and says so. */
function withHint(value: MemorySample['value'], before: MemorySample['value'] | undefined): MemorySample['value'] {
  if (typeof value !== 'object' || value.counterResetHint !== HINT_UNKNOWN || typeof before !== 'object' || before.counterResetHint === HINT_GAUGE)
    return value;
  return { ...value, counterResetHint: isReset(fromNative(value), fromNative(before)) ? HINT_RESET : HINT_NOT_RESET };
}

class MemorySeriesSet implements SeriesSet {
  readonly #series: readonly MemorySeries[];
  constructor(series: readonly MemorySeries[]) {
    this.#series = series;
  }
  get length(): number {
    return this.#series.length;
  }
  labels(index: number): LabelList {
    return this.#series[index]!.labels;
  }
  id(index: number): number {
    return this.#series[index]!.id;
  }
  read(index: number, minTimeMs: number, maxTimeMs: number, into: SampleColumns): void {
    const samples = this.#series[index]!.samples.filter(({ timeMs }) => timeMs >= minTimeMs && timeMs <= maxTimeMs);
    growColumns(into, into.count + samples.length);
    if (samples.some(({ value }) => typeof value === 'object')) into.histograms ??= new Array<NativeHistogram | null>(into.count).fill(null);
    if (samples.some(({ startMs }) => startMs !== 0)) into.startTimes ??= new Float64Array(into.count + samples.length);
    for (const { timeMs, value, startMs } of samples) {
      const at = into.count++;
      into.times[at] = timeMs;
      into.values[at] = typeof value === 'number' ? value : 0;
      if (value === STALE) {
        into.valueBits[2 * at] = 2;
        into.valueBits[2 * at + 1] = 0x7ff00000;
      }
      if (into.histograms !== null) into.histograms[at] = typeof value === 'object' ? value : null;
      if (into.startTimes !== null) into.startTimes[at] = startMs;
    }
  }
}
