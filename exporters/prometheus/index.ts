/** Shows the last value of every metric at http://endpoint/metrics, for Prometheus to scrape. */
import type { Batch } from '#src/core/batch.ts';
import { defineExporter } from '#src/core/component.ts';
import { gateEnabled } from '#src/core/feature_gates.ts';
import { NO_RETRY } from '#src/helper/exporter/config.ts';
import { exporterHelper } from '#src/helper/exporter/exporter.ts';
import { labelName, rulesOf, type TranslationStrategy } from '#src/helper/prometheus/names.ts';
import { encodeBody } from '#src/net/compression.ts';
import { HttpServer, type HttpReply, type HttpRequest, Router } from '#src/net/http_server.ts';
import { configSchema, type PrometheusConfig } from './config.ts';
import { contentType, type FixedFamily, formatExposition, negotiate } from './exposition.ts';
import { HeldSeriesSet } from './held_series.ts';

/** One log line for points that cannot be shown in so many ms. */
const LOG_EVERY_MS = 10_000;
/** Smaller answers are not worth compressing. */
const COMPRESSED_BYTES = 1400;

export default defineExporter({
  type: 'prometheus',
  stability: { metrics: 'beta' },
  configSchema,
  create(context) {
    const { config, telemetry, clock, host } = context,
      rules = rulesOf(strategyOf(config), config.namespace);
    const { resource_to_telemetry_conversion: conversion } = config;
    const set = new HeldSeriesSet({
      rules,
      scopeInfo: !config.without_scope_info,
      constLabels: Object.entries(config.const_labels),
      resourceLabels: !conversion.enabled ? 'none' : conversion.exclude_service_attributes ? 'without_service' : 'all',
      expirationMs: config.metric_expiration,
    });
    const targetInfo = config.namespace === '' ? 'target_info' : `${labelName(config.namespace, rules, true)}_target_info`;
    let server: HttpServer | null = null,
      stopExpiring = (): void => {},
      quietUntilMs = 0;

    const metrics = async (request: HttpRequest): Promise<HttpReply> => {
      set.expire(clock.nowMs());
      const format = { ...negotiate(request.headers.accept ?? '', config.enable_open_metrics), timestamps: config.send_timestamps };
      const body = Buffer.from(formatExposition(set.families.values(), targetFamily(set, targetInfo), format)),
        headers = { 'content-type': contentType(format) };
      if (body.length < COMPRESSED_BYTES || !/\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''))) return { status: 200, headers, body };
      return { status: 200, headers: { ...headers, 'content-encoding': 'gzip' }, body: await encodeBody([body], body.length, 'gzip') };
    };

    return exporterHelper({
      context,
      settings: {
        timeout: 0,
        retry_on_failure: NO_RETRY,
        sending_queue: config.sending_queue,
      },
      async start() {
        server = new HttpServer({ settings: config, handler: new Router().on('GET', '/metrics', metrics).handle, log: telemetry.log, host });
        await server.listen();
        // Without a scraper nobody else would take out what has expired.
        if (config.metric_expiration > 0) stopExpiring = clock.every(config.metric_expiration, () => set.expire(clock.nowMs()));
      },
      async send(batch: Batch) {
        set.add(batch, clock.nowMs());
        if (set.refused === 0 || clock.nowMs() < quietUntilMs) return;
        quietUntilMs = clock.nowMs() + LOG_EVERY_MS;
        telemetry.log.error('Some data points cannot be shown.', { points: set.refused, first_fault: set.fault });
      },
      async shutdown() {
        stopExpiring();
        await server?.close();
        server = null;
      },
    });
  },
});

function strategyOf({ translation_strategy, add_metric_suffixes }: PrometheusConfig): TranslationStrategy {
  if (translation_strategy !== '') return translation_strategy;
  return add_metric_suffixes || gateEnabled('exporter.prometheusexporter.DisableAddMetricSuffixes')
    ? 'UnderscoreEscapingWithSuffixes'
    : 'UnderscoreEscapingWithoutSuffixes';
}

/** target_info of each job and instance that has a series. */
function targetFamily(set: HeldSeriesSet, name: string): FixedFamily | null {
  const targets = new Map<string, readonly string[]>();
  for (const family of set.families.values())
    for (const { held, target } of family.series.values())
      if (held !== null && target !== null && !targets.has(target.id)) targets.set(target.id, target.labels);
  return targets.size === 0 ? null : { name, help: 'Target metadata', series: [...targets.values()] };
}
