/** Makes totals differences to the point before, for backends that want what happened since. */
import type { Batch } from '#src/core/batch.ts';
import type { Clock } from '#src/core/clock.ts';
import { defineProcessor, type Rewriter } from '#src/core/component.ts';
import { compilePattern } from '#src/core/regexp/pattern.ts';
import type { Counter, Telemetry } from '#src/core/telemetry.ts';
import { DROP, INNER_LEVEL, KEEP, metric, metricData, type Pass, position, RECORD_LEVEL } from '#src/data/contexts.ts';
import { METRIC, METRIC_DATA, TEMPORALITY } from '#src/data/message_types.ts';
import { BytesRewriter } from '#src/data/rewrite.ts';
import { StreamKeys } from '#src/helper/streams/stream_keys.ts';
import { type Config, configSchema, type MatchMetrics } from './config.ts';
import { Differences, type Outcome } from './differences.ts';

const TYPE_NAMES = new Map<number, string>([
  [METRIC.sum, 'sum'],
  [METRIC.histogram, 'histogram'],
  [METRIC.exponentialHistogram, 'exponential_histogram'],
]);

class CumulativeToDelta implements Rewriter {
  readonly #differences: Differences;
  readonly #maxStalenessMs: number;
  readonly #clock: Clock;
  readonly #includes: () => boolean;
  readonly #converted: Counter;
  readonly #dropped: Counter;
  /** Of the batch: how many points by "sum reset". */
  readonly #counts = new Map<string, number>();
  readonly #keys = new StreamKeys({ scopeAttributes: false });
  readonly #walk: BytesRewriter;
  #converts = false;
  #sweptMs: number;

  constructor(config: Config, clock: Clock, telemetry: Telemetry) {
    this.#sweptMs = clock.nowMs();
    this.#differences = new Differences(config.initial_value, BigInt(Math.round(this.#sweptMs)) * 1_000_000n);
    this.#maxStalenessMs = config.max_staleness;
    this.#clock = clock;
    this.#includes = metricFilter(config);
    this.#converted = telemetry.counter('cumulativetodelta_datapoints', '{datapoint}', 'Data points that were converted.');
    this.#dropped = telemetry.counter('cumulativetodelta_datapoints_dropped', '{datapoint}', 'Data points that were dropped, by the reason.');
    const passes: Pass[] = [
      { level: RECORD_LEVEL, reads: 0, writes: 0, dropsEmpty: true, visit: () => this.#atMetric() },
      { level: INNER_LEVEL, reads: 0, writes: 0, dropsEmpty: true, visit: () => this.#atPoint() },
    ];
    this.#walk = new BytesRewriter('metrics', [...this.#keys.passes, ...passes]);
  }

  rewrite(batch: Batch): Batch | null {
    const nowMs = this.#clock.nowMs();
    if (this.#maxStalenessMs > 0 && nowMs - this.#sweptMs >= this.#maxStalenessMs) {
      this.#differences.forget(BigInt(Math.round(nowMs - this.#maxStalenessMs)) * 1_000_000n);
      this.#sweptMs = nowMs;
    }
    try {
      return this.#walk.rewrite(batch);
    } finally {
      for (const [name, count] of this.#counts) {
        const [metric_type, reason] = name.split(' ') as [string, string];
        if (reason === 'converted') this.#converted.add(count, { metric_type });
        else this.#dropped.add(count, { metric_type, reason });
      }
      this.#counts.clear();
    }
  }
  #atMetric(): number {
    const kind = position.metricKind,
      isSum = kind === METRIC.sum;
    this.#converts = false;
    if (!TYPE_NAMES.has(kind) || metricData.int(METRIC_DATA.aggregationTemporality) !== TEMPORALITY.cumulative) return KEEP;
    if ((isSum && !metricData.bool(METRIC_DATA.isMonotonic)) || !this.#includes()) return KEEP;
    if (metricData.count(METRIC_DATA.dataPoints) === 0) return isSum ? DROP : KEEP;
    this.#converts = true;
    metricData.setInt(METRIC_DATA.aggregationTemporality, TEMPORALITY.delta);
    this.#differences.enter(this.#keys.ofMetric());
    return KEEP;
  }
  #atPoint(): number {
    if (!this.#converts) return KEEP;
    const outcome: Outcome = this.#differences.take();
    if (outcome === 'kept') return KEEP;
    if (outcome === 'no value') return DROP;
    const name = `${TYPE_NAMES.get(position.metricKind)} ${outcome}`;
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
    return outcome === 'converted' ? KEEP : DROP;
  }
}

/** Whether the metric under the cursor is one of those that are converted. */
function metricFilter({ include, exclude }: Config): () => boolean {
  const included = matcher(include),
    excluded = matcher(exclude);
  const includedTypes = new Set(include.metric_types),
    excludedTypes = new Set(exclude.metric_types);
  return () => {
    const type = TYPE_NAMES.get(position.metricKind)!.replace('_', '');
    if ((includedTypes.size > 0 && !includedTypes.has(type)) || excludedTypes.has(type)) return false;
    if (included === null && excluded === null) return true;
    const name = metric.text(METRIC.name);
    return (included === null || included(name)) && (excluded === null || !excluded(name));
  };
}
function matcher({ match_type, metrics }: MatchMetrics): ((name: string) => boolean) | null {
  if (metrics.length === 0) return null;
  if (match_type === 'strict') {
    const names = new Set(metrics);
    return (name) => names.has(name);
  }
  const patterns = metrics.map(compilePattern);
  return (name) => patterns.some((pattern) => pattern.test(name));
}

export default defineProcessor({
  type: 'cumulativetodelta',
  stability: { metrics: 'beta' },
  configSchema,
  createRewriter: ({ config, clock, telemetry }) => new CumulativeToDelta(config, clock, telemetry),
});
