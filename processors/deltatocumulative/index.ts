/** Adds up delta points, so that backends which know only totals (Prometheus, the store) can take them. */
import type { Batch } from '#src/core/batch.ts';
import type { Clock } from '#src/core/clock.ts';
import { defineProcessor, type Rewriter } from '#src/core/component.ts';
import type { Counter, Telemetry } from '#src/core/telemetry.ts';
import { DROP, INNER_LEVEL, KEEP, metricData, type Pass, RECORD_LEVEL } from '#src/data/contexts.ts';
import { METRIC_DATA, TEMPORALITY } from '#src/data/message_types.ts';
import { BytesRewriter } from '#src/data/rewrite.ts';
import { StreamKeys } from '#src/helper/streams/stream_keys.ts';
import { Accumulator, type Fault } from './accumulator.ts';
import { configSchema } from './config.ts';

/** Streams are looked through for stale ones so often. */
const SWEEP_MS = 60_000;

class DeltaToCumulative implements Rewriter {
  readonly #accumulator: Accumulator;
  readonly #maxStaleMs: number;
  readonly #clock: Clock;
  readonly #points: Counter;
  readonly #faults = new Map<Fault, number>();
  readonly #keys = new StreamKeys({ scopeAttributes: true });
  readonly #walk: BytesRewriter;
  #isDelta = false;
  #nowMs = 0;
  #sweptMs: number;
  #taken = 0;

  constructor(config: { readonly max_stale: number; readonly max_streams?: number | undefined }, clock: Clock, telemetry: Telemetry) {
    this.#accumulator = new Accumulator(config.max_streams);
    this.#maxStaleMs = config.max_stale;
    this.#clock = clock;
    this.#sweptMs = clock.nowMs();
    this.#points = telemetry.counter('deltatocumulative_datapoints', '{datapoint}', 'Data points that were added up; with `error`: that were dropped.');
    telemetry.gauge('deltatocumulative_streams_tracked', '{dps}', () => this.#accumulator.size, {}, 'Streams that are remembered.');
    const passes: Pass[] = [
      { level: RECORD_LEVEL, reads: INNER_LEVEL, writes: 0, dropsEmpty: true, visit: () => this.#atMetric() },
      { level: INNER_LEVEL, reads: 0, writes: 0, dropsEmpty: true, visit: () => this.#atPoint() },
    ];
    this.#walk = new BytesRewriter('metrics', [...this.#keys.passes, ...passes]);
  }

  rewrite(batch: Batch): Batch | null {
    this.#nowMs = this.#clock.nowMs();
    if (this.#nowMs - this.#sweptMs >= SWEEP_MS) {
      this.#accumulator.forget(this.#nowMs - this.#maxStaleMs);
      this.#sweptMs = this.#nowMs;
    }
    try {
      return this.#walk.rewrite(batch);
    } finally {
      if (this.#taken > 0) this.#points.add(this.#taken);
      for (const [error, count] of this.#faults) this.#points.add(count, { error });
      this.#taken = 0;
      this.#faults.clear();
    }
  }
  /** Only sums and histograms have a temporality. */
  #atMetric(): number {
    this.#isDelta = metricData.int(METRIC_DATA.aggregationTemporality) === TEMPORALITY.delta;
    if (!this.#isDelta) return KEEP;
    if (metricData.count(METRIC_DATA.dataPoints) === 0) return DROP;
    metricData.setInt(METRIC_DATA.aggregationTemporality, TEMPORALITY.cumulative);
    this.#accumulator.enter(this.#keys.ofMetric());
    return KEEP;
  }
  #atPoint(): number {
    if (!this.#isDelta) return KEEP;
    const fault = this.#accumulator.take(this.#nowMs);
    if (fault === null) {
      this.#taken++;
      return KEEP;
    }
    this.#faults.set(fault, (this.#faults.get(fault) ?? 0) + 1);
    return DROP;
  }
}

export default defineProcessor({
  type: 'deltatocumulative',
  stability: { metrics: 'alpha' },
  configSchema,
  createRewriter: ({ config, clock, telemetry }) => new DeltaToCumulative(config, clock, telemetry),
});
