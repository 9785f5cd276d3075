/** All targets of one job: follows discovery, starts and stops their scrape loops, hands their batches on. */
import { createHash } from 'node:crypto';
import { Batch, EMPTY_CONTEXT } from '#src/core/batch.ts';
import type { Clock } from '#src/core/clock.ts';
import type { Consumer } from '#src/core/component.ts';
import { errorText } from '#src/core/errors.ts';
import type { Log } from '#src/core/telemetry.ts';
import type { Discovery, TargetGroup } from '#src/helper/discovery/discovery.ts';
import type { Labels } from '#src/helper/relabel.ts';
import { ScrapeClient } from '#src/helper/scrape/http_client.ts';
import { schemaForFactor } from '#src/helper/scrape/native_histogram.ts';
import { ScrapeLoop } from '#src/helper/scrape/scrape_loop.ts';
import { TargetCache } from '#src/helper/scrape/target_cache.ts';
import type { Config, ScrapeProtocol } from './config.ts';
import { configuredHeaders, type Job, tlsOptions } from './job.ts';
import { resourceAttributes } from './resource.ts';
import { type Target, targetsOf } from './targets.ts';

export const SCOPE_NAME = 'github.com/open-telemetry/opentelemetry-collector-contrib/receiver/prometheusreceiver';

/** What the pools of a receiver share. */
export interface PoolContext {
  readonly config: Config;
  readonly version: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly next: Consumer;
  /** Points that the next stage took, or refused. */
  count(accepted: number, refused: number): void;
}

interface Entry {
  readonly target: Target;
  readonly loop: ScrapeLoop;
}

const FORMATS = {
  PrometheusProto: 'protobuf',
  'OpenMetricsText1.0.0': 'openmetrics',
  'OpenMetricsText0.0.1': 'openmetrics',
  'PrometheusText1.0.0': 'text',
  'PrometheusText0.0.4': 'text',
} as const;

export class ScrapePool {
  readonly job: Job;
  readonly #context: PoolContext;
  readonly #discoveries: readonly Discovery[];
  readonly #groups: (readonly TargetGroup[])[];
  readonly #entries = new Map<string, Entry>();
  /** Targets that vanished and will get their markers, unless they come back. */
  readonly #leaving = new Map<string, () => void>();
  #dropped: Labels[] = [];
  #failures = '';
  #stopped = false;

  constructor(job: Job, discoveries: readonly Discovery[], context: PoolContext) {
    this.job = job;
    this.#context = context;
    this.#discoveries = discoveries;
    this.#groups = discoveries.map(() => []);
  }

  start(): void {
    this.#discoveries.forEach((discovery, index) => {
      discovery.start((groups) => {
        this.#groups[index] = groups;
        this.#synchronize();
      });
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    for (const discovery of this.#discoveries) discovery.stop();
    for (const cancel of this.#leaving.values()) cancel();
    await Promise.all([...this.#entries.values()].map(({ loop }) => loop.stop(this.#context.config.scrape_on_shutdown)));
    this.#entries.clear();
  }

  /** For the status page. */
  describe(): unknown[] {
    const active = [...this.#entries.values()].map(({ target, loop }) => ({
      job: this.job.name,
      url: target.url,
      labels: Object.fromEntries(target.labels),
      discoveredLabels: Object.fromEntries(target.discovered),
      health: loop.state.health,
      lastScrape: loop.state.lastScrapeMs,
      lastError: loop.state.lastError,
      duration: loop.state.lastDurationMs / 1000,
      samples: loop.state.lastSamples,
      interval: target.intervalMs / 1000,
      timeout: target.timeoutMs / 1000,
    }));
    return [...active, ...this.#dropped.map((labels) => ({ job: this.job.name, discoveredLabels: Object.fromEntries(labels), health: 'dropped' }))];
  }

  #synchronize(): void {
    if (this.#stopped) return;
    const { targets, failures, dropped } = targetsOf(this.job, this.#groups.flat());
    const text = failures.join('; ');
    if (text !== '' && text !== this.#failures) this.#context.log.warn('Some targets cannot be scraped.', { job: this.job.name, targets: text.slice(0, 2000) });
    this.#failures = text;
    this.#dropped = this.job.keepDroppedTargets > 0 ? dropped.slice(0, this.job.keepDroppedTargets) : dropped.slice(0, 1000);
    for (const [key, entry] of this.#entries) {
      if (targets.has(key)) continue;
      this.#entries.delete(key);
      void this.#leave(key, entry);
    }
    for (const [key, target] of targets) {
      if (this.#entries.has(key)) continue;
      this.#leaving.get(key)?.();
      this.#leaving.delete(key);
      const loop = this.#makeLoop(target);
      this.#entries.set(key, { target, loop });
      loop.start();
    }
    const limit = this.job.targetLimit;
    const forced = limit > 0 && this.#entries.size > limit ? `target_limit exceeded (number of targets: ${this.#entries.size}, limit: ${limit})` : '';
    for (const { loop } of this.#entries.values()) loop.forcedError = forced;
  }

  /** The target may come back soon (a restart, a flapping discovery): markers wait for a bit more than two intervals. */
  async #leave(key: string, { target, loop }: Entry): Promise<void> {
    await loop.stop();
    if (this.#stopped) return;
    const cancel = this.#context.clock.after(target.intervalMs * 2.1, () => {
      this.#leaving.delete(key);
      void loop.markGone();
    });
    this.#leaving.set(key, cancel);
  }

  #makeLoop(target: Target): ScrapeLoop {
    const { job } = this;
    const { config, clock, version } = this.#context;
    const http = job.config;
    const fixed =
      `User-Agent: penstock/${version}\r\nAccept: ${job.accept}\r\nAccept-Encoding: ${http.enable_compression ? 'gzip' : 'identity'}\r\n` +
      `X-Prometheus-Scrape-Timeout-Seconds: ${target.timeoutMs / 1000}\r\n`;
    const client = new ScrapeClient({
      host: target.host,
      port: target.port,
      path: target.path,
      hostHeader: target.hostHeader,
      tls: target.secure ? () => tlsOptions(http.tls_config, target.host) : null,
      headers: async () => fixed + (await configuredHeaders(http)),
      bodyLimit: job.bodyLimit,
      followRedirects: http.follow_redirects,
    });
    const cache = new TargetCache({
      targetLabels: target.labels,
      externalLabels: job.externalLabels,
      honorLabels: http.honor_labels,
      honorTimestamps: http.honor_timestamps,
      trackTimestampsStaleness: http.track_timestamps_staleness,
      rules: job.sampleRules,
      scheme: job.scheme,
      limits: job.labelLimits,
      sampleLimit: job.sampleLimit,
      histogramBucketLimit: http.native_histogram_bucket_limit,
      histogramMaxSchema: http.native_histogram_min_bucket_factor > 0 ? schemaForFactor(http.native_histogram_min_bucket_factor) : 8,
      extraMetrics: job.extraMetrics,
      timeoutSeconds: target.timeoutMs / 1000,
      scopeName: SCOPE_NAME,
      scopeVersion: version,
      trimSuffixes: config.trim_metric_suffixes,
      resource: (jobName, instance) => resourceAttributes(jobName, instance, target.discovered),
    });
    const loopOptions = {
      intervalMs: target.intervalMs,
      timeoutMs: target.timeoutMs,
      offsetMs: createHash('md5').update(target.key).digest().readUInt32LE() % target.intervalMs,
      initialDelayMs: config.initial_scrape_offset,
      fallbackFormat: FORMATS[http.fallback_scrape_protocol as ScrapeProtocol],
      nativeHistograms: job.nativeHistograms,
      classicToo: job.classicToo,
      customBuckets: job.customBuckets,
    };
    return new ScrapeLoop(loopOptions, client, cache, clock, async ({ message, layout, release, pointCount, error }) => {
      if (error !== null) this.#context.log.debug('An exposition was refused.', { url: target.url, error: error.message });
      if (message === null) return;
      try {
        await this.#context.next.consume(new Batch('metrics', [message], pointCount, EMPTY_CONTEXT, true, { layout, release }));
        this.#context.count(pointCount, 0);
      } catch (failure) {
        this.#context.count(0, pointCount);
        this.#context.log.debug('A scrape was refused by the next stage.', { url: target.url, error: errorText(failure) });
      }
    });
  }
}
